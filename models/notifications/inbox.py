"""What a person finds under the bell: only the own messages, and links only to what he or she may see.

These rows belong to their reader as the profile does: no role opens or closes them, so there is no scope
to ask, and the person is part of every statement here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from app.engine import cells, chrome, reach
from app.engine.pages import Link, Notice, NoticeGroup, NoticeItem
from app.engine.resource import resource
from app.engine.scopes import MYSELF, Actor
from models.notifications import topics
from models.notifications.tables import NoticeKind, Notification

PER_PAGE = 20
NEWEST = 8
COUNTED = 100
"""The unread are counted up to here: "99+"."""
URL = "/notifications/"
KEPT = timedelta(days=180)
_PRUNED = 2000
_GONE = "您已无权查看相关记录，或记录已不存在"
Place = tuple[datetime, int]


def _mine(*conditions: Any) -> Any:
    return and_(Notification.user_id == MYSELF, *conditions)


def unread_amount(_actor: Actor) -> Any:
    """How many messages the actor has not read, up to `COUNTED`, to be selected beside other counts."""
    rows = select(Notification.id).where(_mine(Notification.read_at.is_(None))).limit(COUNTED).subquery()
    return select(func.count()).select_from(rows).scalar_subquery()


def unread(session: Session, actor: Actor) -> int:
    """The same number by itself: one look into the index of unread messages."""
    return int(session.execute(select(unread_amount(actor)), actor.params).scalar_one())


def page(
    session: Session,
    actor: Actor,
    *,
    kind: NoticeKind | None = None,
    only_unread: bool = False,
    before: Place | None = None,
    after: Place | None = None,
    limit: int = PER_PAGE,
) -> tuple[list[Notification], bool]:
    """The messages next before (older than) or after a place, newest first, and whether there are more in
    that direction."""
    where: list[Any] = []
    if kind is not None:
        where.append(Notification.kind == kind)
    if only_unread:
        where.append(Notification.read_at.is_(None))
    at, pk = Notification.created_at, Notification.id
    order = (at.desc(), pk.desc())
    if after is not None:
        where.append(or_(at > after[0], and_(at == after[0], pk > after[1])))
        order = (at.asc(), pk.asc())
    elif before is not None:
        where.append(or_(at < before[0], and_(at == before[0], pk < before[1])))
    statement = select(Notification).where(_mine(*where)).order_by(*order).limit(limit + 1)
    found = list(session.scalars(statement, actor.params))
    more = len(found) > limit
    found = found[:limit]
    return (found[::-1] if after is not None else found), more


def one(session: Session, actor: Actor, message_id: int) -> Notification | None:
    """One own message, or None."""
    found: Notification | None = session.scalar(
        select(Notification).where(_mine(Notification.id == message_id)), actor.params
    )
    return found


def read(session: Session, actor: Actor, now: datetime, ids: Iterable[int] | None = None) -> int:
    """Mark own messages as read, all of them without ``ids``; returns how many were not."""
    where = [Notification.user_id == actor.id, Notification.read_at.is_(None)]
    if ids is not None:
        where.append(Notification.id.in_(sorted(set(ids))))
    marked = session.execute(
        update(Notification).where(*where).values(read_at=now).returning(Notification.id),
        execution_options={"synchronize_session": False},
    )
    return len(marked.all())


def prune(session: Session, *, now: datetime) -> bool:
    """Delete some of the messages made more than `KEPT` ago, with their deliveries; True when there may be
    more. The oldest have the lowest numbers, so no index is needed to find them."""
    oldest = (
        select(Notification.id, Notification.created_at).order_by(Notification.id).limit(_PRUNED).subquery()
    )
    old = select(oldest.c.id).where(oldest.c.created_at < now - KEPT)
    gone = session.execute(
        delete(Notification).where(Notification.id.in_(old)).returning(Notification.id),
        execution_options={"synchronize_session": False},
    )
    return len(gone.all()) == _PRUNED


# ----- as pages show them

Ways = Callable[[Session, Actor, Notification], list[Link]]
_ways: dict[str, Ways] = {}


def provide_ways(topic: str, ways: Ways) -> None:
    """Say where a message about that topic leads besides its records; the domain it is of calls this."""
    _ways[topic] = ways


def ways(session: Session, actor: Actor, message: Notification) -> list[Link]:
    """What can be done from the page of a message."""
    found = _ways.get(message.topic)
    return found(session, actor, message) if found is not None else []


def notices(session: Session, actor: Actor, messages: Sequence[Notification], now: datetime) -> list[Notice]:
    """The messages with links to the records this person may open, looked up for all of them at once."""
    wanted = [(m.resource, m.record_id) for m in messages if m.resource and m.record_id]
    wanted += [(i["resource"], i["id"]) for m in messages for i in _items(m)]
    known = reach.openable(session, actor, [(str(name), int(pk)) for name, pk in wanted if name and pk])
    return [_notice(actor, m, known, now) for m in messages]


def _items(message: Notification) -> list[dict[str, Any]]:
    """The lines of a summary; a message about one record has its own link."""
    found = message.items if message.amount > 1 or not message.resource else None
    return [{"resource": None, "id": None, **item} for item in found or () if isinstance(item, dict)]


def _notice(actor: Actor, message: Notification, known: Mapping[reach.Place, str], now: datetime) -> Notice:
    place = (message.resource or "", message.record_id or 0)
    url = known.get(place, "")
    return Notice(
        message.id, message.title, message.text, message.kind.label, message.kind.tone.value,
        topics.label(message.topic), topics.icon(message.topic), cells.ago(message.created_at, now),
        message.read_at is not None, f"{URL}{message.id}", url, _GONE if message.resource and not url else "",
        _groups(actor, message, known),
    )  # fmt: skip


def _groups(actor: Actor, message: Notification, known: Mapping[reach.Place, str]) -> list[NoticeGroup]:
    by_name: defaultdict[str, list[NoticeItem]] = defaultdict(list)
    for item in _items(message):
        url = known.get((item["resource"] or "", item["id"] or 0), "")
        by_name[item.get("group") or ""].append(
            NoticeItem(str(item.get("title", "")), str(item.get("note") or ""), url)
        )
    declared = {g["name"]: g for g in message.groups or () if isinstance(g, dict) and "name" in g}
    alone = not declared and len(by_name) == 1
    found = []
    for name in dict.fromkeys((*declared, *by_name)):
        listed, group = by_name[name], declared.get(name, {})
        amount = int(group.get("amount") or (message.amount if alone else len(listed)))
        # Lines of an hour may stand for several records each: only where each is one, some may be missing.
        left = amount - len(listed) if alone or group.get("resource") else 0
        more = f"另有 {left} 项" if left > 0 else ""
        plain = bool(group.get("plain"))
        found.append(NoticeGroup(name, amount, listed, _list_url(actor, group), more, plain))
    return found


def _list_url(actor: Actor, group: dict[str, Any]) -> str:
    declared = resource(str(group.get("resource") or ""))
    if declared is None or not actor.can("can_list", declared.view_name()):
        return ""
    query = group.get("query") or ""
    return f"/{declared.name}/" + (f"?{query}" if query else "")


chrome.provide_bell(URL, unread_amount)
