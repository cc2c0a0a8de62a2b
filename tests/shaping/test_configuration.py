"""配置变更: every change of the configuration, and taking it back by one click."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import func, select

from app.engine.actions import Act, Refusal
from app.engine.audit import AuditEntry
from app.engine.configured import past
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from app.engine.perform import create, remove, update
from models.identity import role_rules
from models.identity.resources import Roles
from models.identity.roles import StaffRole
from models.settings import rules
from models.settings.queries import parameter, snapshot
from models.settings.resources import Dictionaries
from models.settings.tables import DictionaryEntry, EntryTone, Parameter
from tests.customers.world import World, words
from tests.plugins.people import Login

LIST = "/configuration/"


def newest(resource: str) -> int:
    """The newest entry of the history about such records."""
    found = db.session.scalar(select(func.max(AuditEntry.id)).where(AuditEntry.resource == resource))
    assert found is not None
    return found


def page(client: Any, path: str = LIST) -> str:
    """What a page says."""
    return words(client.get(path).get_data(as_text=True))


def take_back(client: Any, resource: str, whole: bool = False) -> str:
    """Take the newest change back by the button and the confirmation."""
    entry = newest(resource)
    if not whole:
        assert f'href="/configuration/{entry}/undo"' in client.get(LIST).get_data(as_text=True)
    answer = client.post(
        f"/configuration/{entry}/undo", data={"whole": "1"} if whole else {}, follow_redirects=True
    )
    return words(answer.get_data(as_text=True))


def an_entry(world: World, by: str = "boss", **values: Any) -> Any:
    """A dealer's own source of customers."""
    given = {
        "dictionary": "receipt.method",
        "label": "支票",
        "tone": EntryTone.GOOD,
        "sort": 70,
        "active": True,
    }
    return create(Dictionaries, given | values, world.actor(by))[0]


def test_a_change_stands_on_the_page_with_who_what_before_and_after(world: World, login: Login) -> None:
    made = an_entry(world)
    update(Dictionaries, made.id, {"label": "转账支票"}, world.actor("boss"))
    shown = page(login("boss"))
    assert "总管编辑·网页" in shown and "字典条目支付方式/转账支票" in shown
    assert "名称支票转账支票" in shown and "总管新增" in shown


def test_an_update_goes_back_and_the_undo_can_be_undone(world: World, login: Login) -> None:
    client, made = login("boss"), an_entry(world)
    update(Dictionaries, made.id, {"label": "转账支票", "sort": 75}, world.actor("boss"))
    confirm = page(client, f"/configuration/{newest('dictionary_entries')}/undo")
    assert "名称转账支票支票" in confirm and "恢复原值" in confirm
    assert "已撤销：字典条目“支付方式/转账支票”" in take_back(client, "dictionary_entries")
    db.session.refresh(made)
    assert (made.label, made.sort) == ("支票", 70)
    assert snapshot(db.session()).dictionary("receipt.method", world.a.id)[-1].label == "支票"
    take_back(client, "dictionary_entries")
    db.session.refresh(made)
    assert (made.label, made.sort) == ("转账支票", 75)


def test_a_creation_is_deleted_and_created_again(world: World, login: Login) -> None:
    client, made = login("boss"), an_entry(world)
    update(Dictionaries, made.id, {"label": "支票二"}, world.actor("boss"))
    take_back(client, "dictionary_entries")
    first = db.session.scalars(
        select(AuditEntry.id).where(AuditEntry.record_id == made.id, AuditEntry.action == "create")
        .where(AuditEntry.resource == "dictionary_entries")
    ).one()  # fmt: skip
    client.post(f"/configuration/{first}/undo")
    mine = select(DictionaryEntry).where(DictionaryEntry.dealer_id == world.a.id)
    assert db.session.scalars(mine).all() == []
    take_back(client, "dictionary_entries")
    again = db.session.scalars(mine).one()
    assert (again.value, again.label, again.tone, again.sort, again.active) == (
        "支票", "支票", EntryTone.GOOD, 70, True,
    )  # fmt: skip


def test_a_deletion_is_refused_back_when_somebody_took_the_name(world: World, login: Login) -> None:
    client, made = login("boss"), an_entry(world)
    remove(Dictionaries, made.id, world.actor("boss"))
    gone = newest("dictionary_entries")
    an_entry(world)
    answer = client.post(f"/configuration/{gone}/undo")
    assert answer.status_code == 400
    assert "已由总管重新建立" in words(answer.get_data(as_text=True))
    assert "已由总管重新建立" in page(client, f"/configuration/{gone}/undo")


