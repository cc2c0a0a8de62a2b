"""D-01, D-05…D-10: the frame and the lists that every page shares."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.engine.audit import acting
from app.engine.database import db, utcnow
from app.engine.localtime import local, local_day
from models.identity.roles import StaffRole
from models.identity.tables import Employee, Position, Store
from tests.customers.test_lists import open_scopes
from tests.customers.world import World
from tests.plugins.people import Login
from tests.spec.reading import badge, counts, footer, headings, link, links, menu, page, rows, typed
from tests.spec.test_a_rights import give


@pytest.mark.spec("D-01")
def test_the_header_names_person_position_code_and_store(world: World, login: Login) -> None:
    with acting(db.session()):
        job = Position(name="销售顾问", dealer_id=world.a.id)
        shop = Store(dealer_id=world.a.id, code="HX000001", name="示范一店")
        db.session.add_all([job, shop])
        db.session.flush()
        person = db.session.get_one(Employee, world.people["seller"].id)
        person.name, person.position_id, person.store_id = "甲某", job.id, shop.id
        db.session.commit()
    shown = page(login("seller"), "/customers/")
    assert "甲某-销售顾问 [HX000001: 示范一店]" in shown
    assert '<time class="clocknow' in shown


@pytest.mark.spec("D-05")
def test_a_role_of_one_group_sees_that_group_and_the_way_home(world: World, login: Login) -> None:
    admin, client = login("boss"), login("seller")
    assert {"经营", "获客"} <= set(menu(page(client, "/")))
    form = {
        "label": "只做获客",
        "permission": ["can_list@Contacts"],
        "scope.contacts": ["mine"],
        "step": "save",
    }
    assert admin.post("/roles/new", data={**form, "_once": "r"}).status_code == 302
    only = db.session.scalars(select(StaffRole).where(StaffRole.label == "只做获客")).one()
    give(world, admin, "seller", [only.id])
    shown = page(client, "/")
    assert menu(shown) == {"": ["回到首页"], "获客": ["潜客列表"]}
    assert "收起菜单" in shown
    page(client, "/contacts/")
    page(client, "/customers/", 403)


@pytest.mark.spec("D-06")
def test_five_waiting_tasks_are_four_after_one_follow_up(world: World, login: Login) -> None:
    now = utcnow()
    tonight = local_day(local(now).date() + timedelta(days=1)) - timedelta(seconds=1)
    waiting = [tonight] * 3 + [now - timedelta(days=1)] * 2
    customers = [world.customer(name=f"客户{n}") for n in range(5)]
    for customer, due in zip(customers, waiting, strict=True):
        form = {"text": "再联系", "next_follow_up_at": due, "now": now - timedelta(days=3)}
        world.act("write_follow_up", customer, **form)
    theirs = world.customer("seller2")
    world.act("write_follow_up", theirs, by="seller2", text="别人的", next_follow_up_at=tonight)
    elsewhere = world.customer("boss", store_id=world.stores[1].id)
    world.act("write_follow_up", elsewhere, by="boss", text="二店的", next_follow_up_at=tonight)
    open_scopes(world, "manager", "tasks", "mine", "store")
    client = login("seller")
    before = page(client, "/")
    assert badge(before, "tasks") == 5
    others = badge(before, "经营") - 5
    client.post("/customers/action/write_follow_up", data={"id": customers[4].id, "text": "已联系"})
    after = page(client, "/")
    assert (badge(after, "tasks"), badge(after, "经营")) == (4, others + 4)
    assert badge(page(login("keeper"), "/"), "tasks") == 5
    open_scopes(world, "manager", "tasks", "mine", "store", "dealer")
    assert badge(page(login("keeper"), "/"), "tasks") == 5  # the store's, wherever else he may look


@pytest.mark.spec("D-06")
def test_nothing_waiting_shows_no_badge(world: World, login: Login) -> None:
    shown = page(login("seller"), "/")
    assert badge(shown, "tasks") == badge(shown, "经营") == 0


@pytest.mark.spec("D-08")
def test_the_last_four_digits_find_one_row_and_clearing_brings_all_back(world: World, login: Login) -> None:
    for name, phone in (("甲", "13800000001"), ("乙", "13800000002"), ("丙", "13900007788")):
        world.customer(name=f"{name}女士", phone=phone)
    client = login("seller")
    assert footer(page(client, "/customers/")) == "3条记录 1/1 页"
    found = page(client, "/customers/?q=7788&level=&stage=")
    (row,) = rows(found)
    assert "丙女士" in row and footer(found) == "1条记录 1/1 页" and typed(found, "q") == "7788"
    for label in ("查询", "清除"):
        assert label in found
    cleared = page(client, link(found, "清除"))
    assert len(rows(cleared)) == 3 and typed(cleared, "q") == ""
    both = page(client, "/customers/?q=7788&stage=lost")
    assert rows(both) == []
    assert "丙女士" in rows(page(client, "/customers/?q=丙女"))[0]


@pytest.mark.spec("D-09")
def test_49_records_stand_on_three_pages(world: World, login: Login) -> None:
    for n in range(49):
        world.customer(name=f"客户{n:02}")
    client = login("seller")
    first = page(client, "/customers/")
    assert footer(first) == "49条记录 1/3 页" and len(rows(first)) == 20
    turn = links(first, "翻页")
    assert list(turn) == ["2", "3", "下页", "末页"]
    assert "序号" in headings(first)[0] and headings(first)[-1] == "操作"
    assert "每页" in first and "20" in first
    third = page(client, turn["3"])
    assert footer(third) == "49条记录 3/3 页"
    assert [r.split()[0] for r in rows(third)] == [str(n) for n in range(41, 50)]
    second = page(client, turn["下页"])
    assert [r.split()[0] for r in rows(second)] == [str(n) for n in range(21, 41)]
    last = page(client, turn["末页"])
    assert rows(last) == rows(third) == rows(page(client, links(second, "翻页")["下页"]))
    back = page(client, links(last, "翻页")["上页"])
    assert rows(back) == rows(second)
    assert rows(page(client, links(back, "翻页")["首页"])) == rows(first)
    assert len({r.split()[1] for shown in (first, second, third) for r in rows(shown)}) == 49


@pytest.mark.spec("D-10")
@pytest.mark.parametrize("name", ["customers", "contacts", "tasks", "service_orders", "factory_orders"])
def test_an_empty_list_says_so_under_its_headings(world: World, login: Login, name: str) -> None:
    world.customer()
    client = login("seller")
    full = page(client, f"/{name}/")
    empty = page(client, f"/{name}/?q=13999999999")
    assert rows(empty) == [] and "暂无相关数据" in empty
    assert headings(empty) == headings(full) != []
    assert footer(empty) == "0条记录"


@pytest.mark.spec("D-06")
@pytest.mark.parametrize("person", ["seller", "drawer", "keeper", "boss"])
def test_a_number_opens_what_it_counts(world: World, login: Login, person: str) -> None:
    """Menu badge, card of the home page, number of the home page and tab tell the same, and the page they
    open has so many rows; the list opened from the menu lies in that scope."""
    late = utcnow() - timedelta(hours=30)
    drawer = world.people["drawer"].id
    for by in ("seller", "seller2", "keeper"):
        customer = world.customer(by, designer_id=drawer)
        form = {"text": "再联系", "next_follow_up_at": late, "now": late - timedelta(days=1)}
        world.act("write_follow_up", customer, by=by, **form)
        world.contact(by)
    client = login(person)
    home = page(client, "/")
    for name in ("tasks", "contacts"):
        opened = page(client, f"/{name}/")
        waiting = counts(opened, "视图")["待办" if name == "tasks" else "未跟进"]
        assert badge(home, name) == int(waiting) == int(number(home, f"/{name}/"))
        assert len(rows(page(client, links(opened, "视图")["待办" if name == "tasks" else "未跟进"]))) == int(
            waiting
        )
    opened = page(client, "/customers/")
    assert rows(opened)
    told = counts(opened, "视图")["急需跟进"]
    address, shown = next(p for p in re.findall(r'<a href="([^"]*)"><span>急需跟进</span><b>(\d+)</b>', home))
    assert shown == told and len(rows(page(client, html.unescape(address)))) == int(told) > 0


@pytest.mark.spec("D-08")
def test_ranges_in_the_bar_have_names_and_their_chips_say_which_end(world: World, login: Login) -> None:
    client = login("seller")
    bar = page(client, "/follow_ups/").partition('class="filters"')[2].partition("</form>")[0]
    assert re.search(r'class="rng"[^>]*><select[^>]*><option value="">跟进时间</option>', bar)
    chip = "创建时间：{}".format
    for query, said in (
        ("created_at.from=2026-05-30", "2026-05-30 起"),
        ("created_at.to=2026-06-30", "至 2026-06-30"),
        ("created_at.from=2026-05-30&created_at.to=2026-06-30", "2026-05-30 至 2026-06-30"),
    ):
        assert f">{chip(said)}<" in page(client, f"/customers/?{query}")
    assert 'class="filters"' not in page(login("boss"), "/duplicate_rules/")


@pytest.mark.spec("D-10")
def test_an_empty_list_names_what_was_asked(world: World, login: Login) -> None:
    client = login("seller")
    shown = page(client, "/customers/?q=<b>查无此人")
    assert "没有找到“&lt;b&gt;查无此人”（可搜索姓名、手机号码、服务号）" in shown
    assert 'aria-label="翻页"' not in shown and footer(shown) == "0条记录"
    assert "没有同时符合这些条件的记录" in page(client, "/contacts/?source=camera")
    assert "其他系统经接口送来的事件" in page(login("boss"), "/inbound_events/")


def number(home: str, url: str) -> str:
    """The count on the card of the home page that leads there."""
    found = re.search(rf'<a class="card0 todo[^"]*" href="{url}\?.*?<b>(\d+)</b>', home, re.S)
    assert found
    return found[1]
