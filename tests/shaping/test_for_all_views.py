"""Shared views and options of the group, made by somebody of the group who sits in a dealer; options of added fields on
their page; and lists that are called like the menu calls them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from app.engine.actions import Invalid, Refusal
from app.engine.choices import dictionary
from app.engine.configured import difference, files
from app.engine.database import db
from app.engine.perform import create, remove
from models.identity.roles import StaffRole
from models.settings.resources import Dictionaries
from models.settings.tables import DictionaryEntry
from models.shaping.view_tables import SavedView
from tests.customers.world import World, words
from tests.plugins.people import Login
from tests.shaping.editor import URL
from tests.shaping.fields import add, file_with
from tests.shaping.test_configuration import an_entry
from tests.shaping.views import body, kept, make, share

ALL = {"for_all": "1"}
KIND = "customer.kind"
SURELY = "当前账号不属于任何商场，请勾选“集团所有商场通用”"


def errors(answer: Any) -> list[str]:
    """What a refused page says, beside its inputs and above them."""
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400, words(page)
    return [words(e) for e in re.findall(r'<p class="err".*?</p>|<div class="note bad".*?</div>', page, re.S)]


def of(name: str) -> int | None:
    """The dealer that an option belongs to."""
    return db.session.scalars(select(DictionaryEntry.dealer_id).where(DictionaryEntry.label == name)).one()


# ----- views


@pytest.mark.sqlite_only
def test_a_view_for_everybody_is_in_the_lists_of_other_dealers_and_stays_everybodys(
    world: World, login: Login
) -> None:
    client = login("admin")
    assert make(client, "集团重点", level="A").status_code == 302
    form = body(client, f"/list_views/{kept('集团重点').id}")
    assert re.search(
        r'data-opens-when="audience=role\|dealer"[^>]*>(?:(?!data-opens).)*name="for_all"', form, re.S
    )
    assert share(client, kept("集团重点"), **ALL).status_code == 302
    view = kept("集团重点")
    assert view.dealer_id is None
    for person in ("seller", "outsider"):
        assert "集团重点" in body(login(person), "/customers/"), person
    assert (
        share(login("boss"), view, name="改名").status_code == 403
        and kept("集团重点").version == view.version
    )
    form = body(client, f"/list_views/{view.id}")
    assert 'name="for_all"' not in form and "集团通用，在所有商场显示" in form
    assert share(client, view, is_default="1").status_code == 302
    assert (kept("集团重点").dealer_id, kept("集团重点").is_default) == (None, True)
    sent = {"version": str(kept("集团重点").version), "now.level": "B"}
    assert client.post(f"/list_views/{view.id}/conditions", data=sent).status_code == 302
    assert (kept("集团重点").dealer_id, kept("集团重点").args["level"]) == (None, ["B"])
    assert share(client, kept("集团重点"), audience="person").status_code == 302
    assert kept("集团重点").dealer_id == world.actor("admin").dealer_id
    assert "集团重点" not in body(login("outsider"), "/customers/")


@pytest.mark.sqlite_only
def test_without_the_tick_a_view_is_the_own_dealers_and_others_are_told(world: World, login: Login) -> None:
    client, boss = login("admin"), login("boss")
    make(client, "本馆重点", level="A")
    assert share(client, kept("本馆重点")).status_code == 302
    assert kept("本馆重点").dealer_id == world.actor("admin").dealer_id
    make(boss, "店长重点", level="A")
    assert 'name="for_all"' not in body(boss, f"/list_views/{kept('店长重点').id}")
    said = errors(share(boss, kept("店长重点"), **ALL))
    assert any("只有集团管理员可以新增集团通用的视图" in one for one in said), said
    assert kept("店长重点").audience.value == "person"


@pytest.mark.sqlite_only
def test_a_view_for_everybody_names_nothing_of_one_dealer(world: World, login: Login) -> None:
    client = login("admin")
    slot = add(world, "展厅", "text", "admin").slot
    an_entry(world, "admin", dictionary=KIND, label="本馆客户", value="ours")
    an_entry(world, "admin", dictionary="customer.level", label="本馆级别", value="ours")
    role = select(StaffRole.id).where(
        StaffRole.dealer_id == world.actor("admin").dealer_id, StaffRole.label != ""
    )
    cases: tuple[tuple[dict[str, Any], dict[str, Any], str], ...] = (
        ({slot: "甲"}, {}, "字段“展厅”"),
        ({"kind": "ours"}, {}, "选项“本馆客户”"),
        ({"store_id": str(world.stores[0].id)}, {}, f"“{world.stores[0].name}”"),
        ({}, {"colour1": "level=ours", "tone1": "r"}, "选项“本馆级别”"),
        ({}, {"audience": "role", "role_id": str(db.session.scalars(role.limit(1)).one())}, "“"),
    )
    for n, (now, more, what) in enumerate(cases):
        assert make(client, f"视图{n}", **now).status_code == 302, now
        said = errors(share(client, kept(f"视图{n}"), **ALL, **more))
        assert any(what in one and "只属于一个商场，不能用在集团通用的视图中" in one for one in said), (
            now,
            more,
            said,
        )
        assert kept(f"视图{n}").audience.value == "person"
    make(client, "集团的", level="A")
    answer = client.post(f"/list_views/{kept('集团的').id}", data={
        "name": "集团的", "version": "1", "audience": "dealer", **ALL,
    }, follow_redirects=True)  # fmt: skip
    assert "不含只属于一个商场的列：展厅" in answer.get_data(as_text=True)
    assert slot not in kept("集团的").columns and "name" in kept("集团的").columns
    sent = {"version": str(kept("集团的").version), "now.kind": "ours"}
    answer = client.post(f"/list_views/{kept('集团的').id}/conditions", data=sent)
    assert answer.status_code == 400 and "选项“本馆客户”只属于一个商场" in answer.get_data(as_text=True)
    assert "kind" not in kept("集团的").args


@pytest.mark.sqlite_only
def test_views_for_everybody_travel_as_such(world: World, login: Login) -> None:
    client, admin, session = login("admin"), world.actor("admin"), db.session()
    make(client, "集团重点", level="A")
    share(client, kept("集团重点"), **ALL)
    text = difference.export(session, admin, None, ("saved_views",))
    assert "集团重点" in text
    client.post(f"/list_views/{kept('集团重点').id}/delete", data={"version": str(kept("集团重点").version)})
    found = difference.plan(session, files.read(text, admin), admin, None)
    difference.carry_out(session, found, difference.acting_for(admin, None, [c.kind for c in found.compared]))
    newest = session.scalars(select(SavedView).order_by(SavedView.id.desc()).limit(1)).one()
    assert newest.dealer_id is None and "集团重点" in body(login("outsider"), "/customers/")


# ----- options of dictionaries


@pytest.mark.sqlite_only
def test_an_option_for_everybody_is_made_on_both_pages(world: World, login: Login) -> None:
    client = login("admin")
    assert 'name="for_all"' in body(client, f"{URL}?name={KIND}")
    lines = {"lines": "集团客户\n渠道客户", "do": "add"}
    assert client.post(f"{URL}?name={KIND}", data={**lines, **ALL}).status_code == 302
    entry = {"dictionary": KIND, "label": "战略客户", "tone": "good", "sort": "90", "active": "1"}
    assert client.post("/dictionary_entries/new", data={**entry, **ALL}).status_code == 302
    for dealer in (world.a, world.b):
        offered = [e.label for e in dictionary(KIND, dealer.id)]
        assert {"集团客户", "渠道客户", "战略客户"} <= set(offered)
    assert client.post(f"{URL}?name={KIND}", data={**lines, "lines": "本馆客户"}).status_code == 302
    assert of("本馆客户") == world.actor("admin").dealer_id


@pytest.mark.sqlite_only
def test_only_the_group_makes_options_for_everybody(world: World, login: Login) -> None:
    boss = login("boss")
    entry = {"dictionary": KIND, "label": "我的", "tone": "good", "sort": "90", "active": "1"}
    sentence = "只有集团管理员可以新增集团通用的字典条目"
    for path in (f"{URL}?name={KIND}", "/dictionary_entries/new"):
        assert 'name="for_all"' not in body(boss, path)
        said = errors(boss.post(path, data={**entry, **ALL, "lines": "我的", "do": "add"}))
        assert any(sentence in one for one in said), (path, said)
    assert "我的" not in [e.label for e in dictionary(KIND, world.a.id)]
    chief = replace(world.actor("admin"), dealer_id=None)
    with pytest.raises(Invalid) as refused:
        create(Dictionaries, {"dictionary": KIND, "label": "无主", "for_all": False}, chief)
    assert refused.value.errors == {"for_all": SURELY}
    db.session.rollback()
    assert create(Dictionaries, {"dictionary": KIND, "label": "无主"}, chief)[0].dealer_id is None


@pytest.mark.sqlite_only
def test_an_option_for_everybody_stands_in_nothing_of_one_dealer(world: World, login: Login) -> None:
    client = login("admin")
    an_entry(world, "admin", dictionary="customer.source_category", label="本馆", value="ours")
    field = add(world, "展区", "choice", "admin", options="甲\n乙")
    entry = {"label": "活动", "tone": "good", "sort": "90", "active": "1", **ALL}
    for more, what in (
        ({"dictionary": "customer.source", "parent": "ours"}, "选项“本馆”"),
        ({"dictionary": f"custom.{field.id}"}, "字典“展区”"),
    ):
        said = errors(client.post("/dictionary_entries/new", data={**entry, **more}))
        assert any(f"{what}只属于一个商场，不能用在集团通用的字典条目中" in one for one in said), said
        own = {**entry, **more, "for_all": ""}
        assert client.post("/dictionary_entries/new", data=own).status_code == 302


# ----- an added field's own page


@pytest.mark.sqlite_only
def test_the_page_of_a_choice_field_shows_its_options_and_the_way_to_them(world: World, login: Login) -> None:
    boss = login("boss")
    field = add(world, "装修阶段", "choice", options="毛坯\n水电\n硬装")
    off = db.session.scalars(select(DictionaryEntry).where(DictionaryEntry.label == "硬装")).one()
    world.change(off, "boss", active=False)
    page = body(boss, f"/custom_fields/{field.id}")
    assert '<span class="t i">毛坯</span><span class="t g">水电</span>' in page
    assert "已停用：硬装" in page
    (url,) = re.findall(r'href="([^"]*)"[^>]*>(?:(?!</a>).)*选项字典', page, re.S)
    listed = body(boss, url.replace("&amp;", "&"))
    assert all(label in listed for label in ("毛坯", "水电", "硬装"))
    plain = body(boss, f"/custom_fields/{add(world, '会员号', 'text').id}")
    assert "选项字典" not in plain and ">选项<" not in plain


@pytest.mark.parametrize("kind", ["choice", "choices"])
def test_an_option_that_a_record_holds_is_not_deleted(world: World, kind: str) -> None:
    field = add(world, "装修阶段", kind, options="毛坯\n毛坯房")
    held = {"choice": "毛坯", "choices": ["毛坯"]}[kind]
    file_with(world, **{field.slot: held})
    used, free = (
        db.session.scalars(select(DictionaryEntry.id).where(DictionaryEntry.label == label)).one()
        for label in ("毛坯", "毛坯房")
    )
    with pytest.raises(Refusal, match=r"“毛坯”正被 1 位客户使用，不能删除；可以停用$"):
        remove(Dictionaries, used, world.actor("boss"))
    db.session.rollback()
    remove(Dictionaries, free, world.actor("boss"))


# ----- one name for one list


@pytest.mark.sqlite_only
def test_a_list_is_called_on_the_pages_of_its_records_and_in_the_search_as_in_the_menu(
    world: World, login: Login
) -> None:
    boss = login("boss")
    person = world.people["seller"]
    field = add(world, "会员号", "text")
    for url, name in (
        (f"/employees/{person.id}", "组织人员管理"),
        (f"/custom_fields/{field.id}", "字段管理"),
    ):
        crumb = re.search(r'<nav class="crumbs".*?</nav>', body(boss, url), re.S)
        assert crumb is not None and words(crumb[0]).startswith(f"{name}/"), url
        assert f"{name}</h1>" in body(boss, f"/{url.split('/')[1]}/")
    assert "组织人员管理" in words(body(login("seller"), "/employees/", 403))
    for key, name in (("customers", "来客"), ("employees", "同事")):
        sent = {"key": key, "label": name, "version": "0"}
        assert boss.post("/menu-settings/edit", data=sent).status_code == 302
    customer = world.customer(name="王女士")
    assert ">同事</a>" in body(boss, f"/employees/{person.id}")
    assert ">来客</a>" in body(boss, f"/customers/{customer.id}")
    assert "来客<small>" in body(boss, "/search?q=王女士").replace("</i> ", "")
