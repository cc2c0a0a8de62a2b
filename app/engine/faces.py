"""A resource as one dealer has it: the declared one with the fields that administrators added.

Everything generated takes a resource; given a face of it, list, form, page, file, chart and API follow, because
an added field is a field like any other. Entrances that know for whom they work take the face; where a dealer
has added nothing it is the declared resource itself.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import is_
from typing import Any, Protocol

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session

from app.engine.fields import FILES, FieldSpec
from app.engine.formulas import Read
from app.engine.resource import Breakdown, Chart, Group, Resource, has_resource, resource_of
from app.engine.resource import resource as named
from app.engine.scopes import Actor
from app.engine.slots import Extended

RANGED = frozenset({"number", "money", "date", "datetime"})
"""Kinds that have an order, by which lists are sorted."""
LISTED = frozenset({"choice", "choices", "bool"})
"""Kinds with few values, which charts count."""
_UNLISTED = frozenset({"textarea", *FILES})
"""Kinds by which nothing is found."""


@dataclass(frozen=True, slots=True, eq=False)
class Added:
    """One added field and where it appears; ``section`` is the group of the form and of the page it stands in."""

    spec: FieldSpec
    section: str
    form: bool = True
    column: bool = True
    filter: bool = False
    sort: bool = False
    template: bool = False
    chart: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Additions:
    """What a dealer has added to a resource, in its order; ``key`` is another one when anything of it is."""

    key: Hashable = ()
    fields: tuple[Added, ...] = ()


NONE = Additions()


class Source(Protocol):
    """What the domain that keeps added fields tells of them."""

    def added(self, resource_name: str, dealer_id: int | None, session: Session | None = None) -> Additions:
        """The fields that people of that dealer have, as that session sees them, or the request's."""

    def recorded(
        self, resource_name: str, slot: str, dealer_id: int | None, at: datetime
    ) -> FieldSpec | None:
        """The field that stood in the slot of that dealer's records then, if it is still known."""


_source: list[Source] = []
_page: list[str] = []
_faces: dict[tuple[str, int | None], tuple[Hashable, tuple[Any, ...], type[Resource]]] = {}


def provide_fields(source: Source, page: str) -> None:
    """Say who knows the added fields, and by which resource administrators add them; their domain calls this."""
    _source[:] = [source]
    _page[:] = [page]


def extendable(resource: type[Resource]) -> bool:
    """Whether fields may be added to it."""
    return issubclass(resource.model, Extended)


def faced(resource: type[Resource], dealer_id: int | None, session: Session | None = None) -> type[Resource]:
    """The resource as people of that dealer have it; who works in a ``session`` of his own names it."""
    base = resource.base
    if not extendable(base) or not _source:
        return base
    found = _source[0].added(base.name, dealer_id, session)
    if not found.fields:
        return base
    place, declared = (base.name, dealer_id), tuple(getattr(base, name) for name in _TAKEN)
    known = _faces.get(place)
    same = known is not None and known[0] == found.key and all(map(is_, known[1], declared))
    if known is None or not same:
        known = _faces[place] = (found.key, declared, _face(base, found.fields))
    return known[2]


_BY = "by_"
_TAKEN = ("columns", "more_columns", "filters", "sorts", "detail", "form", "edit_form", "charts", "template")
"""What of the declaration a face is made of: upper domains extend it."""


def adding_url(resource: type[Resource], actor: Actor) -> str:
    """Where this person adds a field to the resource; empty for those who may not."""
    page = named(_page[0]) if _page and extendable(resource) else None
    if page is None or not actor.can("can_add", page.view_name()):
        return ""
    return f"/{page.name}/new?resource={resource.name}"


def recorded(resource_name: str, slot: str, dealer_id: int | None, at: datetime) -> FieldSpec | None:
    """The field behind a slot in an entry of the history."""
    return _source[0].recorded(resource_name, slot, dealer_id, at) if _source else None


