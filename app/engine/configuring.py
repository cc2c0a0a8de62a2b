"""What can be changed by administrators, as kinds of entries that are known across installations.

A domain declares a kind beside its resource: which columns name an entry anywhere (its natural key), which
columns are its content, and where its rules want more than the resource's own. History, undoing, files and
presets of the configuration take every declared kind in without knowing it (`configured/`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from app.engine.actions import Act
from app.engine.changes import plain
from app.engine.fields import FieldSpec, describe
from app.engine.resource import Resource, fields_of, has_resource, resource_of

SECRET = re.compile(r"password|passwd|secret|token|webhook|robot|api_?key|private_?key|credential", re.I)
"""Names of what never gets into a file."""
CONFIGURE = ("can_configure", "AuditLog")
"""Who sees the changes of the configuration and handles its files; what of it, the rights of each kind say."""
EXACT = "="
"""Before the name of a part: its exact value in the history, beside the one in words."""
FOR_ALL = "for_all"
"""The input of a new entry that makes it everybody's; a file says that of all its entries at once."""


@dataclass(frozen=True, eq=False)
class Part:
    """Content that is no column: the rights of a role. ``read(session, ids)`` gives the values of these
    records, lists, ``words(old, new)`` the lines of a change. The history keeps what they were under ``EXACT``
    and the name of each field: by itself where the part ``follows`` columns, else the rules of the kind note it.
    ``ordered`` values are lists whose order says something."""

    fields: tuple[FieldSpec, ...]
    read: Callable[[Session, Sequence[int]], Mapping[int, Mapping[str, Any]]]
    words: Callable[[Mapping[str, Any], Mapping[str, Any]], list[str]]
    follows: tuple[Any, ...] = ()
    ordered: bool = False


@dataclass(frozen=True, eq=False)
class Writer:
    """How entries are written that are not changed by the form of their resource. The rules look for
    themselves at rights beyond those of the resource.

    ``put(act, owner, record, flat)`` takes the key and the content of an entry as a file holds them (``record``
    is None for a new one) and raises `Refusal` for what is wrong with them; ``drop(act, record)`` takes it away,
    and ``back(act, record)`` brings back what only bears the mark of being gone. ``right`` is the permission for
    all of it.
    """

    put: Callable[[Act, int | None, Any, Mapping[str, Any]], None]
    drop: Callable[[Act, Any], None]
    back: Callable[[Act, Any], None] | None = None
    right: str = "can_edit"


@dataclass(frozen=True, eq=False)
class Spoken:
    """Content that names what is called otherwise in another installation: added fields, or their permissions.
    ``out(value, of, names)`` gives what a file says, and ``into`` what is kept, or raises `Wrong` for what is not
    there; ``of`` is the list that the column of that name says, where it needs one."""

    out: Callable[[Any, str, Any], Any]
    into: Callable[[Any, str, Any], Any]
    of: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """A field that an entry speaks of, by the name under which it is kept: of which list, and whose it is where
    that is not the entry's owner."""

    of: str
    field: str
    dealer: int | None = None


@dataclass(frozen=True, eq=False)
class Naming:
    """That a column speaks of fields: ``find(record, value)`` gives them. ``label`` is what the column is called
    that has no word of its own; in ``words`` fields are called as people call them."""

    find: Callable[[Any, Any], Iterable[Named]]
    label: str = ""
    words: bool = False


@dataclass(frozen=True, eq=False)
class Mark:
    """A column, and what it holds of some rows."""

    column: Any
    value: Any

    @property
    def name(self) -> str:
        """The name of the column."""
        return str(self.column.key)

    @property
    def stored(self) -> Any:
        """The value as the history keeps it."""
        return plain(self.value)

    def holds(self) -> ColumnElement[bool]:
        """Rows that bear it."""
        found: ColumnElement[bool] = (
            self.column.is_(None) if self.value is None else self.column == self.value
        )
        return found


