"""Whoever reads no number finds whole ones only, and not by trying them all (A-02, A-90, A-92)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from tests.customers.world import PHONE, World, words
from tests.plugins.people import Login

MASKED = "typist"
OTHERS = [f"1390000{n:04d}" for n in range(9)]


@pytest.fixture
def limited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six numbers a minute."""
    limiter = app.appbuilder.sm.limiter  # type: ignore[attr-defined]
    monkeypatch.setattr(limiter, "enabled", True)
    monkeypatch.setattr(limiter, "_limiter", FixedWindowRateLimiter(MemoryStorage()))
    monkeypatch.setitem(app.config, "LOOKUP_LIMIT", "6 per minute")


def ask(client: Any, way: str, number: str) -> Any:
    """Ask whether the number is known, by one of the ways there are."""
    if way == "check":
        return client.get(f"/customers/check/phone?value={number}", headers={"Accept": "application/json"})
    if way == "form":
        return client.post("/customers/new", data={"name": "王", "phone": number})
    if way == "api":
        return client.post("/api/v1/customers", json={"name": "王", "phone": number})
    if way == "picker":
        return client.get(f"/service_orders/pick/customer_id?q={number}")
    address = {"search": f"/search?q={number}", "list": f"/customers/?q={number}",
               "filter": f"/customers/?phone={number}", "read": f"/api/v1/customers?phone={number}"}[way]  # fmt: skip
    return client.get(address)


WAYS = ("check", "form", "api", "search", "list", "filter", "read", "picker")


@pytest.mark.parametrize("way", WAYS)
def test_a_masked_person_tries_few_numbers(world: World, login: Login, limited: None, way: str) -> None:
    world.customer(phone=PHONE)
    client = login(MASKED)
    codes = [ask(client, way, number).status_code for number in OTHERS]
    assert 429 not in codes[:6]
    assert codes[6:] == [429] * 3
    said = ask(client, way, OTHERS[0])
    assert "操作过于频繁" in (said.get_json()["message"] if said.is_json else said.get_data(as_text=True))


def test_ways_are_counted_together_and_everybody_alone(world: World, login: Login, limited: None) -> None:
    client = login(MASKED)
    codes = [ask(client, way, number).status_code for way, number in zip(WAYS, OTHERS, strict=False)]
    assert codes[6:] == [429, 429]
    seeing = login("keeper")
    assert 429 not in [ask(seeing, "check", number).status_code for number in OTHERS]


def test_a_refused_form_keeps_what_was_typed(world: World, login: Login, limited: None) -> None:
    client = login(MASKED)
    for number in OTHERS[:6]:
        ask(client, "check", number)
    answer = client.post("/customers/new", data={"name": "留下的名字", "phone": OTHERS[7]})
    assert answer.status_code == 429 and "留下的名字" in answer.get_data(as_text=True)


def test_a_record_has_few_further_numbers(world: World, login: Login) -> None:
    answer = login("seller").post("/customers/new", data={"name": "王", "phone": PHONE, "phones": OTHERS[:6]})
    assert answer.status_code == 400 and "最多5项" in answer.get_data(as_text=True)
    few = login("seller").post("/customers/new", data={"name": "王", "phone": PHONE, "phones": OTHERS[:5]})
    assert few.status_code == 302


@pytest.mark.spec("A-02")
def test_among_several_numbers_a_masked_person_learns_not_which(world: World, login: Login) -> None:
    """Neither names nor amounts nor the answers tell one number of the form from another."""
    world.customer(phone=PHONE, name="程女士")
    world.customer(phone=OTHERS[5], name="孔先生")
    clerk = login(MASKED)
    asked = []
    for filed in (PHONE, OTHERS[5]):
        for place in (0, 2):
            sent = [OTHERS[0], OTHERS[1], OTHERS[2]]
            sent[place] = filed
            answer = clerk.post(
                "/api/v1/customers", json={"name": "王", "phone": sent[0], "phones": sent[1:]}
            )
            assert answer.status_code == 409
            asked.append(answer.get_json()["question"] | {"answers": None})
    assert asked[0] == asked[1] == asked[2] == asked[3]
    one = clerk.post("/customers/new", data={"name": "王", "phone": PHONE}).get_data(as_text=True)
    assert "程女士" in one and "本商场已有1位" in words(one)
    seen = login("seller").post("/customers/new", data={"name": "王", "phone": OTHERS[0], "phones": [PHONE]})
    assert "程女士" in seen.get_data(as_text=True)


def test_an_edit_tells_not_which_number_the_record_has(world: World, login: Login) -> None:
    customer, other = world.customer(phone=PHONE), world.customer(phone=OTHERS[5])
    clerk, told = login(MASKED), []
    for mine in (PHONE, OTHERS[1]):
        sent = {"version": customer.version, "phone": mine, "phones": [other.phone]}
        answer = clerk.patch(f"/api/v1/customers/{customer.id}", json=sent)
        assert answer.status_code == 409
        told.append(str(answer.get_json()["question"]).replace(mine, "…"))
    assert told[0] == told[1]
