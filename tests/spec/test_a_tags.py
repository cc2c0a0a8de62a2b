"""A-20…A-25: the button 打标签, and who may press it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.engine.database import db
from models.customers.tables import ContactTag
from tests.customers.world import World, grant
from tests.identity.editor import TAGS, edit, role
from tests.plugins.people import Login
from tests.spec.reading import button, link, page, rows

SET_TAGS = ("can_set_tags", "System")


def greyed(shown: str) -> bool:
    """Whether the button is visible, grey, names the right and leads nowhere."""
    tag = button(shown, "打标签")
    assert tag
    off = 'aria-disabled="true"' in tag
    if off:
        assert "设置标签" in tag and "formaction" not in tag and "href" not in tag
    return off


@pytest.mark.spec("A-21")
def test_without_the_right_the_button_is_grey_and_a_direct_request_is_refused(
    world: World, login: Login
) -> None:
    lead, tag, client = world.contact(), world.tag("衣柜"), login("seller")
    assert greyed(page(client, "/contacts/")) and greyed(page(client, f"/contacts/{lead.id}"))
    form = {"id": lead.id, "tags": tag.id, "mode": "add"}
    page(client, f"/contacts/action/tag?id={lead.id}", 403)
    answer = client.post("/contacts/action/tag", data=form)
    assert answer.status_code == 403 and "无权限" in answer.get_data(as_text=True)
    assert (
        client.post("/api/v1/contacts/actions/tag", json={"ids": [lead.id], "tags": [tag.id]}).status_code
        == 403
    )
    assert db.session.scalars(select(ContactTag)).all() == []


@pytest.mark.spec("A-22")
def test_the_administrator_ticks_it_and_every_consultant_has_the_button(world: World, login: Login) -> None:
    world.contact()
    world.tag("衣柜")
    admin, consultants = login("boss"), [login("seller"), login("seller2")]
    assert all(greyed(page(c, "/contacts/")) for c in consultants)
    people = page(admin, "/employees/?q=导购甲")
    assert "导购" in rows(people)[0]
    target = role(world.a.id, "consultant")
    editor = page(admin, f"/roles/{target.id}/edit")
    assert "系统主框架" in editor and "设置标签" in editor and "导购" in editor
    assert edit(admin, target, add=[TAGS]).status_code == 302
    assert not any(greyed(page(c, "/contacts/")) for c in consultants)


@pytest.mark.spec("A-20", "A-23")
def test_the_message_without_tags_then_a_tag_on_the_row(world: World, login: Login) -> None:
    grant(world, "consultant", SET_TAGS)
    lead, client = world.contact(), login("seller")
    pressed = client.get(f"/contacts/action/tag?id={lead.id}", follow_redirects=True).get_data(as_text=True)
    assert "暂时无标签，请联系商场系统管理员去配置标签" in pressed and 'name="tags"' not in pressed
    tag = world.tag("老客户推荐")
    form = page(client, link(page(client, f"/contacts/{lead.id}"), "打标签"))
    assert "老客户推荐" in form
    client.post("/contacts/action/tag", data={"id": lead.id, "tags": tag.id, "mode": "add"})
    assert "老客户推荐" in rows(page(client, "/contacts/"))[0]
