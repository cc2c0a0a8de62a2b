"""Who changed what, when: an unchangeable history written by the transaction of the deed itself.

A model with the mixin `Audited` cannot be changed through the session without an `Act` in
``session.info["act"]``: flushing fails, and so does a set-based statement. What a deed changes is collected
at each flush, thrown away with its savepoint, and stored as one entry per record before the commit (A-116,
D-15). All entries of a deed bear its id, so that a batch can be named afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Index, Integer, String, Table, event, insert
from sqlalchemy.orm import Mapped, Mapper, ORMExecuteState, Session
from sqlalchemy.types import JSON

from app.engine import bulk
from app.engine.actions import Act
from app.engine.changes import Deed, action_label, changes_of, kept, key_of, labelled, plain, rows_of, whose
from app.engine.choices import Choice
from app.engine.collected import Collected
from app.engine.database import Model, utcnow
from app.engine.fields import Pk, column
from app.engine.guards import derived
from app.engine.localtime import local
from app.engine.resource import (
    Between,
    Group,
    Menu,
    Resource,
    Window,
)
from app.engine.scopes import SYSTEM, Actor, Scopes


class Audited:
    """Mixin of models whose every change is kept with actor, time, old and new value."""


@event.listens_for(Audited, "attribute_instrument", propagate=True)
def _know_old_values(_model: type[Any], _key: str, attribute: Any) -> None:
    """Setting an attribute that is not loaded loads it first: the history needs what was there."""
    if hasattr(attribute.property, "columns"):
        event.listen(attribute, "set", lambda *_: None, active_history=True)


class UnauditedError(RuntimeError):
    """Somebody changed an audited record outside a deed; a mistake in the program, never the user's."""


class Source(Choice):
    """By which way in a change came."""

    WEB = "web", "网页"
    MOBILE = "mobile", "手机"
    API = "api", "接口"
    IMPORT = "import", "导入"
    LOAD = "load", "文件装载"
    JOB = "job", "系统任务"
    TIMER = "timer", "定时任务"
    SETUP = "setup", "初始化"
    OTHER = "other", "其他"


_SOURCES = frozenset(s.value for s in Source)


def to_the_second(at: datetime | None, *, now: datetime) -> str:
    """When something was changed is told exactly (D-15)."""
    return local(at).strftime("%Y-%m-%d %H:%M:%S") if at is not None else ""


class AuditEntry(Model):
    """What one deed did to one record; never changed and never deleted."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_record", "resource", "record_id", "id"),
        Index("ix_audit_entries_actor_name", "dealer_id", "actor_name", "at"),
        Index("ix_audit_entries_record_key", "dealer_id", "record_key", "at"),
        Index("ix_audit_entries_deed_id", "deed_id"),
    )

    id: Mapped[Pk]
    deed_id: Mapped[str | None] = column("操作批次", String(32))
    at: Mapped[datetime] = column("时间", shown=to_the_second)
    actor_id: Mapped[int] = column("操作人编号", Integer)
    actor_name: Mapped[str] = column("操作人", String(64))
    dealer_id: Mapped[int | None] = column("所属商场", Integer)
    resource: Mapped[str] = column("对象代码", String(64))
    record_id: Mapped[int] = column("记录编号", Integer)
    kind_label: Mapped[str] = column("对象", String(32))
    record_label: Mapped[str] = column("记录", String(160))
    record_key: Mapped[str | None] = column("记录编号", String(160))
    action: Mapped[str] = column("动作代码", String(64))
    action_label: Mapped[str] = column("动作", String(64))
    source: Mapped[Source] = column("来源", choices=Source)
    changes: Mapped[dict[str, Any]] = column("变更内容", JSON, kind="changes", wide=True)


LOGS = "运行记录"
"""The menu group of what the product has done."""


class AuditLog(Resource, model=AuditEntry):
    """操作日志: who changed what, of the whole dealer (A-116)."""

    label = "操作日志"
    menu = Menu(LOGS, icon="history", order=984)
    icon = "history"
    scopes = Scopes(dealer=AuditEntry.dealer_id)
    title = AuditEntry.record_label
    about = (AuditEntry.resource, AuditEntry.record_id)
    columns = (
        AuditEntry.at,
        AuditEntry.actor_name,
        AuditEntry.action_label,
        AuditEntry.kind_label,
        AuditEntry.record_label,
        AuditEntry.changes,
        AuditEntry.source,
    )
    exact = (AuditEntry.actor_name, AuditEntry.record_key)
    filters = (Between(AuditEntry.at),)
    sorts = (AuditEntry.at,)
    window = Window(AuditEntry.at, days=180)
    permissions = (("can_configure", "查看与撤销配置变更，导出与导入配置文件"),)
    search_hint = "操作人姓名、记录编号或名称"
    detail = (
        Group(
            "操作",
            AuditEntry.at,
            AuditEntry.actor_name,
            AuditEntry.action_label,
            AuditEntry.kind_label,
            AuditEntry.record_label,
            AuditEntry.source,
        ),
        Group("变更", AuditEntry.changes),
    )


def _words_for(changes: Any, actor: Actor | None) -> str:
    from app.engine.history import render_changes

    return render_changes(changes, actor) if changes else ""


derived["changes"] = _words_for


_Share = dict[tuple[int, str], Deed]


def _join(lower: _Share, upper: _Share) -> None:
    for key, deed in upper.items():
        known = lower.setdefault(key, deed)
        if known is not deed:
            known.add({name: (old, new) for name, (old, new) in deed.changes.items()})
            known.always = known.always or deed.always
            known.made = known.made or deed.made


_collected: Collected[_Share] = Collected("audit", dict, _join)


_Watcher = Callable[[Session, Sequence[Deed]], None]
_watchers: list[_Watcher] = []


def watched(watcher: _Watcher) -> _Watcher:
    """Have this function told what a transaction did, just before its entries are written."""
    _watchers.append(watcher)
    return watcher


@contextmanager
def acting(session: Session, act: Act | None = None) -> Iterator[Act]:
    """Let changes of audited records in this block count as that deed; the system's own by default. In a
    running deed it is a part of that one and bears its id; what is done while the product is set up is setting up."""
    act = act or Act(SYSTEM, utcnow(), session, "job", "update")
    before: Act | None = session.info.get("act")
    if before is not None:
        act.deed_id = before.deed_id
        if before.source == Source.SETUP:
            act.source = before.source
    session.info["act"] = act
    try:
        yield act
    finally:
        session.info["act"] = before
        if before is None:
            session.info.pop("act")


def log(act: Act, record: Any, action: str, changes: Mapping[str, Sequence[Any]] | None = None) -> None:
    """Keep something that no column shows, e.g. a price viewed (A-89); ``changes`` is old and new by
    field. ``action`` is an action's name or Chinese words."""
    deed = _deed(act.session, act, record, action)
    deed.always = True
    deed.add({name: (plain(old), plain(new)) for name, (old, new) in (changes or {}).items()})


