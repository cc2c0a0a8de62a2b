"""D-11, D-13…D-15: required fields, linked lists, borders, history."""

from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import func, select

from app.engine.database import db
from models.customers.tables import Customer
from tests.customers.world import PHONE, World
from tests.plugins.people import Login
from tests.spec.reading import menu, page, rows, said, text, typed


def files() -> int:
    """How many customers there are."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Customer)) or 0


@pytest.mark.spec("D-11")
def test_a_missing_starred_field_is_marked_and_what_was_typed_is_kept(world: World, login: Login) -> None:
    client = login("seller")
    star = page(client, "/customers/new").partition('data-field="name"')[2].partition("data-field=")[0]
    assert "star" in star and "*" in star
    typed_in = {"name": " ", "phone": PHONE, "community": "翠园小区", "remark": "下月\n交房"}
    answer = client.post("/customers/new", data=typed_in)
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 400 and files() == 0
    assert "客户姓名" in said(shown, "name") or "请填写此项" in said(shown, "name")
    assert [typed(shown, n) for n in ("phone", "community", "remark")] == [PHONE, "翠园小区", "下月\n交房"]
    nothing = client.post("/service_orders/new", data={"remark": "只写了备注"})
    shown = nothing.get_data(as_text=True)
    assert nothing.status_code == 400 and typed(shown, "remark") == "只写了备注"
    assert said(shown, "customer_id") and said(shown, "brand_category_id")


@pytest.mark.spec("D-13")
def test_a_child_of_another_parent_is_refused_and_only_its_own_are_offered(
    world: World, login: Login
) -> None:
    client = login("seller")
    good = {
        "name": "张女士",
        "phone": PHONE,
        "province": "浙江省",
        "city": "杭州市",
        "district": "杭州市西湖区",
    }
    for wrong in ({"province": "江苏省"}, {"city": "宁波市"}, {"district": "宁波市海曙区"}):
        answer = client.post("/customers/new", data={**good, **wrong})
        shown = answer.get_data(as_text=True)
        assert answer.status_code == 400 and files() == 0, wrong
        assert said(shown, "city") or said(shown, "district"), wrong
    crossed = {"name": "张女士", "phone": PHONE, "source_category": "到店", "source": "短视频平台"}
    answer = client.post("/customers/new", data=crossed)
    assert answer.status_code == 400 and said(answer.get_data(as_text=True), "source")
    offered = page(client, "/customers/new")
    cities = re.search(r'<select[^>]*name="city".*?</select>', offered, re.S)
    assert cities
    of_zhejiang = re.findall(r'data-of="浙江省"[^>]*>(.*?)</option>', html.unescape(cities[0]))
    assert [text(c) for c in of_zhejiang] == ["杭州市", "宁波市", "温州市"]
    assert client.post("/customers/new", data=good).status_code == 302


@pytest.mark.spec("D-13")
def test_a_new_parent_empties_the_children_and_a_child_alone_brings_its_parents(
    world: World, login: Login
) -> None:
    client = login("seller")
    alone = {"name": "张女士", "phone": PHONE, "province": "", "district": "杭州市西湖区"}
    assert client.post("/customers/new", data=alone).status_code == 302
    customer = db.session.scalars(select(Customer)).one()
    assert (customer.province, customer.city) == ("浙江省", "杭州市")
    moved = {"province": "江苏省", "version": customer.version}
    assert client.patch(f"/api/v1/customers/{customer.id}", json=moved).status_code == 200
    db.session.refresh(customer)
    assert (customer.province, customer.city, customer.district) == ("江苏省", None, None)
    crossed = {"city": "杭州市", "version": customer.version}
    refused = client.patch(f"/api/v1/customers/{customer.id}", json=crossed)
    assert refused.status_code == 400 and "江苏" not in str(refused.get_json()["errors"].get("province"))
    assert refused.get_json()["errors"]["city"] == "请选择所选省份下的城市"


@pytest.mark.spec("D-14")
def test_a_record_of_another_store_is_not_there_in_any_way(world: World, login: Login) -> None:
    far = world.customer("seller2", name="二店的客户", phone=PHONE, store_id=world.stores[1].id)
    client = login("seller")
    for address in ("", "/panel", "/edit", "/history"):
        shown = page(client, f"/customers/{far.id}{address}", 404)
        assert "无权限查看" in shown and "二店的客户" not in shown
    assert client.get(f"/api/v1/customers/{far.id}").status_code == 404
    posted = client.post(f"/customers/{far.id}/edit", data={"name": "越界", "version": far.version})
    assert posted.status_code == 404
    for address in (
        "/customers/",
        f"/customers/?q={PHONE}",
        "/search?q=二店",
        "/api/v1/customers",
        "/tasks/",
    ):
        answer = client.get(address).get_data(as_text=True).replace("二店</b>", "")
        assert "二店的客户" not in answer and far.code not in answer, address
    db.session.refresh(far)
    assert far.name == "二店的客户"
    assert "二店的客户" in page(login("keeper"), f"/customers/{far.id}")


@pytest.mark.spec("D-14")
def test_without_the_right_the_item_is_hidden_and_the_call_answered_403(world: World, login: Login) -> None:
    client = login("seller")
    items = [item for group in menu(page(client, "/")).values() for item in group]
    for name, label in (("tags", "标签管理"), ("roles", "商场角色管理"), ("employees", "组织人员管理")):
        assert not any(label in item for item in items)
        refused = page(client, f"/{name}/", 403)
        assert "无权限" in refused and "请联系商场系统管理员" in refused
        assert "无权限" in client.get(f"/api/v1/{name}").get_json()["message"]
    assert client.post("/tags/new", data={"name": "越权", "tone": "a"}).status_code == 403


@pytest.mark.spec("D-14")
@pytest.mark.parametrize("wrong", ["1380000", "138000000012", "23800000001", "abc", "138000O0001"])
def test_a_wrong_number_is_refused_in_words(world: World, login: Login, wrong: str) -> None:
    client = login("seller")
    answer = client.post("/customers/new", data={"name": "半号女士", "phone": wrong})
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 400 and files() == 0
    assert said(shown, "phone") == "请输入正确的手机号码" and typed(shown, "phone") == wrong


@pytest.mark.spec("D-14")
def test_blanks_in_a_number_do_not_count(world: World, login: Login) -> None:
    client = login("seller")
    client.post("/customers/new", data={"name": "张女士", "phone": " 138 0000 0001 "})
    assert db.session.scalars(select(Customer.phone)).all() == [PHONE]
    again = client.post("/customers/new", data={"name": "又一位", "phone": "1380000 0001"})
    assert "此电话号码已建档" in again.get_data(as_text=True) and files() == 1


@pytest.mark.spec("D-15", "A-116")
def test_two_browsers_save_one_file_and_the_history_shows_one_change(world: World, login: Login) -> None:
    customer = world.customer(name="原名女士", phone=PHONE)
    address = f"/customers/{customer.id}/edit"
    browsers = [login("seller"), login("seller")]
    versions = [typed(page(b, address), "version") for b in browsers]
    answers = [
        b.post(address, data={"name": name, "phone": PHONE, "version": v})
        for b, v, name in zip(browsers, versions, ("先存女士", "后存女士"), strict=True)
    ]
    assert [a.status_code for a in answers] == [302, 409]
    refused = answers[1].get_data(as_text=True)
    assert "数据已被他人修改，请刷新后重试" in refused and "后存女士" in refused and "先存女士" in refused
    history = page(browsers[0], f"/customers/{customer.id}/history")
    change = r'<th scope="row">客户姓名</th><td class="old">原名女士</td><td class="new">(.*?)</td>'
    changes = re.findall(change, history)
    assert changes == ["先存女士"] and "后存女士" not in history
    assert "导购甲" in history and "网页" in history
    assert re.search(r"<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d</time>", history)
    assert rows(page(browsers[0], "/customers/?q=先存女士"))
