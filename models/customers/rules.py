"""What may happen to customers: filing, editing, invalidating, giving to others."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.engine.actions import UNCHANGED, Act, Done, Invalid, Refusal, action
from app.engine.deeds import hold, keep
from app.engine.events import publish
from app.engine.fields import entry
from app.engine.lifecycle import Lifecycle
from app.engine.numbers import next_number
from models.customers import contacts, duplicates
from models.customers.absorbing import DuplicateEntry, absorb
from models.customers.persons import store_of, track
from models.customers.tables import Contact, Customer, CustomerPhone, Stage
from models.customers.track import TrackAct
from models.identity.rules import colleague
from models.identity.tables import CONSULTANTS, DESIGNERS, SALESPEOPLE, Department, Employee, Store

life = Lifecycle(
    Customer.stage,
    {
        Stage.FOLLOWING: {Stage.ORDERED, Stage.LOST, Stage.INVALID},
        Stage.ORDERED: {Stage.FOLLOWING, Stage.SERVED, Stage.LOST},
        Stage.SERVED: {Stage.FOLLOWING},
        Stage.LOST: {Stage.FOLLOWING},
        Stage.INVALID: {Stage.FOLLOWING},
    },
)


def move(customer: Customer, stage: Stage) -> None:
    """Take a customer to another stage, by the ways of `life` only; every rule that changes one goes through
    here. Raises `Refusal` where no way leads."""
    if customer.stage == stage:
        return
    step = life.to(stage)
    step.check(customer)
    if customer.stage == Stage.LOST:
        customer.lost_reason = None
    step.apply(customer)


def follow_again(customer: Customer) -> None:
    """There is a need again: a served or lost customer is followed anew (unified model)."""
    if customer.stage in (Stage.SERVED, Stage.LOST):
        move(customer, Stage.FOLLOWING)


def file_customer(
    customer: Customer, act: Act, values: dict[str, Any]
) -> Customer | Contact | DuplicateEntry:
    """File a customer (A-01); without a phone the person becomes a contact instead (A-08, A-17), and where
    the policy absorbs a known number, an entry about the customer who has it (D-23).

    Asks twice when the phone is on file already (A-02…A-06). ``values["contact"]`` names the contact a
    customer is made of; it is linked and no second contact is made.
    """
    phones = duplicates.clean_phones([customer.phone, *(values.get("phones") or ())])
    contact = contacts.open_contact(act, values.get("contact"))
    store_of(act, customer)
    if not phones:
        return contacts.keep(act, customer, contact)
    customer.phone = phones[0]
    try:
        duplicates.check(act, customer, phones)
    except duplicates.OnFile as met:
        return _absorb(act, customer, met)
    customer.stage = Stage.FOLLOWING
    customer.filer_id = act.actor.id or customer.owner_id
    customer.owner_id = customer.owner_id or act.actor.id or None
    if customer.owner_id is not None:
        owner = act.session.get(Employee, customer.owner_id)
        customer.department_id = owner.department_id if owner else None
    customer.created_at = act.now
    customer.code = customer.code or next_number(act.session, "customer", customer.dealer_id, act.now)
    act.session.add(customer)
    act.session.flush()
    track(act, customer, TrackAct.FILED)
    if contact is not None:
        contacts.join(act, contact, customer)
    publish(act, "customer.filed", customer)
    return customer


def _absorb(act: Act, customer: Customer, met: duplicates.OnFile) -> DuplicateEntry:
    known: Customer = hold(act.session, Customer, met.customer_id)
    entrance = duplicates.entrance_of(act.source)
    entry = absorb(act, [(known, met.phones[0], customer.name)], entrance)[0]
    act.warn("手机号码已建档，未重复建档；已登记并安排当日回访")
    return entry


def edit_customer(customer: Customer, act: Act, values: dict[str, Any]) -> None:
    """Check a changed phone by the duplicate policy again, and tell whoever repeats the number (A-09)."""
    changed = "phone" in values and values["phone"] != customer.phone
    if changed and not values["phone"]:
        raise Invalid({"phone": "客户的手机号码不能为空"})
    known = set(
        act.session.scalars(select(CustomerPhone.phone).where(CustomerPhone.customer_id == customer.id))
    )
    given = [values.get("phone") or customer.phone, *(values.get("phones") or ())]
    fresh = [p for p in duplicates.clean_phones(given) if p not in known]
    typed = duplicates.clean_phones([values.get("phone"), *(values.get("phones") or ())])
    duplicates.check(act, customer, fresh, except_id=customer.id, typed=typed)
    if changed:
        publish(act, "customer.phone_changed", customer, phone=values["phone"])


@action(
    "失效", on=Customer, icon="ban", tone="r", menu=True,
    confirm="确认将所选客户置为失效？失效后不再显示在默认列表中。",
    when=lambda c: c.stage != Stage.INVALID,
)  # fmt: skip
def invalidate(customer: Customer, act: Act) -> None:
    """Declare a file invalid (A-60); refused while money is held (A-61) or an order has been
    transmitted (A-62). Its open tasks close (A-63)."""
    if customer.net_received:
        raise Refusal("该客户已收款，请先将收款退回为0再操作失效")
    if customer.has_transmitted_order:
        raise Refusal("该客户已传单，不允许失效")
    life.to(Stage.INVALID).check(customer)
    move(customer, Stage.INVALID)
    publish(act, "customer.closed", customer, because=Stage.INVALID.value)


@action(
    "恢复", on=Customer, moves=life.to(Stage.FOLLOWING), icon="refresh",
    confirm="确认恢复所选客户？关闭的待办任务将一并恢复。",
    when=lambda c: c.stage in (Stage.INVALID, Stage.LOST),
)  # fmt: skip
def reopen(customer: Customer, act: Act) -> None:
    """Bring an invalid or lost customer back; the tasks closed with it come back too (A-63)."""
    if customer.stage not in (Stage.INVALID, Stage.LOST):
        raise Refusal("只有失效或战败的客户可以恢复")
    publish(act, "customer.reopened", customer, because=customer.stage.value)
    customer.lost_reason = None


def lose_customer(act: Act, customer: Customer, reason: str) -> None:
    """Mark a customer lost because all of its jobs are; the owner stays (unified model)."""
    if life.allows(customer.stage, Stage.LOST):
        move(customer, Stage.LOST)
        customer.lost_reason = reason
        publish(act, "customer.closed", customer, because=Stage.LOST.value)


def _department(act: Act, department_id: int | None) -> str:
    found = act.session.get(Department, department_id) if department_id else None
    keep(act.session, found)
    return found.name if found is not None else ""


def give(act: Act, customer: Customer, new: Employee) -> bool:
    """Make somebody the customer's consultant; False when he or she is already. What is open goes along, who
    filed it stays. The department is the new consultant's, and it is said when that is another one."""
    if customer.owner_id == new.id:
        return False
    old, customer.owner_id = customer.owner_id, new.id
    left, joined = (_department(act, d) for d in (customer.department_id, new.department_id))
    if left and left != joined:
        act.warn(f"所属部门随新导购由{left}改为{joined or '空'}")
    customer.department_id = new.department_id
    publish(act, "customer.reassigned", customer, old=old, new=new.id)
    return True


