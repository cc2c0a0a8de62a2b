"""Who hears of what happens to people: files and contacts that came in, customers in other hands (A-38, A-56)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.actions import Act
from app.engine.events import subscribe
from models.customers.tables import Contact, ContactSource, Customer, CustomerHelper
from models.identity.tables import Employee, Store
from models.notifications.rules import ITEMS
from models.notifications.sentences import NOTHING, Sentence, Value, say, sentence
from models.notifications.topics import CUSTOMER, LEAD


def concerned(session: Session, customer: Customer) -> list[int | None]:
    """Everybody who works on a customer: consultant, designer, salesperson and helpers."""
    helpers = select(CustomerHelper.user_id).where(CustomerHelper.customer_id == customer.id)
    with session.no_autoflush:
        beside = session.scalars(helpers.order_by(CustomerHelper.user_id)).all()
    return [customer.owner_id, customer.designer_id, customer.salesperson_id, *beside]


def label(customer: Customer) -> str:
    """A customer in a list of several."""
    return f"{customer.name} {customer.code}"


_WHO = {"操作人": "店长"}
_CUSTOMER = {"客户": "张女士"}
FILED = sentence(
    "customer.filed", CUSTOMER, "新建档的客户，告知相关人员",
    "{{操作人}}建档了客户{{客户}}，请跟进", "{{操作人}}建档了{{数量}}位客户，请跟进",
    _WHO, _CUSTOMER, "customers",
)  # fmt: skip
IMPORTED = sentence(
    "customer.imported", CUSTOMER, "导入的客户，告知导购",
    "{{操作人}}导入了客户{{客户}}，请跟进", "{{操作人}}导入了{{数量}}位客户，请跟进", _WHO, _CUSTOMER,
)  # fmt: skip
GIVEN = sentence(
    "customer.given", CUSTOMER, "客户转入，告知新的跟进人",
    "{{操作人}}将客户{{客户}}交给您", "{{操作人}}将{{数量}}位客户交给您", _WHO, _CUSTOMER, "customers",
)  # fmt: skip
TAKEN = sentence(
    "customer.taken", CUSTOMER, "客户转出，告知原跟进人",
    "{{操作人}}将您的客户{{客户}}转给了{{接手人}}", "{{操作人}}将您的{{数量}}位客户转给了{{接手人}}",
    {**_WHO, "接手人": "另一位导购"}, _CUSTOMER, "customers",
)  # fmt: skip
DUTY_GIVEN = sentence(
    "customer.duty_given", CUSTOMER, "担任设计师或业务员，告知本人",
    "{{操作人}}请您担任客户{{客户}}的{{职责}}", "{{操作人}}请您担任{{数量}}位客户的{{职责}}",
    {**_WHO, "职责": "设计师"}, _CUSTOMER, "customers",
)  # fmt: skip
DUTY_TAKEN = sentence(
    "customer.duty_taken", CUSTOMER, "不再担任设计师或业务员，告知本人",
    "{{操作人}}将客户{{客户}}的{{职责}}{{变化}}", "{{操作人}}将您的{{数量}}位客户的{{职责}}{{变化}}",
    {**_WHO, "职责": "设计师", "变化": "改为另一位设计师"}, _CUSTOMER, "customers",
)  # fmt: skip
MOVED = sentence(
    "customer.moved", CUSTOMER, "客户转店，告知相关人员",
    "{{操作人}}将客户{{客户}}转到了{{门店}}", "{{操作人}}将{{数量}}位客户转到了{{门店}}",
    {**_WHO, "门店": "滨江店"}, _CUSTOMER, "customers",
)  # fmt: skip
ONLINE = sentence(
    "contact.filed", LEAD, "新的线上引流，告知关联的员工",
    "新的线上引流：{{潜客}}（{{来源}}）", "新的线上引流{{数量}}位（{{来源}}）",
    {"来源": "企微好友"}, {"潜客": "李先生"}, "contacts",
)  # fmt: skip


def say_of(
    act: Act, customer: Customer, users: list[int | None], said: Sentence, more: Mapping[str, Value] = NOTHING
) -> None:
    """Tell these people something about a customer, which the message opens."""
    values = {"操作人": act.actor.name, "客户": customer.name, **more}
    say(
        act, users, said, values, record=customer, label=label(customer), dealer_id=customer.dealer_id,
    )  # fmt: skip


def _name(act: Act, employee_id: int | None) -> str:
    found = act.session.get(Employee, employee_id) if employee_id else None
    return found.name if found is not None else ""


@subscribe("customer.filed")
def _filed(act: Act, customer: Customer) -> None:
    say_of(act, customer, concerned(act.session, customer), FILED)


@dataclass(frozen=True, slots=True)
class _Filed:
    """One of many customers that were filed by sets, as a message refers to it."""

    id: int
    __tablename__: ClassVar[str] = Customer.__tablename__


_FEW = 500
"""A larger file lists only the first of a consultant's customers in each of its pieces."""
_FEW_LISTED = 3


