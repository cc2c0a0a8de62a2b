"""The one way in: every change of data by a person, the API, a file or a job goes through here.

Each function opens a `deed`, loads the rows inside the actor's scope with a lock, checks permission and
version, runs the rule, lets the audit collect what changed, and commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.engine import approving, deeds, once, picking
from app.engine.actions import (
    UNCHANGED,
    Act,
    Action,
    Done,
    Forbidden,
    NotFound,
    Question,
    Refusal,
    Stale,
)
from app.engine.database import Model, db, utcnow
from app.engine.deeds import AlreadyDone as AlreadyDone
from app.engine.deeds import deed as deed
from app.engine.fields import FieldSpec
from app.engine.resource import Resource, fields_of, has_resource, resource_of, resources
from app.engine.scopes import Actor, visible
from app.engine.storing import (
    belongs,
    differing,
    fill_numbers,
    keep_own,
    keep_unique,
    set_columns,
    set_members,
)

MAX_BATCH = 2000


@dataclass(frozen=True)
class Result:
    """What became of one record: done, or refused with the reason."""

    id: int
    label: str
    ok: bool
    reason: str = ""
    changed: bool = True
    waits: bool = False
    """It was not done yet: it waits for approval."""


@dataclass(frozen=True)
class Report:
    """What became of a batch, record by record, with remarks that stopped nothing."""

    results: tuple[Result, ...]
    warnings: tuple[str, ...] = ()
    messages: tuple[str, ...] = field(default=())
    told: tuple[str, ...] = field(default=())
    links: tuple[tuple[str, str], ...] = ()
    deed_id: str = ""

    @property
    def done(self) -> int:
        """How many records were changed."""
        return sum(r.ok and r.changed for r in self.results)

    @property
    def unchanged(self) -> int:
        """How many were already as wanted."""
        return sum(r.ok and not r.changed and not r.waits for r in self.results)

    @property
    def waiting(self) -> int:
        """How many wait for approval."""
        return sum(r.waits for r in self.results)

    @property
    def refused(self) -> list[Result]:
        """The records that were not, in order."""
        return [r for r in self.results if not r.ok]


def label_of(resource: type[Resource], record: Any) -> str:
    """A record's name for messages: its title and number, never a guarded value."""
    parts = [getattr(record, c.key) for c in (resource.title, resource.code) if c is not None]
    return " ".join(str(p) for p in parts if p) or f"#{record.id}"


def require(actor: Actor, permission: tuple[str, str], label: str) -> None:
    """Raise `Forbidden` unless the person has the permission."""
    if not actor.can(*permission):
        raise Forbidden(label)


def require_action(actor: Actor, action: Action, resource: type[Resource]) -> None:
    """Raise `Forbidden` unless the person may do that there."""
    if not action.allowed(resource, actor):
        raise Forbidden(action.permission_label or action.label)


def find(
    session: Session,
    resource: type[Resource],
    record_id: int,
    actor: Actor,
    *,
    lock: bool = False,
    roots: Iterable[int] = (),
) -> Any:
    """One record inside the actor's scope; raises `NotFound` for anything else."""
    scope = visible(resource, actor)
    if lock:
        records = deeds.lock(session, resource, [record_id], where=scope, params=actor.params, roots=roots)
    else:
        statement = select(resource.model).where(resource.pk() == record_id, scope)
        records = list(session.scalars(statement, actor.params))
    if not records:
        raise NotFound
    return records[0]


