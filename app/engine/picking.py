"""Pick lists: which records are offered for a field, how they read, and whether the chosen ones fit.

Whoever sees one dealer only is offered that dealer's records by the scope alone. Whoever sees several is
offered those of the record's own dealer, or all of them told apart by dealer while it is not known yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, not_, null, or_, select
from sqlalchemy.orm import Session

from app.engine.actions import Act, Invalid
from app.engine.cells import text
from app.engine.fields import FieldSpec, describe
from app.engine.guards import gate
from app.engine.resource import Resource, has_resource, resource_of
from app.engine.scopes import Actor, Scope, scopes_of, visible

BETWEEN = " · "
Dealers = frozenset[int]
NOWHERE: Dealers = frozenset()


@dataclass(frozen=True, slots=True)
class Offer:
    """One record as a pick list shows it; ``group`` is its heading, ``tone`` its colour."""

    id: int
    title: str
    note: str = ""
    group: str = ""
    tone: str = ""

    @property
    def words(self) -> str:
        """Everything that tells it from its namesakes, in one line."""
        return f"{self.title}{BETWEEN}{self.note}" if self.note else self.title


def pickable(
    spec: FieldSpec, actor: Actor, subjects: Sequence[int] = (), dealers: Dealers = NOWHERE
) -> Select[Any]:
    """The records a picker offers to this person: id and title, within the scope; of a field that belongs
    to the action's ``subjects`` only theirs, of known ``dealers`` only theirs."""
    target = resource_of(spec.target)
    statement = select(target.pk(), target.title).where(visible(target, actor))
    if target.pick_where is not None:
        statement = statement.where(target.pick_where(actor))
    if spec.within is not None and subjects:
        statement = statement.where(spec.within.in_(subjects))
    dealer = target.scopes.dealer
    if dealer is not None and dealers:
        own = dealer.in_(dealers)
        statement = statement.where(or_(own, dealer.is_(None)) if target.scopes.shared else own)
    return statement


def still_used(statement: Select[Any], spec: FieldSpec) -> Select[Any]:
    """Without those that nobody chooses anew: who has left, what is no longer sold."""
    active = resource_of(spec.target).pick_active
    return statement if active is None else statement.where(active.is_(True))


def left_for(
    session: Session, statement: Select[Any], spec: FieldSpec, subjects: Sequence[int]
) -> Select[Any]:
    """The same without what the action's subjects have used up."""
    statement = still_used(statement, spec)
    if spec.spent is None or not subjects:
        return statement
    return statement.where(not_(spec.spent(session, subjects)))


def of_parent(statement: Select[Any], spec: FieldSpec, parent: int) -> Select[Any]:
    """Only what belongs to the record chosen in the field above (D-13)."""
    return statement.where(getattr(spec.target, spec.parent) == parent)


def read(
    session: Session, spec: FieldSpec, statement: Select[Any], actor: Actor, dealers: Dealers = NOWHERE
) -> list[Offer]:
    """The records of a statement from `pickable()` as they are offered, in its order."""
    target = resource_of(spec.target)
    notes = [describe(n) for n in target.pick_note]
    dealer = target.scopes.dealer
    several = dealer is not None and len(dealers) != 1 and Scope.GROUP in scopes_of(target, actor)
    tone = getattr(target.model, "tone", None)
    statement = statement.add_columns(
        named(dealer) if several else null(),
        target.pick_group if target.pick_group is not None else null(),
        tone if tone is not None else null(),
        *(named(n) for n in target.pick_note),
    )
    found = []
    for pk, title, house, group, colour, *values in session.execute(statement, actor.params):
        said = [
            text(note, gate(note, value, actor), actor.dealer_id, actor.epoch)
            for note, value in zip(notes, values, strict=True)
        ]
        headings = [h for h in (house, group) if h]
        found.append(
            Offer(pk, str(title), BETWEEN.join(s for s in said if s), BETWEEN.join(headings), _class(colour))
        )
    return found


def _class(tone: Any) -> str:
    return str(getattr(tone, "value", tone) or "")


def grouped(offers: Sequence[Offer]) -> list[Offer]:
    """The offers in the order of their headings; a heading that all of them share says nothing."""
    groups = {o.group for o in offers}
    if len(groups) < 2:
        return [Offer(o.id, o.title, o.note, "", o.tone) for o in offers]
    return sorted(offers, key=lambda o: (not o.group, o.group))


def named(source: Any) -> Any:
    """A column as words are selected for it: of a reference the name of what it refers to."""
    spec = describe(source)
    if spec.kind != "ref":
        return source
    other = resource_of(spec.target)
    return select(other.title).where(other.pk() == source).correlate(source.class_).scalar_subquery()


