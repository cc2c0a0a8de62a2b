"""The screens of contacts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import Session

from app.engine.resource import Badge, Between, Breakdown, Group, Menu, Resource, Trend, View
from app.engine.scopes import Actor, Scope, Scopes
from models.customers import contacts, importing
from models.customers.tables import CONTACT_TAGS, Contact, ContactState
from models.customers.tags import tag_contact


def _prefill(args: Any, actor: Actor, session: Session) -> dict[str, Any]:
    """The person's own store and name."""
    return {"store_id": actor.store_id, "employee_id": actor.id or None}


def _not_followed(_now: datetime) -> ColumnElement[bool]:
    """Contacts nobody has followed up yet."""
    return and_(Contact.state == ContactState.OPEN, Contact.followed.is_(False))


class Contacts(Resource, model=Contact):
    """潜客: people without a filed phone (A-11…A-19)."""

    label = "潜客"
    unit = "位潜客"
    icon = "address-book"
    menu = Menu(
        "获客", label="潜客列表", icon="address-book", order=120,
        badge=Badge("waiting"),
    )  # fmt: skip
    quick = quick_search = True
    create_label = "新增潜客"
    root = Contact.customer_id
    scopes = Scopes(mine=Contact.employee_id, store=Contact.store_id, dealer=Contact.dealer_id)
    scope_labels = {Scope.MINE: "我的潜客", Scope.STORE: "本店潜客", Scope.DEALER: "全部潜客"}
    title = Contact.name
    code = Contact.code
    columns = (
        Contact.code,
        Contact.name,
        CONTACT_TAGS,
        Contact.source,
        Contact.employee_id,
        Contact.last_follow_up_text,
        Contact.next_follow_up_at,
        Contact.activity_score,
        Contact.created_at,
    )
    more_columns = (
        Contact.state,
        Contact.customer_id,
        Contact.store_id,
        Contact.source_note,
        Contact.community,
        Contact.followed,
        Contact.last_follow_up_at,
    )
    filters = (
        Contact.source,
        CONTACT_TAGS,
        Contact.employee_id,
        Contact.followed,
        Contact.state,
        Contact.store_id,
        Between(Contact.created_at),
        Between(Contact.next_follow_up_at),
    )
    leaves_out = ((Contact.state, (ContactState.LINKED,)),)
    search = (Contact.name,)
    exact = (Contact.code,)
    search_hint = "姓名、潜客编号"
    sorts = (Contact.created_at, Contact.next_follow_up_at, Contact.activity_score)
    views = (View("waiting", "未跟进", _not_followed, hot=True),)
    badges = (Contact.state, Contact.source)
    subtitle = (Contact.employee_id, Contact.store_id, Contact.created_at)
    facts = (Contact.source, Contact.last_follow_up_text, Contact.next_follow_up_at)
    tags = CONTACT_TAGS
    timeline = True
    detail = (
        Group(
            "基本信息",
            Contact.name,
            Contact.gender,
            Contact.source,
            Contact.source_note,
            Contact.community,
            Contact.address,
            Contact.remark,
        ),
        Group(
            "跟进",
            Contact.followed,
            Contact.activity_score,
            Contact.last_follow_up_at,
            Contact.last_follow_up_text,
            Contact.next_follow_up_at,
        ),
        Group(
            "归属",
            Contact.employee_id,
            Contact.store_id,
            Contact.customer_id,
            Contact.linked_at,
            Contact.created_at,
        ),
    )
    form = (
        Group(
            "潜客",
            Contact.name,
            Contact.gender,
            Contact.source_note,
            Contact.community,
            Contact.address,
            Contact.remark,
        ),
        Group("归属", Contact.store_id, Contact.employee_id),
    )
    edit_form = (form[0],)
    create = staticmethod(contacts.file_contact)
    prefill = staticmethod(_prefill)
    actions = (contacts.link_contact, tag_contact, contacts.unlink)
    charts = (
        Trend("created", "新增潜客", at=Contact.created_at),
        Breakdown("source", "潜客来源", by=Contact.source, style="pie"),
        Breakdown("employee", "归属员工", by=Contact.employee_id),
    )
    template = importing.CONTACTS
    pick_where = staticmethod(lambda actor: Contact.customer_id.is_(None))
    pick_note = (Contact.code,)
