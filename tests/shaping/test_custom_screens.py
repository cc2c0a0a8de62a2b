"""What an administrator reads of an added field: only what is said of its kind, and only what people did to it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.engine.audit import AuditEntry
from app.engine.database import db
from tests.customers.world import World
from tests.plugins.people import Login
from tests.shaping.fields import add, file_with

pytestmark = pytest.mark.sqlite_only  # pages, whatever holds the rows


def labels(page: str) -> list[str]:
    """The labels on a page of details, in order."""
    return re.findall(r"<dt[^>]*>([^<]+)", page)


def test_a_page_leaves_out_what_is_not_said_of_this_kind(world: World, login: Login) -> None:
    text, number = add(world, "合同编号", "text"), add(world, "房屋面积", "number", unit="㎡")
    of_text = labels(login("boss").get(f"/custom_fields/{text.id}").get_data(as_text=True))
    of_number = labels(login("boss").get(f"/custom_fields/{number.id}").get_data(as_text=True))
    assert {"格式", "必填", "默认值", "不可重复"} <= set(of_text)
    assert not {"单位", "公式", "公式结果", "关联到", "最小值"} & set(of_text)
    assert {"单位", "最小值"} <= set(of_number)
    assert not {"格式", "公式", "关联到"} & set(of_number)


def test_a_field_that_is_not_asked_is_left_out_unless_it_holds_something(world: World, login: Login) -> None:
    add(world, "介绍人", "text", shown_when="customers:source=老客户推荐")
    plain = file_with(world, name="李先生")
    told = file_with(world, name="吴女士", source="老客户推荐", text_1="周先生")
    client = login("boss")
    assert "介绍人" not in labels(client.get(f"/customers/{plain.id}").get_data(as_text=True))
    assert "介绍人" in labels(client.get(f"/customers/{told.id}").get_data(as_text=True))


def test_conditions_are_one_line_and_only_the_group_is_asked_about_everybody(
    world: World, login: Login
) -> None:
    page = login("boss").get("/custom_fields/new").get_data(as_text=True)
    for name in ("shown_when", "needed_when", "locked_when"):
        assert re.search(rf'<input class="in" id="f-{name}"', page), name
    assert "集团所有商场通用" not in page
    assert "集团所有商场通用" in login("admin").get("/custom_fields/new").get_data(as_text=True)


def test_making_the_indexes_is_no_change_of_the_configuration(
    world: World, login: Login, run_outbox: Callable[..., None]
) -> None:
    field = add(world, "装修阶段", "choice", options="毛坯\n水电", also=())
    run_outbox()
    db.session.refresh(field)
    assert field.indexed_at is not None
    changed = login("boss").get("/configuration/").get_data(as_text=True)
    assert "装修阶段 / 毛坯" in changed and "custom." not in changed
    about = AuditEntry.resource == "custom_fields", AuditEntry.record_id == field.id
    assert [e.action for e in db.session.scalars(select(AuditEntry).where(*about))] == ["create"]
