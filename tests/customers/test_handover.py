"""Handing a person's customers over, seeing it beforehand, and taking it back (A-49…A-51, A-56, A-57)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.engine import outbox
from app.engine.audit import acting
from app.engine.database import db
from models.customers.handover_tables import Handover, HandoverItem, ItemState
from models.customers.tables import Contact, Customer
from models.follow_ups.tables import TaskKind
from models.identity.tables import Employee
from tests.customers.test_assigning import tomorrow
from tests.customers.trade import many
from tests.customers.world import PASSWORD, World, grant, words
from tests.plugins.people import Login

URL = "/customers/handover/"


def owned(person: Employee) -> int:
    """How many customers somebody has."""
    return db.session.scalar(select(func.count()).where(Customer.owner_id == person.id)) or 0


def submit(client: FlaskClient, world: World, ids: Any = None, **more: Any) -> Any:
    """The last step of the wizard, for the customers of ``seller``; all of them without ``ids``."""
    data = {"kind": "staying", "person": world.people["seller"].id, "to": [world.people["seller2"].id]}
    data |= {"step": "submit"} | ({"all": "1"} if ids is None else {"ids": ",".join(map(str, ids))})
    return client.post(URL, data=data | more)


def states() -> dict[ItemState, int]:
    """What became of the customers of all handovers."""
    statement = select(HandoverItem.state, func.count()).group_by(HandoverItem.state)
    return dict(db.session.execute(statement).tuples().all())


@pytest.mark.spec("A-49")
def test_five_customers_chosen_in_the_wizard_change_hands(world: World, login: Login) -> None:
    ids = many(world, 7)
    client = login("boss")
    page = client.get(URL).text
    assert "1交接人" in words(page) and f'<option value="{world.people["seller"].id}">导购甲' in page
    page = client.get(f"{URL}?kind=staying&person={world.people['seller'].id}").text
    assert "导购甲名下共有7位未失效的客户" in words(page)
    filtered = client.get(f"{URL}?kind=staying&person={world.people['seller'].id}&q=客户3").text
    assert re.findall(r'name="id" value="(\d+)"', filtered) == [str(ids[3])]
    told = {"kind": "staying", "person": world.people["seller"].id}
    page = client.post(URL, data=told | {"step": "customers", "id": ids[:5]}).text
    assert "将5位客户交接给" in words(page) and "导购乙" in page and "导购丙" not in page
    told |= {"ids": ",".join(map(str, ids[:5])), "to": world.people["seller2"].id}
    page = client.post(URL, data=told | {"step": "preview"}).text
    assert "0+5=5" in words(page) and "好友关系在提交24小时后生效" in page
    assert owned(world.people["seller2"]) == 0
    answer = client.post(URL, data=told | {"step": "submit"})
    page = client.get(answer.location).text
    assert "已交接5" in words(page)
    assert (owned(world.people["seller"]), owned(world.people["seller2"])) == (2, 5)
    mine = login("seller2").get("/customers/?scope=owned&window=all").text
    assert all(f"/customers/{i}" in mine for i in ids[:5])


@pytest.mark.spec("A-48", "A-49")
def test_customers_ticked_in_the_list_lead_to_the_step_of_the_successors(world: World, login: Login) -> None:
    ids = [*many(world, 2), *many(world, 1, "seller2")]
    client = login("boss")
    page = words(client.get(f"{URL}staying", query_string={"id": ids[:2]}).text)
    assert "在职继承·导购甲" in page and "将2位客户交接给" in page
    page = client.get(f"{URL}departed", query_string={"id": ids}).text
    assert "所选客户属于2位导购，一次交接一位，请选择交接人" in page
    assert "3" in re.findall(r'name="ids" value="([^"]*)"', page)[0].replace(",", "3")
    told = {"kind": "staying", "person": world.people["seller"].id, "ids": ",".join(map(str, ids))}
    page = words(client.post(URL, data=told | {"step": "customers"}).text)
    assert "其中1位不是导购甲的客户或已失效，不在本次交接中" in page and "将2位客户交接给" in page
    everything = client.get(f"{URL}staying", query_string={"all": "1", "scope": "dealer", "q": "客户"}).text
    assert "所选客户属于2位导购" in everything


@pytest.mark.spec("A-50")
def test_all_37_customers_but_the_invalid_one_go_at_one_click(world: World, login: Login) -> None:
    many(world, 37)
    invalid = world.customer()
    world.act("invalidate", invalid, by="boss")
    submit(login("boss"), world)
    assert owned(world.people["seller2"]) == 37
    db.session.refresh(invalid)
    assert invalid.owner_id == world.people["seller"].id


@pytest.mark.spec("A-57")
def test_what_is_open_goes_along_and_what_is_done_keeps_its_name(world: World, login: Login) -> None:
    customer = world.customer()
    order = world.order(customer)
    mine = {"kind": TaskKind.MEASURE, "subject": "量尺", "customer_id": customer.id, "due_at": tomorrow()}
    waiting, done = world.make("tasks", **mine), world.make("tasks", **mine)
    world.act("complete", done, result="已量")
    contact = world.contact()
    world.act("link_contact", contact, customer=customer.id)
    submit(login("boss"), world)
    for record in (customer, order, waiting, done, contact):
        db.session.refresh(record)
    new = world.people["seller2"].id
    assert customer.owner_id == order.owner_id == waiting.owner_id == contact.employee_id == new
    assert done.owner_id == customer.filer_id == world.people["seller"].id


@pytest.mark.spec("A-57")
def test_who_has_left_cannot_sign_in_and_is_not_offered_any_more(world: World, login: Login) -> None:
    many(world, 3)
    page = login("boss").post(
        URL, data={"kind": "departed", "person": world.people["seller"].id, "all": "1", "step": "preview",
                   "to": world.people["seller2"].id},
    ).text  # fmt: skip
    assert "提交后导购甲的账号立即停用" in page
    gone = login("seller")
    assert submit(login("boss"), world, kind="departed").status_code == 302
    assert gone.get("/customers/").status_code == 302
    tried = gone.post("/login/", data={"username": "seller", "password": PASSWORD})
    assert "/login" in (tried.location or "/login")
    offered = login("boss").get("/customers/action/reassign/pick/owner?new=1&q=导购").json["results"]
    assert [o["label"] for o in offered] == ["导购乙"]
    assert owned(world.people["seller2"]) == 3
    page = login("boss").get(f"{URL}departed").text
    assert "导购甲" not in re.findall(r"<option.*?</select>", page, re.S)[0]


@pytest.mark.spec("A-57")
def test_closing_the_account_takes_the_right_to_close_accounts(world: World, login: Login) -> None:
    many(world, 2)
    answer = submit(login("keeper"), world, kind="departed")
    assert answer.status_code == 400 and "您没有停用账号的权限" in answer.text
    assert owned(world.people["seller"]) == 2
    world.act("deactivate", world.people["seller"], by="boss")
    assert submit(login("keeper"), world, kind="departed").status_code == 302
    assert owned(world.people["seller2"]) == 2
    assert submit(login("boss"), world, kind="departed", person=world.people["boss"].id).status_code == 400


def test_customers_are_spread_evenly_or_by_the_numbers_given(world: World, login: Login) -> None:
    many(world, 10)
    client, people = login("boss"), [world.people[k].id for k in ("seller2", "drawer", "keeper")]
    wrong = submit(client, world, to=people, **{f"count.{people[0]}": 11})
    assert "分配数量共11位，超过了要交接的10位客户" in wrong.text
    wrong = submit(client, world, to=people[:1], **{f"count.{people[0]}": 4})
    assert "还有6位客户没有分配" in wrong.text
    preview = words(submit(client, world, to=people, step="preview", **{f"count.{people[0]}": 5}).text)
    assert "0+5=5" in preview and "0+3=3" in preview and "0+2=2" in preview
    submit(client, world, to=people, **{f"count.{people[0]}": 5})
    assert [owned(world.people[k]) for k in ("seller2", "drawer", "keeper")] == [5, 3, 2]


@pytest.mark.spec("A-56")
def test_the_same_form_twice_is_one_handover(world: World, login: Login) -> None:
    many(world, 3)
    client = login("boss")
    first, second = (submit(client, world, _once="token-1") for _ in range(2))
    assert first.location.endswith(f"/handovers/{db.session.scalar(select(Handover.id))}")
    assert second.status_code in (302, 400)
    assert db.session.scalar(select(func.count()).select_from(Handover)) == 1


# ----- who may not


def test_the_wizard_takes_nothing_and_nobody_of_another_dealer(world: World, login: Login) -> None:
    ids, foreign = many(world, 2), world.customer(by="outsider")
    client, outsider = login("boss"), world.people["outsider"].id
    assert client.get(f"{URL}?kind=staying&person={outsider}").status_code == 404
    assert submit(client, world, person=outsider).status_code == 404
    answer = submit(client, world, to=[outsider])
    assert answer.status_code == 400 and "只能选择本商场的员工" in answer.text
    page = client.post(URL, data={"kind": "staying", "person": world.people["seller"].id, "step": "preview",
                                  "all": "1", "to": outsider})  # fmt: skip
    assert page.status_code == 400 and "导购丙" not in page.text
    assert submit(client, world, [foreign.id]).status_code == 400
    assert client.get(f"{URL}staying", query_string={"id": foreign.id}).text.count(foreign.name) == 0
    place = submit(client, world, [*ids, foreign.id]).location
    db.session.refresh(foreign)
    assert foreign.owner_id == outsider and states() == {ItemState.DONE: 2}
    for key in ("can_hand_over", "can_hand_over_departed"):
        grant(world, "consultant", (key, "Customers"), world.b)
    stranger = login("outsider")
    assert stranger.get(place).status_code == 404
    assert stranger.post(f"{place}/back").status_code == 404
    assert owned(world.people["seller2"]) == 2


@pytest.mark.spec("A-48")
def test_without_the_permission_there_is_no_wizard(world: World, login: Login) -> None:
    ids = many(world, 2)
    client = login("seller")
    for path in (URL, f"{URL}staying", f"{URL}departed", f"{URL}?person={world.people['seller'].id}"):
        assert client.get(path).status_code == 403
    assert submit(client, world).status_code == 403
    place = submit(login("boss"), world, ids).location
    assert login("seller2").post(f"{place}/back").status_code in (403, 404)
    grant(world, "consultant", ("can_hand_over", "Customers"))
    assert login("seller2").get(f"{URL}departed").status_code == 403
    assert login("seller2").get(f"{URL}staying").status_code == 200


def test_a_person_with_a_narrow_scope_gives_only_what_he_sees(world: World, login: Login) -> None:
    hidden = many(world, 3)
    with acting(db.session()):
        for i in hidden[:1]:
            db.session.get(Customer, i).owner_id = world.people["drawer"].id
        db.session.commit()
    grant(world, "consultant", ("can_hand_over", "Customers"))
    client = login("seller2")
    assert submit(client, world).status_code == 400
    own = world.customer(by="seller2")
    data = {"person": world.people["seller2"].id, "to": [world.people["drawer"].id]}
    assert submit(client, world, [own.id, *hidden], **data).status_code == 302
    assert owned(world.people["seller"]) == 2
    assert states() == {ItemState.DONE: 1}


@pytest.mark.spec("A-56")
def test_looking_changes_nothing(world: World, login: Login) -> None:
    ids = many(world, 2)
    place = submit(login("boss"), world, ids[:1]).location
    client, person = login("boss"), world.people["seller"].id
    to = world.people["seller2"].id
    query = f"kind=departed&person={person}&all=1&to={to}&step=submit"
    assert client.get(f"{URL}?{query}").status_code == 200
    assert client.get(f"{place}/back").status_code == 405
    assert client.get(f"{place}/again").status_code == 405
    assert owned(world.people["seller"]) == 1
    db.session.refresh(world.people["seller"])
    assert world.people["seller"].active
    assert db.session.scalar(select(func.count()).select_from(Handover)) == 1
    assert db.session.scalar(select(func.count()).select_from(outbox.OutboxRow)) == 1
    assert db.session.scalar(select(func.count()).select_from(Contact)) == 0
