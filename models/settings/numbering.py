"""How each dealer writes its running numbers: prefix and digits as parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.engine.fields import entry
from app.engine.numbers import SCHEMES, Scheme, provide_schemes, upcoming
from models.settings.catalogue import Effect, declare_parameter, provide_effect
from models.settings.queries import parameter

GROUP = "编号规则"
_PREFIX = re.compile(r"[A-Z0-9]{1,6}")
_FEWEST, _MOST = 3, 8


def _wrong_prefix(value: Any) -> str:
    return "" if _PREFIX.fullmatch(value or "") else "前缀为1至6位大写字母或数字"


def _wrong_digits(value: Any) -> str:
    return "" if value is not None and _FEWEST <= value <= _MOST else f"位数为{_FEWEST}至{_MOST}"


def scheme(session: Session, name: str, dealer_id: int) -> Scheme | None:
    """The dealer's way of writing that number. A changed prefix holds for new records; the count runs
    on, so no number is given twice."""
    standard = SCHEMES[name]
    return Scheme(
        parameter(session, f"number.{name}.prefix", dealer_id),
        standard.label,
        standard.period,
        parameter(session, f"number.{name}.digits", dealer_id),
        standard.between,
    )


def _next(name: str) -> Effect:
    def said(session: Session, dealer_id: int, values: Mapping[str, Any], now: datetime) -> str:
        standard = SCHEMES[name]
        rule = replace(
            standard, prefix=values[f"number.{name}.prefix"], digits=values[f"number.{name}.digits"]
        )
        return f"下一个编号：{upcoming(session, name, dealer_id, now, rule)}；已有编号不变"

    return said


for _name, _scheme in SCHEMES.items():
    declare_parameter(
        entry(f"number.{_name}.prefix", f"{_scheme.label}前缀", required=True, maxlength=6),
        _scheme.prefix,
        GROUP,
        _wrong_prefix,
    )
    declare_parameter(
        entry(f"number.{_name}.digits", f"{_scheme.label}流水位数", "integer", required=True),
        _scheme.digits,
        GROUP,
        _wrong_digits,
    )
    provide_effect(f"number.{_name}.prefix", _next(_name))
provide_schemes(scheme)
