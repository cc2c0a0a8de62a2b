"""The verdict on a claim: who gives it, what it says, and what follows from it."""

from __future__ import annotations

import re
import threading
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.engine.actions import Refusal
from app.engine.audit import AuditEntry, acting
from app.engine.database import db, utcnow
from app.engine.localtime import local
from models.identity import presets
from models.notifications.tables import Notification
from models.registrations import auditing
from models.registrations.tables import AuditStatus, Registration
from models.settings.tables import Parameter
from tests.customers.world import grant, words
from tests.registrations.claims import (
    AGAIN,
    EVERYTHING,
    PAGE,
    assigned,
    claim,
    entries,
    filed,
    lines,
    send,
    shown,
    stored,
    verdicts,
)
from tests.registrations.world import Channel

PENDING, PASSED, FAILED = AuditStatus


@pytest.mark.spec("E-81", "E-82")
def test_success_with_its_remark_auditor_and_time(channel: Channel, login: Any) -> None:
    one = claim(channel, name="许女士")
    answer = send(login("boss"), one, "passed", "有效", "?asked=1&verdict=pending&name=许")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{PAGE}?asked=1&verdict=pending&name=%E8%AE%B8"
    kept = stored(one)
    assert (kept.verdict, kept.audit_remark) == (PASSED, "有效")
    assert kept.auditor_id == channel.people["boss"].id
    assert abs(kept.judged_at - utcnow()) < timedelta(minutes=1)
    assert stored(db.session.get_one(Registration, one.registration_id)).audit_status == PASSED
    page = login("boss").get(f"{EVERYTHING}&verdict=passed").get_data(as_text=True)
    entry = words(entries(page)[one.id])
    assert "有效" in entry
    assert "总管" in entry
    assert "重新审核" in entry


@pytest.mark.spec("E-81")
@pytest.mark.parametrize(
    ("verdict", "remark", "sentence"),
    [("", "看过了", "请选择审核结果"), ("failed", "  ", "请输入备注信息"), ("pending", "看", "请从列表中选择"),
     ("failed", "长" * 201, "不能超过200个字，现有201个字")],
)  # fmt: skip
def test_what_is_missing_is_said_in_the_row_and_keeps_what_was_typed(
    channel: Channel, login: Any, verdict: str, remark: str, sentence: str
) -> None:
    other, one = claim(channel), claim(channel)
    answer = send(login("boss"), one, verdict, remark, "?asked=1&paid=1&verdict=pending")
    assert answer.status_code == 400
    found = entries(answer.get_data(as_text=True))
    assert f"</i>{sentence}</p>" in found[one.id]
    assert f"{sentence}</p>" not in found[other.id]
    assert f'name="remark" value="{remark}"' in found[one.id]
    if verdict == "failed":
        assert re.search(r'value="failed" checked', found[one.id])
    assert stored(one).verdict == PENDING
    if sentence in (auditing.NO_VERDICT, auditing.NO_REMARK):
        with pytest.raises(Refusal, match=sentence):
            channel.act("judge", one, "boss", verdict=verdict, remark=remark)


@pytest.mark.spec("E-81")
def test_own_leads_are_judged_by_others(channel: Channel, login: Any) -> None:
    one = claim(channel, "chief")
    client = login("chief")
    entry = shown(client)[one.id]
    assert auditing.OWN in entry
    assert "<form" not in entry
    answer = send(client, one, "passed", "有效")
    assert answer.status_code == 400
    assert auditing.OWN in entries(answer.get_data(as_text=True))[one.id]
    assert stored(one).verdict == PENDING


@pytest.mark.spec("E-81")
def test_without_the_permission_there_is_no_page_and_no_verdict(channel: Channel, login: Any) -> None:
    one = claim(channel)
    client = login("worker2")
    assert client.get(PAGE).status_code == 403
    assert send(client, one, "passed").status_code == 403
    assert PAGE not in client.get("/").get_data(as_text=True)
    assert f'href="{PAGE}"' in login("boss").get("/").get_data(as_text=True)
    assert stored(one).verdict == PENDING


