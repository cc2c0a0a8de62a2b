"""What a changed quota or number scheme would come to, said before it is saved."""

from __future__ import annotations

from typing import Any

import pytest

from app.engine.database import db, utcnow
from models.registrations import quota
from tests.plugins.people import Login
from tests.registrations.filed import file, judge
from tests.registrations.world import Channel


@pytest.fixture
def channel(channel_trade: Channel) -> Channel:
    """Two dealers with the people of the channel."""
    return channel_trade


def previewed(login: Login, limit: str) -> str:
    """The page of settings after 查看影响 with that quota."""
    from tests.shaping.test_parameters_page import URL, opened

    client = login("boss")
    _, form = opened(client)
    return client.post(URL, data=form | {"registration.daily_limit": limit, "do": "preview"}).text


def test_a_quota_says_how_many_have_filed_as_much_today(channel: Channel, login: Login) -> None:
    made: list[Any] = [file(channel, "worker1") for _ in range(3)]
    file(channel, "worker2")
    assert "按每日2条，今日有 1 人已报满" in previewed(login, "2")
    assert "按每日1条，今日有 2 人已报满" in previewed(login, "1")
    assert "按每日4条，今日无人报满" in previewed(login, "4")
    assert "不限制" in previewed(login, "0")
    judge(made[0].id, utcnow())
    judge(made[1].id, utcnow())
    assert "按每日2条，今日无人报满" in previewed(login, "2")
    channel.make("registration_quotas", "boss", employee_id=channel.people["worker2"].id, daily_limit=9)
    assert quota.above(db.session(), channel.a.id, 1, utcnow()) == 1


def test_a_limit_of_ones_own_below_what_is_filed_is_said_on_saving(channel: Channel, login: Login) -> None:
    for _ in range(3):
        file(channel, "worker1")
    form = {"employee_id": str(channel.people["worker1"].id), "daily_limit": "2"}
    page = login("boss").post("/registration_quotas/new", data=form, follow_redirects=True).text
    assert "今日已报备3条，按新容量今日不能再报备" in page
