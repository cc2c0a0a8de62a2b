"""The screens of customers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, literal_column, select
from sqlalchemy.orm import Session

from app.engine.database import id_of
from app.engine.fields import entry
from app.engine.localtime import local, local_day
from app.engine.resource import (
    Between,
    Breakdown,
    Funnel,
    Group,
    Menu,
    Number,
    Pivot,
    Ranking,
    Related,
    Resource,
    Trend,
    View,
    Window,
    resource_of,
)
from app.engine.scopes import Actor, Scope, Scopes, visible
from models.customers import contacts, duplicates, handover, importing, rules
from models.customers.friends import FriendRelation
from models.customers.tables import (
    CUSTOMER_TAGS,
    HELPERS,
    INTERESTS,
    PHONES,
    TAILS,
    Contact,
    Customer,
    Stage,
)
from models.customers.tags import tag_customer

WINDOW_HINT = "默认仅显示180天内创建的数据，可展开高级搜索调整创建时间"


def today(now: datetime) -> datetime:
    """The stored time at which today began in China."""
    return local_day(local(now).date())


def tomorrow(now: datetime) -> datetime:
    """The stored time at which tomorrow begins in China."""
    return local_day(local(now).date() + timedelta(days=1))


def _due_today(now: datetime) -> ColumnElement[bool]:
    return and_(
        Customer.stage == Stage.FOLLOWING,
        Customer.next_follow_up_at >= today(now),
        Customer.next_follow_up_at < tomorrow(now),
    )


def _urgent(now: datetime) -> ColumnElement[bool]:
    """Overdue customers, longest first."""
    return and_(Customer.stage == Stage.FOLLOWING, Customer.next_follow_up_at < now)


def _prefill(args: Any, actor: Actor, session: Session) -> dict[str, Any]:
    """The person's own store; ``?contact=ID`` takes over what is known of a contact (A-16)."""
    own = {"store_id": actor.store_id, "owner_id": actor.id or None}
    statement = select(Contact).where(
        Contact.id == id_of(args.get("contact")),
        Contact.customer_id.is_(None),
        visible(resource_of(Contact), actor),
    )
    contact = session.scalars(statement, actor.params).first()
    return own | (contacts.prefill(contact) if contact is not None else {})


