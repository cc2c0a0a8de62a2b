"""Dashboards that people build: from a list's chart to everybody's menu, each number with its rows, and nothing
that its reader may not see."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from flask import current_app
from openpyxl import load_workbook
from sqlalchemy import event, select

from app.engine import dashboards
from app.engine.audit import AuditEntry, acting
from app.engine.database import db, utcnow
from app.engine.guards import CUSTOMER_PHONE
from app.engine.perform import create
from app.engine.resource import resource
from app.engine.scopes import Scope
from models.analytics.dashboards import MANAGER
from models.identity import presets, role_rules
from models.identity.presets import preset_role
from models.shaping import dashboard_rules, dashboard_tiles
from models.shaping.dashboard_tiles import MOST
from models.shaping.dashboards import Board, Sharing
from tests.customers.world import World, grant, words
from tests.engine.charting import rows_behind
from tests.plugins.databases import statements

SOURCE = {"list": "customers", "chart": "source"}
COUNT = {"list": "customers", "kind": "number"}


@pytest.fixture
def full(forty: World) -> World:
    """The same trade with forty customers."""
    return forty


def board(world: World, *tiles: Any, by: str = "boss", name: str = "我的看板", **more: Any) -> Board:
    """A dashboard with these tiles, as that person would build it."""
    made, _ = create(resource("boards"), {"name": name, **more}, world.actor(by))
    for tile in tiles:
        made = put(world, made, tile, by)
    return made


def put(world: World, found: Board, tile: Any, by: str = "boss") -> Board:
    """The dashboard with one tile more."""
    change = dashboard_rules.adding(tile)
    return dashboard_rules.rearrange(found.id, found.version, change, world.actor(by), "web")


def shown(found: Board, actor: Any) -> Any:
    """The dashboard of all time as that person sees it."""
    with current_app.test_request_context():
        made = dashboard_tiles.dashboard_of(found.id, found.name, found.layout, actor.dealer_id)
        return dashboards.page(made, actor, {"day": ["all"]}, utcnow())


def boss_of_b(world: World) -> None:
    """The administrator of the other dealer."""
    session = db.session()
    with acting(session):
        presets.add_person(
            session, dealer_id=world.b.id, username="boss_b", name="乙总", password="Test-demo-2024K",
            roles=[preset_role(session, world.b.id, "admin")],
        )  # fmt: skip
        presets.bump_epoch(session)
        session.commit()


def test_a_chart_of_a_list_becomes_a_tile(full: World, login: Any) -> None:
    boss = login("boss")
    page = boss.get("/customers/charts?stage=following&window=all").get_data(as_text=True)
    pin = re.search(r'href="(/boards/add\?[^"]*_chart=source[^"]*)"', page)
    assert pin is not None
    url = pin.group(1).replace("&amp;", "&")
    form = boss.get(url).get_data(as_text=True)
    assert "加到看板：来源分布" in form and 'name="stage" value="following"' in form
    data = {"_of": "customers", "_chart": "source", "_board": "new", "_name": "早会", "stage": "following",
            "created_at.from": "2020-01-01", "_title": "", "_width": "2"}  # fmt: skip
    answer = boss.post("/boards/add", data=data)
    assert answer.status_code == 302
    made = db.session.scalars(select(Board)).one()
    assert (made.name, made.shared, len(made.layout)) == ("早会", Sharing.PERSONAL, 1)
    assert made.layout[0]["own"] == {"stage": ["following"]}, "its time is the dashboard's"
    text = boss.get(f"/boards/{made.id}?day=all").get_data(as_text=True)
    assert "来源分布" in text and "阶段：跟进中" in text and 'class="tile w2"' in text
    actor = full.actor("boss")
    for bar in shown(made, actor).cards[0].bars:
        assert rows_behind(actor, bar.url) == bar.value


BUILT = (
    {"list": "customers", "kind": "number"},
    {"list": "customers", "kind": "number", "sum": "net_received"},
    {"list": "customers", "kind": "breakdown", "by": "level"},
    {"list": "customers", "kind": "pie", "by": "stage", "own": {"level": ["H", "A"]}},
    {"list": "customers", "kind": "breakdown", "by": "tags"},
    {"list": "customers", "kind": "trend", "at": "created_at"},
    {"list": "customers", "kind": "ranking", "by": "owner_id", "sum": "net_received"},
    {"list": "customers", "kind": "pivot", "by": "level", "across": "stage", "title": "级别表", "width": 3},
    {"list": "customers", "chart": "stage"},
)


@pytest.mark.parametrize("person", ["boss", "keeper"])
def test_every_number_of_every_kind_opens_its_rows(full: World, person: str) -> None:
    found = board(full, *BUILT, shared=Sharing.ALL)
    actor = full.actor(person)
    page = shown(found, actor)
    assert [bool(p.figure or p.card) for p in page.placed] == [True] * len(BUILT)
    opened = 0
    for figure in page.figures:
        if figure.unit != "元":
            assert rows_behind(actor, figure.url) == figure.amount
            opened += 1
    for card in page.cards:
        cells = [(b.url, b.value) for b in card.bars]
        if card.grid is not None:
            cells = [(c.url, c.value) for line in card.grid.lines for c in (*line.cells, line.total)]
        for url, value in cells:
            if url and card.unit != "元":
                assert rows_behind(actor, url) == value, card.title
                opened += 1
    assert opened > 15
    assert [p.title for p in page.placed[-2:]] == ["级别表", "阶段漏斗"]
    assert page.placed[1].figure.unit == "元"


def test_the_dashboards_switches_and_a_tiles_own_filters_hold_together(full: World) -> None:
    seller, other = full.people["seller"].id, full.people["seller2"].id
    tile = {**COUNT, "own": {"owner_id": [str(seller)]}}
    found = board(full, COUNT, tile)
    boss = full.actor("boss")
    made = dashboard_tiles.dashboard_of(found.id, found.name, found.layout, boss.dealer_id)
    with current_app.test_request_context():
        pages = [
            dashboards.page(made, boss, {"day": ["all"], **more}, utcnow())
            for more in ({}, {"person": [str(seller)]}, {"person": [str(other)]})
        ]
    every, mine, none = ([f.amount for f in page.figures] for page in pages)
    assert every[0] > every[1] > 0
    assert mine == [every[1], every[1]]
    assert none[1] == 0


def test_it_costs_what_the_declared_dashboard_costs(full: World, login: Any) -> None:
    boss = login("boss")
    boss.post("/boards/copy/manager")
    made = db.session.scalars(select(Board)).one()
    assert [t["chart"] for t in made.layout] == [t.chart for t in MANAGER.tiles]
    seen: list[str] = []
    counts = []
    event.listen(db.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    for url in ("/dashboards/manager", f"/boards/{made.id}"):
        boss.get(f"{url}?day=all")
        seen.clear()
        text = boss.get(f"{url}?day=all").get_data(as_text=True)
        counts.append(len(seen))
        assert "来源分布" in text
    assert counts[1] <= counts[0] + 1, "whether it may be changed is the one statement more"


# ----- who has it, and what they see of it


def test_it_stands_in_the_menu_of_those_it_is_shared_with(world: World, login: Any) -> None:
    manager = preset_role(db.session(), world.a.id, "manager").id
    found = board(world, SOURCE, name="店长晨会", shared=Sharing.ROLES, roles=[manager])
    pk = found.id
    boss, keeper, seller = login("boss"), login("keeper"), login("seller")
    link = f'href="/boards/{found.id}"'
    assert link in keeper.get("/").get_data(as_text=True)
    assert link not in seller.get("/").get_data(as_text=True)
    assert keeper.get(f"/boards/{found.id}").status_code == 200
    assert seller.get(f"/boards/{found.id}").status_code == 404
    data = {
        "name": "店长晨会",
        "icon": "target-arrow",
        "sort": "5",
        "shared": "all",
        "version": found.version,
    }
    assert boss.post(f"/boards/{found.id}/edit", data=data).status_code == 302
    text = seller.get("/").get_data(as_text=True)
    assert link in text and "ti-target-arrow" in text
    assert "无权查看" in seller.get(f"/boards/{found.id}").get_data(as_text=True)
    assert boss.post(f"/boards/{found.id}/delete").status_code == 302
    assert link not in keeper.get("/").get_data(as_text=True)
    assert keeper.get(f"/boards/{pk}").status_code == 404


def test_menus_ask_for_dashboards_only_when_something_has_changed(world: World, login: Any) -> None:
    board(world, SOURCE, shared=Sharing.ALL)
    boss, seller = login("boss"), login("seller")
    boss.get("/tags/")
    seller.get("/tags/")
    seen = statements(db.engine)
    assert "我的看板" in boss.get("/tags/").get_data(as_text=True)
    assert "我的看板" in seller.get("/tags/").get_data(as_text=True)
    assert seen and not [s for s in seen if "boards" in s or "board_roles" in s]


def test_a_personal_one_is_the_owners_and_another_dealers_is_not_there(world: World, login: Any) -> None:
    boss_of_b(world)
    mine = board(world, SOURCE)
    shared = board(world, SOURCE, name="大家的", shared=Sharing.ALL)
    for person, found in (("keeper", mine), ("outsider", shared), ("boss_b", shared), ("boss_b", mine)):
        client = login(person)
        key = found.layout[0]["key"]
        for path in ("", "/panel", "/add", "/compose", "/edit", "/history"):
            assert client.get(f"/boards/{found.id}{path}").status_code in (403, 404), (person, path)
        for path in ("/numbers.xlsx", "/copy", f"/tiles/{key}", "/order", "/restore", "/compose", "/delete"):
            answer = client.post(f"/boards/{found.id}{path}", data={"do": "remove", "version": found.version})
            assert answer.status_code in (403, 404), (person, path)
        assert f"/boards/{found.id}" not in client.get("/").get_data(as_text=True)
    assert login("keeper").get(f"/boards/{shared.id}").status_code == 200
    db.session.refresh(mine)
    assert len(mine.layout) == 1


def test_a_guarded_tile_shows_no_number_to_whoever_may_not_see(full: World, login: Any) -> None:
    found = board(full, SOURCE, {**COUNT, "title": "全部客户"}, shared=Sharing.ALL)
    spec = next(s for s in dashboard_tiles.groups(resource("customers")).values() if s.name == "source")
    page = shown(found, full.actor("keeper"))
    assert all(p.missing == "" for p in page.placed)
    grant(full, "manager", CUSTOMER_PHONE.permission)
    object.__setattr__(spec, "guard", CUSTOMER_PHONE)
    try:
        page = shown(found, full.actor("keeper"))
        assert [p.missing for p in page.placed] == ["无权查看", ""]
        text = login("keeper").get(f"/boards/{found.id}?day=all").get_data(as_text=True)
        assert "无权查看" in text and "自然到店" not in text
        out = login("keeper").post(f"/boards/{found.id}/numbers.xlsx?day=all")
        assert out.status_code == 200
        assert "来源分布" not in load_workbook(io.BytesIO(out.data)).sheetnames
    finally:
        object.__setattr__(spec, "guard", None)


def test_no_guarded_number_leaves_through_a_tile(full: World, login: Any) -> None:
    """A masked person's dashboards hold no phone: none is grouped, filtered or named by it."""
    phone = full.customer(phone="13912345678").phone
    tile = {"list": "customers", "kind": "breakdown", "by": "phone"}
    for wrong, sentence in (
        (tile, "“手机号码”不能用来分组"),
        ({**COUNT, "own": {"phone": [phone]}}, "“手机号码”受保护，不能用作看板的条件"),
        ({**COUNT, "own": {"q": [phone]}}, "请先清除关键字"),
    ):
        found = board(full, name=f"看板{sentence[:9]}")
        with pytest.raises(dashboard_rules.Refusal, match=sentence):
            put(full, found, wrong)
        db.session.refresh(found)
        assert found.layout == []
    made = board(full, *BUILT, name="全部种类", shared=Sharing.ALL)
    grant(full, "manager", CUSTOMER_PHONE.permission)
    keeper = login("keeper")
    text = keeper.get(f"/boards/{made.id}?day=all").get_data(as_text=True)
    out = keeper.post(f"/boards/{made.id}/numbers.xlsx?day=all").data
    sheets = str([list(s.iter_rows(values_only=True)) for s in load_workbook(io.BytesIO(out))])
    for number in (phone, *(f"139{n:08d}" for n in range(1, 41))):
        assert number not in text and number not in sheets


