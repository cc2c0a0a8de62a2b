"""Running automations: as the system, never with more rights than whoever saved them, all or nothing, once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.engine import outbox, perform
from app.engine.actions import Act, Forbidden, NotFound, Question, Refusal
from app.engine.automating import chained
from app.engine.clock import At, scheduled
from app.engine.deeds import deed
from app.engine.scopes import SYSTEM, Actor
from models.identity.for_all import acting_for_all
from models.identity.rights import load_actor
from models.shaping import automation_book as book
from models.shaping.automation_book import Rule, Then
from models.shaping.automation_noticing import KIND, Call
from models.shaping.automation_parts import Step
from models.shaping.automation_tables import AutomationRun, Outcome

log = logging.getLogger(__name__)
KEPT = timedelta(days=180)
"""So long the log says what was done; the history of the records says it for good."""
BROKEN = "多次执行出错，不再重试，请联系系统管理员"
NO_AUTHOR = "保存此自动化的人已停用，请由在职的管理员重新保存"


def acting_as(session: Session, rule: Rule) -> Actor:
    """The system under the name of the automation, with the rights and rows of whoever saved it, as somebody of the
    group where it is the group's; raises `Refusal` when that person has none any more."""
    author = load_actor(session, rule.author_id) if rule.author_id else None
    if author is None:
        raise Refusal(NO_AUTHOR)
    if rule.dealer_id is None:
        author = acting_for_all(author)
    return replace(
        author, id=SYSTEM.id, username=SYSTEM.username, name=called(rule), position="", rows_of=author.id
    )


def called(rule: Rule) -> str:
    """The name under which an automation stands in the history."""
    return f"自动化：{rule.name}"


def _note_parked(delivery: outbox.Delivery, _reason: str) -> None:
    """The log says what broke again and again; the reason is for those who run the system."""
    call = Call.of(delivery.payload)
    rule = book.in_force(delivery.session).rule(call.rule_id)
    if rule is None:
        return
    for record_id in call.record_ids:
        ended = _Ended(delivery.session, rule, call, record_id, delivery.id, delivery.now)
        ended.log(None, Outcome.REFUSED, BROKEN, ended.record)


@outbox.handler(KIND, seconds=180, outside=True, on_parked=_note_parked, label="执行自动化")
def carry_out(delivery: outbox.Delivery) -> Callable[[], None] | None:
    """An automation for the records of one deed, each in a transaction of its own; a second attempt finds in
    the log what is done. Where something breaks for one of several, that one waits in a row of its own."""
    call = Call.of(delivery.payload)
    if len(call.record_ids) == 1:
        run(delivery.session, call, call.record_ids[0], delivery.id, delivery.now)
        return None
    broken: list[int] = []
    for record_id in call.record_ids:
        try:
            run(delivery.session, call, record_id, delivery.id, delivery.now)
        except Exception:  # whatever it runs into, the others are not to wait for it
            log.exception("an automation broke for one of several records")
            broken.append(record_id)
    return partial(_ask_again, delivery.session, call, broken) if broken else None


def _ask_again(session: Session, call: Call, record_ids: Sequence[int]) -> None:
    again = [replace(call, record_ids=(record_id,)) for record_id in record_ids]
    outbox.put_many(session, KIND, [(one.payload(), None) for one in again])


def run(session: Session, call: Call, record_id: int, event_id: int, now: datetime) -> None:
    """Do what follows for a record and log it; what is refused leaves nothing but its reason in the log."""
    known = select(AutomationRun.id).where(AutomationRun.key == _key(event_id, record_id))
    if session.scalar(known) is not None:
        return
    rule = book.in_force(session).rule(call.rule_id)
    if rule is None:  # switched off or deleted meanwhile
        return
    ended = _Ended(session, rule, call, record_id, event_id, now)
    try:
        actor = acting_as(session, rule)
        act = Act(actor, now, session, "job", rule.name)
        with chained(session, call.chain.longer((rule.id, call.resource, record_id))), deed(act):
            record = perform.find(session, rule.subject.resource, record_id, actor, lock=True)
            if not rule.of(getattr(record, rule.subject.resource.scopes.dealer.key)):
                ended.log(act, Outcome.SKIPPED, "本商场已停用或替代此自动化", record)
            elif rule.condition.holds(record, now):
                key = f"automation:{_key(event_id, record_id)}"
                done = [_step(act, rule, record, then, key) for then in rule.steps]
                ended.log(act, Outcome.DONE, "；".join(said for said, _ in done), record, *done)
            else:
                ended.log(act, Outcome.SKIPPED, "执行时条件已不再满足", record)
    except Refusal as refusal:
        if isinstance(refusal.__cause__, SQLAlchemyError):
            raise  # somebody else had the rows: another attempt will do
        ended.refused(refusal)


