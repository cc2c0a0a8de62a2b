"""A-01…A-10: opening a customer file, as far as it takes two people or the whole way through the pages."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import func, select

from app.engine.database import db
from models.customers.duplicates import GO_ON, INSIST
from models.customers.tables import Customer
from models.orders.tables import ServiceOrder
from tests.customers.world import PHONE, World
from tests.plugins.people import Login
from tests.spec.reading import at_once, footer, link, page, rows, typed

HEADING = "此电话号码已建档，请选择建档标签"


def files() -> int:
    """How many customers there are."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Customer)) or 0


@pytest.mark.spec("A-01")
def test_a_file_gets_its_number_and_stands_in_the_list_of_who_filed_it(world: World, login: Login) -> None:
    client = login("seller")
    answer = client.post("/customers/new", data={"name": "张女士", "phone": "13800000001"})
    assert answer.status_code == 302
    (row,) = rows(page(client, "/customers/"))
    assert "张女士" in row and "KF" in row and "13800000001" in row.replace(" ", "")
    assert rows(page(login("seller2"), "/customers/")) == []


@pytest.mark.spec("A-03", "A-04", "A-10")
def test_each_choice_but_the_last_leaves_everything_as_it_was(world: World, login: Login) -> None:
    world.customer("seller2", phone=PHONE)
    client, form = login("seller"), {"name": "王先生", "phone": PHONE, "community": "翠园小区"}
    asked = client.post("/customers/new", data=form).get_data(as_text=True)
    assert link(asked, "放弃创建") == "/customers/"
    hasty = client.post("/customers/new", data={**form, "_answer": f"{INSIST}:{PHONE}"}).get_data(
        as_text=True
    )
    assert "继续创建" in hasty and "温馨提示" not in hasty
    second = client.post("/customers/new", data={**form, "_answer": f"{GO_ON}:{PHONE}"}).get_data(
        as_text=True
    )
    assert "温馨提示" in second and HEADING not in second
    assert all(words in second for words in ("添加品类", "继续建档", "取消"))
    assert [typed(second, name) for name in form] == list(form.values())
    assert files() == 1


@pytest.mark.spec("A-06", "A-07")
def test_from_the_notice_to_the_second_service_order(world: World, login: Login) -> None:
    customer = world.customer(name="周先生", phone=PHONE)
    world.customer(name="吴女士")
    world.order(customer, 0)
    client = login("seller")
    form = {"name": "王先生", "phone": PHONE, "_answer": f"{GO_ON}:{PHONE}"}
    notice = client.post("/customers/new", data=form).get_data(as_text=True)
    found = page(client, link(notice, "添加品类"))
    assert typed(found, "q") == PHONE and footer(found) == "1条记录 1/1 页" and "周先生" in rows(found)[0]
    service = link(page(client, f"/customers/{customer.id}"), "继续服务")
    assert "品牌品类" in page(client, service)
    added = {"id": customer.id, "brand_category": world.categories[1].id}
    assert client.post("/customers/action/continue_service", data=added).status_code == 302
    assert files() == 2
    orders = db.session.scalars(select(ServiceOrder.customer_id)).all()
    assert orders == [customer.id, customer.id]


@pytest.mark.spec("A-08")
def test_a_name_alone_is_a_lead_and_no_customer(world: World, login: Login) -> None:
    client = login("seller")
    answer = client.post("/customers/new", data={"name": "无号先生"}, follow_redirects=True)
    assert answer.request.path == "/contacts/"
    (row,) = rows(page(client, "/contacts/"))
    assert "无号先生" in row and "自建无手机号" in row
    assert rows(page(client, "/customers/")) == []


@pytest.mark.spec("A-09")
def test_two_people_filing_one_number_at_the_same_moment(world: World, login: Login) -> None:
    clients = [login("seller"), login("seller2")]
    for number in ("13800000001", "13800000002", "13800000003"):
        before = files()
        answers = at_once(
            [partial(c.post, "/customers/new", data={"name": "同时", "phone": number}) for c in clients]
        )
        assert sorted(a.status_code for a in answers) == [200, 302]
        (asked,) = (a.get_data(as_text=True) for a in answers if a.status_code == 200)
        assert HEADING in asked and typed(asked, "phone") == number
        assert files() == before + 1
