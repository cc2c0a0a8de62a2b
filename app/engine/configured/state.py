"""The configuration of one owner as it is: the entries of every kind, by their names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.actions import Forbidden
from app.engine.configured.addresses import told
from app.engine.configured.values import Names, flat_of, token
from app.engine.configuring import Kind, kinds
from app.engine.scopes import Actor, visible

NTH = "nth"
"""In the name of an entry: which one of several namesakes."""


@dataclass
class Entry:
    """One entry: its name and everything a file says of it."""

    kind: Kind
    identity: dict[str, Any]
    flat: dict[str, Any]
    record: Any = None

    @property
    def token(self) -> str:
        """Its name as one text."""
        return token(self.identity)

    @property
    def words(self) -> str:
        """What it is called in messages."""
        return self.kind.called(self.flat)


def readable(actor: Actor) -> list[Kind]:
    """The kinds whose lists this person may see."""
    return [k for k in kinds() if actor.can("can_list", k.resource.view_name())]


def require_kinds(actor: Actor) -> list[Kind]:
    """The same; raises `Forbidden` for nobody's business."""
    found = readable(actor)
    if not found:
        raise Forbidden("配置文件")
    return found


def entries(session: Session, kind: Kind, actor: Actor, owner: int | None) -> dict[str, Entry]:
    """The entries of that kind that belong to that dealer, or to the group; what holds a secret is left out."""
    return {e.token: e for e in numbered(_read(session, kind, actor, owner))}


def _read(session: Session, kind: Kind, actor: Actor, owner: int | None) -> Iterable[Entry]:
    place = kind.owner.is_(None) if owner is None else kind.owner == owner
    model = kind.resource.model
    statement = select(model).where(visible(kind.resource, actor), place, *kind.rows).order_by(model.id)
    with session.no_autoflush:
        records = list(session.scalars(statement, actor.params))
        parts = kind.part.read(session, [r.id for r in records]) if kind.part is not None else {}
        names = Names(session, actor, owner)
        for record in records:
            flat = flat_of(kind, record, names)
            if kind.hidden(flat):
                continue
            flat = told(kind, {**flat, **parts.get(record.id, {})}, names)
            identity = kind.identity(flat)
            if kind.code is not None and kind.code.name not in identity:
                flat.pop(kind.code.name)
            yield Entry(kind, identity, flat, record)


def numbered(found: Iterable[Entry]) -> list[Entry]:
    """The same entries, with the number of each that has namesakes before it in its name."""
    seen: dict[str, int] = {}
    listed = []
    for entry in found:
        seen[entry.token] = seen.get(entry.token, 0) + 1
        amount = seen[entry.token]
        if amount > 1:
            entry.identity = entry.identity | {NTH: amount}
            entry.flat = entry.flat | {NTH: amount}
        listed.append(entry)
    return listed
