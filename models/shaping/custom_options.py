"""The options of an added field with choices: entries of a dictionary of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from app.engine.actions import Act, Invalid
from app.engine.choices import dictionary
from app.engine.slots import BETWEEN
from models.settings.tables import DictionaryEntry, EntryTone
from models.shaping.custom_fields import CHOSEN

_TONES = (EntryTone.ACTIVE, EntryTone.GOOD, EntryTone.WARN, EntryTone.BAD, EntryTone.INFO, EntryTone.PLAIN)
_MOST_OPTIONS, _LONGEST_OPTION = 100, 32


def check(lines: Sequence[str]) -> None:
    """Raise `Invalid` for options that cannot be told apart, or that are too many or too long."""
    twice = [line for n, line in enumerate(lines) if line in lines[:n]]
    long = [line for line in lines if len(line) > _LONGEST_OPTION]
    if not lines:
        raise Invalid({"options": "请填写选项，每行一个"})
    if twice:
        raise Invalid({"options": f"选项“{twice[0]}”重复"})
    if long:
        raise Invalid({"options": f"选项“{long[0][:10]}…”超过{_LONGEST_OPTION}个字"})
    if any(BETWEEN in line for line in lines):
        raise Invalid({"options": "选项不能包含 |"})
    if len(lines) > _MOST_OPTIONS:
        raise Invalid({"options": f"最多{_MOST_OPTIONS}个选项，现有{len(lines)}个"})


def lines_of(text: Any) -> list[str]:
    """The options as they are typed, one a line."""
    return [line for line in (" ".join(part.split()) for part in str(text or "").splitlines()) if line]


def in_force(field: Any) -> set[str]:
    """The options that can be chosen now."""
    return {e.value for e in dictionary(field.dictionary, field.dealer_id) if e.active}


def keep(act: Act, field: Any, lines: Sequence[str]) -> None:
    """Make these the options in force, in this order. What records hold stays readable: an option that is left
    out is switched off."""
    if field.kind not in CHOSEN:
        return
    known = {entry.label: entry for entry in _entries(act, field)}
    for n, line in enumerate(lines):
        entry = known.pop(line, None)
        if entry is None:
            act.session.add(
                DictionaryEntry(
                    dictionary=field.dictionary, dealer_id=field.dealer_id, value=line, label=line,
                    tone=_TONES[n % len(_TONES)], sort=(n + 1) * 10, active=True,
                )
            )  # fmt: skip
        else:
            entry.sort, entry.active = (n + 1) * 10, True
    for gone in known.values():
        gone.active = False
    act.session.flush()


def _entries(act: Act, field: Any) -> Sequence[DictionaryEntry]:
    near = DictionaryEntry.dealer_id.is_not_distinct_from(field.dealer_id)
    statement = select(DictionaryEntry).where(DictionaryEntry.dictionary == field.dictionary, near)
    return act.session.scalars(statement.order_by(DictionaryEntry.sort, DictionaryEntry.id)).all()
