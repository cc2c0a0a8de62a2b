"""Fields that follow another field of their form: there, open or needed only for some of its values.

Form, API and file judge by the same functions; the page's script quickens what they decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from app.engine.fields import FieldSpec

Held = Callable[[str], Iterable[Any]]
"""The values that a field of the form holds now, by its name."""


def source_of(rule: str) -> str:
    """The field that a condition ``name=a|b`` is about; empty without one."""
    return rule.partition("=")[0]


def meets(rule: str, held: Held) -> bool:
    """Whether the field named in the condition holds one of its values."""
    name, _, wanted = rule.partition("=")
    return not {written(value) for value in _each(held(name))}.isdisjoint(wanted.split("|"))


def _each(values: Iterable[Any]) -> Iterator[Any]:
    """The values one by one, of several choices each of those that are chosen."""
    for value in values:
        if isinstance(value, list | tuple):
            yield from value
        else:
            yield value


def applies(spec: FieldSpec, held: Held) -> bool:
    """Whether the field is there and open: one that is not holds nothing."""
    return all(meets(rule, held) for rule in (spec.shown_when, spec.opens_when) if rule)


def needed(spec: FieldSpec, held: Held) -> bool:
    """Whether the field must be filled in."""
    return spec.required or bool(spec.needed_when and meets(spec.needed_when, held))


def written(value: Any) -> str:
    """A value as a condition names it."""
    if isinstance(value, bool):
        return "1" if value else ""
    return str(getattr(value, "value", value) if value is not None else "")
