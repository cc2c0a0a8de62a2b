"""Which rows a person may see: the actor, the set of scopes, and the conditions they mean.

A scope is never written by hand: a resource declares which of its columns stand for the filer, the
owner, the store and so on, and every entrance asks `visible()` or `arms()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, bindparam, false, literal, or_, select, true
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from app.engine.choices import Choice
from app.engine.fields import Links
from app.engine.rowwise import Checked

if TYPE_CHECKING:
    from app.engine.resource import Resource


class Scope(Choice):
    """The set of row scopes a role opens per resource (A-69, unified model)."""

    MINE = "mine", "我的"
    OWNED = "owned", "我跟进的"
    RELATED = "related", "我关联的"
    GRANTED = "granted", "授权人员"
    DEPARTMENT = "department", "本部门"
    STORE = "store", "本店"
    DEALER = "dealer", "全部"
    GROUP = "group", "集团"


PERSONAL = frozenset({Scope.MINE, Scope.OWNED, Scope.RELATED, Scope.GRANTED})
"""The scopes that follow the person, not the place of work."""


@dataclass(frozen=True)
class Actor:
    """Who acts: one signed-in person with everything that decides what he or she may do.

    Immutable; rebuilt whenever the rights of anybody change (``epoch``). ``permissions`` holds
    ``(permission, view)`` pairs, ``scopes`` the opened scopes by resource name. ``preview`` names the role
    through which an administrator looks at the product just now, ``preview_role`` its number, if it is saved;
    ``rows_of`` and ``rows_from`` are then number and name of the person whose rows stand for the own ones.
    """

    id: int
    username: str = ""
    name: str = ""
    position: str = ""
    dealer_id: int | None = None
    dealer_name: str = ""
    store_id: int | None = None
    store_code: str = ""
    store_name: str = ""
    department_id: int | None = None
    permissions: frozenset[tuple[str, str]] = frozenset()
    scopes: Mapping[str, frozenset[Scope]] = field(default_factory=dict)
    epoch: int = 0
    system: bool = False
    preview: str = ""
    preview_role: int = 0
    rows_of: int | None = None
    rows_from: str = ""

    def can(self, permission: str, view: str) -> bool:
        """Whether a role of this person grants the permission; the system may do everything."""
        return self.system or (permission, view) in self.permissions

    @property
    def beyond_dealer(self) -> bool:
        """Whether this person sees records of other dealers."""
        return self.system or any(Scope.GROUP in opened for opened in self.scopes.values())

    @property
    def params(self) -> dict[str, int | None]:
        """Values of the bind parameters that scope conditions carry."""
        return {
            "actor_id": self.rows_of or self.id,
            "actor_self": self.id,
            "actor_dealer": self.dealer_id,
            "actor_store": self.store_id,
            "actor_department": self.department_id,
        }

    @property
    def called(self) -> str:
        """The name others read: in the history, in messages, in files."""
        return self.name or self.username

    @property
    def header(self) -> str:
        """姓名-职位 [店代码: 店名] (D-01)."""
        who = f"{self.name}-{self.position}" if self.position else self.name
        return f"{who} [{self.store_code}: {self.store_name}]" if self.store_code else who


SYSTEM = Actor(id=0, username="system", name="系统", system=True)


@dataclass(frozen=True, eq=False)
class Granted:
    """Rows of people whose work was opened to somebody: ``by`` names the person on the row, ``person`` and
    ``holder`` are the columns of the table of grants (E-03)."""

    by: Any
    person: Any
    holder: Any


@dataclass(frozen=True, eq=False)
class Scopes:
    """Which columns of a resource stand for which scope.

    ``related`` lists columns or `Links` naming people the record is assigned to; ``through`` is the
    foreign key to the record it belongs to (children follow the customer: whoever sees that one sees
    this one). ``open`` means that everybody signed in sees the whole dealer's rows (stores, tags).
    """

    mine: Any = None
    owned: Any = None
    related: tuple[Any, ...] = ()
    granted: Granted | None = None
    department: Any = None
    store: Any = None
    dealer: Any = None
    through: Any = None
    open: bool = False
    held: ColumnElement[bool] | None = None
    """What must hold of a row for its store and department to see it: what was taken from them is gone."""
    shared: bool = False
    """Rows without a dealer belong to everybody (presets of the group)."""


@dataclass(frozen=True, eq=False)
class Arm:
    """One way into a resource's rows; a list page runs each arm with its own limit and unites them."""

    own: tuple[ColumnElement[bool], ...]
    links: Links | None = None
    dealer: Any = None
    """The column that keeps the arm within the person's dealer."""
    at_hand: ColumnElement[bool] | None = None
    """The same asked of one row, where planners would turn ``own`` into a search for all of them."""
    wide: Any = None
    """The column of a scope so wide that each of the list's orders has an index of it."""

    @property
    def where(self) -> tuple[ColumnElement[bool], ...]:
        """All conditions of the arm."""
        return self.own if self.dealer is None else (*self.own, self.dealer == MY_DEALER)

    @property
    def by_own_index(self) -> tuple[ColumnElement[bool], ...]:
        """The same for planners that are to come by the arm's own columns: where many conditions are counted,
        an index by dealer and the column of a filter would seem nearer than a person's rows."""
        if self.dealer is None:
            return self.own
        return (*self.own, UnaryExpression(self.dealer, operator=_AS_IT_IS) == MY_DEALER)

    @property
    def walked(self) -> tuple[ColumnElement[bool], ...]:
        """The same for lists, which walk the arm's own columns in their order: SQLite would take an index by
        dealer and date, which serves charts, and read the whole dealer's rows to find one person's. PostgreSQL
        knows how many rows each person has."""
        return self.own if self.dealer is None else (*self.own, Checked(self.dealer) == MY_DEALER)


