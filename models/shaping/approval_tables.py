"""What needs approval, and what waits for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, DateTime, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.engine.approving import Deed, candidates, deeds_of
from app.engine.choices import Choice, Entry, Tone, declare_entries
from app.engine.database import Model
from app.engine.fields import CreatedAt, Links, Pk, column
from app.engine.permissions import place_of
from models.base import OF_GROUP, Audited, Dated, Steering, Versioned, once_for_all

SUBJECTS, DEEDS = "approval.subjects", "approval.deeds"


class ApprovalFlow(Steering, Audited, Versioned, Dated, Model):
    """Which deed waits for whose word: the steps are asked one after the other. A dealer's own go before those
    of the group, which hold for everybody."""

    __tablename__ = "approval_flows"
    __table_args__ = (
        Index("uq_approval_flows_dealer_id_name", "dealer_id", "name", unique=True),
        once_for_all("approval_flows", "name"),
    )

    id: Mapped[Pk]
    name: Mapped[str] = column("流程名称", String(32))
    subject: Mapped[str] = column("对象", String(64), dictionary=SUBJECTS)
    deed: Mapped[str] = column("需审批的操作", String(64), dictionary=DEEDS, parent="subject")
    condition: Mapped[dict[str, Any] | None] = column(
        "适用条件", JSON(none_as_null=True), kind="approval_condition", wide=True, blank="全部",
        hint="每行一项要求，全部满足才需要审批，例如“金额 不小于 5000”；本次填写的内容以“本次”开头，例如“本次记录数 "
        "不小于 10”，编辑时“本次”指改后的内容；不填写则每次都需要审批",
    )  # fmt: skip
    watched: Mapped[dict[str, Any] | None] = column(
        "改动的字段", JSON(none_as_null=True), kind="approval_fields", wide=True,
        placeholder="字段名称，多个用顿号隔开",
        hint="仅用于编辑：改动了所选的任一字段才需要审批；不选则改动任一字段都需要审批",
    )  # fmt: skip
    steps: Mapped[list[dict[str, Any]]] = column(
        "审批步骤", JSON, kind="approval_steps", wide=True, required=True,
        hint="依次审批。填写了时限的步骤，超时未处理即转下一步；最后一步不填时限",
    )  # fmt: skip
    active: Mapped[bool] = column("启用", Boolean, default=True)
    sort: Mapped[int] = column(
        "排序", Integer, default=100, minimum=0, maximum=9999, hint="同一操作有多个流程时，先用排序较小的"
    )
    dealer_id: Mapped[int | None] = column("适用商场", ForeignKey("dealers.id"), blank=OF_GROUP)


class RequestState(Choice):
    """How a request stands."""

    WAITING = "waiting", "审批中", Tone.WARN
    VACANT = "vacant", "无人审批", Tone.BAD
    DONE = "done", "已通过", Tone.GOOD
    REFUSED = "refused", "未通过", Tone.BAD
    WITHDRAWN = "withdrawn", "已撤回", Tone.MUTED
    FAILED = "failed", "执行未成功", Tone.BAD


UNDECIDED = (RequestState.WAITING, RequestState.VACANT)
"""It is still somebody's turn: of a step's people, or of those who look after approvals where none is left."""


class ApprovalRequest(Audited, Versioned, Dated, Model):
    """A deed that somebody wants done and that waits for the word of others.

    ``asked``, ``records`` and ``answers`` are the deed itself, ``steps`` those of its flow at that moment;
    ``round`` counts how often it was asked anew because a record had changed. ``changes`` are the rows of the
    history that the deed would write, shown through the gate like these; ``trail`` is what happened to the request,
    step by step.
    """

    __tablename__ = "approval_requests"
    __table_args__ = (Index("ix_approval_requests_subject_state", "subject", "state"),)

    id: Mapped[Pk]
    created_at: Mapped[CreatedAt] = column("申请时间", DateTime)
    title: Mapped[str] = column("申请", String(160))
    flow_name: Mapped[str] = column("审批流程", String(32))
    subject: Mapped[str] = column("对象", String(64), dictionary=SUBJECTS)
    state: Mapped[RequestState] = column("状态", choices=RequestState, default=RequestState.WAITING)
    stage: Mapped[str] = column("当前步骤", String(120), default="")
    due_at: Mapped[datetime | None] = column("转下一步时间", DateTime)
    last_word: Mapped[str | None] = column("最近意见", String(300))
    result: Mapped[str | None] = column("执行结果", Text)
    applicant_id: Mapped[int] = column("申请人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    trail: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    flow_id: Mapped[int | None] = mapped_column(ForeignKey("approval_flows.id", ondelete="SET NULL"))
    deed: Mapped[str] = mapped_column(String(64))
    asked: Mapped[dict[str, Any]] = mapped_column(JSON)
    records: Mapped[list[list[Any]]] = mapped_column(JSON)
    answers: Mapped[list[str]] = mapped_column(JSON)
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    step: Mapped[int] = mapped_column(default=0)
    round: Mapped[int] = mapped_column(default=1)
    deed_id: Mapped[str | None] = mapped_column(String(32))


class SeatState(Choice):
    """What became of somebody's turn."""

    OPEN = "open", "待审批", Tone.WARN
    AGREED = "agreed", "同意", Tone.GOOD
    REFUSED = "refused", "不同意", Tone.BAD
    PASSED = "passed", "未处理", Tone.MUTED


class ApprovalSeat(Model):
    """Somebody's turn at one step of a request; a second round is a turn of its own."""

    __tablename__ = "approval_seats"
    __table_args__ = (
        Index("uq_approval_seats_turn", "request_id", "user_id", unique=True),
        Index("ix_approval_seats_user_id_state", "user_id", "state", "request_id"),
    )

    id: Mapped[Pk]
    request_id: Mapped[int] = column("申请", ForeignKey("approval_requests.id", ondelete="CASCADE"))
    user_id: Mapped[int] = column("审批人", ForeignKey("ab_user.id"))
    state: Mapped[SeatState] = column("结果", choices=SeatState, default=SeatState.OPEN)
    step: Mapped[int] = mapped_column(default=0)


SEATS = Links("approvers", "审批人", left=ApprovalSeat.request_id, right=ApprovalSeat.user_id)


def _subjects() -> tuple[Entry, ...]:
    return tuple(Entry(r.name, r.label) for r in sorted(candidates(), key=place_of))


def _deeds() -> tuple[Entry, ...]:
    found = sorted(candidates(), key=place_of)
    return tuple(Entry(d.name, d.label, parent=r.name) for r in found for d in deeds_of(r).values())


def deed_words(deed: Deed) -> str:
    """The deed in words, with what it is done to."""
    what = deed.resource.label
    return deed.label if what in deed.label else f"{what}·{deed.label}"


declare_entries(SUBJECTS, _subjects)
declare_entries(DEEDS, _deeds)
