"""From facts to work: which automations follow from a deed is settled in its own transaction, and each leaves one
row in the outbox, so that it runs if and only if the deed is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from app.engine import outbox
from app.engine.automating import Chain, Fact, Link, provide_automations
from app.engine.perform import label_of
from models.shaping import automation_book as book
from models.shaping.automation_book import Rule
from models.shaping.automation_tables import AutomationRun, Outcome

KIND = "automation.run"
MAX_DEPTH = 5
"""So many automations may follow from each other, whatever they are about."""
RUNS = cast(Table, AutomationRun.__table__)


@dataclass(frozen=True, slots=True)
class Call:
    """What a row of the outbox asks for: to run an automation for a record, and what that followed from."""

    rule_id: int
    resource: str
    record_id: int
    event: str
    chain: Chain

    def payload(self) -> dict[str, Any]:
        """As the outbox keeps it."""
        return {
            "rule": self.rule_id,
            "resource": self.resource,
            "record": self.record_id,
            "event": self.event,
            "chain": [list(link) for link in self.chain.links],
        }

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Call:
        """Back from it."""
        links = tuple((int(a), str(b), int(c)) for a, b, c in payload["chain"])
        return cls(payload["rule"], payload["resource"], payload["record"], payload["event"], Chain(links))


def notice(session: Session, chain: Chain, facts: Sequence[Fact]) -> None:
    """Ask for what follows from these facts, and note what would go round."""
    known = book.in_force(session, facts[0].act.actor.epoch)
    calls: dict[Link, Call] = {}
    stopped: list[dict[str, Any]] = []
    for fact in facts:
        for rule in known.by_subject.get(fact.resource.name, ()):
            link = (rule.id, fact.resource.name, fact.record.id)
            if link in calls or not rule.meets(fact, fact.act.now):
                continue
            why = _why_not(known, chain, link)
            if why:
                stopped.append(_stopped(rule, fact, why))
            else:
                calls[link] = Call(*link, rule.event.label, chain)
    if calls:
        outbox.put_many(session, KIND, [(call.payload(), None) for call in calls.values()])
    if stopped:
        session.execute(insert(RUNS), stopped)


def _why_not(known: book.Book, chain: Chain, link: Link) -> str:
    """Why it does not run although its event happened, in words; empty when it does."""
    if chain.went(link):
        return f"本次连锁中已对此记录执行过一次，不再重复执行：{_path(known, chain, link)}"
    if len(chain.links) >= MAX_DEPTH:
        return f"连锁执行已达{MAX_DEPTH}层，不再继续：{_path(known, chain, link)}"
    return ""


def _path(known: book.Book, chain: Chain, link: Link) -> str:
    rules = [known.rule(rule_id) for rule_id, _, _ in (*chain.links, link)]
    return " → ".join(f"“{rule.name}”" for rule in rules if rule is not None)


def _stopped(rule: Rule, fact: Fact, why: str) -> dict[str, Any]:
    return {
        "automation_id": rule.id,
        "at": fact.act.now,
        "outcome": Outcome.STOPPED,
        "resource": fact.resource.name,
        "record_id": fact.record.id,
        "record_label": label_of(fact.resource, fact.record)[:160],
        "event": rule.event.label,
        "reason": why,
        "dealer_id": getattr(fact.record, rule.subject.resource.scopes.dealer.key),
        "deed_id": fact.act.deed_id,
    }


provide_automations(notice, book.wanted)
