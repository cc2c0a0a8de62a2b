"""Deeds that wait for somebody's word before they are done.

A domain that keeps who has to agree to what installs it with `provide_approvals`, and the one way in asks it.
What waits is tried first and undone: whatever the rule says against it is said at once, and what it would change
is known in the words of the history. When the last one has agreed the deed is done inside of that one's, which is
why a deed within a deed never asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, ClassVar, Protocol

from app.engine import audit, conditions, configuring, deeds, faces
from app.engine.actions import Act, Action, Refusal
from app.engine.audit import Audited
from app.engine.fields import FieldSpec
from app.engine.guards import GUARD_VIEW
from app.engine.operators import OPERATORS
from app.engine.resource import Resource, fields_of, resource, resource_of, resources

CREATE, EDIT, DELETE = "create", "update", "delete"
PEOPLE = frozenset({"web", "mobile", "api"})
"""The entrances of people who can be told to wait."""
FILE = "import"
ASKED, COUNT = "asked.", "asked.count"
_THIS_TIME = "本次"
WAITS = "需要审批"
"""How the reason begins why something is left out that would have to wait."""


class Submitted(Refusal):
    """Nothing was done yet: it waits for approval. ``url`` is where its request stands."""

    status: ClassVar[int] = 202

    def __init__(self, message: str, url: str) -> None:
        super().__init__(message)
        self.url = url


@dataclass(frozen=True, eq=False)
class Deed:
    """A kind of deed that may need approval: a resource's creation, change, deletion or one of its actions."""

    resource: type[Resource]
    code: str
    action: Action | None = None

    @property
    def name(self) -> str:
        """Its name in stored conditions."""
        return f"{self.resource.name}/{self.code}"

    @property
    def label(self) -> str:
        """What people call it."""
        if self.action is not None:
            return self.action.label
        return {CREATE: self.resource.create_label or "新增", EDIT: "编辑"}.get(self.code, "删除")

    @property
    def permission(self) -> tuple[str, str]:
        """What one has to hold to do it."""
        if self.action is not None:
            return self.action.permission_on(self.resource)
        return {CREATE: "can_add", EDIT: "can_edit"}.get(self.code, "can_delete"), self.resource.view_name()

    @property
    def edits(self) -> bool:
        """Whether it is a change in the form, of which only some fields may need approval."""
        return self.action is None and self.code == EDIT

    def fields(self) -> tuple[FieldSpec, ...]:
        """The fields whose values it takes."""
        if self.action is not None:
            return tuple(self.action.fields)
        return () if self.code == DELETE else tuple(fields_of(self.resource.groups(editing=self.edits)))

    def faced(self, dealer_id: int | None) -> Deed:
        """The same with the fields that dealer has added."""
        return replace(self, resource=faces.faced(self.resource, dealer_id))

    def watchable(self, dealer_id: int | None) -> dict[str, FieldSpec]:
        """The fields whose change may be what needs approval, by name: those of an edit's form as that dealer has
        it."""
        return {s.name: s for s in self.faced(dealer_id).fields()} if self.edits else {}

    def condition_fields(self) -> dict[str, FieldSpec]:
        """What conditions on it may ask: the columns of the record, as they were before, and what is filled in this
        time. A new record has nothing but that."""
        asked = [
            replace(s, name=ASKED + s.name, label=_THIS_TIME + s.label)
            for s in (self.fields() if self.code != CREATE else ())
            if s.kind in OPERATORS and not s.multiple
        ]
        if self.action is not None and self.action.batch:
            asked.append(FieldSpec(COUNT, f"{_THIS_TIME}记录数", "integer"))
        return {**conditions.fields(self.resource), **{s.name: s for s in asked}}