# ----- arranging


def test_tiles_move_widen_go_and_come_back(world: World, login: Any) -> None:
    found = board(world, SOURCE, COUNT, {"list": "customers", "chart": "owner"})
    boss = login("boss")
    first, second, third = (t["key"] for t in found.layout)

    def do(key: str, what: str) -> Any:
        answer = boss.post(f"/boards/{found.id}/tiles/{key}", data={"do": what, "version": found.version})
        db.session.refresh(found)
        return answer

    assert do(third, "back").status_code == 302
    assert [t["key"] for t in found.layout] == [first, third, second]
    assert do(first, "back").status_code == 302
    assert [t["key"] for t in found.layout] == [first, third, second]
    do(first, "w3")
    assert found.layout[0]["width"] == 3
    do(third, "remove")
    assert [t["key"] for t in found.layout] == [first, second]
    text = boss.get(f"/boards/{found.id}?edit=1").get_data(as_text=True)
    assert "已移除“客户·跟进人排行”" in text
    assert boss.post(f"/boards/{found.id}/restore", data={"version": found.version}).status_code == 302
    db.session.refresh(found)
    assert [t["key"] for t in found.layout] == [first, third, second]
    assert "已移除" not in boss.get(f"/boards/{found.id}").get_data(as_text=True)
    keys = f"{second},{first},{third}"
    boss.post(f"/boards/{found.id}/order", data={"keys": keys, "version": found.version})
    db.session.refresh(found)
    assert [t["key"] for t in found.layout] == keys.split(",")
    kept = db.session.scalars(select(AuditEntry).where(AuditEntry.resource == "boards")).all()
    assert any("跟进人排行" in str(entry.changes) for entry in kept)
    assert boss.get(f"/boards/{found.id}/history").status_code == 200


