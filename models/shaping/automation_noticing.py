"""From facts to work: which automations follow from a deed is settled in its own transaction, and each leaves one
row in the outbox, so that it runs if and only if the deed is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from app.engine import outbox
from app.engine.actions import Act
from app.engine.automating import CREATED, Chain, Fact, Link, chain_of, provide_automations
from app.engine.database import pieces
from app.engine.perform import label_of
from app.engine.resource import Resource
from models.shaping import automation_book as book
from models.shaping.automation_book import Rule
from models.shaping.automation_tables import AutomationRun, Outcome

KIND = "automation.run"
MAX_DEPTH = 5
"""So many automations may follow from each other, whatever they are about."""
AT_ONCE = 50
"""So many records of one deed are worked on by one row of the outbox."""
RUNS = cast(Table, AutomationRun.__table__)


@dataclass(frozen=True, slots=True)
class Call:
    """What a row of the outbox asks for: to run an automation for records that one deed was about, each for
    itself, and what that followed from."""

    rule_id: int
    resource: str
    record_ids: tuple[int, ...]
    event: str
    chain: Chain

    def payload(self) -> dict[str, Any]:
        """As the outbox keeps it."""
        return {
            "rule": self.rule_id,
            "resource": self.resource,
            "records": list(self.record_ids),
            "event": self.event,
            "chain": [list(link) for link in self.chain.links],
        }

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Call:
        """Back from it."""
        links = tuple((int(a), str(b), int(c)) for a, b, c in payload["chain"])
        records = tuple(map(int, payload["records"]))
        return cls(payload["rule"], payload["resource"], records, payload["event"], Chain(links))


def notice(session: Session, chain: Chain, facts: Sequence[Fact]) -> None:
    """Ask for what follows from these facts, and note what would go round."""
    known = book.in_force(session, facts[0].act.actor.epoch)
    wanted: dict[Rule, dict[int, None]] = {}
    stopped: list[dict[str, Any]] = []
    for fact in facts:
        for rule in known.by_subject.get(fact.resource.name, ()):
            met = wanted.setdefault(rule, {})
            if fact.record.id in met or not rule.meets(fact, fact.act.now):
                continue
            why = _why_not(known, chain, (rule.id, fact.resource.name, fact.record.id))
            if why:
                stopped.append(_stopped(rule, fact, why))
            else:
                met[fact.record.id] = None
    for rule, ids in wanted.items():
        _ask(session, rule, list(ids), chain)
    if stopped:
        session.execute(insert(RUNS), stopped)


def notice_many(act: Act, resource: type[Resource], ids: Sequence[int], dealer_id: int | None) -> None:
    """Ask for what follows from records that were made set-based, all of one dealer: one query for each
    automation, in the deed's transaction."""
    for rule in book.in_force(act.session, act.actor.epoch).by_subject.get(resource.name, ()):
        if not rule.of(dealer_id) or not rule.starts(CREATED, frozenset()):
            continue
        for some in pieces(ids):
            met = select(resource.pk()).where(resource.pk().in_(some), rule.condition.compile(act.now))
            _ask(
                act.session,
                rule,
                list(act.session.scalars(met.order_by(resource.pk()))),
                chain_of(act.session),
            )


def _ask(session: Session, rule: Rule, ids: Sequence[int], chain: Chain) -> None:
    calls = [
        Call(rule.id, rule.subject.name, tuple(some), rule.event.label, chain)
        for some in pieces(ids, AT_ONCE)
    ]
    outbox.put_many(session, KIND, [(call.payload(), None) for call in calls])


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
