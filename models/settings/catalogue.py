"""Which dictionaries and parameters exist: domains declare theirs here, administrators fill them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as held
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.engine.choices import Entry
from app.engine.configuring import SECRET
from app.engine.fields import FieldSpec


@dataclass(frozen=True)
class DictionaryDef:
    """A dictionary with the entries every dealer starts with; ``parent`` names the one above it (D-13).

    ``group`` is the heading it stands under in the editor; ``kept`` are values that rules write by themselves,
    with what for: these cannot be merged away.
    """

    name: str
    label: str
    presets: tuple[Entry, ...] = ()
    parent: str = ""
    group: str = ""
    kept: Mapping[str, str] = held(default_factory=dict)


Effect = Callable[[Session, int, Mapping[str, Any], datetime], str]
"""Of a dealer, with all the values of the page as they would be saved."""


@dataclass(frozen=True)
class ParameterDef:
    """A setting: how it is asked for (``field``), under which heading, and what holds when nobody set it.

    Kinds: text, textarea, integer, money, bool, choice, choices, texts.
    """

    field: FieldSpec
    group: str
    default: Any
    check: Callable[[Any], str] | None = None
    """Returns the sentence that says what is wrong with a value, or an empty text."""
    secret: bool = False
    """Never leaves in a file, and its value is not shown among the changes."""
    effect: Effect | None = None
    """Returns the sentence that says what the value comes to, or an empty text; asked before saving too."""

    @property
    def key(self) -> str:
        """The name under which it is stored."""
        return self.field.name


_dictionaries: dict[str, DictionaryDef] = {}
_parameters: dict[str, ParameterDef] = {}


def declare_dictionary(
    name: str,
    label: str,
    presets: Iterable[Entry | str] = (),
    parent: str = "",
    *,
    group: str,
    kept: Mapping[str, str] | None = None,
) -> None:
    """Declare a dictionary, once, at import. A bare word is an entry stored as it reads."""
    entries = tuple(p if isinstance(p, Entry) else Entry(p, p) for p in presets)
    _dictionaries[name] = DictionaryDef(name, label, entries, parent, group, kept or {})


def declare_parameter(
    field: FieldSpec,
    default: Any,
    group: str,
    check: Callable[[Any], str] | None = None,
    *,
    secret: bool = False,
) -> None:
    """Declare a setting, once, at import; ``field`` comes from `entry()`, its name like ``pool.days``. One that
    opens a door to somebody else's system is ``secret``. Raises `TypeError` where the name says so and the
    declaration does not."""
    if SECRET.search(field.name) and not secret:
        raise TypeError(f"{field.name} reads like a secret: declare it as one")
    _parameters[field.name] = ParameterDef(field, group, default, check, secret)


def provide_effect(key: str, effect: Effect) -> None:
    """Say what a setting comes to; once, at import, by whoever can count it."""
    _parameters[key] = replace(_parameters[key], effect=effect)


def dictionaries() -> tuple[DictionaryDef, ...]:
    """Every declared dictionary."""
    return tuple(_dictionaries.values())


def dictionary_def(name: str) -> DictionaryDef | None:
    """The declaration of that dictionary, or None."""
    return _dictionaries.get(name)


def parameters() -> tuple[ParameterDef, ...]:
    """Every declared setting, in order of declaration."""
    return tuple(_parameters.values())


def parameter_def(key: str) -> ParameterDef:
    """The declaration of that setting; a `KeyError` names an undeclared one."""
    return _parameters[key]