def test_two_people_arranging_at_once(world: World, login: Any) -> None:
    found = board(world, SOURCE, COUNT)
    old, (key, other) = found.version, (t["key"] for t in found.layout)
    put(world, found, COUNT)
    boss = login("boss")
    for path, data in (
        (f"/tiles/{key}", {"do": "remove"}), ("/order", {"keys": f"{other},{key}"}), ("/restore", {}),
        ("/compose", {"_key": key, "_title": "新的标题", "_version": old}),
    ):  # fmt: skip
        answer = boss.post(f"/boards/{found.id}{path}", data={"version": old, **data})
        assert answer.status_code in (400, 409), path
        if path != "/restore":
            assert answer.status_code == 409
            assert "数据已被他人修改，请刷新后重试" in answer.get_data(as_text=True)
    db.session.refresh(found)
    assert len(found.layout) == 3


def test_a_tile_is_put_together_looked_at_and_changed(full: World, login: Any) -> None:
    found, boss = board(full), login("boss")
    offered = boss.get(f"/boards/{found.id}/add").get_data(as_text=True)
    assert "自己组合" in offered and "_of=customers&amp;_chart=source" in offered
    url = f"/boards/{found.id}/compose"
    form = boss.get(f"{url}?_of=customers").get_data(as_text=True)
    assert "统计值" in form and 'name="level"' in form and 'name="phone"' not in form
    assert 'name="created_at.from"' not in form
    data = {"_of": "customers", "_kind": "ranking", "_by": "owner_id", "_sum": "net_received", "_width": "2",
            "_title": "收款排行", "_version": found.version, "level": ["", "H"]}  # fmt: skip
    looked = boss.post(url, data={**data, "step": "preview"}).get_data(as_text=True)
    assert "预览" in looked and 'data-chart="bar"' in looked and "收款排行" in looked
    db.session.refresh(found)
    assert found.layout == [], "a look changes nothing"
    assert boss.post(url, data=data).status_code == 302
    db.session.refresh(found)
    tile = found.layout[0]
    assert (tile["kind"], tile["by"], tile["sum"], tile["own"]) == (
        "ranking", "owner_id", "net_received", {"level": ["H"]},
    )  # fmt: skip
    form = boss.get(f"{url}?_key={tile['key']}").get_data(as_text=True)
    assert 'value="收款排行"' in form
    boss.post(url, data={**data, "_key": tile["key"], "_title": "换个名字", "_version": found.version})
    db.session.refresh(found)
    assert [(t["key"], t["title"]) for t in found.layout] == [(tile["key"], "换个名字")]


