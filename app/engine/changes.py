"""What one deed did to one record: old and new values, as the history keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import InstanceState, Mapper, Session

from app.engine.actions import Act
from app.engine.database import Model, id_of
from app.engine.faces import faced
from app.engine.fields import FieldSpec, describe
from app.engine.resource import Asked, Group, Resource, has_resource, resource, resource_of, resources
from app.engine.slots import SLOTS

LONGEST = 2000  # characters of one value that are kept
UNSEEN = frozenset({"version", "created_at", "updated_at", "created_by_id", "updated_by_id"})
_DEEDS = {
    "create": "新增",
    "update": "编辑",
    "delete": "删除",
    "import": "导入",
    "load": "文件装载",
    "export": "导出",
    "init": "初始化",
    "demo": "演示数据",
    "add_user": "新增账号",
}


@dataclass
class Deed:
    """What is collected about one record in one transaction."""

    record: Any
    act: Act
    kind: str
    changes: dict[str, list[Any]] = field(default_factory=dict)
    always: bool = False
    made: bool = False
    """Whether the record is new."""

    def add(self, changes: Mapping[str, Sequence[Any]]) -> None:
        """Add later changes: the first old value and the last new one remain."""
        for name, (old, new) in changes.items():
            first = self.changes[name][0] if name in self.changes else old
            self.changes[name] = [first, new]


def labelled(record: Any) -> list[str]:
    """The names of the record's declared columns that the history keeps."""
    mapper: Mapper[Any] = inspect(type(record))
    return [a.key for a in mapper.column_attrs if "zk" in a.columns[0].info and a.key not in UNSEEN]


def changes_of(record: Any) -> dict[str, tuple[Any, Any]]:
    """Old and new of every changed declared column of a record that is being flushed."""
    state: InstanceState[Any] = inspect(record)
    found: dict[str, tuple[Any, Any]] = {}
    for name in labelled(record):
        if name not in state.dict:
            continue
        history = state.attrs[name].history
        if history.has_changes():
            old = plain(history.deleted[0] if history.deleted else None)
            new = plain(history.added[0] if history.added else None)
            if old != new:
                found[name] = (old, new)
    return found


_AS_THEY_ARE = frozenset({type(None), bool, int, float})


def plain(value: Any) -> Any:
    """A value as JSON keeps it."""
    kind = value.__class__
    if kind is str:
        return value if len(value) <= LONGEST else value[:LONGEST]
    if kind in _AS_THEY_ARE:
        return value
    if isinstance(value, Enum):
        return value._value_
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(name): plain(v) for name, v in value.items()}
    return str(value)[:LONGEST]


_BACK: Mapping[str, Callable[[str], Any]] = {
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "money": Decimal,
    "number": Decimal,
}


def typed(spec: FieldSpec, value: Any) -> Any:
    """A value that JSON has kept (`plain`) as the field's column holds it."""
    if value is None:
        return None
    if spec.choices is not None:
        return spec.choices.of(value)
    return _BACK[spec.kind](value) if spec.kind in _BACK else value


def kept(collected: Iterable[Deed]) -> list[Deed]:
    """Those that changed something in the end."""
    found = []
    for deed in collected:
        deed.changes = {name: pair for name, pair in deed.changes.items() if pair[0] != pair[1]}
        if deed.changes or deed.always:
            found.append(deed)
    return found


def rows_of(deeds: Sequence[Deed], session: Session) -> list[dict[str, Any]]:
    """The rows of the history, with the names that references had at this moment."""
    names = _names(deeds, session)
    return [_row(deed, names, session) for deed in deeds]


def _row(deed: Deed, names: Mapping[tuple[Any, int], str], session: Session) -> dict[str, Any]:
    record, act = deed.record, deed.act
    shown: type[Resource] | None = resource_of(type(record)) if has_resource(type(record)) else None
    name = shown.name if shown else type(record).__tablename__
    fields: dict[str, list[Any]] = {}
    for key, (old, new) in deed.changes.items():
        spec = field_of(name, key, getattr(record, "dealer_id", None), session)
        fields[key] = [old, new]
        if spec is not None and spec.target is not None:
            fields[key] += [_named(spec.target, old, names), _named(spec.target, new, names)]
    dealer_id = getattr(record, "dealer_id", None) or act.actor.dealer_id
    label = _label(shown, record)
    changes: dict[str, Any] = {"resource": name, "fields": fields}
    if not SLOTS.isdisjoint(fields):
        changes["whose"] = whose(dealer_id, act.now)
    return {
        "deed_id": act.deed_id,
        "at": act.now,
        "actor_id": act.actor.id,
        "actor_name": act.actor.called,
        "dealer_id": dealer_id,
        "resource": name,
        "record_id": record.id,
        "kind_label": shown.label if shown else "",
        "record_label": label,
        "record_key": key_of(shown, label),
        "action": deed.kind[:64],
        "action_label": action_label(deed.kind)[:64],
        "source": act.source,
        "changes": changes,
    }