class Looked:
    """A record together with what is filled in this time, as conditions look at it. Where it is edited, what is
    not filled in stays as it is."""

    def __init__(self, record: Any, values: Mapping[str, Any], count: int, *, edits: bool = False) -> None:
        self._record, self._values, self._count, self._edits = record, values, count, edits

    def __getattr__(self, name: str) -> Any:
        if name == COUNT:
            return self._count
        if name.startswith(ASKED):
            name = name.removeprefix(ASKED)
            if name in self._values or not self._edits:
                return self._values.get(name)
        return getattr(self._record, name)


@dataclass(frozen=True, eq=False)
class Wanted:
    """What somebody wants done: which deed to which records, with which values. ``flow`` says under which
    rule it waits, ``changes`` what it would change, as the history keeps it."""

    act: Act
    deed: Deed
    records: Sequence[Any]
    values: Mapping[str, Any]
    flow: Any
    changes: Sequence[Mapping[str, Any]] = field(default=())


class Approvals(Protocol):
    """What the engine asks of the domain that keeps approvals."""

    def flows(self, act: Act, deed: Deed) -> Sequence[Any]:
        """The rules in force for that deed of this person, first the one that counts more; no query."""

    def holds(self, flow: Any, act: Act, deed: Deed, looked: Looked) -> bool:
        """Whether the rule is about this record."""

    def watches(self, flow: Any, changed: Set[str]) -> bool:
        """Whether the rule is about an edit that changes these fields of the record."""

    def submit(self, wanted: Wanted) -> Submitted:
        """Keep the request; raises `Refusal` where nobody could agree."""


_approvals: list[Approvals] = []


def provide_approvals(approvals: Approvals) -> None:
    """Install what keeps the requests; once, at import."""
    _approvals[:] = [approvals]


_closed: set[str] = set()


def never(*names: str) -> None:
    """Say that deeds of these resources never wait: they are the machinery of approving itself."""
    _closed.update(names)


def candidates() -> Iterator[type[Resource]]:
    """The resources whose deeds can be made to wait: records of the trade. What administrators set is changed
    by those who look after it, and taken back from the history."""
    for found in resources():
        steers = hasattr(found.model, "__quiet__") or configuring.kind(found.name) is not None
        if found.scopes.dealer is not None and not steers and found.name not in _closed and deeds_of(found):
            yield found


def deeds_of(found: type[Resource]) -> Mapping[str, Deed]:
    """What can be done there by the generated forms, by name."""
    key: Any = found.base
    return _deeds_of(key)


@cache
def _deeds_of(found: type[Resource]) -> Mapping[str, Deed]:
    known = {}
    if found.form:
        known[CREATE] = Deed(found, CREATE)
    if found.groups(editing=True) and issubclass(found.model, Audited):  # what is changed, the history knows
        known[EDIT] = Deed(found, EDIT)
    if found.remove is not None:
        known[DELETE] = Deed(found, DELETE)
    own = (a for a in found.actions if not a.page and a.model is found.model and not _only_looks(a))
    return {**known, **{a.name: Deed(found, a.name, a) for a in own if a.name not in known}}


def _only_looks(action: Action) -> bool:
    return action.permission is not None and action.permission[1] == GUARD_VIEW


def deed_named(name: str) -> Deed | None:
    """The deed of that name, like ``customers/invalidate``, or None."""
    of, _, code = name.partition("/")
    found = resource(of)
    return deeds_of(found).get(code) if found is not None and code else None


conditions.provide_subjects(deed_named)