def perform(
    action: Action,
    ids: Iterable[int],
    actor: Actor,
    form: Mapping[str, Any] | None = None,
    *,
    source: str = "web",
    now: datetime | None = None,
    version: int | None = None,
    answers: Iterable[str] = (),
    token: str = "",
) -> Report:
    """Do ``action`` to the records; ``form`` holds the cleaned values of its fields.

    Records out of scope raise `NotFound`; a rule's `Refusal` on one of several is reported beside the
    others, which go through (A-56). A question of one of them is asked before any is changed. Those that need
    approval wait for it, the others do not.
    """
    resource = resource_of(action.model)
    require_action(actor, action, resource)
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise Refusal("请先选择记录")
    if len(wanted) > 1 and not action.batch:
        raise Refusal("此操作一次只能处理一条记录")
    if len(wanted) > MAX_BATCH:
        raise Refusal(f"一次最多处理{MAX_BATCH}条记录，请缩小范围")
    session = db.session()
    act = Act(actor, now or utcnow(), session, source, action.name, frozenset(answers))
    values = dict(form or {})
    results: list[Result] = []
    said: list[str | Done] = []
    asking = approving.asking(act, resource, action.name)
    with deed(act):
        if token and once.seen(session, token, actor.id) is not None:
            raise Refusal("该操作已提交，请勿重复提交")
        roots = deeds.roots_in(resource, action.fields, values)
        scope = visible(resource, actor)
        records = deeds.lock(session, resource, wanted, where=scope, params=actor.params, roots=roots)
        if not records:
            raise NotFound
        found = {r.id: r for r in records}
        chosen = picking.chosen(session, action.fields, values, actor)
        named = [s for s in action.fields if s.target is not None and isinstance(values.get(s.name), int)]
        deeds.keep(session, *(session.get(s.target, values[s.name]) for s in named))
        alone = len(wanted) == 1
        one = partial(_one, act, action, resource, version=version, form=values, chosen=chosen, alone=alone)
        held: dict[Any, list[Any]] = {}
        for record in (found[i] for i in wanted if i in found):
            flow = asking.flow_for(act, record, values, len(wanted))
            if flow is None:
                results.append(one(record, told=said))
            else:
                held.setdefault(flow, []).append(record)
        for flow, records in held.items():
            results += _submitted(approving.Wanted(act, asking.sure, records, values, flow), one, said)
        results += [Result(i, f"#{i}", False, NotFound().message) for i in wanted if i not in found]
        if token and any(r.ok for r in results):
            once.remember(session, token, actor.id, "")
    links = [link for one in said if isinstance(one, Done) for link in one.links]
    return Report(
        tuple(results),
        tuple(dict.fromkeys(act.warnings)),
        tuple(dict.fromkeys(map(str, said))),
        tuple(act.told),
        tuple(dict.fromkeys(links)),
        act.deed_id,
    )


def _submitted(wanted: approving.Wanted, one: Callable[..., Result], said: list[str | Done]) -> list[Result]:
    """Have records wait for approval; those that the rule refuses, or that are so already, need none."""
    attempt = approving.attempt(wanted.act)
    tried = [one(record, told=[]) for record in wanted.records]
    changes = attempt.undo()
    waits = {r.id for r in tried if r.ok and r.changed}
    if waits:
        records = [r for r in wanted.records if r.id in waits]
        sent = approving.submit(replace(wanted, records=records, changes=changes))
        said.append(Done(sent.message, (("查看申请", sent.url),)))
    return [replace(r, changed=False, waits=True) if r.id in waits else r for r in tried]


def _one(
    act: Act,
    action: Action,
    resource: type[Resource],
    record: Any,
    *,
    version: int | None,
    form: Mapping[str, Any],
    chosen: Sequence[picking.Chosen],
    told: list[str | Done],
    alone: bool,
) -> Result:
    """One record of a batch. A rule that only sets columns refuses before it does: it needs no savepoint, and
    its changes are flushed together with those of the others."""
    label = label_of(resource, record)
    if alone:
        _check_version(record, version)
    warned = len(act.warnings)
    savepoint = None if action.sets else act.session.begin_nested()
    try:
        if savepoint is None:
            picking.judge(act, record, chosen)
            said = action.rule(record, act, **form)
        else:
            said = _changed(act, action, record, form, chosen)
            savepoint.commit()
    except Refusal as refusal:
        if savepoint is not None:
            savepoint.rollback()
        del act.warnings[warned:]
        if alone or isinstance(refusal, Question):
            raise
        return Result(record.id, label, False, refusal.message)
    if said is UNCHANGED:
        return Result(record.id, label, True, UNCHANGED.message, changed=False)
    if said:
        told.append(said)
    return Result(record.id, label, True)


