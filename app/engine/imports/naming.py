"""What a cell of a file names: a record by its name, code or login, a choice by its label.

A name is that of the line's own dealer, and among people that of the line's own store, before anybody
else's. Whatever cannot be found is answered with what could have been meant.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, true
from sqlalchemy.orm import InstrumentedAttribute

from app.engine import picking
from app.engine.choices import Entry
from app.engine.fields import FieldSpec, describe
from app.engine.resource import Resource, resource_of
from app.engine.scopes import Actor

_NAMESAKES = 50
_SHOWN = 12  # candidates or permitted values that a sentence names
_LOOKED_AT = 2_000
CELL = 40
"""Characters of a cell that a sentence repeats."""


class Unclear(Exception):
    """The cell names nothing, or several; the text says what could be meant."""


@dataclass(frozen=True)
class Place:
    """Whose record a line makes: names are those of this dealer and store first."""

    dealer_id: int | None
    store_id: int | None


def quoted(spec: FieldSpec, text: str) -> str:
    """The field with what stands in it."""
    return f"{spec.label}“{text[:CELL]}{'…' if len(text) > CELL else ''}”"


def keys(resource: type[Resource]) -> list[Any]:
    """The columns that name one record in full beside its title: its code, the login of a person."""
    found = [c for c in (resource.code, *resource.exact) if isinstance(c, InstrumentedAttribute)]
    plain = [c for c in found if describe(c).kind == "text" and describe(c).guard is None]
    return list(dict.fromkeys(plain))


def find(
    session: Any, spec: FieldSpec, text: str, actor: Actor, place: Place, *, guessing: bool = True
) -> int:
    """The id of the record meant; raises `Unclear`, ``guessing`` with what could be meant instead."""
    target = resource_of(spec.target)
    named = or_(target.title == text, *(key == text for key in keys(target)))
    rows = _rows(session, spec, actor, named, _NAMESAKES)
    found = _nearest(rows, place)
    if len(found) == 1:
        return int(found[0].record)
    if found:
        kind = _key_label(target)
        written = "、".join(_shown(row) for row in found[:_SHOWN])
        raise Unclear(f"{quoted(spec, text)}：有 {len(found)} 个同名，请改填{kind}：{written}")
    if rows:
        raise Unclear(f"{quoted(spec, text)}：属于其他商场，请以该商场的账号导入（--as 账号）")
    meant = _meant(session, spec, text, actor, place) if guessing else ""
    raise Unclear(f"{quoted(spec, text)}：没有找到{meant}")


def _rows(session: Any, spec: FieldSpec, actor: Actor, condition: Any, most: int) -> Sequence[Any]:
    target = resource_of(spec.target)
    of = {name: getattr(target.model, name, None) for name in ("dealer_id", "store_id")}
    more = [column.label(f"of_{name}") for name, column in of.items() if column is not None]
    more += [key.label("own_key") for key in keys(target)[:1]]
    statement = picking.pickable(spec, actor).add_columns(
        target.pk().label("record"), target.title.label("words")
    )
    statement = statement.add_columns(*more).where(condition).order_by(target.title, target.pk())
    found: Sequence[Any] = session.execute(statement.limit(most), actor.params).all()
    return found


def _nearest(rows: Sequence[Any], place: Place) -> Sequence[Any]:
    """Those of the line's dealer; of these, people of its store before their namesakes elsewhere."""
    if place.dealer_id is not None:
        rows = [row for row in rows if getattr(row, "of_dealer_id", None) in (None, place.dealer_id)]
    near = [row for row in rows if getattr(row, "of_store_id", None) == place.store_id]
    return near if place.store_id is not None and near else rows


def _shown(row: Any) -> str:
    key = getattr(row, "own_key", None)
    return f"{row.words}（{key}）" if key and key != row.words else str(row.words)


def _key_label(target: type[Resource]) -> str:
    own = keys(target)
    if not own:
        return "全称"
    label = describe(own[0]).label
    return "登录名" if label == own[0].key else label


def _meant(session: Any, spec: FieldSpec, text: str, actor: Actor, place: Place) -> str:
    if len(text) > CELL:
        return ""
    target = resource_of(spec.target)
    within = _rows(session, spec, actor, target.title.contains(text, autoescape=True), _NAMESAKES)
    near = _nearest(within, place)
    if near:
        return f"，是否为 {'、'.join(_shown(row) for row in near[:_SHOWN])}"
    everybody = {_shown(r): r for r in _nearest(_rows(session, spec, actor, true(), _LOOKED_AT), place)}
    if len(everybody) <= _SHOWN:
        return f"；可填 {'、'.join(everybody)}" if everybody else ""
    words = {str(row.words): shown for shown, row in everybody.items()}
    similar = difflib.get_close_matches(text, words, n=5, cutoff=0.6)
    return f"，是否为 {'、'.join(words[w] for w in similar)}" if similar else ""


def choice(spec: FieldSpec, text: str, dealer_id: int | None, parent: str = "") -> None:
    """Raises `Unclear` with the permitted values unless the cell holds one of them."""
    entries = [e for e in spec.entries(dealer_id) if e.active or text in (e.value, e.label)]
    if not any(text in (e.value, e.label) for e in entries):
        raise Unclear(f"{quoted(spec, text)}：{permitted(entries, text, parent)}")


def permitted(entries: Sequence[Entry], text: str, parent: str = "") -> str:
    """What may be filled in instead: under the chosen parent, and what resembles the text where there
    is too much of it."""
    fitting = [e for e in entries if e.parent in ("", parent)] if parent else list(entries)
    labels = list(dict.fromkeys(e.label for e in fitting or entries))
    if len(labels) <= _SHOWN:
        return f"可填 {'、'.join(labels)}"
    similar = [w for w in labels if text in w or w in text] or difflib.get_close_matches(text, labels, n=5)
    if similar:
        return f"没有此项，是否为 {'、'.join(similar[:5])}"
    return f"没有此项，可填 {'、'.join(labels[:_SHOWN])} 等"
