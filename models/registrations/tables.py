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
    inspect,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Mapper

from app.engine.aids import Copies, Fetches
from app.engine.audit import to_the_second
from app.engine.cells import Due, Linked
from app.engine.choices import Choice, Tone
from app.engine.database import Model
from app.engine.fields import CreatedAt, Money, Phone, Pk, column
from app.engine.guards import CUSTOMER_PHONE
from models.base import Audited, Dated, Versioned
from models.follow_ups.tables import SmsState
from models.identity.tables import DESIGNERS, SALESPEOPLE
from models.registrations.addresses import address_key, joined
from models.registrations.partners import PartnerDesigner as PartnerDesigner
from models.registrations.partners import phones_of
from models.registrations.protection import countdown


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


WAITING = "withdrawn_at IS NULL AND verdict = 'pending' AND progress = 'deposit'"
"""Which assignments an auditor is waited for with (E-75, E-76), in the words of their index."""
WRONG_PHONE = "手机号格式不正确"
SOURCES = ("网销客户", "自然客户", "业务员", "家装公司推荐", "家装设计师推荐", "老客户推荐", "内部员工推荐")
"""Where leads come from (E-07); the last four open fields of their own."""
_COMPANY, _DESIGNER, _CUSTOMER, _STAFF = (f"source={source}" for source in SOURCES[3:])
_PARTNER = f"{_COMPANY}|{SOURCES[4]}"


class Claimed:
    """The customer's data as somebody holds them: the registrant as filed, each showroom as corrected (E-69)."""

    name: Mapped[str] = column("客户姓名", String(64), placeholder="请输入客户姓名")
    city: Mapped[str] = column("市/县", dictionary="region.city")
    district: Mapped[str | None] = column("区", dictionary="region.district", parent="city")
    community: Mapped[str] = column("小区", String(64), placeholder="请输入小区", unit="小区/弄")
    room: Mapped[str] = column("楼号及房间号", String(64), placeholder="请输入楼号及房间号")
    address: Mapped[str] = column("地址", String(240), required=False, wide=True)

    def join(self) -> None:
        """The whole address follows its parts."""
        self.address = joined(self.city, self.district, self.community, self.room)


