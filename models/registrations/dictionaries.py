"""The dictionaries of leads, with what every dealer starts with; administrators change them (E-07)."""

from __future__ import annotations

from models.registrations.tables import SOURCES
from models.settings.catalogue import declare_dictionary

GROUP = "渠道报备"

declare_dictionary("registration.source", "报备客户来源", SOURCES, group=GROUP)
declare_dictionary(
    "registration.tracking",
    "报备跟踪状态",
    ("待跟踪", "继续跟踪", "跟进", "已约到店", "暂无意向"),
    group=GROUP,
)
