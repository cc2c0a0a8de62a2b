"""菜单设置 over HTTP: what it shows, does and refuses, and what follows a renamed entry."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from app.engine.database import db
from app.engine.resource import resource
from models.identity import presets, role_rules
from models.shaping.menu_tables import MenuShape
from models.shaping.menus import GROUP, SELF, URL
from tests.customers.world import World, words
from tests.identity.test_rights import Counter
from tests.plugins.people import Login

EDIT, NEW = f"{URL}edit", f"{URL}new"


def nav(client: Any) -> str:
    """The menu as somebody's browser gets it."""
    page = client.get("/profile").get_data(as_text=True)
    return str(re.search(r'<nav class="nav".*?</nav>', page, re.S).group())  # type: ignore[union-attr]


def tab(page: str) -> str:
    """The front tab of a page."""
    return str(re.search(r'<span class="tab on"><a href="">(.*?)</a>', page).group(1))  # type: ignore[union-attr]


def undo_of(page: str) -> str:
    """Where the button 撤销 of the last flash leads."""
    found = re.findall(r'formaction="([^"]*do=undo[^"]*)"', page)
    return str(found[-1]).replace("&amp;", "&")


def test_the_page_shows_the_whole_menu(world: World, login: Login) -> None:
    page = login("boss").get(URL)
    assert page.status_code == 200
    text = words(page.get_data(as_text=True))
    for label in ("菜单设置", "组织权限管理", "系统参数", "与默认一致"):
        assert label in text, label


def test_without_the_right_there_is_no_page_and_no_button(world: World, login: Login) -> None:
    for who in ("seller", "keeper"):
        client = login(who)
        assert client.get(URL).status_code == 403
        assert client.get(f"{EDIT}?key=customers").status_code == 403
        for address in (f"{URL}?do=hide", EDIT, NEW, f"{URL}?do=reset-all", f"{URL}?do=undo&deed={'0' * 32}"):
            assert client.post(address, data={"key": "customers", "label": "甲"}).status_code == 403, address
        page = client.get("/customers/").get_data(as_text=True)
        assert 'class="tune"' not in page and "menutool" not in page and "menu.js" not in page
    assert 'class="tune"' in login("boss").get("/customers/").get_data(as_text=True)
    assert db.session.scalars(select(MenuShape)).all() == []


def test_who_may_only_look_changes_nothing(world: World, login: Login) -> None:
    session = db.session()
    from app.engine.audit import acting

    with acting(session):
        role = presets.preset_role(session, world.a.id, "clerk")
        old = role_rules.rights_of(session, role.id)
        role_rules.give(
            session, role, role_rules.Rights(old.grants | {("can_list", "MenuSettings")}, old.scopes)
        )
        session.commit()
    client = login("typist")
    page = client.get(URL).get_data(as_text=True)
    assert "系统参数" in page and "do=hide" not in page and 'class="tune"' not in page
    assert client.post(f"{URL}?do=hide", data={"key": "customers"}).status_code == 403


def test_a_renamed_entry_is_called_so_in_menu_tab_and_heading(world: World, login: Login) -> None:
    client = login("boss")
    old = resource("customers").titled()  # type: ignore[union-attr]
    answer = client.post(EDIT, data={"key": "customers", "label": "家庭档案"}, follow_redirects=True)
    assert "已保存“家庭档案”" in words(answer.get_data(as_text=True))
    page = client.get("/customers/").get_data(as_text=True)
    assert tab(page) == "家庭档案" and "<h1>家庭档案</h1>" in page and "<title>家庭档案 - 知客" in page
    assert f"<span>{old}</span>" not in nav(login("seller"))
    assert "<span>家庭档案</span>" in nav(login("seller"))
    other = login("outsider")
    assert f"<span>{old}</span>" in nav(other) and tab(other.get("/customers/").get_data(as_text=True)) == old


def test_a_renamed_entry_keeps_its_number(world: World, login: Login) -> None:
    client = login("boss")
    client.post(EDIT, data={"key": "registration-statistics", "label": "报备月报"})
    assert "<span>04:报备月报</span>" in nav(client)
    page = client.get("/registration-statistics/").get_data(as_text=True)
    assert tab(page) == "04:报备月报" and "<h1>报备月报</h1>" in page