def test_what_somebody_changed_since_stays_and_is_named(world: World, login: Login) -> None:
    made = an_entry(world)
    update(Dictionaries, made.id, {"label": "一"}, world.actor("boss"))
    first = newest("dictionary_entries")
    update(Dictionaries, made.id, {"label": "二"}, world.actor("boss"))
    answer = login("boss").post(f"/configuration/{first}/undo")
    assert answer.status_code == 400
    assert "“名称”此后已由总管于" in words(answer.get_data(as_text=True))
    db.session.refresh(made)
    assert made.label == "二"


def test_a_parent_that_others_stand_under_is_not_taken_away(world: World, login: Login) -> None:
    an_entry(world, dictionary="customer.source_category", label="展会")
    category = newest("dictionary_entries")
    an_entry(world, dictionary="customer.source", label="春季展", parent="展会")
    answer = login("boss").post(f"/configuration/{category}/undo")
    assert answer.status_code == 400 and "下级条目春季展以它为上级" in words(answer.get_data(as_text=True))


def change_parameter(world: World, by: str = "boss", **values: Any) -> None:
    """Save settings as the page does."""
    actor = world.actor(by)
    with deed(Act(actor, utcnow(), db.session(), "web", "update")) as act:
        rules.set_parameters(act, actor.dealer_id, {k.replace("__", "."): v for k, v in values.items()})


def test_a_setting_goes_back_to_what_held_without_it(world: World, login: Login) -> None:
    client = login("boss")
    change_parameter(world, number__customer__digits=5)
    change_parameter(world, number__customer__digits=7)
    shown = page(client)
    assert "编号规则/" in shown and "流水位数57" in shown
    take_back(client, "parameters")
    assert parameter(db.session(), "number.customer.digits", world.a.id) == 5
    of = select(AuditEntry.id).where(AuditEntry.resource == "parameters").order_by(AuditEntry.id)
    made = db.session.scalars(of).first()
    client.post(f"/configuration/{made}/undo")
    assert db.session.scalar(select(Parameter.id)) is None
    take_back(client, "parameters")
    assert parameter(db.session(), "number.customer.digits", world.a.id) == 5


def test_a_secret_is_taken_back_unseen(world: World, login: Login) -> None:
    client = login("boss")
    change_parameter(world, notice__robot="https://robots.example.com/send?key=abc")
    change_parameter(world, notice__robot="https://robots.example.com/send?key=def")
    shown = client.get(LIST).get_data(as_text=True)
    assert "robots.example.com" not in shown and "已修改（保密）" in shown
    confirm = client.get(f"/configuration/{newest('parameters')}/undo").get_data(as_text=True)
    assert "robots.example.com" not in confirm
    take_back(client, "parameters")
    assert parameter(db.session(), "notice.robot", world.a.id).endswith("abc")


def rights(role: StaffRole) -> dict[str, list[str]]:
    return role_rules.as_texts(role_rules.rights_of(db.session(), role.id))


def test_rights_and_scopes_of_a_role_go_back(world: World, login: Login) -> None:
    client, boss = login("boss"), world.actor("boss")
    given = {"grants": ["can_list@Customers", "can_edit@Customers"], "scopes": ["customers:store"]}
    role, _ = create(Roles, {"label": "展厅主管", **given}, boss)
    update(Roles, role.id, {"grants": ["can_list@Customers"], "scopes": ["customers:dealer"]}, boss)
    assert "权限客户·编辑" in page(client)
    take_back(client, "roles")
    assert rights(role) == {k: sorted(v) for k, v in given.items()}
    remove(Roles, role.id, boss)
    take_back(client, "roles")
    again = db.session.scalars(select(StaffRole).where(StaffRole.label == "展厅主管")).one()
    assert again.dealer_id == world.a.id and rights(again) == {k: sorted(v) for k, v in given.items()}
    take_back(client, "roles")
    assert db.session.scalar(select(StaffRole.id).where(StaffRole.label == "展厅主管")) is None


def test_a_role_that_people_have_is_not_undone(world: World, login: Login) -> None:
    boss = world.actor("boss")
    role, _ = create(Roles, {"label": "临时", "grants": ["can_list@Customers"]}, boss)
    made = newest("roles")
    from models.identity.roles import RoleAssignment

    db.session.add(RoleAssignment(user_id=world.people["seller"].id, role_id=role.id))
    db.session.commit()
    answer = login("boss").post(f"/configuration/{made}/undo")
    assert answer.status_code == 400 and "已分配给1名员工" in words(answer.get_data(as_text=True))


def test_others_neither_see_nor_undo(world: World, login: Login) -> None:
    an_entry(world)
    entry = newest("dictionary_entries")
    assert login("seller").get(LIST).status_code == 403
    assert login("seller").post(f"/configuration/{entry}/undo").status_code == 403
    assert login("boss").get(f"/configuration/{entry}/undo").status_code == 200
    from models.identity import presets

    with past.deeds.deed(Act(world.actor("boss"), utcnow(), db.session(), "job", "init")):
        presets.add_person(
            db.session(), dealer_id=world.b.id, username="boss_b", name="乙总管", password="Test-demo-2024K",
            roles=[presets.preset_role(db.session(), world.b.id, "admin")], position="系统管理员",
        )  # fmt: skip
    assert "支票" not in page(login("boss_b"))
    assert login("boss_b").post(f"/configuration/{entry}/undo").status_code == 404


