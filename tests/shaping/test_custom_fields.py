"""Fields that an administrator adds: like any other in form, page, list, filter, order, history, API and files."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from sqlalchemy import inspect

from app.engine.actions import Invalid, Refusal
from app.engine.database import db, utcnow
from app.engine.faces import faced
from app.engine.history import history
from app.engine.perform import create, update
from app.engine.resource import resource
from app.engine.storing import keep_own
from models.customers.tables import Customer
from models.shaping.custom_fields import CustomField, FieldKind, Place
from tests.customers.world import World
from tests.imports.conftest import Importer
from tests.plugins.people import Login
from tests.shaping.fields import act

pytestmark = pytest.mark.usefixtures("boss_b")
USUAL = (Place.FORM, Place.LIST, Place.FILTER, Place.TEMPLATE)
STAGES = "未动工\n水电\n木工\n完工"


def add(world: World, label: str, kind: str, by: str = "boss", **values: Any) -> CustomField:
    """A field as an administrator adds it: everywhere but in charts."""
    places = [*USUAL, *values.pop("also", ())]
    values = {"resource": "customers", "section": "更多信息", "position": 100, "places": places, **values}
    made, _ = create(
        resource("custom_fields"),
        {"label": label, "kind": FieldKind.of(kind), **values},
        world.actor(by),
    )
    return made  # type: ignore[no-any-return]


def file_with(world: World, by: str = "seller", **values: Any) -> Any:
    """A customer filed by the form of that person's dealer."""
    actor = world.actor(by)
    values = {"name": "张女士", "phone": world.next_phone(), **values}
    record, _ = create(faced(resource("customers"), actor.dealer_id), values, actor)
    return record


@pytest.fixture
def five(world: World) -> dict[str, CustomField]:
    """One field of each everyday kind."""
    return {
        "stage": add(world, "装修阶段", "choice", options=STAGES, also=[Place.CHART]),
        "nick": add(world, "昵称", "text"),
        "area": add(world, "房屋面积", "number", unit="㎡", also=[Place.SORT]),
        "start": add(world, "开工日期", "date", also=[Place.SORT]),
        "vip": add(world, "样板间", "bool"),
    }


def test_without_fields_the_declared_resource_is_its_own_face(world: World) -> None:
    declared = resource("customers")
    assert faced(declared, world.a.id) is declared
    add(world, "昵称", "text")
    assert faced(declared, world.a.id) is not declared
    assert faced(declared, world.b.id) is declared
    assert faced(resource("tags"), world.a.id) is resource("tags")


def test_form_page_list_and_history_have_the_fields(
    world: World, login: Login, five: dict[str, CustomField]
) -> None:
    client = login("seller")
    form = client.get("/customers/new").get_data(as_text=True)
    for word in ("更多信息", "装修阶段", "未动工", "昵称", "房屋面积", "㎡", "开工日期", "样板间"):
        assert word in form, word
    typed = {
        "name": "王先生", "phone": "13711110000",
        five["stage"].slot: "水电", five["nick"].slot: "老王", five["area"].slot: "89.50",
        five["start"].slot: "2026-03-01", five["vip"].slot: "1",
    }  # fmt: skip
    assert client.post("/customers/new", data=typed).status_code == 302
    made = db.session.query(Customer).filter_by(name="王先生").one()
    held = [getattr(made, five[key].slot) for key in ("stage", "nick", "area", "start", "vip")]
    assert held == ["水电", "老王", Decimal("89.5"), date(2026, 3, 1), True]
    page = client.get(f"/customers/{made.id}").get_data(as_text=True)
    listed = client.get("/customers/").get_data(as_text=True)
    for word in ("装修阶段", "水电", "老王", "89.5㎡", "2026-03-01"):
        assert word in page and word in listed, word
    edit = client.get(f"/customers/{made.id}/edit").get_data(as_text=True)
    assert 'value="89.5"' in edit and 'value="老王"' in edit
    typed |= {"version": str(made.version), five["nick"].slot: "王总"}
    assert client.post(f"/customers/{made.id}/edit", data=typed).status_code == 302
    history = client.get(f"/customers/{made.id}/history").get_data(as_text=True)
    assert "昵称" in history and "老王" in history and "王总" in history and "装修阶段" in history