# ----- what is refused, in words

WRONG = (
    ({"_kind": ""}, "请选择图表类型"),
    ({"_kind": "breakdown", "_by": "name"}, "“客户姓名”不能用来分组"),
    ({"_kind": "breakdown", "_by": "phone"}, "“手机号码”不能用来分组"),
    ({"_kind": "breakdown", "_by": "nonsense"}, "没有“nonsense”这一项"),
    ({"_kind": "breakdown", "_by": ""}, "请选择分组项"),
    ({"_kind": "number", "_sum": "name"}, "“客户姓名”不是数值，不能求和"),
    ({"_kind": "ranking", "_by": "level"}, "不能排名次"),
    ({"_kind": "pivot", "_by": "level", "_across": "level"}, "请选择与分组项不同的项目"),
    ({"_kind": "pivot", "_by": "tags", "_across": "level"}, "交叉表不能按“标签”分组"),
    ({"_kind": "trend", "_at": "level"}, "不是时间，不能作趋势"),
    ({"_kind": "number", "_title": "长" * 25}, "标题最多24个字"),
    ({"_kind": "number", "_width": "9"}, "宽度为1至3列"),
    ({"_kind": "number", "level": "nonsense"}, "没有“nonsense”这一项"),
    ({"_kind": "number", "phone": "13912345678"}, "受保护，不能用作看板的条件"),
)


