"""我的提醒消息: own messages only, by kind, opened once, linked as far as the reader may see."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.engine.database import db, utcnow
from models.notifications import inbox
from models.notifications.rules import ITEMS, notify, notify_many
from models.notifications.tables import NoticeKind, Notification
from tests.customers.world import PASSWORD, World
from tests.plugins.people import Login
from tests.spec.reading import links, page


def put(world: World, user: str, title: str, kind: NoticeKind = NoticeKind.INSTANT, **more: Any) -> int:
    """One message to that person."""
    more.setdefault("now", utcnow())
    (pk,) = notify(
        db.session(), users=[world.people[user].id], kind=kind, topic="customer", title=title, **more
    )
    db.session.commit()
    return pk


def titles(shown: str) -> list[str]:
    """The messages of a page, in order."""
    return re.findall(r'<a class="nt"[^>]*>(.*?)</a>', shown)


def bell(client: FlaskClient) -> str:
    """The number at the bell of a page."""
    found = re.search(r'data-bell aria-label="我的提醒消息(?:，(.*?) 条未读)?"', page(client, "/profile"))
    assert found
    return found[1] or ""


@pytest.mark.spec("A-30")
def test_there_are_five_kinds_and_the_list_is_filtered_by_them(world: World, login: Login) -> None:
    labels = ["默认提醒", "强提醒", "定时提醒", "整点提醒", "实时提醒"]
    assert [kind.label for kind in NoticeKind] == labels
    for kind in NoticeKind:
        put(world, "seller", f"一条{kind.label}", kind)
    client = login("seller")
    everything = page(client, "/notifications/")
    tabs = links(everything, "提醒类型")
    assert list(tabs) == ["全部类型", *labels] and len(titles(everything)) == 5
    for label in labels:
        assert titles(page(client, tabs[label])) == [f"一条{label}"]


def test_everybody_has_the_own_messages_and_nobody_elses(world: World, login: Login) -> None:
    mine, other = put(world, "seller", "给导购甲"), put(world, "seller2", "给导购乙")
    assert titles(page(login("seller"), "/notifications/")) == ["给导购甲"]
    assert login("boss").get(f"/notifications/{mine}").status_code == 404
    assert login("seller").get(f"/notifications/{other}").status_code == 404
    login("seller").post("/notifications/read", data={"id": [mine, other]})
    unread = select(Notification.title).where(Notification.read_at.is_(None))
    assert list(db.session.scalars(unread)) == ["给导购乙"]


def test_the_bell_counts_what_is_unread_and_the_persons_own_reading_shows_at_once(
    world: World, login: Login
) -> None:
    client = login("seller")
    assert bell(client) == ""
    first = put(world, "seller", "甲")
    for n in range(2):
        put(world, "seller", f"乙{n}")
    assert client.get("/notifications/unread").get_json() == {"unread": "3"}
    client.post("/notifications/read", data={"id": first})
    assert bell(client) == "2"
    second = db.session.scalars(select(Notification.id).where(Notification.title == "乙0")).one()
    client.get(f"/notifications/{second}")
    assert bell(client) == "1"
    client.post("/notifications/read", data={"all": "1"})
    assert bell(client) == "" and "全部标为已读" not in page(client, "/notifications/")


def test_more_than_99_are_not_counted(world: World, login: Login) -> None:
    row = {"user_id": world.people["seller"].id, "kind": NoticeKind.INSTANT, "topic": "order", "title": "甲"}
    notify_many(db.session(), [row | {"created_at": utcnow()} for _ in range(150)])
    assert login("seller").get("/notifications/unread").get_json() == {"unread": "99+"}
    assert bell(login("seller")) == "99+"


def test_opening_leads_to_the_record_and_marks_as_read(world: World, login: Login) -> None:
    customer = world.customer(name="张三")
    pk = put(world, "seller", "客户张三", about=("customers", customer.id))
    answer = login("seller").get(f"/notifications/{pk}")
    assert answer.status_code == 302 and answer.location == f"/customers/{customer.id}"
    assert db.session.get_one(Notification, pk).read_at is not None


@pytest.mark.parametrize("about", [("customers", 99999), ("nothing", 1), ("notifications", 1)])
def test_a_record_out_of_reach_leaves_a_sentence(world: World, login: Login, about: tuple[str, int]) -> None:
    others = world.customer("seller2", name="别人的")
    place = ("customers", others.id) if about[1] == 99999 else about
    pk = put(world, "seller", "客户别人的", about=place)
    shown = page(login("seller"), f"/notifications/{pk}")
    assert "客户别人的" in shown and "您已无权查看相关记录" in shown
    assert f"/{place[0]}/{place[1]}" not in shown
    assert "您已无权查看相关记录" in page(login("seller"), "/notifications/")


def test_a_summary_shows_its_groups_with_links_to_what_may_be_seen(world: World, login: Login) -> None:
    mine, others = world.customer(name="我的"), world.customer("seller2", name="别人的")
    items = [
        {"group": "建档", "title": "我的", "note": "09:00", "resource": "customers", "id": mine.id},
        {"group": "建档", "title": "别人的", "resource": "customers", "id": others.id},
        {"group": "财务", "title": "没有记录", "resource": None, "id": None},
    ]
    pk = put(world, "seller", "小结", NoticeKind.HOURLY, items=items)
    shown = page(login("seller"), f"/notifications/{pk}")
    assert re.findall(r"<h2[^>]*>(.*?)<b>(\d+)</b>", shown) == [("建档", "2"), ("财务", "1")]
    assert f'href="/customers/{mine.id}"' in shown and f'href="/customers/{others.id}"' not in shown
    assert "别人的" in shown and "没有记录" in shown and "09:00" in shown


def test_a_long_list_keeps_some_and_counts_all(world: World) -> None:
    items = [{"group": "", "title": f"第{n}项", "resource": None, "id": None} for n in range(ITEMS + 20)]
    pk = put(world, "seller", "很多", items=items)
    found = db.session.get_one(Notification, pk)
    assert len(found.items or ()) == ITEMS and found.amount == ITEMS + 20


def test_pages_go_on_by_place_both_ways(world: World, login: Login) -> None:
    start = utcnow() - timedelta(days=1)
    for n in range(inbox.PER_PAGE * 2 + 5):
        put(world, "seller", f"第{n:02d}条", now=start + timedelta(minutes=n // 3))
    client = login("seller")
    seen, address, pages = [], "/notifications/", []
    while address:
        shown = page(client, address)
        pages.append(titles(shown))
        seen += pages[-1]
        address = links(shown, "翻页").get("较早", "")
    assert seen == sorted(seen, reverse=True) and len(seen) == 45 and [len(p) for p in pages] == [20, 20, 5]
    back = page(client, links(page(client, "/notifications/"), "翻页")["较早"])
    assert titles(page(client, links(back, "翻页")["较新"])) == pages[0]


@pytest.mark.parametrize(
    "query", ["kind=x", "before=x", "before=2026-01-01_0", "after=2026-01-01T00:00:00+08:00_3", "unread=2"]
)
def test_nonsense_in_the_address_is_no_error(world: World, login: Login, query: str) -> None:
    put(world, "seller", "甲")
    assert titles(page(login("seller"), f"/notifications/?{query}")) == ["甲"]


def test_what_drops_down_are_the_newest_eight(world: World, login: Login) -> None:
    for n in range(10):
        put(world, "seller", f"第{n}条")
    shown = page(login("seller"), "/notifications/newest")
    assert re.findall(r'class="nt">(.*?)<', shown) == [f"第{n}条" for n in range(9, 1, -1)]


def test_nobody_signed_in_hears_nothing(app: Flask, client: FlaskClient) -> None:
    quiet = {"X-Requested-With": "fetch"}
    for path in ("unread", "newest"):
        assert client.get(f"/notifications/{path}", headers=quiet).status_code == 401
    assert client.get("/notifications/").status_code == 302


def test_waiting_pages_do_not_keep_a_session_alive(app: Flask, world: World, client: FlaskClient) -> None:
    """The cookie ends some hours after the last thing a person did, not after the last question of a page."""
    client.post("/login", data={"username": "seller", "password": PASSWORD})
    assert client.get("/notifications/").headers.getlist("Set-Cookie")
    for _ in range(3):
        assert not client.get("/notifications/unread").headers.getlist("Set-Cookie")


def test_a_message_is_made_once_by_its_key(world: World) -> None:
    person = world.people["seller"].id
    made = [
        notify(
            db.session(), users=[person, None, person], kind=NoticeKind.DEFAULT, topic="x", title="甲",
            now=utcnow(), key="once",
        )
        for _ in range(2)
    ]  # fmt: skip
    assert [len(ids) for ids in made] == [1, 0]


def test_old_messages_are_forgotten(world: World, run_outbox: Any) -> None:
    from app.engine import outbox

    now = utcnow()
    put(world, "seller", "旧", now=now - inbox.KEPT - timedelta(days=1))
    put(world, "seller", "新", now=now - inbox.KEPT + timedelta(days=1))
    outbox.put(db.session(), "notices.prune", {"slot": now.isoformat()}, now=now)
    run_outbox()
    assert list(db.session.scalars(select(Notification.title))) == ["新"]
