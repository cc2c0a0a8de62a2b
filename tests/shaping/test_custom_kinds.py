"""Several choices, references and formulas as added fields; what may stand once; what only some may see."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from app.engine import attached, files
from app.engine.actions import Invalid, Refusal
from app.engine.database import db, utcnow
from app.engine.faces import faced
from app.engine.outbox import Delivery
from app.engine.perform import create, update
from app.engine.resource import resource
from app.engine.storing import TAKEN
from models.customers.tables import Customer
from models.shaping.custom_fields import CustomField, Place
from tests.customers.world import World
from tests.imports.conftest import Importer
from tests.plugins.people import Login
from tests.shaping.fields import act, add, file_with, formula

pytestmark = pytest.mark.usefixtures("boss_b")
ROOMS = "客厅\n主卧\n书房\n阳台"


def listed(client: Any, **asked: Any) -> str:
    """The list with these filters."""
    return client.get("/customers/", query_string=asked).get_data(as_text=True)  # type: ignore[no-any-return]


def sheet_of(client: Any, address: str) -> dict[str, Any]:
    """The first row of the list's file by its headings."""
    answer = client.post(address, query_string={"scope": "dealer"}, data={"format": "xlsx"})
    rows = openpyxl.load_workbook(io.BytesIO(answer.get_data())).active.iter_rows()
    head, row = ([cell.value for cell in line] for line in list(rows)[:2])
    return dict(zip(head, row, strict=True))


def test_several_choices_everywhere(world: World, login: Login, run_outbox: Callable[..., None]) -> None:
    slot = add(world, "关注空间", "choices", options=ROOMS).slot
    client = login("boss")
    form = client.get("/customers/new").get_data(as_text=True)
    assert all(word in form for word in ("关注空间", "客厅", "阳台"))
    typed = {"name": "王先生", "phone": "13711110000", slot: ["", "客厅", "书房"]}
    assert client.post("/customers/new", data=typed).status_code == 302
    made = db.session.query(Customer).filter_by(name="王先生").one()
    assert getattr(made, slot) == ["客厅", "书房"]
    file_with(world, "boss", name="李女士", **{slot: ["主卧"]})
    file_with(world, "boss", name="空女士")
    page = client.get(f"/customers/{made.id}").get_data(as_text=True)
    assert "客厅" in page and "书房" in page and "主卧" not in page
    for asked, seen in (
        (["书房"], {"王先生"}), (["书房", "主卧"], {"王先生", "李女士"}), (["-"], {"空女士"}), (["阳台"], set()),
    ):  # fmt: skip
        text = listed(client, scope="dealer", **{slot: asked})
        assert {
            n for n in ("王先生", "李女士", "空女士") if f"{n}</a>" in text or f">{n}<" in text
        } == seen, asked
    answer = client.get(f"/api/v1/customers/{made.id}").json["result"]
    assert (answer[slot], answer[f"{slot}_labels"]) == (["客厅", "书房"], ["客厅", "书房"])
    change = {"version": answer["version"], slot: ["厨房"]}
    assert client.patch(f"/api/v1/customers/{made.id}", json=change).status_code == 400
    change[slot] = ["阳台", "主卧"]
    assert client.patch(f"/api/v1/customers/{made.id}", json=change).json["result"][slot] == ["阳台", "主卧"]
    history = client.get(f"/customers/{made.id}/history").get_data(as_text=True)
    assert "客厅、书房" in history and "阳台、主卧" in history
    assert "阳台、主卧" in {sheet_of(client, "/customers/export")["关注空间"], "阳台、主卧"}
    importer = Importer(client, run_outbox)
    importer.bring_in([["客户姓名", "手机号码", "关注空间"], ["赵先生", "13711110005", "客厅、阳台"]])
    assert getattr(db.session.query(Customer).filter_by(name="赵先生").one(), slot) == ["客厅", "阳台"]


