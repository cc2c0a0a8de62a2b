"""Two people at one dashboard: what only one touches is kept without asking, of the rest both versions are shown."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.engine.colliding import THEIRS, UNTOUCHED
from app.engine.database import db
from models.shaping.dashboards import Board
from tests.customers.world import World
from tests.plugins.people import Login
from tests.shaping.test_dashboards import COUNT, SOURCE, board

pytestmark = pytest.mark.sqlite_only


class Page:
    """The dashboard as somebody has opened it to arrange it."""

    def __init__(self, client: Any, found: Board) -> None:
        self.client, self.url = client, f"/boards/{found.id}"
        self.text = client.get(f"{self.url}?edit=1").get_data(as_text=True)
        self.opened = {"version": self.said("version"), "began": self.said("began")}

    def said(self, name: str) -> str:
        """A hidden input."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found is not None, name
        return found[1]

    def tile(self, key: str, do: str) -> Any:
        """Press a button of a tile."""
        form = self.text.partition(f'/tiles/{key}"')[2].partition("</form>")[0]
        was = re.search(r'name="was" value="(\w+)"', form)
        assert was is not None
        return self.client.post(f"{self.url}/tiles/{key}", data={**self.opened, "was": was[1], "do": do})

    def order(self, *keys: str) -> Any:
        """Let a tile go where it was dragged."""
        return self.client.post(f"{self.url}/order", data={**self.opened, "keys": ",".join(keys)})


def told(answer: Any) -> dict[str, tuple[str, str]]:
    """Both versions, by what they are of."""
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    both = page.partition('<section class="card0 conflict"')[2].partition("</section>")[0]
    rows = re.findall(r'scope="row">(.*?)</th><td class="mine">(.*?)</td><td class="theirs">([^<]*)', both)
    return {label: (mine, theirs.strip()) for label, mine, theirs in rows}


def mine_once_more(client: Any, answer: Any) -> Any:
    """Press 用我的 on the page of both versions."""
    form = re.search(
        r'<form method="post" action="([^"]*)">((?:<input[^>]*>)*)\s*<section class="card0 conflict"',
        answer.get_data(as_text=True),
    )
    assert form is not None
    return client.post(form[1], data=dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[2])))


def keys(found: Board) -> list[str]:
    """The tiles in their order."""
    db.session.refresh(found)
    return [t["key"] for t in found.layout]


@pytest.fixture
def built(world: World) -> Board:
    """A dashboard of three tiles."""
    return board(world, SOURCE, COUNT, {"list": "customers", "chart": "owner"})


def test_what_the_other_one_did_not_touch_is_changed_without_asking(built: Board, login: Login) -> None:
    boss = login("boss")
    theirs, mine = Page(boss, built), Page(boss, built)
    first, second, third = keys(built)
    theirs.tile(third, "w2")
    assert mine.order(third, first, second).status_code == 302
    assert mine.tile(first, "w3").status_code == 302
    assert keys(built) == [third, first, second]
    assert [t["width"] for t in built.layout] == [2, 3, 1]
    assert mine.tile(second, "remove").status_code == 302
    assert keys(built) == [third, first]


def test_an_order_of_both_is_shown_with_both_and_mine_can_be_taken(built: Board, login: Login) -> None:
    boss = login("boss")
    theirs, mine = Page(boss, built), Page(boss, built)
    first, second, third = keys(built)
    theirs.order(second, first, third)
    answer = mine.order(third, first, second)
    assert told(answer) == {
        "顺序": (
            "客户·跟进人排行、客户·来源分布、客户·客户数",
            "客户·客户数、客户·来源分布、客户·跟进人排行",
        )
    }
    assert "用对方的" in answer.get_data(as_text=True) and "总管</small>" in answer.get_data(as_text=True)
    assert keys(built) == [second, first, third]
    assert mine_once_more(boss, answer).status_code == 302
    assert keys(built) == [third, first, second]


def test_a_tile_of_both_is_shown_with_both_versions(built: Board, login: Login) -> None:
    boss = login("boss")
    theirs, mine = Page(boss, built), Page(boss, built)
    first = keys(built)[0]
    theirs.tile(first, "w2")
    assert told(mine.tile(first, "w3")) == {"客户·来源分布 · 宽度": ("3 列", "2 列")}
    answer = mine.tile(first, "remove")
    assert told(answer) == {"客户·来源分布": ("移除", "保留，2 列宽")}
    mine_once_more(boss, answer)
    assert first not in keys(built)


def test_a_tile_that_two_put_together_is_shown_with_both_and_theirs_can_be_taken(
    world: World, login: Login
) -> None:
    found, boss = (
        board(world, {"list": "customers", "kind": "breakdown", "by": "level", "title": "级别"}),
        login("boss"),
    )
    (key,) = keys(found)
    url = f"/boards/{found.id}/compose?_key={key}"

    def form(page: str) -> dict[str, str]:
        return dict(re.findall(r'type="hidden" name="([\w.]+)" value="([^"]*)"', page))

    opened = form(boss.get(url).get_data(as_text=True))
    said = {**opened, "_kind": "breakdown", "_by": "level", "_width": "1"}
    assert boss.post(url, data={**said, "_title": "对方的", "_width": "2", "level": "H"}).status_code == 302
    answer = boss.post(url, data={**said, "_title": "我的", "level": "A"})
    sides = told(answer)
    assert sides["标题"] == ("我的", "对方的") and sides["宽度"] == (UNTOUCHED, "2 列")
    assert sides["只统计"] == ("意向级别：A", "意向级别：H")
    again = {**said, **form(answer.get_data(as_text=True)), "_title": "我的", "_width": "2", "level": "A"}
    taken = boss.post(url, data={**again, THEIRS: "_own"}).get_data(as_text=True)
    assert 'value="我的"' in taken and re.search(r'value="H"[^>]* (checked|selected)', taken)
    assert boss.post(url, data={**again, "level": "H"}).status_code == 302
    db.session.refresh(found)
    assert (found.layout[0]["title"], found.layout[0]["width"]) == ("我的", 2)
    assert found.layout[0]["own"] == {"level": ["H"]}
