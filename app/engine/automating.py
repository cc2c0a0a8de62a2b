"""What happened to records, told to the domain that lets something follow from it by itself.

Every deed is looked at once, when it is about to commit: what it made and which fields it changed the history
has collected anyhow, and what domains publish (`events`) may be declared as happenings of a record too. Nothing
is asked of the database for it. A deed that follows from such a happening bears the `Chain` it is part of, so
that what happens in it is known to be a consequence and cannot go round for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from app.engine import audit
from app.engine.actions import Act
from app.engine.changes import Deed
from app.engine.events import Happening, subscribe
from app.engine.resource import Resource, has_resource, resource_of

CREATED, CHANGED = "created", "changed"
_CHAIN = "zhike.chain"
_SILENT = frozenset({"load", "init"})
"""Files of another system, and what furnishes an installation, are no news to anybody."""

Link = tuple[int, str, int]
"""One thing that followed: the automation, and the record by resource and number."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What has followed from one deed so far, in order."""

    links: tuple[Link, ...] = ()

    def went(self, link: Link) -> bool:
        """Whether this has happened in it already."""
        return link in self.links

    def longer(self, link: Link) -> Chain:
        """The chain with one more."""
        return Chain((*self.links, link))


@dataclass(frozen=True, slots=True)
class Fact:
    """What one deed did to one record, or a declared happening of it: ``fields`` are the names of those that
    changed."""

    act: Act
    resource: type[Resource]
    record: Any
    name: str
    fields: frozenset[str] = field(default=frozenset())


Listener = Callable[[Session, Chain, Sequence[Fact]], None]
Wanted = Callable[[Act], frozenset[str]]
_listener: list[tuple[Listener, Wanted]] = []


def provide_automations(listener: Listener, wanted: Wanted) -> None:
    """Install who is told of facts, in the transaction of the deed, and which resources are of interest to it
    (by name, without a query); the domain that keeps automations calls this."""
    _listener[:] = [(listener, wanted)]


@contextmanager
def chained(session: Session, chain: Chain) -> Iterator[None]:
    """Let everything that happens in this block be a consequence of what is in the chain."""
    before = session.info.get(_CHAIN)
    session.info[_CHAIN] = chain
    try:
        yield
    finally:
        session.info[_CHAIN] = before


def chain_of(session: Session) -> Chain:
    """The chain of the running deed; an empty one for what people and other systems do."""
    return session.info.get(_CHAIN) or Chain()


def happening(event: str, name: str, resource: type[Resource], of: Callable[[Happening], Any]) -> None:
    """Let a published event count as a happening of a record; ``of`` names the record, None for none."""

    @subscribe(event, gathered=True)
    def hear(act: Act, happenings: Sequence[Happening]) -> None:
        records = [r for r in map(of, happenings) if isinstance(r, resource.model)]
        _tell(act.session, [Fact(act, resource, record, name) for record in dict.fromkeys(records)])


@audit.watched
def _look(session: Session, deeds: Sequence[Deed]) -> None:
    if not _listener:
        return
    found: dict[int, tuple[Deed, set[str], bool]] = {}
    for deed in deeds:
        if has_resource(type(deed.record)) and not inspect(deed.record).was_deleted:
            known = found.setdefault(id(deed.record), (deed, set(), False))
            made = known[2] or deed.made or deed.kind == "create"
            found[id(deed.record)] = (known[0], known[1] | set(deed.changes), made)
    facts = [
        Fact(
            deed.act,
            resource_of(type(deed.record)),
            deed.record,
            CREATED if made else CHANGED,
            frozenset(names),
        )
        for deed, names, made in found.values()
    ]
    _tell(session, facts)


def _tell(session: Session, facts: Sequence[Fact]) -> None:
    for listener, of_interest in _listener:
        known: dict[int, frozenset[str]] = {}
        found = []
        for fact in facts:
            act = fact.act
            if act.source in _SILENT or act.action in _SILENT:
                continue
            if id(act) not in known:
                known[id(act)] = of_interest(act)
            if fact.resource.name in known[id(act)]:
                found.append(fact)
        if found:
            listener(session, chain_of(session), found)