def test_a_reference_leads_to_what_the_person_may_pick(
    world: World, login: Login, run_outbox: Callable[..., None]
) -> None:
    slot = add(world, "介绍客户", "ref", target="customers").slot
    other = file_with(world, "boss", name="老客户")
    theirs = file_with(world, "outsider", name="外店客户")
    client = login("boss")
    typed = {"name": "王先生", "phone": "13711110000", slot: str(theirs.id)}
    assert client.post("/customers/new", data=typed).status_code == 400
    typed[slot] = str(other.id)
    assert client.post("/customers/new", data=typed).status_code == 302
    made = db.session.query(Customer).filter_by(name="王先生").one()
    page = client.get(f"/customers/{made.id}").get_data(as_text=True)
    assert "介绍客户" in page and f'href="/customers/{other.id}"' in page
    picked = client.get(f"/customers/pick/{slot}", query_string={"q": "老客"}).json["results"]
    assert [p["label"] for p in picked] == ["老客户"]
    assert "王先生" in listed(client, scope="dealer", **{slot: str(other.id)})
    assert "老客户" in client.get(f"/customers/{made.id}/history").get_data(as_text=True)
    answer = client.get(f"/api/v1/customers/{made.id}").json["result"]
    assert (answer[slot], answer[f"{slot}_name"]) == (other.id, "老客户")
    importer = Importer(client, run_outbox)
    importer.bring_in([["客户姓名", "手机号码", "介绍客户"], ["赵先生", "13711110005", "老客户"]])
    brought = db.session.query(Customer).filter_by(name="赵先生").one()
    assert getattr(brought, slot) == other.id
    assert "老客户" in client.get(f"/customers/{brought.id}/history").get_data(as_text=True)


def test_a_reference_is_nothing_in_another_dealers_records(world: World, login: Login) -> None:
    """Two dealers' fields in one slot lead to different kinds of records: no name of one stands in the other."""
    mine = add(world, "介绍客户", "ref", "admin", target="customers")
    theirs = add(world, "验房人", "ref", "boss_b", target="employees")
    assert mine.slot == theirs.slot
    low = file_with(world, "boss", name="甲客户")
    record = file_with(world, "outsider", name="丙客户", **{theirs.slot: world.actor("outsider").id})
    assert low.id
    client = login("admin")
    for address in (f"/customers/{record.id}", "/customers/?scope=group&window=all"):
        text = client.get(address).get_data(as_text=True)
        assert "丙客户" in text and f'href="/customers/{getattr(record, theirs.slot)}"' not in text
    answer = client.get(f"/api/v1/customers/{record.id}").json["result"]
    assert answer[mine.slot] is None and answer[f"{mine.slot}_name"] is None


@pytest.fixture
def priced(world: World) -> dict[str, CustomField]:
    """An area, a price, and the total that is worked out of both."""
    area, price = add(world, "面积", "number"), add(world, "单价", "number")
    total = formula(world, "总价", f"[{area.slot}] * [{price.slot}]", "money", also=[Place.SORT])
    return {"area": area, "price": price, "total": total}


def test_a_formula_is_worked_out_in_the_same_deed(
    world: World, login: Login, priced: dict[str, CustomField], run_outbox: Callable[..., None]
) -> None:
    area, price, total = (priced[key].slot for key in ("area", "price", "total"))
    client = login("boss")
    form = client.get("/customers/new").get_data(as_text=True)
    assert f'name="{area}"' in form and f'name="{total}"' not in form
    typed = {"name": "王先生", "phone": "13711110000", area: "90", price: "120.5"}
    assert client.post("/customers/new", data=typed).status_code == 302
    made = db.session.query(Customer).filter_by(name="王先生").one()
    assert getattr(made, total) == Decimal(10845)
    assert "¥10,845.00" in client.get(f"/customers/{made.id}").get_data(as_text=True)
    answer = client.get(f"/api/v1/customers/{made.id}").json["result"]
    change = {"version": answer["version"], price: 100}
    assert client.patch(f"/api/v1/customers/{made.id}", json={**change, total: 1}).status_code == 400
    assert client.patch(f"/api/v1/customers/{made.id}", json=change).json["result"][total] == "9000"
    assert "9,000.00" in client.get(f"/customers/{made.id}/history").get_data(as_text=True)
    run_outbox()
    file_with(world, "boss", name="大户", **{area: Decimal(300), price: Decimal(100)})
    text = listed(client, scope="dealer", sort=f"-{total}")
    assert text.index("大户") < text.index("王先生")
    found = listed(client, scope="dealer", **{f"{total}.from": "20000"})
    assert "大户" in found and "王先生" not in found
    importer = Importer(client, run_outbox)
    importer.bring_in([["客户姓名", "手机号码", "面积", "单价"], ["赵先生", "13711110005", "10", "7"]])
    assert getattr(db.session.query(Customer).filter_by(name="赵先生").one(), total) == Decimal(70)