_AS_IT_IS: Any = custom_op("+")
"""A sign that changes no number and keeps planners from an index."""

ME: Any = bindparam("actor_id", required=True)
MYSELF: Any = bindparam("actor_self", required=True)
"""Who looks, also in a preview: for what belongs to the reader alone."""
MY_DEALER: Any = bindparam("actor_dealer", required=True)
MY_STORE: Any = bindparam("actor_store", required=True)
MY_DEPARTMENT: Any = bindparam("actor_department", required=True)


def scopes_of(resource: type[Resource], actor: Actor) -> frozenset[Scope]:
    """The scopes this person has on that resource."""
    if actor.system:
        return frozenset({Scope.GROUP})
    granted = actor.scopes.get(resource.name, frozenset())
    if resource.scopes.open and actor.dealer_id is not None:
        granted = granted | {Scope.DEALER}
    return granted & offered(resource)


def offered(resource: type[Resource]) -> frozenset[Scope]:
    """The scopes the resource's declaration gives a meaning to."""
    key: Any = resource.base
    return _offered(key)


@cache
def _offered(resource: type[Resource]) -> frozenset[Scope]:
    s = resource.scopes
    found = {Scope.GROUP}
    for scope, declared in (
        (Scope.MINE, s.mine),
        (Scope.OWNED, s.owned),
        (Scope.RELATED, s.related),
        (Scope.GRANTED, s.granted),
        (Scope.DEPARTMENT, s.department),
        (Scope.STORE, s.store),
        (Scope.DEALER, s.dealer),
    ):
        if declared is not None and not (isinstance(declared, tuple) and not declared):
            found.add(scope)
    if s.through is not None:
        found |= offered(resource.parent())
    return frozenset(found)


def arms(resource: type[Resource], scopes: frozenset[Scope]) -> tuple[Arm, ...]:
    """The arms that together give the rows of these scopes; none for an empty set (fail closed)."""
    key: Any = resource.base
    return _arms(key, scopes)


@cache
def _arms(resource: type[Resource], scopes: frozenset[Scope]) -> tuple[Arm, ...]:
    own, whole = _own_arms(resource, scopes)
    s = resource.scopes
    if whole or s.through is None:
        return own
    parent = resource.parent()
    # All parents that are seen are looked for here, by each arm's own index.
    seen = _any_of(parent, arms(parent, scopes & offered(parent)), walked=True)
    return (*own, Arm((s.through.in_(select(parent.pk()).where(seen)),)))


def _own_arms(resource: type[Resource], scopes: frozenset[Scope]) -> tuple[tuple[Arm, ...], bool]:
    """The arms by the resource's own columns, and whether they are all there is to see."""
    s = resource.scopes
    if Scope.GROUP in scopes:
        return (Arm(()),), True
    if Scope.DEALER in scopes and s.dealer is not None:
        mine = s.dealer == MY_DEALER
        if s.shared:
            return (Arm((or_(mine, s.dealer.is_(None)),)),), True
        return (Arm((mine,), wide=s.dealer),), True
    found: list[Arm] = []
    held = () if s.held is None else (s.held,)
    if Scope.STORE in scopes and s.store is not None:
        found.append(Arm((s.store == MY_STORE, *held), dealer=s.dealer, wide=s.store))
    if Scope.DEPARTMENT in scopes and s.department is not None:
        found.append(Arm((s.department == MY_DEPARTMENT, *held), dealer=s.dealer))
    if Scope.OWNED in scopes and s.owned is not None:
        found.append(Arm((s.owned == ME,), dealer=s.dealer))
    if Scope.MINE in scopes and s.mine is not None:
        found.append(Arm((s.mine == ME,), dealer=s.dealer, wide=s.mine))
    if Scope.RELATED in scopes:
        for source in s.related:
            if isinstance(source, Links):
                others = () if s.mine is None else (or_(s.mine != ME, s.mine.is_(None)),)
                found.append(Arm((source.right == ME, *others), source, s.dealer))
            else:
                others = () if s.mine is None else (of_others(s.mine, source),)
                found.append(Arm((source == ME, *others), dealer=s.dealer))
    if Scope.GRANTED in scopes and s.granted is not None:
        given = select(s.granted.person).where(s.granted.holder == ME)
        others = () if s.mine is None else (or_(s.mine != ME, s.mine.is_(None)),)
        mine = and_(s.granted.person == s.granted.by, s.granted.holder == ME)
        this = select(literal(1)).where(mine).correlate(resource.model).scalar_subquery()
        at_hand = and_(this.is_not(None), *others)
        found.append(Arm((s.granted.by.in_(given), *others), dealer=s.dealer, at_hand=at_hand))
    return tuple(found), False