def test_hiding_takes_it_from_the_menu_and_not_the_right(world: World, login: Login) -> None:
    client = login("boss")
    answer = client.post(
        f"{URL}?do=hide", data={"key": "customers"}, headers={"Referer": "http://localhost/tags/"}
    )
    assert answer.status_code == 302 and answer.headers["Location"] == "/tags/"
    page = client.get("/tags/").get_data(as_text=True)
    assert "已隐藏“" in words(page)
    seller = login("seller")
    assert 'data-key="customers"' not in nav(seller) and 'data-key="customers"' in nav(login("outsider"))
    assert seller.get("/customers/").status_code == 200
    assert client.post(undo_of(page)).status_code == 302
    assert 'data-key="customers"' in nav(seller)


def test_one_form_changes_everything_of_an_entry(world: World, login: Login) -> None:
    client = login("boss")
    form = client.get(f"{EDIT}?key=customers").get_data(as_text=True)
    assert 'name="version" value="0"' in form
    sent = {
        "key": "customers", "version": "0", "label": "家庭", "icon": "home", "place": GROUP + "管理",
        "hidden": ["", ""], "roles": ["", f"{world.a.id}:consultant"],
    }  # fmt: skip
    assert client.post(EDIT, data=sent).status_code == 302
    text = words(client.get(URL).get_data(as_text=True))
    for mark in ("原名：", "原在：", "图标已改", "对导购隐藏", "与默认不同1处"):
        assert mark in text, mark
    assert 'data-key="customers"' not in nav(login("seller")) and "ti-home" in nav(client)
    stale = client.post(EDIT, data=sent | {"label": "别的", "roles": [""]})
    assert stale.status_code == 409
    page = stale.get_data(as_text=True)
    assert "数据已被他人修改" in page and 'value="别的"' in page
    both = words(page.partition('class="card0 conflict"')[2].partition("</section>")[0])
    assert "名称别的家庭总管" in both and "对角色隐藏（空）导购总管" in both and "图标" not in both
    assert "用我的用对方的" in both


def test_a_new_group_and_a_link(world: World, login: Login) -> None:
    client = login("boss")
    assert client.post(NEW, data={"kind": "group", "label": "常用", "icon": "star"}).status_code == 302
    own = db.session.scalars(select(MenuShape.key)).one()
    link = {"kind": "link", "label": "手册", "url": "https://docs.example.com/a", "place": own}
    assert client.post(NEW, data=link).status_code == 302
    menu = nav(client)
    assert "常用" in menu
    assert re.search(r'href="https://docs\.example\.com/a"[^>]*target="_blank" rel="noopener"', menu)
    assert "常用" not in nav(login("outsider"))
    key = db.session.scalars(select(MenuShape.key).where(MenuShape.key != own)).one()
    assert (
        client.post(EDIT, data={"key": key, "label": "手册", "url": "javascript:alert(1)"}).status_code == 400
    )
    assert client.post(f"{URL}?do=remove", data={"key": own}).status_code == 400
    assert client.post(f"{URL}?do=remove", data={"key": key}).status_code == 302
    assert "手册" not in nav(client)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            {"kind": "link", "label": "手册", "url": "/no-such-page/", "place": GROUP + "管理"},
            "本系统没有这个页面",
        ),
        (
            {"kind": "link", "label": "手册", "url": "javascript:alert(1)", "place": GROUP + "管理"},
            "地址应为",
        ),
        ({"kind": "link", "label": "手册", "url": "/customers/", "place": "group:无"}, "请选择分组"),
        (
            {"kind": "link", "label": "页面布局", "url": "/customers/", "place": GROUP + "管理"},
            "已有同名的菜单项",
        ),
        ({"kind": "group", "label": "管理"}, "已有同名的分组"),
        ({"kind": "group", "label": " "}, "请填写名称"),
        ({"kind": "group", "label": "新组", "icon": "no-such"}, "请从列表中选择图标"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    world: World, login: Login, data: dict[str, str], said: str
) -> None:
    answer = login("boss").post(NEW, data=data)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert re.search(rf'<p class="err"[^>]*>.*?{said}', page)
    assert data["label"].strip() in page
    assert db.session.scalars(select(MenuShape)).all() == []


