"""Carrying a handover out, and taking it back: piece by piece, each a transaction of its own.

Every piece locks the handover first, so that a request and a worker never do the same piece; the mark on each
customer is written together with what it says. Whatever is killed goes on where it was (A-56).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from app.engine import deeds, outbox, undo
from app.engine.actions import Act, NotFound, Refusal
from app.engine.audit import Audited, AuditEntry
from app.engine.changes import action_label
from app.engine.fields import describe
from app.engine.perform import find
from app.engine.resource import Resource, resource_of, resources
from app.engine.scopes import SYSTEM, Actor, visible
from models.customers.handover import ACTIONS, RUN, held, holding, require_kind
from models.customers.handover_tables import Handover, HandoverItem, HandoverKind, HandoverState, ItemState
from models.customers.rules import give
from models.customers.tables import Customer, Stage
from models.customers.track import TrackEvent
from models.identity import accounts
from models.identity.rights import load_actor
from models.identity.rules import colleague
from models.identity.tables import Employee

PIECE = 500
"""Customers in one transaction."""
Rule = Callable[[Act, int], int]
"""What may be done to a handover as a whole: returns how many customers it concerns."""
_LEFT_TO_DO = (ItemState.WAITING, ItemState.RETURNING)


def piece(session: Session, handover_id: int, now: datetime, source: str) -> bool:
    """Do the next piece of a handover; False when nothing is left of it."""
    found = session.get(Handover, handover_id)
    if found is None:
        return False
    actor = load_actor(session, found.acting_id or 0)
    returning = found.state == HandoverState.RETURNING
    action = f"撤销{found.kind.label}" if returning else found.kind.label
    act = Act(actor or SYSTEM, now, session, source, action)
    if not returning:
        act.deed_id = found.deed_id
    with deeds.deed(act):
        handover = _hold(session, handover_id)
        wanted = select(HandoverItem).where(
            HandoverItem.handover_id == handover_id, HandoverItem.state.in_(_LEFT_TO_DO)
        )
        items = session.scalars(wanted.order_by(HandoverItem.id).limit(PIECE)).all()
        refusal = _may_not(actor, handover)
        if refusal:
            for item in items:
                _mark(item, _kept(item), refusal)
        elif items and items[0].state is ItemState.RETURNING:
            _return(act, handover, items)
        else:
            _give(act, handover, items)
        if len(items) < PIECE and handover.state in (HandoverState.RUNNING, HandoverState.RETURNING):
            done = handover.state is HandoverState.RUNNING
            handover.state = HandoverState.DONE if done else HandoverState.RETURNED
            handover.finished_at = now
    return len(items) == PIECE


def _hold(session: Session, handover_id: int) -> Handover:
    statement = select(Handover).where(Handover.id == handover_id).with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one()


def _may_not(actor: Actor | None, handover: Handover) -> str:
    """Why nothing more is done in this person's name."""
    if actor is None:
        return "操作人的账号已停用"
    allowed = ACTIONS[handover.kind].allowed(resource_of(Customer), actor)
    return "" if allowed else f"操作人已没有{handover.kind.label}的权限"


def _kept(item: HandoverItem) -> ItemState:
    return ItemState.REFUSED if item.state is ItemState.WAITING else ItemState.KEPT


def _mark(item: HandoverItem, state: ItemState, reason: str = "") -> None:
    item.state, item.reason = state, reason[:200] or None


def _give(act: Act, handover: Handover, items: Sequence[HandoverItem]) -> None:
    customers = _lock(act, items)
    people = {i: _successor(act, i, handover.dealer_id) for i in {item.successor_id for item in items}}
    why = holding(act, handover.kind, handover.total)
    for item in items:
        customer, successor = customers.get(item.customer_id), people[item.successor_id]
        if customer is None:
            _mark(item, ItemState.REFUSED, NotFound().message)
        elif customer.owner_id == item.successor_id:
            _mark(item, ItemState.UNCHANGED)
        elif isinstance(successor, str):
            _mark(item, ItemState.REFUSED, successor)
        elif customer.stage == Stage.INVALID:
            _mark(item, ItemState.REFUSED, "该客户已失效，不交接")
        elif customer.owner_id != handover.person_id:
            _mark(item, ItemState.REFUSED, _taken(act, customer.owner_id))
        elif why is not None and (reason := why(customer, item.successor_id)):
            _mark(item, ItemState.REFUSED, reason)
        else:
            give(act, customer, successor)
            _mark(item, ItemState.DONE)


def _lock(act: Act, items: Sequence[HandoverItem]) -> dict[int, Customer]:
    shown = resource_of(Customer)
    where = visible(shown, act.actor)
    ids = [i.customer_id for i in items]
    return {c.id: c for c in deeds.lock(act.session, shown, ids, where=where, params=act.actor.params)}


def _successor(act: Act, employee_id: int, dealer_id: int) -> Employee | str:
    try:
        found = colleague(act, employee_id, dealer_id)
        deeds.keep(act.session, found)
        return found
    except Refusal as refusal:
        return refusal.message


def _taken(act: Act, owner_id: int | None) -> str:
    owner = act.session.get(Employee, owner_id) if owner_id else None
    return f"导购已改为{owner.name if owner is not None else '空'}，未交接"


# ----- again and back


def own(session: Session, handover_id: int, actor: Actor) -> Handover:
    """A handover inside the person's scope; raises `NotFound`, `Forbidden` without the right to do the like."""
    found: Handover = find(session, resource_of(Handover), handover_id, actor)
    require_kind(actor, found.kind)
    return found


def counts(session: Session, handover_id: int) -> dict[ItemState, int]:
    """How many customers stand in which state."""
    statement = select(HandoverItem.state, func.count()).where(HandoverItem.handover_id == handover_id)
    return dict(session.execute(statement.group_by(HandoverItem.state)).tuples().all())