@dataclass(frozen=True, eq=False)
class Kind:
    """One declared kind. ``code`` is the column that names an entry alone where it is filled in; ``where``
    leaves rows out that nobody configures, ``personal`` marks those that are somebody's own, and ``there`` those
    that are not taken away although their row stays; ``answers`` go on where the rules ask; ``fit(act, record, values)``
    makes given values what the rule takes; ``depends(session, record)`` says in words what would lose its hold,
    empty for nothing; ``hidden(flat)`` is true of entries that hold a secret, and ``words(flat)`` is what one
    is called; ``spoken`` is, by name, content that a file says otherwise than it is kept. ``names`` are the columns
    that speak of fields, besides those whose kind says so (`configured/uses.py`); ``without`` is what becomes of an
    entry when such a field goes, empty where that must not happen."""

    resource: type[Resource]
    key: tuple[FieldSpec, ...]
    content: tuple[FieldSpec, ...]
    code: FieldSpec | None = None
    part: Part | None = None
    writer: Writer | None = None
    where: ColumnElement[bool] | None = None
    personal: Mark | None = None
    there: Mark | None = None
    answers: tuple[str, ...] = ()
    fit: Callable[[Act, Any, dict[str, Any]], dict[str, Any]] | None = None
    depends: Callable[[Session, Any], str] | None = None
    hidden: Callable[[Mapping[str, Any]], bool] = field(default=lambda _flat: False)
    words: Callable[[Mapping[str, Any]], str] | None = None
    under: Any = None
    typed: Callable[[Mapping[str, Any], str], FieldSpec | None] | None = None
    spoken: Mapping[str, Spoken] = field(default_factory=dict)
    names: Mapping[str, Naming] = field(default_factory=dict)
    without: str = ""

    @property
    def name(self) -> str:
        """Its name in files: that of the resource."""
        return self.resource.name

    @property
    def label(self) -> str:
        """What people call such an entry."""
        return self.resource.label

    @property
    def owner(self) -> Any:
        """The column of the dealer an entry belongs to; empty in the presets of the group."""
        return self.resource.scopes.dealer

    @property
    def specs(self) -> dict[str, FieldSpec]:
        """Everything a file may say of an entry, by name."""
        parts = self.part.fields if self.part is not None else ()
        return {s.name: s for s in (*self.key, *self.content, *parts)}

    @property
    def rows(self) -> list[ColumnElement[bool]]:
        """What holds of the rows that are entries."""
        found = [self.where] if self.where is not None else []
        found += [~self.personal.holds()] if self.personal is not None else []
        return found + ([self.there.holds()] if self.there is not None else [])

    @property
    def parts(self) -> frozenset[str]:
        """The names of what is no column."""
        return frozenset(s.name for s in self.part.fields) if self.part is not None else frozenset()

    def identity(self, flat: Mapping[str, Any]) -> dict[str, Any]:
        """What names this entry, of all that is known of it."""
        if self.code is not None and flat.get(self.code.name) is not None:
            return {self.code.name: flat[self.code.name]}
        return {s.name: flat.get(s.name) for s in self.key}

    def called(self, flat: Mapping[str, Any]) -> str:
        """What an entry is called in messages."""
        if self.words is not None:
            return self.words(flat)
        said = [_said(s, flat.get(s.name)) for s in self.key if flat.get(s.name) not in (None, "")]
        return " / ".join(said) or "（未命名）"


_kinds: dict[str, Kind] = {}
_names: dict[Any, FieldSpec] = {}
_following: dict[Any, Kind] = {}


def configurable(
    resource: type[Resource],
    *,
    key: tuple[Any, ...],
    content: tuple[Any, ...],
    code: Any = None,
    **more: Any,
) -> Kind:
    """Declare a kind, once, at import, after those that it refers to. Raises `TypeError` for a column that is
    guarded or holds a secret: it would leave in a file."""
    if resource.scopes.dealer is None:
        raise TypeError(f"{resource.name} belongs to no dealer")
    kind = Kind(
        resource,
        tuple(map(describe, key)),
        tuple(map(describe, content)),
        describe(code) if code is not None else None,
        **more,
    )
    for spec in (*kind.specs.values(), *([kind.code] if kind.code is not None else [])):
        if spec.guard is not None or spec.kind in ("password", "phone", "phones") or SECRET.search(spec.name):
            raise TypeError(f"{resource.name}.{spec.name} must not get into a file")
    if kind.writer is None:
        typed = {s.name for s in fields_of((*resource.groups(False), *resource.groups(True)))}
        untyped = {s.name for s in kind.content} - typed
        if untyped:
            raise TypeError(f"{resource.name}: no form asks for {', '.join(sorted(untyped))}")
    _kinds[kind.name] = kind
    if kind.part is not None and kind.part.follows:
        _following[resource.model] = kind
    return kind


def name_by(model: Any, column: Any) -> None:
    """Say which column names records of a model across installations, where it is not the code of its
    resource; once, at import."""
    _names[model] = describe(column)


def kinds() -> Iterator[Kind]:
    """Every declared kind, in order of declaration."""
    return iter(tuple(_kinds.values()))


def kind(name: str) -> Kind | None:
    """The kind of that name, or None."""
    return _kinds.get(name)


def kind_of(model: Any) -> Kind | None:
    """The kind whose entries are of that model, or None."""
    return next((k for k in _kinds.values() if k.resource.model is model), None)


def following(model: Any) -> Kind | None:
    """The kind of that model whose part follows columns, or None."""
    return _following.get(model)


def name_of(model: Any) -> FieldSpec | None:
    """The column by which a record that is no entry itself is named in a file; None for an entry."""
    if kind_of(model) is not None:
        return None
    return _names.get(model) or describe(resource_of(model).code)


def nameless(kind: Kind) -> list[str]:
    """Its fields that refer to records without a name across installations; a mistake in the declaration."""
    return [s.name for s in kind.specs.values() if s.target is not None and not _is_named(s.target)]


def _is_named(model: Any) -> bool:
    if model in _names or kind_of(model) is not None:
        return True
    return has_resource(model) and resource_of(model).code is not None


def _said(spec: FieldSpec, value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(str(v) for v in value.values() if v)
    known = {e.value: e.label for e in spec.entries(None)} if isinstance(value, str) else {}
    return known.get(str(value), str(value))