def test_what_cannot_be_done_is_said_beside_the_piece(world: World, login: Login) -> None:
    client = login("boss")
    for key in (SELF, GROUP + "管理"):
        answer = client.post(f"{URL}?do=hide", data={"key": key})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 400
        line = re.search(rf'data-key="{re.escape(key)}" data-version.*?</p>', page, re.S)
        assert line is not None and "不能隐藏" in line.group()
    assert client.post(f"{URL}?do=hide", data={"key": "nothing"}).status_code == 404
    assert client.post(f"{URL}?do=nothing", data={"key": "customers"}).status_code == 404
    assert client.get(f"{EDIT}?key=nothing").status_code == 404
    assert client.get(f"{NEW}?kind=nothing").status_code == 404
    assert (
        client.post(f"{URL}?do=move", data={"key": GROUP + "管理", "place": GROUP + "管理"}).status_code
        == 400
    )
    assert client.post(f"{URL}?do=undo&deed=x").status_code == 404


def test_names_and_addresses_are_escaped(world: World, login: Login) -> None:
    client = login("boss")
    label = '"><img src=x>&amp;'
    assert client.post(EDIT, data={"key": "customers", "label": label}).status_code == 302
    for address in (URL, f"{EDIT}?key=customers", "/customers/"):
        page = client.get(address).get_data(as_text=True)
        assert "<img src=x>" not in page and "&lt;img src=x&gt;&amp;amp;" in page


def test_the_group_shapes_the_presets_and_a_dealer_does_not(world: World, login: Login) -> None:
    boss, group = login("boss"), login("admin")
    assert boss.get(f"{URL}?of=group").status_code == 403
    assert boss.post(EDIT, data={"key": "customers", "label": "甲", "of": "group"}).status_code == 403
    assert group.post(EDIT, data={"key": "customers", "label": "集团名", "of": "group"}).status_code == 302
    assert "<span>集团名</span>" in nav(login("seller")) and "<span>集团名</span>" in nav(login("outsider"))
    assert "集团预置" in boss.get(URL).get_data(as_text=True)
    row = db.session.scalars(select(MenuShape)).one()
    assert row.dealer_id is None
    assert boss.get(f"{URL}{row.id}").headers["Location"] == URL
    assert group.get(f"{URL}{row.id}").status_code == 302
    assert "集团名" in boss.get(f"{URL}{row.id}/history").get_data(as_text=True)


def test_another_dealers_change_is_out_of_sight(world: World, login: Login) -> None:
    boss = login("boss")
    boss.post(EDIT, data={"key": "customers", "label": "甲"})
    row = db.session.scalars(select(MenuShape)).one()
    presets.add_person(
        db.session(), dealer_id=world.b.id, username="boss_b", name="总管乙", password="Test-demo-2024K",
        roles=[presets.preset_role(db.session(), world.b.id, "admin")],
    )  # fmt: skip
    db.session.commit()
    other = login("boss_b")
    assert other.get(f"{URL}{row.id}").status_code == 404
    assert other.get(f"{URL}{row.id}/history").status_code == 404
    page = boss.get(URL).get_data(as_text=True)
    assert other.post(undo_of(page)).status_code == 404
    assert "与默认一致" in other.get(URL).get_data(as_text=True)


def test_a_shaped_menu_costs_a_page_no_query(world: World, login: Login) -> None:
    client = login("seller")
    client.get("/tags/")

    def statements() -> int:
        client.get("/tags/")
        with Counter() as counted:
            client.get("/tags/")
        return len(counted.seen)

    before = statements()
    boss = login("boss")
    boss.post(EDIT, data={"key": "customers", "label": "家庭", "roles": [f"{world.a.id}:designer"]})
    boss.post(f"{URL}?do=hide", data={"key": "contacts"})
    assert statements() == before
