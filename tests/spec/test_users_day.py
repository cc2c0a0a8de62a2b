"""The users' day: what each of them does from the login on, page by page."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.engine.audit import AuditEntry, Source
from app.engine.database import db, utcnow
from models.customers.duplicates import GO_ON, INSIST
from models.customers.load import load_file
from models.customers.tables import Contact, Customer
from tests.customers.world import PASSWORD, PHONE, World
from tests.identity.editor import MASK, PRICE, TAGS, edit, role
from tests.plugins.people import Login
from tests.spec.reading import button, footer, link, links, page, rows, text
from tests.spec.test_a_follow_up import score, track


@pytest.mark.spec("A-01", "A-02", "A-05", "A-08", "A-15", "A-18", "A-20", "A-26", "A-28", "A-46", "A-64")
def test_the_consultants_day(world: World, login: Login, client: FlaskClient) -> None:
    edit(login("boss"), role(world.a.id, "consultant"), add=[TAGS])
    tag = world.tag("老客户推荐")
    known = world.customer(name="老主顾", phone=PHONE)
    world.customer(name="旧客", now=utcnow() - timedelta(days=200))
    client.post("/login", data={"username": "seller", "password": PASSWORD})
    mine = page(client, "/customers/")
    assert "我的客户" in links(mine, "数据范围") and "近 180 天" in mine and len(rows(mine)) == 1
    assert "老主顾" in rows(page(client, f"/customers/?q={PHONE}"))[0]
    assert client.get(f"/search?q={PHONE}").location == f"/customers/{known.id}"

    warned = client.get(f"/customers/check/phone?value={PHONE}").get_json()
    assert warned["message"] == "此电话号码已建档，请选择建档标签" and "老主顾" in warned["html"]
    answers = [f"{GO_ON}:{PHONE}", f"{INSIST}:{PHONE}"]
    filed = client.post("/customers/new", data={"name": "新需求", "phone": PHONE, "_answer": answers})
    assert filed.status_code == 302 and len(rows(page(client, f"/customers/?q={PHONE}"))) == 2

    client.post("/customers/new", data={"name": "没留电话"}, follow_redirects=True)
    (lead_row,) = rows(page(client, "/contacts/"))
    lead = db.session.scalars(select(Contact)).one()
    assert "没留电话" in lead_row
    client.post("/contacts/action/tag", data={"id": lead.id, "tags": tag.id, "mode": "add"})
    assert "老客户推荐" in rows(page(client, "/contacts/"))[0]
    client.post("/contacts/action/write_follow_up", data={"id": lead.id, "text": "下周来店"})
    worth = score(page(client, f"/contacts/{lead.id}"))
    before = score(page(client, f"/customers/{known.id}"))
    client.post("/contacts/action/link_contact", data={"id": lead.id, "customer": known.id})
    assert rows(page(client, "/contacts/")) == []
    detail = page(client, f"/customers/{known.id}")
    assert "没留电话" in detail and "下周来店" in track(detail)[0] and score(detail) == before + worth
    client.post("/customers/action/unlink_contacts", data={"id": known.id})
    assert len(rows(page(client, "/contacts/"))) == 1
    assert score(page(client, f"/customers/{known.id}")) == before

    client.post("/customers/action/call", data={"id": known.id, "text": "约周末看样"})
    after = page(client, f"/customers/{known.id}")
    assert "约周末看样" in track(after)[0] and score(after) > before


@pytest.mark.spec("A-68", "A-70")
def test_the_designers_day(world: World, login: Login) -> None:
    drawer = world.people["drawer"].id
    given = world.customer("seller", name="交给设计师", designer_id=drawer)
    others = world.customer("seller", name="没给设计师")
    far = world.customer("seller2", name="二店的", store_id=world.stores[1].id)
    client = login("drawer")
    tabs = links(page(client, "/customers/"), "数据范围")
    assert list(tabs) == ["我的客户", "我关联的客户"]
    assert rows(page(client, "/customers/")) == rows(page(client, tabs["我关联的客户"]))
    (row,) = rows(page(client, tabs["我关联的客户"]))
    assert given.code in row and "交给设计师" in row
    assert rows(page(client, tabs["我的客户"])) == []
    assert "交给设计师" in page(client, f"/customers/{given.id}")
    for hidden in (others, far):
        assert "无权限查看" in page(client, f"/customers/{hidden.id}", 404)
        assert rows(page(client, f"/customers/?q={hidden.phone}")) == []
        assert client.get(f"/search?q={hidden.phone}").status_code == 200


def everywhere(client: Any, customer: Customer, order: Any) -> str:
    """All a person gets to see of a customer and its order, as pages and as answers."""
    places = [f"/{n}{end}" for n in ("customers", "factory_orders") for end in ("/", "/charts")]
    places += [
        f"/customers/{customer.id}",
        f"/customers/{customer.id}/panel",
        f"/customers/{customer.id}/edit",
    ]
    places += [
        f"/customers/{customer.id}/history",
        f"/factory_orders/{order.id}",
        f"/factory_orders/{order.id}/history",
    ]
    places += ["/api/v1/customers", f"/api/v1/customers/{customer.id}", f"/api/v1/factory_orders/{order.id}"]
    pressed = client.post(
        "/factory_orders/action/view_settlement_price", data={"id": order.id}, follow_redirects=True
    )
    return "".join(client.get(p).get_data(as_text=True) for p in places) + pressed.get_data(as_text=True)


@pytest.mark.spec("A-22", "A-87", "A-88", "A-89", "A-90", "A-92")
def test_the_administrators_day(world: World, login: Login) -> None:
    customer = world.customer(phone=PHONE, designer_id=world.people["drawer"].id)
    order = world.make("factory_orders", service_order_id=world.order(customer).id)
    world.act("set_settlement_price", order, by="boss", price=Decimal("4321.00"))
    world.tag("衣柜")
    lead = world.contact()
    admin, consultant, manager = login("boss"), login("seller"), login("keeper")
    assert "aria-disabled" in button(page(consultant, f"/contacts/{lead.id}"), "打标签")
    edit(admin, role(world.a.id, "consultant"), add=[TAGS])
    assert "aria-disabled" not in button(page(consultant, f"/contacts/{lead.id}"), "打标签")

    assert PHONE in everywhere(consultant, customer, order)
    edit(admin, role(world.a.id, "consultant"), add=[MASK])
    seen = everywhere(consultant, customer, order)
    assert PHONE not in seen and "138****0001" in seen
    assert PHONE in everywhere(manager, customer, order)

    assert not re.search("4,?321", everywhere(manager, customer, order))
    edit(admin, role(world.a.id, "manager"), add=[PRICE])
    assert "4,321.00" in everywhere(manager, customer, order)
    assert not re.search("4,?321", everywhere(consultant, customer, order))

    edit(admin, role(world.a.id, "consultant"), take=[MASK])
    assert PHONE in everywhere(consultant, customer, order)


@pytest.mark.spec("A-01", "A-02", "A-09", "A-64")
def test_the_stores_own_file_goes_in_and_is_worked_with(world: World, login: Login, tmp_path: Path) -> None:
    consultants = [world.people[p].name for p in ("seller", "seller2")]
    drawer = world.people["drawer"].id
    lines = ["客户姓名,手机号码,导购,意向级别,客户来源,城市,小区"]
    for n in range(200):
        phone = "1380000" if n == 40 else f"139{n % 199:08d}"
        lines.append(f"客户{n:03},{phone},{consultants[n % 2]},{'ABC'[n % 3]},自然到店,杭州市,翠园{n % 5}期")
    path = tmp_path / "own.csv"
    path.write_text("\n".join(lines), encoding="gb18030")
    report = load_file(path, world.actor("boss"))
    assert (report.total, report.created) == (200, 198)
    assert {line.number: line.reason for line in report.refused} == {
        42: "手机号码“1380000”：请输入正确的手机号码",
        201: "手机号码 13900000000 与本文件第 2 行重复",
    }
    assert set(db.session.scalars(select(AuditEntry.source).where(AuditEntry.action == "load"))) >= {
        Source.LOAD
    }
    assert set(db.session.execute(select(Customer.source_category, Customer.province))) == {
        ("到店", "浙江省")
    }

    admin, tag = login("boss"), world.tag("老客档案")
    assert footer(page(admin, "/customers/")) == "198条记录 1/10 页"
    assert "客户123" in rows(page(admin, "/customers/?q=13900000123"))[0]
    assert "客户077" in rows(page(admin, "/customers/?q=户077"))[0]
    amount = int(footer(page(admin, "/customers/?level=A")).partition("条")[0])
    chosen = re.findall(r'name="id" value="(\d+)"', page(admin, "/customers/action/tag?all=1&level=A"))
    assert len(chosen) == amount
    admin.post("/customers/action/tag", data={"id": chosen, "tags": tag.id, "mode": "add"})
    assert footer(page(admin, f"/customers/?tags={tag.id}")) == f"{amount}条记录 1/{-(-amount // 20)} 页"
    admin.post("/customers/action/reassign", data={"id": chosen, "owner": drawer})
    assert footer(page(login("drawer"), "/customers/?scope=related")).startswith(f"{amount}条记录")
    one = db.session.scalars(select(Customer).where(Customer.name == "客户000")).one()
    admin.post("/customers/action/write_follow_up", data={"id": one.id, "text": "老客回访"})
    assert "老客回访" in track(page(admin, f"/customers/{one.id}"))[0]
    sources = bars(page(admin, "/customers/charts"), "source")
    assert [(label, n) for label, n, _ in sources] == [("自然到店", 198)]


def bars(shown: str, chart: str) -> list[tuple[str, int, str]]:
    """Words, numbers and addresses of a chart's bars."""
    card = re.search(rf'id="chart-{chart}">.*?</section>', shown, re.S)
    assert card, chart
    found = []
    for row in re.findall(r"<tr[^>]*><td.*?</tr>", card[0], re.S):
        name, amount = (re.search(rf"<td[^>]*{mark}.*?</td>", row, re.S) for mark in ("data-name", "data-v"))
        assert name and amount
        address = re.search(r'href="([^"]*)"', amount[0])
        number = int(text(amount[0]).replace(",", ""))
        found.append((text(name[0]), number, html.unescape(address[1]) if address else ""))
    return found


