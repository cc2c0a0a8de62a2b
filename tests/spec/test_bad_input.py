"""Bad input at the form of customers: each gets its clear answer in Chinese, nothing typed is lost, nothing
half-written stays. The same for every form, field and address stands in ``tests/generic``."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.engine import forms
from app.engine.audit import AuditEntry
from app.engine.database import db
from app.engine.fields import FieldSpec, describe
from app.engine.resource import Asked, Resource, resources
from models.customers.tables import Contact, Customer, CustomerPhone
from tests.customers.world import PASSWORD, PHONE, World
from tests.plugins.people import Login
from tests.spec.reading import at_once, footer, page, rows, said, typed

FORM = {
    "name": "张女士",
    "phone": PHONE,
    "community": "翠园小区",
    "address": "一号路9号",
    "remark": "下月\n交房",
}
ORIGIN = {"Origin": "http://localhost"}


def written() -> list[int]:
    """How much stands in the tables a filing writes to."""
    db.session.rollback()
    tables = (Customer, Contact, CustomerPhone, AuditEntry)
    return [db.session.scalar(select(func.count()).select_from(t)) or 0 for t in tables]


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"phone": "1380000"}, "phone", "请输入正确的手机号码"),
        ({"phone": "１３８０"}, "phone", "请输入正确的手机号码"),
        ({"phones": ["13700000007", "12"]}, "phones", "请输入正确的手机号码"),
        ({"name": ""}, "name", "客户姓名"),
        ({"name": "长" * 65}, "name", "不能超过64个字，现有65个字"),
        ({"remark": "长" * 5001}, "remark", "不能超过5000个字，现有5001个字"),
        ({"level": "Z"}, "level", "请从列表中选择"),
        ({"city": "没有这个市"}, "city", "请从列表中选择"),
        ({"designer_id": "987654321"}, "designer_id", "请从列表中选择"),
        ({"store_id": "9" * 30}, "store_id", "请从列表中选择"),
        ({"contact": "abc"}, "contact", "请从列表中选择"),
    ],
)
def test_a_wrong_field_is_named_and_the_rest_is_kept(
    world: World, login: Login, wrong: dict[str, Any], field: str, words: str
) -> None:
    client, before = login("seller"), written()
    answer = client.post("/customers/new", data={**FORM, **wrong})
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert words in said(shown, field)
    assert [typed(shown, n) for n in FORM if n not in wrong] == [FORM[n] for n in FORM if n not in wrong]
    assert written() == before


@pytest.mark.parametrize("way", ["form", "api"])
def test_ids_of_another_dealer_are_not_there(world: World, login: Login, way: str) -> None:
    client, theirs = login("seller"), world.people["outsider"].id
    foreign = world.customer("outsider", name="外商场客户")
    lead = world.contact("outsider", name="外商场潜客")
    before = written()
    given = {"designer_id": theirs, "store_id": world.stores[2].id, "helpers": theirs, "contact": lead.id}
    for field, value in given.items():
        if way == "form":
            answer = client.post("/customers/new", data={**FORM, field: value})
            assert said(answer.get_data(as_text=True), field) == "请从列表中选择"
        else:
            sent = [value] if field == "helpers" else value
            answer = client.post("/api/v1/customers", json={**FORM, field: sent})
            assert answer.get_json()["errors"] == {field: "请从列表中选择"}
        assert answer.status_code == 400
    assert written() == before
    for address in (f"/customers/{foreign.id}", f"/customers/action/call?id={foreign.id}"):
        assert "无权限查看" in page(client, address, 404)
    assert client.post("/customers/action/call", data={"id": foreign.id}).status_code == 404
    for picker in ("/customers/pick/designer_id?q=导购丙", "/customers/pick/store_id?q=乙商场"):
        assert client.get(picker).get_json() == {"results": []}
    found = client.get("/contacts/action/link_contact/pick/customer?q=外商场").get_json()
    assert found == {"results": []}


@pytest.mark.parametrize(
    ("name", "phone"),
    [
        ("李👨‍👩‍👧家🏠", "１３８ ００００ ０００１"),
        ("<script>alert(1)</script>", "+86 138-0000-0001"),
        ("'; DROP TABLE customers; --", " 13800000001"),
        ("𠮷田《特》“户”", "13800000001"),
    ],
)
def test_odd_but_good_input_is_stored_as_typed_and_shown_as_text(
    world: World, login: Login, name: str, phone: str
) -> None:
    client = login("seller")
    assert client.post("/customers/new", data={**FORM, "name": name, "phone": phone}).status_code == 302
    customer = db.session.scalars(select(Customer)).one()
    assert (customer.name, customer.phone) == (name, PHONE)
    for address in ("/customers/", f"/customers/{customer.id}", f"/customers/{customer.id}/edit", "/"):
        shown = page(client, address)
        assert "<script>alert" not in shown
    assert name in rows(page(client, "/customers/"))[0]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sort=password", "没有“password”这个排序，已按创建时间排列"),
        ("sort=-id;drop", "没有“id;drop”这个排序，已按创建时间排列"),
        ("sort=-<b>x", "没有“&lt;b&gt;x”这个排序"),
        ("page=2", "页码超出范围，已显示第1页"),
        ("page=99999", "页码超出范围，已显示第1页"),
        ("page=-1", "“-1”不是有效的页码，已显示第1页"),
        ("page=abc", "“abc”不是有效的页码，已显示第1页"),
        ("per_page=100000", "每页可显示20、50、100条，已按每页20条显示"),
        ("scope=group", "没有“group”这个数据范围，或您无权查看，已显示我的客户"),
        ("view=nope", "没有“nope”这个视图，已显示全部"),
        ("after=!!!", "翻页位置无效，已从头显示"),
    ],
)
def test_nonsense_in_the_address_is_named_and_the_list_shown(
    world: World, login: Login, query: str, said: str
) -> None:
    world.customer()
    client = login("seller")
    shown = page(client, f"/customers/?{query}")
    assert said in shown and len(rows(shown)) == 1 and footer(shown).startswith("1条记录 1/1")
    assert 'class="note"' not in page(client, "/customers/?scope=mine&sort=-created_at&page=1&per_page=50")


def test_two_clicks_at_the_same_moment_file_once(world: World, login: Login) -> None:
    client = login("seller")
    before = written()
    post = partial(client.post, "/customers/new", data={**FORM, "_once": "one-click"})
    answers = at_once([post, post])
    assert [a.status_code for a in answers] == [302, 302]
    assert written()[0] == before[0] + 1


def token(shown: str) -> str:
    """The token of a page's form."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', shown)
    assert found
    return found[1]


