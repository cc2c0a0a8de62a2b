"""Tags: putting them on, the right to, their upkeep (A-20…A-25)."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from app.engine.actions import Forbidden, Invalid, Question
from app.engine.database import db
from app.engine.perform import remove
from app.engine.resource import resource
from models.customers.tables import ContactTag, Tag, TagTone
from tests.customers.world import World, grant
from tests.plugins.people import Login

SET_TAGS = ("can_set_tags", "System")


@pytest.mark.spec("A-20")
def test_a_permitted_user_tags_a_contact_and_the_row_shows_it(world: World, login: Login) -> None:
    grant(world, "consultant", SET_TAGS)
    contact, tags = world.contact(), [world.tag("老客户推荐"), world.tag("精装房")]
    client = login("seller")
    client.post("/contacts/action/tag", data={"id": contact.id, "tags": [t.id for t in tags], "mode": "add"})
    page = client.get("/contacts/").get_data(as_text=True)
    assert "老客户推荐" in page and "精装房" in page


@pytest.mark.spec("A-21")
def test_without_the_right_the_button_is_grey_and_the_server_refuses(world: World, login: Login) -> None:
    contact, tag = world.contact(), world.tag("衣柜")
    client = login("seller")
    page = client.get(f"/contacts/{contact.id}").get_data(as_text=True)
    assert "打标签" in page and "设置标签" in page
    answer = client.post("/contacts/action/tag", data={"id": contact.id, "tags": tag.id, "mode": "add"})
    assert answer.status_code == 403
    with pytest.raises(Forbidden):
        world.act("tag", contact, tags=[tag.id])
    assert db.session.scalars(select(ContactTag)).all() == []


@pytest.mark.spec("A-22")
def test_ticking_the_right_for_a_role_opens_it_to_all_who_have_it(world: World, login: Login) -> None:
    contact, tag = world.contact(), world.tag("衣柜")
    clients = {who: login(who) for who in ("seller", "seller2")}
    assert clients["seller"].get("/contacts/action/tag", query_string={"id": contact.id}).status_code == 403
    grant(world, "consultant", SET_TAGS)
    page = clients["seller"].get("/contacts/action/tag", query_string={"id": contact.id})
    assert page.status_code == 200 and "衣柜" in page.get_data(as_text=True)
    assert world.actor("seller2").can(*SET_TAGS)
    world.act("tag", contact, tags=[tag.id])


@pytest.mark.spec("A-23")
def test_without_tags_a_sentence_is_shown_instead_of_an_empty_picker(world: World, login: Login) -> None:
    grant(world, "consultant", SET_TAGS)
    contact = world.contact()
    answer = login("seller").get(
        "/contacts/action/tag", query_string={"id": contact.id}, follow_redirects=True
    )
    assert "暂时无标签，请联系商场系统管理员去配置标签" in answer.get_data(as_text=True)


@pytest.mark.spec("A-24")
def test_a_new_tag_is_offered_at_once_in_its_dealer_only(world: World, login: Login) -> None:
    grant(world, "consultant", SET_TAGS)
    grant(world, "consultant", SET_TAGS, world.b)
    contact, other = world.contact(), world.contact("outsider")
    admin = login("boss")
    assert "标签管理" in admin.get("/tags/").get_data(as_text=True)
    admin.post("/tags/new", data={"name": "老客户推荐", "tone": "a"})
    mine = login("seller").get("/contacts/action/tag", query_string={"id": contact.id})
    assert "老客户推荐" in mine.get_data(as_text=True)
    theirs = login("outsider").get(
        "/contacts/action/tag", query_string={"id": other.id}, follow_redirects=True
    )
    assert "老客户推荐" not in theirs.get_data(as_text=True)
    tag = db.session.scalars(select(Tag)).one()
    admin.post(f"/tags/{tag.id}/edit", data={"name": "老客介绍", "tone": "g", "version": tag.version})
    assert "老客介绍" in admin.get("/tags/", query_string={"q": "老客"}).get_data(as_text=True)


@pytest.mark.spec("A-25")
def test_deleting_a_used_tag_asks_with_the_number(world: World, login: Login) -> None:
    tag = world.tag("价格敏感")
    for name in ("甲", "乙", "丙"):
        world.act("tag", world.contact(name=f"{name}先生"), by="boss", tags=[tag.id])
    with pytest.raises(Question) as asked:
        remove(resource("tags"), tag.id, world.actor("boss"))
    assert "3位潜客" in asked.value.text
    admin = login("boss")
    assert "3位潜客" in admin.post(f"/tags/{tag.id}/delete").get_data(as_text=True)
    admin.post(f"/tags/{tag.id}/delete", data={"_answer": "remove"})
    assert db.session.scalars(select(ContactTag)).all() == []
    assert "价格敏感" not in admin.get("/contacts/").get_data(as_text=True)


@pytest.mark.spec("A-25")
def test_a_tag_is_renamed_everywhere_and_its_name_is_unique(world: World, login: Login) -> None:
    tag, contact = world.tag("旧名"), world.contact()
    world.act("tag", contact, by="boss", tags=[tag.id])
    world.change(tag, "boss", name="新名")
    assert "新名" in login("seller").get("/contacts/").get_data(as_text=True)
    with pytest.raises(Invalid, match="标签名称已存在"):
        world.tag("新名")


def test_tags_are_offered_in_their_colours_under_their_groups(world: World, login: Login) -> None:
    for name, group, tone in (("婚房", "需求", "r"), ("全屋", "需求", "c"), ("高意向", "意向", "g")):
        world.make("tags", "boss", name=name, group_name=group, tone=TagTone.of(tone))
    customer = world.customer()
    page = login("boss").get(f"/customers/action/tag?id={customer.id}").get_data(as_text=True)
    part = page.partition('data-field="tags"')[2].partition("data-field=")[0]
    assert part.index(">意向<") < part.index(">高意向<") < part.index(">需求<") < part.index(">婚房<")
    assert '<span class="t r">婚房</span>' in part and '<span class="t c">全屋</span>' in part


def test_a_colour_is_shown_in_itself(world: World, login: Login) -> None:
    world.make("tags", "boss", name="婚房", tone=TagTone.RED)
    client = login("boss")
    assert '<span class="t r">红色</span>' in client.get("/tags/").get_data(as_text=True)
    form = client.get("/tags/new").get_data(as_text=True)
    assert re.search(r'type="radio" name="tone" value="g"[^>]*><span class="t g">绿色</span>', form)
    entries = login("boss").get("/dictionary_entries/?dictionary=customer.level").get_data(as_text=True)
    assert '<span class="t r">红色</span>' in entries
