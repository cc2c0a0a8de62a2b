"""The interaction track as it stands on the pages of customers and contacts (A-41, A-46)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.engine.cells import ago
from app.engine.pages import Event, Link, Timeline
from app.engine.scopes import Actor
from app.engine.timeline import TimelineSource, provide_timeline
from models.customers.tables import Contact, Customer
from models.customers.track import TrackAct, TrackEvent, TrackKind
from models.identity.tables import Employee

_ICONS = {
    TrackAct.ADD_FRIEND: "user-plus",
    TrackAct.CHAT: "message-circle",
    TrackAct.BOOKMARK: "bookmark",
    TrackAct.SIGN_UP: "forms",
    TrackAct.BUY_COUPON: "ticket",
    TrackAct.VISIT: "building-store",
    TrackAct.BROWSE: "eye",
    TrackAct.STAFF_CHAT: "brand-wechat",
    TrackAct.MESSAGE: "brand-wechat",
    TrackAct.SMS: "mail",
    TrackAct.CALL: "phone",
    TrackAct.WRITTEN: "pencil-plus",
    TrackAct.FILED: "folder-plus",
    TrackAct.SERVICE_ORDER: "clipboard-plus",
    TrackAct.RECEIPT: "cash",
    TrackAct.REFUND: "receipt-refund",
    TrackAct.MEASURE: "ruler-measure",
    TrackAct.CONTRACT: "contract",
    TrackAct.TRANSMIT: "send",
    TrackAct.PRINTED: "printer",
}


def _source(person: type[Customer] | type[Contact], column: Any) -> TimelineSource:
    def read(
        session: Session, record_id: int, actor: Actor, now: datetime, kind: str, limit: int, before: str
    ) -> Timeline:
        statement = (
            select(TrackEvent, Employee.name)
            .outerjoin(Employee, Employee.id == TrackEvent.by_id)
            .where(column == record_id)
            .order_by(TrackEvent.at.desc(), TrackEvent.id.desc())
            .limit(limit + 1)
        )
        known = {k.value: k for k in TrackKind}
        if kind in known:
            statement = statement.where(TrackEvent.kind == known[kind])
        place = _place(before)
        if place is not None:
            at, last = place
            statement = statement.where(
                or_(TrackEvent.at < at, and_(TrackEvent.at == at, TrackEvent.id < last))
            )
        rows = session.execute(statement).all()
        score = session.scalar(select(person.activity_score).where(person.id == record_id)) or 0
        more = ""
        if len(rows) > limit:
            oldest = rows[limit - 1][0]
            more = f"{oldest.at.isoformat()}_{oldest.id}"
        mixed = kind not in known
        events = [_event(e, name, now, mixed=mixed) for e, name in rows[:limit]]
        return Timeline(_kinds(kind), events, str(score), more)

    return read


def _place(text: str) -> tuple[datetime, int] | None:
    at, _, last = text.rpartition("_")
    try:
        place = datetime.fromisoformat(at), int(last)
    except ValueError:
        return None
    return place if place[0].tzinfo is None and 0 < place[1] < 2**31 else None


def _kinds(chosen: str) -> list[Link]:
    links = [Link("全部", "", active=chosen not in {k.value for k in TrackKind})]
    return links + [Link(k.label, "", name=k.value, active=k.value == chosen) for k in TrackKind]


def _event(event: TrackEvent, by: str | None, now: datetime, *, mixed: bool) -> Event:
    return Event(
        title=event.title,
        at=ago(event.at, now),
        kind=event.kind.value,
        kind_label=event.kind.label.removesuffix("轨迹") if mixed else "",
        by=by or event.sender or "",
        text=event.text,
        score=f"+{event.score}" if event.score else "",
        icon=_ICONS.get(event.act, "point"),
    )


provide_timeline("customers", _source(Customer, TrackEvent.customer_id))
provide_timeline("contacts", _source(Contact, TrackEvent.contact_id))
