"""The configuration as a file: out, compared, in; refused as a whole with the place."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from app.engine import configuring
from app.engine.actions import Refusal
from app.engine.configured import difference, files, state
from app.engine.database import db
from app.engine.perform import create
from app.engine.resource import resource
from models.clock_rules.resources import ClockRules
from models.clock_rules.rules import SURE
from models.clock_rules.tables import ClockRule
from models.customers.policy import Effect, Entrance, SameWithin, Told
from models.customers.track import TrackAct
from models.identity.resources import Positions, Roles
from models.settings.tables import DictionaryEntry, EntryTone, Parameter
from tests.customers.world import World, words
from tests.plugins.people import Login
from tests.shaping.shapes import furnish_shapes
from tests.shaping.speaking import speak
from tests.shaping.test_configuration import an_entry, change_parameter


def export(world: World, by: str = "boss") -> str:
    actor = world.actor(by)
    return difference.export(db.session(), actor, actor.dealer_id)


def bring_in(world: World, text: str, by: str = "boss", *, removes: bool = True, dry: bool = False) -> Any:
    actor, session = world.actor(by), db.session()
    found = difference.plan(session, files.read(text, actor), actor, actor.dealer_id, removes=removes)
    difference.carry_out(session, found, actor, dry=dry)
    return found


def furnish(world: World) -> None:
    """Something of every kind."""
    boss, seller = world.actor("boss"), world.people["seller"]
    an_entry(world, dictionary="customer.source_category", label="展会", value="fair")
    an_entry(world, dictionary="customer.source", label="春季展", parent="fair")
    change_parameter(
        world, number__customer__digits=5, notice__robot="https://robots.example.com/send?key=abc"
    )
    create(Positions, {"name": "展厅主管", "sort": 15}, boss)
    given = {"grants": ["can_list@Customers", "can_edit@Customers"], "scopes": ["customers:store"]}
    create(Roles, {"label": "展厅主管", **given}, boss)
    world.make("tags", "boss", name="精装", group_name="进度")
    world.make("track_points", "boss", act=TrackAct.CALL, points=50)
    said = {"one": "{{客户}}归您了", "many": "{{数量}}位客户归您了", "active": True}
    world.make("notice_words", "boss", sentence="customer.given", **said)
    policy = {"within": SameWithin.DEALER, "effect": Effect.INSIST, "told": Told.OWNER}
    world.make("duplicate_rules", "boss", entrance=Entrance.FORM, **policy)
    world.make("registration_quotas", "boss", employee_id=seller.id, daily_limit=7)
    world.make("registration_grants", "boss", manager_id=world.people["keeper"].id, registrant_id=seller.id)
    above = db.session.scalars(select(ClockRule).where(ClockRule.code.is_not(None))).first()
    assert above is not None
    same = {
        n: getattr(above, n) for n in ("subject", "start", "unit", "direction", "at", "effect", "repeat", "parameters")
    }  # fmt: skip
    condition = {
        "of": above.subject,
        "where": {"all": [{"field": "store_id", "is": "one_of", "value": [world.stores[0].id]}]},
    }
    mine = same | {"name": "本店另定", "amount": 3, "replaces_id": above.id, "condition": condition}
    mine |= {"store_id": world.stores[0].id, "silenced_by": None, "active": True}
    create(ClockRules, mine, boss, answers=(SURE,))
    furnish_shapes(world)
    speak(world)


def wipe(world: World) -> None:
    """Take everything of the dealer away that a file can bring back."""
    kept = {"audited": True}
    for model in (ClockRule, DictionaryEntry, Parameter):
        db.session.execute(delete(model).where(model.dealer_id == world.a.id), execution_options=kept)
    for name in ("registration_quotas", "registration_grants", "tags"):
        model = resource(name).model
        db.session.execute(delete(model).where(model.dealer_id == world.a.id), execution_options=kept)
    db.session.commit()
    from models.identity.rights import bump_epoch

    bump_epoch(db.session())
    db.session.commit()


@pytest.mark.sqlite_only
def test_something_of_every_kind_is_furnished(world: World) -> None:
    """A new kind is to go out, be compared and come back in these tests as well."""
    furnish(world)
    held = json.loads(export(world))["kinds"]
    assert {k.name for k in configuring.kinds()} - {name for name, listed in held.items() if listed} == set()


def test_what_was_exported_comes_back_and_is_exported_the_same(world: World) -> None:
    furnish(world)
    text = export(world)
    rules = {r["name"]: r for r in json.loads(text)["kinds"]["clock_rules"]}
    assert rules["本店另定"]["replaces_id"]["of"] == "group"
    assert all(not c.steps for c in bring_in(world, text).compared)
    wipe(world)
    before = json.loads(export(world))["kinds"]
    assert not before["dictionary_entries"] and not before["clock_rules"]
    bring_in(world, text)
    assert export(world) == text


def test_a_file_is_readable_and_holds_no_secret(world: World) -> None:
    furnish(world)
    text = export(world)
    assert '"label": "春季展"' in text and '"product": "知客"' in text and '"format": 1' in text
    assert "robots.example.com" not in text and "notice.robot" not in text
    assert '"employee_id": "seller"' in text and f'"{world.stores[0].code}"' in text
    for entry in ("seller", "boss"):
        assert world.people[entry].password not in text


def test_nothing_guarded_or_secret_can_be_declared() -> None:
    from models.customers.resources import Customers
    from models.customers.tables import Customer
    from models.identity.resources import Employees
    from models.identity.tables import Employee

    for found in configuring.kinds():
        for spec in found.specs.values():
            assert spec.guard is None and spec.kind not in ("password", "phone"), spec.name
            assert not configuring.SECRET.search(spec.name), spec.name
    with pytest.raises(TypeError, match="must not get into a file"):
        configuring.configurable(Customers, key=(Customer.name,), content=(Customer.phone,))
    with pytest.raises(TypeError, match="must not get into a file"):
        configuring.configurable(Employees, key=(Employee.username,), content=(Employee.password,))
    assert configuring.kind("customers") is None and configuring.kind("employees") is None


def test_every_table_that_administrators_change_is_a_kind_or_named_here() -> None:
    """A new table that steers the product is declared, or it says here why it is no configuration."""
    from models.base import Steering
    from models.settings.tables import Parameter as Setting

    places = {"dealers", "stores", "departments", "ab_user", "memberships"}  # the organisation and its people
    parts = {"ab_user_role", "ab_permission_view_role", "role_scopes"}  # of roles
    parts |= {"board_roles"}  # whom a dashboard is for
    known = {k.resource.model.__table__.name for k in configuring.kinds()}
    steering = {m.local_table.name for m in Setting.registry.mappers if issubclass(m.class_, Steering)}
    assert steering - known - places - parts == set()


def test_the_difference_says_new_changed_gone_and_same(world: World) -> None:
    furnish(world)
    body = json.loads(export(world))
    listed = body["kinds"]["dictionary_entries"]
    gone, changed = listed[0], listed[1]
    listed.remove(gone)
    changed["label"] = "秋季展"
    listed.append({"dictionary": "receipt.method", "value": "支票", "label": "支票"})
    actor, session = world.actor("boss"), db.session()
    found = difference.plan(session, files.read(json.dumps(body)), actor, world.a.id)
    entries = next(c for c in found.compared if c.kind.name == "dictionary_entries")
    assert [entries.amount(s) for s in difference.SIGNS] == [1, 1, 1] and entries.same == 0
    said = [line for step in entries.steps for line in found.lines(step, session, actor)]
    assert any("名称：" in line and "→ 秋季展" in line for line in said)
    kept = difference.plan(session, files.read(json.dumps(body)), actor, world.a.id, removes=False)
    assert not any(s.sign == difference.REMOVE for s in kept.steps)


def test_a_dry_run_changes_nothing(world: World) -> None:
    furnish(world)
    text = export(world)
    wipe(world)
    empty = export(world)
    assert bring_in(world, text, dry=True).steps
    assert export(world) == empty


HEAD: dict[str, Any] = {"product": "知客", "format": 1, "of": "dealer", "complete": False}


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"product": "知客",\n"format": 1,\n"of" "dealer"}', "第3行：不是有效的 JSON"),
        ("[]", "不是知客的配置文件"),
        (json.dumps({"product": "other", "format": 1}), "第1行：不是知客的配置文件"),
        (json.dumps(HEAD | {"format": 2, "kinds": {}}, indent=1), "更新版本的知客"),
        (json.dumps(HEAD | {"format": "x", "kinds": {}}), "应为版本号"),
        (json.dumps(HEAD | {"kinds": {"cats": []}}, indent=1), "没有“cats”这种配置"),
        (json.dumps(HEAD | {"kinds": {}, "extra": 1}), "没有“extra”这一项"),
        (json.dumps(HEAD | {"kinds": []}), "“kinds”应为"),
        (json.dumps(HEAD | {"of": "group", "kinds": {}}), "集团预置的配置文件"),
        ('{"product": "知客", "format": 1, "of": "dealer",\n"kinds": {}, \n"kinds": {}}', "第3行：“kinds”写了两次"),
        ('{"product": "知客", "format": 1, "of": "dealer", "kinds": {"tags": [{"name": "\\ud800"}]}}', "JSON"),
        ("[" * 50_000, "JSON"),
        ('{"product": NaN}', "JSON"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_its_line(world: World, text: str, sentence: str) -> None:
    with pytest.raises(Refusal) as refused:
        bring_in(world, text)
    assert sentence in refused.value.message


def entry_file(**kinds: list[Any]) -> str:
    return json.dumps(HEAD | {"kinds": kinds}, ensure_ascii=False, indent=2)


GOOD = {"dictionary": "receipt.method", "value": "支票", "label": "支票"}


@pytest.mark.parametrize(
    ("kinds", "sentence"),
    [
        ({"dictionary_entries": [GOOD, GOOD | {"value": "汇票", "tone": "pink"}]}, "，颜色：请从列表中选择"),
        ({"dictionary_entries": [GOOD | {"colour": "red"}]}, "没有“colour”这一项"),
        ({"dictionary_entries": [{"label": "支票"}]}, "缺少字典（dictionary）"),
        ({"dictionary_entries": [GOOD, GOOD]}, "行的条目重复"),
        ({"dictionary_entries": [GOOD | {"sort": "many"}]}, "，排序：请输入整数"),
        ({"dictionary_entries": [GOOD | {"sort": [1]}]}, "，排序：格式不正确"),
        ({"dictionary_entries": [GOOD | {"parent": "无"}]}, "此字典没有上级字典"),
        ({"dictionary_entries": [GOOD | {"label": ""}]}, "，名称：请填写"),
        ({"dictionary_entries": [GOOD | {"label": "长" * 40}]}, "不能超过32个字"),
        ({"dictionary_entries": ["x"]}, "条目应为"),
        ({"dictionary_entries": {}}, "应为条目的列表"),
        ({"parameters": [{"key": "number.customer.digits", "value": 99}]}, "，值：位数为3至8"),
        ({"parameters": [{"key": "no.such.thing", "value": 9}]}, "没有此参数"),
        ({"parameters": [{"key": "number.customer.digits", "value": {}}]}, "格式不正确"),
        ({"parameters": [{"key": "number.customer.digits"}]}, "请填写此项"),
        ({"parameters": [{"key": "notice.robot", "value": "https://a.example.com"}]}, "含密钥"),
        ({"roles": [{"label": "甲", "grants": ["can_fly@Customers"]}]}, "没有此权限或不能授予：can_fly@Customers"),
        ({"roles": [{"label": "甲", "grants": ["can_list@Dealers"]}]}, "没有此权限或不能授予"),
        ({"roles": [{"label": "甲", "scopes": ["customers:group"]}]}, "没有此数据范围或不能授予"),
        ({"roles": [{"label": "甲", "kind": "group"}]}, "只能由集团新增"),
        ({"roles": [{"label": "甲", "grants": "all"}]}, "，权限：格式不正确"),
        ({"clock_rules": [{"code": "no.such", "name": "甲"}]}, "没有这个预置项"),
        ({"registration_quotas": [{"employee_id": "nobody", "daily_limit": 1}]}, "本系统中没有“nobody”"),
        ({"registration_quotas": [{"employee_id": "outsider", "daily_limit": 1}]}, "本系统中没有“outsider”"),
    ],
)  # fmt: skip
def test_what_a_rule_refuses_is_named_and_nothing_is_changed(
    world: World, kinds: dict[str, Any], sentence: str
) -> None:
    before = export(world)
    good = {"tags": [{"name": "急装"}]}
    with pytest.raises(files.BadFile) as refused:
        bring_in(world, entry_file(**good, **kinds))
    assert sentence in refused.value.message and "第" in refused.value.sentences[0]
    assert export(world) == before


def test_the_line_of_a_wrong_value_is_its_own(world: World) -> None:
    text = entry_file(dictionary_entries=[GOOD | {"tone": "pink"}])
    line = next(n for n, t in enumerate(text.splitlines(), 1) if "pink" in t)
    with pytest.raises(files.BadFile) as refused:
        bring_in(world, text)
    assert refused.value.sentences == [f"第{line}行，字典条目“支付方式 / 支票”，颜色：请从列表中选择"]


def test_a_person_without_the_rights_of_a_kind_brings_nothing_of_it_in(world: World) -> None:
    with pytest.raises(Refusal, match="无权限"):
        bring_in(world, entry_file(tags=[{"name": "急装"}]), by="seller")


def test_the_group_exports_and_brings_in_its_presets(world: World) -> None:
    actor = difference.acting_for(world.actor("admin"), None, state.readable(world.actor("admin")))
    session = db.session()
    text = difference.export(session, actor, None)
    body = json.loads(text)
    assert body["of"] == "group" and len(body["kinds"]["dictionary_entries"]) > 50
    assert any(r["code"] for r in body["kinds"]["clock_rules"])
    found = difference.plan(session, files.read(text), actor, None)
    assert found.steps == []
    body["kinds"]["dictionary_entries"].append(GOOD)
    body["kinds"]["clock_rules"][0]["amount"] = 9
    plan = difference.plan(session, files.read(json.dumps(body)), actor, None)
    difference.carry_out(session, plan, actor)
    assert session.scalars(
        select(DictionaryEntry.dealer_id).where(DictionaryEntry.value == "支票")
    ).all() == [None]
    after = json.loads(difference.export(session, actor, None))
    assert after["kinds"]["clock_rules"][0]["amount"] == 9
    with pytest.raises(Refusal):
        difference.acting_for(world.actor("boss"), None, state.readable(world.actor("boss")))


def test_an_import_is_one_deed_that_is_undone_as_a_whole(world: World, login: Login) -> None:
    from tests.shaping.test_configuration import take_back

    before = export(world)
    bring_in(world, entry_file(tags=[{"name": "急装"}, {"name": "缓装"}], dictionary_entries=[GOOD]))
    assert export(world) != before
    assert "已撤销3项变更" in take_back(login("boss"), "tags", whole=True)
    assert export(world) == before


def test_by_the_page_a_file_is_compared_then_brought_in(world: World, login: Login) -> None:
    client = login("boss")
    answer = client.post("/configuration/export", data={"owner": str(world.a.id)})
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    body = json.loads(answer.get_data())
    body["kinds"]["tags"].append({"name": "急装", "group_name": "进度"})
    sent = {"file": (io.BytesIO(json.dumps(body).encode()), "a.json"), "owner": str(world.a.id)}
    shown = client.post("/configuration/import", data=sent, content_type="multipart/form-data").get_data(
        as_text=True
    )
    assert "急装" in words(shown) and "标签分组：进度" in words(shown)
    hidden = {n: _value(shown, n) for n in ("packed", "seen", "owner")} | {"step": "import", "removes": "1"}
    world.make("tags", "boss", name="别的")
    late = client.post("/configuration/import", data=hidden)
    assert late.status_code == 409 and "又有变动" in late.get_data(as_text=True)
    hidden["seen"] = _value(late.get_data(as_text=True), "seen")
    del hidden["removes"]
    done = client.post("/configuration/import", data=hidden, follow_redirects=True).get_data(as_text=True)
    assert "已导入，1 项配置有改动" in done
    assert {t["name"] for t in json.loads(export(world))["kinds"]["tags"]} == {"急装", "别的"}


def _value(page: str, name: str) -> str:
    import re

    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return found.group(1)


@pytest.mark.sqlite_only
def test_by_the_page_a_bad_file_is_refused_in_words(world: World, login: Login) -> None:
    client = login("boss")
    for content, sentence in (
        (b"", "请选择要导入的配置文件"), (b"\xff\xfe\x00", "不是文本文件"), (b"{", "不是有效的 JSON"),
        (entry_file(tags=[{"name": ""}]).encode(), "缺少标签名称"),
    ):  # fmt: skip
        sent = {"file": (io.BytesIO(content), "a.json"), "owner": str(world.a.id)}
        answer = client.post("/configuration/import", data=sent, content_type="multipart/form-data")
        assert answer.status_code == 400 and sentence in answer.get_data(as_text=True), content
    for packed in ("!", "eJw=", "AAAA"):
        assert (
            client.post("/configuration/import", data={"packed": packed, "step": "import"}).status_code == 400
        )
    for owner in ("group", str(world.b.id), "x"):
        assert client.post("/configuration/export", data={"owner": owner}).status_code == 404


names = st.text("甲乙丙丁 AZ/'\"<&", min_size=1, max_size=8).filter(
    lambda t: t.strip() == t and "  " not in t
)


@pytest.mark.sqlite_only
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_configuration_comes_back_the_same(world: World, data: st.DataObject) -> None:
    """Random entries of several kinds: out, in, out is the same, from what is there and from nothing."""
    actor, session = world.actor("boss"), db.session()
    wanted = {
        "dictionary_entries": [
            {"dictionary": d, "value": v, "label": data.draw(names), "sort": data.draw(st.integers(0, 999)),
             "tone": data.draw(st.sampled_from([t.value for t in EntryTone])), "active": data.draw(st.booleans())}
            for d, v in data.draw(st.sets(st.tuples(st.sampled_from(["receipt.method", "receipt.subject"]), names), max_size=4))
        ],
        "tags": [
            {"name": n, "group_name": data.draw(st.none() | names)} for n in data.draw(st.sets(names, max_size=4))
        ],
        "parameters": [
            {"key": "number.customer.digits", "value": n} for n in data.draw(st.lists(st.integers(3, 8), max_size=1))
        ],
        "positions": [
            {"name": f"岗{n}", "sort": data.draw(st.integers(0, 99))} for n in data.draw(st.sets(names, max_size=2))
        ],
        "roles": [
            {"label": f"新{n}", "grants": sorted(data.draw(st.sets(st.sampled_from(
                ["can_list@Customers", "can_edit@Customers", "can_list@Tasks", "can_export@Customers"])))),
             "scopes": [f"customers:{s}" for s in data.draw(st.sets(st.sampled_from(["mine", "store", "dealer"])))]}
            for n in data.draw(st.sets(names, max_size=2))
        ],
    }  # fmt: skip
    body = json.loads(difference.export(session, actor, world.a.id))
    kept = [r for r in body["kinds"]["roles"] if not r["label"].startswith("新")]
    body["kinds"] |= wanted | {"roles": kept + wanted["roles"]}
    difference.carry_out(
        session, difference.plan(session, files.read(json.dumps(body)), actor, world.a.id), actor
    )
    text = difference.export(session, actor, world.a.id)
    again = difference.plan(session, files.read(text), actor, world.a.id)
    assert again.steps == []
    empty = json.loads(text)
    empty["kinds"] |= {n: [] for n in wanted} | {"roles": kept}
    difference.carry_out(
        session, difference.plan(session, files.read(json.dumps(empty)), actor, world.a.id), actor
    )
    difference.carry_out(session, difference.plan(session, files.read(text), actor, world.a.id), actor)
    assert difference.export(session, actor, world.a.id) == text
