"""What of the configuration speaks of a field that administrators added: known before the field is removed.

A kind says which of its columns name fields (`configuring.Naming`), most of them by what kind of column it is; the
rest is the same for all. Whoever asks reads the entries of the own dealer and of the group that are his to see; of
the others only how many they are, and of other dealers' only those who see these of every dealer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, literal, or_, select, union_all
from sqlalchemy.orm import Session

from app.engine import conditions
from app.engine.configuring import Kind, Named, Naming, kinds
from app.engine.database import pieces
from app.engine.fields import describe
from app.engine.resource import resource_of
from app.engine.scopes import Actor, visible

NEEDED = "须先修改"
"""What stands beside an entry that cannot do without the field."""
MOST = 10
"""So many entries of a kind are listed, of more the number."""
_MOST_NAMED = 3


@dataclass(frozen=True)
class Sought:
    """The field that is looked for, or whatever else entries name; without dealer it is everybody's. ``label`` is
    what texts call it."""

    of: str
    field: str
    dealer: int | None
    label: str = ""

    def is_meant(self, named: Named, owner: int | None) -> bool:
        """Whether an entry of that owner speaks of it."""
        whose = owner if named.dealer is None else named.dealer
        return (named.of, named.field) == (self.of, self.field) and self.dealer in (None, whose)


@dataclass(frozen=True, eq=False)
class Use:
    """An entry that speaks of the field, and in which of its columns."""

    kind: Kind
    record: Any
    places: tuple[str, ...]

    @property
    def owner(self) -> int | None:
        """The dealer it belongs to; None for the group's."""
        found: int | None = getattr(self.record, self.kind.owner.key)
        return found

    @property
    def is_personal(self) -> bool:
        """Whether it is somebody's own."""
        mark = self.kind.personal
        return mark is not None and getattr(self.record, mark.name) == mark.value


@dataclass(frozen=True)
class Line:
    """One use, or several of a kind that are only counted, as this person reads it: ``then`` is what becomes of it
    without the field."""

    kind: str
    title: str
    place: str
    then: str
    url: str = ""
    needed: bool = False

    @property
    def words(self) -> str:
        """Which entry it is, and where in it."""
        where = f"的{self.place}" if self.place else ""
        return f"{self.kind}“{self.title}”{where}" if self.url else self.title


# ----- how columns name fields


by_kind: dict[str, Naming] = {}
"""How columns of a kind name fields, whoever has one."""


def one_of(column: str) -> Naming:
    """That the column holds the name of one field, of the list that another ``column`` says."""
    return Naming(lambda record, value: [Named(getattr(record, column), value)])


def _in_condition(_record: Any, value: Any) -> Iterator[Named]:
    about = conditions.subject(str(value.get("of")))
    if about is None:
        return
    of = getattr(about, "resource", about).name  # a deed is about the records of a resource
    for name in _fields(value.get("where")):
        yield Named(of, name, value.get(conditions.DEALER))


def _fields(node: Any) -> Iterator[str]:
    if not isinstance(node, Mapping):
        return
    for part in (*node.get("all", ()), *node.get("any", ()), node.get("not")):
        yield from _fields(part)
    if isinstance(node.get("field"), str):
        yield node["field"].rpartition(".")[2]  # of what is filled in this time as well


CONDITION = Naming(_in_condition)
by_kind["condition"] = CONDITION


def namings(kind: Kind) -> dict[str, Naming]:
    """The columns of a kind that name fields, in the order of its content."""
    of_content = {s.name: kind.names.get(s.name) or by_kind.get(s.kind) for s in kind.content}
    return {name: naming for name, naming in of_content.items() if naming is not None} | dict(kind.names)


# ----- who names one


def uses(session: Session, sought: Sought) -> list[Use]:
    """Every entry that speaks of the field, kind by kind. One statement looks for those that may; only these are
    read."""
    known = {kind.name: kind for kind in kinds() if namings(kind)}
    may = union_all(*(_candidates(kind, sought) for kind in known.values()))
    ids: defaultdict[str, list[int]] = defaultdict(list)
    with session.no_autoflush:
        for name, record_id in session.execute(may):
            ids[name].append(record_id)
        return [
            use for name in known if name in ids for use in _read(session, known[name], ids[name], sought)
        ]


def _candidates(kind: Kind, sought: Sought) -> Select[Any]:
    """The entries in which the name of the field stands somewhere."""
    rows: list[ColumnElement[bool]] = [kind.where] if kind.where is not None else []
    rows += [kind.there.holds()] if kind.there is not None else []
    if sought.dealer is not None:
        rows.append(kind.owner.is_(None) | (kind.owner == sought.dealer))
    texts = [
        cast(getattr(kind.resource.model, name), Text).contains(word, autoescape=True)
        for name, naming in namings(kind).items()
        for word in ([sought.field, sought.label] if naming.words else [sought.field])
    ]
    return select(literal(kind.name), kind.resource.pk()).where(or_(*texts), *rows)


