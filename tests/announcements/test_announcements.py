"""Announcements: published by the administrator, read by everybody (C-03…C-06)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.engine.database import db, utcnow
from models.announcements.tables import Announcement, AnnouncementRead
from models.notifications.tables import NoticeKind, Notification
from tests.customers.world import World, words
from tests.plugins.databases import statements
from tests.plugins.people import Login

EVERYBODY = ("boss", "keeper", "seller", "drawer", "typist")


def publish(world: World, title: str, by: str = "boss", body: str = "详情见附件", days: int = 0) -> Any:
    """An announcement of some days ago."""
    return world.make("announcements", by, now=utcnow() - timedelta(days=days), title=title, body=body)


def home(client: Any) -> str:
    """The block 公告通知 of the home page."""
    page = client.get("/").text
    found = re.search(r'<section class="card0 notice-b".*?</section>', page, re.S)
    assert found is not None
    return found.group()


@pytest.mark.spec("C-03")
def test_the_administrator_publishes_and_nobody_else_has_the_button(world: World, login: Login) -> None:
    answer = login("boss").post("/announcements/new", data={"title": "盘点通知", "body": "周五盘点"})
    made = db.session.scalars(select(Announcement)).one()
    assert answer.location == f"/announcements/{made.id}"
    assert (made.publisher_id, made.dealer_id) == (world.people["boss"].id, world.a.id)
    assert "发布公告" in login("boss").get("/notices/").text
    for key in EVERYBODY[1:]:
        client = login(key)
        assert "发布公告" not in client.get("/notices/").text + client.get("/").text
        assert client.get("/announcements/new").status_code == 403
        assert client.post("/announcements/new", data={"title": "乙", "body": "丙"}).status_code == 403
        assert client.post("/announcements/action/withdraw", data={"id": made.id}).status_code == 403
        assert client.post(f"/announcements/{made.id}/edit", data={"title": "乙"}).status_code == 403
    assert db.session.scalar(select(func.count()).select_from(Announcement)) == 1


@pytest.mark.spec("C-02", "C-04")
def test_everybodys_home_page_shows_the_newest(world: World, login: Login) -> None:
    assert "公告通知" in home(login("seller")) and "暂无数据" in home(login("seller"))
    publish(world, "公告一", days=1)
    publish(world, "公告二")
    for key in EVERYBODY:
        block = home(login(key))
        assert "公告二" in block and "公告一" not in block


@pytest.mark.spec("C-05")
def test_more_leads_to_the_history_newest_first_twenty_a_page(world: World, login: Login) -> None:
    for n in range(23):
        publish(world, f"公告{n:02d}号", days=30 - n)
    client = login("seller")
    assert 'href="/notices/">更多' in home(client)
    page = client.get("/notices/").text
    assert re.findall(r"公告\d\d号", page) == [f"公告{n:02d}号" for n in range(22, 2, -1)]
    older = re.search(r'href="(/notices/\?page=2)"', page).group(1)  # type: ignore[union-attr]
    page = client.get(older).text
    assert re.findall(r"公告\d\d号", page) == ["公告02号", "公告01号", "公告00号"]
    assert client.get("/notices/?page=99999999999").status_code == 200


@pytest.mark.spec("C-06")
def test_the_red_dot_goes_away_for_who_opened_it_and_stays_for_others(world: World, login: Login) -> None:
    made = publish(world, "新品上市", body="详见 https://example.com/new?a=1&b=2 。\n<b>注意</b>")
    first, second = login("seller"), login("seller2")
    assert "未读" in home(first) and "未读" in home(second)
    page = first.get(f"/notices/{made.id}").text
    assert "新品上市" in page and "总管" in page
    assert '<a class="link" href="https://example.com/new?a=1&amp;b=2"' in page
    assert "&lt;b&gt;注意&lt;/b&gt;" in page
    assert "未读" in home(first)
    for _ in range(2):
        assert first.post(f"/notices/{made.id}/read").status_code == 302
    assert "未读" not in home(first) and "未读" not in first.get("/notices/").text
    assert "未读" in home(second)
    assert db.session.scalar(select(func.count()).select_from(AnnouncementRead)) == 1
    assert "data-read" not in first.get(f"/notices/{made.id}").text


@pytest.mark.spec("C-06")
@pytest.mark.parametrize("title", ["", "长" * 101])
def test_a_title_is_required_and_has_at_most_a_hundred_characters(
    world: World, login: Login, title: str
) -> None:
    answer = login("boss").post("/announcements/new", data={"title": title, "body": "内容"})
    assert answer.status_code == 400 and ("标题" in answer.text)
    assert db.session.scalar(select(func.count()).select_from(Announcement)) == 0
    publish(world, "长" * 100)
    assert db.session.scalar(select(func.count()).select_from(Announcement)) == 1


@pytest.mark.spec("C-06")
def test_a_withdrawn_one_is_on_nobodys_home_page(world: World, login: Login) -> None:
    old, new = publish(world, "旧公告", days=1), publish(world, "错误的公告")
    client = login("boss")
    assert "撤回" in client.get(f"/notices/{new.id}").text
    client.post("/announcements/action/withdraw", data={"id": new.id})
    for key in EVERYBODY:
        other = login(key)
        assert "旧公告" in home(other) and "错误的公告" not in home(other)
        assert "错误的公告" not in other.get("/notices/").text
        assert other.get(f"/notices/{new.id}").status_code == 404
        assert other.post(f"/notices/{new.id}/read").status_code == 404
    assert "错误的公告" in client.get("/announcements/").text
    again = client.post("/announcements/action/withdraw", data={"id": new.id}, follow_redirects=True)
    assert "该公告已撤回" in again.text
    db.session.refresh(old)
    assert old.withdrawn_at is None


def test_another_dealer_reads_nothing_of_it(world: World, login: Login) -> None:
    made = publish(world, "内部通知")
    stranger = login("outsider")
    assert "内部通知" not in stranger.get("/").text + stranger.get("/notices/").text
    assert stranger.get(f"/notices/{made.id}").status_code == 404
    assert stranger.post(f"/notices/{made.id}/read").status_code == 404


def test_nobody_reads_without_signing_in(world: World, client: Any) -> None:
    made = publish(world, "内部通知")
    for path in ("/notices/", f"/notices/{made.id}"):
        assert "内部通知" not in client.get(path, follow_redirects=True).text


@pytest.mark.spec("C-04")
def test_everybody_is_told_once_in_one_statement(world: World, run_outbox: Any, login: Login) -> None:
    made = publish(world, "盘点通知")
    seen = statements(db.engine)
    run_outbox()
    run_outbox()
    told = db.session.scalars(select(Notification)).all()
    names = {k for k, p in world.people.items() for n in told if n.user_id == p.id}
    assert {"keeper", "seller", "seller2", "drawer", "typist"} <= names and not names & {"boss", "outsider"}
    assert len(told) == len({n.user_id for n in told})
    assert {(n.kind, n.topic, n.resource, n.record_id) for n in told} == {
        (NoticeKind.INSTANT, "announcement", "announcements", made.id)
    }
    assert sum("INSERT INTO notifications" in s for s in seen) == 1
    assert re.search(r"实时提醒</span>公告 · ", login("keeper").get("/notifications/").text)
    world.act("withdraw", made, by="boss")
    unread = select(func.count()).select_from(Notification).where(Notification.read_at.is_(None))
    assert db.session.scalar(unread) == 0


def test_the_message_opens_the_announcement_until_it_is_withdrawn(
    world: World, login: Login, run_outbox: Any
) -> None:
    made = publish(world, "盘点通知")
    run_outbox()
    mine = select(Notification.id).where(Notification.user_id == world.people["seller"].id)
    message = f"/notifications/{db.session.scalars(mine).one()}"
    client = login("seller")
    assert "无权查看" not in client.get("/notifications/").text
    assert client.get(message).location == f"/notices/{made.id}"
    world.act("withdraw", made, by="boss")
    assert "记录已不存在" in client.get(message).text


def test_nobody_is_told_of_what_was_withdrawn_at_once(world: World, run_outbox: Any) -> None:
    world.act("withdraw", publish(world, "错了"), by="boss")
    run_outbox()
    assert db.session.scalars(select(Notification)).all() == []


def test_its_text_is_no_markup(world: World, login: Login) -> None:
    publish(world, "<script>alert(1)</script>", body='x" onmouseover="y https://a.example/"><i>')
    client = login("seller")
    made = db.session.scalar(select(Announcement.id))
    for path in ("/", "/notices/", f"/notices/{made}"):
        page = client.get(path).text
        assert "<script>alert" not in page and '" onmouseover="' not in words(page).replace("&#34;", "")
        assert 'href="https://a.example/"' in page or path != f"/notices/{made}"