class Registration(Claimed, Audited, Versioned, Dated, Model):
    """One customer lead put on record by the person who got it (E-04)."""

    __tablename__ = "registrations"
    __table_args__ = (
        UniqueConstraint("code", "dealer_id"),
        # The same mobile or home (E-28), and what a person filed and was judged on one day (E-57).
        Index("ix_registrations_phone", "phone", "dealer_id"),
        Index("ix_registrations_address_key", "address_key", "dealer_id"),
        Index("ix_registrations_filed", "registrant_id", "registered_at", "first_judged_at"),
        Index(
            "ix_registrations_judged", "registrant_id", "first_judged_at",
            sqlite_where=text("first_judged_at IS NOT NULL"),
            postgresql_where=text("first_judged_at IS NOT NULL"),
        ),
        # Parts of partners' names are looked for in the names alone (E-77).
        *(
            Index(
                f"ix_registrations_{name}", name, "id",
                sqlite_where=text(f"{name} IS NOT NULL"), postgresql_where=text(f"{name} IS NOT NULL"),
            )
            for name in ("company", "designer")
        ),
        # All that statistics look at of leads nobody was assigned to (E-85).
        Index(
            "ix_registrations_unassigned", "dealer_id", "registrant_id", "outlet_id", "registered_at", "progress",
            sqlite_where=text("progress = 'registered'"), postgresql_where=text("progress = 'registered'"),
        ),
    )  # fmt: skip

    id: Mapped[Pk]
    code: Mapped[str] = column("客户编号", String(32), numbered="registration")
    phone: Mapped[Phone] = column(
        "联系手机号", guard=CUSTOMER_PHONE, heading="手机", wrong=WRONG_PHONE,
        placeholder="请输入联系手机号",
    )  # fmt: skip
    telephone: Mapped[str | None] = column(
        "联系电话", String(32), kind="telephone", guard=CUSTOMER_PHONE, heading="电话", aid=Copies("phone")
    )
    source: Mapped[str] = column("客户来源", dictionary="registration.source", heading="渠道来源")
    brand_category_id: Mapped[int | None] = column(
        "订货类型", ForeignKey("brand_categories.id"), heading="报备类型"
    )
    member_card: Mapped[str | None] = column("会员卡号", String(40))
    estimated_amount: Mapped[Money | None] = column("预估金额", minimum=0)
    created_at: Mapped[CreatedAt] = column("建档日期", DateTime, index=True)
    company: Mapped[str | None] = column(
        "家装公司", String(64), opens_when=_PARTNER, needed_when=_COMPANY, placeholder="请输入家装公司"
    )
    designer: Mapped[str | None] = column(
        "家装设计师", String(64), opens_when=_PARTNER, needed_when=_DESIGNER, placeholder="请输入家装设计师"
    )
    designer_phone: Mapped[Phone | None] = column(
        "家装设计师电话", guard=CUSTOMER_PHONE, wrong=WRONG_PHONE, opens_when=_PARTNER, needed_when=_DESIGNER,
        placeholder="请输入家装设计师电话", aid=Fetches(("designer", "company"), phones_of),
    )  # fmt: skip
    referrer_name: Mapped[str | None] = column(
        "推荐客户姓名",
        String(64),
        opens_when=_CUSTOMER,
        needed_when=_CUSTOMER,
        placeholder="请输入推荐客户姓名",
    )
    referrer_phone: Mapped[Phone | None] = column(
        "推荐客户手机号", guard=CUSTOMER_PHONE, wrong=WRONG_PHONE, opens_when=_CUSTOMER, needed_when=_CUSTOMER,
        placeholder="请输入推荐客户手机号",
    )  # fmt: skip
    referrer_card: Mapped[str | None] = column("推荐客户会员卡号", String(40), opens_when=_CUSTOMER)
    staff_referrer_id: Mapped[int | None] = column(
        "内部员工推荐", ForeignKey("ab_user.id"), opens_when=_STAFF, needed_when=_STAFF
    )
    tracking_state: Mapped[str] = column(
        "客户跟进状态", dictionary="registration.tracking", default="待跟踪", heading="跟踪状态"
    )
    next_tracking_on: Mapped[date | None] = column("下次跟进时间", Date, future=True)
    last_tracked_at: Mapped[datetime | None] = column("最后跟进时间", DateTime, shown=to_the_second)
    last_tracking_text: Mapped[str | None] = column("最后跟踪内容", String(200))
    track_count: Mapped[int] = column("跟踪次数", Integer, default=0)
    outlet_id: Mapped[int] = column("报备网点", ForeignKey("stores.id"))
    registrant_id: Mapped[int] = column("报备人(业务员)", ForeignKey("ab_user.id"))
    registered_at: Mapped[datetime] = column("报备时间", DateTime)
    budget: Mapped[str | None] = column("客户预算描述", Text)
    progress: Mapped[Progress] = column("报备进度", choices=Progress, default=Progress.REGISTERED)
    audit_status: Mapped[AuditStatus] = column("审核状态", choices=AuditStatus, default=AuditStatus.PENDING)
    first_judged_at: Mapped[datetime | None] = column("首次审核时间", DateTime)
    address_key: Mapped[str] = column("查重地址", String(240), required=False)
    duplicate: Mapped[bool] = column("重报", Boolean, default=False)
    protected_until: Mapped[datetime | None] = column("保护期至", DateTime, shown=countdown)
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))

    def join(self) -> None:
        """So does what is compared of it."""
        super().join()
        self.address_key = address_key(self.city, self.community, self.room)


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
        # What waits for auditors, newest first (E-75, E-76): for those of the group and for those of a dealer.
        *(
            Index(
                f"ix_registration_assignments_waiting{whose}", *columns, "created_at", "id",
                sqlite_where=text(WAITING), postgresql_where=text(WAITING),
            )
            for whose, columns in (("", ()), ("_here", ("dealer_id", "verdict", "progress")))
        ),
        # All that statistics look at of assignments, in the order in which they are counted (E-86…E-88).
        Index(
            "ix_registration_assignments_counted", "dealer_id", "registrant_id", "outlet_id", "progress",
            "verdict", "registered_at", "withdrawn_at",
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


def _with_result(text: str, outcome: SmsState | None, *, now: datetime) -> str:
    """A message with what became of it (E-54)."""
    return text if outcome is None else f"【短信{outcome.label}】{text}"


class RegistrationTrack(Dated, Model):
    """One tracking record of a lead; never changed afterwards (E-48…E-54)."""

    __tablename__ = "registration_tracks"
    __table_args__ = (Index("ix_registration_tracks_registration", "registration_id", "at", "id"),)

    id: Mapped[Pk]
    registration_id: Mapped[int] = column("客户线索", ForeignKey("registrations.id", ondelete="CASCADE"))
    kind: Mapped[TrackKind] = column("跟踪方式", choices=TrackKind, default=TrackKind.NOTE)
    at: Mapped[datetime] = column("跟踪时间", DateTime, shown=to_the_second)
    state: Mapped[str] = column("跟踪状态", dictionary="registration.tracking", default="继续跟踪")
    next_tracking_on: Mapped[date | None] = column("下次跟踪时间", Date)
    phone: Mapped[Phone | None] = column("客户电话", guard=CUSTOMER_PHONE)
    text: Mapped[str] = column("跟踪内容", Text, beside=("outcome",), shown=_with_result)
    message_id: Mapped[int | None] = column("短信", ForeignKey("sms_messages.id"), index=True)
    outcome: Mapped[SmsState | None] = column("发送结果", choices=SmsState)
    writer_id: Mapped[int | None] = column("录入人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))


def _due(at: datetime, state: MeasuringState | None, *, now: datetime) -> Due | datetime:
    """Somebody waits for it while the home is not measured."""
    return Due(at, "已逾期") if state == MeasuringState.WAITING else at


def _fetched(name: str | None, record_id: int, *, now: datetime) -> Linked | None:
    """The name of a kept file, where it is fetched."""
    return Linked(name, f"/registration-measuring/file?id={record_id}", "paperclip") if name else None


class Measuring(Audited, Versioned, Dated, Model):
    """A designer sent to measure the lead's home; the duty itself is a task of his (E-72, E-73).

    He may see no leads: whom he visits, where and under which number is repeated here, and follows the lead
    while he is awaited.
    """

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
    name: Mapped[str] = column("客户姓名", String(64))
    phone: Mapped[Phone] = column("联系手机号", index=True, guard=CUSTOMER_PHONE)
    address: Mapped[str] = column("地址", String(240), wide=True)
    planned_at: Mapped[datetime] = column("计划量房时间", DateTime, look="due", beside=("state",), shown=_due)
    remark: Mapped[str | None] = column("备注", String(200), wide=True)
    state: Mapped[MeasuringState] = column("量房状态", choices=MeasuringState, default=MeasuringState.WAITING)
    measured_on: Mapped[date | None] = column("量房日期", Date)
    result: Mapped[str | None] = column("量房结果", Text)
    attachment: Mapped[str | None] = column("附件文件", String(48))
    attachment_name: Mapped[str | None] = column("附件", String(160), beside=("id",), shown=_fetched)
    cancel_reason: Mapped[str | None] = column("取消原因", String(200), wide=True)
    task_id: Mapped[int | None] = column("任务", ForeignKey("tasks.id"), index=True)
    dispatcher_id: Mapped[int | None] = column("派遣人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    store_id: Mapped[int] = column("报备网点", ForeignKey("stores.id"))


class RegistrationQuota(Audited, Versioned, Dated, Model):
    """How many leads one person may file a day, where that differs from the dealer's setting (E-55)."""

    __tablename__ = "registration_quotas"

    id: Mapped[Pk]
    employee_id: Mapped[int] = column("报备人", ForeignKey("ab_user.id"), unique=True, prefers=SALESPEOPLE)
    daily_limit: Mapped[int | None] = column("每日报备容量", Integer, minimum=0, blank="不限")
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))


class RegistrationGrant(Audited, Versioned, Dated, Model):
    """One salesperson whose leads a manager may work with (E-03)."""

    __tablename__ = "registration_grants"
    __table_args__ = (UniqueConstraint("manager_id", "registrant_id"),)

    id: Mapped[Pk]
    manager_id: Mapped[int] = column("经理", ForeignKey("ab_user.id"))
    registrant_id: Mapped[int] = column("业务员", ForeignKey("ab_user.id"), index=True, prefers=SALESPEOPLE)
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))


@event.listens_for(Registration, "before_insert")
@event.listens_for(Registration, "before_update")
@event.listens_for(Assignment, "before_insert")
@event.listens_for(Assignment, "before_update")
def _join_address(_mapper: Mapper[Any], _connection: Connection, claim: Registration | Assignment) -> None:
    """Whatever changes a part of the address, the whole and what is compared follow."""
    claim.join()


@event.listens_for(Registration, "after_update")
def _correct_measuring(_mapper: Mapper[Any], connection: Connection, lead: Registration) -> None:
    """Whoever is on the way to the home goes by the corrected data."""
    attributes = inspect(lead).attrs
    corrected = {n: getattr(lead, n) for n in ("name", "phone", "address") if attributes[n].history.added}
    if corrected:
        waiting = (Measuring.registration_id == lead.id, Measuring.state == MeasuringState.WAITING)
        connection.execute(update(Measuring).where(*waiting).values(**corrected))