@pytest.mark.parametrize(("typed", "sentence"), WRONG)
def test_a_tile_that_makes_no_sense_is_refused_in_words(
    world: World, login: Any, typed: dict[str, str], sentence: str
) -> None:
    found = board(world)
    data = {"_of": "customers", "_version": found.version, **typed}
    answer = login("boss").post(f"/boards/{found.id}/compose", data=data)
    assert answer.status_code == 400
    assert sentence in words(answer.get_data(as_text=True))
    db.session.refresh(found)
    assert found.layout == []


def test_names_are_given_once_and_not_empty(world: World, login: Any) -> None:
    board(world, name="早会")
    boss = login("boss")
    for name, sentence in (("早会", "看板名称“早会”已存在"), ("", "请填写看板名称"), ("长" * 25, "24")):
        data = {"name": name, "icon": "target-arrow", "sort": "1", "shared": "personal"}
        answer = boss.post("/boards/new", data=data)
        assert answer.status_code == 400 and sentence in words(answer.get_data(as_text=True))
        pinned = {"_of": "customers", "_chart": "source", "_board": "new", "_name": name, "_width": "1"}
        answer = boss.post("/boards/add", data=pinned)
        assert answer.status_code == 400
    assert len(db.session.scalars(select(Board)).all()) == 1
    data = {"name": "无人", "icon": "target-arrow", "sort": "1", "shared": "roles"}
    assert "请选择共享给角色" in words(boss.post("/boards/new", data=data).get_data(as_text=True))
    board(world, name="早会", shared=Sharing.ALL)
    boss_of_b(world)
    board(world, name="早会", by="boss_b", shared=Sharing.ALL)