def test_another_dealer_sees_nothing_of_them(
    world: World, login: Login, five: dict[str, CustomField]
) -> None:
    client = login("outsider")
    for address in ("/customers/", "/customers/new", "/customers/charts", "/custom_fields/"):
        text = client.get(address).get_data(as_text=True)
        assert not any(word in text for word in ("装修阶段", "昵称", "房屋面积")), address
    slot = five["nick"].slot
    assert client.get("/api/v1/customers/", query_string={slot: "x"}).status_code == 400
    assert client.get("/api/v1/customers/", query_string={"fields": slot}).status_code == 400
    sent = {"name": "甲", "phone": "13711110009", slot: "y"}
    assert client.post("/api/v1/customers/", json=sent).status_code == 400
    group = login("admin").get("/customers/").get_data(as_text=True)
    assert "昵称" not in group
    assert login("boss_b").get(f"/custom_fields/{five['nick'].id}").status_code == 404


def test_the_fields_of_one_slot_are_of_their_dealers(world: World, login: Login) -> None:
    """Two dealers use the same column for different things: neither name nor choices mix, statements included."""
    mine, theirs = add(world, "昵称", "text"), add(world, "户型", "choice", "boss_b", options="平层\n复式")
    assert mine.slot == theirs.slot
    file_with(world, name="甲客户", **{mine.slot: "平层"})
    file_with(world, "outsider", name="丙客户", **{theirs.slot: "平层"})
    ours = login("seller").get("/customers/", query_string={mine.slot: "平层"}).get_data(as_text=True)
    assert "昵称：平层" in ours and "甲客户" in ours and "户型" not in ours and "丙客户" not in ours
    other = login("outsider").get("/customers/", query_string={mine.slot: "平层"}).get_data(as_text=True)
    assert "户型：平层" in other and "丙客户" in other and "昵称" not in other and "甲客户" not in other


def test_the_list_is_filtered_by_every_kind(world: World, login: Login, five: dict[str, CustomField]) -> None:
    s = {key: field.slot for key, field in five.items()}
    first = {s["stage"]: "水电", s["nick"]: "老王", s["area"]: Decimal("89.5"), s["start"]: date(2026, 3, 1)}
    file_with(world, name="甲客户", **first, **{s["vip"]: True})
    file_with(world, name="乙客户", **{s["stage"]: "木工", s["area"]: Decimal(120), s["vip"]: False})
    client = login("seller")
    for asked in (
        {s["stage"]: "水电"}, {s["nick"]: "老王"}, {f"{s['area']}.to": "100"}, {s["vip"]: "1"},
        {f"{s['start']}.from": "2026-03-01"},
    ):  # fmt: skip
        text = client.get("/customers/", query_string=asked).get_data(as_text=True)
        assert "甲客户" in text and "乙客户" not in text, asked


def test_the_list_is_sorted_once_there_is_a_way(
    world: World, login: Login, five: dict[str, CustomField], run_outbox: Callable[..., None]
) -> None:
    slot = five["area"].slot
    for name, area in (("小户", 60), ("大户", 200), ("中户", 90)):
        file_with(world, name=name, **{slot: Decimal(area)})
    file_with(world, name="不详")
    client = login("seller")
    asked = {"sort": f"-{slot}"}
    assert "没有" in client.get("/customers/", query_string=asked).get_data(as_text=True)
    run_outbox()
    text = client.get("/customers/", query_string=asked).get_data(as_text=True)
    places = [text.index(name) for name in ("大户", "中户", "小户", "不详")]
    assert places == sorted(places)


def test_the_api_reads_and_writes_them(world: World, login: Login, five: dict[str, CustomField]) -> None:
    s = {key: field.slot for key, field in five.items()}
    client = login("seller")
    sent = {"name": "赵女士", "phone": "13711110001", s["stage"]: "水电", s["area"]: 89.5, s["vip"]: True}
    answer = client.post("/api/v1/customers/", json=sent)
    assert answer.status_code == 201, answer.json
    result = answer.json["result"]
    assert (result[s["stage"]], result[f"{s['stage']}_label"]) == ("水电", "水电")
    assert (result[s["area"]], result[s["vip"]]) == ("89.5", True)
    change = {"version": result["version"], s["stage"]: "不存在"}
    wrong = client.patch(f"/api/v1/customers/{result['id']}", json=change)
    assert wrong.status_code == 400 and s["stage"] in wrong.json["errors"]
    change[s["stage"]] = "木工"
    assert client.patch(f"/api/v1/customers/{result['id']}", json=change).json["result"][s["stage"]] == "木工"
    found = client.get("/api/v1/customers/", query_string={s["stage"]: "木工", "fields": s["stage"]}).json
    assert [r[s["stage"]] for r in found["result"]] == ["木工"]
    described = str(client.get("/api/v1/openapi.json").json)
    assert "装修阶段" in described
    assert "装修阶段" not in str(login("outsider").get("/api/v1/openapi.json").json)


