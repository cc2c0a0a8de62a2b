"""Lines that are picked in rows: which input of which row a sentence is about."""

from __future__ import annotations

import pytest

from app.engine.rowed import at_fault

LABELS = ("审批人", "同意方式", "时限")
ROWS = (("申请人的店长", "任一人同意", "24"), ("角色 财务", "全部同意", "abc"), ("", "任一人同意", ""))


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("第2步的时限请填写1至720小时", (1, 2)),
        ("第1步是最后一步，没有下一步可转，请去掉时限", (0, 2)),
        ("第3步请选择审批人", (2, 0)),
        ("第2步的“abc”无法识别，可用：任一人同意、全部同意、24小时后转下一步", (1, 2)),
        ("第2步的角色“财务”不存在", (1, 0)),
        ("第2步又回到了第1步的“申请人的店长”，同一审批人只能出现一次", (1, 0)),
        ("请至少填写一个审批步骤", (0, 0)),
        ("第9步请去掉时限", (0, 0)),
        ("第99999999999999999999步", (0, 0)),
    ],
)
def test_a_sentence_is_about_one_input(said: str, place: tuple[int, int]) -> None:
    assert at_fault(said, "步", LABELS, ROWS) == place
