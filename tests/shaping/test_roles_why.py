"""权限说明: which role or scope gives it, which restricting tick takes it, or that nothing gives it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from app.engine.database import db
from app.engine.perform import perform, update
from app.engine.resource import resources
from app.engine.scopes import Scope, scopes_of, visible
from models.identity import accounts, why
from models.identity.resources import Employees
from tests.customers.world import World, grant, words
from tests.identity.editor import MASK, edit, role
from tests.plugins.people import Login


def ask(client: Any, status: int = 200, **about: Any) -> str:
    """What the page says."""
    answer = client.get(f"/why/?{urlencode(about)}")
    assert answer.status_code == status
    return words(answer.get_data(as_text=True))


def test_a_record_out_of_reach_and_what_would_open_it(world: World, login: Login) -> None:
    other = world.customer("seller2")
    said = ask(login("boss"), person="seller", list="customers", record=other.id)
    assert "导购甲不能看到这条客户" in said
    assert "此记录不在此人任何角色的数据范围内；打开“本店" in said
    assert "“导购”可以查看客户" in said


def test_a_record_by_its_code_and_the_scope_that_holds_it(world: World, login: Login) -> None:
    mine = world.customer("seller")
    said = ask(login("boss"), person="导购甲", list="customers", record=mine.code)
    assert "导购甲可以看到这条客户" in said and "“导购”打开我的" in said
    said = ask(login("boss"), person="keeper", list="customers", record=mine.code)
    assert "店长甲可以看到这条客户" in said and "“店长”打开" in said


@pytest.mark.spec("A-90", "A-114")
def test_one_restricting_tick_of_several_roles_is_named(world: World, login: Login) -> None:
    boss = login("boss")
    said = ask(boss, person="seller", list="customers", what="field:phone")
    assert "导购甲可以看到客户的手机号码" in said and "没有角色带有限制性权限“客户电话显示加密”" in said
    roles = [role(world.a.id, key).id for key in ("consultant", "clerk")]
    update(Employees, world.people["seller"].id, {"roles": roles}, world.actor("boss"))
    said = ask(boss, person="seller", list="customers", what="field:phone")
    assert "导购甲不能看到客户的手机号码" in said
    assert "“渠道文员”带有限制性权限“客户电话显示加密”" in said and "“导购”带有" not in said


@pytest.mark.spec("A-88", "A-22")
def test_actions_and_granted_fields(world: World, login: Login) -> None:
    boss = login("boss")
    said = ask(boss, person="seller", list="factory_orders", what="guard_settlement_price@Guards")
    assert "没有任何角色授予“查看结算价”" in said
    grant(world, "consultant", ("guard_settlement_price", "Guards"))
    said = ask(boss, person="seller", list="factory_orders", what="guard_settlement_price@Guards")
    assert "“导购”授予“查看结算价”" in said and "每次查看都有记录" in said
    said = ask(boss, person="seller", list="customers", what="can_set_tags@System")
    assert "没有任何角色授予“设置标签”" in said and "不能对客户执行“设置标签”" in said
    edit(boss, role(world.a.id, "consultant"), add=["can_set_tags@System"])
    assert "“导购”授予“设置标签”" in ask(boss, person="seller", list="customers", what="can_set_tags@System")


def test_an_unguarded_field_follows_the_record(world: World, login: Login) -> None:
    said = ask(login("boss"), person="seller", list="customers", what="field:name")
    assert "没有单独的权限" in said


def test_people_without_effective_roles(world: World, login: Login) -> None:
    boss = login("boss")
    update(Employees, world.people["typist"].id, {"roles": []}, world.actor("boss"))
    said = ask(boss, person="typist", list="customers")
    assert "没有任何有效的角色" in said and "没有任何角色可以查看客户" in said
    perform(accounts.deactivate, [world.people["drawer"].id], world.actor("boss"))
    assert "已停用" in ask(boss, person="drawer", list="customers")


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ({"person": "没有这人", "list": "customers"}, "没有找到这个人"),
        ({"person": "outsider", "list": "customers"}, "没有找到这个人"),
        ({"person": "seller", "list": "nothing"}, "没有这个列表"),
        ({"person": "seller", "list": "customers", "record": "KF-0"}, "记录不存在或无权限查看"),
        ({"person": "seller", "record": "1"}, "请选择记录所在的列表"),
    ],
)
def test_wrong_questions_are_answered_in_words(
    world: World, login: Login, about: dict[str, str], sentence: str
) -> None:
    assert sentence in ask(login("boss"), **about)


def test_namesakes_are_told_apart(world: World, login: Login) -> None:
    update(Employees, world.people["seller2"].id, {"name": "导购甲"}, world.actor("boss"))
    said = ask(login("boss"), person="导购甲", list="customers")
    assert "有几个人叫“导购甲”" in said and "seller2" in said
    assert "导购甲可以看到客户" in ask(login("boss"), person="导购甲（seller2）", list="customers")


def test_a_record_the_asker_does_not_see_is_not_explained(world: World, login: Login) -> None:
    theirs = world.customer("outsider")
    said = ask(login("boss"), person="seller", list="customers", record=theirs.id)
    assert "记录不存在或无权限查看" in said and "数据范围" not in said


def test_only_who_sees_roles_asks(world: World, login: Login) -> None:
    customer = world.customer("seller")
    ask(login("seller"), 403, person="seller", list="customers")
    for who, there in (("seller", False), ("boss", True)):
        page = login(who).get(f"/customers/{customer.id}").get_data(as_text=True)
        assert ("/why/?" in page) is there
        assert ('href="/why/"' in login(who).get("/").get_data(as_text=True)) is there
    person = world.people["seller"].id
    assert f"/why/?person={person}" in login("boss").get(f"/employees/{person}").get_data(as_text=True)


def test_the_page_of_a_refusal_leads_to_the_reason(world: World, login: Login) -> None:
    grant(world, "manager", ("can_list", "Roles"))
    page = login("keeper").get("/tags/").get_data(as_text=True)
    assert f"/why/?person={world.people['keeper'].id}&amp;list=tags" in page
    said = ask(login("keeper"), person=world.people["keeper"].id, list="tags")
    assert "没有任何角色可以查看" in said
    assert "/why/" not in login("seller").get("/roles/").get_data(as_text=True)


@pytest.mark.parametrize("who", ["boss", "keeper", "seller", "typist"])
def test_the_answer_is_what_the_person_meets(world: World, who: str) -> None:
    """Of every list and of a record of it: the steps agree with the rights themselves."""
    session, person = db.session(), world.actor(who)
    roles = why.roles_of(session, person.id)
    world.customer("seller")
    world.customer("seller2")
    for found in resources():
        if not found.columns:
            continue
        assert why.page(session, person, roles, found).yes is person.can("can_list", found.view_name())
        assert why.rows(session, person, roles, found).yes is bool(scopes_of(found, person)), found.name
        for pk in session.scalars(
            found.pk().class_.__table__.select().with_only_columns(found.pk()).limit(3)
        ):
            seen = found.pk() == pk, visible(found, person)
            there = session.scalar(
                found.model.__table__.select().with_only_columns(found.pk()).where(*seen), person.params
            )
            answer = why.record(session, person, roles, found, pk)
            assert answer.yes is (there is not None), (found.name, pk, answer)
    assert Scope.MINE and MASK
