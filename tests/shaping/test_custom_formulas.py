"""The language of formulas: what is worked out, what is refused, and that nothing of it reaches further."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.engine.formula_reading import LONGEST, read
from app.engine.formulas import Known, Type, Wrong, circle

KNOWN = {
    "面积": Known("number_1", Type.NUMBER),
    "单价": Known("number_2", Type.NUMBER),
    "开工": Known("date_1", Type.DAY),
    "完工": Known("date_2", Type.DAY),
    "姓名": Known("name", Type.TEXT),
    "样板间": Known("flag_1", Type.FLAG),
    "阶段": Known("text_1", Type.CHOICE, {"水电": "sd", "木工": "mg"}),
}
RECORD = {
    "number_1": Decimal("89.5"), "number_2": Decimal(100), "date_1": date(2026, 3, 1), "date_2": date(2026, 3, 31),
    "name": "张女士", "flag_1": True, "text_1": "sd",
}  # fmt: skip


def value(text: str, **held: Any) -> Any:
    """What a formula comes to."""
    return read(text, KNOWN).value({**RECORD, **held}.get)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[面积] * [单价]", Decimal(8950)),
        ("面积 × 单价 ÷ 3", Decimal("2983.3333")),
        ("1 + 2 × 3 − 4 ÷ 2", Decimal(5)),
        ("-(1 + 2) * -2", Decimal(6)),
        ("四舍五入(面积, 0)", Decimal(90)),
        ("天数([开工], [完工])", Decimal(30)),
        ("完工 - 开工", Decimal(30)),
        ("开工 + 10", date(2026, 3, 11)),
        ("最大(面积, 单价, 95)", Decimal(100)),
        ("最小(开工, 完工)", date(2026, 3, 1)),
        ('姓名 & "的" & 面积 & "㎡"', "张女士的89.5㎡"),
        ("拼接(姓名, 样板间, 开工)", "张女士是2026-03-01"),
        ("如果(面积 > 80 且 样板间, 单价 * 0.9, 单价)", Decimal(90)),
        ('如果(阶段 = "水电", "早", "晚")', "早"),
        ('阶段 ≠ "水电" 或 非 样板间', False),
        ("绝对值(面积 - 单价)", Decimal("10.5")),
        ("为空(姓名)", False),
    ],
)
def test_what_is_worked_out(text: str, wanted: Any) -> None:
    assert value(text) == wanted


@pytest.mark.parametrize(
    ("text", "held", "wanted"),
    [
        ("面积 * 单价", {"number_1": None}, None),
        ("面积 ÷ 单价", {"number_2": Decimal(0)}, None),
        ("面积 > 80", {"number_1": None}, False),
        ("面积 ≠ 80", {"number_1": None}, True),
        ("最大(面积, 单价)", {"number_1": None}, Decimal(100)),
        ('姓名 & "！"', {"name": ""}, "！"),
        ("如果(样板间, 1, 2)", {"flag_1": None}, Decimal(2)),
        ("为空(开工)", {"date_1": None}, True),
        ("开工 + 9999999", {}, None),
        ("面积 * 999999999999999 * 999999999999999 * 999999999999999", {}, None),
        ("开工", {"date_1": datetime(2026, 3, 1, 18)}, date(2026, 3, 2)),
    ],
)
def test_what_is_empty_or_out_of_bounds_is_no_error(text: str, held: dict[str, Any], wanted: Any) -> None:
    assert value(text, **held) == wanted


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "请填写公式"),
        ("面积 *", "不完整"),
        ("(面积", "缺少右括号"),
        ("面积 单价", "多余"),
        ("总价 + 1", "没有可用于公式的字段“总价”"),
        ("面积 + 姓名", "不能用于文本"),
        ("面积 = 姓名", "类型不同"),
        ("如果(面积, 1, 2)", "需要是/否"),
        ("如果(样板间, 1, 姓名)", "类型不同"),
        ("天数(开工)", "需要2个参数"),
        ("阶段", "只能与选项比较"),
        ('阶段 = "封顶"', "没有选项“封顶”"),
        ("姓名 > 姓名", "只能比较数字或日期"),
        ("eval(1)", "没有函数“eval”"),
        ("__import__(1)", "没有函数"),
        ("面积.__class__", "无法识别"),
        ("[面积][0]", "多余"),
        ("lambda: 1", "无法识别"),
        ("面积 if 样板间 else 1", "多余"),
        ("`id`", "无法识别"),
        ("(" * 40 + "1" + ")" * 40, "最多16层"),
        ("1+" * 60 + "1", "公式过长"),
        ("1" * (LONGEST + 1), "不能超过"),
    ],
)
def test_what_means_nothing_is_refused_in_words(text: str, word: str) -> None:
    with pytest.raises(Wrong) as refused:
        read(text, KNOWN)
    assert word in refused.value.message


@pytest.mark.parametrize(
    "text",
    [
        "(面积 + 1) × (单价 − 2) ÷ -3",
        "面积 - (单价 - 1) - 2",
        "(面积 > 1) = (单价 > 2)",
        '如果(阶段 = "水电" 或 样板间 且 非 (面积 < 3), 姓名 & "a", "b")',
        "四舍五入(最大(面积, 2) / 3, 2)",
    ],
)
def test_what_is_stored_reads_as_it_was_written(text: str) -> None:
    """By names as they are stored, and by labels as people read it: the same formula every time."""
    first = read(text, KNOWN)
    stored = first.written(lambda name: name)
    names = {k.name: Known(k.name, Type.TEXT if k.type is Type.CHOICE else k.type) for k in KNOWN.values()}
    assert read(stored, names).value(RECORD.get) == first.value(RECORD.get)
    labels = {k.name: label for label, k in KNOWN.items()}
    shown = first.written(labels.__getitem__, lambda _field, option: {"sd": "水电", "mg": "木工"}[option])
    assert read(shown, KNOWN) == first


def test_a_circle_is_named_with_its_way() -> None:
    above = {"a": frozenset("b"), "b": frozenset("cd"), "c": frozenset("a"), "d": frozenset()}
    assert circle("a", above) == ["a", "b", "c", "a"]
    assert circle("d", above) == []
