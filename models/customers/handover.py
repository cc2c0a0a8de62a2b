"""Handing a person's customers over: who may, which ones, to whom, and what each successor then holds
(A-49…A-51, A-57). `handover_run.py` carries out what is submitted here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, exists, func, insert, select
from sqlalchemy.orm import Session

from app.engine import approving, once, outbox
from app.engine.actions import UNCHANGED, Act, Action, Done, Refusal, action
from app.engine.database import pieces
from app.engine.fields import describe, entry
from app.engine.perform import find, require_action
from app.engine.picking import BETWEEN, best_first
from app.engine.resource import resource_of
from app.engine.scopes import Actor, visible
from models.customers.handover_tables import Handover, HandoverItem, HandoverKind
from models.customers.rules import give, reassign
from models.customers.tables import Contact, Customer, Stage
from models.identity import accounts
from models.identity.rules import colleague
from models.identity.tables import CONSULTANTS, Employee, Position, Store

PAGE = "/customers/handover"
MOST = 20_000
"""So many customers go in one handover."""
MOST_SUCCESSORS = 60
_AT_ONCE = 5000  # customers whose burdens are counted by one statement
RUN = "handovers.run"
_SUCCESSOR = entry("owner", "接手人", target=Employee, required=True, prefers=CONSULTANTS)


@action(
    "离职继承", on=Customer, icon="user-x", single=False, sets=True, fields=(_SUCCESSOR,),
    page=f"{PAGE}/{HandoverKind.DEPARTED.value}", waits_as=reassign,
)  # fmt: skip
def hand_over_departed(customer: Customer, act: Act, owner: int) -> Done | None:
    """Give customers of somebody who has left to a successor (A-49); whoever still works here is refused."""
    former = act.session.get(Employee, customer.owner_id) if customer.owner_id else None
    if former is None:
        raise Refusal("该客户没有导购，请使用修改导购")
    if former.active and former.id != owner:
        raise Refusal(f"{former.name}仍在职，请使用在职继承")
    return _give(customer, act, owner)


@action(
    "在职继承", on=Customer, icon="user-share", single=False, sets=True, fields=(_SUCCESSOR,),
    page=f"{PAGE}/{HandoverKind.STAYING.value}", waits_as=reassign,
)  # fmt: skip
def hand_over(customer: Customer, act: Act, owner: int) -> Done | None:
    """Give customers of somebody who goes on working here to a successor (A-49)."""
    return _give(customer, act, owner)


def _give(customer: Customer, act: Act, owner: int) -> Done | None:
    if customer.stage == Stage.INVALID:
        raise Refusal("该客户已失效，不交接")
    return None if give(act, customer, colleague(act, owner, customer.dealer_id)) else UNCHANGED


ACTIONS: Mapping[HandoverKind, Action] = {
    HandoverKind.DEPARTED: hand_over_departed,
    HandoverKind.STAYING: hand_over,
}


def kinds(actor: Actor) -> list[HandoverKind]:
    """The ways of handing over that this person may use."""
    shown = resource_of(Customer)
    return [kind for kind, action in ACTIONS.items() if action.allowed(shown, actor)]


def require_kind(actor: Actor, kind: HandoverKind) -> None:
    """Raise `Forbidden` unless the person may hand over in that way."""
    require_action(actor, ACTIONS[kind], resource_of(Customer))


# ----- what is given


def _open(actor: Actor) -> tuple[Any, ...]:
    return Customer.stage != Stage.INVALID, visible(resource_of(Customer), actor)


def givers(session: Session, actor: Actor) -> list[tuple[int, str, bool]]:
    """The people whose customers this person could hand over: id, name, whether still active."""
    holding = exists().where(Customer.owner_id == Employee.id, *_open(actor)).correlate(Employee)
    statement = (
        select(Employee.id, Employee.name, Employee.active)
        .where(visible(resource_of(Employee), actor), holding)
        .order_by(Employee.active, Employee.name, Employee.id)
        .limit(2000)
    )
    return [(r.id, r.name, bool(r.active)) for r in session.execute(statement, actor.params)]


def owners(session: Session, actor: Actor, ids: Sequence[int]) -> Counter[int]:
    """How many of these customers each consultant has."""
    statement = select(Customer.owner_id).where(Customer.id.in_(ids), *_open(actor))
    return Counter(i for i in session.scalars(statement, actor.params) if i)


def theirs(session: Session, actor: Actor, person_id: int, ids: Sequence[int] | None = None) -> list[int]:
    """The person's customers that are not invalid (一键处理, A-50), or those of them among ``ids``; within
    the scope of whoever hands them over. Raises `Refusal` for more than `MOST`."""
    statement = select(Customer.id).where(Customer.owner_id == person_id, *_open(actor))
    if ids is not None:
        statement = statement.where(Customer.id.in_(ids))
    found = list(session.scalars(statement.order_by(Customer.id).limit(MOST + 1), actor.params))
    if len(found) > MOST:
        raise Refusal(f"一次最多交接{MOST}位客户，请分批处理")
    return found


# ----- to whom


def successors(
    session: Session, actor: Actor, person: Employee, words: str, kept: Sequence[int]
) -> list[Employee]:
    """Whom the customers can be given to: active colleagues of the person, those of the same store and with
    a fitting position first; the ones chosen already always among them."""
    wanted = select(Employee).where(
        visible(resource_of(Employee), actor),
        Employee.dealer_id == person.dealer_id,
        Employee.active.is_(True),
        Employee.departed_at.is_(None),
        Employee.id != person.id,
    )
    first = list(session.scalars(wanted.where(Employee.id.in_(kept)).order_by(Employee.name), actor.params))
    if words:
        wanted = wanted.where(Employee.name.contains(words, autoescape=True))
    order = (
        (Employee.store_id == person.store_id).desc(),
        *best_first(describe(Customer.owner_id), actor),
        Employee.name,
        Employee.id,
    )
    rest = session.scalars(wanted.order_by(*order).limit(MOST_SUCCESSORS), actor.params)
    return first + [e for e in rest if e.id not in set(kept)]


def places(session: Session, people: Sequence[int]) -> dict[int, str]:
    """What each of these people does and where, to tell namesakes apart."""
    statement = (
        select(Employee.id, Position.name, Store.name)
        .outerjoin(Position, Position.id == Employee.position_id)
        .outerjoin(Store, Store.id == Employee.store_id)
        .where(Employee.id.in_(people))
    )
    return {r[0]: BETWEEN.join(w for w in r[1:] if w) for r in session.execute(statement)}


def spread(ids: Sequence[int], people: Sequence[int], counts: Mapping[int, int]) -> dict[int, int]:
    """Which customer goes to whom: by the counts given, and what they leave over evenly among the others.
    Raises `Refusal` where that does not come out even."""
    if not people:
        raise Refusal("请选择接手人")
    given = {p: counts[p] for p in people if p in counts}
    left = len(ids) - sum(given.values())
    others = [p for p in people if p not in given]
    if left < 0:
        raise Refusal(f"分配数量共{sum(given.values())}位，超过了要交接的{len(ids)}位客户")
    if left and not others:
        raise Refusal(f"还有{left}位客户没有分配，请调整数量或留空由系统平均分配")
    for n, person in enumerate(others):
        given[person] = left // len(others) + (n < left % len(others))
    order = [p for p in people for _ in range(given[p])]
    return dict(zip(ids, order, strict=True))


# ----- what is left out


def holding(act: Act, kind: HandoverKind, count: int) -> Callable[[Customer, int], str] | None:
    """Says why a customer cannot be given to a person without somebody's word, in a handover of so many; None where
    no rule is about it. Nobody is asked for each customer of a handover: those go the way of the single ones."""
    asking = approving.ruling(act, resource_of(Customer), ACTIONS[kind].name)
    if not asking:
        return None
    return lambda customer, owner: asking.why_not(act, customer, {_SUCCESSOR.name: owner}, count)


def held(act: Act, kind: HandoverKind, given: Mapping[int, int], count: int) -> dict[int, str]:
    """Of customers, with whom they are to go to, those that stay because they need approval, and why. Raises
    `Refusal` where all of them do; asks nothing where no rule is about it."""
    why = holding(act, kind, count)
    found: dict[int, str] = {}
    for some in pieces(list(given), _AT_ONCE) if why is not None else ():
        wanted = select(Customer).where(Customer.id.in_(some), visible(resource_of(Customer), act.actor))
        for customer in act.session.scalars(wanted, act.actor.params):
            found[customer.id] = why(customer, given[customer.id]) if why is not None else ""
    found = {i: found[i] for i in given if found.get(i)}
    if found and len(found) == len(given):
        raise Refusal(f"这些客户都{next(iter(found.values()))}")
    return found


# ----- the balance


@dataclass(frozen=True)
class Burden:
    """Something people have to do because of their customers. ``held(people)`` selects person and amount,
    ``along(customers, person)`` customer and how much goes along from that person."""

    label: str
    held: Callable[[Sequence[int]], Select[Any, Any]]
    along: Callable[[Sequence[int], int], Select[Any, Any]]


def _customers_held(people: Sequence[int]) -> Select[Any, Any]:
    return (
        select(Customer.owner_id, func.count())
        .where(Customer.owner_id.in_(people), Customer.stage != Stage.INVALID)
        .group_by(Customer.owner_id)
    )


def _contacts_held(people: Sequence[int]) -> Select[Any, Any]:
    mine = Contact.employee_id.in_(people), Contact.customer_id.is_not(None)
    return select(Contact.employee_id, func.count()).where(*mine).group_by(Contact.employee_id)


def _contacts_along(customers: Sequence[int], person: int) -> Select[Any, Any]:
    mine = Contact.customer_id.in_(customers), Contact.employee_id == person
    return select(Contact.customer_id, func.count()).where(*mine).group_by(Contact.customer_id)


_burdens = [
    Burden("客户", _customers_held, lambda ids, _person: select(Customer.id, func.count()).where(
        Customer.id.in_(ids)).group_by(Customer.id)),
    Burden("关联潜客", _contacts_held, _contacts_along),
]  # fmt: skip


def provide_burden(burden: Burden) -> None:
    """Count something of an upper domain in the balance; once, at its import."""
    if burden.label not in {b.label for b in _burdens}:
        _burdens.append(burden)


@dataclass
class Balance:
    """What one successor holds before and after, by the labels of the burdens."""

    person_id: int
    before: dict[str, int]
    gain: dict[str, int] = field(default_factory=dict)

    def after(self, label: str) -> int:
        """What he or she holds afterwards."""
        return self.before[label] + self.gain.get(label, 0)


def labels() -> list[str]:
    """What is counted, in order."""
    return [b.label for b in _burdens]


def balances(
    session: Session, people: Sequence[int], person_id: int, given: Mapping[int, int]
) -> list[Balance]:
    """What each of these people holds, and what would come with the customers ``given`` to them; one or two
    statements for each kind of burden and every few thousand customers."""
    found = {p: Balance(p, dict.fromkeys(labels(), 0)) for p in people}
    for burden in _burdens:
        for owner, amount in session.execute(burden.held(list(people))):
            found[owner].before[burden.label] = amount
        for some in pieces(list(given), _AT_ONCE):
            for customer, amount in session.execute(burden.along(some, person_id)):
                gain = found[given[customer]].gain
                gain[burden.label] = gain.get(burden.label, 0) + amount
    return list(found.values())


# ----- the deed


def giver(session: Session, actor: Actor, person_id: int) -> Employee:
    """The person handing over, among those whom the actor sees; raises `NotFound`."""
    found: Employee = find(session, resource_of(Employee), person_id, actor)
    return found


def lock_out_refusal(actor: Actor, person: Employee) -> str:
    """Why this actor cannot hand over for somebody who leaves; empty where he or she can."""
    if not person.active:
        return ""
    if person.id == actor.id:
        return "不能为自己办理离职继承，请由其他管理员操作"
    if not accounts.deactivate.allowed(resource_of(Employee), actor):
        return f"离职继承会停用{person.name}的账号，您没有停用账号的权限，请由系统管理员操作或使用在职继承"
    return ""


def submit(
    act: Act, kind: HandoverKind, person_id: int, given: Mapping[int, int], token: str = ""
) -> Handover:
    """Put a handover down: its customers with their successors, to be carried out piece by piece. The account
    of somebody who leaves is closed at once (A-57). Inside a running deed; raises `Refusal`."""
    session, actor = act.session, act.actor
    require_kind(actor, kind)
    person = find(session, resource_of(Employee), person_id, actor, lock=True)
    if person.dealer_id is None or not given:
        raise Refusal("请选择要交接的客户")
    for successor in sorted(set(given.values())):
        if colleague(act, successor, person.dealer_id).id == person.id:
            raise Refusal("接手人不能是交接人本人")
    if kind is HandoverKind.DEPARTED and person.active:
        refusal = lock_out_refusal(actor, person)
        if refusal:
            raise Refusal(refusal)
        accounts.deactivate.rule(person, act)
    held(act, kind, given, len(given))
    handover = Handover(
        kind=kind, person_id=person.id, by_id=actor.id, acting_id=actor.id, dealer_id=person.dealer_id, total=len(given),
        title=f"{person.name}的{len(given)}位客户", created_at=act.now, deed_id=act.deed_id,
    )  # fmt: skip
    session.add(handover)
    session.flush()
    rows = [{"handover_id": handover.id, "customer_id": c, "successor_id": s} for c, s in given.items()]
    session.execute(insert(HandoverItem), rows)
    outbox.put(session, RUN, {"handover": handover.id}, now=act.now)
    once.remember(session, token, actor.id, f"/handovers/{handover.id}")
    return handover
