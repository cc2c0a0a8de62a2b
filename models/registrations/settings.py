"""What administrators set about registrations (E-45…E-65)."""

from __future__ import annotations

from typing import Any

from app.engine.choices import Choice
from app.engine.fields import entry
from models.settings.catalogue import declare_parameter
from models.settings.menu import declare_number

GROUP = "渠道报备"


class SameType(Choice):
    """When an order type counts as assigned already (E-65)."""

    CATEGORY = "category", "品类相同"
    BRAND_CATEGORY = "brand_category", "品牌和品类都相同"


def _whole(low: int, high: int) -> Any:
    def wrong(value: Any) -> str:
        return "" if value is None or low <= value <= high else f"请填写{low}至{high}的整数"

    return wrong


DAILY_LIMIT = "registration.daily_limit"
TRACKING = "registration.tracking"
FOLLOW_UP_DAYS = "registration.follow_up_days"
PROTECTION_DAYS = "registration.protection_days"
SAME_TYPE = "registration.same_type"
IMPORT_ROWS = "registration.import_rows"
IMPORT_MEGABYTES = "registration.import_megabytes"

declare_parameter(
    entry(DAILY_LIMIT, "每人每日报备容量", "integer", hint="0或空表示不限；可在“报备容量”为个人另设"),
    0,
    GROUP,
    _whole(0, 10_000),
)
declare_parameter(entry(TRACKING, "启用客户跟踪", "bool"), True, GROUP)
declare_parameter(
    entry(FOLLOW_UP_DAYS, "下次跟踪默认天数", "integer", required=True), 3, GROUP, _whole(1, 365)
)
declare_parameter(
    entry(PROTECTION_DAYS, "审核成功后的保护天数", "integer", required=True, hint="0表示不保护"),
    30,
    GROUP,
    _whole(0, 3650),
)
declare_parameter(
    entry(
        SAME_TYPE,
        "重复指派的判断",
        choices=SameType,
        required=True,
        hint="同一客户线索的订货类型只能指派一次",
    ),
    SameType.CATEGORY.value,
    GROUP,
)
declare_parameter(
    entry(IMPORT_ROWS, "一次导入的最多行数", "integer", required=True), 1000, GROUP, _whole(1, 100_000)
)
declare_parameter(
    entry(IMPORT_MEGABYTES, "导入文件的最大容量", "integer", required=True, hint="单位为MB"),
    5,
    GROUP,
    _whole(1, 32),
)

for _page, _label, _number in (
    ("registrations", "渠道报备", "02"),
    ("registration-audit", "渠道报备审核", "03"),
    ("registration-statistics", "客户报备统计", "04"),
):
    declare_number(_page, _label, _number)