class Customers(Resource, model=Customer):
    """客户: the files of one dealer (A-01, A-64, A-67…A-70)."""

    label = "客户"
    unit = "位客户"
    icon = "users"
    menu = Menu("经营", icon="users", order=200)
    quick = quick_search = True
    create_label = "新增服务号"
    scopes = Scopes(
        mine=Customer.filer_id,
        owned=Customer.owner_id,
        related=(Customer.owner_id, Customer.designer_id, Customer.salesperson_id, HELPERS),
        department=Customer.department_id,
        store=Customer.store_id,
        dealer=Customer.dealer_id,
    )
    scope_tabs = (
        Scope.MINE,
        Scope.RELATED,
        Scope.STORE,
        Scope.DEALER,
        Scope.OWNED,
        Scope.DEPARTMENT,
        Scope.GROUP,
    )
    scope_labels = {
        Scope.MINE: "我的客户",
        Scope.OWNED: "我跟进的客户",
        Scope.RELATED: "我关联的客户",
        Scope.DEPARTMENT: "本部门客户",
        Scope.STORE: "本店客户",
        Scope.DEALER: "全部客户",
    }
    title = Customer.name
    code = Customer.code
    columns = (
        Customer.code,
        Customer.name,
        CUSTOMER_TAGS,
        Customer.phone,
        Customer.level,
        Customer.stage,
        Customer.owner_id,
        Customer.last_follow_up_text,
        Customer.next_follow_up_at,
        Customer.store_id,
    )
    more_columns = (
        Customer.created_at,
        Customer.last_follow_up_at,
        Customer.kind,
        Customer.source,
        INTERESTS,
        Customer.activity_score,
        Customer.contact_count,
        Customer.followed,
        Customer.filer_id,
        Customer.designer_id,
        Customer.salesperson_id,
        Customer.community,
        Customer.city,
        Customer.net_received,
        Customer.lost_reason,
    )
    filters = (
        Customer.stage,
        Customer.level,
        CUSTOMER_TAGS,
        Customer.source,
        Customer.phone,
        Customer.owner_id,
        Customer.designer_id,
        Customer.filer_id,
        Customer.store_id,
        Customer.kind,
        INTERESTS,
        Customer.followed,
        Between(Customer.created_at),
        Between(Customer.next_follow_up_at),
        Between(Customer.last_follow_up_at),
    )
    leaves_out = ((Customer.stage, (Stage.INVALID,)),)
    search = (Customer.name,)
    exact = (PHONES, Customer.code)
    tail = (TAILS,)
    search_hint = "姓名、手机号码、服务号"
    sorts = (
        Customer.created_at,
        Customer.next_follow_up_at,
        Customer.last_follow_up_at,
        Customer.activity_score,
    )
    window = Window(Customer.created_at, days=180)
    views = (
        View("urgent", "急需跟进", _urgent, sort="next_follow_up_at", hot=True, ignores_window=True),
        View("today", "今日到期", _due_today, sort="next_follow_up_at", hot=True, ignores_window=True),
        View("following", "跟进中", lambda now: Customer.stage == Stage.FOLLOWING),
        View("ordered", "订单客户", lambda now: Customer.stage == Stage.ORDERED),
        View("lost", "已战败", lambda now: Customer.stage == Stage.LOST),
        View("invalid", "已失效", lambda now: Customer.stage == Stage.INVALID),
        View(
            "with_contacts",
            "已关联潜客",
            lambda now: Customer.contact_count > literal_column("0"),
            ignores_window=True,
        ),
    )
    badges = (Customer.stage, Customer.level)
    subtitle = (Customer.owner_id, Customer.store_id, Customer.created_at)
    facts = (
        Customer.phone,
        Customer.level,
        Customer.designer_id,
        Customer.last_follow_up_text,
        Customer.next_follow_up_at,
    )
    tags = CUSTOMER_TAGS
    timeline = True
    detail = (
        Group(
            "基本信息",
            Customer.name,
            Customer.gender,
            Customer.phone,
            PHONES,
            Customer.kind,
            Customer.source_category,
            Customer.source,
            INTERESTS,
            Customer.province,
            Customer.city,
            Customer.district,
            Customer.community,
            Customer.address,
            Customer.remark,
        ),
        Group(
            "跟进",
            Customer.followed,
            Customer.activity_score,
            Customer.last_follow_up_at,
            Customer.last_follow_up_text,
            Customer.next_follow_up_at,
            Customer.net_received,
            Customer.has_transmitted_order,
            Customer.lost_reason,
        ),
        Group(
            "归属",
            Customer.store_id,
            Customer.dealer_id,
            Customer.owner_id,
            Customer.designer_id,
            Customer.salesperson_id,
            HELPERS,
            Customer.filer_id,
            Customer.department_id,
            Customer.created_at,
            Customer.updated_at,
        ),
        Related(Contact.customer_id, "关联潜客", creates=False),
        Related(FriendRelation.customer_id, "好友关系", creates=False),
    )
    form = (
        Group(
            "客户",
            Customer.name,
            Customer.phone,
            PHONES,
            Customer.gender,
            Customer.level,
            Customer.kind,
            Customer.source_category,
            Customer.source,
            INTERESTS,
        ),
        Group(
            "地址",
            Customer.province,
            Customer.city,
            Customer.district,
            Customer.community,
            Customer.address,
            folded=True,
        ),
        Group(
            "归属",
            Customer.store_id,
            Customer.owner_id,
            Customer.designer_id,
            Customer.salesperson_id,
            HELPERS,
            entry("contact", "来源潜客", target=Contact, hint="由潜客建档时填写，保存后自动关联"),
            folded=True,
        ),
        Group("其他", Customer.remark),
    )
    edit_form = (
        form[0],
        form[1],
        Group("归属", Customer.designer_id, Customer.salesperson_id, HELPERS),
        form[3],
    )
    create = staticmethod(rules.file_customer)
    update = staticmethod(rules.edit_customer)
    prefill = staticmethod(_prefill)
    checks = {Customer.phone: duplicates.check_phone}
    actions = (
        tag_customer,
        rules.reassign,
        handover.hand_over_departed,
        handover.hand_over,
        rules.change_salesperson,
        rules.clear_salesperson,
        rules.change_designer,
        rules.change_store,
        contacts.unlink_contacts,
        rules.invalidate,
        rules.reopen,
    )
    batch_menu = (
        "hand_over_departed",
        "hand_over",
        "change_salesperson",
        "clear_salesperson",
        "change_designer",
        "change_store",
        "lose",
        "invalidate",
        "unlink_contacts",
    )
    facets = (
        (Customer.stage, Customer.source, Customer.level, Customer.store_id),
        (Customer.store_id, Customer.owner_id),
    )
    charts = (
        Number("total", "客户数", unit="位"),
        Number("following", "跟进中", only=((Customer.stage, (Stage.FOLLOWING,)),), unit="位"),
        Number("ordered", "订单客户", only=((Customer.stage, (Stage.ORDERED, Stage.SERVED)),), unit="位"),
        Number("received", "已收净额", sum=Customer.net_received, unit="元"),
        Trend("created", "新增客户", at=Customer.created_at),
        Breakdown("source", "来源分布", by=Customer.source),
        Funnel("stage", "阶段漏斗", by=Customer.stage, steps=(Stage.FOLLOWING, Stage.ORDERED, Stage.SERVED)),
        Breakdown("level", "级别分布", by=Customer.level, style="pie"),
        Ranking("owner", "跟进人排行", by=Customer.owner_id),
        Ranking("store", "门店排行", by=Customer.store_id),
        Pivot("source_stage", "来源与阶段", by=Customer.source, across=Customer.stage),
    )
    template = importing.CUSTOMERS
    pick_where = staticmethod(lambda actor: Customer.stage != Stage.INVALID)
    pick_note = (Customer.code, Customer.store_id)
    empty_hint = WINDOW_HINT