def _changed(
    act: Act, action: Action, record: Any, form: Mapping[str, Any], chosen: Sequence[picking.Chosen]
) -> str | Done | None:
    if action.moves is not None:
        action.moves.check(record)
    said: str | Done | None = action.rule(record, act, **form)
    picking.judge(act, record, chosen)
    if action.moves is not None:
        action.moves.apply(record)
    act.session.flush()
    return said


def create(
    resource: type[Resource],
    values: Mapping[str, Any],
    actor: Actor,
    *,
    source: str = "web",
    now: datetime | None = None,
    answers: Iterable[str] = (),
    token: str = "",
    action: str = "create",
) -> tuple[Any, Act]:
    """Make a record from cleaned form values; returns it (the rule may make another kind of record)
    with the deed's remarks. With ``token`` a second submission of the same form changes nothing and
    raises `AlreadyDone`. ``action`` is what the history calls it. One that needs approval raises `Submitted`
    when its request is kept."""
    require(actor, ("can_add", resource.view_name()), f"新增{resource.label}")
    session = db.session()
    act = Act(actor, now or utcnow(), session, source, action, frozenset(answers))
    asking = approving.asking(act, resource, approving.CREATE)
    sent = None
    with deed(act, token):
        deeds.only_once(session, token, actor.id)
        attempt = approving.attempt(act) if asking else None
        roots = deeds.roots_in(resource, fields_of(resource.groups(editing=False)), values)
        deeds.lock(session, resource, (), roots=roots)
        record = resource.model()
        given = set_columns(resource, record, values, editing=False)
        if resource.create is not None:
            record = resource.create(record, act, dict(values)) or record
        keep_own(resource, record)
        keep_unique(act, resource, record, fresh=True)
        fields = fields_of(resource.groups(editing=False))
        picking.judge(act, record, picking.chosen(session, fields, values, actor))
        _add(act, record, given, values)
        flow = asking.flow_for(act, record, values)
        if attempt is not None and flow is None:
            attempt.keep()
        elif attempt is not None:
            wanted = approving.Wanted(act, asking.sure, (), values, flow, attempt.undo())
            sent = approving.submit(wanted)
        if token:
            url = f"/{resource_of(type(record)).name}/{record.id}" if sent is None else sent.url
            once.remember(session, token, actor.id, url)
    if sent is not None:
        raise sent
    return record, act


def _add(act: Act, record: Any, given: list[FieldSpec], values: Mapping[str, Any]) -> None:
    session = act.session
    fill_numbers(act, record)
    session.add(record)
    session.flush()
    for spec in given:
        if hasattr(record, "__table__") and belongs(spec, record):
            set_members(session, record, spec, values[spec.name])
    session.flush()


def update(
    resource: type[Resource],
    record_id: int,
    values: Mapping[str, Any],
    actor: Actor,
    *,
    version: int | None = None,
    source: str = "web",
    now: datetime | None = None,
    answers: Iterable[str] = (),
    action: str = "update",
) -> tuple[Any, Act]:
    """Change a record; ``values`` holds only the fields to change. A stale version raises `Stale`, and an edit that
    needs approval `Submitted` when its request is kept."""
    require(actor, ("can_edit", resource.view_name()), f"编辑{resource.label}")
    session = db.session()
    act = Act(actor, now or utcnow(), session, source, action, frozenset(answers))
    asking = approving.asking(act, resource, approving.EDIT)
    sent = None
    with deed(act):
        roots = deeds.roots_in(resource, fields_of(resource.groups(editing=True)), values)
        record = find(session, resource, record_id, actor, lock=True, roots=roots)
        _check_frozen(resource, record, actor)
        _check_version(record, version)
        if asking:  # what others change meanwhile is not set back by what a form only repeats
            values = differing(session, resource, record, values)
            asking = asking.about(act, record, values)
        attempt = approving.attempt(act) if asking else None
        _change(act, resource, record, values)
        changed = attempt.changed(record) if attempt is not None else None
        flow = asking.flow_of(act, changed) if changed is not None else None
        if attempt is not None and flow is None:
            attempt.keep()
        elif attempt is not None:
            changes = attempt.undo()
            record = find(session, resource, record_id, actor)
            sent = approving.submit(approving.Wanted(act, asking.sure, (record,), values, flow, changes))
    if sent is not None:
        raise sent
    return record, act


