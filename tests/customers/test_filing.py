"""Opening a customer file and the same-phone check (A-01…A-10)."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.engine.actions import Question, Refusal
from app.engine.database import db
from app.engine.perform import create
from app.engine.resource import resource
from models.customers.duplicates import GO_ON, INSIST
from models.customers.tables import Contact, ContactSource, Customer, Stage
from tests.customers.world import PHONE, World
from tests.plugins.people import Login

HEADING = "此电话号码已建档，请选择建档标签"


def amount(model: type = Customer) -> int:
    """How many records there are."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.spec("A-01")
def test_a_filed_customer_gets_a_number_and_is_listed(world: World, login: Login) -> None:
    client = login("seller")
    answer = client.post("/customers/new", data={"name": "张女士", "phone": PHONE}, follow_redirects=True)
    assert answer.status_code == 200
    customer = db.session.scalars(select(Customer)).one()
    assert customer.code.startswith("KF")
    assert customer.owner_id == customer.filer_id == world.people["seller"].id
    listed = client.get("/customers/").get_data(as_text=True)
    assert customer.code in listed and "张女士" in listed


@pytest.mark.spec("A-02")
def test_typing_a_filed_phone_warns_before_saving_in_that_dealer_only(world: World, login: Login) -> None:
    world.customer(phone=PHONE)
    told = login("seller2").get("/customers/check/phone", query_string={"value": PHONE}).get_json()
    assert told["ok"] is False and told["message"] == HEADING
    elsewhere = login("outsider").get("/customers/check/phone", query_string={"value": PHONE}).get_json()
    assert elsewhere == {"ok": True, "message": "", "html": ""}
    page = (
        login("seller2")
        .post("/customers/new", data={"name": "王先生", "phone": PHONE})
        .get_data(as_text=True)
    )
    assert HEADING in page and "本商场已有1位" in page
    filed = login("outsider").post("/customers/new", data={"name": "赵女士", "phone": PHONE})
    assert filed.status_code == 302
    assert amount() == 2


@pytest.mark.spec("A-03")
def test_giving_up_saves_nothing(world: World, login: Login) -> None:
    world.customer(phone=PHONE)
    page = (
        login("seller2")
        .post("/customers/new", data={"name": "王先生", "phone": PHONE})
        .get_data(as_text=True)
    )
    assert "放弃创建" in page and "继续创建" in page
    assert 'href="/customers' in page
    assert amount() == 1


@pytest.mark.spec("A-04")
def test_going_on_shows_the_second_notice_with_three_choices(world: World, login: Login) -> None:
    world.customer(phone=PHONE)
    page = (
        login("seller2")
        .post("/customers/new", data={"name": "王先生", "phone": PHONE, "_answer": f"{GO_ON}:{PHONE}"})
        .get_data(as_text=True)
    )
    assert "温馨提示" in page
    for label in ("添加品类", "继续建档", "取消"):
        assert label in page
    assert amount() == 1


@pytest.mark.spec("A-05")
def test_insisting_files_a_second_customer_with_the_phone(world: World, login: Login) -> None:
    first = world.customer(phone=PHONE)
    client = login("seller")
    client.post(
        "/customers/new",
        data={"name": "王先生", "phone": PHONE, "_answer": [f"{GO_ON}:{PHONE}", f"{INSIST}:{PHONE}"]},
    )
    found = db.session.scalars(select(Customer).where(Customer.phone == PHONE)).all()
    assert len(found) == 2 and len({c.code for c in found}) == 2
    listed = client.get("/customers/", query_string={"q": PHONE}).get_data(as_text=True)
    assert all(c.code in listed for c in found) and first.code in listed


@pytest.mark.spec("A-06")
def test_adding_a_category_leads_to_the_customers_with_the_phone(world: World, login: Login) -> None:
    mine = world.customer(phone=PHONE, name="周先生")
    other = world.customer(name="吴女士")
    client = login("seller")
    page = client.post(
        "/customers/new", data={"name": "王先生", "phone": PHONE, "_answer": f"{GO_ON}:{PHONE}"}
    ).get_data(as_text=True)
    assert f"/customers?q={PHONE}" in page or f"/customers/?q={PHONE}" in page
    listed = client.get(f"/customers?q={PHONE}", follow_redirects=True).get_data(as_text=True)
    assert mine.code in listed and other.code not in listed
    assert amount() == 2


