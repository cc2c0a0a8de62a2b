"""Running automations: as the system, never with more rights than whoever saved them, all or nothing, once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.engine import outbox, perform
from app.engine.actions import Act, Forbidden, NotFound, Question, Refusal
from app.engine.automating import chained
from app.engine.deeds import deed
from app.engine.scopes import SYSTEM, Actor
from models.identity.rights import load_actor
from models.shaping import automation_book as book
from models.shaping.automation_book import Rule, Then
from models.shaping.automation_noticing import KIND, Call
from models.shaping.automation_parts import Step
from models.shaping.automation_tables import AutomationRun, Outcome

NO_AUTHOR = "保存此自动化的人已停用，请由在职的管理员重新保存"


def acting_as(session: Session, rule: Rule) -> Actor:
    """The system under the name of the automation, with the rights and rows of whoever saved it; raises
    `Refusal` when that person has none any more."""
    author = load_actor(session, rule.author_id) if rule.author_id else None
    if author is None:
        raise Refusal(NO_AUTHOR)
    return replace(
        author, id=SYSTEM.id, username=SYSTEM.username, name=called(rule), position="", rows_of=author.id
    )


def called(rule: Rule) -> str:
    """The name under which an automation stands in the history."""
    return f"自动化：{rule.name}"


@outbox.handler(KIND, seconds=120, outside=True, label="执行自动化")
def carry_out(delivery: outbox.Delivery) -> None:
    """One automation for one record, in a transaction of its own; a second attempt finds it in the log."""
    run(delivery.session, Call.of(delivery.payload), delivery.id, delivery.now)


def run(session: Session, call: Call, event_id: int, now: datetime) -> None:
    """Do what follows and log it; what is refused leaves nothing but its reason in the log."""
    known = select(AutomationRun.id).where(AutomationRun.event_id == event_id)
    if session.scalar(known) is not None:
        return
    rule = book.in_force(session).rule(call.rule_id)
    if rule is None:  # switched off or deleted meanwhile
        return
    ended = _Ended(session, rule, call, event_id, now)
    try:
        actor = acting_as(session, rule)
        act = Act(actor, now, session, "job", rule.name)
        with chained(session, call.chain.longer((rule.id, call.resource, call.record_id))), deed(act):
            record = perform.find(session, rule.subject.resource, call.record_id, actor, lock=True)
            if rule.condition.holds(record, now):
                done = [_step(act, rule, record, then, f"automation:{event_id}") for then in rule.steps]
                ended.log(act, Outcome.DONE, "；".join(said for said, _ in done), record, *done)
            else:
                ended.log(act, Outcome.SKIPPED, "执行时条件已不再满足", record)
    except Refusal as refusal:
        if isinstance(refusal.__cause__, SQLAlchemyError):
            raise  # somebody else had the rows: another attempt will do
        ended.refused(refusal)


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

    def __init__(self, session: Session, rule: Rule, call: Call, event_id: int, now: datetime) -> None:
        self.session, self.rule, self.call, self.event_id, self.now = session, rule, call, event_id, now

    def log(
        self, act: Act, outcome: Outcome, reason: str, record: Any, *done: tuple[str, int | None]
    ) -> None:
        """Note it in the open transaction."""
        resource = self.rule.subject.resource
        label = perform.label_of(resource, record) if record is not None else f"#{self.call.record_id}"
        dealer = getattr(record, resource.scopes.dealer.key) if record is not None else self.rule.dealer_id
        self.session.add(
            AutomationRun(
                automation_id=self.rule.id,
                at=self.now,
                outcome=outcome,
                resource=self.call.resource,
                record_id=self.call.record_id,
                record_label=label[:160],
                event=self.call.event,
                reason=reason,
                dealer_id=dealer,
                person_id=next((person for _, person in reversed(done) if person), None),
                deed_id=act.deed_id,
                event_id=self.event_id,
            )
        )

    def refused(self, refusal: Refusal) -> None:
        """Note it in a transaction of its own: the other one left nothing."""
        act = Act(replace(SYSTEM, name=called(self.rule)), self.now, self.session, "job", self.rule.name)
        with deed(act):
            record = self.session.get(self.rule.subject.resource.model, self.call.record_id)
            self.log(act, Outcome.REFUSED, sentence(refusal), record)


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