def whose(dealer_id: int | None, at: datetime) -> list[Any]:
    """What tells which added field stood in a slot: whose it was, and when."""
    return [dealer_id, at.isoformat()]


def _label(shown: type[Resource] | None, record: Any) -> str:
    if shown is None:
        return f"#{record.id}"
    named = [c for c in (shown.title, shown.code) if c is not None and c is not shown.pk()]
    columns = [c for c in named if describe(c).guard is None]
    alive = inspect(record).persistent
    parts = [
        getattr(record, c.key) if alive else record.__dict__.get(c.key)
        for c in columns
        if isinstance(record, c.class_)
    ]
    return (" ".join(str(p) for p in parts if p) or f"#{record.id}")[:160]


def key_of(shown: type[Resource] | None, label: str) -> str:
    """By what a record is looked for in the history: its code, which ends its label, or the whole label of a
    kind that has none, or not for each. New codes follow each other, so many new records stand side by side
    in the index; their names would be scattered over all of it."""
    coded = shown is not None and shown.code is not None and not shown.code.property.columns[0].nullable
    return label.rpartition(" ")[2] if coded else label


def action_label(name: str) -> str:
    """The words of an action's name; words themselves stay as they are."""
    if name in _DEEDS:
        return _DEEDS[name]
    return next((a.label for r in resources() for a in r.actions if a.name == name), name)


def _ids(value: Any) -> list[int]:
    values = value if isinstance(value, list) else [value]
    return [i for i in map(id_of, values) if i]


def _named(target: Any, value: Any, names: Mapping[tuple[Any, int], str]) -> str:
    return "、".join(names.get((target, i), f"#{i}") for i in _ids(value))


def _names(deeds: Sequence[Deed], session: Session) -> dict[tuple[Any, int], str]:
    """The titles of all records that changed references point to: one query per kind of record."""
    wanted: dict[Any, set[int]] = {}
    for deed in deeds:
        model = type(deed.record)
        name = resource_of(model).name if has_resource(model) else model.__tablename__
        for key, pair in deed.changes.items():
            spec = field_of(name, key, getattr(deed.record, "dealer_id", None), session)
            if spec is not None and spec.target is not None:
                wanted.setdefault(spec.target, set()).update(_ids(pair[0]), _ids(pair[1]))
    found: dict[tuple[Any, int], str] = {}
    for target, ids in wanted.items():
        shown = resource_of(target) if has_resource(target) else None
        if shown is None or shown.title is None or not ids or describe(shown.title).guard is not None:
            continue
        rows = session.execute(select(target.id, shown.title).where(target.id.in_(sorted(ids))))
        found.update({(target, row[0]): str(row[1]) for row in rows})
    return found


def field_of(
    resource_name: str, name: str, dealer_id: int | None, session: Session | None = None
) -> FieldSpec | None:
    """The field of that name as that dealer has it now."""
    shown = resource(resource_name) if name in SLOTS else None
    if shown is None:
        return spec_of(resource_name, name)
    return next((spec for spec in faced(shown, dealer_id, session).added if spec.name == name), None)


_specs: dict[str, dict[str, FieldSpec]] = {}


def spec_of(resource_name: str, name: str) -> FieldSpec | None:
    """The declared field behind a name in an entry; None for one that is declared no longer."""
    if resource_name not in _specs:
        _specs[resource_name] = _specs_of(resource_name)
    return _specs[resource_name].get(name)


def _specs_of(resource_name: str) -> dict[str, FieldSpec]:
    shown = resource(resource_name)
    model = shown.model if shown else _model(resource_name)
    if model is None:
        return {}
    keys = [a.key for a in inspect(model).column_attrs if "zk" in a.columns[0].info]
    found = {key: describe(getattr(model, key)) for key in keys}
    if shown is not None:
        groups = (*shown.form, *(shown.edit_form or ()), *shown.detail)
        sources = [f for g in groups if isinstance(g, Group) for f in g.fields]
        for source in (*sources, *shown.columns, *shown.filters, shown.tags):
            if source is not None and not isinstance(source, Asked):
                spec = describe(source)
                if spec.links is not None or spec.values is not None or spec.attribute is None:
                    found.setdefault(spec.name, spec)
    return found


def _model(table: str) -> Any:
    mappers = [m for m in Model.registry.mappers if getattr(m.local_table, "name", "") == table]
    return max((m.class_ for m in mappers), key=lambda c: len(c.__mro__), default=None)