@pytest.mark.spec("E-82")
def test_a_verdict_is_changed_only_with_the_right_and_logged(channel: Channel, login: Any) -> None:
    channel.grant_leads("chief", "worker1")
    one = claim(channel)
    chief = login("chief")
    assert send(chief, one, "passed", "有效").status_code == 302
    page = chief.get(f"{EVERYTHING}&again={one.id}").get_data(as_text=True)
    assert "重新审核" not in page
    assert "<form" not in entries(page)[one.id]
    assert send(chief, one, "failed", "无效", again="1").status_code == 403
    refused = send(chief, one, "failed", "无效", "?asked=1")
    assert refused.status_code == 400
    assert "该报备已由周经理审核，结果为“成功”" in entries(refused.get_data(as_text=True))[one.id]
    grant(channel, "channel_manager", AGAIN)
    chief = login("chief")
    entry = shown(chief, f"{EVERYTHING}&again={one.id}")[one.id]
    assert re.search(r'value="passed" checked', entry)
    assert 'value="有效"' in entry
    assert send(chief, one, "failed", "", "?asked=1", again="1").status_code == 400
    assert send(chief, one, "failed", "无此小区", "?asked=1", again="1").status_code == 302
    kept = stored(one)
    assert (kept.verdict, kept.audit_remark) == (FAILED, "无此小区")
    assert stored(db.session.get_one(Registration, one.registration_id)).audit_status == FAILED
    logged = select(AuditEntry.action, AuditEntry.actor_id).where(
        AuditEntry.resource == "registration_assignments", AuditEntry.record_id == one.id
    )
    deeds = [tuple(row) for row in db.session.execute(logged.order_by(AuditEntry.id))][-2:]
    assert deeds == [(name, channel.people["chief"].id) for name in ("judge", "judge_again")]


@pytest.mark.spec("E-82")
def test_the_same_verdict_again_changes_nothing(channel: Channel) -> None:
    one = claim(channel)
    with pytest.raises(Refusal, match=auditing.NOT_JUDGED):
        channel.act("judge_again", one, "boss", verdict="passed")
    channel.act("judge", one, "boss", verdict="passed", remark="有效")
    assert channel.act("judge_again", one, "boss", verdict="passed", remark="有效").unchanged == 1
    assert channel.act("judge_again", one, "boss", verdict="passed", remark="核实").done == 1


@pytest.mark.spec("E-82")
def test_the_lead_follows_from_its_assignments(channel: Channel) -> None:
    lead = filed(channel)
    first, second = assigned(channel, lead), assigned(channel, lead, category=1)
    channel.act("judge", first, "boss", verdict="failed", remark="无效")
    assert stored(lead).audit_status == PENDING
    channel.act("judge", second, "boss", verdict="passed")
    assert stored(lead).audit_status == PASSED
    channel.act("judge_again", second, "boss", verdict="failed", remark="无效")
    assert stored(lead).audit_status == FAILED


@pytest.mark.spec("E-82")
def test_the_registrant_is_told_the_result(channel: Channel) -> None:
    good, bad = claim(channel, "worker2", name="许女士"), claim(channel, "worker2", name="何先生")
    channel.act("judge", good, "boss", verdict="passed")
    channel.act("judge", bad, "boss", verdict="failed", remark="电话13912345678打不通")
    mine = select(Notification).where(
        Notification.user_id == channel.people["worker2"].id, Notification.topic == auditing.AUDIT.key
    )
    first, second = db.session.scalars(mine.order_by(Notification.id))
    assert first.title == "您报备的客户许女士（甲牌橱柜）审核成功"
    assert second.title == "您报备的客户何先生（甲牌橱柜）审核失败：电话139****5678打不通"
    assert (second.resource, second.record_id) == ("registrations", bad.registration_id)


@pytest.mark.spec("E-57")
def test_only_the_first_verdict_of_a_lead_frees_a_slot(channel: Channel) -> None:
    lead = filed(channel)
    first, second = assigned(channel, lead), assigned(channel, lead, category=1)
    at = utcnow() - timedelta(days=2)
    channel.act("judge", first, "boss", now=at, verdict="failed", remark="无效")
    assert stored(lead).first_judged_at == at
    channel.act("judge", second, "boss", verdict="passed")
    channel.act("judge_again", first, "boss", verdict="passed")
    assert stored(lead).first_judged_at == at