def enter(client: FlaskClient) -> None:
    """Sign in through the form, as in another tab."""
    form = {"username": "seller", "password": PASSWORD, "csrf_token": token(page(client, "/login"))}
    assert client.post("/login", data=form).status_code == 302


def test_a_form_older_than_the_login_is_kept_and_needs_one_more_click(
    world: World, client: FlaskClient, csrf: None
) -> None:
    enter(client)
    old = token(page(client, "/customers/new"))
    before = written()
    client.post("/logout", data={"csrf_token": old})
    enter(client)
    late = client.post("/customers/new", data={**FORM, "csrf_token": old}, headers=ORIGIN)
    shown = late.get_data(as_text=True)
    assert late.status_code == 400 and "页面已过期" in shown and "继续提交" in shown
    assert written()[:3] == before[:3]
    assert [typed(shown, n) for n in FORM] == list(FORM.values())
    kept = {n: typed(shown, n) for n in FORM} | {"csrf_token": token(shown.partition("<main")[2])}
    assert client.post("/customers/new", data=kept, headers=ORIGIN).status_code == 302
    assert db.session.scalars(select(Customer.name)).all() == ["张女士"]


@pytest.mark.parametrize("origin", [{}, {"Origin": "http://elsewhere.example"}])
def test_a_form_of_another_site_is_not_repeated(
    world: World, client: FlaskClient, csrf: None, origin: dict[str, str]
) -> None:
    enter(client)
    before = written()
    answer = client.post("/customers/new", data={**FORM, "csrf_token": "wrong"}, headers=origin)
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 400 and "页面已过期" in shown and "翠园小区" not in shown
    assert written() == before


def test_a_body_beyond_reason_gets_words(world: World, login: Login) -> None:
    before = written()
    answer = login("seller").post("/customers/new", data={**FORM, "remark": "长" * 400_000})
    assert answer.status_code in (400, 413)
    assert re.search("内容过大|不能超过5000个字", answer.get_data(as_text=True))
    assert written() == before


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"text": "长" * 501}, "不能超过500个字，现有501个字"),
        ({"text": " "}, "跟进内容"),
        ({"text": "写了很多", "next_follow_up_at": "明天上午"}, "请输入时间"),
        ({"text": "写了很多", "next_follow_up_at": "2020-01-01T09:00"}, "将来的时间"),
    ],
)
def test_a_wrong_deed_is_named_and_nothing_is_done(
    world: World, login: Login, form: dict[str, str], words: str
) -> None:
    customer, client = world.customer(), login("seller")
    before = written()
    answer = client.post("/customers/action/write_follow_up", data={"id": customer.id, **form})
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 400 and words in shown
    assert typed(shown, "text") == form["text"].strip() or not form["text"].strip()
    db.session.refresh(customer)
    assert written() == before and not customer.followed


TYPED = (
    "张",
    "导购",
    PHONE,
    "0001",
    "KF2611",
    "%",
    "_",
    "'",
    '"',
    "\\",
    "😀",
    "１３８",
    "9" * 300,
    "%00",
    "<b>",
)


@pytest.mark.sqlite_only
def test_whatever_is_typed_into_a_picker_gets_an_answer(world: World, login: Login) -> None:
    """Every pick list of every form, action and filter bar."""
    world.customer(phone=PHONE)
    client, asked = login("boss"), 0
    for resource in resources():
        lists = [(f"/{resource.name}/pick", s) for s in picked(resource)]
        lists += [
            (f"/{resource.name}/action/{a.name}/pick", s)
            for a in resource.actions
            for s in a.fields
            if s.target is not None
        ]
        for base, spec in lists:
            for words in TYPED[:: 1 if asked < 100 else 4]:
                answer = client.get(f"{base}/{spec.name}", query_string={"q": words})
                assert answer.status_code in (200, 403, 404), (base, spec.name, words)
                asked += 1
                if answer.status_code == 200:
                    assert set(answer.get_json()) == {"results"}
    assert asked > 150


def picked(resource: type[Resource]) -> list[FieldSpec]:
    """The fields of a resource's form and filters that name another record."""
    specs = [describe(f) for f in resource.filters if not isinstance(f, Asked)]
    specs += forms.editable(resource, editing=False)
    return [s for s in specs if s.target is not None]