@pytest.mark.spec("A-06")
def test_the_search_finds_the_customer_in_whatever_scope_it_is(world: World, login: Login) -> None:
    customer = world.customer(phone=PHONE, designer_id=world.people["drawer"].id)
    designer = login("drawer")
    assert customer.code in designer.get(f"/customers/?q={PHONE}").get_data(as_text=True)
    form = {"name": "王先生", "phone": PHONE, "_answer": f"{GO_ON}:{PHONE}"}
    assert "不在您的数据范围内" not in designer.post("/customers/new", data=form).get_data(as_text=True)
    nowhere = login("seller2").post("/customers/new", data=form).get_data(as_text=True)
    assert "已有客户不在您的数据范围内" in nowhere and "添加品类" in nowhere


@pytest.mark.spec("A-07")
def test_continuing_service_adds_an_order_and_no_file(world: World, login: Login) -> None:
    customer = world.customer(phone=PHONE)
    world.order(customer, 0)
    login("seller").post(
        "/customers/action/continue_service",
        data={"id": customer.id, "brand_category": world.categories[1].id},
    )
    from models.orders.tables import ServiceOrder

    assert amount() == 1
    assert amount(ServiceOrder) == 2


@pytest.mark.spec("A-08")
def test_without_a_phone_the_person_becomes_a_contact(world: World, login: Login) -> None:
    client = login("seller")
    assert client.post("/customers/new", data={"name": "无号先生"}).status_code == 302
    assert amount() == 0
    contact = db.session.scalars(select(Contact)).one()
    assert contact.source == ContactSource.SELF_FILED
    assert contact.employee_id == world.people["seller"].id
    assert "无号先生" in client.get("/contacts/").get_data(as_text=True)


@pytest.mark.spec("A-09")
@pytest.mark.parametrize(
    "typed", ["138 0000 0001", "138-0000-0001", "+8613800000001", "１３８０００００００１"]
)
def test_a_phone_is_compared_in_its_plain_form(world: World, login: Login, typed: str) -> None:
    world.customer(phone=PHONE)
    told = login("seller").get("/customers/check/phone", query_string={"value": typed}).get_json()
    assert told["message"] == HEADING


@pytest.mark.spec("A-09")
def test_a_wrong_phone_is_refused_with_the_hint_and_the_form_kept(world: World, login: Login) -> None:
    answer = login("seller").post("/customers/new", data={"name": "半号女士", "phone": "1380000"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "请输入正确的手机号码" in page and "半号女士" in page and "1380000" in page
    assert amount() == 0


@pytest.mark.spec("A-09")
def test_a_further_number_is_checked_like_the_main_one(world: World) -> None:
    world.customer(phone=PHONE, phones=["13700000007"])
    with pytest.raises(Question):
        world.customer(phone="13700000007")


@pytest.mark.spec("A-09")
def test_of_two_filing_the_same_number_at_once_one_is_asked(app: Flask, world: World) -> None:
    said: list[str] = []
    together = threading.Barrier(2)

    def file(who: str) -> None:
        with app.app_context():
            actor = world.actor(who)
            db.session.rollback()
            together.wait(20)
            try:
                create(resource("customers"), {"name": f"{who}客户", "phone": PHONE}, actor)
                said.append("filed")
            except Question as question:
                said.append(question.heading)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=file, args=(who,)) for who in ("seller", "seller2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(said) == ["filed", HEADING]
    assert amount() == 1


@pytest.mark.spec("A-10")
def test_the_dialog_names_the_file_and_nothing_else(world: World, login: Login) -> None:
    old = world.customer(phone=PHONE, name="钱女士", address="秘密路9号")
    world.act("invalidate", old)
    page = (
        login("seller2")
        .post("/customers/new", data={"name": "王先生", "phone": PHONE})
        .get_data(as_text=True)
    )
    for shown in ("钱女士", "甲商场1店", "导购甲", "已失效", "王先生"):
        assert shown in page
    assert "秘密路9号" not in page and old.code not in page
    assert amount() == 1


@pytest.mark.spec("A-10")
def test_a_category_with_an_open_order_is_refused_a_lost_one_is_not(world: World) -> None:
    customer = world.customer()
    order = world.order(customer, 0)
    with pytest.raises(Refusal, match="该客户已有此品类的服务单"):
        world.act("continue_service", customer, brand_category=world.categories[0].id)
    world.act("lose", order, reason="价格")
    world.act("continue_service", customer, brand_category=world.categories[0].id)
    db.session.refresh(customer)
    assert customer.stage == Stage.FOLLOWING
