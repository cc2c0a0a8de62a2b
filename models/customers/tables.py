"""People: customers with a phone (客户), contacts without one (潜客), and what hangs on them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Boolean,
    Connection,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    delete,
    event,
    insert,
    inspect,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Mapper

from app.engine.cells import Due, Said
from app.engine.choices import Choice, Colour, Tone
from app.engine.database import Model
from app.engine.fields import CreatedAt, Links, Money, Phone, Pk, Values, column, normalise_phone
from app.engine.guards import CUSTOMER_PHONE
from app.engine.slots import Extended
from models.base import Audited, Dated, Versioned
from models.identity.tables import CONSULTANTS, DESIGNERS, SALESPEOPLE


class Stage(Choice):
    """Where a customer stands in life (unified model, "Life of a customer")."""

    FOLLOWING = "following", "跟进中", Tone.ACTIVE
    ORDERED = "ordered", "订单客户", Tone.GOOD
    SERVED = "served", "已服务", Tone.GOOD
    LOST = "lost", "战败", Tone.BAD
    INVALID = "invalid", "失效", Tone.MUTED


class Gender(Choice):
    """How a person is addressed."""

    MALE = "male", "先生"
    FEMALE = "female", "女士"


class ContactSource(Choice):
    """The four ways a person without a filed phone arrives (A-11)."""

    SELF_FILED = "self_filed", "自建无手机号"
    WORK_CHAT = "work_chat", "企业微信好友"
    CAMERA = "camera", "摄像头关联"
    VISITOR = "visitor", "小程序访客/公众号粉丝"


class ContactState(Choice):
    """Whether a contact still waits for a file or belongs to a customer (A-15, A-18)."""

    OPEN = "open", "潜客", Tone.ACTIVE
    LINKED = "linked", "已关联客户", Tone.GOOD


class FollowUpKind(Choice):
    """The acts that count as follow-up (A-27)."""

    MESSAGE = "message", "发消息"
    SMS = "sms", "发短信"
    CALL = "call", "拨打电话"
    MANUAL = "manual", "手动填写跟进"


class TagTone(Colour):
    """The colour of a tag; the value is its class in the style sheet."""

    PLAIN = "n", "灰色", Tone.MUTED
    BLUE = "a", "蓝色", Tone.ACTIVE
    VIOLET = "c", "紫色", Tone.INFO
    GREEN = "g", "绿色", Tone.GOOD
    AMBER = "b", "橙色", Tone.WARN
    RED = "r", "红色", Tone.BAD

    @property
    def paint(self) -> str:
        """Its class in the style sheet."""
        return str(self.value)


_WAYS = {
    FollowUpKind.MESSAGE: "消息",
    FollowUpKind.SMS: "短信",
    FollowUpKind.CALL: "电话",
    FollowUpKind.MANUAL: "手动",
}


def _last_follow_up(
    text: str | None, at: datetime | None, kind: FollowUpKind | None, *, now: datetime
) -> Said | str | None:
    """The last contact in short; its words are kept behind the way they were said by."""
    if at is None or kind is None:
        return text
    return Said(at, _WAYS[kind], (text or "").removeprefix(kind.label).removeprefix(" · "))


def _next_follow_up(at: datetime | None, *, now: datetime) -> Due | None:
    return Due(at) if at is not None else None


class Followed:
    """What the last follow-up left on a person; written by the follow-up rules only (A-28)."""

    followed: Mapped[bool] = column("已跟进", Boolean, default=False)
    last_follow_up_at: Mapped[datetime | None] = column("最近跟进时间", DateTime)
    last_follow_up_kind: Mapped[FollowUpKind | None] = column("最近跟进方式", choices=FollowUpKind)
    last_follow_up_text: Mapped[str | None] = column(
        "最近跟进", String(80), look="said", shown=_last_follow_up,
        beside=("last_follow_up_at", "last_follow_up_kind"),
    )  # fmt: skip
    next_follow_up_at: Mapped[datetime | None] = column(
        "下次跟进时间", DateTime, look="due", shown=_next_follow_up
    )
    activity_score: Mapped[int] = column("活跃度分值", Integer, default=0)


def _planned(table: str) -> Index:
    """Whose next time comes when; an index of those without one would lead planners astray (and cost each
    imported row an entry)."""
    where = text("next_follow_up_at IS NOT NULL")
    name = f"ix_{table}_next_follow_up_at"
    return Index(name, "next_follow_up_at", sqlite_where=where, postgresql_where=where)


def _silent(name: str, since: str, which: str) -> Index:
    where = text(f"next_follow_up_at IS NULL AND {which}")
    columns = dict.fromkeys(["owner_id", since, "stage", "next_follow_up_at", "last_follow_up_at"])
    return Index(f"ix_customers_{name}", *columns, sqlite_where=where, postgresql_where=where)


class Customer(Audited, Versioned, Dated, Followed, Extended, Model):
    """A person with a phone whose need we follow until it is served, lost or invalid (服务号)."""

    __tablename__ = "customers"
    __table_args__ = (
        UniqueConstraint("code", "dealer_id"),
        # The tabs of the list and their counts: by stage, and those with contacts.
        Index("ix_customers_dealer_id_stage_created_at", "dealer_id", "stage", "created_at", "id"),
        Index(
            "ix_customers_with_contacts",
            "dealer_id",
            "created_at",
            "id",
            "contact_count",  # with all that is asked for in it, SQLite prefers it to the others of the dealer
            sqlite_where=text("contact_count > 0"),
            postgresql_where=text("contact_count > 0"),
        ),
        # Each person's customers whose next time nobody has set, by how long they have been silent: the
        # morning's reminders are counted and listed within these alone.
        _planned("customers"),
        _silent("silent", "last_follow_up_at", "last_follow_up_at IS NOT NULL"),
        _silent("unfollowed", "created_at", "last_follow_up_at IS NULL"),
    )

    id: Mapped[Pk]
    code: Mapped[str] = column("服务号", String(32), numbered="customer")
    name: Mapped[str] = column("客户姓名", String(64))
    phone: Mapped[Phone] = column(
        "手机号码", guard=CUSTOMER_PHONE, required=False, hint="不填手机号码将保存到潜客列表"
    )
    gender: Mapped[Gender | None] = column("称谓", choices=Gender)
    level: Mapped[str | None] = column("意向级别", dictionary="customer.level", look="level")
    kind: Mapped[str | None] = column("客户类型", dictionary="customer.kind")
    source_category: Mapped[str | None] = column("来源大类", dictionary="customer.source_category")
    source: Mapped[str | None] = column("客户来源", dictionary="customer.source", parent="source_category")
    stage: Mapped[Stage] = column("阶段", choices=Stage, default=Stage.FOLLOWING)
    province: Mapped[str | None] = column("省份", dictionary="region.province")
    city: Mapped[str | None] = column("城市", dictionary="region.city", parent="province")
    district: Mapped[str | None] = column("行政区", dictionary="region.district", parent="city")
    community: Mapped[str | None] = column("小区", String(64))
    address: Mapped[str | None] = column("详细地址", String(200), wide=True)
    remark: Mapped[str | None] = column("备注", Text)
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    store_id: Mapped[int] = column("所属组织（门店）", ForeignKey("stores.id"), required=False)
    department_id: Mapped[int | None] = column("所属部门", ForeignKey("departments.id"))
    filer_id: Mapped[int | None] = column("建档人", ForeignKey("ab_user.id"))
    owner_id: Mapped[int | None] = column("导购", ForeignKey("ab_user.id"), prefers=CONSULTANTS)
    designer_id: Mapped[int | None] = column("设计师", ForeignKey("ab_user.id"), prefers=DESIGNERS)
    salesperson_id: Mapped[int | None] = column("业务员", ForeignKey("ab_user.id"), prefers=SALESPEOPLE)
    net_received: Mapped[Money] = column("已收净额", default=Decimal(0))
    has_transmitted_order: Mapped[bool] = column("已传单", Boolean, default=False)
    retained_since: Mapped[date | None] = column("保有日期", Date)
    lost_reason: Mapped[str | None] = column("战败原因", String(200))
    contact_count: Mapped[int] = column("关联潜客数", Integer, default=0)


def tail_of(phone: str) -> str:
    """The last four digits, under which a number is looked up."""
    return normalise_phone(phone)[-4:]


def _tail(context: Any) -> str:
    return tail_of(str(context.get_current_parameters()["phone"]))


class CustomerPhone(Model):
    """One number of a customer; the main number is among them at position 0 (equal-phone searches). The dealer
    is a copy of the customer's and is not looked up again by the database."""

    __tablename__ = "customer_phones"
    __table_args__ = (UniqueConstraint("customer_id", "phone"),)

    id: Mapped[Pk]
    customer_id: Mapped[int] = column("客户", ForeignKey("customers.id", ondelete="CASCADE"))
    dealer_id: Mapped[int] = column("所属商场", Integer)
    phone: Mapped[Phone] = column("手机号码", index=True, guard=CUSTOMER_PHONE)
    tail: Mapped[str] = column("尾号", String(4), default=_tail, index=True, guard=CUSTOMER_PHONE)
    position: Mapped[int] = column("顺序", Integer, default=0)


