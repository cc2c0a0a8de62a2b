"""A-64…A-70: the default window, the search past it, and the scopes with their counts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.engine.database import utcnow
from tests.customers.test_lists import HINT, open_scopes
from tests.customers.world import World
from tests.plugins.people import Login
from tests.spec.reading import counts, footer, links, page, rows

PAGES = ("customers", "service_orders", "factory_orders", "tasks")
TABS = {
    "customers": ("我的客户", "我关联的客户", "本店客户", "全部客户"),
    "service_orders": ("我的", "我关联的", "全部"),
    "factory_orders": ("我的", "本店", "全部"),
    "tasks": ("我的", "本店", "全部"),
}
AMOUNTS = {
    "customers": {"我的客户": 1, "我关联的客户": 1, "本店客户": 2, "全部客户": 3},
    "service_orders": {"我的": 1, "我关联的": 1, "全部": 3},
    "factory_orders": {"我的": 1, "本店": 2, "全部": 3},
    "tasks": {"我的": 1, "本店": 2, "全部": 3},
}


@pytest.mark.spec("A-64", "A-65")
def test_the_window_ends_180_days_ago_until_the_range_is_changed(world: World, login: Login) -> None:
    now = utcnow()
    for days in (179, 181):
        at = now - timedelta(days=days)
        customer = world.customer(name=f"{days}天前", now=at)
        world.make(
            "service_orders", now=at, customer_id=customer.id, brand_category_id=world.categories[0].id
        )
    client = login("seller")
    for name in ("customers", "service_orders"):
        shown = page(client, f"/{name}/")
        assert len(rows(shown)) == 1 and "179天前" in rows(shown)[0]
        assert "展开高级搜索" in shown and "创建时间" in shown
        start = (now - timedelta(days=730)).strftime("%Y-%m-%d")
        wide = " ".join(rows(page(client, f"/{name}/?created_at.from={start}")))
        assert "181天前" in wide and "179天前" in wide
        nonsense = page(client, f"/{name}/?created_at.from=abc")
        assert len(rows(nonsense)) == 1 and "近 180 天" in nonsense
        assert "创建时间：“abc”不是有效的日期" in nonsense
        half = page(client, f"/{name}/?created_at.from={start}&created_at.to=abc")
        assert len(rows(half)) == 2 and "近 180 天" not in half and "“abc”" in half


@pytest.mark.spec("A-66")
def test_searching_an_old_customer_says_how_far_was_searched(world: World, login: Login) -> None:
    old = world.customer(name="陈年旧客", now=utcnow() - timedelta(days=400))
    client = login("seller")
    shown = page(client, "/customers/?q=陈年旧客")
    assert rows(shown) == [] and HINT in shown and "近 180 天" in shown
    assert "陈年旧客" in rows(page(client, f"/customers/?q={old.phone}"))[0]


@pytest.mark.spec("A-69")
def test_every_list_has_its_tabs_and_each_count_is_right(world: World, login: Login) -> None:
    for name in PAGES:
        open_scopes(world, "manager", name, "mine", "related", "store", "dealer")
    keeper, due = world.people["keeper"].id, utcnow() + timedelta(days=3)
    mine = world.customer("keeper", name="店长建")
    related = world.customer("seller2", name="给店长", designer_id=keeper)
    far = world.customer("seller", name="二店的", store_id=world.stores[1].id)
    world.customer("outsider", name="外商场的")
    for customer, by in ((mine, "keeper"), (related, "seller2"), (far, "seller")):
        designer = {"designer_id": keeper} if customer is related else {}
        order = world.make(
            "service_orders",
            by,
            customer_id=customer.id,
            brand_category_id=world.categories[0].id,
            **designer,
        )
        world.make("factory_orders", by, service_order_id=order.id)
        world.make("tasks", by, kind="other", subject="回电", customer_id=customer.id, due_at=due)
    client = login("keeper")
    for name in PAGES:
        shown = page(client, f"/{name}/")
        tabs = links(shown, "数据范围")
        assert [t for t in tabs if t in TABS[name]] == list(TABS[name]), name
        found = {label: footer(page(client, tabs[label])) for label in TABS[name]}
        assert found == {label: f"{n}条记录 1/1 页" for label, n in AMOUNTS[name].items()}, name
        told = {label: n for label, n in counts(shown, "数据范围").items() if label in TABS[name]}
        if name in ("customers", "tasks"):  # tabs of children tell no number
            assert told == {label: str(n) for label, n in AMOUNTS[name].items()}, name


@pytest.mark.spec("A-67", "A-68", "A-70")
def test_the_consultants_file_and_the_designers(world: World, login: Login) -> None:
    drawer = world.people["drawer"].id
    given = world.customer("seller", name="导购建", designer_id=drawer)
    own = world.customer("drawer", name="设计师建", designer_id=drawer)
    designer, seller = login("drawer"), login("seller")
    assert [r for r in rows(page(seller, "/customers/?scope=mine")) if given.code in r]
    (mine,) = rows(page(designer, "/customers/?scope=mine"))
    (related,) = rows(page(designer, "/customers/?scope=related"))
    assert own.code in mine and given.code in related
    refused = page(seller, f"/customers/{own.id}", 404)
    assert "无权限查看" in refused and "设计师建" not in refused