def _key(event_id: int, record_id: int) -> str:
    return f"{event_id}:{record_id}"


def _step(act: Act, rule: Rule, record: Any, then: Then, key: str) -> tuple[str, int | None]:
    """Do one thing; what it did in words, and to whom it gave the record."""
    step = Step(act, rule, rule.subject, record, then.given, f"{key}:{then.number}")
    before = step.person_id
    try:
        said = then.doing.run(step)
    except Refusal as refusal:
        raise Refusal(f"第{then.number}项“{then.doing.label}”：{sentence(refusal)}") from refusal.__cause__
    return said, step.person_id if step.person_id != before else None


def sentence(refusal: Refusal) -> str:
    """What a refusal says where nobody can answer it."""
    if isinstance(refusal, Question):
        return f"需要有人确认，未执行（{refusal.heading}）"
    if isinstance(refusal, Forbidden):
        return f"保存人没有“{refusal.message.partition('：')[2] or '此操作'}”的权限"
    return "记录不存在，或不在保存人的数据范围内" if isinstance(refusal, NotFound) else refusal.message


class _Ended:
    """How a run is logged."""

    def __init__(
        self, session: Session, rule: Rule, call: Call, record_id: int, event_id: int, now: datetime
    ) -> None:
        self.session, self.rule, self.call, self.now = session, rule, call, now
        self.record_id, self.event_id = record_id, event_id

    @property
    def record(self) -> Any:
        """The record, whoever asks; None when there is none any more."""
        return self.session.get(self.rule.subject.resource.model, self.record_id)

    def log(
        self, act: Act | None, outcome: Outcome, reason: str, record: Any, *done: tuple[str, int | None]
    ) -> None:
        """Note it in the open transaction."""
        resource = self.rule.subject.resource
        label = perform.label_of(resource, record) if record is not None else f"#{self.record_id}"
        dealer = getattr(record, resource.scopes.dealer.key) if record is not None else self.rule.dealer_id
        self.session.add(
            AutomationRun(
                automation_id=self.rule.id,
                at=self.now,
                outcome=outcome,
                resource=self.call.resource,
                record_id=self.record_id,
                record_label=label[:160],
                event=self.call.event,
                reason=reason,
                dealer_id=dealer,
                person_id=next((person for _, person in reversed(done) if person), None),
                deed_id=act.deed_id if act is not None else None,
                key=_key(self.event_id, self.record_id),
            )
        )

    def refused(self, refusal: Refusal) -> None:
        """Note it in a transaction of its own: the other one left nothing."""
        act = Act(replace(SYSTEM, name=called(self.rule)), self.now, self.session, "job", self.rule.name)
        with deed(act):
            self.log(act, Outcome.REFUSED, sentence(refusal), self.record)


class _Tried(Exception):
    """Thrown to undo a trial."""


def trial(session: Session, rule: Rule, record_id: int, now: datetime) -> tuple[list[str], str]:
    """What would happen to the record: sentences of what each step did before all of it was undone, and the
    reason why it would not, empty when it would. Writes nothing."""
    said: list[str] = []
    try:
        actor = acting_as(session, rule)
        act = Act(actor, now, session, "job", rule.name)
        with suppress(_Tried), deed(act):
            record = perform.find(session, rule.subject.resource, record_id, actor, lock=True)
            for then in rule.steps:
                said.append(_step(act, rule, record, then, "automation:trial")[0])
            session.flush()
            raise _Tried
    except Refusal as refusal:
        return said, sentence(refusal)
    return said, ""


@scheduled("automations.prune", At("03:40"), label="清理自动化运行记录")
def prune(delivery: outbox.Delivery) -> None:
    """Forget runs of long ago."""
    slot = datetime.fromisoformat(delivery.payload["slot"])
    delivery.session.execute(delete(AutomationRun).where(AutomationRun.at < slot - KEPT))