def test_records_that_are_there_get_what_a_new_formula_comes_to(
    world: World, login: Login, run_outbox: Callable[..., None]
) -> None:
    start, end = add(world, "开工", "date"), add(world, "完工", "date")
    early = file_with(world, **{start.slot: date(2026, 3, 1), end.slot: date(2026, 3, 31)})
    theirs = file_with(world, "outsider")
    field = formula(world, "工期", f"天数([{start.slot}], [{end.slot}])")
    version = early.version
    run_outbox()
    db.session.expire_all()
    early = db.session.get_one(Customer, early.id)
    assert (getattr(early, field.slot), early.version) == (Decimal(30), version)
    assert getattr(db.session.get_one(Customer, theirs.id), field.slot) is None
    update(
        resource("custom_fields"),
        field.id,
        {"formula": f"customers:天数([{start.slot}], [{end.slot}]) + 1"},
        world.actor("boss"),
    )
    run_outbox()
    db.session.expire_all()
    assert getattr(db.session.get_one(Customer, early.id), field.slot) == Decimal(31)


def test_formulas_are_written_by_labels_and_follow_new_names(
    world: World, login: Login, priced: dict[str, CustomField]
) -> None:
    client = login("boss")
    typed = {
        "label": "定金", "kind": "formula", "result": "money", "resource": "customers", "places": ["list"],
        "section": "更多信息", "position": "100", "formula": "[总价] × 0.3 + [不存在]",
    }  # fmt: skip
    refused = client.post("/custom_fields/new", data=typed)
    assert refused.status_code == 400 and "没有可用于公式的字段“不存在”" in refused.get_data(as_text=True)
    typed |= {"formula": "[总价] × 0.3", "result": "text"}
    assert "公式的结果是数字" in client.post("/custom_fields/new", data=typed).get_data(as_text=True)
    typed["result"] = "money"
    assert client.post("/custom_fields/new", data=typed).status_code == 302
    made = db.session.query(CustomField).filter_by(label="定金").one()
    update(resource("custom_fields"), priced["total"].id, {"label": "合计"}, world.actor("boss"))
    assert "[合计] × 0.3" in client.get(f"/custom_fields/{made.id}/edit").get_data(as_text=True)
    assert "[合计] × 0.3" in client.get(f"/custom_fields/{made.id}").get_data(as_text=True)


def test_a_circle_is_refused_with_its_way(world: World, priced: dict[str, CustomField]) -> None:
    deposit = formula(world, "定金", f"[{priced['total'].slot}] / 2", "money")
    with pytest.raises(Invalid) as refused:
        update(
            resource("custom_fields"),
            priced["total"].id,
            {"formula": f"customers:[{deposit.slot}] * 2"},
            world.actor("boss"),
        )
    assert "总价 → 定金 → 总价" in refused.value.errors["formula"]


def test_what_a_formula_needs_stays(world: World, priced: dict[str, CustomField]) -> None:
    with pytest.raises(Refusal, match="字段“总价”的公式引用了此字段"):
        act(world, "remove_field", priced["area"])
    db.session.rollback()
    with pytest.raises(Invalid) as refused:
        update(resource("custom_fields"), priced["area"].id, {"guarded": True}, world.actor("boss"))
    assert "公式字段“总价”" in refused.value.errors["guarded"]
    db.session.rollback()
    act(world, "remove_field", priced["total"])
    act(world, "remove_field", priced["area"])
    with pytest.raises(Refusal, match="请先恢复那个字段"):
        act(world, "restore_field", priced["total"])


def test_a_formula_for_everybody_hangs_on_nothing_of_one_dealer(world: World, login: Login) -> None:
    add(world, "面积", "number", "admin")
    client = login("admin")
    typed = {
        "label": "双倍", "kind": "formula", "result": "number", "resource": "customers", "places": ["list"],
        "section": "更多信息", "position": "100", "formula": "[面积] × 2", "for_all": "1",
    }  # fmt: skip
    assert "没有可用于公式的字段“面积”" in client.post("/custom_fields/new", data=typed).get_data(
        as_text=True
    )