def enter(act: Act, resource: type[Resource], action: str, label: str, note: str) -> None:
    """Keep a deed that is about a list rather than a record, e.g. an export, in the open transaction. ``note``
    is read by everybody who sees the log, so no guarded value stands in it."""
    source = act.source if act.source in _SOURCES else Source.OTHER
    entry = {
        "deed_id": act.deed_id, "at": act.now, "actor_id": act.actor.id,
        "actor_name": act.actor.called,
        "dealer_id": act.actor.dealer_id, "resource": resource.name, "record_id": 0,
        "kind_label": resource.label, "record_label": label[:160], "record_key": label[:160], "action": action,
        "action_label": action_label(action), "source": source,
        "changes": {"resource": resource.name, "fields": {}, "note": note},
    }  # fmt: skip
    act.session.execute(insert(AuditEntry.__table__), [entry])  # type: ignore[arg-type]


def note(session: Session, record: Any, name: str, before: Sequence[Any], after: Sequence[Any]) -> None:
    """Add a changed set of links or values to the running deed's entry of the record."""
    act: Act | None = session.info.get("act")
    if act is None:
        raise UnauditedError(f"{type(record).__name__}.{name} changed outside a deed")
    _deed(session, act, record, act.action).add({name: (plain(list(before)), plain(list(after)))})


def record_many(
    act: Act,
    resource: type[Resource],
    rows: Iterable[tuple[int, str, int | None, Mapping[str, Sequence[Any]] | bulk.Json]],
) -> None:
    """Keep what a set-based change did: id, label, dealer and changes of each record, as `changes.rows_of`
    writes them (old, new and, of references, the names of both), or written as JSON already. Part of the open
    transaction."""
    action = act.action

    def changed(dealer: int | None, fields: Mapping[str, Sequence[Any]] | bulk.Json) -> Any:
        added = {"whose": whose(dealer, act.now)} if resource.added else {}
        if isinstance(fields, bulk.Json):
            more = f',"whose":{json.dumps(added["whose"])}' if added else ""
            return bulk.Json(f'{{"resource":"{resource.name}","fields":{fields}{more}}}')
        return {"resource": resource.name, "fields": fields, **added}

    bulk.insert(
        act.session,
        cast(Table, AuditEntry.__table__),
        ("record_id", "record_label", "record_key", "dealer_id", "changes"),
        (
            (record_id, label[:160], key_of(resource, label[:160]), dealer, changed(dealer, fields))
            for record_id, label, dealer, fields in rows
        ),
        {
            "deed_id": act.deed_id,
            "at": act.now,
            "actor_id": act.actor.id,
            "actor_name": act.actor.called,
            "resource": resource.name,
            "kind_label": resource.label,
            "action": action[:64],
            "action_label": action_label(action)[:64],
            "source": act.source if act.source in _SOURCES else Source.OTHER,
        },
    )