def _face(base: type[Resource], added: Sequence[Added]) -> type[Resource]:
    def specs(wanted: Callable[[Added], bool]) -> tuple[FieldSpec, ...]:
        return tuple(a.spec for a in added if wanted(a))

    asked = [a for a in added if a.form and a.spec.formula is None]
    body: dict[str, Any] = {
        "__doc__": base.__doc__,
        "__module__": base.__module__,
        "added": _settled(specs(lambda _: True)),
        "columns": (*base.columns, *specs(lambda a: a.column)),
        "more_columns": (*base.more_columns, *specs(lambda a: not a.column)),
        "filters": (*base.filters, *specs(lambda a: a.filter and a.spec.kind not in _UNLISTED)),
        "sorts": (*base.sorts, *specs(lambda a: a.sort and a.spec.kind in RANGED)),
        "detail": _placed(base.detail, added),
        "form": _placed(base.form, asked),
        "edit_form": _placed(base.edit_form, asked) if base.edit_form is not None else None,
        "charts": (*base.charts, *(_chart(a.spec) for a in added if a.chart and a.spec.kind in LISTED)),
    }
    if base.template is not None:
        left_out = (
            *base.template.left_out,
            *(a.spec.name for a in added if not a.template or a.spec.kind in FILES),
        )
        body["template"] = replace(base.template, left_out=left_out)
    return types.new_class(
        base.__name__, (base,), {"model": base.model, "base": base}, lambda ns: ns.update(body)
    )


def _settled(specs: Sequence[FieldSpec]) -> tuple[FieldSpec, ...]:
    """The fields, each formula behind those it is worked out of."""
    waiting = [s for s in specs if s.formula is not None]
    found = [s for s in specs if s.formula is None]
    while waiting:
        names = {s.name for s in waiting}
        ready = [s for s in waiting if s.formula is not None and names.isdisjoint(s.formula.sources())]
        if not ready:
            break
        found += ready
        waiting = [s for s in waiting if s not in ready]
    return tuple(found)


def _placed(parts: tuple[Any, ...], added: Sequence[Added]) -> tuple[Any, ...]:
    """The groups with the added fields in those they name; groups that are not there yet stand behind the others."""
    by_section: dict[str, list[FieldSpec]] = {}
    for one in added:
        by_section.setdefault(one.section, []).append(one.spec)
    groups = [
        Group(part.title, *part.fields, *by_section.pop(part.title, ()), folded=part.folded)
        for part in parts
        if isinstance(part, Group)
    ]
    groups += [Group(title, *specs) for title, specs in by_section.items()]
    return (*groups, *(part for part in parts if not isinstance(part, Group)))


def _chart(spec: FieldSpec) -> Chart:
    return Breakdown(f"{_BY}{spec.name}", f"{spec.label}分布", by=spec)


def charted_by(chart: str) -> str:
    """The name of the field that the chart of that name counts, if it is that of an added one."""
    return chart.removeprefix(_BY)


# ----- what is worked out


def worked_out(resource: type[Resource], read: Read) -> dict[str, Any]:
    """The values of the formulas of a face for one record, whose other values ``read`` gives by name."""
    found: dict[str, Any] = {}
    for spec in resource.added:
        if spec.formula is not None:
            found[spec.name] = spec.formula.value(lambda name: found[name] if name in found else read(name))
    return found


@event.listens_for(Session, "before_flush")
def _work_out(session: Session, _context: Any, _instances: Any) -> None:
    """Whatever changes a record changes what is worked out of it, in the same deed."""
    if not _source:
        return
    for record in (*session.new, *session.dirty):
        if isinstance(record, Extended) and has_resource(type(record)):
            _refresh(record, session)


def _refresh(record: Any, session: Session) -> None:
    face = faced(resource_of(type(record)), record.dealer_id, session)
    state = inspect(record)
    for spec in face.added:
        if spec.formula is None:
            continue
        sources = spec.formula.sources()
        if state.persistent and not any(state.attrs[name].history.has_changes() for name in sources):
            continue
        value = spec.formula.value(lambda name: getattr(record, name))
        if value != getattr(record, spec.name):
            setattr(record, spec.name, value)