def test_a_value_stands_once_in_a_dealer(world: World, login: Login, run_outbox: Callable[..., None]) -> None:
    slot = add(world, "车牌", "text", once=True).slot
    file_with(world, "boss", **{slot: "浙A12345"})
    client = login("boss")
    typed = {"name": "王先生", "phone": "13711110000", slot: "浙A12345"}
    refused = client.post("/customers/new", data=typed)
    assert refused.status_code == 400 and "已有相同的内容" in refused.get_data(as_text=True)
    answer = client.post("/api/v1/customers/", json=typed)
    assert answer.status_code == 400 and "已有相同的内容" in answer.json["errors"][slot]
    typed[slot] = "浙A00001"
    assert client.post("/customers/new", data=typed).status_code == 302
    made = db.session.query(Customer).filter_by(name="王先生").one()
    edit = typed | {"version": str(made.version)}
    assert client.post(f"/customers/{made.id}/edit", data=edit).status_code == 302
    edit |= {"version": str(made.version), slot: "浙A12345"}
    assert client.post(f"/customers/{made.id}/edit", data=edit).status_code == 400
    importer = Importer(client, run_outbox)
    rows = [
        ["客户姓名", "手机号码", "车牌"], ["赵先生", "13711110005", "浙A12345"], ["钱先生", "13711110006", "浙A9"],
        ["孙先生", "13711110007", "浙A9"],
    ]  # fmt: skip
    said = str(importer.problems(importer.upload(rows)))
    assert "已有相同的内容" in said and "与本文件第 3 行重复" in said
    theirs = add(world, "车牌", "text", "boss_b", once=True)
    file_with(world, "outsider", **{theirs.slot: "浙A12345"})


def test_what_stands_twice_already_cannot_be_demanded_once(world: World) -> None:
    field = add(world, "车牌", "text")
    for _ in range(2):
        file_with(world, **{field.slot: "浙A12345"})
    with pytest.raises(Invalid) as refused:
        update(resource("custom_fields"), field.id, {"once": True}, world.actor("boss"))
    assert "已有1个值" in refused.value.errors["once"]


def test_a_condition_makes_a_field_read_only(world: World, login: Login) -> None:
    field = add(world, "昵称", "text", locked_when="customers:gender=female")
    client = login("boss")
    made = file_with(world, "boss", gender="male", **{field.slot: "老王"})
    edit = {
        "name": "王总",
        "phone": made.phone,
        "gender": "female",
        "version": str(made.version),
        field.slot: "甲",
    }
    assert client.post(f"/customers/{made.id}/edit", data=edit).status_code == 302
    assert f'name="{field.slot}"' not in client.get(f"/customers/{made.id}/edit").get_data(as_text=True)
    db.session.expire_all()
    made = db.session.get_one(Customer, made.id)
    edit |= {"version": str(made.version), field.slot: "乙"}
    assert client.post(f"/customers/{made.id}/edit", data=edit).status_code == 302
    db.session.expire_all()
    assert getattr(db.session.get_one(Customer, made.id), field.slot) == "甲"


def test_orders_take_fields_too(world: World, login: Login) -> None:
    from models.orders.tables import ServiceOrder

    field = add(world, "安装日期", "date", resource="service_orders")
    customer = file_with(world, "boss")
    order = ServiceOrder(dealer_id=world.a.id)
    assert faced(resource("service_orders"), world.a.id).added[0].name == field.slot
    assert hasattr(order, field.slot) and customer.id
    assert "安装日期" in login("boss").get("/service_orders/new").get_data(as_text=True)
    assert "安装日期" in login("boss").get("/service_orders/").get_data(as_text=True)


