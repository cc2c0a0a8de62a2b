"""通知用语: the product's own messages in the words of administrators, and nothing guarded in them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.engine.actions import Invalid, Refusal
from app.engine.audit import acting
from app.engine.database import db, utcnow
from app.engine.perform import create
from app.engine.resource import resource
from models.customers.tables import Customer
from models.follow_ups import notices as follow_up_notices
from models.identity.rights import bump_epoch
from models.notifications import sentences
from models.notifications.tables import Notification
from models.shaping import notice_rules
from models.shaping.notice_tables import NoticeWords
from tests.customers.world import World, words
from tests.plugins.databases import statements
from tests.plugins.people import Login

GIVEN = "customer.given"


def say(
    world: World, one: str, many: str | None = "收到{{数量}}位客户", by: str = "boss", **more: Any
) -> Any:
    """Other words for the message that somebody gets a customer."""
    values = {"sentence": GIVEN, "one": one, "many": many, "active": True, **more}
    made, _ = create(resource("notice_words"), values, world.actor(by))
    return made


def give(world: World, *customers: Customer) -> str:
    """Hand customers to the second consultant, and read what he is told."""
    report = world.act("reassign", list(customers), "boss", owner=world.people["seller2"].id)
    assert not report.refused
    mine = Notification.user_id == world.people["seller2"].id
    newest = select(Notification.title).where(mine).order_by(Notification.id.desc())
    return db.session.scalars(newest.limit(1)).one()


def test_messages_say_it_in_the_dealers_words_and_again_in_the_products(world: World) -> None:
    assert give(world, world.customer(name="甲")) == "总管将客户甲交给您"
    made = say(world, "【新客户】{{客户}} · {{阶段}}，由{{操作人}}转来")
    assert give(world, world.customer(name="乙")) == "【新客户】乙 · 跟进中，由总管转来"
    assert give(world, world.customer(name="丙"), world.customer(name="丁")) == "收到2位客户"
    world.change(made, "boss", active=False)
    assert give(world, world.customer(name="戊")) == "总管将客户戊交给您"


def test_the_groups_words_hold_until_a_dealer_has_its_own(world: World) -> None:
    made = NoticeWords(sentence=GIVEN, one="集团：{{客户}}", many="集团：{{数量}}位", active=True)
    with acting(db.session()):
        db.session.add(made)
        db.session.commit()
    assert give(world, world.customer(name="甲")) == "集团：甲"
    with pytest.raises(Refusal, match="集团预置"):
        world.change(made, "boss", one="我的：{{客户}}")
    db.session.rollback()
    say(world, "商场：{{客户}}")
    assert give(world, world.customer(name="乙")) == "商场：乙"


def test_what_cannot_be_filled_in_any_more_gives_way_to_the_products_words(world: World) -> None:
    made = say(world, "{{客户}}交给您")
    table: Any = NoticeWords.__table__
    broken = (
        update(table).where(table.c.id == made.id).values(one="{{没有的}}{{客户}}", many="{{没有的}}{{数量}}")
    )
    db.session.execute(broken.execution_options(audited=True))
    bump_epoch(db.session())
    db.session.commit()
    assert give(world, world.customer(name="甲")) == "总管将客户甲交给您"
    assert give(world, world.customer(name="乙"), world.customer(name="丙")) == "总管将2位客户交给您"


def test_two_messages_of_a_deed_stay_two_whatever_they_are_said_in(world: World) -> None:
    say(world, "客户有变动", "{{数量}}位客户有变动")
    create(
        resource("notice_words"),
        {"sentence": "customer.taken", "one": "客户有变动", "many": "{{数量}}位客户有变动", "active": True},
        world.actor("boss"),
    )
    customer = world.customer(name="甲")
    there = world.customer("seller2", name="乙")
    world.act("reassign", [customer], "boss", owner=world.people["seller2"].id)
    world.act("reassign", [customer, there], "boss", owner=world.people["drawer"].id)
    mine = Notification.user_id == world.people["seller2"].id
    found = db.session.scalars(select(Notification.title).where(mine).order_by(Notification.id)).all()
    assert list(found)[-2:] == ["客户有变动", "2位客户有变动"]


@pytest.mark.parametrize(
    ("one", "many", "reason"),
    [
        ("{{客户}} {{手机号码}}", "{{数量}}位", "“手机号码”受“客户电话显示加密”保护，通知中不能使用"),
        ("{{客户", "{{数量}}位", "没有成对"),
        ("{{接手人}}", "{{数量}}位", "没有“接手人”"),
        ("{{客户}}", "{{客户}}等", "“客户”因记录而异，只能用在单条文字中"),
        ("{{客户}}", None, "请填写多条文字"),
    ],
)
def test_words_that_name_what_is_not_there_or_guarded_are_refused(
    world: World, one: str, many: str | None, reason: str
) -> None:
    with pytest.raises(Invalid) as wrong:
        say(world, one, many)
    assert reason in "；".join(wrong.value.errors.values())
    db.session.rollback()
    assert db.session.scalars(select(NoticeWords)).all() == []


@pytest.mark.sqlite_only
def test_every_declared_sentence_would_be_accepted_and_can_be_filled_in(world: World) -> None:
    for said in sentences.sentences():
        assert notice_rules.check(said, {"one": said.one, "many": said.many}) == {}, said.key
        values = {**said.places, **said.single, sentences.AMOUNT: "3"}
        for text in filter(None, (said.one, said.many)):
            assert "{{" not in sentences.fill(said, text, values)
        assert not any(spec.guard for n, spec in sentences.fields_of(said).items()
                       if n in sentences.offered(said, several=False))  # fmt: skip


def test_the_heading_of_the_daily_summary_is_a_sentence_too(world: World) -> None:
    values = {"sentence": "todo.daily", "one": "早安！{{统计}}", "active": True}
    with pytest.raises(Invalid, match="没有多条的说法"):
        create(resource("notice_words"), {**values, "many": "{{数量}}"}, world.actor("boss"))
    db.session.rollback()
    create(resource("notice_words"), values, world.actor("boss"))
    due = utcnow() + timedelta(minutes=10)
    world.make("tasks", "seller", subject="回访", due_at=due, customer_id=world.customer().id)
    found = follow_up_notices.digests(db.session(), [world.people["seller"].id], due, now=due)
    assert found[0]["title"].startswith("早安！")


def test_the_page_shows_every_message_with_its_words_and_takes_them_back(world: World, login: Login) -> None:
    client = login("boss")
    page = words(client.get("/notice-words/").get_data(as_text=True))
    assert "{{操作人}}将客户{{客户}}交给您" in page and "系统默认" in page
    form = client.get(f"/notice_words/new?sentence={GIVEN}").get_data(as_text=True)
    assert "{{操作人}}将{{数量}}位客户交给您" in form
    typed = {"sentence": GIVEN, "one": "{{客户}}归您了", "many": "{{数量}}位归您了", "active": "1"}
    world.customer(name="王先生")
    look = client.post("/notice_words/new/preview", data=typed).get_data(as_text=True)
    assert "王先生归您了" in look and "3位归您了" in look
    guarded = {**typed, "one": "{{手机号码}}"}
    look = client.post("/notice_words/new/preview", data=guarded).get_data(as_text=True)
    assert "通知中不能使用" in look
    answer = client.post("/notice_words/new", data=guarded)
    assert answer.status_code == 400 and "通知中不能使用" in answer.get_data(as_text=True)
    assert "手机号码" not in client.get(f"/notice_words/new/placeholders?sentence={GIVEN}").get_data(
        as_text=True
    )
    assert client.post("/notice_words/new", data=typed).status_code == 302
    client.get("/notice-words/")
    asked = statements(db.engine)
    page = client.get("/notice-words/").get_data(as_text=True)
    assert len(asked) <= 8
    assert "{{客户}}归您了" in page and "本商场" in page and "恢复默认" in page
    made = db.session.scalars(select(NoticeWords)).one()
    assert client.post(f"/notice_words/{made.id}/delete", data={"version": made.version}).status_code == 302
    assert "{{客户}}归您了" not in client.get("/notice-words/").get_data(as_text=True)
    assert login("seller").get("/notice-words/").status_code == 403
    assert login("seller").post("/notice_words/new/preview", data=typed).status_code == 403
    assert client.get("/notice_words/new/placeholders?sentence=nothing").status_code == 404


@pytest.mark.sqlite_only
def test_before_a_message_is_chosen_its_preview_asks_for_it_and_the_placeholders_are_those_of_all(
    world: World, login: Login
) -> None:
    client = login("boss")
    look = client.post("/notice_words/new/preview", data={"sentence": "", "one": "您好"})
    assert look.status_code == 200 and "请先选择通知" in look.get_data(as_text=True)
    page = client.get("/notice_words/new/placeholders").get_data(as_text=True)
    assert page.count("<section") == len(sentences.sentences()) and "{{操作人}}" in page