@subscribe("customers.filed")
def _filed_many(act: Act, rows: Sequence[tuple[int, str, str, int | None]], dealer_id: int) -> None:
    """A file's customers (id, number, name, consultant): one message for each consultant."""
    by_owner: defaultdict[int | None, list[tuple[int, str, str, int | None]]] = defaultdict(list)
    for row in rows:
        by_owner[row[3]].append(row)
    who = act.actor.name
    for owner, mine in by_owner.items():
        listed = mine[: ITEMS if len(rows) <= _FEW else _FEW_LISTED]
        for n, (pk, code, name, _) in enumerate(listed, 1):
            say(
                act, [owner], IMPORTED, {"操作人": who, "客户": name}, record=_Filed(pk), label=f"{name} {code}",
                dealer_id=dealer_id, amount=1 + (len(mine) - len(listed) if n == len(listed) else 0),
            )  # fmt: skip


@subscribe("customer.reassigned")
def _reassigned(act: Act, customer: Customer, old: int | None, new: int | None) -> None:
    """Both are told at once; many customers of one deed are one message."""
    if old == new:
        return
    say_of(act, customer, [new], GIVEN)
    say_of(act, customer, [old], TAKEN, {"接手人": _name(act, new) or "公司"})


@subscribe("customer.designer_changed")
def _designer(act: Act, customer: Customer, old: int | None, new: int | None) -> None:
    _changed(act, customer, "设计师", old, new)


@subscribe("customer.salesperson_changed")
def _salesperson(act: Act, customer: Customer, old: int | None, new: int | None) -> None:
    _changed(act, customer, "业务员", old, new)


def _changed(act: Act, customer: Customer, duty: str, old: int | None, new: int | None) -> None:
    to = _name(act, new)
    say_of(act, customer, [new], DUTY_GIVEN, {"职责": duty})
    say_of(act, customer, [old], DUTY_TAKEN, {"职责": duty, "变化": f"改为{to}" if to else "取消"})


@subscribe("customer.moved")
def _moved(act: Act, customer: Customer, old: int | None, new: int) -> None:
    """Whoever works on a customer hears that another store has it now (A-56)."""
    store = act.session.get(Store, new)
    say_of(
        act, customer, concerned(act.session, customer), MOVED,
        {"门店": store.name if store is not None else ""},
    )  # fmt: skip


@subscribe("customers.restored")
def _restored(act: Act, customer: Customer, changes: Mapping[str, tuple[Any, Any]]) -> None:
    """What is taken back goes to other hands as well (A-56)."""
    for name, told in _OF_COLUMNS.items():
        if name in changes:
            told(act, customer, *changes[name])


_OF_COLUMNS: Mapping[str, Callable[..., None]] = {
    "owner_id": _reassigned, "designer_id": _designer, "salesperson_id": _salesperson, "store_id": _moved,
}  # fmt: skip


@subscribe("contact.filed")
def _lead(act: Act, contact: Contact) -> None:
    """Somebody came in from outside by himself: an online lead of the employee it is linked to."""
    if contact.source == ContactSource.SELF_FILED:
        return
    say(
        act, [contact.employee_id], ONLINE, {"潜客": contact.name, "来源": contact.source.label},
        record=contact, label=f"{contact.name} {contact.code}", dealer_id=contact.dealer_id,
    )  # fmt: skip
