"""What somebody typed into one input, read by its kind; `Wrong` says what is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.engine.actions import Refusal
from app.engine.database import MAX_ID
from app.engine.fields import FieldSpec
from app.engine.localtime import local, to_utc
from app.engine.phones import is_mobile, is_telephone, normalise_phone
from app.engine.slots import bare

if TYPE_CHECKING:
    from app.engine.forms import Context

PHONE_ERROR = "请输入正确的手机号码"
TELEPHONE_ERROR = "电话格式不正确"
MAX_MEMBERS = 200
MAX_TEXTAREA = 5000
MOST_MONEY = Decimal("99999999.99")
MOST_NUMBER = Decimal("99999999999999")
_CENT, _SMALLEST = Decimal("0.01"), Decimal("0.0001")
_WIDE = str.maketrans("０１２３４５６７８９．－＋，", "0123456789.-+,")
_JOINER = "\u200d"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Wrong(Exception):
    """A value cannot be what was typed; ``message`` says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def tidy(text: str) -> str:
    """The text without what nobody sees, and with one kind of line ends."""
    text = _CONTROL.sub("", str(text)).replace("\r\n", "\n").replace("\r", "\n")
    return _visible(text).strip()


def _visible(text: str) -> str:
    """The text without characters nobody sees (a name of zero-width spaces is no name, D-11); only the
    joiner between two pictures of one emoji stays."""
    if text.isprintable():
        return text
    return "".join(
        c for at, c in enumerate(text) if unicodedata.category(c) != "Cf" or _joins_pictures(text, at)
    )


def _joins_pictures(text: str, at: int) -> bool:
    kinds = [unicodedata.category(c) for c in (text[at - 1 : at] or " ", text[at + 1 : at + 2] or " ")]
    return text[at] == _JOINER and kinds[0] in ("So", "Sk", "Mn") and kinds[1] == "So"


def plain(spec: FieldSpec, text: str, _context: Context) -> str:
    """A text of the length that its column takes."""
    if spec.pattern and re.fullmatch(spec.pattern, text) is None:
        raise Wrong(spec.wrong or "格式不正确")
    limit = spec.maxlength or (MAX_TEXTAREA if spec.kind == "textarea" else 255)
    if spec.kind != "textarea":
        text = " ".join(text.split())
    if len(text) > limit:
        raise Wrong(f"不能超过{limit}个字，现有{len(text)}个字")
    return text


def _phone(spec: FieldSpec, text: str, _context: Context) -> str:
    phone = normalise_phone(text)
    if not is_mobile(phone):
        raise Wrong(spec.wrong or PHONE_ERROR)
    return phone


def _telephone(spec: FieldSpec, text: str, context: Context) -> str:
    if not is_telephone(normalise_phone(text)):
        raise Wrong(spec.wrong or TELEPHONE_ERROR)
    return plain(spec, text, context)


def many_texts(spec: FieldSpec, given: list[str]) -> list[str]:
    """Several plain values, each once."""
    if len(given) > MAX_MEMBERS:
        raise Wrong(f"最多{MAX_MEMBERS}项")
    if spec.kind == "texts":
        return list(dict.fromkeys(given))
    phones = [normalise_phone(t) for t in given]
    if not all(is_mobile(p) for p in phones):
        raise Wrong(PHONE_ERROR)
    return list(dict.fromkeys(phones))


def _integer(spec: FieldSpec, text: str, _context: Context) -> int:
    text = text.translate(_WIDE).replace(",", "")
    if not re.fullmatch(r"[+-]?\d{1,40}", text, re.ASCII):
        raise Wrong("请输入整数")
    number = int(text)
    _within(spec, number, -MAX_ID, MAX_ID)
    return number


def _within(spec: FieldSpec, number: Decimal | int, low: Decimal | int, high: Decimal | int) -> None:
    """Raise for a number outside of the declared bounds; without any those of the column hold."""
    low = low if spec.minimum is None else spec.minimum
    high = high if spec.maximum is None else spec.maximum
    if number < low:
        raise Wrong(f"不能小于{low:,}")
    if number > high:
        raise Wrong(f"不能大于{high:,}")


def _money(spec: FieldSpec, text: str, _context: Context) -> Decimal:
    text = text.translate(_WIDE).replace(",", "").lstrip("¥￥").strip()
    if not re.fullmatch(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})", text, re.ASCII):
        raise Wrong("请输入金额，例如 1000 或 1000.50")
    amount = Decimal(text)
    _within(spec, amount, -MOST_MONEY, MOST_MONEY)
    if amount != amount.quantize(_CENT):
        raise Wrong("金额最多两位小数")
    return amount.quantize(_CENT)


def _date(spec: FieldSpec, text: str, context: Context) -> date:
    try:
        day = date.fromisoformat(text[:10].replace("/", "-"))
    except ValueError:
        raise Wrong("请输入日期，例如 2026-11-22") from None
    if not 1900 <= day.year <= 2100:
        raise Wrong("日期超出范围")
    if spec.future and day < local(context.now).date() and day != getattr(context.record, spec.name, None):
        raise Wrong("不能早于今天")
    return day


def _datetime(spec: FieldSpec, text: str, context: Context) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise Wrong("请输入时间，例如 2026-11-22 09:30") from None
    if not 1900 <= moment.year <= 2100:
        raise Wrong("时间超出范围")
    stored = to_utc(moment)
    if spec.future and stored <= context.now:
        raise Wrong("请选择将来的时间")
    return stored


def _number(spec: FieldSpec, text: str, _context: Context) -> Decimal:
    text = text.translate(_WIDE).replace(",", "")
    if not re.fullmatch(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})", text, re.ASCII):
        raise Wrong("请输入数字，例如 89 或 89.5")
    number = Decimal(text)
    _within(spec, number, -MOST_NUMBER, MOST_NUMBER)
    if number != number.quantize(_SMALLEST):
        raise Wrong("最多四位小数")
    return bare(number)


Reader = Callable[[FieldSpec, str, "Context"], Any]
READERS: dict[str, Reader] = {
    "phone": _phone,
    "telephone": _telephone,
    "integer": _integer,
    "money": _money,
    "number": _number,
    "date": _date,
    "datetime": _datetime,
}
_lines: dict[str, Reader] = {}
_single: set[str] = set()


def typed_as_lines(kind: str, reader: Reader, *, single: bool = False) -> None:
    """Have fields of a kind typed as lines of words, or as a ``single`` one; ``reader`` makes the value and raises
    `Refusal` with what is wrong with them. How such a value reads stands in `guards.derived`."""
    _lines[kind] = reader
    if single:
        _single.add(kind)


def is_lines(spec: FieldSpec) -> bool:
    """Whether the field is typed as lines of words."""
    return spec.kind in _lines


def drawn_as(spec: FieldSpec) -> str:
    """The kind of input in which the field is typed."""
    if not is_lines(spec):
        return spec.kind
    return "text" if spec.kind in _single else "textarea"


def read_lines(spec: FieldSpec, text: str, context: Context) -> Any:
    """The value of such a field."""
    if len(text) > MAX_TEXTAREA:
        raise Wrong(f"不能超过{MAX_TEXTAREA}个字，现有{len(text)}个字")
    try:
        return _lines[spec.kind](spec, text, context)
    except Refusal as refusal:
        raise Wrong(refusal.message) from refusal
