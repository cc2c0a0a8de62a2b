"""Batch changes: chosen before or after their customers, reported record by record, taken back (A-48…A-56)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import func, select

from app.engine.actions import Forbidden
from app.engine.audit import AuditEntry, acting
from app.engine.database import db
from app.engine.events import Happening
from app.engine.perform import perform
from app.engine.resource import resource
from models.customers.tables import Customer
from models.follow_ups.tables import Task, TaskKind
from models.identity.tables import Employee
from tests.customers.test_assigning import tomorrow
from tests.customers.trade import many
from tests.customers.world import World, grant, words
from tests.plugins.databases import statements
from tests.plugins.people import Login

MENU = (
    "离职继承", "在职继承", "修改业务员", "删除业务员", "修改设计师", "修改门店", "失单", "失效", "解除潜客关系",
)  # fmt: skip
_ITEM = re.compile(r'data-many="(\w+)"><i class="[^"]+"></i>([^<]+)</a>')


def menu(page: str) -> list[str]:
    """The entries of the drop-down 批量."""
    return [label for _, label in _ITEM.findall(page)]


def entries(customer: Customer) -> list[str]:
    """What the history says was done to a customer."""
    mine = AuditEntry.resource == "customers", AuditEntry.record_id == customer.id
    return list(db.session.scalars(select(AuditEntry.action_label).where(*mine).order_by(AuditEntry.id)))


@pytest.mark.spec("A-48")
def test_the_drop_down_offers_exactly_these_functions_and_to_others_only_theirs(
    world: World, login: Login
) -> None:
    page = login("boss").get("/customers/").text
    assert menu(page) == list(MENU)
    bar = page[page.index("many1") :]
    inside = re.findall(r'class="it"><i class="[^"]+"></i>([^<]+)</button>', bar[: bar.index("</details>")])
    assert inside == list(MENU)
    assert menu(login("keeper").get("/customers/").text) == [m for m in MENU if m != "修改门店"]
    assert menu(login("seller").get("/customers/").text) == ["失单", "失效", "解除潜客关系"]
    assert menu(login("typist").get("/customers/").text) == []


@pytest.mark.spec("A-48", "A-52", "A-53")
def test_a_function_can_be_chosen_before_the_customers(world: World, login: Login) -> None:
    customers = [world.customer(), world.customer()]
    client = login("boss")
    page = client.get("/customers/?do=change_salesperson&scope=dealer").text
    assert "请勾选客户，再点击“修改业务员”" in words(page)
    bar = page[page.index('class="acts0"') :]
    assert re.findall(r'data-act="(\w+)"', bar[: bar.index("</div>")]) == ["change_salesperson"]
    assert 'name="do" value="change_salesperson"' in page
    data = {"id": [c.id for c in customers], "salesperson": world.people["seller2"].id}
    client.post("/customers/action/change_salesperson", data=data)
    assert {c.salesperson_id for c in refreshed(customers)} == {world.people["seller2"].id}
    asked = client.get("/customers/?do=clear_salesperson&scope=dealer").text
    assert "确认删除所选客户的业务员" in asked
    client.post("/customers/action/clear_salesperson", data={"id": [c.id for c in customers]})
    assert {c.salesperson_id for c in refreshed(customers)} == {None}
    assert client.get("/customers/?do=nonsense").status_code == 200


def refreshed(customers: list[Any]) -> list[Any]:
    """The customers as they are stored now."""
    for customer in customers:
        db.session.refresh(customer)
    return customers


@pytest.mark.spec("A-54", "A-57")
def test_duties_and_jobs_of_the_former_designer_go_to_the_new_one(world: World) -> None:
    customer = world.customer(designer_id=world.people["drawer"].id)
    order = world.order(customer)
    mine = {"kind": TaskKind.OTHER, "subject": "出图", "customer_id": customer.id, "due_at": tomorrow()}
    open_task = world.make("tasks", owner_id=world.people["drawer"].id, **mine)
    done_task = world.make("tasks", owner_id=world.people["drawer"].id, **mine)
    others = world.make("tasks", owner_id=world.people["seller"].id, **mine)
    world.act("complete", done_task, by="drawer", result="已完成")
    world.act("change_designer", customer, by="boss", designer=world.people["seller2"].id)
    refreshed([open_task, done_task, others, order])
    assert open_task.owner_id == order.designer_id == world.people["seller2"].id
    assert done_task.owner_id == world.people["drawer"].id
    assert others.owner_id == world.people["seller"].id


@pytest.mark.spec("A-48", "A-56", "A-58", "A-59")
def test_several_customers_lose_their_own_chosen_jobs_and_a_reason_is_asked_for(
    world: World, login: Login
) -> None:
    first, second, third = (world.customer() for _ in range(3))
    mine, other, kept = world.order(first, 0), world.order(second, 0), world.order(second, 1)
    client = login("seller")
    data = {"id": [first.id, second.id, third.id], "orders": [mine.id, other.id]}
    answer = client.post("/customers/action/lose", data=data)
    assert answer.status_code == 400 and "失单原因" in answer.text
    page = words(client.post("/customers/action/lose", data=data | {"reason": "选了别家"}).text)
    assert "2条完成，1条未完成" in page and "所选服务单不属于该客户" in page
    refreshed([mine, other, kept])
    assert [o.state.value for o in (mine, other, kept)] == ["lost", "lost", "open"]
    assert mine.lost_reason == "选了别家"


@pytest.mark.spec("A-56")
def test_one_of_five_is_refused_with_its_reason_and_only_it_is_tried_again(
    world: World, login: Login
) -> None:
    customers = [world.customer(name=f"客户{n}") for n in range(5)]
    world.receive(customers[2], "1000.00")
    client = login("keeper")
    page = client.post("/customers/action/invalidate", data={"id": [c.id for c in customers]}).text
    assert "4条完成，1条未完成" in words(page)
    assert "该客户已收款，请先将收款退回为0再操作失效" in page
    assert f'href="/customers/{customers[2].id}"' in page
    again = page[page.index('action="/customers/action/invalidate"') :]
    assert re.findall(r'name="id" value="(\d+)"', again[: again.index("</form>")]) == [str(customers[2].id)]
    world.receive(customers[2], "1000.00", "refund")
    client.post("/customers/action/invalidate", data={"id": customers[2].id})
    assert [c.stage.value for c in refreshed(customers)] == ["invalid"] * 5


@pytest.mark.spec("A-56")
def test_what_was_typed_goes_along_when_the_rest_is_tried_again(world: World, login: Login) -> None:
    inside, outside = world.customer(), world.customer(by="outsider")
    data = {"id": [inside.id, outside.id], "owner": world.people["seller2"].id}
    page = login("boss").post("/customers/action/reassign", data=data).text
    assert "1条完成，1条未完成" in words(page)
    again = page[page.index('action="/customers/action/reassign"') :]
    again = again[: again.index("</form>")]
    assert f'name="owner" value="{world.people["seller2"].id}"' in again
    assert f'name="id" value="{outside.id}"' in again and f'value="{inside.id}"' not in again
    assert outside.name not in words(again) and f'href="/customers/{outside.id}"' not in page


@pytest.mark.spec("A-56")
def test_a_second_run_changes_nothing_and_says_so(world: World, login: Login) -> None:
    customers = [world.customer(), world.customer()]
    client, data = login("keeper"), {"id": [c.id for c in customers], "owner": world.people["seller2"].id}
    for said in ("修改导购：已完成 2 条", "修改导购：2 条无变化"):
        page = client.post("/customers/action/reassign", data=data, follow_redirects=True).text
        assert said in page
    assert [entries(c) for c in customers] == [["新增", "修改导购"]] * 2
    third = world.customer()
    data["id"].append(third.id)
    assert (
        "已完成 1 条，2 条无变化"
        in client.post("/customers/action/reassign", data=data, follow_redirects=True).text
    )


@pytest.mark.spec("A-56")
def test_both_persons_of_every_change_are_published(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.engine import events

    heard: list[tuple[str, int, Any, Any]] = []
    names = ("reassigned", "designer_changed", "salesperson_changed", "moved")
    for name in names:
        known = events._gatherers.get(f"customer.{name}", [])

        def note(_act: Any, found: list[Happening], name: str = name) -> None:
            heard.extend((name, h.record.id, h.facts["old"], h.facts["new"]) for h in found)

        monkeypatch.setitem(events._gatherers, f"customer.{name}", [*known, note])
    first, second = (world.customer() for _ in range(2))
    seller, other, drawer = (world.people[k].id for k in ("seller", "seller2", "drawer"))
    world.act("reassign", [first, second], by="boss", owner=other)
    world.act("change_designer", first, by="boss", designer=drawer)
    world.act("change_designer", first, by="boss", designer=None)
    world.act("change_salesperson", first, by="boss", salesperson=other)
    world.act("clear_salesperson", first, by="boss")
    world.act("change_store", first, by="boss", store=world.stores[1].id)
    assert heard == [
        ("reassigned", first.id, seller, other),
        ("reassigned", second.id, seller, other),
        ("designer_changed", first.id, None, drawer),
        ("designer_changed", first.id, drawer, None),
        ("salesperson_changed", first.id, None, other),
        ("salesperson_changed", first.id, other, None),
        ("moved", first.id, world.stores[0].id, world.stores[1].id),
    ]


@pytest.mark.spec("A-56")
def test_a_large_batch_reads_as_often_as_a_small_one(world: World) -> None:
    action = next(a for a in resource("customers").actions if a.name == "reassign")
    reads = []
    ids = many(world, 60, tasks=True)
    boss = world.actor("boss")
    for some in (ids[:2], ids[2:7], ids[7:60]):  # the first one reads what the process remembers
        db.session.expunge_all()
        seen = statements(db.engine)
        assert perform(action, some, boss, {"owner": world.people["seller2"].id}).done == len(some)
        reads.append(sum(s.lstrip().startswith("SELECT") for s in seen))
    assert reads[1] == reads[2]
    moved = select(func.count()).where(Task.owner_id == world.people["seller2"].id)
    assert db.session.scalar(moved) == 60


# ----- taking back


def undo_url(page: str) -> str:
    """The way back that the answer to a batch offers."""
    return re.search(r"/customers/undo/\w+", page).group()  # type: ignore[union-attr]


@pytest.mark.spec("A-56")
def test_a_batch_is_taken_back_except_what_was_changed_since(world: World, login: Login) -> None:
    customers = [world.customer(name=f"客户{n}") for n in range(4)]
    order = world.order(customers[0])
    task = world.make(
        "tasks", kind=TaskKind.OTHER, subject="回电", customer_id=customers[0].id, due_at=tomorrow()
    )
    seller, other = world.people["seller"].id, world.people["seller2"].id
    client = login("keeper")
    data = {"id": [c.id for c in customers], "owner": other}
    page = client.post("/customers/action/reassign", data=data, follow_redirects=True).text
    refreshed([order, task])
    assert order.owner_id == task.owner_id == other
    world.act("reassign", customers[3], by="boss", owner=world.people["drawer"].id)
    way = undo_url(page)
    asked = words(client.get(way).text)
    assert "店长甲" in asked and "对4位客户执行了“修改导购”" in asked
    assert [c.owner_id for c in refreshed(customers)][:3] == [other] * 3
    told = words(client.post(way).text)
    assert "3条完成，1条未完成" in told
    assert "导购此后已由总管再次修改（修改导购）" in told
    assert [c.owner_id for c in refreshed(customers)] == [seller] * 3 + [world.people["drawer"].id]
    refreshed([order, task])
    assert order.owner_id == task.owner_id == seller
    assert entries(customers[0])[-1] == "撤销修改导购"
    assert "3条无变化" in words(client.post(way).text)
    assert entries(customers[0]).count("撤销修改导购") == 1


@pytest.mark.spec("A-52", "A-54", "A-55", "A-56")
@pytest.mark.parametrize(
    "name", ["change_designer", "change_salesperson", "clear_salesperson", "change_store"]
)
def test_every_change_of_columns_can_be_taken_back(world: World, login: Login, name: str) -> None:
    first = {"designer_id": world.people["drawer"].id, "salesperson_id": world.people["keeper"].id}
    customers = [world.customer(**first) for _ in range(2)]
    before = [(c.designer_id, c.salesperson_id, c.store_id) for c in customers]
    form = {
        "change_designer": {"designer": world.people["seller2"].id},
        "change_salesperson": {"salesperson": world.people["seller2"].id},
        "clear_salesperson": {},
        "change_store": {"store": world.stores[1].id},
    }[name]
    report = world.act(name, customers, by="boss", **form)
    assert [(c.designer_id, c.salesperson_id, c.store_id) for c in customers] != before
    login("boss").post(f"/customers/undo/{report.deed_id}")
    now = [(c.designer_id, c.salesperson_id, c.store_id) for c in refreshed(customers)]
    assert now == before


def test_nobody_takes_back_what_he_may_not_do_or_does_not_see(world: World, login: Login) -> None:
    customer, other = world.customer(), world.customer()
    report = world.act("change_store", [customer, other], by="boss", store=world.stores[1].id)
    way = f"/customers/undo/{report.deed_id}"
    assert login("keeper").get(way).status_code == 403
    assert login("keeper").post(way).status_code == 403
    grant(world, "consultant", ("can_change_store", "Customers"), world.b)
    assert login("outsider").post(way).status_code == 404
    filed = world.act("invalidate", customer, by="boss")
    assert login("boss").get(f"/customers/undo/{filed.deed_id}").status_code == 404
    assert login("boss").get("/customers/undo/0' OR 1=1").status_code == 404
    assert {c.store_id for c in refreshed([customer, other])} == {world.stores[1].id}


@pytest.mark.spec("A-56")
def test_somebody_who_has_left_gets_nothing_back(world: World, login: Login) -> None:
    customer = world.customer()
    report = world.act("reassign", customer, by="boss", owner=world.people["seller2"].id)
    world.act("deactivate", world.people["seller"], by="boss")
    told = words(login("boss").post(f"/customers/undo/{report.deed_id}").text)
    assert "原导购已停用" in told
    assert refreshed([customer])[0].owner_id == world.people["seller2"].id


def test_somebody_of_another_dealer_gets_nothing_back(world: World, login: Login) -> None:
    """Nobody could choose him or her any more, who would see the customer there."""
    customer = world.customer()
    report = world.act("reassign", customer, by="boss", owner=world.people["seller2"].id)
    with acting(db.session()):
        db.session.get_one(Employee, world.people["seller"].id).dealer_id = world.b.id
        db.session.commit()
    told = words(login("boss").post(f"/customers/undo/{report.deed_id}").text)
    assert "原导购已不在本商场" in told
    assert refreshed([customer])[0].owner_id == world.people["seller2"].id


@pytest.mark.spec("A-55")
def test_the_store_is_changed_by_the_administrator_until_others_are_granted_it(world: World) -> None:
    customer = world.customer()
    with pytest.raises(Forbidden):
        world.act("change_store", customer, by="keeper", store=world.stores[1].id)
    grant(world, "manager", ("can_change_store", "Customers"))
    assert world.act("change_store", customer, by="keeper", store=world.stores[1].id).done == 1