@pytest.mark.spec("A-64", "A-70")
def test_the_managers_day(world: World, login: Login) -> None:
    for n, source in enumerate(("自然到店", "自然到店", "短视频平台", "老客户推荐", None)):
        world.customer(("seller", "seller2")[n % 2], name=f"{source}{n}", source=source, level="AB"[n % 2])
    world.customer(name="太旧", source="自然到店", now=utcnow() - timedelta(days=200))
    world.customer("outsider", name="外商场", source="自然到店")
    client = login("keeper")
    charts = page(client, link(page(client, "/customers/?scope=dealer"), "图表"))
    opened = 0
    for chart in ("source", "stage", "level", "owner"):
        for label, number, address in bars(charts, chart):
            if not address:
                continue
            listed = page(client, address)
            assert footer(listed).startswith(f"{number}条记录"), (chart, label)
            assert len(rows(listed)) == number
            assert "太旧" not in listed and "外商场" not in listed
            opened += 1
    assert opened >= 8
    found = {label: n for label, n, _ in bars(charts, "source")}
    assert found["自然到店"] == 2 and sum(found.values()) == 5
    (address,) = (a for label, _, a in bars(charts, "source") if label == "自然到店")
    assert all("自然到店" in r for r in rows(page(client, address)))
    numbers = re.findall(r'<a class="card0 kpi" href="([^"]*)"><span>客户数</span><b>(.*?)</b>', charts)
    assert numbers and footer(page(client, numbers[0][0].replace("&amp;", "&"))).startswith("5条记录")
    assert login("seller").get("/customers/charts").status_code == 403