def test_success_shields_the_customer_for_some_days(channel: Channel) -> None:
    lead = filed(channel)
    first, second = assigned(channel, lead), assigned(channel, lead, category=1)
    at = utcnow()
    channel.act("judge", first, "boss", now=at, verdict="passed")
    until = stored(lead).protected_until
    assert local(until) == datetime.combine(local(at).date() + timedelta(days=30), time(23, 59, 59))
    channel.act("judge", second, "boss", now=at + timedelta(days=3), verdict="passed")
    assert stored(lead).protected_until == until
    for one in (first, second):
        channel.act("judge_again", one, "boss", verdict="failed", remark="无效")
    assert stored(lead).protected_until is None
    session = db.session()
    with acting(session):
        session.add(Parameter(key="registration.protection_days", dealer_id=channel.a.id, value=0))
        presets.bump_epoch(session)
        session.commit()
    channel.act("judge_again", first, "boss", verdict="passed")
    assert stored(lead).audit_status == PASSED
    assert stored(lead).protected_until is None


@pytest.mark.spec("E-81")
def test_many_at_once_say_record_by_record_what_came_of_them(channel: Channel) -> None:
    done, mine, fresh = claim(channel), claim(channel, "boss"), claim(channel)
    channel.act("judge", done, "boss", verdict="passed")
    report = channel.act("judge", [done, mine, fresh], "boss", verdict="passed")
    assert [r.ok for r in report.results] == [False, False, True]
    assert [r.reason for r in report.refused] == ["该报备已由总管审核，结果为“成功”", auditing.OWN]
    assert verdicts() == [PASSED, PENDING, PASSED]


@pytest.mark.spec("E-82")
def test_of_two_auditors_at_once_the_second_learns_what_was_said(
    app: Flask, channel: Channel, login: Any
) -> None:
    channel.grant_leads("chief", "worker1")
    one = claim(channel)
    version = str(stored(one).version)
    clients = {name: login(name) for name in ("boss", "chief")}
    answers: dict[str, Any] = {}
    start = threading.Barrier(2)

    def press(name: str, verdict: str) -> None:
        start.wait()
        answers[name] = send(clients[name], one, verdict, "看过", "?asked=1", version=version)

    pressing = [
        threading.Thread(target=press, args=pair) for pair in (("boss", "passed"), ("chief", "failed"))
    ]
    for thread in pressing:
        thread.start()
    for thread in pressing:
        thread.join()
    first, second = sorted(answers, key=lambda name: answers[name].status_code)
    assert answers[first].status_code == 302
    assert answers[second].status_code in (400, 409)
    who, result = ("总管", "成功") if first == "boss" else ("周经理", "失败")
    said = answers[second].get_data(as_text=True)
    assert f"该报备已由{who}审核，结果为“{result}”" in entries(said)[one.id]
    assert stored(one).auditor_id == channel.people[first].id


@pytest.mark.spec("E-79", "E-81")
def test_what_the_showroom_changes_meanwhile_is_looked_at_first(channel: Channel, login: Any) -> None:
    one = claim(channel, room="3栋502")
    version = str(one.version)
    with acting(db.session()):
        stored(one).room = "3栋520"
        db.session.commit()
    answer = send(login("boss"), one, "passed", "有效", version=version)
    assert answer.status_code == 409
    entry = entries(answer.get_data(as_text=True))[one.id]
    assert "展厅资料刚被修改，请核对后再审核" in entry
    assert lines(entry)[2] == {"address"}
    assert 'value="有效"' in entry
    assert stored(one).verdict == PENDING


def test_the_script_gets_the_one_entry(channel: Channel, login: Any) -> None:
    other, one = claim(channel), claim(channel, name="许女士")
    client, row = login("boss"), {"X-Zk-Row": "1"}
    refused = client.post(f"{PAGE}{one.id}/judge", data={"remark": "看"}, headers=row)
    assert refused.status_code == 400
    assert list(entries(refused.get_data(as_text=True))) == [one.id]
    done = client.post(f"{PAGE}{one.id}/judge", data={"verdict": "passed"}, headers=row)
    assert done.status_code == 200
    entry = entries(done.get_data(as_text=True))
    assert list(entry) == [one.id]
    assert "已审核许女士：成功" in entry[one.id]
    assert list(shown(client)) == [other.id]
