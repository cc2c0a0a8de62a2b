"""Two administrators at one dictionary: both versions stand side by side, and nobody's change is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.engine.choices import dictionary
from app.engine.colliding import THEIRS, UNTOUCHED
from tests.customers.world import World
from tests.plugins.people import Login
from tests.shaping.editor import Shown, read, show
from tests.shaping.test_dictionaries import KIND, KINDS, labels

FIRST, SECOND, THIRD = KINDS
pytestmark = pytest.mark.sqlite_only


@pytest.fixture
def two(world: World, login: Login) -> tuple[Shown, Shown]:
    """The page as two people have opened it."""
    boss = login("boss")
    return show(boss, KIND), show(boss, KIND)


def told(shown: Shown, answer: Any) -> tuple[Shown, dict[str, tuple[str, str]]]:
    """The page that comes instead of a save: what it holds, and both versions by what they are of."""
    page = answer.get_data(as_text=True)
    both = page.partition('<section class="card0 conflict"')[2].partition("</section>")[0]
    rows = re.findall(r'scope="row">(.*?)</th><td class="mine">(.*?)</td><td class="theirs">([^<]*)', both)
    return read(shown.client, KIND, page), {label: (mine, theirs.strip()) for label, mine, theirs in rows}


def test_an_option_of_both_is_shown_with_both_versions_and_either_is_taken(
    world: World, two: tuple[Shown, Shown]
) -> None:
    theirs, mine = two
    theirs.rename(FIRST, "甲的名称").set("甲的名称", "tone", "good").send()
    answer = mine.rename(FIRST, "乙的名称").send()
    again, sides = told(mine, answer)
    assert answer.status_code == 409
    name, tone = "甲的名称 · 名称", "甲的名称 · 颜色"
    assert sides == {name: ("乙的名称", "甲的名称"), tone: (UNTOUCHED, "绿色")}
    assert "总管</small>" in answer.get_data(as_text=True)
    taken, left = told(again, again.send(**{THEIRS: f"label.{again.id('乙的名称')}"}))
    assert left == {} and taken.labels == ["甲的名称", SECOND, THIRD]
    assert labels(world.a.id)[0] == "甲的名称"
    assert again.send().status_code == 302
    assert labels(world.a.id)[0] == "乙的名称"
    assert dictionary(KIND, world.a.id)[0].tone == "g", "what they alone have changed is kept"


def test_what_only_one_has_touched_is_kept_without_asking(world: World, two: tuple[Shown, Shown]) -> None:
    theirs, mine = two
    theirs.rename(FIRST, "甲的名称").send()
    assert mine.rename(SECOND, "乙的名称").order(THIRD, FIRST, "乙的名称").send().status_code == 302
    assert labels(world.a.id) == [THIRD, "甲的名称", "乙的名称"]


def test_an_order_of_both_is_shown_with_both_and_either_is_taken(
    world: World, two: tuple[Shown, Shown]
) -> None:
    theirs, mine = two
    theirs.order(SECOND, FIRST, THIRD).send()
    again, sides = told(mine, mine.order(THIRD, FIRST, SECOND).rename(FIRST, "潜在").send())
    assert sides["顺序"] == ("、".join([THIRD, FIRST, SECOND]), "、".join([SECOND, FIRST, THIRD]))
    assert again.labels == [THIRD, "潜在", SECOND], "what was done is still on the page"
    taken, left = told(again, again.send(**{THEIRS: "order."}))
    assert taken.labels == [SECOND, "潜在", THIRD] and "顺序" not in left
    assert taken.send().status_code == 302
    assert labels(world.a.id) == [SECOND, "潜在", THIRD]


def test_what_somebody_else_deleted_is_said_and_the_rest_is_saved(
    world: World, two: tuple[Shown, Shown]
) -> None:
    two[0].send(do="add", lines="团购客户")
    theirs, mine = show(two[0].client, KIND), show(two[0].client, KIND)
    theirs.send(remove=theirs.id("团购客户"))
    again, sides = told(mine, mine.rename("团购客户", "团购").rename(FIRST, "潜在").send())
    assert sides == {"团购": ("团购", "已删除或恢复预置")}
    assert again.labels == ["潜在", SECOND, THIRD]
    assert again.send().status_code == 302
    assert labels(world.a.id) == ["潜在", SECOND, THIRD]


def test_what_somebody_else_changed_is_not_deleted_unseen(world: World, two: tuple[Shown, Shown]) -> None:
    two[0].send(do="add", lines="团购客户")
    theirs, mine = show(two[0].client, KIND), show(two[0].client, KIND)
    theirs.rename("团购客户", "企业团购").send()
    answer = mine.send(remove=mine.id("团购客户"))
    again, sides = told(mine, answer)
    assert answer.status_code == 409 and "企业团购" in sides
    assert "企业团购" in labels(world.a.id)
    again.send(remove=again.id("企业团购"))
    assert labels(world.a.id) == KINDS


def test_a_page_refused_for_another_reason_still_knows_how_it_was_opened(
    world: World, two: tuple[Shown, Shown]
) -> None:
    theirs, mine = two
    wrong = mine.rename(FIRST, "").send()
    assert wrong.status_code == 400
    again, _ = told(mine, wrong)
    theirs.rename(FIRST, "甲的名称").send()
    again.form[f"label.{again.form['option'][0]}"] = "乙的名称"
    assert again.send().status_code == 409
    assert labels(world.a.id)[0] == "甲的名称"


def test_the_version_of_no_option_is_nonsense_and_changes_nothing(
    world: World, two: tuple[Shown, Shown]
) -> None:
    _, mine = two
    answer = mine.send(**{THEIRS: f"label.{'9' * 5000}"})
    assert answer.status_code == 200 and told(mine, answer)[0].labels == list(KINDS)
    assert labels(world.a.id) == list(KINDS)
