"""The JSON API: the same listing, gate and `perform` as the pages, and a Chinese answer to everything."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.engine.audit import AuditEntry, Source
from app.engine.database import db
from app.engine.guards import CUSTOMER_PHONE
from app.engine.openapi import document
from app.factory import create_app
from models.customers.tables import Contact, ContactSource, Customer
from tests.customers.world import PASSWORD, PHONE, World, grant
from tests.plugins.databases import settings_for_tests

API = "/api/v1"


@pytest.fixture
def world(trade: World) -> World:
    """Two dealers with stores and people."""
    return trade


def sign_in(client: FlaskClient, username: str) -> dict[str, str]:
    """The headers of a token of that person."""
    answer = client.post(f"{API}/security/login", json={"username": username, "password": PASSWORD})
    assert answer.status_code == 200, answer.get_json()
    return {"Authorization": f"Bearer {answer.get_json()['access_token']}"}


@pytest.fixture
def seller(world: World, client: FlaskClient) -> Any:
    """``seller(method, path, json)``: a call of the consultant by token."""
    headers = sign_in(client, "seller")
    return lambda method, path, **more: client.open(f"{API}{path}", method=method, headers=headers, **more)


def test_who_is_unknown_gets_401_in_json(client: FlaskClient) -> None:
    for path in ("/customers", "/customers/1", "/nothing", "/customers/"):
        answer = client.get(API + path)
        assert answer.status_code == 401
        assert answer.get_json() == {"message": "登录已失效，请重新登录"}
    for token in ("", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."):
        answer = client.get(f"{API}/customers", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401


def test_wrong_password_and_nonsense_at_login(world: World, client: FlaskClient) -> None:
    wrong = client.post(f"{API}/security/login", json={"username": "seller", "password": "no"})
    assert wrong.status_code == 401
    assert "不正确" in wrong.get_json()["message"]
    for sent in ({}, {"username": 1, "password": 2}, {"username": "seller", "password": "x" * 5000}):
        assert client.post(f"{API}/security/login", json=sent).status_code == 400
    assert client.post(f"{API}/security/login", data="x").status_code == 415
    assert client.post(f"{API}/security/login", data="{", content_type="application/json").status_code == 400


@pytest.mark.sqlite_only
def test_login_is_limited_by_address(app: Flask, database_url: str, tmp_path: Path) -> None:
    settings = {**settings_for_tests(database_url, tmp_path), "RATELIMIT_ENABLED": True}
    limited = create_app({**settings, "AUTH_RATE_LIMIT": "3 per minute"}).test_client()
    sent = {"username": "nobody", "password": "x"}
    codes = [limited.post(f"{API}/security/login", json=sent).status_code for _ in range(5)]
    assert codes == [401, 401, 401, 429, 429]


def test_a_refresh_token_gives_a_new_access_token_and_reads_nothing(
    world: World, client: FlaskClient
) -> None:
    tokens = client.post(
        f"{API}/security/login", json={"username": "seller", "password": PASSWORD}
    ).get_json()
    bearer = {"Authorization": f"Bearer {tokens['refresh_token']}"}
    assert client.get(f"{API}/customers", headers=bearer).status_code == 401
    fresh = client.post(f"{API}/security/refresh", headers=bearer).get_json()["access_token"]
    again = client.get(f"{API}/customers", headers={"Authorization": f"Bearer {fresh}"})
    assert again.status_code == 200


@pytest.mark.spec("A-01")
def test_file_read_change_a_customer(seller: Any) -> None:
    made = seller("POST", "/customers", json={"name": "张女士", "phone": "138 0000 0001"})
    assert made.status_code == 201, made.get_json()
    pk = made.get_json()["id"]
    assert made.headers["Location"] == f"{API}/customers/{pk}"
    record = seller("GET", f"/customers/{pk}").get_json()["result"]
    assert (record["name"], record["phone"], record["stage"], record["stage_label"]) == (
        "张女士", PHONE, "following", "跟进中",
    )  # fmt: skip
    assert record["owner_id_name"] == "导购甲"
    assert record["created_at"].endswith("+08:00")
    changed = seller("PATCH", f"/customers/{pk}", json={"name": "张太太", "version": record["version"]})
    assert changed.status_code == 200, changed.get_json()
    assert changed.get_json()["result"]["name"] == "张太太"
    assert changed.get_json()["result"]["phone"] == PHONE
    entry = db.session.query(AuditEntry).order_by(AuditEntry.id.desc()).first()
    assert entry is not None
    assert entry.source == Source.API
    assert entry.changes["fields"]["name"] == ["张女士", "张太太"]


@pytest.mark.spec("A-116", "D-15")
def test_a_stale_version_is_409(seller: Any, world: World) -> None:
    customer = world.customer()
    old = customer.version
    assert (
        seller("PATCH", f"/customers/{customer.id}", json={"name": "甲", "version": old}).status_code == 200
    )
    answer = seller("PATCH", f"/customers/{customer.id}", json={"name": "乙", "version": old})
    assert answer.status_code == 409
    assert answer.get_json()["message"] == "数据已被他人修改，请刷新后重试"
    assert seller("PATCH", f"/customers/{customer.id}", json={"name": "丙"}).get_json()["errors"]["version"]


@pytest.mark.spec("A-02", "A-04", "A-05")
def test_a_question_is_409_and_its_answers_go_on(seller: Any, world: World) -> None:
    world.customer(phone=PHONE)
    sent: dict[str, Any] = {"name": "李先生", "phone": PHONE, "answers": []}

    def asked(heading: str, *labels: str) -> list[str]:
        answer = seller("POST", "/customers", json=sent)
        assert answer.status_code == 409
        question = answer.get_json()["question"]
        assert question["heading"] == heading
        assert [a["label"] for a in question["answers"]] == list(labels)
        assert db.session.query(Customer).count() == 1
        return [a["value"] for a in question["answers"] if a["value"]]

    sent["answers"] += asked("此电话号码已建档，请选择建档标签", "放弃创建", "继续创建")
    sent["answers"] += asked("温馨提示", "添加品类", "继续建档", "取消")
    made = seller("POST", "/customers", json=sent)
    assert made.status_code == 201, made.get_json()
    found = seller("GET", f"/customers?phone={PHONE}").get_json()["result"]
    assert len({r["code"] for r in found}) == len(found) == 2


@pytest.mark.spec("A-08")
def test_a_person_without_phone_becomes_a_contact(seller: Any) -> None:
    made = seller("POST", "/customers", json={"name": "无号先生"}).get_json()
    assert made["resource"] == "contacts"
    contact = db.session.get(Contact, made["id"])
    assert contact is not None and contact.source == ContactSource.SELF_FILED
    assert db.session.query(Customer).count() == 0


def test_the_same_token_files_once(seller: Any) -> None:
    sent = {"name": "张女士", "phone": PHONE, "token": "once-1"}
    assert seller("POST", "/customers", json=sent).status_code == 201
    second = seller("POST", "/customers", json=sent)
    assert second.status_code == 409
    assert db.session.query(Customer).count() == 1


def test_a_token_of_somebody_else_is_another_one(world: World, client: FlaskClient, seller: Any) -> None:
    """Neither in the way nor a way to learn what it made."""
    sent = {"name": "张女士", "phone": PHONE, "token": "once-1"}
    assert seller("POST", "/customers", json=sent).status_code == 201
    head = sign_in(client, "outsider")
    other = client.post(f"{API}/customers", json=sent, headers=head)
    assert other.status_code == 201, other.get_json()


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": "张", "phone": "123"}, "phone"),
        ({"phone": PHONE}, "name"),
        ({"name": "x" * 100, "phone": PHONE}, "name"),
        ({"name": {"a": 1}, "phone": PHONE}, "name"),
        ({"name": "张", "phone": PHONE, "dealer_id": 2}, "dealer_id"),
        ({"name": "张", "phone": PHONE, "code": "KF1"}, "code"),
        ({"name": "张", "phone": PHONE, "level": "nonsense"}, "level"),
        ({"name": "张", "phone": PHONE, "owner_id": 999999999999999}, "owner_id"),
        ({"name": "张", "phone": PHONE, "answers": "x"}, "answers"),
    ],
)
def test_wrong_input_is_400_by_field(seller: Any, sent: dict[str, Any], field: str) -> None:
    answer = seller("POST", "/customers", json=sent)
    assert answer.status_code == 400, answer.get_json()
    assert field in answer.get_json()["errors"]
    assert db.session.query(Customer).count() == 0


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"{", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"name=x", "application/x-www-form-urlencoded", 415),
        (b'{"name":"' + b"x" * 1_100_000 + b'"}', "application/json", 413),
        (b"\xff\xfe", "application/json", 400),
        (rb'{"\ud800": 1}', "application/json", 400),
        (rb'{"name": "\ud800\u0000", "phone": "13800000001"}', "application/json", 400),
    ],
)
def test_bodies_that_are_none(seller: Any, body: bytes, kind: str, code: int) -> None:
    answer = seller("POST", "/customers", data=body, content_type=kind)
    assert answer.status_code == code
    assert answer.get_json()["message"]


@pytest.mark.spec("A-70", "D-14")
def test_another_dealers_record_is_404_and_not_listed(seller: Any, world: World) -> None:
    theirs = world.customer("outsider", name="别家客户")
    assert seller("GET", f"/customers/{theirs.id}").status_code == 404
    assert seller("PATCH", f"/customers/{theirs.id}", json={"name": "x", "version": 1}).status_code == 404
    assert seller("GET", "/customers").get_json()["result"] == []
    acted = seller("POST", "/customers/actions/follow_up", json={"ids": [theirs.id]})
    assert acted.status_code in (400, 404)
    for pk in (0, 2**31 - 1, 2**31, 10**20):
        assert seller("GET", f"/customers/{pk}").status_code == 404


@pytest.mark.spec("D-14")
def test_without_permission_403_and_nothing_else(client: FlaskClient, world: World) -> None:
    headers = sign_in(client, "typist")
    for name in ("audit_entries", "ab_role"):
        answer = client.get(f"{API}/{name}", headers=headers)
        assert answer.status_code in (403, 404)
        assert set(answer.get_json()) == {"message"}


@pytest.mark.spec("A-92")
def test_a_masked_person_gets_masks_finds_by_full_number_and_keeps_the_number(
    client: FlaskClient, world: World
) -> None:
    grant(world, "consultant", CUSTOMER_PHONE.permission)
    headers = sign_in(client, "seller")
    customer = world.customer(phone=PHONE)
    shown = client.get(f"{API}/customers/{customer.id}", headers=headers)
    assert PHONE not in shown.get_data(as_text=True)
    record = shown.get_json()["result"]
    assert record["phone"] == "138****0001"
    assert record["phone_locked"] == "客户电话显示加密"
    found = client.get(f"{API}/customers?phone={PHONE}", headers=headers).get_json()
    assert [r["id"] for r in found["result"]] == [customer.id]
    assert PHONE not in str(found["result"])
    sent = {"phone": record["phone"], "name": "新名", "version": record["version"]}
    assert client.patch(f"{API}/customers/{customer.id}", json=sent, headers=headers).status_code == 200
    db.session.expire_all()
    assert db.session.get(Customer, customer.id).phone == PHONE
    history = client.get(f"{API}/audit_entries", headers=headers).get_data(as_text=True)
    assert PHONE not in history


def test_the_list_pages_by_cursor_sorts_and_filters(seller: Any, world: World) -> None:
    for n in range(45):
        world.customer(name=f"客户{n:02d}")
    first = seller("GET", "/customers?per_page=20").get_json()
    assert len(first["result"]) == 20
    assert first["count"] == 45
    assert first["before"] is None
    second = seller("GET", f"/customers?per_page=20&after={first['after']}").get_json()
    third = seller("GET", f"/customers?per_page=20&after={second['after']}").get_json()
    assert third["after"] is None
    ids = [r["id"] for page in (first, second, third) for r in page["result"]]
    assert len(set(ids)) == 45
    back = seller("GET", f"/customers?per_page=20&before={third['before']}").get_json()
    assert [r["id"] for r in back["result"]] == [r["id"] for r in second["result"]]
    assert seller("GET", "/customers?q=客户07").get_json()["result"][0]["name"] == "客户07"
    assert seller("GET", "/customers?stage=lost").get_json()["result"] == []
    few = seller("GET", "/customers?fields=name,owner_id").get_json()["result"][0]
    assert set(few) == {"id", "version", "name", "owner_id", "owner_id_name"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sort=phone", "sort"),
        ("sort=nonsense", "sort"),
        ("per_page=1000000", "per_page"),
        ("after=nonsense", "after"),
        ("view=nonsense", "view"),
        ("scope=group", "scope"),
        ("fields=nonsense", "fields"),
        ("dealer_id=2", "dealer_id"),
        ("created_at.from=yesterday", "filters"),
        ("level=Z", "filters"),
        ("stage=nonsense", "filters"),
        ("stage=lost&stage=nonsense", "filters"),
        ("followed=yes", "filters"),
        ("owner_id=me", "filters"),
        ("%00=1", ""),
    ],
)
def test_a_program_learns_what_was_not_understood(seller: Any, query: str, field: str) -> None:
    answer = seller("GET", f"/customers?{query}")
    assert answer.status_code == 400, answer.get_json()
    assert field in answer.get_json()["errors"]


def test_hostile_filter_values_find_nothing(seller: Any) -> None:
    for query in ("q=%00", "q=%27%22%25_", "phone=1%00", "owner_id=99999999999999999999", "owner_id=1e9",
                  "stage=%F0%9F%98%80", "page=99999999999999999999", "q=" + "x" * 5000):  # fmt: skip
        assert seller("GET", f"/customers?{query}").status_code in (200, 400), query


@pytest.mark.spec("A-56")
def test_an_action_reports_record_by_record(client: FlaskClient, world: World) -> None:
    one, other = world.customer(), world.customer()
    world.receive(other, "1000")
    headers = sign_in(client, "boss")
    sent = {"ids": [one.id, other.id]}
    answer = client.post(f"{API}/customers/actions/invalidate", json=sent, headers=headers)
    assert answer.status_code == 200, answer.get_json()
    report = answer.get_json()
    assert report["done"] == 1
    refused = next(r for r in report["results"] if not r["ok"])
    assert refused["id"] == other.id
    assert refused["reason"] == "该客户已收款，请先将收款退回为0再操作失效"
    alone = client.post(f"{API}/customers/actions/invalidate", json={"ids": [other.id]}, headers=headers)
    assert alone.status_code == 400
    assert alone.get_json()["message"] == refused["reason"]
    for ids in ([], None, "1", [True], ["1"], [2**40]):
        answer = client.post(f"{API}/customers/actions/invalidate", json={"ids": ids}, headers=headers)
        assert answer.status_code in (400, 404)
    assert client.post(f"{API}/customers/actions/nothing", json=sent, headers=headers).status_code == 404


def test_a_session_needs_the_csrf_header_for_unsafe_calls(csrf: None, world: World, login: Any) -> None:
    client = login("seller")
    assert client.get(f"{API}/customers").status_code == 200
    refused = client.post(f"{API}/customers", json={"name": "张", "phone": PHONE})
    assert refused.status_code == 400
    assert refused.get_json()["message"]
    token = sign_in(client, "seller")
    made = client.post(f"{API}/customers", json={"name": "张", "phone": PHONE}, headers=token)
    assert made.status_code == 201


def test_the_description_is_complete_and_never_empty(app: Flask) -> None:
    described = app.test_client().get(f"{API}/openapi.json").get_json()
    assert described == document(API)
    assert f"{API}/customers/actions/invalidate" in described["paths"]
    schemas = described["components"]["schemas"]

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                kind, name = node["$ref"].split("/")[-2:]
                assert name in described["components"][kind]
            for key, value in node.items():
                if key in ("description", "summary") and isinstance(value, str):
                    assert value.strip()
                walk(value)
        elif isinstance(node, list):
            for item in node:
                walk(item)

    walk(described)
    assert schemas["Customers"]["properties"]["stage"]["enum"][0] == "following"
    assert "name" in schemas["CustomersNew"]["required"]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_id_no_database_has_is_not_found(seller: Any, method: str) -> None:
    for number in (2**31 - 1, 2**31, 10**20):
        answer = seller(method, f"/customers/{number}", json={"version": 1})
        assert answer.status_code == 404, number


def test_the_answer_to_a_wrong_method_is_for_programs(seller: Any) -> None:
    answer = seller("PUT", "/customers/1", json={})
    assert answer.status_code == 405 and "按钮" not in answer.text


def test_the_description_is_chinese_and_knows_the_limit(client: FlaskClient) -> None:
    document = client.get(f"{API}/openapi.json").json
    words = [
        operation["description"]
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict)
    ]
    assert not [text for text in words if not re.search("[\u4e00-\u9fff]", text)]
    assert "429" in document["paths"][f"{API}/security/login"]["post"]["responses"]
    assert "429" in document["components"]["responses"]
