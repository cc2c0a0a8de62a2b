"""Times as people say them: what is waited for, what was said, and how long ago it was."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from app.engine.cells import Due, ago, html
from app.engine.fields import describe
from app.engine.guards import CUSTOMER_PHONE, Hidden
from app.engine.localtime import local, to_utc
from models.customers.tables import Customer, FollowUpKind
from models.follow_ups.tables import FollowUp, Task, TaskState

NOW = to_utc(datetime(2026, 11, 26, 21, 0))


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (datetime(2026, 11, 26, 22, 30), "今天 22:30"),
        (datetime(2026, 11, 27, 9, 30), "明天 09:30"),
        (datetime(2026, 11, 28, 9, 30), "2026-11-28 09:30"),
        (datetime(2026, 11, 26, 20, 40), "已超时 20 分钟"),
        (datetime(2026, 11, 26, 17, 0), "已超时 4 小时"),
        (datetime(2026, 11, 25, 22, 0), "已超时 23 小时"),
        (datetime(2026, 11, 25, 20, 0), "已超时 1 天"),
    ],
)
def test_a_moment_waited_for_is_said_in_words(at: datetime, words: str) -> None:
    assert Due(to_utc(at)).html(NOW).striptags() == words


@pytest.mark.parametrize(
    ("days", "words"),
    [(0, "今天 21:00"), (1, "昨天 21:00"), (8, "8 天前"), (30, "30 天前"), (31, "2026-10-26")],
)
def test_how_long_ago_something_was(days: int, words: str) -> None:
    shown = ago(NOW - timedelta(days=days), NOW)
    assert shown.striptags() == words
    assert f'title="{local(NOW - timedelta(days=days)):%Y-%m-%d %H:%M}"' in shown


def test_the_last_contact_reads_when_how_and_what() -> None:
    spec = describe(Customer.last_follow_up_text)
    said = f"{FollowUpKind.CALL.label} · 预约<周末>到店"
    at = to_utc(datetime(2026, 11, 26, 9, 12))
    shown = html(spec, said, now=NOW, beside=(at, FollowUpKind.CALL))
    assert shown.striptags() == "今天 09:12 · 电话 预约<周末>到店"
    assert 'title="2026-11-26 09:12 电话 预约&lt;周末&gt;到店"' in shown
    assert "—" in html(spec, None, now=NOW, beside=(None, None))


def test_companions_that_are_hidden_tell_nothing() -> None:
    spec = describe(Task.state)
    late = NOW - timedelta(hours=1)
    assert "已逾期" in html(spec, TaskState.OPEN, now=NOW, beside=(late,))
    assert "待处理" in html(spec, TaskState.OPEN, now=NOW, beside=(Hidden("", CUSTOMER_PHONE),))
    assert "已完成" in html(spec, TaskState.DONE, now=NOW, beside=(late,))


def test_only_what_still_waits_is_late() -> None:
    late = NOW - timedelta(days=3)
    assert "已逾期 3 天" in html(describe(Task.due_at), late, now=NOW, beside=(TaskState.OPEN,))
    for spec, beside in (
        (describe(Task.due_at), (TaskState.DONE,)),
        (describe(FollowUp.next_follow_up_at), ()),
    ):
        assert html(spec, late, now=NOW, beside=beside) == f"{local(late):%Y-%m-%d %H:%M}"