class CustomerHelper(Model):
    """A further person working on a customer (协作人); the copy of created_at serves the scope's index."""

    __tablename__ = "customer_helpers"
    __table_args__ = (UniqueConstraint("customer_id", "user_id"),)

    id: Mapped[Pk]
    customer_id: Mapped[int] = column("客户", ForeignKey("customers.id", ondelete="CASCADE"))
    user_id: Mapped[int] = column("协作人", ForeignKey("ab_user.id"))
    created_at: Mapped[CreatedAt] = column("创建时间", DateTime)


class CustomerInterest(Model):
    """A brand-category the customer asks for."""

    __tablename__ = "customer_interests"
    __table_args__ = (UniqueConstraint("customer_id", "brand_category_id"),)

    id: Mapped[Pk]
    customer_id: Mapped[int] = column("客户", ForeignKey("customers.id", ondelete="CASCADE"))
    brand_category_id: Mapped[int] = column("品牌品类", ForeignKey("brand_categories.id"), index=True)


class Contact(Audited, Versioned, Dated, Followed, Model):
    """An identity without a filed phone (潜客), linked to at most one customer (A-11…A-19)."""

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("code", "dealer_id"),
        UniqueConstraint("outside_id", "dealer_id"),
        # The badge of the menu: who waits for a first follow-up.
        Index("ix_contacts_waiting", "state", "followed", "dealer_id"),
        _planned("contacts"),
    )

    id: Mapped[Pk]
    code: Mapped[str] = column("潜客编号", String(32), numbered="contact")
    name: Mapped[str] = column("姓名", String(64))
    gender: Mapped[Gender | None] = column("称谓", choices=Gender)
    source: Mapped[ContactSource] = column(
        "潜客来源", choices=ContactSource, default=ContactSource.SELF_FILED
    )
    source_note: Mapped[str | None] = column("来源说明", String(120))
    outside_id: Mapped[str | None] = column("外部标识", String(64))
    state: Mapped[ContactState] = column("状态", choices=ContactState, default=ContactState.OPEN)
    community: Mapped[str | None] = column("小区", String(64))
    address: Mapped[str | None] = column("详细地址", String(200), wide=True)
    remark: Mapped[str | None] = column("备注", Text)
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    store_id: Mapped[int] = column("所属组织（门店）", ForeignKey("stores.id"), required=False)
    employee_id: Mapped[int | None] = column("归属员工", ForeignKey("ab_user.id"), prefers=CONSULTANTS)
    customer_id: Mapped[int | None] = column("关联客户", ForeignKey("customers.id"), index=True)
    linked_at: Mapped[datetime | None] = column("关联时间", DateTime)