def test_no_more_tiles_than_fit(world: World, login: Any) -> None:
    found = board(world, *[COUNT] * MOST)
    assert len(shown(found, world.actor("boss")).placed) == MOST
    with pytest.raises(dashboard_rules.Refusal, match=f"最多放{MOST}个图块"):
        put(world, found, COUNT)
    boss = login("boss")
    assert "最多放" in boss.get(f"/boards/{found.id}/add").get_data(as_text=True)
    data = {"_of": "customers", "_chart": "source", "_board": found.id, "_width": "1", "_name": "x"}
    answer = boss.post("/boards/add", data=data)
    assert answer.status_code == 400 and "最多放" in answer.get_data(as_text=True)


def test_unknown_things_are_said(world: World, login: Any) -> None:
    found, boss = board(world, SOURCE), login("boss")
    for url, status in (
        ("/boards/add?_of=nothing&_chart=source", 404), ("/boards/add?_of=customers&_chart=nothing", 404),
        ("/boards/add", 404), (f"/boards/{found.id}/compose?_key=nothing", 400), ("/boards/999999", 404),
    ):  # fmt: skip
        assert boss.get(url).status_code == status, url
    for path, data in (
        (f"/tiles/{found.layout[0]['key']}", {"do": "explode"}), ("/tiles/nothing", {"do": "remove"}),
        ("/order", {"keys": "a,b"}), ("/order", {}), ("/restore", {}),
    ):  # fmt: skip
        answer = boss.post(f"/boards/{found.id}{path}", data={"version": found.version, **data})
        assert answer.status_code == 400, path
    assert login("boss").post("/boards/copy/nothing").status_code == 404


def test_a_field_that_is_gone_leaves_a_tile_that_says_so(world: World, login: Any) -> None:
    found = board(world, SOURCE, {"list": "customers", "kind": "breakdown", "by": "level"})
    broken = [{**found.layout[0], "chart": "gone"}, {**found.layout[1], "by": "gone"}]
    made = dashboard_tiles.dashboard_of(
        found.id, found.name, [*broken, {"list": "gone", "key": "x"}], world.a.id
    )
    with current_app.test_request_context():
        page = dashboards.page(made, world.actor("boss"), {}, utcnow())
    assert [p.missing for p in page.placed] == ["所用的图表或项目已不存在"] * 2


def test_whoever_only_builds_for_himself_does_not_share(world: World, login: Any) -> None:
    for right in ("can_list", "can_add", "can_edit"):
        grant(world, "manager", (right, "Boards"))
    session = db.session()
    with acting(session):
        role = preset_role(session, world.a.id, "manager")
        old = role_rules.rights_of(session, role.id)
        scopes = old.scopes | {("boards", Scope.MINE)}
        role_rules.give(session, role, role_rules.Rights(old.grants, scopes))
        session.commit()
    keeper = login("keeper")
    data = {"name": "我的", "icon": "target-arrow", "sort": "1", "shared": "all"}
    answer = keeper.post("/boards/new", data=data)
    assert answer.status_code == 400 and "您只能保存自己使用的看板" in answer.get_data(as_text=True)
    assert keeper.post("/boards/new", data={**data, "shared": "personal"}).status_code == 302
    shared = board(world, SOURCE, name="大家的", shared=Sharing.ALL)
    assert keeper.get(f"/boards/{shared.id}?edit=1").get_data(as_text=True).count("data-tile=") == 0
    assert keeper.get(f"/boards/{shared.id}/compose?_of=customers").status_code == 403
    assert keeper.post(f"/boards/{shared.id}/copy").status_code == 302
    assert {b.name for b in session.scalars(select(Board).where(Board.owner_id == world.people["keeper"].id))} == {
        "我的", "大家的 副本",
    }  # fmt: skip
