"""Numbers by which people are called: how they are compared, stored and judged."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import String
from sqlalchemy.types import TypeDecorator

_PHONE_NOISE = re.compile(r"[\s\-－—()（）]+")
_MOBILE = re.compile(r"1\d{10}")
_LANDLINE = re.compile(r"(010|02\d)(\d{8})|(0[3-9]\d{2})(\d{7,8})", re.ASCII)
_TELEPHONE = re.compile(r"\d{7,16}", re.ASCII)


def normalise_phone(text: str) -> str:
    """A phone as compared and stored: no blanks, dashes or +86, half-width digits (A-09)."""
    if len(text) == 11 and text.isascii() and text.isdigit():
        return text
    digits = _PHONE_NOISE.sub("", text.translate(_FULL_WIDTH))
    for prefix in ("+86", "0086"):
        digits = digits.removeprefix(prefix)
    return digits


def is_mobile(text: str) -> bool:
    """True for 11 digits starting with 1 (A-09)."""
    return _MOBILE.fullmatch(text) is not None


def is_telephone(text: str) -> bool:
    """True for a number of any kind, also with area code and extension (E-27)."""
    return _TELEPHONE.fullmatch(text) is not None


def is_landline(text: str) -> bool:
    """True for a landline with its area code, as it is stored."""
    return _LANDLINE.fullmatch(text) is not None


def as_dialled(number: str) -> str:
    """A stored number as people write it: a landline with a dash behind its area code."""
    found = _LANDLINE.fullmatch(number)
    return "-".join(part for part in found.groups() if part) if found else number


_FULL_WIDTH = {ord(c): chr(ord(c) - 0xFEE0) for c in "０１２３４５６７８９＋－"}


class PhoneType(TypeDecorator[str]):
    """A normalised phone number."""

    impl = String(20)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return normalise_phone(value) if value else None