def test_export_charts_and_template_have_them(
    world: World, login: Login, five: dict[str, CustomField]
) -> None:
    s = {key: field.slot for key, field in five.items()}
    file_with(world, "boss", name="甲客户", **{s["stage"]: "水电", s["area"]: Decimal("89.5")})
    client = login("boss")
    answer = client.post("/customers/export", query_string={"scope": "dealer"}, data={"format": "xlsx"})
    sheet = openpyxl.load_workbook(io.BytesIO(answer.get_data())).active
    head, row = ([cell.value for cell in line] for line in list(sheet.iter_rows())[:2])
    cells = dict(zip(head, row, strict=True))
    assert (cells["装修阶段"], cells["房屋面积（㎡）"]) == ("水电", 89.5)
    template = openpyxl.load_workbook(io.BytesIO(client.get("/customers/import/template").get_data())).active
    headings = [cell.value for cell in template[1]]
    assert {"装修阶段", "昵称", "房屋面积", "开工日期", "样板间"} <= set(headings)
    charts = client.get("/customers/charts").get_data(as_text=True)
    assert "装修阶段分布" in charts and "水电" in charts


def test_a_removed_field_is_gone_and_comes_back_with_its_values(world: World, login: Login) -> None:
    field = add(world, "昵称", "text")
    customer = file_with(world, **{field.slot: "老王"})
    act(world, "remove_field", field)
    client = login("seller")
    assert "昵称" not in client.get(f"/customers/{customer.id}").get_data(as_text=True)
    assert "昵称" in client.get(f"/customers/{customer.id}/history").get_data(as_text=True)
    act(world, "restore_field", field)
    page = client.get(f"/customers/{customer.id}").get_data(as_text=True)
    assert "昵称" in page and "老王" in page


@pytest.mark.parametrize(
    ("values", "place", "word"),
    [
        ({"label": "手机号码"}, "label", "已有字段"),
        ({"label": "昵称"}, "label", "已有自定义字段"),
        ({"kind": "choice"}, "options", "选项"),
        ({"kind": "choice", "options": "一\n一"}, "options", "重复"),
        ({"kind": "number", "initial": "很大"}, "initial", "数字"),
        ({"kind": "number", "minimum": Decimal(5), "maximum": Decimal(1)}, "maximum", "最大值"),
        ({"kind": "choice", "options": "一\n二", "initial": "三"}, "initial", "选项"),
        ({"pattern": "(a+)+"}, "pattern", "重复"),
        ({"pattern": "["}, "pattern", "正则"),
        ({"pattern": r"(?=a)b"}, "pattern", "断言"),
        ({"pattern": "a*b*c*d*"}, "pattern", "长度不定"),
    ],
)
def test_wrong_input_is_refused_beside_its_field(
    world: World, values: dict[str, Any], place: str, word: str
) -> None:
    add(world, "昵称", "text")
    given = {"label": "新字段", "kind": "text", **values}
    with pytest.raises(Invalid) as refused:
        add(world, given.pop("label"), given.pop("kind"), **given)
    assert word in refused.value.errors[place]
    db.session.rollback()
    assert db.session.query(CustomField).count() == 1


def test_no_more_fields_than_slots(world: World) -> None:
    for n in range(3):
        add(world, f"说明{n}", "textarea")
    with pytest.raises(Invalid) as refused:
        add(world, "说明三", "textarea")
    assert "最多3个" in refused.value.errors["kind"]
    db.session.rollback()
    with pytest.raises(Invalid):
        add(world, "通用说明", "textarea", "admin", for_all=True)


def test_group_fields_are_everybodys_and_only_the_group_changes_them(world: World, login: Login) -> None:
    field = add(world, "会员号", "text", "admin", for_all=True)
    assert field.dealer_id is None
    for who in ("seller", "outsider"):
        assert "会员号" in login(who).get("/customers/new").get_data(as_text=True)
    with pytest.raises(Invalid):
        add(world, "卡号", "text", for_all=True)
    db.session.rollback()
    with pytest.raises(Refusal):
        update(resource("custom_fields"), field.id, {"label": "卡号"}, world.actor("boss"))
    db.session.rollback()
    with pytest.raises(Invalid):
        add(world, "会员号", "text")