@action(
    "修改导购", on=Customer, icon="user-share", menu=True, sets=True,
    fields=(entry("owner", "导购", target=Employee, required=True, prefers=CONSULTANTS),),
)  # fmt: skip
def reassign(customer: Customer, act: Act, owner: int) -> Done | None:
    """Give customers to another consultant (A-49)."""
    new = colleague(act, owner, customer.dealer_id)
    return None if give(act, customer, new) else UNCHANGED


@action(
    "修改业务员", on=Customer, icon="user-star", sets=True,
    fields=(entry("salesperson", "业务员", target=Employee, required=True, prefers=SALESPEOPLE),),
)  # fmt: skip
def change_salesperson(customer: Customer, act: Act, salesperson: int) -> Done | None:
    """Set the channel salesperson in place of the earlier one (A-52)."""
    return _salesperson(customer, act, colleague(act, salesperson, customer.dealer_id).id)


@action(
    "删除业务员", on=Customer, icon="user-minus", sets=True,
    confirm="确认删除所选客户的业务员？客户保留，业务员不再能看到这些客户。",
    when=lambda customer: customer.salesperson_id is not None,
)  # fmt: skip
def clear_salesperson(customer: Customer, act: Act) -> Done | None:
    """Leave customers without a channel salesperson (A-53)."""
    return _salesperson(customer, act, None)


def _salesperson(customer: Customer, act: Act, new: int | None) -> Done | None:
    if customer.salesperson_id == new:
        return UNCHANGED
    old, customer.salesperson_id = customer.salesperson_id, new
    publish(act, "customer.salesperson_changed", customer, old=old, new=new)
    return None


@action(
    "修改设计师", on=Customer, icon="ruler-2", sets=True,
    fields=(entry("designer", "设计师", target=Employee, prefers=DESIGNERS, hint="留空表示取消设计师"),),
)  # fmt: skip
def change_designer(customer: Customer, act: Act, designer: int | None = None) -> Done | None:
    """Set or remove the designer, who finds the customer under 我关联的客户 (A-54, A-68); duties of the former
    one go along (A-57)."""
    new = colleague(act, designer, customer.dealer_id).id if designer else None
    if customer.designer_id == new:
        return UNCHANGED
    old, customer.designer_id = customer.designer_id, new
    publish(act, "customer.designer_changed", customer, old=old, new=new)
    return None


@action(
    "修改门店", on=Customer, icon="building-store", sets=True,
    fields=(entry("store", "所属组织（门店）", target=Store, required=True),),
)  # fmt: skip
def change_store(customer: Customer, act: Act, store: int) -> Done | None:
    """Move customers to another store of the dealer (A-55); what is still open there goes along."""
    found = act.session.get(Store, store)
    if found is None or found.dealer_id != customer.dealer_id:
        raise Refusal("只能选择本商场的门店", field="store")
    if customer.store_id == found.id:
        return UNCHANGED
    old, customer.store_id = customer.store_id, found.id
    publish(act, "customer.moved", customer, old=old, new=found.id)
    return None
