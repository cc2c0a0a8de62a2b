"""From a request to what it is about, each of its records that its reader may open; and back, while it waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.engine.cells import Linked, Several
from app.engine.database import db
from app.engine.detail import provide_link
from app.engine.guards import derived
from app.engine.pages import Link
from app.engine.resource import Resource, resource
from app.engine.scopes import Actor, visible
from app.engine.security import current_actor
from models.shaping.approval_requests import URL, in_force
from models.shaping.approval_tables import UNDECIDED, ApprovalRequest, RequestState

KIND = "approval_records"
MOST = 50
"""So many records are named on the page of their request."""


class About(str):
    """How many records a request is about; ``records`` are their numbers, versions and names."""

    records: Sequence[Sequence[Any]] = ()


def _about(value: Any, _actor: Actor | None) -> About | None:
    if not value:
        return None
    found = About(f"{len(value)}条")
    found.records = value
    return found


def _seen(about: type[Resource] | None, ids: Sequence[int], actor: Actor) -> set[int]:
    """Which of the records have a page that this person may open."""
    if about is None or not about.detail or not actor.can("can_list", about.view_name()):
        return set()
    seen = select(about.pk()).where(about.pk().in_(ids), visible(about, actor))
    return set(db.session.scalars(seen, actor.params))


def named(value: Any, subject: str, *, now: datetime) -> Any:
    """The records by name, as links where they lead somewhere; a reader without their page learns how many."""
    actor, about = current_actor(), resource(subject)
    if not isinstance(value, About) or actor is None or about is None:
        return value
    if not actor.can("can_list", about.view_name()):
        return f"{value}{about.label}（没有查看权限）"
    few = value.records[:MOST]
    seen = _seen(about, [r[0] for r in few], actor)
    parts: list[Linked | str] = [
        Linked(str(label), f"/{about.name}/{number}") if number in seen else str(label)
        for number, _, label in few
    ]
    return Several(parts, f"等{value}" if len(value.records) > MOST else "")


def _to_record(actor: Actor, shown: type[Resource], pk: int) -> Link | None:
    """To what a request is about, beside its actions; several are named in it."""
    if shown.model is not ApprovalRequest:
        return None
    asked = select(ApprovalRequest.subject, ApprovalRequest.records).where(ApprovalRequest.id == pk)
    subject, records = db.session.execute(asked).one()
    about = resource(subject)
    if len(records) != 1 or about is None or not _seen(about, [records[0][0]], actor):
        return None
    return Link(f"查看{about.label}", f"/{about.name}/{records[0][0]}", about.icon)


def _to_request(actor: Actor, shown: type[Resource], pk: int) -> Link | None:
    """From a record to what waits for approval with it, as far as the person sees requests. Only where a rule is
    about such records it costs a statement."""
    session, requests = db.session(), resource(URL[1:])
    ruled = any(f.subject == shown.name for f in in_force(session))
    if not ruled or requests is None or not actor.can("can_list", requests.view_name()):
        return None
    waiting = select(ApprovalRequest.id, ApprovalRequest.records).where(
        ApprovalRequest.subject == shown.name,
        ApprovalRequest.state.in_(UNDECIDED),
        visible(requests, actor),
    )
    found = [
        number
        for number, records in session.execute(waiting.order_by(ApprovalRequest.id), actor.params)
        if any(r[0] == pk for r in records)
    ]
    if not found:
        return None
    if len(found) == 1:
        return Link(RequestState.WAITING.label, f"{URL}/{found[0]}", requests.icon, beside=True)
    listed = f"{URL}/?subject={shown.name}&view=open"
    return Link(f"{RequestState.WAITING.label}（{len(found)}）", listed, requests.icon, beside=True)


derived[KIND] = _about
provide_link(_to_record)
provide_link(_to_request)
