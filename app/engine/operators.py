"""How conditions compare: the operators of each kind of column, and values as they are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from app.engine.actions import Refusal
from app.engine.choices import Choice
from app.engine.database import MAX_ID
from app.engine.fields import FieldSpec, normalise_phone
from app.engine.slots import bare

MAX_DAYS = 36_500
MAX_TEXT = 200


class Wrong(Refusal):
    """The condition cannot be understood or is not allowed; the sentence says which part."""


class Op(Choice):
    """How a term compares; the label is a pattern, each ``{}`` a place for values."""

    IS = "is", "是 {}"
    IS_NOT = "is_not", "不是 {}"
    ONE_OF = "one_of", "属于 {}"
    NONE_OF = "none_of", "不属于 {}"
    EMPTY = "empty", "为空"
    FILLED = "filled", "已填写"
    AT_LEAST = "at_least", "不小于 {}"
    AT_MOST = "at_most", "不大于 {}"
    BETWEEN = "between", "介于 {} 至 {}"
    SINCE = "since", "不早于 {}"
    UNTIL = "until", "不晚于 {}"
    WITHIN = "within", "在最近 {} 天内"
    OLDER = "older", "早于 {} 天前"
    COMING = "coming", "在今后 {} 天内"
    ANY_OF = "any_of", "包含任一 {}"
    ALL_OF = "all_of", "包含全部 {}"
    WITHOUT = "without", "不包含 {}"

    @property
    def places(self) -> int:
        """How many values stand in its words; those of a list count as one."""
        return self.label.count("{}")

    @property
    def many(self) -> bool:
        """Whether its value is a list."""
        return self in (Op.ONE_OF, Op.NONE_OF, *CONTAINING)

    @property
    def of_days(self) -> bool:
        """Whether its value is a number of days counted from today."""
        return self in (Op.WITHIN, Op.OLDER, Op.COMING)


CONTAINING = (Op.ANY_OF, Op.ALL_OF, Op.WITHOUT)
"""What is asked of several choices: whether they hold one, each or none of the values."""
FILLED_OR_NOT = (Op.EMPTY, Op.FILLED)
_EQUAL = (Op.IS, Op.IS_NOT, Op.ONE_OF, Op.NONE_OF, *FILLED_OR_NOT)
_NUMBER = (Op.IS, Op.IS_NOT, Op.AT_LEAST, Op.AT_MOST, Op.BETWEEN, *FILLED_OR_NOT)
_DAY = (Op.SINCE, Op.UNTIL, Op.BETWEEN, Op.WITHIN, Op.OLDER, Op.COMING, *FILLED_OR_NOT)
OPERATORS: Mapping[str, tuple[Op, ...]] = {
    "text": _EQUAL, "phone": _EQUAL, "choice": _EQUAL, "ref": _EQUAL, "bool": (Op.IS,), "textarea": FILLED_OR_NOT,
    "integer": _NUMBER, "money": _NUMBER, "number": _NUMBER, "date": _DAY, "datetime": _DAY,
    "choices": (*CONTAINING, *FILLED_OR_NOT),
}  # fmt: skip
"""What each kind of column can be asked."""


def typed_value(spec: FieldSpec, given: Any) -> Any:
    """A value as the column holds it; raises `Wrong` naming it."""
    try:
        reader: Callable[[FieldSpec, Any], Any] = _TYPED.get(spec.kind, _text)
        return reader(spec, given)
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        raise Wrong(f"“{str(given)[:20]}”不能用来比较“{spec.label}”") from None


def _text(spec: FieldSpec, given: Any) -> str:
    if not isinstance(given, str) or not given.strip() or len(given) > MAX_TEXT:
        raise ValueError
    return normalise_phone(given) if spec.kind == "phone" else given.strip()


def _choice(spec: FieldSpec, given: Any) -> Any:
    value = getattr(given, "value", given)
    if spec.choices is not None:
        return spec.choices.of(str(value))
    return _text(spec, value)


def _bool(_spec: FieldSpec, given: Any) -> bool:
    if not isinstance(given, bool):
        raise ValueError
    return given


def _integer(_spec: FieldSpec, given: Any) -> int:
    if isinstance(given, bool) or abs(int(given)) > MAX_ID or int(given) != Decimal(str(given)):
        raise ValueError
    return int(given)


def _money(_spec: FieldSpec, given: Any) -> Decimal:
    amount = Decimal(str(given))
    if not amount.is_finite() or amount.adjusted() >= 12 or amount != amount.quantize(Decimal("0.01")):
        raise ValueError
    return amount.quantize(Decimal("0.01"))


def _number(_spec: FieldSpec, given: Any) -> Decimal:
    number = Decimal(str(given))
    if not number.is_finite() or number.adjusted() >= 14 or number != number.quantize(Decimal("0.0001")):
        raise ValueError
    return bare(number)


def _day(_spec: FieldSpec, given: Any) -> date:
    day = given if isinstance(given, date) and not isinstance(given, datetime) else date.fromisoformat(given)
    if not 1900 <= day.year <= 2100:
        raise ValueError
    return day


def number_of_days(spec: FieldSpec, given: Any) -> int:
    """A number of days counted from today; raises `Wrong`."""
    try:
        days = _integer(spec, given)
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        days = -1
    if not 0 <= days <= MAX_DAYS:
        raise Wrong(f"“{spec.label}”的天数请填写0至{MAX_DAYS}的整数")
    return days


_TYPED: Mapping[str, Callable[[FieldSpec, Any], Any]] = {
    "choice": _choice, "bool": _bool, "integer": _integer, "ref": _integer, "number": _number, "money": _money, "date": _day,
    "datetime": _day, "choices": _choice,
}  # fmt: skip
