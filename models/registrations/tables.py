"""Claims of channel workers (报备): what was filed, to which showrooms it went, what became of it (catalogue E)."""

from __future__ import annotations

from datetime import date, datetime
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
    event,
    text,
)
from sqlalchemy.orm import Mapped, Mapper

from app.engine.choices import Choice, Tone
from app.engine.database import Model
from app.engine.fields import CreatedAt, Money, Phone, Pk, column
from app.engine.guards import CUSTOMER_PHONE
from models.base import Audited, Dated, Versioned
from models.identity.tables import DESIGNERS
from models.registrations.addresses import address_key, joined


class Progress(Choice):
    """How far a claim is; that of a registration is the furthest of its assignments (E-66…E-68)."""

    REGISTERED = "registered", "报备", Tone.INFO
    ASSIGNED = "assigned", "指派", Tone.ACTIVE
    DEPOSIT = "deposit", "付定", Tone.GOOD


class AuditStatus(Choice):
    """What was judged of a claim (E-08…E-12)."""

    PENDING = "pending", "未审核", Tone.WARN
    PASSED = "passed", "成功", Tone.GOOD
    FAILED = "failed", "失败", Tone.BAD


class MeasuringState(Choice):
    """How far a dispatch of a measuring designer is (E-73)."""

    WAITING = "waiting", "待量房", Tone.ACTIVE
    DONE = "done", "已量房", Tone.GOOD
    CANCELLED = "cancelled", "已取消", Tone.MUTED


class TrackKind(Choice):
    """How a lead was tracked: in words, or by a message from here (E-49)."""

    NOTE = "note", "沟通记录"
    SMS = "sms", "短信"


SOURCES = ("网销客户", "自然客户", "业务员", "家装公司推荐", "家装设计师推荐", "老客户推荐", "内部员工推荐")
"""Where leads come from (E-07); the last four open fields of their own."""
_COMPANY, _DESIGNER, _CUSTOMER, _STAFF = SOURCES[3:]


class Claimed:
    """The customer's data as somebody holds them: the registrant as filed, each showroom as corrected (E-69)."""

    name: Mapped[str] = column("客户姓名", String(64))
    city: Mapped[str] = column("市/县", dictionary="region.city")
    district: Mapped[str | None] = column("区", dictionary="region.district", parent="city")
    community: Mapped[str] = column("小区/弄", String(64))
    room: Mapped[str] = column("楼号及房间号", String(64))
    address: Mapped[str] = column("地址", String(240), required=False, wide=True)


