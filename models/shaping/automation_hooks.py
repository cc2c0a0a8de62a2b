"""Another system is told of a record: signed, through the outbox, with nothing in it that is guarded.

The body is made in the transaction of the run, by the gate and with the rights of whoever saved the automation; of
what is guarded not even the mask is in it. It is posted after the commit, tried again and parked like everything
that leaves, and the receiver knows a repetition by its number.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any
from urllib.parse import urlsplit

from flask import current_app

from app.engine import audit, detail, outbox, perform, serial
from app.engine.actions import Act, Refusal, action
from app.engine.exports import permission as export_permission
from app.engine.scopes import Actor
from models.notifications import outward
from models.notifications.channels import NotAccepted
from models.shaping import automation_book as book
from models.shaping.automation_parts import Doing, Step, Subject, declare_doing, subject
from models.shaping.automation_rules import own
from models.shaping.automation_tables import STEPS, Automation, AutomationRun, Outcome

KIND = "automation.hook"
HOOK = "hook"
PLACE = "接口地址"
SIGNATURE, STAMP, NUMBER = "X-Zhike-Signature", "X-Zhike-Timestamp", "X-Zhike-Delivery"
_LONGEST = 256 * 1024


def signing_key(automation_id: int) -> str:
    """The key by which receivers know that a message is from here; each automation has its own, made of the
    secret of the installation and kept nowhere."""
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(secret, f"automation:{automation_id}".encode(), hashlib.sha256).hexdigest()


def signature(key: str, stamp: str, body: bytes) -> str:
    """What stands in the header ``X-Zhike-Signature``: over time and body, so that neither can be changed."""
    return "sha256=" + hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _call(step: Step) -> str:
    resource = step.subject.face(getattr(step.record, step.subject.resource.scopes.dealer.key))
    specs = [s for s in serial.record_fields(resource) if s.guard is None]
    chosen = serial.selected(specs)
    values, _, version = detail.values_of(step.session, resource, step.record.id, step.actor, chosen)
    found = serial.as_json(chosen, [values[s.name] for s in chosen], step.record.id, version, step.actor)
    serial.add_link_ids(step.session, specs, [found])
    body = {
        "automation": step.rule.name,
        "event": step.rule.event.name,
        "resource": resource.name,
        "at": serial.plain(step.act.now),
        "record": found,
    }
    if len(json.dumps(body)) > _LONGEST:
        raise Refusal("记录的内容过长，不能发送")
    outbox.put(
        step.session,
        KIND,
        {
            "url": step.given["url"],
            "rule": step.rule.id,
            "resource": resource.name,
            "record": step.record.id,
            "body": body,
        },
    )
    return f"已提交发送到 {urlsplit(str(step.given['url'])).hostname}"


def _note_parked(delivery: outbox.Delivery, reason: str) -> None:
    """The log of the automation says what never arrived."""
    payload, session = delivery.payload, delivery.session
    row = session.get(Automation, payload["rule"])
    about = subject(payload["resource"])
    record = session.get(about.resource.model, payload["record"]) if about is not None else None
    if row is None or about is None:
        return
    session.add(
        AutomationRun(
            automation_id=row.id,
            at=delivery.now,
            outcome=Outcome.REFUSED,
            resource=payload["resource"],
            record_id=payload["record"],
            record_label=perform.label_of(about.resource, record)[:160] if record is not None else "",
            event="调用外部接口",
            reason=f"接口未送达，不再重试：{reason}"[:500],
            dealer_id=getattr(record, about.resource.scopes.dealer.key, row.dealer_id),
        )
    )


@outbox.handler(KIND, seconds=45, outside=True, on_parked=_note_parked, label="调用外部接口")
def send(delivery: outbox.Delivery) -> None:
    """Post one message; what no repetition mends is parked at once."""
    payload = delivery.payload
    address = str(payload["url"])
    wrong = wrong_address(address)
    if wrong:
        raise outbox.GiveUp(wrong)
    body = json.dumps(payload["body"], ensure_ascii=False).encode()
    stamp = str(int(delivery.now.replace(tzinfo=UTC).timestamp()))
    headers = {
        SIGNATURE: signature(signing_key(payload["rule"]), stamp, body),
        STAMP: stamp,
        NUMBER: str(delivery.id),
    }
    try:
        outward.post(urlsplit(address), body, PLACE, headers)
    except NotAccepted as refused:
        raise outbox.GiveUp(str(refused)) from refused


def wrong_address(address: Any) -> str:
    """What is wrong with an address, in words. One with parameters is refused: what they say stands in the
    configuration and its files for everybody to read, and the signature makes them needless."""
    parts = urlsplit(str(address))
    if parts.query or parts.fragment:
        return f"{PLACE}不能带“?”之后的参数；对方可以用签名确认来源"
    return outward.wrong_address(address, PLACE)


def _wrong(_subject: Subject, given: Mapping[str, Any], _act: Act) -> dict[str, str]:
    wrong = wrong_address(given["url"])
    return {"url": wrong} if wrong else {}


def _lacks(about: Subject, _given: Mapping[str, Any], actor: Actor) -> str:
    """What leaves by itself, somebody who may export could carry out as well."""
    return "" if actor.can(*export_permission(about.resource)) else f"导出{about.resource.label}"


def _calls(row: Automation) -> bool:
    return any(getattr(row, f"do_{n}") == HOOK for n in STEPS)


@action(
    "签名密钥", on=Automation, name="show_key", icon="key", batch=False, when=_calls,
    confirm="密钥只显示一次，查看会记入操作日志。接收方用它确认消息来自知客。",
    permission=("can_edit", "Automations"), permission_label="编辑自动化",
)  # fmt: skip
def show_key(row: Automation, act: Act) -> str:
    """Show the key by which the receiver checks the signature; that it was looked at is kept."""
    own(row, act)
    if not _calls(row) or book.rule_of(row) is None:
        raise Refusal("此自动化不调用外部接口")
    act.tell(signing_key(row.id))
    audit.log(act, row, "查看签名密钥")
    return "签名密钥如下"


declare_doing(
    Doing(
        HOOK, "调用外部接口", _call, ("url",), ("url",), lacks=_lacks, wrong=_wrong,
        words=lambda said: f"发送到 {said['url']}",
    )
)  # fmt: skip
