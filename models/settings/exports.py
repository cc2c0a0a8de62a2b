"""What a dealer decides about files that leave: how large at once, how large without approval, how long kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.engine.exports import Limits, provide_limits
from app.engine.fields import entry
from models.settings.catalogue import declare_parameter
from models.settings.queries import parameter

GROUP = "导出"
MOST_AT_ONCE, MOST_DAYS = 5_000, 365
_USUAL = Limits()


def _wrong_at_once(value: Any) -> str:
    return "" if 0 <= value <= MOST_AT_ONCE else f"请填写 0 到 {MOST_AT_ONCE} 之间的整数"


def _wrong_approval(value: Any) -> str:
    return "" if value >= 0 else "请填写 0 或更大的整数，0 表示不需要审批"


def _wrong_days(value: Any) -> str:
    return "" if 1 <= value <= MOST_DAYS else f"请填写 1 到 {MOST_DAYS} 之间的整数"


declare_parameter(
    entry(
        "export.at_once", "直接下载的最多行数", "integer", required=True, hint="更多行的导出在任务中心进行"
    ),
    _USUAL.at_once,
    GROUP,
    _wrong_at_once,
)
declare_parameter(
    entry(
        "export.approval",
        "导出审批行数",
        "integer",
        required=True,
        hint="超过此行数的导出需要审批，0 表示不需要",
    ),
    _USUAL.approval,
    GROUP,
    _wrong_approval,
)
declare_parameter(
    entry("export.days", "文件保留天数", "integer", required=True, hint="到期后自动删除"),
    _USUAL.days,
    GROUP,
    _wrong_days,
)


def limits(session: Session, dealer_id: int | None) -> Limits:
    """The settings as they hold for the dealer."""
    return Limits(
        int(parameter(session, "export.at_once", dealer_id)),
        int(parameter(session, "export.approval", dealer_id)),
        int(parameter(session, "export.days", dealer_id)),
    )


provide_limits(limits)
