"""A small world for the generated tests: three places, people of every kind of rights, and one record of
every declared resource in every place, made from the declarations alone.

``here`` and ``there`` are two stores of one dealer, ``away`` is another dealer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Date, DateTime, Integer, Numeric, select
from sqlalchemy.orm import Session
from sqlalchemy.types import JSON

import models
from app.engine.actions import Act
from app.engine.audit import acting
from app.engine.database import utcnow, writing
from app.engine.fields import FieldSpec, Links, Values, describe
from app.engine.guards import all_guards
from app.engine.permissions import all_permissions
from app.engine.resource import Group, Resource, filtered, resources
from app.engine.scopes import SYSTEM, Scope, offered
from app.engine.slots import FAMILIES
from models.identity import presets, role_rules
from models.identity.roles import StaffRole
from models.identity.tables import Dealer, Department, Employee, Membership, Store
from models.shaping.custom_fields import FAMILY, FieldKind

models.load()  # tests are generated from the registry while they are collected

PLACES = ("here", "there", "away")
HERE, THERE, AWAY = PLACES
PASSWORD = "Generic-2024K"
PERSONAL = (Scope.MINE, Scope.OWNED, Scope.RELATED)

SEES, MASKED, OWN, STORE, NOBODY, FOREIGN = "sees1", "masked1", "own1", "store1", "nobody1", "sees2"
"""Of the first dealer: everything in the clear; everything masked; the own rows of the store ``there``; the
rows of that store; no rights at all. Of the second dealer: everything in the clear."""


def guarded(resource: type[Resource]) -> list[FieldSpec]:
    """Every guarded field that the resource's model or screens know."""
    found = {s.name: s for s in fields(resource) if s.guard is not None}
    for spec in declared(resource.model):
        if spec.guard is not None:
            found.setdefault(spec.name, spec)
    return list(found.values())


def declared(model: Any) -> list[FieldSpec]:
    """The model's columns that were declared with a label."""
    keys = [a.key for a in model.__mapper__.column_attrs if "zk" in a.columns[0].info]
    return [describe(getattr(model, key)) for key in keys]


def fields(resource: type[Resource]) -> list[FieldSpec]:
    """Every field that appears on some screen of the resource."""
    groups = (*resource.form, *(resource.edit_form or ()), *resource.detail)
    sources = [f for g in groups if isinstance(g, Group) for f in g.fields]
    sources += [*resource.columns, *resource.more_columns, *resource.exact, *resource.tail]
    sources += [filtered(f) for f in resource.filters]
    found = {describe(s).name: describe(s) for s in sources}
    return list(found.values())


def opening(spec: FieldSpec) -> dict[str, str]:
    """What has to be chosen before the field is asked for."""
    rules = (rule.partition("=") for rule in (spec.shown_when, spec.opens_when) if rule)
    return {name: values.split("|")[0] for name, _, values in rules}


@dataclass
class World:
    """Ids of what stands where, and the secrets that guards keep."""

    records: dict[tuple[str, str], int] = field(default_factory=dict)
    secrets: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    dealers: dict[str, int] = field(default_factory=dict)
    stores: dict[str, int] = field(default_factory=dict)

    def id(self, resource: type[Resource], place: str) -> int | None:
        """The record of that resource in that place."""
        return self.records.get((resource.name, place))

    def phones(self) -> list[str]:
        """Every guarded number of the world."""
        return sorted({v for v in self.secrets.values() if isinstance(v, str)})

    def prices(self) -> list[Decimal]:
        """Every guarded price of the world."""
        return sorted({v for v in self.secrets.values() if isinstance(v, Decimal)})