@dataclass(frozen=True)
class Asking:
    """The rules that may hold a deed up; empty where none does."""

    deed: Deed | None = None
    flows: Sequence[Any] = ()

    def __bool__(self) -> bool:
        return bool(self.flows)

    @property
    def sure(self) -> Deed:
        """The deed, where there is a rule for it."""
        assert self.deed is not None
        return self.deed

    def about(self, act: Act, record: Any, values: Mapping[str, Any], count: int = 1) -> Asking:
        """Of the rules those that are about this record."""
        if self.deed is None:
            return self
        looked = Looked(record, values, count, edits=self.deed.edits)
        holding = [f for f in self.flows if _approvals[0].holds(f, act, self.deed, looked)]
        return replace(self, flows=holding)

    def flow_for(self, act: Act, record: Any, values: Mapping[str, Any], count: int = 1) -> Any:
        """The first rule that is about this record; None where it need not wait."""
        return self._first(act, self.about(act, record, values, count).flows)

    def flow_of(self, act: Act, changed: Set[str]) -> Any:
        """The first rule that is about an edit that changes these fields; None where it need not wait."""
        return self._first(act, [f for f in self.flows if _approvals[0].watches(f, changed)])

    def why_not(self, act: Act, record: Any, values: Mapping[str, Any], count: int = 1) -> str:
        """Why this record is left out by what changes many at once and cannot wait with each of them, with the way
        out; empty where no rule is about it. Of an edit ``values`` are what it changes."""
        flows = self.about(act, record, values, count).flows
        if self.deed is not None and self.deed.edits:
            flows = [f for f in flows if _approvals[0].watches(f, values.keys())]
        return f"{WAITS}（{flows[0].name}），请用“{self.sure.label}”提交" if flows else ""

    def _first(self, act: Act, flows: Sequence[Any]) -> Any:
        """A file cannot wait line by line and is refused."""
        if flows and act.source == FILE:
            raise Refusal(f"“{self.sure.label}”需要审批，不能用文件导入，请逐条提交")
        return flows[0] if flows else None


def asking(act: Act, found: type[Resource], code: str) -> Asking:
    """What may hold up a deed that is about to begin; a deed within a deed was agreed to with the outer one, but
    nobody has agreed to a file."""
    if act.source not in (*PEOPLE, FILE) or _agreed(act):
        return Asking()
    return ruling(act, found, code)


def ruling(act: Act, found: type[Resource], code: str) -> Asking:
    """The rules about a deed of this person, wherever it comes from: for what somebody has begun and a job goes on
    with, and which leaves out what would have to wait."""
    waits_as = next((a.waits_as for a in found.actions if a.name == code), None)
    deed = (
        deed_named(f"{found.name}/{waits_as.name if waits_as is not None else code}") if _approvals else None
    )
    return Asking(deed, _approvals[0].flows(act, deed)) if deed is not None else Asking()


def _agreed(act: Act) -> bool:
    outer: Act | None = act.session.info.get("act")
    line_of_a_file = act.source == FILE and outer is not None and outer.action == FILE
    return deeds.running(act.session) and not line_of_a_file


@dataclass(eq=False)
class Attempt:
    """A deed tried to see what it does, to be undone or kept."""

    act: Act
    savepoint: Any
    warned: int

    def keep(self) -> None:
        """It need not wait: what was tried is done."""
        self.savepoint.commit()

    def changed(self, record: Any) -> frozenset[str] | None:
        """The fields of the record that it changes; None where it changes nothing at all."""
        rows = [r for r in audit.pending(self.act.session) if r["changes"].get("fields")]
        of = (resource_of(type(record)).name, record.id)
        own = [r["changes"]["fields"] for r in rows if (r["resource"], r["record_id"]) == of]
        return frozenset(name for fields in own for name in fields) if rows else None

    def undo(self) -> list[dict[str, Any]]:
        """Take it all back; returns what it would have changed."""
        if self.act.told:
            raise Refusal("此操作的结果只显示一次，不能设置审批")
        changes = audit.pending(self.act.session)
        self.drop()
        return changes

    def drop(self) -> None:
        """Take it all back. Rules also set what they have written past the session: everything is read anew."""
        self.savepoint.rollback()
        self.act.session.expire_all()
        del self.act.warnings[self.warned :]


def attempt(act: Act) -> Attempt:
    """Begin to try; what goes wrong meanwhile undoes the whole deed."""
    return Attempt(act, act.session.begin_nested(), len(act.warnings))


def submit(wanted: Wanted) -> Submitted:
    """Keep what was tried as a request."""
    return _approvals[0].submit(wanted)
