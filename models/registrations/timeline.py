"""What was done for a lead as it stands on its page: contacts, and measuring of the home."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from app.engine.cells import ago, full
from app.engine.localtime import local
from app.engine.pages import Event, Link, Timeline
from app.engine.scopes import Actor
from app.engine.timeline import provide_timeline
from models.follow_ups.tables import SmsMessage, SmsState
from models.identity.tables import Employee
from models.registrations.tables import Measuring, RegistrationTrack, TrackKind

_MEASURING = "measuring"
_KINDS = {TrackKind.NOTE.value: "沟通记录", TrackKind.SMS.value: "短信", _MEASURING: "量房"}
_ICONS = {TrackKind.NOTE: "pencil-plus", TrackKind.SMS: "mail"}
_Placed = tuple[datetime, int, int, Event]


def read(
    session: Session, record_id: int, actor: Actor, now: datetime, kind: str, limit: int, before: str
) -> Timeline:
    """The newest events of the lead before that place (see `TimelineSource`)."""
    found: list[_Placed] = []
    mixed = kind not in _KINDS
    place = _place(before)
    if mixed or kind != _MEASURING:
        statement = _older(
            select(RegistrationTrack, Employee.name, SmsMessage.error), RegistrationTrack, place
        )
        statement = statement.outerjoin(Employee, Employee.id == RegistrationTrack.writer_id)
        statement = statement.outerjoin(SmsMessage, SmsMessage.id == RegistrationTrack.message_id)
        statement = statement.where(RegistrationTrack.registration_id == record_id)
        if not mixed:
            statement = statement.where(RegistrationTrack.kind == TrackKind.of(kind))
        for row, by, error in session.execute(statement.limit(limit + 1)):
            found.append((row.at, 1, row.id, _contact(row, by, error, now, mixed=mixed)))
    if mixed or kind == _MEASURING:
        statement = _older(select(Measuring, Employee.name), Measuring, place)
        statement = statement.outerjoin(Employee, Employee.id == Measuring.designer_id)
        statement = statement.where(Measuring.registration_id == record_id)
        for row, who in session.execute(statement.limit(limit + 1)):
            found.append((row.created_at, 0, row.id, _dispatch(row, who, now, mixed=mixed)))
    found.sort(key=lambda event: event[:3], reverse=True)
    more = ""
    if len(found) > limit:
        at, order, last, _ = found[limit - 1]
        more = f"{at.isoformat()}_{order}_{last}"
    kinds = [Link("全部", "", active=mixed)]
    kinds += [Link(label, "", name=name, active=name == kind) for name, label in _KINDS.items()]
    return Timeline(kinds, [event for *_, event in found[:limit]], "", more)


_Place = tuple[datetime, int, int]


def _place(text: str) -> _Place | None:
    at, _, rest = text.partition("_")
    order, _, last = rest.partition("_")
    try:
        place = datetime.fromisoformat(at), int(order), int(last)
    except ValueError:
        return None
    return place if place[0].tzinfo is None and 0 < place[2] < 2**31 else None


def _older(statement: Select[*tuple[Any, ...]], model: Any, place: _Place | None) -> Select[*tuple[Any, ...]]:
    """Newest first, before that place; at the same moment contacts stand before dispatches."""
    order, at = (1, model.at) if model is RegistrationTrack else (0, model.created_at)
    statement = statement.order_by(at.desc(), model.id.desc())
    if place is None:
        return statement
    same: ColumnElement[bool] = at == place[0]
    if order == place[1]:
        same = and_(same, model.id < place[2])
    return statement.where(or_(at < place[0], same) if order <= place[1] else at < place[0])


def _contact(
    row: RegistrationTrack, by: str | None, error: str | None, now: datetime, *, mixed: bool
) -> Event:
    failed = f"：{error}" if row.outcome == SmsState.FAILED and error else ""
    result = f" · {row.outcome.label}{failed}" if row.outcome is not None else ""
    return Event(
        _ICONS[row.kind], f"{row.state}{result}", ago(row.at, now), by or "", row.text, kind=row.kind.value,
        kind_label=row.kind.label if mixed else "", url=f"/registration_tracks/{row.id}",
    )  # fmt: skip


def _dispatch(row: Measuring, who: str | None, now: datetime, *, mixed: bool) -> Event:
    said = [f"派遣{who or ''}，{full(local(row.planned_at))}", row.remark, row.result, row.cancel_reason]
    return Event(
        "ruler-2", row.state.label, ago(row.created_at, now), "", "；".join(s for s in said if s),
        kind=_MEASURING, kind_label=_KINDS[_MEASURING] if mixed else "", url=f"/measurings/{row.id}",
    )  # fmt: skip


provide_timeline("registrations", read)
