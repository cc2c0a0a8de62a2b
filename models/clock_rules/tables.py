"""Clock rules: what happens to records by itself, when, and that it happened."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped
from sqlalchemy.types import JSON

from app.engine.choices import Choice
from app.engine.database import Model
from app.engine.fields import Pk, column
from models.base import OF_GROUP, Audited, Dated, Shared, Steering, Versioned, once_for_all
from models.clock_rules.subjects import EFFECTS, SILENCERS, STARTS, SUBJECTS
from models.identity.for_all import UNTICKED

CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class Unit(Choice):
    """What a rule counts in; minutes and hours run exactly, the others by days of the calendar in China."""

    DAYS = "days", "天"
    WEEKS = "weeks", "周"
    MONTHS = "months", "个月"
    YEARS = "years", "年"
    HOURS = "hours", "小时"
    MINUTES = "minutes", "分钟"


class Direction(Choice):
    """On which side of its start a rule is due."""

    AFTER = "after", "之后"
    BEFORE = "before", "之前"


class Repeat(Choice):
    """Whether it is due again as long as nothing changes."""

    NONE = "none", "不重复"
    DAYS = "days", "每隔几天"
    YEARLY = "yearly", "每年"


def _in_words(
    at: str | None, amount: int | None, unit: Unit | None, direction: Direction | None, ahead: int | None,
    repeat: Repeat | None, every: int | None, *, now: datetime,
) -> str:  # fmt: skip
    """The times of a rule in one line: 之后7天，08:00，每天重复."""
    if unit is None or direction is None:
        return at or ""
    parts = [f"{direction.label}{amount}{unit.label}" if amount else "当时"]
    if ahead:
        parts.append(f"提前{ahead}天")
    parts.append(at or "精确到分钟")
    if repeat == Repeat.DAYS:
        parts.append("每天重复" if every == 1 else f"每{every}天重复")
    elif repeat == Repeat.YEARLY:
        parts.append("每年重复")
    return "，".join(parts)


class ClockRule(Shared, Steering, Audited, Versioned, Dated, Model):
    """One thing that happens by itself: to which records, when, and what (unified model, "Clock rules").

    Due is ``start ± amount unit``, ``ahead_days`` earlier, at the time of day ``at``; without a time of day
    exactly at the moment. A rule that ``replaces`` another takes its place where it is valid: the store's
    own before the dealer's before the group's.
    """

    __tablename__ = "clock_rules"
    __table_args__ = (
        UniqueConstraint("replaces_id", "dealer_id", "store_id"),
        once_for_all("clock_rules", "code", rule="code IS NOT NULL", name="code"),
    )

    id: Mapped[Pk]
    code: Mapped[str | None] = column("预置代码", String(48))
    name: Mapped[str] = column("规则名称", String(48))
    subject: Mapped[str] = column("适用对象", String(64), dictionary=SUBJECTS)
    condition: Mapped[dict[str, Any] | None] = column(
        "适用条件", JSON(none_as_null=True), kind="condition", wide=True, blank="全部记录",
        hint="每行一项要求，例如“阶段 属于 跟进中、订单客户”，全部满足才适用；同一行可用“或者”连接多种情况，"
        "行首写“非”表示不满足；不填写则适用全部记录",
    )  # fmt: skip
    start: Mapped[str] = column("起算时间", String(48), dictionary=STARTS, parent="subject")
    amount: Mapped[int] = column("时长", Integer, default=7, minimum=0, maximum=3660)
    unit: Mapped[Unit] = column("时长单位", choices=Unit, default=Unit.DAYS)
    direction: Mapped[Direction] = column("之前或之后", choices=Direction, default=Direction.AFTER)
    ahead_days: Mapped[int] = column(
        "提前天数",
        Integer,
        default=0,
        minimum=0,
        maximum=366,
        unit="天",
        hint="提前多少天执行，例如提前30天提醒",
    )
    at: Mapped[str | None] = column(
        "执行时间", String(5), shown=_in_words,
        beside=("amount", "unit", "direction", "ahead_days", "repeat", "every_days"),
        hint="当天的时刻，例如 08:00；不填写则精确到分钟，在到期的那一分钟执行",
    )  # fmt: skip
    repeat: Mapped[Repeat] = column("重复", choices=Repeat, default=Repeat.NONE)
    every_days: Mapped[int] = column(
        "重复间隔", Integer, default=1, minimum=1, maximum=366, unit="天", hint="仅用于“每隔几天”重复"
    )
    effect: Mapped[str] = column(
        "执行内容", String(48), dictionary=EFFECTS,
        hint="默认提醒每人每次一条，列出全部到期记录；其他内容对每条到期记录执行一次",
    )  # fmt: skip
    parameters: Mapped[dict[str, Any] | None] = column(
        "执行参数", JSON(none_as_null=True), kind="parameters", wide=True,
        hint="每行一项，例如“任务标题：回访”；可用的项目取决于执行内容",
    )  # fmt: skip
    silenced_by: Mapped[str | None] = column("何时暂停", String(48), dictionary=SILENCERS, parent="subject")
    replaces_id: Mapped[int | None] = column(
        "替代规则",
        ForeignKey("clock_rules.id"),
        shown_when=UNTICKED,
        hint="在本商场或本门店以此规则替代所选的上级规则",
    )
    dealer_id: Mapped[int | None] = column("适用商场", ForeignKey("dealers.id"), blank=OF_GROUP)
    store_id: Mapped[int | None] = column(
        "适用门店", ForeignKey("stores.id"), blank="全部门店", shown_when=UNTICKED
    )
    active: Mapped[bool] = column("启用", Boolean, default=True)
    sort: Mapped[int] = column("排序", Integer, default=100)


class ClockFiring(Model):
    """That a rule has come due for a record, once per due moment however often it is looked for."""

    __tablename__ = "clock_firings"
    __table_args__ = (
        UniqueConstraint("rule_id", "record_id", "due"),
        Index("ix_clock_firings_due", "due"),
    )

    id: Mapped[Pk]
    rule_id: Mapped[int] = column("规则", ForeignKey("clock_rules.id", ondelete="CASCADE"))
    record_id: Mapped[int] = column("记录编号", Integer)
    due: Mapped[datetime] = column("到期时间")
    fired_at: Mapped[datetime] = column("执行时间")


class ClockSweep(Model):
    """Up to which moment a rule has been carried out."""

    __tablename__ = "clock_sweeps"

    rule_id: Mapped[int] = column("规则", ForeignKey("clock_rules.id", ondelete="CASCADE"), primary_key=True)
    until: Mapped[datetime] = column("已执行到")