def _change(act: Act, resource: type[Resource], record: Any, values: Mapping[str, Any]) -> None:
    session = act.session
    fields = fields_of(resource.groups(editing=True))
    chosen = picking.chosen(session, fields, values, act.actor, record)
    if resource.update is not None:
        resource.update(record, act, dict(values))
    picking.judge(act, record, chosen)
    with session.no_autoflush:  # added fields read what was there before, and the record is written once
        changed = set_columns(resource, record, values, editing=True)
    keep_unique(act, resource, record)
    for spec in changed:
        set_members(session, record, spec, values[spec.name])
    session.flush()


def remove(
    resource: type[Resource],
    record_id: int,
    actor: Actor,
    *,
    version: int | None = None,
    source: str = "web",
    answers: Iterable[str] = (),
    action: str = "delete",
) -> Act:
    """Delete a record where the resource declares how (``remove``)."""
    if resource.remove is None:
        raise NotFound
    require(actor, ("can_delete", resource.view_name()), f"删除{resource.label}")
    session = db.session()
    act = Act(actor, utcnow(), session, source, action, frozenset(answers))
    asking = approving.asking(act, resource, approving.DELETE)
    sent = None
    with deed(act):
        record = find(session, resource, record_id, actor, lock=True)
        _check_version(record, version)
        flow = asking.flow_for(act, record, {})
        attempt = approving.attempt(act) if flow is not None else None
        resource.remove(record, act)
        label = label_of(resource, record)
        try:
            with session.begin_nested():
                session.delete(record)
                session.flush()
        except IntegrityError as error:
            users = _users_of(session, resource, record_id)
            if not users:
                raise
            raise Refusal(f"“{label}”正被{'、'.join(users)}使用，不能删除") from error
        if attempt is not None:
            changes = attempt.undo()
            record = find(session, resource, record_id, actor)
            sent = approving.submit(approving.Wanted(act, asking.sure, (record,), {}, flow, changes))
    if sent is not None:
        raise sent
    return act


def _users_of(session: Session, resource: type[Resource], record_id: int) -> list[str]:
    """What kinds of records refer to this one and keep it from being deleted, in words."""
    found: list[str] = []
    for mapper in Model.registry.mappers:
        for column in mapper.columns:
            keys = [key for key in column.foreign_keys if key.ondelete is None]
            if not any(key.column.table is resource.model.__table__ for key in keys):
                continue
            if session.execute(select(column).where(column == record_id).limit(1)).first() is not None:
                found.append(_kind_of(mapper.class_))
    return list(dict.fromkeys(found))


def _kind_of(model: Any) -> str:
    """The records of a table in words; what only hangs on another record is called after that one."""
    if has_resource(model):
        return resource_of(model).label
    owners = [key.column.table for c in model.__table__.columns for key in c.foreign_keys if key.ondelete]
    return next((r.label for r in resources() if r.model.__table__ in owners), "其他记录")


def _check_frozen(resource: type[Resource], record: Any, actor: Actor) -> None:
    """Whoever froze the record changed its version too: why it cannot be changed says more than that it was."""
    why = resource.frozen(record, actor) if resource.frozen is not None else ""
    if why:
        raise Refusal(why)


def _check_version(record: Any, version: int | None) -> None:
    if version is not None and getattr(record, "version", version) != version:
        raise Stale
