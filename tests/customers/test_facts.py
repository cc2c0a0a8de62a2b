"""What stands in the head of a record and above an action's form, through the gate."""

from __future__ import annotations

from app.engine.audit import acting
from app.engine.database import db
from models.identity import presets
from models.identity.roles import RoleAssignment
from tests.customers.world import PHONE, World
from tests.plugins.people import Login

CALL = f'href="tel:{PHONE}"'
MASK = "138****0001"


def test_a_number_seen_whole_can_be_called_and_a_masked_one_cannot(world: World, login: Login) -> None:
    customer = world.customer(phone=PHONE)
    places = (f"/customers/{customer.id}", f"/customers/action/call?id={customer.id}")
    client = login("seller")
    for place in places:
        assert CALL in client.get(place).get_data(as_text=True), place
    with acting(db.session()):
        clerk = presets.preset_role(db.session(), world.a.id, "clerk")
        db.session.add(RoleAssignment(user_id=world.people["seller"].id, role_id=clerk.id))
        db.session.commit()
    for place in places:
        masked = client.get(place).get_data(as_text=True)
        assert MASK in masked and "tel:" not in masked, place


def test_a_list_carries_no_links_to_call(world: World, login: Login) -> None:
    world.customer(phone=PHONE)
    page = login("seller").get("/customers/").get_data(as_text=True)
    assert PHONE in page and CALL not in page


def test_a_form_in_the_sheet_is_told_where_to_go_and_the_remark_waits(world: World, login: Login) -> None:
    customer = world.customer(phone=PHONE)
    client = login("seller")
    data = {"id": customer.id, "text": "到店", "back": "/customers/?level=A"}
    answer = client.post("/customers/action/write_follow_up", data=data, headers={"X-Zk-Sheet": "1"})
    assert (answer.status_code, answer.headers["Location"]) == (204, "/customers/?level=A")
    assert "已记录跟进" in client.get("/customers/").get_data(as_text=True)


def test_empty_fields_take_no_row_of_their_own_and_long_ones_do(world: World, login: Login) -> None:
    customer = world.customer(phone=PHONE, address="云栖路一百二十八号云栖花园三幢二单元一千二百零一室")
    page = login("seller").get(f"/customers/{customer.id}").get_data(as_text=True)
    assert '<div class="wide"><dt>详细地址</dt>' in page
    assert "<div><dt>备注</dt>" in page


def test_a_picker_says_by_what_it_finds_and_tells_namesakes_apart(world: World, login: Login) -> None:
    customer = world.customer(phone=PHONE, name="同名女士")
    client = login("seller")
    found = client.get("/tasks/pick/customer_id?q=同名").get_json()["results"]
    assert [(r["label"], r["note"].split(" · ")[0]) for r in found] == [("同名女士", customer.code)]
    assert len(found[0]["note"].split(" · ")) == 2
    for n in range(61):
        world.customer(phone=f"1370000{n:04}")
    assert 'placeholder="姓名、手机号码或服务号"' in client.get("/tasks/new").get_data(as_text=True)
