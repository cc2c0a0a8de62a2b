"""The numbers some pages have in the menu and on their tabs, as parameters (E-94)."""

from __future__ import annotations

import re
from typing import Any

from app.engine.chrome import provide_numbers
from app.engine.database import db
from app.engine.fields import entry
from models.settings.catalogue import declare_parameter
from models.settings.queries import parameter

GROUP = "菜单编号"
_NUMBER = re.compile(r"\d{1,3}", re.ASCII)
_keys: dict[str, str] = {}


def declare_number(page: str, label: str, number: str) -> None:
    """Give the page with this key of the menu a number, once, at import; it stays with the page whatever is
    opened before it."""
    _keys[page] = key = f"menu.number.{page}"
    hint = "显示在菜单与页面标签上，留空则不显示"
    declare_parameter(entry(key, f"“{label}”的编号", maxlength=3, hint=hint), number, GROUP, _wrong)


def _wrong(value: Any) -> str:
    return "" if not value or _NUMBER.fullmatch(value) else "编号为1至3位数字"


def _number(page: str, dealer_id: int | None) -> str:
    key = _keys.get(page)
    return (parameter(db.session(), key, dealer_id) or "") if key is not None else ""


provide_numbers(_number)