def _read(session: Session, kind: Kind, ids: Sequence[int], sought: Sought) -> Iterator[Use]:
    model = kind.resource.model
    for some in pieces(sorted(ids)):
        for record in session.scalars(_of(kind, model, some).order_by(kind.resource.pk())):
            places = [
                naming.label or describe(getattr(model, name)).label
                for name, naming in namings(kind).items()
                if _speaks(naming, record, name, sought, getattr(record, kind.owner.key))
            ]
            if places:
                yield Use(kind, record, tuple(dict.fromkeys(places)))


def _speaks(naming: Naming, record: Any, name: str, sought: Sought, owner: int | None) -> bool:
    value = getattr(record, name)
    return bool(value) and any(sought.is_meant(named, owner) for named in naming.find(record, value))


# ----- as somebody reads it


def lines(session: Session, found: Sequence[Use], actor: Actor) -> list[Line]:
    """The uses as this person may know of them, those first that stand in the way."""
    sorted_out: defaultdict[Kind, list[Use]] = defaultdict(list)
    for use in found:
        sorted_out[use.kind].append(use)
    told = [line for kind, of_kind in sorted_out.items() for line in _lines(session, kind, of_kind, actor)]
    return sorted(told, key=lambda line: not line.needed)


def _lines(session: Session, kind: Kind, found: Sequence[Use], actor: Actor) -> Iterator[Line]:
    seen = _seen(session, kind, found, actor)
    mine = [u for u in found if u.owner in (None, actor.dealer_id)]
    own = [u for u in mine if u.record.id in seen and (not u.is_personal or _is_own(u, actor))]
    personal = [u for u in mine if u.record.id in seen and u not in own]
    closed = [u for u in mine if u.record.id not in seen]
    others = [u for u in found if u not in mine and u.record.id in seen]
    for use in own[:MOST]:
        title = str(getattr(use.record, describe(kind.resource.title).name))
        off = "（已停用）" if getattr(use.record, "active", True) is False else ""
        url = f"/{kind.resource.name}/{use.record.id}"
        yield _line(kind, f"{title}{off}", "、".join(use.places), url)
    if len(own) > MOST:
        yield _line(kind, f"另有{len(own) - MOST}项{kind.label}")
    if personal:
        yield _line(kind, f"{len(personal)}项个人{kind.label}")
    if closed:
        yield _line(kind, f"{len(closed)}项您无权查看的{kind.label}")
    if others:
        whose = _dealers(session, kind, others, actor)
        yield _line(kind, f"其他商场的{len(others)}项{kind.label}" + (f"（{whose}）" if whose else ""))


def _line(kind: Kind, title: str, place: str = "", url: str = "") -> Line:
    return Line(kind.label, title, place, kind.without or NEEDED, url, not kind.without)


def _is_own(use: Use, actor: Actor) -> bool:
    mine = use.kind.resource.scopes.mine
    return mine is not None and getattr(use.record, mine.key) == actor.id


def _seen(session: Session, kind: Kind, found: Sequence[Use], actor: Actor) -> set[int]:
    """The entries that this person may open."""
    shown = kind.resource
    if not actor.can("can_list", shown.view_name()):
        return set()
    ids = [use.record.id for use in found]
    mine = (_of(kind, shown.pk(), some).where(visible(shown, actor)) for some in pieces(ids))
    return {record_id for statement in mine for record_id in session.scalars(statement, actor.params)}


def _of(kind: Kind, wanted: Any, ids: Sequence[int]) -> Select[Any]:
    return select(wanted).where(kind.resource.pk().in_(ids))


def _dealers(session: Session, kind: Kind, found: Iterable[Use], actor: Actor) -> str:
    """Whose they are, for those who may see these dealers."""
    shown = resource_of(describe(kind.owner).target)
    if not actor.can("can_list", shown.view_name()):
        return ""
    ids = {u.owner for u in found}
    named = select(shown.title).where(shown.pk().in_(ids), visible(shown, actor)).order_by(shown.pk())
    names = [str(name) for name in session.scalars(named, actor.params)]
    return "、".join(names[:_MOST_NAMED]) + (f"等{len(ids)}个商场" if len(ids) > _MOST_NAMED else "")


def hindrance(found: Sequence[Use], told: Sequence[Line], what: str) -> str:
    """Why the thing cannot go, as far as the person may know; empty where all can do without it. What cannot would
    do another thing from then on, and speak of another field once the name is taken again."""
    if all(use.kind.without for use in found):
        return ""
    needed = [line.words for line in told if line.needed] or ["其他商场的配置"]
    more = f"；另有{len(needed) - 1}处" if len(needed) > 1 else ""
    return f"{needed[0]}引用了{what}，请先修改{more}"


def counted(found: Sequence[Use]) -> str:
    """How many entries of each kind there are, without saying which."""
    amounts: defaultdict[str, int] = defaultdict(int)
    for use in found:
        amounts[use.kind.label] += 1
    return "、".join(f"{label}{amount}项" for label, amount in amounts.items())