def test_conditions_show_and_demand(world: World, login: Login) -> None:
    client = login("boss")
    typed = {
        "label": "介绍人", "kind": "text", "resource": "customers", "places": ["form"], "section": "更多信息",
        "position": "100", "needed_when": "客户类型=没有这类",
    }  # fmt: skip
    answer = client.post("/custom_fields/new", data=typed)
    assert answer.status_code == 400 and "没有选项“没有这类”" in answer.get_data(as_text=True)
    typed["needed_when"] = "不存在=甲"
    assert "没有可作条件的字段“不存在”" in client.post("/custom_fields/new", data=typed).get_data(
        as_text=True
    )
    typed["needed_when"], typed["shown_when"] = "阶段=订单客户", "称谓=女士"
    assert client.post("/custom_fields/new", data=typed).status_code == 302
    field = db.session.query(CustomField).one()
    assert (field.shown_when, field.needed_when) == ("customers:gender=female", "customers:stage=ordered")
    assert "阶段=订单客户" in client.get(f"/custom_fields/{field.id}/edit").get_data(as_text=True)
    customer = file_with(world, "boss")
    assert f'data-field="{field.slot}"' in client.get("/customers/new").get_data(as_text=True)
    edit = {"name": "张女士", "phone": customer.phone, "gender": "female", "version": str(customer.version)}
    assert client.post(f"/customers/{customer.id}/edit", data=edit).status_code == 302
    from app.engine.audit import acting
    from models.customers.rules import move
    from models.customers.tables import Stage

    with acting(db.session()):
        move(customer, Stage.ORDERED)
        db.session.commit()
    edit["version"] = str(customer.version)
    refused = client.post(f"/customers/{customer.id}/edit", data=edit)
    assert refused.status_code == 400 and "请填写介绍人" in refused.get_data(as_text=True)
    edit["gender"] = "male"
    assert client.post(f"/customers/{customer.id}/edit", data=edit).status_code == 302


def test_values_of_a_removed_field_are_cleared_after_a_month(
    world: World, run_outbox: Callable[..., None]
) -> None:
    from app.engine.outbox import Delivery
    from models.shaping import custom_work

    field = add(world, "昵称", "text")
    customer = file_with(world, **{field.slot: "老王"})
    theirs = add(world, "别名", "text", "boss_b")
    other = file_with(world, "outsider", **{theirs.slot: "老李"})
    act(world, "remove_field", field)
    now = utcnow()
    for later, left in ((29, "老王"), (31, None)):
        at = now + custom_work.KEPT * later / 30
        custom_work.purge(Delivery(1, "custom_fields.purge", {}, 1, at, db.session()))
        db.session.commit()
        db.session.expire_all()
        assert getattr(db.session.get_one(Customer, customer.id), field.slot) == left
    assert getattr(db.session.get_one(Customer, other.id), theirs.slot) == "老李"
    again = add(world, "外号", "text")
    assert again.slot == field.slot
    assert "外号" not in str(history("customers", customer.id, world.actor("boss")))
    assert "昵称" in str(history("customers", customer.id, world.actor("boss")))


def test_orders_and_filters_have_their_indexes(world: World, run_outbox: Callable[..., None]) -> None:
    """The way to a sorted field is an index in each wide scope, that to a filtered one an index of the dealer."""
    area, nick = add(world, "房屋面积", "number", also=[Place.SORT]), add(world, "昵称", "text")
    run_outbox()
    known = {i["name"]: i["column_names"] for i in inspect(db.engine).get_indexes("customers")}
    for place in ("dealer_id", "store_id", "filer_id"):  # with what the list leaves out by itself
        held = [place, area.slot, "id", "stage", "created_at"]
        assert known[f"ix_customers_slot_order_{place}_{area.slot}"] == held
    assert known[f"ix_customers_slot_dealer_id_{nick.slot}"] == ["dealer_id", nick.slot, "id"]


def test_a_file_brings_them_in(
    world: World, login: Login, run_outbox: Callable[..., None], five: dict[str, CustomField]
) -> None:
    """By sets for new customers, as the form does for known ones; the history names them."""
    s = {key: field.slot for key, field in five.items()}
    head = ["客户姓名", "手机号码", "装修阶段", "昵称", "房屋面积", "开工日期", "样板间"]
    importer = Importer(login("boss"), run_outbox)
    importer.bring_in([
        head,
        ["甲客户", "13711110001", "水电", "老甲", "89.5", "2026-03-01", "是"],
        ["乙客户", "13711110002", "", "", "", "", ""],
    ])  # fmt: skip
    made = db.session.query(Customer).filter_by(name="甲客户").one()
    held = [getattr(made, s[key]) for key in ("stage", "nick", "area", "start", "vip")]
    assert held == ["水电", "老甲", Decimal("89.5"), date(2026, 3, 1), True]
    said = str(history("customers", made.id, world.actor("boss")))
    assert "装修阶段" in said and "老甲" in said and "89.5" in said
    wrong = importer.upload([head, ["丙客户", "13711110003", "封顶", "", "很大", "", ""]])
    assert "装修阶段" in str(importer.problems(wrong)) and "房屋面积" in str(importer.problems(wrong))
    importer.bring_in([head[:4], ["甲客户", "13711110001", "完工", "老甲"]], mode="update", key="phone")
    db.session.expire_all()
    assert getattr(db.session.get_one(Customer, made.id), s["stage"]) == "完工"


