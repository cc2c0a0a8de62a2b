"""Two administrators at one dictionary: what each has made of an option, side by side, and what goes together
without asking.

The editor remembers, as a few letters per field, with which options it was opened. What only one of the two has
touched is kept from that one; an option that both have touched is shown with both versions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.actions import Stale
from app.engine.colliding import UNTOUCHED, mark
from app.engine.database import id_of
from models.settings.tables import DictionaryEntry
from models.shaping.option_edits import Edit, Wish

FIELDS = {"label": "名称", "tone": "颜色", "active": "启用", "parent": "所属"}
ORDER, GONE, REMOVE = "order", "gone", "remove"
_REPLACED = -1
"""The version of an option that stands where another one stood when the page was opened."""


@dataclass(frozen=True)
class Side:
    """Something of an option that the two have made differently; ``field`` is one of it, or what happened to it.
    ``about`` is the option's number, or the parent whose options were put in order."""

    about: int | str
    title: str
    field: str
    mine: str
    theirs: str
    both: bool = False
    """Whether both have touched it, so that one has to be chosen."""

    @property
    def name(self) -> str:
        """By what the other one's version of it is asked for."""
        return f"{self.field}.{self.about}" if self.both else ""


class Collided(Stale):
    """Somebody else has saved what this person has touched too: ``edit`` is what goes together, ``sides`` what
    does not."""

    def __init__(self, edit: Edit, sides: Sequence[Side]) -> None:
        super().__init__()
        self.edit, self.sides = edit, sides


def opened_with(row: DictionaryEntry) -> str:
    """What the editor remembers of an option."""
    return ".".join(mark([str(value)]) for value in _values(row).values())


def _values(one: DictionaryEntry | Wish) -> dict[str, Any]:
    return {"label": one.label, "tone": one.tone.value, "active": one.active, "parent": one.parent or ""}


def _touched(wish: Wish) -> set[str]:
    """The fields that no longer are as the page was opened; all, where it does not remember."""
    asked = {n: v for n, v in _values(wish).items() if n != "parent" or wish.parent is not None}
    was = dict(zip(FIELDS, wish.was.split("."), strict=False)) if wish.was else {}
    return {name for name, value in asked.items() if was.get(name) != mark([str(value)])}


def resolved(session: Session, name: str, rows: Sequence[DictionaryEntry], edit: Edit) -> Edit:
    """The edit with what stands now in the place of a preset that was shown, where somebody has changed it for the
    dealer since."""
    known = {row.id for row in rows}
    missing = [row_id for row_id in edit.wishes if row_id not in known]
    if not missing:
        return edit
    asked = (DictionaryEntry.id, DictionaryEntry.value, DictionaryEntry.parent)
    behind = select(*asked).where(
        DictionaryEntry.id.in_(missing),
        DictionaryEntry.dictionary == name,
        DictionaryEntry.dealer_id.is_(None),
    )
    stands = {}
    for row_id, value, parent in session.execute(behind):
        same = (r.id for r in rows if r.value == value and r.parent in (None, "", parent))
        stands[row_id] = next(same, row_id)
    wishes = {
        stands.get(i, i): replace(w, version=_REPLACED) if stands.get(i, i) != i else w
        for i, w in edit.wishes.items()
    }
    order, began = ([stands.get(i, i) for i in ids] for ids in (edit.order, edit.began))
    step = (stands.get(edit.step[0], edit.step[0]), edit.step[1])
    return Edit(wishes, order, step, stands.get(edit.removed, edit.removed), began)


def settle(found: Mapping[int, DictionaryEntry], edit: Edit) -> Edit:
    """The edit put together with what others have saved since; raises `Collided` where both touched the same
    option or the same order. ``found`` are the options as they are, in their order."""
    sides: list[Side] = []
    wishes = {}
    for row_id, wish in edit.wishes.items():
        row = found.get(row_id)
        if row is not None:
            removed = row_id == edit.removed
            wishes[row_id] = (
                wish if row.version == wish.version else _together(row, wish, sides, removed=removed)
            )
        elif _touched(wish) and wish.was:
            sides.append(Side(row_id, wish.label, GONE, wish.label, "已删除或恢复预置"))
    order = [i for ids in _sections(found, edit).values() for i in _in_order(found, edit, ids, sides)]
    gone = edit.removed in edit.wishes and edit.removed not in found
    together = Edit(wishes, order, edit.step, 0 if gone else edit.removed, edit.began)
    if sides:
        raise Collided(replace(together, removed=0), sides)
    return together


