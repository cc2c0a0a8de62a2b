"""系统参数: what differs from the default, what a value comes to, and two who save at once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.engine.audit import AuditEntry
from app.engine.database import db
from models.settings.catalogue import parameters
from models.settings.tables import Parameter
from tests.customers.world import World
from tests.plugins.people import Login

URL = "/parameters/"


def opened(client: FlaskClient) -> tuple[str, dict[str, Any]]:
    """The page, and its form as a browser would send it back."""
    page = client.get(URL).get_data(as_text=True)
    form: dict[str, Any] = {}
    for declared in parameters():
        key = re.escape(declared.key)
        form[f"was.{declared.key}"] = re.search(rf'name="was.{key}" value="(\w+)"', page)[1]
        typed = re.search(rf'name="{key}"[^>]*?value="([^"]*)"', page)
        form[declared.key] = typed[1] if typed else ""
        if re.search(rf'name="{key}" value="1" checked', page):
            form[declared.key] = "1"
        select_ = re.search(rf'<select[^>]*name="{key}".*?value="([^"]*)" selected', page, re.S)
        if select_:
            form[declared.key] = select_[1]
    return page, form


def stored(key: str) -> Any:
    """The dealer's own value; None where there is none."""
    return db.session.scalar(select(Parameter.value).where(Parameter.key == key))


def test_sending_the_page_back_changes_nothing(world: World, login: Login) -> None:
    client = login("boss")
    _, form = opened(client)
    assert "没有改动" in client.post(URL, data=form, follow_redirects=True).get_data(as_text=True)
    assert db.session.scalar(select(Parameter.id)) is None


def test_what_differs_is_marked_and_goes_back_to_the_default(world: World, login: Login) -> None:
    client = login("boss")
    page, form = opened(client)
    assert "恢复默认" not in page
    client.post(URL, data=form | {"export.days": "9", "number.customer.prefix": "HX"})
    page, form = opened(client)
    assert page.count("恢复默认</button>") == 2 and "默认：7" in page and "默认：KF" in page
    sent = form | {"reset": "export.days", "number.customer.prefix": "HY"}
    assert client.post(URL, data=sent).status_code == 302
    assert stored("export.days") is None and stored("number.customer.prefix") == "HY"
    entry = db.session.scalars(
        select(AuditEntry).where(AuditEntry.resource == "parameters", AuditEntry.record_label == "export.days")
        .order_by(AuditEntry.id.desc())
    ).first()  # fmt: skip
    assert entry.changes["fields"]["value"] == [9, None]


def test_a_value_like_the_default_is_kept_no_longer(world: World, login: Login) -> None:
    client = login("boss")
    _, form = opened(client)
    client.post(URL, data=form | {"export.days": "9"})
    _, form = opened(client)
    client.post(URL, data=form | {"export.days": "7"})
    assert db.session.scalar(select(Parameter.id)) is None


def test_a_number_scheme_shows_the_next_number_before_it_is_saved(world: World, login: Login) -> None:
    customer = world.customer()
    tail = customer.code.removeprefix("KF")
    period, number = tail.split("-")
    client = login("boss")
    page, form = opened(client)
    following = f"{int(number) + 1:04d}"
    assert f"下一个编号：KF{period}-{following}" in page
    sent = form | {"number.customer.prefix": "HX", "number.customer.digits": "6", "do": "preview"}
    page = client.post(URL, data=sent).get_data(as_text=True)
    assert f"下一个编号：HX{period}-00{following}" in page and "服务号前缀：KF → HX" in page
    assert 'value="HX"' in page and stored("number.customer.prefix") is None
    assert world.customer().code == f"KF{period}-{following}"
    sent.pop("do")
    client.post(URL, data=sent)
    assert world.customer().code == f"HX{period}-{int(number) + 2:06d}"


def test_two_who_save_different_parameters_do_not_undo_each_other(world: World, login: Login) -> None:
    one, two = login("boss"), login("boss")
    (_, first), (_, second) = opened(one), opened(two)
    assert one.post(URL, data=first | {"export.days": "9"}).status_code == 302
    assert two.post(URL, data=second | {"export.at_once": "100"}).status_code == 302
    assert (stored("export.days"), stored("export.at_once")) == (9, 100)


def test_the_later_of_two_sees_both_values_and_keeps_what_was_typed(world: World, login: Login) -> None:
    one, two = login("boss"), login("boss")
    (_, first), (_, second) = opened(one), opened(two)
    one.post(URL, data=first | {"export.days": "9"})
    answer = two.post(URL, data=second | {"export.days": "11", "export.at_once": "100"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409 and "数据已被他人修改" in page
    assert '<td class="mine">11</td>' in page and "9 <small" in page and "总管" in page
    assert re.search(r'name="export.days"[^>]*value="11"', page)
    assert re.search(r'name="export.at_once"[^>]*value="100"', page)
    assert (stored("export.days"), stored("export.at_once")) == (9, None)
    again = dict(re.findall(r'name="(was\.[\w.-]+)" value="(\w+)"', page))
    answer = two.post(URL, data=second | again | {"export.days": "11", "export.at_once": "100"})
    assert answer.status_code == 302
    assert (stored("export.days"), stored("export.at_once")) == (11, 100)


@pytest.mark.parametrize("do", ["preview", "save"])
def test_a_wrong_value_is_said_whatever_button_is_pressed(world: World, login: Login, do: str) -> None:
    client = login("boss")
    _, form = opened(client)
    answer = client.post(URL, data=form | {"number.customer.digits": "many", "do": do})
    assert answer.status_code == 400 and "请输入整数" in answer.get_data(as_text=True)
