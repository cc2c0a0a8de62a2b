"""Two administrators who save the same entry of the configuration: both versions stand side by side, for every kind."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.engine import conditional, configuring
from app.engine.colliding import THEIRS, UNTOUCHED
from app.engine.configuring import Kind
from app.engine.database import db
from app.engine.fields import FieldSpec
from app.engine.forms import asked, editable, holding
from app.engine.scopes import Actor
from tests.customers.world import words
from tests.generic.test_forms import HAND_WRITTEN
from tests.generic.world import HERE, SEES, World

KINDS = [
    pytest.param(k, id=k.name)
    for k in configuring.kinds()
    if k.writer is None and k.content and k.resource.groups(True) and k.name not in HAND_WRITTEN
]


class Form(HTMLParser):
    """What the form of a page submits when nothing is touched."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.data: dict[str, list[str]] = {}
        self.name = ""
        self.area = False
        self.feed(page.partition('<form id="form"')[2].partition("</form>")[0])

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        name, kind = given.get("name") or "", given.get("type", "text")
        if tag == "input" and name and (kind not in ("checkbox", "radio") or "checked" in given):
            self.data.setdefault(name, []).append(given.get("value") or "")
        elif tag == "select":
            self.name = name
        elif tag == "option" and "selected" in given and self.name:
            self.data.setdefault(self.name, []).append(given.get("value") or "")
        elif tag == "textarea":
            self.name, self.area = name, True
            self.data[name] = [""]

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self.name, self.area = "", False

    def handle_data(self, data: str) -> None:
        if self.area:
            self.data[self.name][0] += data


def others(spec: FieldSpec, dealer: int, now: str) -> list[tuple[str, str]]:
    """Values that the field can take beside the present one, with the words for them."""
    if spec.kind == "integer":
        return [("17", "17"), ("18", "18")]
    if spec.kind == "text" and not spec.pattern and spec.name not in ("at", "code"):
        return [("甲的名字", "甲的名字"), ("乙的名字", "乙的名字")]
    if spec.kind == "choice" and not spec.parent and spec.name not in ("subject", "resource", "kind"):
        return [(e.value, e.label) for e in spec.entries(dealer) if e.value != now and e.active]
    return []


def changeable(kind: Kind, form: Form, dealer: int) -> list[tuple[FieldSpec, list[tuple[str, str]]]]:
    """The content fields of a kind that two people can set to two further values, as far as they are open."""
    names, held = {s.name for s in kind.content}, holding({}, form.data, None)
    specs = [s for s in asked(editable(kind.resource, editing=True), Actor(0)) if s.name in names]
    specs = [s for s in specs if conditional.applies(s, held)]
    found = [(s, others(s, dealer, (form.data.get(s.name) or [""])[0])) for s in specs]
    return [(s, values) for s, values in found if len(values) > 1 and s.name in form.data]


SANE: dict[str, dict[str, Any]] = {
    "dictionary_entries": {"parent": None},
    "clock_rules": {
        "subject": "customers", "start": "retained_since", "condition": None, "effect": "remind", "at": "08:00",
        "parameters": None, "silenced_by": None, "replaces_id": None, "store_id": None,
    },
    "automations": {
        "subject": "customers", "event": "created", "condition": None, "active": False,
        "do_1": "set", "field_1": "remark", "value_1": "请优先联系", "do_2": None, "do_3": None,
    },
    "approval_flows": {
        "subject": "receipts", "deed": "receipts/create", "condition": None, "steps": [{"who": "superior"}],
    },
}  # fmt: skip
"""What the generated records of a kind lack to be saved as they are."""


@pytest.mark.spec("D-15", "A-116")
@pytest.mark.sqlite_only
@pytest.mark.parametrize("kind", KINDS)
def test_both_versions_stand_side_by_side(app: Flask, world: World, clients: Any, kind: Kind) -> None:
    client, number = clients(SEES), world.id(kind.resource, HERE)
    path = f"/{kind.name}/{number}/edit"
    if kind.name in SANE:
        model = kind.resource.model
        sane = update(model).where(kind.resource.pk() == number).values(SANE[kind.name])
        db.session.execute(sane, execution_options={"audited": True})
        db.session.commit()
    mine = Form(client.get(path).get_data(as_text=True))
    can = changeable(kind, mine, world.dealers[HERE])
    assert can, "nothing of it can be changed by two people"
    field, values = can[0]
    (my_value, my_word), (their_value, their_word) = values[:2]
    sure = {"_answer": list(kind.answers)}
    beside = can[1] if len(can) > 1 else None
    theirs = mine.data | sure | {field.name: [their_value]}
    if beside is not None:
        theirs |= {beside[0].name: [beside[1][0][0]]}
    saved = client.post(path, data=theirs)
    assert saved.status_code == 302, words(saved.get_data(as_text=True))[-600:]
    late = client.post(path, data=mine.data | sure | {field.name: [my_value]})
    page = late.get_data(as_text=True)
    assert late.status_code == 409
    both = page.partition('<section class="card0 conflict"')[2].partition("</section>")[0]
    assert "数据已被他人修改，请刷新后重试" in both and "用我的" in both and f'href="{path}"' in both
    row = re.search(rf'<tr><th scope="row">{re.escape(field.label)}</th>(.*?)</tr>', both, re.S)
    assert row is not None and my_word in row[1] and their_word in row[1]
    again = Form(page)
    assert again.data[field.name] == [my_value], "what was typed is still there"
    if beside is not None:
        assert again.data[beside[0].name] == [beside[1][0][0]], "what they alone have changed is taken over"
        assert UNTOUCHED in both
    taken = client.post(path, data=again.data | {THEIRS: field.name}).get_data(as_text=True)
    assert Form(taken).data[field.name] == [their_value]
    kept = client.post(path, data=again.data | sure)
    assert kept.status_code == 302, words(kept.get_data(as_text=True))[-600:]
    record = db.session.scalars(select(kind.resource.model).where(kind.resource.pk() == number)).one()
    stored = getattr(record, field.name)
    assert str(getattr(stored, "value", stored)) == my_value
    if beside is not None:
        stored = getattr(record, beside[0].name)
        assert str(getattr(stored, "value", stored)) == beside[1][0][0], "nobody's change is lost"


@pytest.mark.sqlite_only
def test_a_page_without_the_marks_of_its_beginning_shows_all_that_differs(
    app: Flask, world: World, clients: Any
) -> None:
    client, number = clients(SEES), world.records["positions", HERE]
    path = f"/positions/{number}/edit"
    old = Form(client.get(path).get_data(as_text=True)).data
    client.post(path, data=old | {"name": "新岗位", "sort": "31"})
    bare = {n: v for n, v in old.items() if not n.startswith("was.")}
    late = client.post(path, data=bare | {"name": "我的岗位", "was.sort": "forged"})
    page = late.get_data(as_text=True)
    assert late.status_code == 409 and "新岗位" in page and "31" in page
    assert Form(page).data["sort"] == old["sort"]