def _together(row: DictionaryEntry, wish: Wish, sides: list[Side], *, removed: bool) -> Wish:
    """What is wished for an option that somebody else has changed since."""
    touched, theirs = _touched(wish), _values(row)
    differ = [name for name, value in _values(wish).items() if value != theirs[name]]
    asked = [name for name in differ if name != "parent" or wish.parent is not None]
    was = dict(zip(FIELDS, wish.was.split("."), strict=False))
    if removed:
        sides.append(Side(row.id, row.label, REMOVE, "删除（请核对后再点一次）", "已修改"))
    for name in asked:
        if name not in touched:
            if touched:
                sides.append(Side(row.id, row.label, name, UNTOUCHED, said(row, name)))
            wish = taken(wish, row, name)
        elif was.get(name) == mark([str(theirs[name])]):
            sides.append(Side(row.id, row.label, name, said(wish, name), UNTOUCHED))
        else:
            sides.append(Side(row.id, row.label, name, said(wish, name), said(row, name), both=True))
    return wish


def _sections(found: Mapping[int, DictionaryEntry], edit: Edit) -> Mapping[str, list[int]]:
    sections: defaultdict[str, list[int]] = defaultdict(list)
    for row_id in edit.order:
        if row_id in found and row_id in edit.wishes:
            sections[found[row_id].parent or ""].append(row_id)
    return sections


def _in_order(
    found: Mapping[int, DictionaryEntry], edit: Edit, mine: list[int], sides: list[Side]
) -> list[int]:
    """The order of the options under one parent: of whoever moved them."""
    now, began = ([i for i in ids if i in set(mine)] for ids in (found, edit.began))
    if not edit.began:
        same = all(found[i].version == edit.wishes[i].version for i in mine)
        began = now if same else []
    if mine in (began, now):
        return now
    if now != began:
        about = found[mine[0]].parent or ""
        sides.append(_orders(found, about, mine, now))
    return mine


def _orders(found: Mapping[int, DictionaryEntry], about: str, mine: list[int], now: list[int]) -> Side:
    mine_said, now_said = ("、".join(found[i].label for i in ids) for ids in (mine, now))
    return Side(about, about, ORDER, mine_said, now_said, both=True)


def taken(wish: Wish, row: DictionaryEntry, name: str) -> Wish:
    """The wish with the stored value of one field."""
    stored: dict[str, Any] = {name: getattr(row, name) or "" if name == "parent" else getattr(row, name)}
    return replace(wish, **stored)


def take(
    found: Mapping[int, DictionaryEntry], edit: Edit, chosen: Sequence[str], asked: Sequence[str]
) -> tuple[Edit, list[Side]]:
    """The edit with the other one's version of what was chosen, and what is still to be chosen of what was asked.
    Both are names of sides."""
    wishes, left = dict(edit.wishes), []
    order = list(edit.order)
    sections = _sections(found, edit)
    for name in dict.fromkeys([*chosen, *asked]):
        field, _, about = name.partition(".")
        if field == ORDER and about in sections:
            mine = sections[about]
            now = [i for i in found if i in set(mine)]
            if name in chosen:
                order = [i for i in order if i not in set(now)] + now
            elif mine != now:
                left.append(_orders(found, about, mine, now))
        elif field in FIELDS and (row_id := id_of(about)) in found and row_id in wishes:
            row, wish = found[row_id], wishes[row_id]
            if name in chosen:
                wishes[row.id] = taken(wish, row, field)
            elif _values(wish)[field] != _values(row)[field]:
                left.append(Side(row.id, row.label, field, said(wish, field), said(row, field), both=True))
    return replace(edit, wishes=wishes, order=order), left


def said(one: DictionaryEntry | Wish, name: str) -> str:
    """A field of an option in words."""
    if name == "tone":
        return one.tone.label
    if name == "active":
        return "是" if one.active else "否"
    return one.label if name == "label" else one.parent or "任何上级"