def test_phones_are_masked_like_the_customers_own(world: World, login: Login) -> None:
    """Whoever sees no phone sees none in an added field either: on no page, in no file, not in the history."""
    number = "13987654321"
    field = add(world, "配偶电话", "phone")
    customer = file_with(world, "boss", **{field.slot: number})
    clerk = login("typist")
    base = f"/customers/{customer.id}"
    api = "/api/v1/customers"
    asked = {"fields": field.slot, "scope": "dealer"}
    for address, query in (
        (base, {}), (f"{base}/edit", {}), (f"{base}/history", {}), ("/customers/", {"scope": "dealer"}),
        (f"{api}/{customer.id}", {}), (f"{api}/", asked),
    ):  # fmt: skip
        answer = clerk.get(address, query_string=query)
        text = answer.get_data(as_text=True)
        assert answer.status_code == 200 and number not in text and "139****4321" in text, address
    typed = {
        "name": "张女士",
        "phone": "139****0001",
        field.slot: "139****4321",
        "version": str(customer.version),
    }
    assert clerk.post(f"{base}/edit", data=typed).status_code == 302
    db.session.expire_all()
    assert getattr(db.session.get_one(Customer, customer.id), field.slot) == number
    assert number in login("boss").get(base).get_data(as_text=True)


def test_who_sees_several_dealers_sees_each_field_in_its_own(world: World, login: Login) -> None:
    """Somebody of the group works for one dealer: what that dealer calls a slot says nothing of others' records,
    is not found in them and not written into them."""
    theirs = add(world, "户型", "choice", "boss_b", options="平层\n复式")
    mine = add(world, "昵称", "text", "admin")
    assert mine.slot == theirs.slot
    record = file_with(world, "outsider", name="丙客户", **{theirs.slot: "复式"})
    client, base = login("admin"), f"/customers/{record.id}"
    for address in (base, f"{base}/edit", "/customers/?scope=group&window=all", f"/api/v1{base}"):
        text = client.get(address).get_data(as_text=True)
        assert "丙客户" in text and "复式" not in text, address
    found = client.get(f"/customers/?scope=group&window=all&{mine.slot}=复式").get_data(as_text=True)
    assert "丙客户" not in found
    typed = {"name": "丙女士", "phone": record.phone, mine.slot: "阿丙", "version": str(record.version)}
    assert client.post(f"{base}/edit", data=typed).status_code == 302
    db.session.expire_all()
    assert getattr(db.session.get_one(Customer, record.id), theirs.slot) == "复式"
    face = faced(resource("customers"), theirs.dealer_id)
    made = Customer(dealer_id=mine.dealer_id, **{theirs.slot: "复式"})
    keep_own(face, made)
    assert getattr(made, theirs.slot) is None


def test_an_index_goes_with_its_field_and_comes_back(world: World, run_outbox: Callable[..., None]) -> None:
    """What nobody looks for any more would only make every write dearer; what nobody sorts by, for the most part."""
    area, nick = add(world, "房屋面积", "number", also=[Place.SORT]), add(world, "昵称", "text")

    def there() -> set[str]:
        run_outbox()
        names = {str(index["name"]) for index in inspect(db.engine).get_indexes("customers")}
        return {n.removeprefix("ix_customers_slot_") for n in names if n.startswith("ix_customers_slot_")}

    both = {f"order_{c}_{area.slot}" for c in ("dealer_id", "store_id", "filer_id")} | {
        f"dealer_id_{nick.slot}"
    }
    assert there() == both
    act(world, "remove_field", nick)
    assert there() == both - {f"dealer_id_{nick.slot}"}
    act(world, "restore_field", nick)
    assert there() == both
    values = {"places": [Place.FORM, Place.LIST, Place.FILTER]}
    update(resource("custom_fields"), area.id, values, world.actor("boss"))
    assert there() == {f"dealer_id_{area.slot}", f"dealer_id_{nick.slot}"}