def best_first(spec: FieldSpec, actor: Actor) -> tuple[ColumnElement[Any], ...]:
    """The order that puts those who fit the field (`prefers`) before the others, the own store's first."""
    target = resource_of(spec.target)
    by, store = target.pick_by, target.scopes.store
    if by is None or not spec.prefers:
        return ()
    name = named(by)
    fits = [(name.contains(word, autoescape=True), n) for n, word in enumerate(spec.prefers)]
    near = () if store is None else (case((store == actor.store_id, 0), else_=1),)
    return (case(*fits, else_=len(fits)), *near)


# ----- whose records are at hand


def dealers_of(session: Session, resource: type[Resource], ids: Sequence[int], actor: Actor) -> Dealers:
    """The dealers of records within the scope."""
    dealer = resource.scopes.dealer
    if dealer is None or not ids:
        return NOWHERE
    statement = select(dealer).distinct().where(resource.pk().in_(ids), visible(resource, actor))
    return frozenset(d for d in session.scalars(statement, actor.params) if d is not None)


def dealers_of_record(record: Any) -> Dealers:
    """The dealer a record belongs to."""
    found = getattr(record, "dealer_id", None)
    return NOWHERE if found is None else frozenset({found})


def dealers_of_new(
    session: Session, resource: type[Resource], given: Mapping[str, Any], actor: Actor
) -> Dealers:
    """The dealer a new record will belong to: of the record named by ``dealer_from``, else of its maker."""
    if resource.dealer_from is None:
        return NOWHERE if actor.dealer_id is None else frozenset({actor.dealer_id})
    spec = describe(resource.dealer_from)
    value = given.get(spec.name)
    first = value[-1] if isinstance(value, (list, tuple)) and value else value
    number = str(first or "")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return NOWHERE
    return dealers_of(session, resource_of(spec.target), [int(number)], actor)


# ----- what was chosen


@dataclass(frozen=True, slots=True)
class Chosen:
    """A record chosen in a field, as far as it can be wrong."""

    spec: FieldSpec
    id: int
    title: str
    dealer_id: int | None
    what: str


def stored(session: Session, record: Any, spec: FieldSpec) -> set[int]:
    """The ids a record's field holds now."""
    if record is None or record.id is None:
        return set()
    if spec.links is not None:
        return set(session.scalars(select(spec.links.right).where(spec.links.left == record.id)))
    value = getattr(record, spec.name, None)
    return {value} if isinstance(value, int) else set()


def chosen(
    session: Session,
    specs: Iterable[FieldSpec],
    values: Mapping[str, Any],
    actor: Actor,
    record: Any = None,
) -> list[Chosen]:
    """What these values choose anew and `judge()` has to look at; nothing is read for people who see one
    dealer only, except of fields that prefer somebody."""
    found = []
    for spec in specs:
        value = values.get(spec.name)
        if not value or spec.target is None or not has_resource(spec.target):
            continue
        target = resource_of(spec.target)
        dealer = target.scopes.dealer if Scope.GROUP in scopes_of(target, actor) else None
        by = target.pick_by if spec.prefers else None
        if dealer is None and by is None:
            continue
        ids = set(value if isinstance(value, (list, tuple)) else [value]) - stored(session, record, spec)
        statement = select(
            target.pk(),
            target.title,
            dealer if dealer is not None else null(),
            named(by) if by is not None else null(),
        ).where(target.pk().in_(ids))
        rows = session.execute(statement) if ids else ()
        found += [Chosen(spec, pk, str(title), house, str(what or "")) for pk, title, house, what in rows]
    return found


def judge(act: Act, record: Any, found: Sequence[Chosen]) -> None:
    """Raise `Invalid` for what belongs to another dealer than the record; warn of who does not fit."""
    own = getattr(record, "dealer_id", None)
    foreign = [c for c in found if own is not None and c.dealer_id not in (None, own)]
    if foreign:
        raise Invalid({c.spec.name: f"“{c.title}”属于其他商场，请重新选择" for c in foreign})
    for c in found:
        if c.spec.prefers and c.id != act.actor.id and not any(word in c.what for word in c.spec.prefers):
            act.warn(_unfit(c))


def _unfit(c: Chosen) -> str:
    word = describe(resource_of(c.spec.target).pick_by).label
    is_now = f"的{word}是{c.what}" if c.what else f"没有填写{word}"
    return f"{c.title}{is_now}，请确认由其担任{c.spec.label}"