class Builder:
    """Makes the world in an initialised database."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.world = World()
        self.owner: dict[str, int] = {}
        self.made: dict[tuple[str, str], Any] = {}
        self.number = 0

    def build(self) -> World:
        """Places, people, then one record of everything in every place."""
        with writing(self.session), acting(self.session, Act(SYSTEM, utcnow(), self.session, "job", "init")):
            self._places()
            self._people()
            for place in PLACES:
                for resource in resources():
                    self.record(resource.model, place)
            self._reprice()
            self.session.commit()
        self._adopt_history()
        self.session.rollback()
        return self.world

    def _places(self) -> None:
        first = self.session.scalars(select(Dealer).order_by(Dealer.id)).first()
        assert first is not None
        second = presets.make_dealer(self.session, "对照商场", "D002", "宁波")
        main = self.session.scalars(select(Store).where(Store.dealer_id == first.id)).one()
        far = self.session.scalars(select(Store).where(Store.dealer_id == second.id)).one()
        west = Store(dealer_id=first.id, code="D001-02", name="西城店")
        self.session.add(west)
        self.session.flush()
        self.world.dealers = {HERE: first.id, THERE: first.id, AWAY: second.id}
        self.world.stores = {HERE: main.id, THERE: west.id, AWAY: far.id}
        for place, store in ((HERE, main), (THERE, west), (AWAY, far)):
            dealer = second if place == AWAY else first
            self.made["stores", place], self.made["dealers", place] = store, dealer
            desk = Department(name=f"部门{place}", dealer_id=dealer.id, store_id=store.id)
            self.session.add(desk)
            self.made["departments", place] = desk
        self.session.flush()

    def _people(self) -> None:
        grants = {p.pair for p in all_permissions() if p.guard is None and p.resource_name != "dealers"}
        clear = {g.permission for g in all_guards() if not g.restricting}
        dark = {g.permission for g in all_guards() if g.restricting}
        # name, rights, scopes, place
        for name, rights, scopes, place in (
            (SEES, grants | clear, (Scope.DEALER,), HERE),
            (MASKED, grants | dark, (Scope.DEALER,), HERE),
            (OWN, grants | clear, PERSONAL, THERE),
            (STORE, grants | clear, (Scope.STORE,), THERE),
            (NOBODY, set(), (), HERE),
            (FOREIGN, grants | clear, (Scope.DEALER,), AWAY),
        ):
            self._person(name, self._role(name, rights, scopes, place), place)
        self.owner = {
            HERE: self.world.people[SEES],
            THERE: self.world.people[OWN],
            AWAY: self.world.people[FOREIGN],
        }
        for name in ("manager", "consultant", "designer", "clerk"):
            role = presets.preset_role(self.session, self.world.dealers[HERE], name)
            self._person(f"{name}1", role, HERE)
        for place, name in ((HERE, SEES), (THERE, OWN), (AWAY, FOREIGN)):
            self.made["employees", place] = self.session.get_one(Employee, self.world.people[name])
            self.made["roles", place] = self.session.scalars(
                select(StaffRole).where(StaffRole.name == f"generic:{name}")
            ).one()

    def _role(
        self, name: str, rights: set[tuple[str, str]], scopes: tuple[Scope, ...], place: str
    ) -> StaffRole:
        role = StaffRole(name=f"generic:{name}", label=f"角色{name}", dealer_id=self.world.dealers[place])
        self.session.add(role)
        self.session.flush()
        opened = {(r.name, s) for r in resources() for s in scopes if s in offered(r)}
        role_rules.give(self.session, role, role_rules.Rights(frozenset(rights), frozenset(opened)))
        return role

    def _person(self, username: str, role: StaffRole, place: str) -> None:
        person = presets.add_person(
            self.session,
            dealer_id=self.world.dealers[place],
            username=username,
            name=f"员工{username}",
            password=PASSWORD,
            roles=[role],
            stores=[self.made["stores", place]],
            department_id=self.made["departments", place].id,
        )
        self.world.people[username] = person.id

    # ----- records

    def record(self, model: Any, place: str) -> Any:
        """The record of that model in that place, made with everything it refers to."""
        resource = next((r for r in resources() if r.model is model), None)
        name = resource.name if resource else model.__tablename__
        if (name, place) not in self.made:
            made = self._known(model, place)
            if made is None:
                made = self._make(model, place)
            self.made[name, place] = made
            if resource is not None:
                self._sets(resource, made, place)
        made = self.made[name, place]
        if resource is not None:
            self.world.records.setdefault((name, place), made.id)
            self._remember(resource, made, place)
        return made

    def _known(self, model: Any, place: str) -> Any:
        """Records that people bring with them."""
        if model is Membership:
            mine = Membership.user_id == self.owner[place]
            return self.session.scalars(select(Membership).where(mine)).first()
        return None

    def _make(self, model: Any, place: str) -> Any:
        values = {}
        for attribute in model.__mapper__.column_attrs:
            spec = describe(getattr(model, attribute.key))
            column = attribute.columns[0]
            if column.primary_key or column.table is not model.__table__:
                continue
            value = self._value(model, spec, column, place)
            if value is not None:
                values[attribute.key] = value
        made = model(**values)
        self.session.add(made)
        self.session.flush()
        return made

    def _value(self, model: Any, spec: FieldSpec, column: Any, place: str) -> Any:
        if spec.name == "dealer_id":
            return self.world.dealers[place]
        if spec.name == "version":
            return None
        if spec.target is not None:
            return self._reference(model, spec, column, place)
        if spec.name == "pattern":  # what records hold fits none
            return None
        if spec.name == "slot":
            return FAMILIES[FAMILY[list(FieldKind)[PLACES.index(place)]]][0]
        if spec.name == "sentence":  # each is said in other words once
            return spec.entries(None)[PLACES.index(place)].value
        self.number += 1
        if spec.guard is not None:
            return _price(self.number) if spec.kind == "money" else _phone(self.number)
        if spec.choices is not None:
            return spec.default or list(spec.choices)[PLACES.index(place) % len(spec.choices)]
        if spec.dictionary:
            entries = spec.entries(self.world.dealers[place])
            return entries[0].value if entries and column.nullable is False else None
        return _plain(column, spec, f"{spec.label}{self.number}", self.number)

    def _reference(self, model: Any, spec: FieldSpec, column: Any, place: str) -> int | None:
        if spec.target is model:
            return None
        if spec.target is Employee:
            return self.owner[place]
        if spec.target is Store:
            return self.world.stores[place]
        if column.nullable and _later(model, spec.target):
            return None
        return int(self.record(spec.target, place).id)

    def _sets(self, resource: type[Resource], made: Any, place: str) -> None:
        """One member of every set of values or links."""
        for spec in fields(resource):
            if spec.values is not None and spec.values.main is not None:
                self.number += 1
                extra = {c.key: getattr(made, o.key) for c, o in spec.values.copies}
                if spec.values.order is not None:
                    extra[spec.values.order.key] = 1
                self._add(spec.values, made, _phone(self.number), extra)
            elif spec.links is not None and spec.target is not Employee and resource.name != "employees":
                extra = {c.key: getattr(made, o.key) for c, o in spec.links.copies}
                self._add(spec.links, made, self.record(spec.target, place).id, extra)
        self.session.flush()

    def _add(self, source: Links | Values, made: Any, value: Any, extra: dict[str, Any]) -> None:
        member = source.right if isinstance(source, Links) else source.value
        self.session.add(source.left.class_(**{source.left.key: made.id, member.key: value, **extra}))

    def _remember(self, resource: type[Resource], made: Any, place: str) -> None:
        for spec in guarded(resource):
            if spec.values is not None:
                if spec.values.main is None:
                    continue
                main = getattr(made, spec.values.main.key)
                held = select(spec.values.value).where(spec.values.left == made.id, spec.values.value != main)
                self.world.secrets[resource.name, spec.name, place] = self.session.scalars(held).one()
            elif spec.attribute is not None:
                self.world.secrets[resource.name, spec.name, place] = getattr(made, spec.name)

    def _reprice(self) -> None:
        """Every guarded value changes once more, so that the history holds an old and a new one."""
        for resource in resources():
            for place in PLACES:
                made = self.made[resource.name, place]
                for spec in guarded(resource):
                    if spec.kind == "money":
                        self.number += 1
                        setattr(made, spec.name, _price(self.number))
                    elif (
                        spec.kind == "phone"
                        and spec.attribute is not None
                        and spec.attribute.class_ is resource.model
                    ):
                        self.number += 1
                        setattr(made, spec.name, _phone(self.number))
                self.session.flush()
                self._remember(resource, made, place)

    def _adopt_history(self) -> None:
        """Of the history, the newest entry of each dealer stands for its place."""
        shown = next((r for r in resources() if r.name == "audit_entries"), None)
        if shown is None:
            return
        for place in PLACES:
            newest = (
                select(shown.pk())
                .where(shown.model.dealer_id == self.world.dealers[place])
                .order_by(shown.pk().desc())
                .limit(1)
            )
            self.world.records[shown.name, place] = self.session.scalars(newest).one()


def _later(model: Any, target: Any) -> bool:
    """Whether the target is declared after the model, so that following it would go round in circles."""
    order = [r.model for r in resources()]
    return target in order and model in order and order.index(target) >= order.index(model)


def _phone(number: int) -> str:
    """A number that shares neither its first five digits nor its last five with another one; its middle digits
    occur nowhere else. The product's own examples begin with 13800."""
    head = (number * 617 + 846) % 1000
    return f"1{5 if head == 800 else 3}{head:03d}{(number * 173_377 + 190_357) % 10**6:06d}"


def _price(number: int) -> Decimal:
    return Decimal(7_351_986 + number * 101_117) / 100


_LATER = ("departed_at", "linked_at", "withdrawn_at", "removed_at", "purged_at")


def _plain(column: Any, spec: FieldSpec, words: str, number: int) -> Any:
    kind = getattr(column.type, "impl_instance", column.type)
    if isinstance(kind, Boolean):
        return None if column.default is not None else True
    if isinstance(kind, DateTime):
        if column.default is not None or spec.name in _LATER:
            return None
        return utcnow() + timedelta(days=1) if spec.name.startswith(("due", "next_")) else utcnow()
    if isinstance(kind, Date):
        return date(2026, 11, 1)
    if isinstance(kind, Integer):
        return None if column.default is not None else 1
    if isinstance(kind, Numeric):
        return None if column.default is not None else Decimal("12.30")
    if isinstance(kind, JSON):
        return {}
    return words[: column.type.length or 200]


def recent(moment: datetime) -> str:
    """A stored moment as a form writes it."""
    return (moment + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")
