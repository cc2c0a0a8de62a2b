"""Templates: written by administrators, printed and sent by staff, each value as far as that person may read it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from app.engine import templating
from app.engine.audit import AuditEntry, acting
from app.engine.choices import dictionary
from app.engine.configured import difference, files
from app.engine.database import db
from app.engine.guards import CUSTOMER_PHONE
from app.engine.perform import create
from app.engine.resource import resource
from models.customers.track import TrackAct, TrackEvent
from models.follow_ups import gateways
from models.follow_ups.tables import Channel, SmsMessage
from models.identity import presets, role_rules
from models.shaping import template_presets
from models.shaping.template_tables import TEMPLATED, Template, TemplateKind
from tests.customers.world import World, grant, words
from tests.plugins.databases import statements
from tests.shaping.test_configuration_undo import mark, unwind
from tests.shaping.test_custom_fields import add, file_with

PRINT, SMS = TemplateKind.PRINT, TemplateKind.SMS
SECRET = "13912345678"
OWN = select(Template).where(Template.dealer_id.is_not(None))


def template(world: World, body: str, by: str = "boss", **more: Any) -> Template:
    """A template as that person makes it."""
    values = {"kind": PRINT, "resource": "customers", "name": "资料单", "body": body, "active": True, **more}
    made, _ = create(resource("text_templates"), values, world.actor(by))
    return made


def drop(world: World, role: str, *permissions: tuple[str, str]) -> None:
    """Take permissions from a preset role."""
    session = db.session()
    with acting(session):
        target = presets.preset_role(session, world.a.id, role)
        old = role_rules.rights_of(session, target.id)
        role_rules.give(session, target, role_rules.Rights(old.grants - set(permissions), old.scopes))
        session.commit()


def paper(client: Any, url: str, **data: Any) -> str:
    """What stands on the sheet."""
    text = client.get(url).get_data(as_text=True)
    found = re.search(r'<article class="paper".*?</article>', text, re.S)
    assert found is not None, text
    return words(found.group())


def test_a_sheet_holds_fields_references_and_tables(world: World, login: Any) -> None:
    customer = world.customer(phone=SECRET, name="张女士", address="1号楼|# 不是标题\n{{今天}}")
    order = world.order(customer)
    world.receive(customer, "1200.50", service_order_id=order.id)
    made = template(
        world,
        "## 客户\n姓名：{{客户姓名}} | 电话：{{手机号码}}\n{{详细地址}}\n导购{{导购.姓名}}在{{所属组织（门店）}}\n"
        "{{服务单：服务单号、服务单状态}}\n{{收款：收款日期、金额}}",
        head="# {{操作人商场}}", foot="打印人{{操作人}}",
    )  # fmt: skip
    client = login("seller")
    page = client.get(f"/customers/{customer.id}").get_data(as_text=True)
    assert f'href="/print/customers/{customer.id}"' in page
    text = client.get(f"/print/customers/{customer.id}").get_data(as_text=True)
    assert '<h2 class="t1">甲商场</h2>' in text and '<h3 class="t2">客户</h3>' in text
    assert "1号楼|# 不是标题" in text and "{{今天}}" in text, "a value is no template"
    sheet = paper(client, f"/print/customers/{customer.id}?template={made.id}")
    assert f"姓名：张女士电话：{SECRET}" in sheet and "在甲商场1店" in sheet
    assert order.code in sheet and "进行中" in sheet and "¥1,200.50" in sheet and "打印人导购甲" in sheet


@pytest.mark.sqlite_only
def test_a_value_is_never_markup(world: World, login: Any) -> None:
    customer = world.customer(name="<b>张</b>&{{x}}")
    template(world, "{{客户姓名}}<i>{{备注}}</i>", name="<script>")
    text = login("seller").get(f"/print/customers/{customer.id}").get_data(as_text=True)
    assert "&lt;b&gt;张&lt;/b&gt;&amp;{{x}}&lt;i&gt;" in text and "<script>" not in text.replace(
        "<script src", ""
    )


def test_each_prints_what_he_or_she_may_read(world: World, login: Any) -> None:
    customer = world.customer(phone=SECRET)
    world.order(customer)
    template(
        world, "{{手机号码}} 店{{所属组织（门店）.门店名称}}人{{导购.姓名}}\n{{服务单：服务单号、客户手机}}"
    )
    url = f"/print/customers/{customer.id}"
    whole = paper(login("seller"), url)
    assert whole.count(SECRET) == 2
    assert "店＊＊＊人＊＊＊" in whole, "the pages of stores and people are not for consultants"
    assert "甲商场1店人导购甲" in paper(login("boss"), url)
    grant(world, "consultant", CUSTOMER_PHONE.permission)
    client = login("seller")
    masked = paper(client, url)
    assert SECRET not in masked and masked.count("139****5678") == 2
    page = words(client.get(url).get_data(as_text=True))
    assert "“手机号码”按您的权限显示为掩码（客户电话显示加密）" in page and "您无权查看“导购”的资料" in page
    assert SECRET not in page
    drop(world, "consultant", ("can_list", "ServiceOrders"))
    page = client.get(url).get_data(as_text=True)
    assert "您无权查看“服务单”，表格未打印" in page


def everything(name: str, dealer_id: int | None) -> str:
    """A template that names all there is to name, in its own line each."""
    book = templating.book(resource(name), dealer_id)
    tables = (f"{{{{{table}：{'、'.join(rows.columns)}}}}}" for table, rows in book.tables.items())
    return "\n".join([*(f"{{{{{token}}}}}" for token in (*templating.COMMON, *book.places)), *tables])


@pytest.mark.sqlite_only
def test_everything_that_is_offered_can_be_named(world: World) -> None:
    add(world, "宽：高|{深}", "text")
    for entry in dictionary(TEMPLATED, world.a.id):
        book = templating.book(resource(entry.value), world.a.id)
        assert templating.wrong(everything(entry.value, world.a.id), book, sheet=True) == [], entry.label
        for token, place in book.places.items():
            assert book.find(token) is place


def test_a_template_of_everything_leaks_nothing(world: World, login: Any) -> None:
    customer = world.customer(phone=SECRET)
    order = world.order(customer)
    made = world.make("factory_orders", "boss", service_order_id=order.id)
    with acting(db.session()):
        made.settlement_price = Decimal("98765.43")
        db.session.commit()
    records = {"customers": customer.id, "service_orders": order.id, "factory_orders": made.id}
    for name in records:
        template(world, everything(name, world.a.id), resource=name)
    grant(world, "manager", CUSTOMER_PHONE.permission)
    client = login("keeper")
    for name, pk in records.items():
        text = client.get(f"/print/{name}/{pk}").get_data(as_text=True)
        assert 'class="paper"' in text and "甲商场" in text
        assert not re.search("91234|12345|23456|34567|45678", text), name
        assert "98765" not in text and "98,765" not in text, name


@pytest.mark.sqlite_only
def test_who_may_not_print_or_see_prints_nothing(world: World, login: Any) -> None:
    customer = world.customer()
    made = template(world, "{{客户姓名}}")
    url = f"/print/customers/{customer.id}"
    assert login("seller2").get(url).status_code == 404, "another's customer"
    assert login("outsider").get(url).status_code == 404
    assert login("seller").get(f"/print/tags/{customer.id}").status_code == 404
    assert login("seller").get(f"{url}?template={made.id + 99}").status_code == 404
    drop(world, "consultant", ("can_print", "Templates"))
    assert login("seller").get(url).status_code == 403
    assert login("seller").post(url).status_code == 403
    assert url not in login("seller").get(f"/customers/{customer.id}").get_data(as_text=True)


def test_printing_is_kept_and_looking_is_not(world: World, login: Any) -> None:
    customer = world.customer()
    order = world.order(customer)
    made = template(world, "{{客户姓名}}")
    of_order = template(world, "{{服务单号}}", name="服务单据", resource="service_orders")
    version = customer.version
    client = login("seller")
    prints = select(AuditEntry.action_label).where(AuditEntry.action_label.like("打印%"))
    client.get(f"/print/customers/{customer.id}")
    assert not db.session.scalars(prints).all()
    answer = client.post(f"/print/customers/{customer.id}", data={"template": made.id})
    assert answer.status_code == 200 and "data-printed" in answer.get_data(as_text=True)
    client.post(f"/print/service_orders/{order.id}", data={"template": of_order.id})
    assert db.session.scalars(prints.order_by(AuditEntry.id)).all() == ["打印“资料单”", "打印“服务单据”"]
    kept = select(TrackEvent.text).where(TrackEvent.act == TrackAct.PRINTED).order_by(TrackEvent.id)
    assert db.session.scalars(kept).all() == ["资料单", "服务单 服务单据"]
    db.session.refresh(customer)
    assert customer.version == version, "nobody's open form goes stale"
    page = words(client.get(f"/customers/{customer.id}").get_data(as_text=True))
    assert "打印单据" in page


# ----- writing one


@pytest.mark.sqlite_only
def test_wrong_names_are_said_beside_their_field(world: World, login: Any) -> None:
    data = {"kind": "print", "resource": "customers", "name": "新", "head": "{{操作人", "body": "好\n{{客户名}}",
            "sort": "10", "active": "1"}  # fmt: skip
    boss = login("boss")
    answer = boss.post("/text_templates/new", data=data)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400 and not db.session.scalars(OWN).all()
    assert "第2行：没有“客户名”，可以用：客户姓名" in page and "“{{”没有成对" in page
    assert "{{客户名}}</textarea>" in page, "nothing typed is lost"
    wrong = {**data, "head": "", "body": "{{客户姓名}}", "kind": "sms", "resource": "service_orders"}
    assert "短信模板只能用于客户" in boss.post("/text_templates/new", data=wrong).get_data(as_text=True)
    wrong = {**data, "head": "", "body": "汉" * 501, "kind": "sms"}
    assert "不能超过500个字，现有501个字" in boss.post("/text_templates/new", data=wrong).get_data(
        as_text=True
    )
    wrong = {**data, "head": "", "body": "{{服务单：金额}}"}
    assert "没有“服务单”的列“金额”" in boss.post("/text_templates/new", data=wrong).get_data(as_text=True)
    data |= {"head": "", "body": "{{客户姓名}}"}
    assert boss.post("/text_templates/new", data=data).status_code == 302
    assert "已存在" in boss.post("/text_templates/new", data=data).get_data(as_text=True)


def test_a_field_that_was_added_can_be_named(world: World, login: Any) -> None:
    field = add(world, "装修阶段", "text")
    customer = file_with(world, **{field.slot: "硬装"})
    template(world, "阶段：{{装修阶段}}")
    assert paper(login("seller"), f"/print/customers/{customer.id}") == "阶段：硬装"


@pytest.mark.sqlite_only
def test_a_field_that_is_gone_prints_nothing_and_is_said(world: World, login: Any) -> None:
    customer = world.customer()
    made = template(world, "甲{{客户姓名}}乙")
    with acting(db.session()):
        made.body = "甲{{早就没有}}乙\n{{旧表：列}}"
        db.session.commit()
    client = login("seller")
    assert paper(client, f"/print/customers/{customer.id}") == "甲乙"
    page = client.get(f"/print/customers/{customer.id}").get_data(as_text=True)
    assert "“早就没有”已不存在" in page and "表格“旧表”已不存在" in page


@pytest.mark.sqlite_only
def test_the_form_shows_what_may_be_named_and_how_it_looks(world: World, login: Any) -> None:
    customer = world.customer(name="张女士", phone=SECRET)
    boss = login("boss")
    page = boss.get("/text_templates/new/placeholders?resource=customers").get_data(as_text=True)
    assert "{{客户姓名}}" in page and "{{导购.姓名}}" in page and "{{服务单：" in page
    part = boss.get("/text_templates/new/placeholders", headers={"X-Zk-Part": "1"}).get_data(as_text=True)
    assert 'data-mark="{{客户姓名}}"' in part and "<html" not in part
    data = {"kind": "sms", "resource": "customers", "body": "{{客户姓名}}，" + "好" * 70}
    look = boss.post("/text_templates/new/preview", data=data).get_data(as_text=True)
    assert "张女士，好好" in look and "74字，按2条短信计费" in look
    data |= {"kind": "print", "body": "{{客户}}", "_record": customer.id}
    assert "第1行：没有“客户”" in boss.post("/text_templates/new/preview", data=data).get_data(as_text=True)
    assert login("seller").post("/text_templates/new/preview", data=data).status_code == 403
    made = template(world, "旧")
    url = f"/text_templates/{made.id}/edit/preview"
    assert "新张女士" in boss.post(url, data={"body": "新{{客户姓名}}"}).get_data(as_text=True)
    assert "正文还是空的" in boss.post(url, data={"body": ""}).get_data(as_text=True)
    only_looked_at = boss.post(url, data={}).get_data(as_text=True)
    assert "正文还是空的" not in only_looked_at and "张女士" in only_looked_at
    assert boss.get("/text_templates/new/placeholders?resource=tags").status_code == 404


# ----- whose they are


def test_a_dealer_replaces_a_preset_and_cannot_change_it(world: World, login: Any, boss_b: None) -> None:
    customer = world.customer()
    session = db.session()
    with acting(session):
        template_presets.install(session)
        session.commit()
    assert len(session.scalars(select(Template)).all()) == len(template_presets.PRESETS)
    preset = session.scalars(select(Template).where(Template.name == "客户资料单")).one()
    url = f"/print/customers/{customer.id}"
    assert "基本信息" in paper(login("seller"), url)
    boss = login("boss")
    data = {"name": "客户资料单", "body": "我的", "sort": "1", "active": "1", "version": preset.version}
    answer = boss.post(f"/text_templates/{preset.id}/edit", data=data)
    assert "集团预置模板只能由集团修改" in answer.get_data(as_text=True)
    assert f'href="/text_templates/new?copy={preset.id}"' in boss.get(
        f"/text_templates/{preset.id}"
    ).get_data(as_text=True)
    copied = boss.get(f"/text_templates/new?copy={preset.id}").get_data(as_text=True)
    assert "## 基本信息" in copied and 'value="客户资料单"' in copied
    mine = template(world, "本商场的", name="客户资料单")
    assert paper(login("seller"), url) == "本商场的"
    assert login("boss_b").get(f"/text_templates/{mine.id}").status_code == 404
    boss.post(f"/text_templates/{mine.id}/edit", data={**data, "active": "", "version": mine.version})
    assert login("seller").get(url).status_code == 404, "switched off with the preset of its name"
    boss.post(f"/text_templates/{mine.id}/delete")
    assert "基本信息" in paper(login("seller"), url)


@pytest.mark.sqlite_only
def test_a_file_carries_templates(world: World) -> None:
    template(world, "{{客户姓名}}", foot="谢谢")
    actor, session = world.actor("boss"), db.session()
    text = difference.export(session, actor, world.a.id)
    assert '"foot": "谢谢"' in text
    found = difference.plan(session, files.read(text.replace("谢谢", "再见"), actor), actor, world.a.id)
    difference.carry_out(session, found, actor, dry=False)
    assert session.scalars(OWN).one().foot == "再见"
    broken = files.read(text.replace("{{客户姓名}}", "{{没有}}"), actor)
    with pytest.raises(Exception, match="没有“没有”"):
        difference.carry_out(session, difference.plan(session, broken, actor, world.a.id), actor, dry=False)


def test_changes_are_taken_back_whole(world: World) -> None:
    start, boss = mark(), world.actor("boss")
    long = "{{客户姓名}}" + "好\n" * 900
    made = template(world, long, foot="谢谢")
    world.change(made, "boss", body="短", foot=None)
    changed = mark()
    world.change(made, "boss", name="改名")
    assert unwind(boss, changed) == 1 and unwind(boss, start) >= 1
    assert db.session.scalars(OWN).all() == []
    made = template(world, long, foot="谢谢")
    changed = mark()
    world.change(made, "boss", body="短", foot=None)
    unwind(boss, changed)
    db.session.refresh(made)
    assert (made.body, made.foot, made.name) == (long, "谢谢", "资料单")


@pytest.mark.sqlite_only
def test_a_page_asks_nothing_about_templates(world: World, login: Any) -> None:
    customer = world.customer()
    template(world, "{{客户姓名}}")
    client = login("seller")
    client.get(f"/customers/{customer.id}")
    seen = statements(db.engine)
    assert "/print/customers/" in client.get(f"/customers/{customer.id}").get_data(as_text=True)
    client.get(f"/customers/action/send_sms?id={customer.id}")
    assert seen and not [s for s in seen if "text_templates" in s]


# ----- sending


def test_a_message_is_written_for_each_customer_as_its_sender_reads_him(world: World, login: Any) -> None:
    first, second = world.customer(name="张女士", phone=SECRET), world.customer(name="李先生")
    template(world, "{{客户姓名}}您好，{{操作人}}，{{手机号码}}", kind=SMS, name="问候")
    grant(world, "consultant", CUSTOMER_PHONE.permission)
    client = login("seller")
    form = client.get(f"/customers/action/send_sms?id={first.id}").get_data(as_text=True)
    assert ">问候</option>" in form
    data = {"id": [first.id, second.id], "template": "问候", "text": ""}
    client.post("/customers/action/send_sms", data=data)
    sent = select(SmsMessage).where(SmsMessage.channel == Channel.SMS).order_by(SmsMessage.customer_id)
    found = db.session.scalars(sent).all()
    assert [m.text for m in found] == [
        "张女士您好，导购甲，139****5678", f"李先生您好，导购甲，{second.phone[:3]}****{second.phone[-4:]}",
    ]  # fmt: skip
    assert found[0].phone == SECRET, "it goes to the whole number all the same"
    both = client.post("/customers/action/send_sms", data={**data, "id": first.id, "text": "您好"})
    assert both.status_code == 400 and "已选择短信模板，请清空此处" in both.get_data(as_text=True)
    none = client.post("/customers/action/send_sms", data={**data, "id": first.id, "template": "没有"})
    assert none.status_code == 400
    assert len(db.session.scalars(sent).all()) == 2


@pytest.mark.sqlite_only
def test_where_no_service_stands_behind_a_channel_it_is_said(world: World, login: Any) -> None:
    customer = world.customer()
    said, boss = "未接入短信服务：内容只记录在短信发件箱", login("boss")
    data = {"id": customer.id, "text": "新店开业"}
    answer = boss.post("/customers/action/send_sms", data=data, follow_redirects=True)
    assert said in answer.get_data(as_text=True)
    assert said in boss.get("/sms_messages/").get_data(as_text=True)
    gateways.use(Channel.SMS, gateways.OutboxPage())
    try:
        answer = boss.post("/customers/action/send_sms", data=data, follow_redirects=True)
        assert said not in answer.get_data(as_text=True)
        assert said not in boss.get("/sms_messages/").get_data(as_text=True)
    finally:
        gateways.use(Channel.SMS, None)


@pytest.mark.sqlite_only
def test_the_page_of_a_template_keeps_its_lines(world: World, login: Any) -> None:
    made = template(world, "一\n二")
    page = login("boss").get(f"/text_templates/{made.id}").get_data(as_text=True)
    assert '<span class="lines">一\n二</span>' in page