def test_a_dealer_does_not_take_back_what_the_group_presets(world: World) -> None:
    preset = db.session.scalars(
        select(DictionaryEntry).where(DictionaryEntry.value == "现金", DictionaryEntry.dealer_id.is_(None))
    ).one()
    group = world.actor("admin")
    update(Dictionaries, preset.id, {"label": "现钞"}, group)
    change = past.one(db.session(), group, newest("dictionary_entries"))
    with pytest.raises(Refusal, match="集团"):
        past.undo(db.session(), [change], world.actor("boss"))
    past.undo(db.session(), [change], group)
    db.session.refresh(preset)
    assert preset.label == "现金"


@pytest.mark.sqlite_only
def test_what_the_product_began_with_is_no_change_of_an_administrator(world: World, login: Login) -> None:
    client, rules_only = login("admin"), f"{LIST}?kind=clock_rules"
    assert "没有符合条件的变更" in page(client, rules_only)
    assert "系统初始化" in page(client, f"{rules_only}&setup=1")
    assert "/undo" not in client.get(f"{rules_only}&setup=1").get_data(as_text=True)
    entry = newest("clock_rules")
    answer = client.post(f"/configuration/{entry}/undo", data={"whole": "1"})
    assert answer.status_code == 400
    assert "初始化时写入的配置不能撤销" in words(answer.get_data(as_text=True))
    assert "初始化时写入的配置不能撤销" in page(client, f"/configuration/{entry}/undo")


def test_filters_by_kind_person_and_time(world: World, login: Login) -> None:
    client = login("boss")
    an_entry(world)
    change_parameter(world, number__customer__digits=5)
    assert "支票" not in page(client, f"{LIST}?kind=parameters") and "流水位数" in page(
        client, f"{LIST}?kind=parameters"
    )
    assert "没有符合条件的变更" in page(client, f"{LIST}?person=无此人")
    assert "没有符合条件的变更" in page(client, f"{LIST}?until=2020-01-01")
    assert "支票" in page(client, f"{LIST}?person=总管&since=2020-01-01")
    wrong = client.get(f"{LIST}?since=gestern")
    assert wrong.status_code == 200 and "格式填写" in wrong.get_data(as_text=True)
    assert "没有符合条件的变更" in page(client, f"{LIST}?kind=nothing")


def test_long_histories_are_paged(world: World, login: Login) -> None:
    client, made = login("boss"), an_entry(world)
    for n in range(past.SHOWN + 5):
        update(Dictionaries, made.id, {"sort": 100 + n}, world.actor("boss"))
    first = client.get(LIST).get_data(as_text=True)
    older = re.search(r'href="(/configuration/\?before=\d+)"', first)
    assert older is not None
    second = page(client, older.group(1))
    assert "最新的变更" in second and "支付方式/支票" in second


def test_the_page_takes_few_statements_and_reads_no_other_history(world: World, login: Login) -> None:
    from tests.generic.test_queries import LIST_LIMIT, counted

    client, made = login("boss"), an_entry(world)
    world.make("registration_quotas", "boss", employee_id=world.people["seller"].id, daily_limit=7)
    for n in range(5):
        update(Dictionaries, made.id, {"sort": 100 + n}, world.actor("boss"))
    client.get(LIST)
    with counted() as seen:
        assert client.get(LIST).status_code == 200
    assert len(seen) <= LIST_LIMIT, seen
    if db.engine.dialect.name == "sqlite":
        statement = next(s for s in seen if "FROM audit_entries" in s)
        assert "INDEXED BY ix_audit_entries_record" in statement


@pytest.mark.browser
@pytest.mark.sqlite_only
def test_two_clicks_take_a_change_back(world: World, page_as: Any) -> None:
    from playwright.sync_api import expect

    made = an_entry(world)
    update(Dictionaries, made.id, {"label": "转账支票"}, world.actor("boss"))
    browser = page_as("boss")
    browser.goto(LIST)
    browser.locator(".undo0").first.click()
    expect(browser.locator(".audit")).to_contain_text("恢复原值")
    browser.get_by_role("button", name="撤销", exact=True).click()
    expect(browser.locator(".flashes")).to_contain_text("已撤销")
    expect(browser.locator(".changes0 tbody tr").first).to_contain_text("撤销")
    db.session.rollback()
    db.session.refresh(made)
    assert made.label == "支票"