def test_of_two_at_once_one_gets_the_value(world: World, app: Any) -> None:
    """The second deed waits for the first one and then sees its value."""
    slot = add(world, "车牌", "text", once=True).slot
    actor, phones = world.actor("seller"), [world.next_phone() for _ in range(3)]
    db.session.commit()
    said: list[str] = []
    together = threading.Barrier(len(phones))

    def file(phone: str) -> None:
        with app.app_context():
            face = faced(resource("customers"), actor.dealer_id)
            together.wait()
            try:
                create(face, {"name": "甲", "phone": phone, slot: "浙A1"}, actor)
                said.append("filed")
            except Invalid as refused:
                said.append(refused.errors[slot])
            finally:
                db.session.remove()

    threads = [threading.Thread(target=file, args=(phone,)) for phone in phones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["filed", TAKEN, TAKEN]
    assert db.session.query(Customer).filter_by(**{slot: "浙A1"}).count() == 1


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def test_files_come_with_the_form_and_are_fetched_by_who_may_see_them(
    world: World, login: Login, run_outbox: Callable[..., None]
) -> None:
    image = add(world, "户型图", "image", required=True).slot
    paper = add(world, "合同", "file", guarded=True).slot
    client = login("boss")
    form = client.get("/customers/new").get_data(as_text=True)
    assert 'enctype="multipart/form-data"' in form and f'name="{image}__upload"' in form
    typed: dict[str, Any] = {"name": "王先生", "phone": "13711110000", image: "", paper: ""}
    refused = client.post("/customers/new", data=typed)
    assert refused.status_code == 400 and "请上传户型图" in refused.get_data(as_text=True)
    wrong = typed | {f"{image}__upload": (io.BytesIO(b"%PDF-1.7 x"), "a.pdf")}
    assert "请上传图片" in client.post("/customers/new", data=wrong).get_data(as_text=True)
    sent = typed | {
        "phone": "1", f"{image}__upload": (io.BytesIO(PNG), "三楼.png"),
        f"{paper}__upload": (io.BytesIO(b"%PDF-1.7 x"), "约.pdf"),
    }  # fmt: skip
    again = client.post("/customers/new", data=sent)
    text = again.get_data(as_text=True)
    assert again.status_code == 400 and "三楼.png" in text and "约.pdf" in text
    words = dict(re.findall(r'name="(file_\d)" value="([^"]+)"', text))
    stolen = login("seller").post(
        "/customers/new", data=typed | {"phone": "13711110001", image: words[image]}
    )
    assert stolen.status_code == 400 and "请在页面上传文件" in stolen.get_data(as_text=True)
    assert client.post("/customers/new", data=typed | words).status_code == 302
    made = db.session.query(Customer).filter_by(name="王先生").one()
    page = client.get(f"/customers/{made.id}").get_data(as_text=True)
    assert "三楼.png" in page and f'href="/customers/{made.id}/file/{image}"' in page
    answer = client.get(f"/customers/{made.id}/file/{image}")
    assert answer.data == PNG and "filename" in answer.headers["Content-Disposition"]
    assert login("seller").get(f"/customers/{made.id}/file/{image}").status_code == 404
    assert login("keeper").get(f"/customers/{made.id}/file/{image}").status_code == 200
    assert login("keeper").get(f"/customers/{made.id}/file/{paper}").status_code == 404
    assert login("outsider").get(f"/customers/{made.id}/file/{image}").status_code == 404
    assert "约.pdf" not in login("keeper").get(f"/customers/{made.id}").get_data(as_text=True)
    assert (
        "三楼.png" in listed(client, scope="dealer")
        and "2026-" not in str(getattr(made, image)).partition("|")[2]
    )
    result = client.get(f"/api/v1/customers/{made.id}").json["result"]
    assert (result[image], result[f"{image}_url"]) == ("三楼.png", f"/customers/{made.id}/file/{image}")
    assert sheet_of(client, "/customers/export")["户型图"] == "三楼.png"
    assert "三楼.png" in client.get(f"/customers/{made.id}/history").get_data(as_text=True)


def test_a_file_stays_until_it_is_taken_away(world: World, login: Login, app: Any) -> None:
    paper = add(world, "合同", "file").slot
    client = login("boss")
    sent = {"name": "王先生", "phone": "13711110000", f"{paper}__upload": (io.BytesIO(PNG), "约.png")}
    assert client.post("/customers/new", data=sent).status_code == 302
    made = db.session.query(Customer).filter_by(name="王先生").one()
    stored = getattr(made, paper)
    kept = {"name": "王总", "phone": made.phone, "version": str(made.version), paper: "="}
    assert f'name="{paper}" value="="' in client.get(f"/customers/{made.id}/edit").get_data(as_text=True)
    assert client.post(f"/customers/{made.id}/edit", data=kept).status_code == 302
    db.session.expire_all()
    assert getattr(db.session.get_one(Customer, made.id), paper) == stored
    delivery = Delivery(
        1,
        attached.ABANDONED,
        {"file": stored, "resource": "customers", "field": paper},
        1,
        utcnow(),
        db.session(),
    )
    attached.remove_abandoned(delivery)
    assert files.path(attached.name_of(stored)).exists(), "a record holds it"
    gone = kept | {"version": str(db.session.get_one(Customer, made.id).version), f"{paper}__drop": "1"}
    assert client.post(f"/customers/{made.id}/edit", data=gone).status_code == 302
    db.session.expire_all()
    assert getattr(db.session.get_one(Customer, made.id), paper) is None
    attached.remove_abandoned(delivery)
    assert not files.path(attached.name_of(stored)).exists()
