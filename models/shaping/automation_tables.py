"""Automations: when something happens to a record, and it is so, then this follows; and that it followed.

What follows stands in columns of its own, a set of them for each of the `STEPS`: so history, undoing, files of the
configuration and references hold for them as for any other column.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint, true
from sqlalchemy.orm import Mapped
from sqlalchemy.types import JSON

from app.engine.automating import CHANGED
from app.engine.choices import Choice, Tone
from app.engine.database import Model
from app.engine.fields import Pk, column
from models.base import OF_GROUP, Audited, Dated, Shared, Steering, Versioned, once_for_all
from models.identity.for_all import TICKED, UNTICKED
from models.shaping.automation_parts import DOINGS, EVENTS, SETTABLE, SUBJECTS, WATCHED
from models.shaping.automation_roles import PRESETS

STEPS = (1, 2, 3)
"""So many things may follow from one event, one after the other."""


class Automation(Shared, Steering, Audited, Versioned, Dated, Model):
    """What follows by itself when something happens (issue: administrators shape it without code).

    It works with the rights of whoever saved it last, ``author_id``, and with no others. One of a dealer that
    ``replaces`` one of the group takes its place there, and switched off says that the dealer does without; the
    group's says whether that is ``optional``.
    """

    __tablename__ = "automations"
    __table_args__ = (
        UniqueConstraint("dealer_id", "name"),
        once_for_all("automations", "name"),
        Index("uq_automations_replaces_id_dealer_id", "replaces_id", "dealer_id", unique=True),
    )

    id: Mapped[Pk]
    name: Mapped[str] = column("名称", String(32))
    subject: Mapped[str] = column("对象", String(64), dictionary=SUBJECTS)
    event: Mapped[str] = column("事件", String(48), dictionary=EVENTS, parent="subject")
    watched: Mapped[str | None] = column(
        "变化的字段", String(48), dictionary=WATCHED, parent="subject", shown_when=f"event={CHANGED}",
        needed_when=f"event={CHANGED}",
    )  # fmt: skip
    condition: Mapped[dict[str, Any] | None] = column(
        "条件", JSON(none_as_null=True), kind="condition", wide=True, blank="不限",
        hint="每行一项要求，例如“阶段 属于 跟进中、订单客户”，全部满足才执行；同一行可用“或者”连接多种情况，"
        "行首写“非”表示不满足；不填写则不限",
    )  # fmt: skip
    active: Mapped[bool] = column("启用", Boolean, default=True)
    dealer_id: Mapped[int | None] = column("适用商场", ForeignKey("dealers.id"), blank=OF_GROUP)
    replaces_id: Mapped[int | None] = column(
        "替代自动化", ForeignKey("automations.id"), shown_when=UNTICKED,
        hint="本商场以此项代替所选的集团自动化；停用此项，则两项在本商场都不执行",
    )  # fmt: skip
    optional: Mapped[bool] = column(
        "商场可停用",
        Boolean,
        default=True,
        server_default=true(),
        shown_when=TICKED,
        hint="集团的自动化，商场能否停用或以自己的替代",
    )
    author_id: Mapped[int | None] = column("保存人", ForeignKey("ab_user.id"))


def _label(label: str, n: int) -> str:
    """The first step's inputs have plain names; those of the others say whose they are."""
    return label if n == 1 else f"{label}（第{n}项）"


def add_input(name: str, label: str, *args: Callable[[], Any], **traits: Any) -> None:
    """Give every step an input of that name, once, at import: a column of its own. ``args`` make its type and
    foreign key."""
    for n in STEPS:
        made = column(_label(label, n), *(make() for make in args), nullable=True, **traits)
        setattr(Automation, f"{name}_{n}", made)
    INPUTS.append(name)


INPUTS: list[str] = []
"""What steps are made of, in the order of the form; the first is what is done."""

add_input("do", "动作", lambda: String(32), dictionary=DOINGS, parent="subject")
add_input("person", "人员", lambda: Integer(), lambda: ForeignKey("ab_user.id"))
add_input("role", "角色", lambda: Integer(), lambda: ForeignKey("ab_role.id"), opens_when=UNTICKED)
add_input(
    "preset", "通用角色", lambda: String(48), dictionary=PRESETS, opens_when=TICKED,
    hint="集团通用的自动化填写，在各商场执行时指该商场自己的这个角色",
)  # fmt: skip
add_input("field", "修改的字段", lambda: String(48), dictionary=SETTABLE, parent="subject")
add_input(
    "value", "改为", lambda: String(200), placeholder="留空表示清空",
    hint="按表单中的写法填写：选项写名称，是/否写“是”或“否”，日期写 2026-01-31 或“3天后”",
)  # fmt: skip
add_input("title", "任务标题", lambda: String(60))
add_input("days", "几天后到期", lambda: Integer(), minimum=0, maximum=366, unit="天")
add_input("words", "提醒内容", lambda: String(80))
add_input("url", "接口地址", lambda: String(300), wide=True, placeholder="https://")


class Outcome(Choice):
    """How one run of an automation ended."""

    DONE = "done", "已执行", Tone.GOOD
    SKIPPED = "skipped", "已跳过", Tone.MUTED
    STOPPED = "stopped", "防循环停止", Tone.WARN
    REFUSED = "refused", "未能执行", Tone.BAD


class AutomationRun(Model):
    """That an automation ran for a record, how it ended and why. ``key`` names the row of the outbox that asked
    for it and the record: one event is worked on once."""

    __tablename__ = "automation_runs"
    __table_args__ = (Index("ix_automation_runs_person", "automation_id", "person_id", "id"),)

    id: Mapped[Pk]
    automation_id: Mapped[int] = column(
        "自动化", ForeignKey("automations.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[datetime] = column("时间")
    outcome: Mapped[Outcome] = column("结果", choices=Outcome)
    resource: Mapped[str] = column("对象", String(64), dictionary=SUBJECTS)
    record_id: Mapped[int] = column("记录编号", Integer)
    record_label: Mapped[str] = column("记录", String(160))
    event: Mapped[str] = column("事件", String(48))
    reason: Mapped[str] = column("说明", Text, default="", wide=True)
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"))
    person_id: Mapped[int | None] = column("分配给", ForeignKey("ab_user.id"))
    deed_id: Mapped[str | None] = column("操作批次", String(32))
    key: Mapped[str | None] = column("事件编号", String(32), unique=True)
