"""The default window, the scopes and their tabs (A-64…A-70)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app.engine.database import db, utcnow
from models.identity import presets, role_rules
from tests.customers.world import World, words
from tests.plugins.people import Login

HINT = "默认仅显示180天内创建的数据，可展开高级搜索调整创建时间"


def open_scopes(world: World, role: str, resource: str, *scopes: str) -> None:
    """Give a preset role exactly these scopes of a resource."""
    from app.engine.audit import acting
    from app.engine.scopes import Scope

    with acting(db.session()):
        target = presets.preset_role(db.session(), world.a.id, role)
        rights = role_rules.rights_of(db.session(), target.id)
        kept = frozenset(pair for pair in rights.scopes if pair[0] != resource)
        wanted = frozenset((resource, Scope(s)) for s in scopes)
        role_rules.give(db.session(), target, role_rules.Rights(rights.grants, kept | wanted))
        db.session.commit()


@pytest.mark.spec("A-64")
def test_the_default_list_ends_180_days_ago(world: World, login: Login) -> None:
    now = utcnow()
    old = world.customer(name="旧客户", now=now - timedelta(days=181))
    young = world.customer(name="新客户", now=now - timedelta(days=179))
    for customer in (old, young):
        world.make(
            "service_orders", now=customer.created_at, customer_id=customer.id,
            brand_category_id=world.categories[0].id,
        )  # fmt: skip
    client = login("seller")
    for page in ("/customers/", "/service_orders/"):
        text = client.get(page).get_data(as_text=True)
        assert "新客户" in text and "旧客户" not in text


@pytest.mark.spec("A-65")
def test_a_wider_range_reaches_older_records(world: World, login: Login) -> None:
    now = utcnow()
    world.customer(name="旧客户", now=now - timedelta(days=181))
    client = login("seller")
    text = client.get("/customers/").get_data(as_text=True)
    assert "展开高级搜索" in text and "创建时间" in text and "旧客户" not in text
    wide = {"created_at.from": (now - timedelta(days=730)).strftime("%Y-%m-%d")}
    assert "旧客户" in client.get("/customers/", query_string=wide).get_data(as_text=True)


@pytest.mark.spec("A-66")
def test_the_range_is_shown_and_an_empty_list_says_so(world: World, login: Login) -> None:
    world.customer(name="旧客户", now=utcnow() - timedelta(days=400))
    text = login("seller").get("/customers/").get_data(as_text=True)
    assert "近 180 天" in text
    assert HINT in text


@pytest.mark.spec("A-67", "A-68")
def test_filing_decides_my_customers_and_assigning_the_related_ones(world: World, login: Login) -> None:
    drawer = world.people["drawer"].id
    assigned = world.customer(name="转给设计师", designer_id=drawer)
    own = world.customer("drawer", name="设计师自建")
    seller, designer = login("seller"), login("drawer")

    def listed(client: object, scope: str) -> str:
        return client.get("/customers/", query_string={"scope": scope}).get_data(as_text=True)  # type: ignore[attr-defined]

    mine = listed(seller, "mine")
    assert assigned.code in mine and own.code not in mine
    assert own.code in listed(designer, "mine") and assigned.code not in listed(designer, "mine")
    related = listed(designer, "related")
    assert assigned.code in related and own.code not in related
    assert "我的客户" in mine and "我关联的客户" in related


@pytest.mark.spec("A-68")
def test_a_collaborator_finds_the_customer_under_related(world: World, login: Login) -> None:
    customer = world.customer(name="协作客户", helpers=[world.people["seller2"].id])
    client = login("seller2")
    assert customer.code in client.get("/customers/", query_string={"scope": "related"}).get_data(
        as_text=True
    )
    assert client.get(f"/customers/{customer.id}").status_code == 200


@pytest.mark.spec("A-69")
def test_the_count_of_each_scope_is_right(world: World, login: Login) -> None:
    open_scopes(world, "manager", "customers", "mine", "related", "store", "dealer")
    keeper = world.people["keeper"].id
    world.customer("keeper", name="店长建")
    world.customer("seller", name="关联店长", designer_id=keeper)
    world.customer("seller", name="本店客户")
    world.customer("seller", name="二店客户", store_id=world.stores[1].id)
    world.customer("outsider", name="外商场客户")
    client = login("keeper")
    for scope, amount in (("mine", 1), ("related", 1), ("store", 3), ("dealer", 4)):
        text = client.get("/customers/", query_string={"scope": scope}).get_data(as_text=True)
        assert f"{amount}条记录" in words(text), scope
        assert "外商场客户" not in text


@pytest.mark.spec("A-70")
def test_an_address_obeys_the_scope(world: World, login: Login) -> None:
    other_store = world.customer("seller2", name="别店客户", store_id=world.stores[1].id)
    foreign = world.customer("outsider", name="别商场客户")
    for customer in (other_store, foreign):
        answer = login("seller").get(f"/customers/{customer.id}")
        assert answer.status_code == 404
        assert "无权限查看" in answer.get_data(as_text=True)
        assert "别店客户" not in answer.get_data(as_text=True)
    assert login("boss").get(f"/customers/{foreign.id}").status_code == 404
    assert login("boss").get(f"/customers/{other_store.id}").status_code == 200


@pytest.mark.spec("A-70")
def test_a_record_that_fits_twice_is_listed_once(world: World, login: Login) -> None:
    drawer = world.people["drawer"].id
    customer = world.customer("drawer", designer_id=drawer, helpers=[drawer])
    client = login("drawer")
    mine = client.get("/customers/", query_string={"scope": "mine"}).get_data(as_text=True)
    related = client.get("/customers/", query_string={"scope": "related"}).get_data(as_text=True)
    assert "1条记录" in words(mine) and customer.code in mine
    assert "0条记录" in words(related) and customer.code not in related


def test_a_row_offers_its_page_its_form_and_what_the_person_may_do(world: World, login: Login) -> None:
    world.customer()
    offered = {}
    for person in ("seller", "boss", "typist"):
        shown = login(person).get("/customers/").get_data(as_text=True)
        menu = shown.partition('id="rowmenu"')[2].partition("</div>")[0]
        found = re.findall(r'<button [^>]*data-url="([^"]*)" data-act="(\w+)"( data-row)?', menu)
        offered[person] = {name: (url, bool(row)) for url, name, row in found}
    assert offered["seller"]["open"] == ("/customers/{id}", False)
    assert offered["seller"]["edit"] == ("/customers/{id}/edit", False)
    assert offered["seller"]["call"] == ("/customers/action/call", True)
    assert "invalidate" in offered["seller"] and "reassign" not in offered["seller"]
    assert "reassign" in offered["boss"] and "reopen" not in offered["boss"]
    assert set(offered["typist"]) == {"open", "edit", "tag"}


def test_rows_can_be_ticked_only_where_something_can_be_done_with_many(world: World, login: Login) -> None:
    world.customer()
    for person, ticks in (("typist", False), ("seller", True)):
        shown = login(person).get("/customers/?scope=dealer").get_data(as_text=True)
        assert ('name="id"' in shown) is ticks and ('class="batch"' in shown) is ticks
