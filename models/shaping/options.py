"""The options of one dictionary as an administrator edits them: a dealer its own list, the group its presets.

A dealer changes a preset by an entry of its own in the preset's place; which of the two a row is, the editor
looks after by itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.engine.actions import Act, Invalid, NotFound, Refusal
from app.engine.choices import Entry
from app.engine.configuring import FOR_ALL
from app.engine.history import last_writer
from app.engine.perform import require
from app.engine.scopes import Actor
from models.identity.rules import is_group
from models.settings import rules
from models.settings.catalogue import DictionaryDef, dictionary_def
from models.settings.queries import standing
from models.settings.resources import Dictionaries
from models.settings.tables import DictionaryEntry
from models.shaping.option_edits import Edit, Wish
from models.shaping.option_sides import settle

VIEW = Dictionaries.view_name()
STEP = 10
MOST_AT_ONCE = 200
LONGEST = 32


def editable(actor: Actor) -> None:
    """Raise `Refusal` for somebody who belongs to no dealer and does not act for the group."""
    require(actor, ("can_edit", VIEW), f"编辑{Dictionaries.label}")
    if actor.dealer_id is None and not is_group(actor, Dictionaries.name):
        raise Refusal("当前账号不属于任何商场，不能修改字典")


def declared(name: str) -> DictionaryDef:
    """The dictionary of that name; raises `NotFound`."""
    found = dictionary_def(name)
    if found is None:
        raise NotFound
    return found


def rows(session: Session, name: str, dealer_id: int | None) -> list[DictionaryEntry]:
    """The entries that hold for the dealer (the group's presets for None), in their order, with those of
    one parent together."""
    mine = or_(DictionaryEntry.dealer_id.is_(None), DictionaryEntry.dealer_id == dealer_id)
    statement = select(DictionaryEntry).where(DictionaryEntry.dictionary == name, mine)
    found = list(session.scalars(statement.order_by(DictionaryEntry.sort, DictionaryEntry.id)))
    presets = [row for row in found if row.dealer_id is None]
    own = [row for row in found if row.dealer_id is not None]
    return standing(presets, own, _place)


def behind(session: Session, name: str) -> set[tuple[str, str]]:
    """Value and parent of the group's presets, which a dealer's entries may stand in for."""
    statement = select(DictionaryEntry.value, DictionaryEntry.parent).where(
        DictionaryEntry.dictionary == name, DictionaryEntry.dealer_id.is_(None)
    )
    return {(value, parent or "") for value, parent in session.execute(statement)}


def stands_in(row: DictionaryEntry, presets: set[tuple[str, str]]) -> bool:
    """Whether one of the presets is behind a dealer's entry."""
    if row.dealer_id is None:
        return False
    return any(value == row.value and row.parent in (None, "", parent) for value, parent in presets)


def _place(row: DictionaryEntry) -> tuple[int, str, str]:
    return row.sort, row.value, row.parent or ""


def parents(session: Session, name: str, dealer_id: int | None) -> list[DictionaryEntry]:
    """The entries of the dictionary above; none where there is no such."""
    above = declared(name).parent
    return rows(session, above, dealer_id) if above else []


def by_parent(found: Sequence[DictionaryEntry], above: Sequence[DictionaryEntry]) -> dict[str, list[Any]]:
    """The entries under each parent, in the parents' order; those that fit everywhere first."""
    sections: defaultdict[str, list[Any]] = defaultdict(list)
    for row in found:
        sections[row.parent or ""].append(row)
    order = {value: n for n, value in enumerate(["", *(row.value for row in above)])}
    return {key: sections[key] for key in sorted(sections, key=lambda k: order.get(k, len(order)))}


def as_entry(row: DictionaryEntry) -> Entry:
    """The row as forms offer it."""
    return Entry(row.value, row.label, row.tone.tone.value, row.parent or "", row.active)


def save(act: Act, name: str, edit: Edit) -> int:
    """Carry an edit out; returns how many options changed. Inside a running deed. Raises `Collided` when
    somebody else saved meanwhile what this person touched, `Invalid` with sentences by ``label.<id>``, `Refusal`."""
    editable(act.actor)
    declared(name)
    found = {row.id: row for row in rows(act.session, name, act.actor.dealer_id)}
    edit = settle(found, edit)
    changed = {row_id: wish.changes(found[row_id]) for row_id, wish in edit.wishes.items()}
    wanted = {row_id: changes for row_id, changes in changed.items() if changes}
    for row_id, sort in _moved(found, edit).items():
        wanted.setdefault(row_id, {})["sort"] = sort
    _check(found, edit.wishes, wanted)
    for row_id, changes in wanted.items():
        row = own_row(act, found[row_id])
        if "parent" in changes:
            rules.update_entry(row, act, {"parent": changes["parent"]})
        for column, value in changes.items():
            setattr(row, column, value)
    act.session.flush()
    if edit.removed:
        remove(act, found.get(edit.removed))
    return len(wanted) + bool(edit.removed)


def _check(
    found: Mapping[int, DictionaryEntry], wishes: Mapping[int, Wish], wanted: Mapping[int, Mapping[str, Any]]
) -> None:
    """Names are given, short enough, and not those of another option beside it."""
    errors = {}
    shown: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row_id, row in found.items():
        changes = wanted.get(row_id, {})
        label, parent = changes.get("label", row.label), changes.get("parent", row.parent) or ""
        shown[label, parent].append(row_id)
    for row_id, changes in wanted.items():
        label = changes.get("label")
        if label is None:
            continue
        row = found[row_id]
        if not label:
            errors[f"label.{row_id}"] = "请填写名称"
        elif len(label) > LONGEST:
            errors[f"label.{row_id}"] = f"名称最多{LONGEST}个字"
        elif len(shown[label, changes.get("parent", row.parent) or ""]) > 1:
            errors[f"label.{row_id}"] = f"“{label}”已存在；要把两项合为一项请使用“合并”"
    if errors:
        raise Invalid(errors)


def own_row(act: Act, row: DictionaryEntry) -> DictionaryEntry:
    """The entry that this person changes: a dealer's own one in the place of a preset, made where missing."""
    if row.dealer_id == act.actor.dealer_id:
        return row
    made = DictionaryEntry(
        dictionary=row.dictionary, dealer_id=act.actor.dealer_id, value=row.value, label=row.label,
        tone=row.tone, parent=row.parent, sort=row.sort, active=row.active,
    )  # fmt: skip
    act.session.add(made)
    act.session.flush()
    return made


def _moved(found: Mapping[int, DictionaryEntry], edit: Edit) -> dict[int, int]:
    """The new places of what was moved, section by section."""
    sections: defaultdict[str, list[int]] = defaultdict(list)
    for row_id in edit.order:
        if row_id in found and row_id in edit.wishes:
            sections[found[row_id].parent or ""].append(row_id)
    moved: dict[int, int] = {}
    one, by = edit.step
    for ids in sections.values():
        if one in ids:
            at = ids.index(one)
            ids.insert(max(0, at + by), ids.pop(at))
        stood = [row_id for row_id in found if row_id in set(ids)]
        if stood != ids:
            moved |= places([(row_id, found[row_id].sort) for row_id in ids])
    return moved


def places(wanted: Sequence[tuple[int, int]]) -> dict[int, int]:
    """The numbers that bring options into the wanted order, for as few of them as may be: ``wanted`` are ids
    with their present numbers. Those that can keep theirs do; the others find room between them, or all are
    numbered anew."""
    kept = _rising([sort for _, sort in wanted])
    numbers: dict[int, int] = {}
    at = 0
    while at < len(wanted):
        if at in kept:
            at += 1
            continue
        end = at
        while end < len(wanted) and end not in kept:
            end += 1
        low = wanted[at - 1][1] if at else None
        high = wanted[end][1] if end < len(wanted) else None
        if low is None:
            low = (high or 0) - STEP * (end - at + 1)
        if high is None:
            high = low + STEP * (end - at + 1)
        if high - low <= end - at:
            first = min(sort for _, sort in wanted)
            anew = {row_id: first + STEP * n for n, (row_id, _) in enumerate(wanted)}
            return {row_id: sort for row_id, sort in anew.items() if (row_id, sort) not in wanted}
        room = (high - low) / (end - at + 1)
        for n in range(at, end):
            numbers[wanted[n][0]] = low + int(room * (n - at + 1))
        at = end
    return numbers


def _rising(sorts: Sequence[int]) -> set[int]:
    """The places of a longest part whose numbers rise."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for n, sort in enumerate(sorts):
        length = bisect_left(tails, sort)
        before.append(ends[length - 1] if length else -1)
        if length == len(tails):
            tails.append(sort)
            ends.append(n)
        else:
            tails[length], ends[length] = sort, n
    found: set[int] = set()
    at = ends[-1] if ends else -1
    while at >= 0:
        found.add(at)
        at = before[at]
    return found


def add(act: Act, name: str, text: str, parent: str = "", *, for_all: bool | None = None) -> list[str]:
    """Add options, one per line, behind those that are there; returns their names. ``for_all`` says whether they are
    the group's (`settle_owner`). Inside a running deed; raises `Invalid` beside ``lines``, and nothing is added."""
    require(act.actor, ("can_add", VIEW), Dictionaries.create_label)
    editable(act.actor)
    declared(name)
    lines = list(dict.fromkeys(filter(None, (" ".join(line.split()) for line in text.splitlines()))))
    there = rows(act.session, name, act.actor.dealer_id)
    near = [row for row in there if (row.parent or "") in ("", parent) or not parent]
    known = {word: row for row in near for word in (row.value, row.label)}
    if not lines:
        raise Invalid({"lines": "请填写选项，每行一个"})
    if len(lines) > MOST_AT_ONCE:
        raise Invalid({"lines": f"一次最多新增{MOST_AT_ONCE}项"})
    for line in lines:
        if len(line) > LONGEST:
            raise Invalid({"lines": f"“{line[:12]}…”超过{LONGEST}个字"})
        if line in known:
            off = "" if known[line].active else "，已停用，可重新启用"
            raise Invalid({"lines": f"“{line}”已存在{off}"})
    last = max((row.sort for row in there), default=0)
    for n, line in enumerate(lines):
        entry = DictionaryEntry(
            dictionary=name, label=line, parent=parent or None, sort=last + STEP * (n + 1)
        )
        try:
            rules.create_entry(entry, act, {FOR_ALL: for_all})
        except Invalid as wrong:
            if FOR_ALL in wrong.errors:
                raise
            raise Invalid({"lines": "；".join(wrong.errors.values())}) from wrong
        act.session.add(entry)
        act.session.flush()
    return lines


def remove(act: Act, row: DictionaryEntry | None) -> None:
    """Delete an option that nothing holds; a dealer's stand-in gives way to the preset. Raises `Refusal`."""
    require(act.actor, ("can_delete", VIEW), f"删除{Dictionaries.label}")
    if row is None:
        raise NotFound
    if row.dealer_id != act.actor.dealer_id:
        raise Refusal(f"“{row.label}”是集团预置项，不能删除，可以停用")
    rules.remove_entry(row, act)
    act.session.delete(row)
    act.session.flush()


def written_by(row: DictionaryEntry) -> str:
    """Who changed the option last."""
    return last_writer(Dictionaries.name, row.id)
