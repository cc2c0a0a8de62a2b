"""What a change of the duplicate policy comes to, said before it is saved: how many customers share a number with
another one where the policy looks, before and after, and some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Select, String, case, cast, false, func, select
from sqlalchemy.orm import Session

from app.engine.actions import Act, Answer, Question
from app.engine.fields import describe
from app.engine.guards import gate, projection
from app.engine.resource import resource_of
from app.engine.scopes import Actor, visible
from models.customers.policy import DuplicateRule, Effect, SameWithin
from models.customers.tables import Customer, CustomerPhone
from models.identity.tables import Store

SURE = "duplicates"
MOST_NUMBERS = 10_000
"""So many shared numbers are looked at; beyond it the counts are said to be at least that."""
LISTED = 10
_HEADINGS = ("客户", "门店", "手机号码")


@dataclass(frozen=True, slots=True)
class Shared:
    """How many customers share a number within their dealer, and within their store; ``bounded`` when there are
    more numbers than were looked at."""

    dealer: int
    store: int
    bounded: bool

    def of(self, within: SameWithin) -> int:
        """How many of them count where the policy looks."""
        return self.dealer if within is SameWithin.DEALER else self.store

    def words(self, within: SameWithin) -> str:
        """The same, for people."""
        return f"{self.of(within)}{'+' if self.bounded else ''}"


def judge(act: Act, old: Any, new: Any, dealer_id: int | None) -> None:
    """Ask before a policy is saved that finds other duplicates, or does something else with them; ``old`` and ``new``
    are rules, or what looks like one."""
    if SURE in act.answers or (old.within, old.effect) == (new.within, new.effect):
        return
    shared = count(act.session, dealer_id)
    if not shared.dealer:
        act.warn("目前没有客户与其他客户号码相同，查重规则只影响以后录入的号码")
        return
    before, after = shared.words(old.within), shared.words(new.within)
    moved = f"按原来的“{old.within.label}”为 {before} 位" if old.within is not new.within else "人数不变"
    found = examples(act.session, act.actor, dealer_id, new.within)
    raise Question(
        f"按“{new.within.label}”查重，有 {after} 位客户与其他客户号码相同（{moved}）",
        f"{_meaning(new.effect)}。已有客户不会改动。" + ("其中部分客户：" if found else ""),
        (Answer("确认保存", SURE, primary=True), Answer("返回修改")),
        _HEADINGS if found else (),
        tuple(row[1:] for row in found),
        tuple(row[0] for row in found),
    )


def _meaning(effect: Effect) -> str:
    return {
        Effect.INSIST: "保存后，再录入这些号码时先提示，确认后可继续建档",
        Effect.REFUSE: "保存后，再录入这些号码时一律不允许建档",
        Effect.ABSORB: "保存后，再录入这些号码时不建档，改为安排当日回访",
        Effect.WARN: "保存后，再录入这些号码时只提醒，照常建档",
    }[effect]


def _repeated(dealer_id: int | None) -> Any:
    """The numbers that more than one customer of a dealer has; a customer has each number once. Numbers that stand
    twice at all are found first, along the index of numbers; only their rows are then read."""
    number = CustomerPhone.phone
    twice = select(number).group_by(number).having(func.count() > 1).subquery()
    phones = select(CustomerPhone.dealer_id, number).join(twice, twice.c.phone == number)
    if dealer_id is not None:
        phones = phones.where(CustomerPhone.dealer_id == dealer_id)
    phones = phones.group_by(CustomerPhone.dealer_id, number).having(func.count() > 1)
    return phones.limit(MOST_NUMBERS + 1).cte("repeated")


def _rows(dealer_id: int | None) -> Any:
    """Every customer with such a number, and how many of the same store have it."""
    repeated = _repeated(dealer_id)
    same = (CustomerPhone.dealer_id == repeated.c.dealer_id) & (CustomerPhone.phone == repeated.c.phone)
    return (
        select(
            CustomerPhone.customer_id,
            CustomerPhone.dealer_id,
            CustomerPhone.phone,
            func.count().over(partition_by=(CustomerPhone.phone, Customer.store_id)).label("here"),
        )
        .join(repeated, same)
        .join(Customer, Customer.id == CustomerPhone.customer_id)
        .cte("sharing")
    )


def count(session: Session, dealer_id: int | None) -> Shared:
    """How many customers of the dealer (of all dealers, without one) share a number, in one statement."""
    rows = _rows(dealer_id)
    numbers = func.count((cast(rows.c.phone, String) + "/" + cast(rows.c.dealer_id, String)).distinct())
    in_store = case((rows.c.here > 1, rows.c.customer_id))
    asked = select(
        func.count(rows.c.customer_id.distinct()), func.count(in_store.distinct()), numbers
    ).select_from(rows)
    in_dealer, in_stores, known = session.execute(asked).one()
    return Shared(in_dealer, in_stores, known > MOST_NUMBERS)


def examples(
    session: Session, actor: Actor, dealer_id: int | None, within: SameWithin
) -> Sequence[tuple[str, str, str, str]]:
    """Some of them as far as the person may see them, those with the same number side by side: address, name,
    store and number."""
    resource = resource_of(Customer)
    spec = describe(Customer.phone)
    seen = visible(resource, actor) if actor.can("can_list", resource.view_name()) else false()
    rows = _rows(dealer_id)
    number = projection(spec, actor, rows.c.phone)
    statement: Select[Any] = (
        select(Customer.id, Customer.name, Store.name, *(() if number is None else (number,)))
        .join(rows, rows.c.customer_id == Customer.id)
        .join(Store, Store.id == Customer.store_id)
        .where(seen)
        .order_by(rows.c.phone, Customer.id)
        .limit(LISTED)
    )
    if within is SameWithin.STORE:
        statement = statement.where(rows.c.here > 1)
    return [
        (
            f"/{resource.name}/{pk}",
            name,
            store,
            str(gate(spec, (*shown, None)[0], actor, projected=True) or ""),
        )
        for pk, name, store, *shown in session.execute(statement, actor.params)
    ]


def held(session: Session, rule: Any) -> Any:
    """The rule that holds without a dealer's own one: the group's, else the default."""
    group = (DuplicateRule.entrance == rule.entrance, DuplicateRule.dealer_id.is_(None))
    with session.no_autoflush:
        found = session.scalar(select(DuplicateRule).where(*group))
    return found or SimpleNamespace(within=SameWithin.DEALER, effect=Effect.INSIST)