def pending(session: Session) -> list[dict[str, Any]]:
    """What the innermost savepoint has changed so far, as rows of the history. For looking at what is then undone:
    nothing is taken out."""
    session.flush()
    return rows_of(kept(_collected.share(session).values()), session)


def _deed(session: Session, act: Act, record: Any, action: str) -> Deed:
    share = _collected.share(session)
    key = (id(record), action)
    if key not in share:
        share[key] = Deed(record, act, action)
    return share[key]


@event.listens_for(Session, "before_flush")
def _refuse_unknown_deeds(session: Session, _context: Any, _instances: Any) -> None:
    if session.info.get("act") is not None:
        return
    for record in (*session.new, *session.deleted):
        if isinstance(record, Audited):
            raise UnauditedError(f"{type(record).__name__} added or deleted outside a deed")
    for record in session.dirty:
        if isinstance(record, Audited) and changes_of(record):
            raise UnauditedError(f"{type(record).__name__} changed outside a deed")


@event.listens_for(Session, "after_flush")
def _collect(session: Session, _context: Any) -> None:
    act: Act | None = session.info.get("act")
    if act is None:
        return
    for record in session.new:
        if isinstance(record, Audited):
            values = {n: (None, plain(record.__dict__.get(n))) for n in labelled(record)}
            deed = _deed(session, act, record, act.action)
            deed.always = deed.made = True
            deed.add({n: v for n, v in values.items() if v[1] is not None})
    for record in session.dirty:
        if isinstance(record, Audited):
            changes = changes_of(record)
            if changes:
                _deed(session, act, record, act.action).add(changes)
    for record in session.deleted:
        if isinstance(record, Audited):
            values = {n: (plain(record.__dict__.get(n)), None) for n in labelled(record)}
            deed = _deed(session, act, record, act.action)
            deed.always = True
            deed.add({n: v for n, v in values.items() if v[0] is not None})


_audited: dict[Any, type[Any]] = {}
"""The audited models by their tables."""


@event.listens_for(Mapper, "after_configured")
def _know_tables() -> None:
    mappers = Model.registry.mappers
    _audited.update({m.local_table: m.class_ for m in mappers if issubclass(m.class_, Audited)})


@event.listens_for(Session, "do_orm_execute")
def _refuse_unseen_sets(state: ORMExecuteState) -> None:
    """A set-based change passes the flush by, through the model and its table alike; whoever makes one
    must say that it keeps the log itself."""
    if not (state.is_insert or state.is_update or state.is_delete):
        return
    table = getattr(state.statement, "table", None)
    if table is AuditEntry.__table__ and not state.is_insert:
        raise UnauditedError("the history is unchangeable")
    if table in _audited and not state.execution_options.get("audited"):
        raise UnauditedError(
            f"set-based change of {_audited[table].__name__}: write the entries with audit.log() and pass "
            "execution_options={'audited': True}"
        )


@event.listens_for(Session, "before_commit")
def _write(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    deeds = kept(_collected.take(session).values())
    for watcher in _watchers if deeds else ():
        watcher(session, deeds)
    rows = rows_of(deeds, session)
    for row in rows:
        row["source"] = row["source"] if row["source"] in _SOURCES else Source.OTHER
    if rows:
        session.execute(insert(AuditEntry.__table__), rows)  # type: ignore[arg-type]


@event.listens_for(AuditEntry, "before_update")
@event.listens_for(AuditEntry, "before_delete")
def _refuse_rewriting(_mapper: Any, _connection: Any, _entry: AuditEntry) -> None:
    raise UnauditedError("the history is unchangeable")


_REFUSED = "操作日志不可修改或删除"


def ddl(dialect: str) -> list[str]:
    """Statements that make the database itself refuse to change the history; for the migration."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER IF NOT EXISTS audit_entries_no_{verb.lower()} BEFORE {verb} ON audit_entries "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        "CREATE OR REPLACE FUNCTION audit_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$",
        "CREATE OR REPLACE TRIGGER audit_entries_no_change BEFORE UPDATE OR DELETE ON audit_entries "
        "FOR EACH ROW EXECUTE FUNCTION audit_entries_refuse()",
    ]


def drop_ddl(dialect: str) -> list[str]:
    """The way back."""
    if dialect == "sqlite":
        return [f"DROP TRIGGER IF EXISTS audit_entries_no_{verb}" for verb in ("update", "delete")]
    return [
        "DROP TRIGGER IF EXISTS audit_entries_no_change ON audit_entries",
        "DROP FUNCTION IF EXISTS audit_entries_refuse()",
    ]