class Tag(Audited, Versioned, Dated, Model):
    """A label of one dealer for contacts and customers (A-24); its name is unique there (A-25)."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("dealer_id", "name"),)

    id: Mapped[Pk]
    name: Mapped[str] = column("标签名称", String(24))
    group_name: Mapped[str | None] = column("标签分组", String(24))
    tone: Mapped[TagTone] = column("颜色", choices=TagTone, default=TagTone.BLUE)
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))


class CustomerTag(Model):
    """A tag on a customer."""

    __tablename__ = "customer_tags"
    __table_args__ = (UniqueConstraint("customer_id", "tag_id"),)

    id: Mapped[Pk]
    customer_id: Mapped[int] = column("客户", ForeignKey("customers.id", ondelete="CASCADE"))
    tag_id: Mapped[int] = column("标签", ForeignKey("tags.id", ondelete="CASCADE"), index=True)


class ContactTag(Model):
    """A tag on a contact."""

    __tablename__ = "contact_tags"
    __table_args__ = (UniqueConstraint("contact_id", "tag_id"),)

    id: Mapped[Pk]
    contact_id: Mapped[int] = column("潜客", ForeignKey("contacts.id", ondelete="CASCADE"))
    tag_id: Mapped[int] = column("标签", ForeignKey("tags.id", ondelete="CASCADE"), index=True)


PHONES = Values(
    "phones",
    "其他号码",
    left=CustomerPhone.customer_id,
    value=CustomerPhone.phone,
    order=CustomerPhone.position,
    copies=((CustomerPhone.dealer_id, Customer.dealer_id),),
    main=Customer.phone,
    most=5,
)
TAILS = Values("phone_tails", "手机尾号", left=CustomerPhone.customer_id, value=CustomerPhone.tail)
HELPERS = Links(
    "helpers",
    "协作人",
    left=CustomerHelper.customer_id,
    right=CustomerHelper.user_id,
    copies=((CustomerHelper.created_at, Customer.created_at),),
)
INTERESTS = Links(
    "interests", "意向品类", left=CustomerInterest.customer_id, right=CustomerInterest.brand_category_id
)
CUSTOMER_TAGS = Links("tags", "标签", left=CustomerTag.customer_id, right=CustomerTag.tag_id)
CONTACT_TAGS = Links("tags", "标签", left=ContactTag.contact_id, right=ContactTag.tag_id)


@event.listens_for(Customer, "after_insert")
def _file_main_phone(_mapper: Mapper[Any], connection: Connection, customer: Customer) -> None:
    connection.execute(
        insert(CustomerPhone),
        {"customer_id": customer.id, "dealer_id": customer.dealer_id, "phone": customer.phone, "position": 0},
    )


@event.listens_for(Customer, "after_update")
def _replace_main_phone(_mapper: Mapper[Any], connection: Connection, customer: Customer) -> None:
    """Whatever changes the main number, the table of all numbers follows."""
    if not inspect(customer).attrs.phone.history.has_changes():
        return
    mine = CustomerPhone.customer_id == customer.id
    connection.execute(delete(CustomerPhone).where(mine, CustomerPhone.position == 0))
    promoted = connection.execute(
        update(CustomerPhone).where(mine, CustomerPhone.phone == customer.phone).values(position=0)
    )
    if not promoted.rowcount:
        _file_main_phone(_mapper, connection, customer)
