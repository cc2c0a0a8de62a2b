"""Calling other systems: signed, once per number, never inward, and with nothing that is guarded."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from sqlalchemy import select

from app.engine import outbox
from app.engine.database import db, utcnow
from app.engine.perform import perform
from models.shaping.automation_hooks import KIND, show_key, signing_key
from models.shaping.automation_tables import Automation
from tests.customers.world import World
from tests.notifications.conftest import Robot
from tests.notifications.conftest import robot as robot
from tests.shaping.automations import automation, runs, waiting, work


def calling(world: World, url: str) -> Automation:
    return automation(world, name="推送客户", do_1="hook", url_1=url)


def test_the_other_system_is_told_and_knows_from_whom(world: World, robot: Robot) -> None:
    made = calling(world, f"{robot.url}/in")
    customer = world.customer(name="王女士", phone="13912345678", remark="安静")
    work()
    assert runs()[0] == ("done", "已提交发送到 127.0.0.1")
    assert not robot.posts  # nothing leaves before its transaction is over
    (number,) = waiting(KIND)
    work(KIND)
    headers, body = robot.raw[0]
    key = signing_key(made.id)
    assert perform(show_key, [made.id], world.actor("boss")).told == (key,)
    stamp = headers["X-Zhike-Timestamp"]
    meant = hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Zhike-Signature"] == f"sha256={meant}"
    assert headers["X-Zhike-Delivery"] == str(number)
    said = json.loads(body)
    assert (said["automation"], said["event"], said["resource"]) == ("推送客户", "created", "customers")
    assert (said["record"]["id"], said["record"]["name"]) == (customer.id, "王女士")
    assert said["record"]["remark"] == "安静"


def test_nothing_that_is_guarded_leaves_not_even_masked(world: World, robot: Robot) -> None:
    calling(world, f"{robot.url}/in")
    world.customer(name="王女士", phone="13912345678", phones=["13987654321"])
    work()
    work(KIND)
    text = json.dumps(robot.posts, ensure_ascii=False)
    assert "王女士" in text
    for part in ("phone", "1391234", "5678", "4321", "****"):
        assert part not in text


@pytest.mark.sqlite_only
def test_what_cannot_arrive_is_tried_again_then_stands_in_the_log(world: World, robot: Robot) -> None:
    calling(world, f"{robot.url}/in")
    world.customer(name="王女士")
    work()
    (row,) = waiting(KIND)
    robot.answers = [(503, {}), (404, {})]
    session = db.session()
    assert outbox.deliver(session, row, now=utcnow()) is outbox.Outcome.RETRY
    later = session.scalar(select(outbox.OutboxRow.available_at).where(outbox.OutboxRow.id == row))
    assert outbox.deliver(session, row, now=later) is outbox.Outcome.PARKED
    assert [outcome for outcome, _ in runs()] == ["done", "refused"]
    assert runs()[1][1] == "接口未送达，不再重试：接口地址返回 404"


@pytest.mark.sqlite_only
@pytest.mark.parametrize("place", ["10.0.0.8", "127.0.0.1", "169.254.169.254"])
def test_a_name_that_leads_inward_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """The address was fine when it was saved; what its name means is looked at when it is called."""
    from models.notifications import outward

    calling(world, "https://hooks.example.com/in")
    world.customer()
    work()
    monkeypatch.setattr(outward.socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (place, 443))])
    (row,) = waiting(KIND)
    assert outbox.deliver(db.session(), row, now=utcnow()) is outbox.Outcome.PARKED
    assert runs()[1] == ("refused", "接口未送达，不再重试：接口地址不能指向内部网络")