class Registration(Claimed, Audited, Versioned, Dated, Model):
    """One customer lead put on record by the person who got it (E-04)."""

    __tablename__ = "registrations"
    __table_args__ = (
        UniqueConstraint("code", "dealer_id"),
        # The same home (E-28), and what a person filed and was judged on one day (E-57).
        Index("ix_registrations_address_key", "address_key", "dealer_id"),
        Index("ix_registrations_filed", "registrant_id", "registered_at", "first_judged_at"),
        Index(
            "ix_registrations_judged", "registrant_id", "first_judged_at",
            sqlite_where=text("first_judged_at IS NOT NULL"),
            postgresql_where=text("first_judged_at IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[Pk]
    code: Mapped[str] = column("客户编号", String(32), numbered="registration")
    phone: Mapped[Phone] = column("联系手机号", index=True, guard=CUSTOMER_PHONE)
    telephone: Mapped[str | None] = column("联系电话", String(32), guard=CUSTOMER_PHONE)
    source: Mapped[str] = column("客户来源", dictionary="registration.source")
    brand_category_id: Mapped[int | None] = column("订货类型", ForeignKey("brand_categories.id"))
    member_card: Mapped[str | None] = column("会员卡号", String(40))
    estimated_amount: Mapped[Money | None] = column("预估金额", minimum=0, unit="元")
    created_at: Mapped[CreatedAt] = column("建档日期", DateTime, index=True)
    company: Mapped[str | None] = column("家装公司", String(64))
    designer: Mapped[str | None] = column("家装设计师", String(64))
    designer_phone: Mapped[Phone | None] = column("家装设计师电话", guard=CUSTOMER_PHONE)
    referrer_name: Mapped[str | None] = column("推荐客户姓名", String(64))
    referrer_phone: Mapped[Phone | None] = column("推荐客户手机号", guard=CUSTOMER_PHONE)
    referrer_card: Mapped[str | None] = column("推荐客户会员卡号", String(40))
    staff_referrer_id: Mapped[int | None] = column("内部员工推荐", ForeignKey("ab_user.id"))
    tracking_state: Mapped[str] = column("跟踪状态", dictionary="registration.tracking", default="待跟踪")
    next_tracking_on: Mapped[date | None] = column("下次跟踪时间", Date)
    last_tracked_at: Mapped[datetime | None] = column("最后跟进时间", DateTime)
    last_tracking_text: Mapped[str | None] = column("最后跟踪内容", String(200))
    track_count: Mapped[int] = column("跟踪次数", Integer, default=0)
    outlet_id: Mapped[int] = column("报备网点", ForeignKey("stores.id"))
    registrant_id: Mapped[int] = column("报备人（业务员）", ForeignKey("ab_user.id"))
    registered_at: Mapped[datetime] = column("报备时间", DateTime)
    budget: Mapped[str | None] = column("客户预算描述", Text)
    progress: Mapped[Progress] = column("报备进度", choices=Progress, default=Progress.REGISTERED)
    audit_status: Mapped[AuditStatus] = column("审核状态", choices=AuditStatus, default=AuditStatus.PENDING)
    first_judged_at: Mapped[datetime | None] = column("首次审核时间", DateTime)
    address_key: Mapped[str] = column("查重地址", String(240), required=False)
    duplicate: Mapped[bool] = column("重报", Boolean, default=False)
    protected_until: Mapped[datetime | None] = column("保护期至", DateTime)
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))


def _standing(progress: Progress, withdrawn_at: datetime | None, *, now: datetime) -> Progress | str:
    """A withdrawn assignment is nowhere on the way."""
    return progress if withdrawn_at is None else "已撤回"


class Assignment(Claimed, Audited, Versioned, Dated, Model):
    """One lead at one showroom for one order type, with the showroom's own copy (E-63…E-71, E-78…E-82).

    ``used_type`` is what may be assigned only once per lead: the category, or by a setting the brand's category
    (E-65). A withdrawn one stays as a row of the lead's history and counts nowhere.
    """

    __tablename__ = "registration_assignments"
    __table_args__ = (
        Index(
            "uq_registration_assignments_type", "registration_id", "used_type", unique=True,
            sqlite_where=text("withdrawn_at IS NULL"), postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[Pk]
    registration_id: Mapped[int] = column(
        "客户线索", ForeignKey("registrations.id", ondelete="CASCADE"), index=True
    )
    brand_category_id: Mapped[int] = column("订货类型", ForeignKey("brand_categories.id"))
    used_type: Mapped[str] = column("已用类型", String(24))
    phone: Mapped[Phone] = column("手机", index=True, guard=CUSTOMER_PHONE)
    telephone: Mapped[str | None] = column("客户电话", String(32), guard=CUSTOMER_PHONE)
    company: Mapped[str | None] = column("家装公司", String(64))
    designer: Mapped[str | None] = column("家装设计师", String(64))
    remark: Mapped[str | None] = column("指派备注", String(200))
    assigner_id: Mapped[int | None] = column("指派人", ForeignKey("ab_user.id"))
    progress: Mapped[Progress] = column(
        "报备进度", choices=Progress, default=Progress.ASSIGNED, shown=_standing, beside=("withdrawn_at",)
    )
    deposit_amount: Mapped[Money | None] = column("定金金额", minimum=0, unit="元")
    deposit_on: Mapped[date | None] = column("付定日期", Date)
    receipt_id: Mapped[int | None] = column("定金收款单", ForeignKey("receipts.id"))
    refund_id: Mapped[int | None] = column("退定退款单", ForeignKey("receipts.id"))
    customer_id: Mapped[int | None] = column("客户", ForeignKey("customers.id"), index=True)
    verdict: Mapped[AuditStatus] = column("审核结果", choices=AuditStatus, default=AuditStatus.PENDING)
    audit_remark: Mapped[str | None] = column("审核备注", String(200))
    auditor_id: Mapped[int | None] = column("审核人", ForeignKey("ab_user.id"))
    judged_at: Mapped[datetime | None] = column("审核时间", DateTime)
    withdrawn_at: Mapped[datetime | None] = column("撤回时间", DateTime)
    withdrawn_by_id: Mapped[int | None] = column("撤回人", ForeignKey("ab_user.id"))
    withdraw_reason: Mapped[str | None] = column("撤回原因", String(200))
    # Of the registration, so that lists, scopes and statistics of assignments read one table.
    registrant_id: Mapped[int] = column("报备人", ForeignKey("ab_user.id"))
    outlet_id: Mapped[int] = column("报备网点", ForeignKey("stores.id"))
    registered_at: Mapped[datetime] = column("报备时间", DateTime)
    store_id: Mapped[int] = column("展厅", ForeignKey("stores.id"))
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))


class RegistrationTrack(Dated, Model):
    """One tracking record of a lead; never changed afterwards (E-48…E-54)."""

    __tablename__ = "registration_tracks"
    __table_args__ = (Index("ix_registration_tracks_registration", "registration_id", "at", "id"),)

    id: Mapped[Pk]
    registration_id: Mapped[int] = column("客户线索", ForeignKey("registrations.id", ondelete="CASCADE"))
    kind: Mapped[TrackKind] = column("跟踪方式", choices=TrackKind, default=TrackKind.NOTE)
    at: Mapped[datetime] = column("跟踪时间", DateTime)
    state: Mapped[str] = column("跟踪状态", dictionary="registration.tracking", default="继续跟踪")
    next_tracking_on: Mapped[date | None] = column("下次跟踪时间", Date)
    phone: Mapped[Phone | None] = column("客户电话", guard=CUSTOMER_PHONE)
    text: Mapped[str] = column("跟踪内容", Text)
    message_id: Mapped[int | None] = column("短信", ForeignKey("sms_messages.id"))
    writer_id: Mapped[int | None] = column("录入人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))


class Measuring(Audited, Versioned, Dated, Model):
    """A designer sent to measure the lead's home; the duty itself is a task of his (E-72, E-73)."""

    __tablename__ = "measurings"
    __table_args__ = (
        Index(
            "uq_measurings_open", "registration_id", unique=True,
            sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'"),
        ),
    )  # fmt: skip

    id: Mapped[Pk]
    registration_id: Mapped[int] = column("客户线索", ForeignKey("registrations.id"), index=True)
    designer_id: Mapped[int] = column("量房设计师", ForeignKey("ab_user.id"), prefers=DESIGNERS)
    planned_at: Mapped[datetime] = column("计划量房时间", DateTime)
    remark: Mapped[str | None] = column("备注", String(200))
    state: Mapped[MeasuringState] = column("量房状态", choices=MeasuringState, default=MeasuringState.WAITING)
    measured_on: Mapped[date | None] = column("量房日期", Date)
    result: Mapped[str | None] = column("量房结果", Text)
    task_id: Mapped[int | None] = column("任务", ForeignKey("tasks.id"), index=True)
    dispatcher_id: Mapped[int | None] = column("派遣人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    store_id: Mapped[int] = column("报备网点", ForeignKey("stores.id"))


class RegistrationQuota(Audited, Versioned, Dated, Model):
    """How many leads one person may file a day, where that differs from the dealer's setting (E-55)."""

    __tablename__ = "registration_quotas"

    id: Mapped[Pk]
    employee_id: Mapped[int] = column("报备人", ForeignKey("ab_user.id"), unique=True)
    daily_limit: Mapped[int | None] = column("每日报备容量", Integer, minimum=0, blank="不限")
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))


class RegistrationGrant(Audited, Versioned, Dated, Model):
    """One salesperson whose leads a manager may work with (E-03)."""

    __tablename__ = "registration_grants"
    __table_args__ = (UniqueConstraint("manager_id", "registrant_id"),)

    id: Mapped[Pk]
    manager_id: Mapped[int] = column("经理", ForeignKey("ab_user.id"))
    registrant_id: Mapped[int] = column("业务员", ForeignKey("ab_user.id"), index=True)
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))


class PartnerDesigner(Audited, Versioned, Dated, Model):
    """A designer of a home-decoration company who recommends customers; 提取 finds the phone here (E-23)."""

    __tablename__ = "partner_designers"

    id: Mapped[Pk]
    name: Mapped[str] = column("家装设计师", String(64), index=True)
    company: Mapped[str | None] = column("家装公司", String(64))
    phone: Mapped[Phone] = column("电话", guard=CUSTOMER_PHONE)
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))


@event.listens_for(Registration, "before_insert")
@event.listens_for(Registration, "before_update")
@event.listens_for(Assignment, "before_insert")
@event.listens_for(Assignment, "before_update")
def _join_address(_mapper: Mapper[Any], _connection: Connection, claim: Registration | Assignment) -> None:
    """Whatever changes a part of the address, the whole and what is compared follow."""
    claim.address = joined(claim.city, claim.district, claim.community, claim.room)
    if isinstance(claim, Registration):
        claim.address_key = address_key(claim.city, claim.community, claim.room)
