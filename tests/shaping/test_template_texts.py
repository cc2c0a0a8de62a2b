"""Texts with placeholders, read without any application: what a line means and what is wrong with one."""

from __future__ import annotations

import pytest

from app.engine.fields import entry
from app.engine.templating import Book, Kind, Place, Slot, lines, named, pieces, segments, wrong

pytestmark = pytest.mark.sqlite_only

BOOK = Book()
for _name, _label in (("name", "客户姓名"), ("phone", "手机号码"), ("city", "城市")):
    _place = Place(_label, "基本信息", entry(_name, _label))
    BOOK.places[_label] = BOOK.by_name[_name] = _place


def test_a_text_falls_into_words_and_placeholders() -> None:
    assert pieces("尊敬的{{ 客户姓名 }}：您好") == ("尊敬的", Slot("客户姓名"), "：您好")
    assert pieces("没有") == ("没有",) and pieces("") == ()
    assert named("a {{甲}} b\n{{乙}}|{{丙}}\n{{表：列}}") == ["甲", "乙", "丙"]


def test_lines_are_titles_cells_rules_and_tables() -> None:
    text = "# 大标题\n## 小标题\n姓名：{{客户姓名}} | 电话：{{手机号码}}\n---\n\n{{收款：金额、状态}}\n普通的一行"
    found = lines(text)
    assert [line.kind for line in found] == [
        Kind.TITLE, Kind.HEADING, Kind.CELLS, Kind.RULE, Kind.GAP, Kind.TABLE, Kind.LINE,
    ]  # fmt: skip
    assert found[2].cells == (("姓名：", Slot("客户姓名")), ("电话：", Slot("手机号码")))
    assert (found[5].table, found[5].columns) == ("收款", ("金额", "状态"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("好\n{{客户名}}", "第2行：没有“客户名”，可以用：客户姓名"),
        ("{{电话}}", "第1行：没有“电话”"),
        ("{{}}", "第1行：占位符是空的"),
        ("{{客户姓名}", "第1行：“{{”没有成对"),
        ("客户姓名}}", "第1行：“}}”没有成对"),
        ("{{ {{客户姓名}} }}", "没有成对"),
        ("{{收款：金额}}", "没有表格“收款”"),
        ("金额 {{收款：金额}}", "要单独占一行"),
        ("{{ 1 + 1 }}", "没有“1 + 1”"),
        ("{{客户姓名.__class__}}", "没有“客户姓名.__class__”"),
        ("{{客户姓名|upper}}", "第1行"),
    ],
)
def test_what_names_nothing_is_refused_with_its_line(text: str, said: str) -> None:
    found = wrong(text, BOOK, sheet=True)
    assert found and said in found[0]


@pytest.mark.parametrize(
    "text", ["{{客户姓名}}", "{{name}}", "{{ 城市 }}{{今天}}{{操作人}}", "{ 单括号 } 和 $x ${y} {% if %}"]
)
def test_what_names_something_is_fine(text: str) -> None:
    assert wrong(text, BOOK, sheet=False) == []


def test_messages_hold_no_tables() -> None:
    assert wrong("{{收款：金额}}", BOOK, sheet=False) == ["第1行：这里不能放表格"]


@pytest.mark.parametrize(("length", "parts"), [(0, 1), (70, 1), (71, 2), (134, 2), (135, 3)])
def test_short_messages_are_counted_as_networks_do(length: int, parts: int) -> None:
    assert segments("汉" * length) == (length, parts)
    assert segments("😀")[0] == 2


def test_a_text_full_of_mistakes_is_judged_soon() -> None:
    text = "{{无}}" * 1000 + "\n" + "|" * 3000
    assert len(wrong(text, BOOK, sheet=True)) == 5
    assert len(lines("|" * 5000)) == 1