def items_of(session: Session, handover_id: int, states: Sequence[ItemState], most: int) -> list[Any]:
    """Customer, successor's name, state and reason of the customers that stand in these states."""
    statement = (
        select(HandoverItem.customer_id, Employee.name, HandoverItem.state, HandoverItem.reason)
        .join(Employee, Employee.id == HandoverItem.successor_id)
        .where(HandoverItem.handover_id == handover_id, HandoverItem.state.in_(states))
        .order_by(HandoverItem.id)
        .limit(most)
    )
    return list(session.execute(statement))


def retry(act: Act, handover_id: int) -> int:
    """Try those once more that were refused; returns how many. Inside a running deed."""
    own(act.session, handover_id, act.actor)
    handover = _hold(act.session, handover_id)
    if handover.state is not HandoverState.DONE:
        raise Refusal(f"{handover.kind.label}{handover.state.label}，不能重试")
    return _begin(act, handover, HandoverState.RUNNING, ItemState.REFUSED, ItemState.WAITING)


def give_back(act: Act, handover_id: int) -> int:
    """Take a handover back as far as nobody has worked on its customers since; returns how many are tried.
    An account that it closed is opened again by whoever may do so. Inside a running deed."""
    own(act.session, handover_id, act.actor)
    handover = _hold(act.session, handover_id)
    if handover.state is not HandoverState.DONE:
        raise Refusal(f"{handover.kind.label}{handover.state.label}，不能撤销")
    person = find(act.session, resource_of(Employee), handover.person_id, act.actor, lock=True)
    given = select(HandoverItem.customer_id).where(
        HandoverItem.handover_id == handover.id, HandoverItem.state == ItemState.DONE
    )
    back = dict.fromkeys(act.session.scalars(given), person.id)
    held(act, handover.kind, back, handover.total)
    if handover.kind is HandoverKind.DEPARTED and _closed_by(act.session, handover) and not person.active:
        if accounts.activate.allowed(resource_of(Employee), act.actor):
            accounts.activate.rule(person, act)
        else:
            act.warn(f"{person.name}的账号仍为停用，需要时请由系统管理员启用")
    return _begin(act, handover, HandoverState.RETURNING, ItemState.DONE, ItemState.RETURNING)


def _begin(act: Act, handover: Handover, state: HandoverState, old: ItemState, new: ItemState) -> int:
    handover.state, handover.finished_at, handover.acting_id = state, None, act.actor.id
    again = update(HandoverItem).where(HandoverItem.handover_id == handover.id, HandoverItem.state == old)
    ids = act.session.scalars(again.values(state=new, reason=None).returning(HandoverItem.id)).all()
    outbox.put(act.session, RUN, {"handover": handover.id}, now=act.now)
    return len(ids)


def _closed_by(session: Session, handover: Handover) -> bool:
    mine = AuditEntry.deed_id == handover.deed_id, AuditEntry.resource == resource_of(Employee).name
    return session.scalar(select(AuditEntry.id).where(*mine).limit(1)) is not None


def _return(act: Act, handover: Handover, items: Sequence[HandoverItem]) -> None:
    by_id = {i.customer_id: i for i in items}

    def stays(customers: Mapping[int, Any]) -> Mapping[int, str]:
        why = holding(act, handover.kind, handover.total)
        found = {i: why(c, handover.person_id) for i, c in customers.items()} if why is not None else {}
        return {i: w for i, w in found.items() if w} | _worked_on(act.session, handover, list(customers))

    shown = resource_of(Customer)
    for result in undo.restore(act, shown, handover.deed_id, list(by_id), judge=stays, to_inactive=True):
        state = ItemState.RETURNED if result.ok else ItemState.KEPT
        _mark(by_id.pop(result.id), state, "" if result.ok else result.reason)
    for item in by_id.values():
        _mark(item, ItemState.KEPT, "没有可撤销的变更")


def _worked_on(session: Session, handover: Handover, ids: Sequence[int]) -> dict[int, str]:
    """The customers that somebody has worked on since: in their own file, at what belongs to it, or by
    following them up."""
    found: dict[int, str] = {}
    shown = resource_of(Customer)
    own_entries = AuditEntry.deed_id == handover.deed_id, AuditEntry.resource == shown.name
    first = session.scalar(select(func.min(AuditEntry.id)).where(*own_entries, AuditEntry.record_id.in_(ids)))
    since = AuditEntry.id > (first or 0), AuditEntry.deed_id != handover.deed_id, AuditEntry.actor_id != 0
    for child, customer in [(shown, Customer.id), *_children()]:
        later = (
            select(customer, AuditEntry.actor_name, AuditEntry.action)
            .join(child.model, child.pk() == AuditEntry.record_id)
            .where(*since, AuditEntry.resource == child.name, customer.in_(ids))
        )
        for customer_id, who, action in session.execute(later):
            found[customer_id] = f"交接后{who}已处理（{action_label(action)}），未撤销"
    followed: ColumnElement[bool] = TrackEvent.at > handover.created_at
    tracked = select(TrackEvent.customer_id).where(
        TrackEvent.customer_id.in_(ids), followed, TrackEvent.by_id.is_not(None)
    )
    for tracked_id in session.scalars(tracked):
        found.setdefault(tracked_id or 0, "交接后已有新的跟进，未撤销")
    return found


def _children() -> list[tuple[type[Resource], Any]]:
    """The audited kinds of records that hang under a customer, with the way there."""
    roots = [(r, deeds.root_of(r)) for r in resources() if issubclass(r.model, Audited)]
    return [(r, root) for r, root in roots if root is not None and describe(root).target is Customer]