def of_others(mine: Any, source: Any) -> ColumnElement[bool]:
    """Rows that somebody else filed than the one named in ``source``, in words an index can be made of."""
    return or_(mine != source, mine.is_(None))


def overview(resource: type[Resource], scopes: frozenset[Scope]) -> tuple[Arm, ColumnElement[bool]] | None:
    """For children whose parents decide who sees them, and for rows of people whose work was granted: the way
    along the rows of all, and what tells of one of them whether it belongs to the scopes. Who sees many of
    them fills a page soonest that way, because no index knows the order of many people's rows together. None
    where each of the `arms()` has an index of its own."""
    key: Any = resource.base
    return _overview(key, scopes)


@cache
def _overview(resource: type[Resource], scopes: frozenset[Scope]) -> tuple[Arm, ColumnElement[bool]] | None:
    s = resource.scopes
    if _own_arms(resource, scopes)[1]:
        return None
    if s.through is not None and scopes & offered(resource.parent()):
        return Arm((), dealer=s.dealer), _of_row(resource, scopes)
    if s.granted is not None and s.dealer is not None and Scope.GRANTED in scopes:
        return Arm((s.dealer == MY_DEALER,), wide=s.dealer), _of_row(resource, scopes)
    return None


def _of_row(resource: type[Resource], scopes: frozenset[Scope]) -> ColumnElement[bool]:
    """`condition()` for a row at hand: of its parent alone is asked whether the person sees it. A scalar
    subquery, because planners turn EXISTS and IN into a search for all parents."""
    own, whole = _own_arms(resource, scopes)
    through = resource.scopes.through
    own_rows = _any_of(
        resource, tuple(a if a.at_hand is None else Arm((a.at_hand,), dealer=a.dealer) for a in own)
    )
    if whole or through is None:
        return own_rows
    parent = resource.parent()
    seen = select(literal(1)).where(parent.pk() == through, _of_row(parent, scopes & offered(parent)))
    return or_(own_rows, seen.correlate(resource.model).scalar_subquery().is_not(None))


def condition(resource: type[Resource], scopes: frozenset[Scope]) -> ColumnElement[bool]:
    """The same rows as `arms()` as one condition, for single records, counts and charts."""
    key: Any = resource.base
    return _condition(key, scopes)


@cache
def _condition(resource: type[Resource], scopes: frozenset[Scope]) -> ColumnElement[bool]:
    return _any_of(resource, arms(resource, scopes))


def _any_of(resource: type[Resource], found: tuple[Arm, ...], *, walked: bool = False) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = []
    for arm in found:
        where = arm.walked if walked else arm.where
        if not where:
            return true()
        if arm.links is not None:
            first, *rest = where
            parts.append(and_(resource.pk().in_(select(arm.links.left).where(first)), *rest))
        else:
            parts.append(and_(*where))
    return or_(*parts) if parts else false()


def visible(resource: type[Resource], actor: Actor | None) -> ColumnElement[bool]:
    """The condition every entrance adds: rows of that resource this person may see (A-70).

    Carries bind parameters: execute with ``actor.params``. Nobody signed in sees nothing.
    """
    return false() if actor is None else condition(resource, scopes_of(resource, actor))


def within_dealer(resource: type[Resource], actor: Actor) -> ColumnElement[bool]:
    """Rows that do not belong to another dealer, for children shown with a parent the person sees: a
    preset of the group is a parent to rows of every dealer. Execute with ``actor.params``."""
    dealer = resource.scopes.dealer
    if dealer is None or Scope.GROUP in scopes_of(resource, actor):
        return true()
    return or_(dealer == MY_DEALER, dealer.is_(None))
