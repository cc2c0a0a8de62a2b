"""What may happen to contacts: linking to a customer, undoing it, becoming one (A-08, A-15…A-19)."""

from __future__ import annotations

from typing import Any

from app.engine.actions import Act, Done, Refusal, action
from app.engine.deeds import hold
from app.engine.events import publish
from app.engine.fields import entry
from app.engine.numbers import next_number
from models.customers import queries
from models.customers.persons import move_track, store_of
from models.customers.tables import Contact, ContactSource, ContactState, Customer

ALREADY_LINKED = "该潜客已关联客户"
_TAKEN_OVER = ("name", "gender", "community", "address", "remark")


def file_contact(contact: Contact, act: Act, values: dict[str, Any]) -> Contact:
    """File a person without a phone by hand (source 1 of A-11)."""
    return register(act, contact, ContactSource.SELF_FILED)


def register(act: Act, contact: Contact, source: ContactSource) -> Contact:
    """Number and place a new contact, owned by its employee or else by the actor."""
    store_of(act, contact)
    contact.source = source
    contact.state = ContactState.OPEN
    contact.employee_id = contact.employee_id or act.actor.id or None
    contact.created_at = act.now
    contact.code = contact.code or next_number(act.session, "contact", contact.dealer_id, act.now)
    act.session.add(contact)
    act.session.flush()
    publish(act, "contact.filed", contact)
    return contact


def keep(act: Act, form: Customer, contact: Contact | None) -> Contact:
    """What a customer form without a phone leads to: the contact it began with, or a new one (A-08, A-17)."""
    known = {name: getattr(form, name) for name in _TAKEN_OVER if getattr(form, name)}
    if contact is None:
        contact = Contact(store_id=form.store_id, employee_id=form.owner_id, **known)
        return register(act, contact, ContactSource.SELF_FILED)
    for name, value in known.items():
        setattr(contact, name, value)
    return contact


def open_contact(act: Act, contact_id: int | None) -> Contact | None:
    """The contact a file is made of, locked; refuses one that has a customer already (A-19)."""
    if not contact_id:
        return None
    contact: Contact | None = hold(act.session, Contact, contact_id)
    if contact is None or act.actor.dealer_id not in (None, contact.dealer_id):
        raise Refusal("潜客不存在或无权限查看", field="contact")
    if contact.customer_id is not None:
        raise Refusal(ALREADY_LINKED, field="contact")
    return contact


def prefill(contact: Contact) -> dict[str, Any]:
    """What the new-file form takes over from a contact (A-16)."""
    return {"contact": contact.id, **{name: getattr(contact, name) for name in _TAKEN_OVER}}


def join(act: Act, contact: Contact, customer: Customer) -> None:
    """Attach the contact to the customer; its track and score join (A-47)."""
    contact.customer_id = customer.id
    contact.linked_at = act.now
    contact.state = ContactState.LINKED
    move_track(act, contact, customer, join=True)
    publish(act, "contact.linked", contact, customer=customer)


def part(act: Act, contact: Contact, customer: Customer) -> None:
    """Undo `join`; the customer keeps its file (A-18, A-19)."""
    contact.customer_id = None
    contact.linked_at = None
    contact.state = ContactState.OPEN
    move_track(act, contact, customer, join=False)
    publish(act, "contact.parted", contact, customer=customer)


@action(
    "关联客户", on=Contact, icon="link", batch=False, primary=True,
    fields=(entry("customer", "选择客户", target=Customer, required=True, hint="姓名、服务号或完整手机号"),),
    links=(("新增", "/customers/new?contact={id}"),), when=lambda contact: contact.customer_id is None,
    leads_to="/contacts/{id}", undone_by="unlink",
)  # fmt: skip
def link_contact(contact: Contact, act: Act, customer: int) -> Done:
    """Attach a contact to an existing customer (A-15); a second link is refused (A-19). The contact leaves
    its list by this, so its page is shown."""
    if contact.customer_id is not None:
        raise Refusal(ALREADY_LINKED)
    found = act.session.get(Customer, customer)
    if found is None or found.dealer_id != contact.dealer_id:
        raise Refusal("只能关联本商场的客户", field="customer")
    join(act, contact, found)
    return Done(f"已关联客户{found.name}", (("查看客户", f"/customers/{found.id}"),))


@action(
    "解除潜客关系", on=Customer, icon="unlink",
    confirm="确认解除所选客户的潜客关系？潜客将回到潜客列表，客户保留。",
    when=lambda customer: bool(customer.contact_count),
)  # fmt: skip
def unlink_contacts(customer: Customer, act: Act) -> str:
    """Send a customer's linked contacts back to the contact list (A-18)."""
    linked = act.session.scalars(queries.linked_contacts(customer.id)).all()
    if not linked:
        raise Refusal("该客户没有关联的潜客")
    for contact in linked:
        part(act, contact, customer)
    return f"已解除{len(linked)}位潜客"


@action(
    "解除关联", on=Contact, icon="unlink", confirm="确认解除该潜客与客户的关联？",
    when=lambda contact: contact.customer_id is not None,
)  # fmt: skip
def unlink(contact: Contact, act: Act) -> None:
    """Undo one wrong link and leave the customer's other ones (A-18)."""
    if contact.customer_id is None:
        raise Refusal("该潜客没有关联客户")
    part(act, contact, act.session.get_one(Customer, contact.customer_id))
