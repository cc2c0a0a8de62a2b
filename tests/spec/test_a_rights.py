"""A-87…A-92, A-113, A-114, A-116: what the administrator has, gives, and what holds at the next click."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from app.engine.database import db, utcnow
from models.customers.tables import Customer, Tag
from models.follow_ups.tables import Task
from models.identity.roles import RoleAssignment, StaffRole
from models.identity.tables import Department, Store
from tests.customers.world import PHONE, World
from tests.identity.editor import MASK, PRICE, TAGS, edit, role
from tests.plugins.people import Login
from tests.spec.reading import button, link, page

VIEW = "查看结算价"
SOON = utcnow() + timedelta(days=3)


@pytest.fixture
def priced(world: World) -> Any:
    """An order whose settlement price is 4321.00."""
    order = world.make("factory_orders", service_order_id=world.order(world.customer(phone=PHONE)).id)
    world.act("set_settlement_price", order, by="boss", price=Decimal("4321.00"))
    return order


def look(client: Any, order: Any) -> str:
    """Press 查看结算价 and read what is said."""
    pressed = client.post(
        "/factory_orders/action/view_settlement_price",
        data={"id": order.id, "back": f"/factory_orders/{order.id}"},
        follow_redirects=True,
    )
    return str(pressed.get_data(as_text=True))


@pytest.mark.spec("A-87", "A-88")
def test_the_consultant_has_no_such_button_before_the_grant(world: World, login: Login, priced: Any) -> None:
    admin, consultant, address = login("boss"), login("seller"), f"/factory_orders/{priced.id}"
    shown = page(admin, address)
    assert "订单进度" in shown and button(shown, VIEW)
    assert "4,321.00" in look(admin, priced)
    assert VIEW not in page(consultant, address) and VIEW not in page(consultant, "/factory_orders/")
    assert "4,321" not in look(consultant, priced)
    edit(admin, role(world.a.id, "consultant"), add=[PRICE])
    assert button(page(consultant, address), VIEW)
    assert "4,321.00" in look(consultant, priced)


@pytest.mark.spec("A-89")
def test_the_servers_answer_holds_no_settlement_price(world: World, login: Login, priced: Any) -> None:
    consultant = login("seller")
    for address in ("/api/v1/factory_orders", f"/api/v1/factory_orders/{priced.id}"):
        answer = consultant.get(address)
        said = answer.get_data(as_text=True)
        assert answer.status_code == 200 and priced.self_no in said
        assert "settlement_price" not in said and "4321" not in said
    pressed = consultant.post(
        "/api/v1/factory_orders/actions/view_settlement_price", json={"ids": [priced.id]}
    )
    assert pressed.status_code == 403 and "4321" not in pressed.get_data(as_text=True)


@pytest.mark.spec("A-90", "A-91")
def test_one_ticked_role_of_two_masks_files_service_orders_and_orders(
    world: World, login: Login, priced: Any
) -> None:
    admin, consultant = login("boss"), login("seller")
    made = admin.post(
        "/roles/new", data={"label": "加密", "permission": [MASK], "step": "save", "_once": "r"}
    )
    assert made.status_code == 302
    ticked = db.session.scalars(select(StaffRole).where(StaffRole.label == "加密")).one()
    places = [f"/customers/{priced.customer_id}", f"/service_orders/{priced.service_order_id}"]
    places += [f"/factory_orders/{priced.id}", "/customers/", "/service_orders/", "/factory_orders/"]
    assert all(PHONE in page(consultant, p) for p in places)
    give(world, admin, "seller", [role(world.a.id, "consultant").id, ticked.id])
    for place in places:
        shown = page(consultant, place)
        assert PHONE not in shown and "138****0001" in shown, place
        assert PHONE in page(admin, place.replace("/?", "/?scope=dealer&")), place


def give(world: World, admin: Any, who: str, roles: list[int]) -> None:
    """组织人员管理: the roles of a person."""
    person = world.people[who]
    db.session.refresh(person)
    form = {
        "name": person.name, "stores": [str(world.stores[0].id)], "roles": [str(r) for r in roles],
        "version": person.version,
    }  # fmt: skip
    answer = admin.post(f"/employees/{person.id}/edit", data=form)
    assert answer.status_code == 302, answer.get_data(as_text=True)[-3000:]


@pytest.mark.spec("A-114")
def test_a_second_role_with_set_tags_makes_the_button_active(world: World, login: Login) -> None:
    lead, admin, consultant = world.contact(), login("boss"), login("seller")
    world.tag("衣柜")
    made = admin.post(
        "/roles/new", data={"label": "标签员", "permission": [TAGS], "step": "save", "_once": "r"}
    )
    assert made.status_code == 302
    second = db.session.scalars(select(StaffRole).where(StaffRole.label == "标签员")).one()
    assert "aria-disabled" in button(page(consultant, "/contacts/"), "打标签")
    give(world, admin, "seller", [role(world.a.id, "consultant").id, second.id])
    held = select(RoleAssignment.role_id).where(RoleAssignment.user_id == world.people["seller"].id)
    assert len(db.session.scalars(held).all()) == 2
    shown = page(consultant, "/contacts/")
    assert button(shown, "打标签") and "aria-disabled" not in button(shown, "打标签")
    assert "衣柜" in page(consultant, link(page(consultant, f"/contacts/{lead.id}"), "打标签"))


@pytest.mark.spec("A-113")
def test_a_fresh_administrator_does_everything_of_his_dealer(world: World, login: Login, priced: Any) -> None:
    admin, seller2 = login("boss"), world.people["seller2"].id
    assert "4,321.00" in look(admin, priced)
    tasks = [world.make("tasks", kind="other", subject=f"回电{n}", due_at=SOON) for n in range(4)]
    ticked = {"id": [t.id for t in tasks], "owner": seller2}
    assert button(page(admin, "/tasks/"), "批量修改")
    assert admin.post("/tasks/action/change_owner", data=ticked).status_code == 302
    assert db.session.scalars(select(Task.owner_id)).all() == [seller2] * 4
    moved = {"id": [world.customer().id, world.customer().id], "store": world.stores[1].id}
    assert admin.post("/customers/action/change_store", data=moved).status_code == 302
    there = select(Customer.id).where(Customer.store_id == world.stores[1].id)
    assert sorted(db.session.scalars(there)) == sorted(moved["id"])
    for address, form in FRESH:
        assert admin.post(address, data=form).status_code == 302, address
    assert db.session.scalars(select(Tag.name)).all() == ["老客户推荐"]
    assert "新角色" in db.session.scalars(select(StaffRole.label)).all()
    assert "三店" in db.session.scalars(select(Store.name)).all()
    assert "安装部" in db.session.scalars(select(Department.name)).all()
    assert "4,321.00" in look(admin, priced)


FRESH = (
    ("/tags/new", {"name": "老客户推荐", "tone": "a"}),
    ("/roles/new", {"label": "新角色", "step": "save", "_once": "r"}),
    ("/stores/new", {"code": "TA13", "name": "三店", "kind": "showroom"}),
    ("/departments/new", {"name": "安装部"}),
    ("/employees/new", {"username": "xin.ren", "name": "新人", "initial_password": "Rain&Tea2024"}),
)


@pytest.mark.spec("A-113")
def test_others_have_none_of_it_without_a_grant(world: World, login: Login) -> None:
    task = world.make("tasks", kind="other", subject="回电", due_at=SOON)
    customer = world.customer()
    for who in ("seller", "drawer", "typist"):
        client = login(who)
        for address, form in FRESH:
            assert client.post(address, data=form).status_code == 403, (who, address)
        changed = {"id": task.id, "owner": world.people["seller2"].id}
        assert client.post("/tasks/action/change_owner", data=changed).status_code == 403
        moved = {"id": customer.id, "store": world.stores[1].id}
        assert client.post("/customers/action/change_store", data=moved).status_code == 403
        assert not button(page(client, "/tasks/"), "批量修改")
        assert not button(page(client, "/customers/"), "修改门店")


@pytest.mark.spec("A-113")
def test_in_a_batch_of_tasks_the_finished_one_is_reported(world: World, login: Login) -> None:
    tasks = [world.make("tasks", kind="other", subject=f"事{n}", due_at=SOON) for n in range(3)]
    world.act("complete", tasks[0])
    form = {"id": [t.id for t in tasks], "owner": world.people["seller2"].id}
    said = login("boss").post("/tasks/action/change_owner", data=form).get_data(as_text=True)
    assert "事0" in said and "任务已完成，不能修改" in said
    owners = db.session.scalars(select(Task.owner_id).order_by(Task.id)).all()
    assert owners == [world.people["seller"].id] + [world.people["seller2"].id] * 2
    elsewhere = {"id": [tasks[1].id], "owner": world.people["outsider"].id}
    assert login("boss").post("/tasks/action/change_owner", data=elsewhere).status_code == 400


@pytest.mark.spec("A-92")
def test_a_masked_person_saves_a_customer_without_touching_the_phone(world: World, login: Login) -> None:
    customer = world.customer(phone=PHONE)
    client = login("typist")
    form = page(client, f"/customers/{customer.id}/edit")
    assert PHONE not in form and "138****0001" in form
    sent = {"name": "改名女士", "phone": "138****0001", "version": customer.version}
    assert client.post(f"/customers/{customer.id}/edit", data=sent).status_code == 302
    db.session.refresh(customer)
    assert (customer.name, customer.phone) == ("改名女士", PHONE)
    assert PHONE not in client.get(f"/api/v1/customers/{customer.id}").get_data(as_text=True)
    world.change(customer, phones=["13700000007"])
    asked = client.get("/customers/check/phone?value=13700000007").get_data(as_text=True)
    assert "此电话号码已建档" in asked and PHONE not in asked


@pytest.mark.spec("A-116")
def test_of_two_saving_one_file_the_second_is_told(world: World, login: Login) -> None:
    customer = world.customer(name="原名女士", phone=PHONE)
    address, form = f"/customers/{customer.id}/edit", {"phone": PHONE, "version": customer.version}
    first, second = login("seller"), login("keeper")
    assert first.post(address, data={**form, "name": "先存女士"}).status_code == 302
    late = second.post(address, data={**form, "name": "后存女士", "community": "翠园"})
    said = late.get_data(as_text=True)
    assert late.status_code == 409 and "数据已被他人修改，请刷新后重试" in said and "翠园" in said
    db.session.refresh(customer)
    assert (customer.name, customer.community) == ("先存女士", None)
    history = page(login("boss"), f"/customers/{customer.id}/history")
    assert (
        "原名女士" in history and "先存女士" in history and "导购甲" in history and "后存女士" not in history
    )
