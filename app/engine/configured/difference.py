"""What a file would change of an owner's configuration, and changing it: everything or nothing.

Comparing is pure; whether a value can be what the file says, the rules say while it is carried out. A dry run
is the same transaction, given up at its end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from app.engine import forms, perform
from app.engine.actions import Act, Forbidden, Invalid, Question, Refusal
from app.engine.configured import files, state, words
from app.engine.configured.addresses import heard
from app.engine.configured.files import BadFile, File, Mistake, Written
from app.engine.configured.state import NTH, Entry
from app.engine.configured.values import Names, cleaned, token
from app.engine.configuring import Kind, Writer
from app.engine.database import utcnow
from app.engine.deeds import deed
from app.engine.scopes import Actor, Scope, scopes_of
from app.engine.security import afresh

ADD, CHANGE, REMOVE = "add", "change", "remove"
SIGNS = {ADD: "新增", CHANGE: "修改", REMOVE: "删除"}
MOST = 5000
"""So many entries may one file change."""
T = TypeVar("T")


@dataclass
class Step:
    """One entry that would be added, changed or taken away; ``values`` is what is new of it."""

    sign: str
    kind: Kind
    entry: Entry
    values: dict[str, Any]
    present: Entry | None = None

    @property
    def words(self) -> str:
        """What the entry is called."""
        return self.entry.words


@dataclass
class Compared:
    """The difference of one kind, and how many entries are the same."""

    kind: Kind
    steps: list[Step] = field(default_factory=list)
    same: int = 0

    def amount(self, sign: str) -> int:
        """How many steps of that sign there are."""
        return sum(step.sign == sign for step in self.steps)


def compare(
    kind: Kind, present: Mapping[str, Entry], wanted: Sequence[Written], *, complete: bool
) -> Compared:
    """The difference between what is there and what a file says."""
    found = Compared(kind)
    for entry in wanted:
        there = present.get(entry.token)
        if there is None:
            given = {n: v for n, v in entry.flat.items() if n != NTH}
            found.steps.append(Step(ADD, kind, entry, given))
            continue
        changed = {
            n: v
            for n, v in entry.flat.items()
            if n not in entry.identity and _plainly(v, kind, n) != _plainly(there.flat.get(n), kind, n)
        }
        if changed:
            found.steps.append(Step(CHANGE, kind, entry, changed, there))
        else:
            found.same += 1
    if complete:
        named = {entry.token for entry in wanted}
        gone = [e for name, e in present.items() if name not in named]
        found.steps += [Step(REMOVE, kind, e, {}, e) for e in gone]
    return found


def _plainly(value: Any, kind: Kind, name: str) -> Any:
    if name in kind.parts and isinstance(value, list) and not (kind.part and kind.part.ordered):
        return sorted({str(v) for v in value})
    spec = kind.specs[name]
    return sorted(value, key=token) if spec.links is not None and isinstance(value, list) else value


@dataclass
class Plan:
    """All that a file would change for one owner, kind by kind."""

    owner: int | None
    file: File
    compared: list[Compared] = field(default_factory=list)

    @property
    def steps(self) -> list[Step]:
        """What would happen, in the order in which it is tried."""
        ordered = [s for c in self.compared for s in c.steps if s.sign != REMOVE]
        return ordered + [s for c in reversed(self.compared) for s in c.steps if s.sign == REMOVE]

    @property
    def digest(self) -> str:
        """A short name of this very difference."""
        listed = [
            (s.sign, s.kind.name, s.entry.token, token(s.values), s.present and token(s.present.flat))
            for s in self.steps
        ]
        return hashlib.sha256(repr((self.owner, listed)).encode()).hexdigest()[:32]

    def lines(self, step: Step, session: Session, actor: Actor) -> list[str]:
        """What a step changes, in words."""
        names = Names(session, actor, self.owner)
        before = step.present.flat if step.present is not None else {}
        return words.lines(step.kind, step.entry.flat, before, step.values, names)


def acting_for(actor: Actor, owner: int | None, kinds: Iterable[Kind]) -> Actor:
    """The person as one of that dealer, or of the group; raises `Forbidden` for somebody who works for another
    dealer alone."""
    if owner == actor.dealer_id:
        return actor
    if not all(Scope.GROUP in scopes_of(k.resource, actor) for k in kinds):
        raise Forbidden("其他商场的配置" if owner is not None else "集团预置的配置", seeing=True)
    return replace(actor, dealer_id=owner)


def plan(session: Session, file: File, actor: Actor, owner: int | None, *, removes: bool = True) -> Plan:
    """What the file would change; raises `BadFile` for one of the other kind of owner."""
    wanted = files.GROUP if owner is None else files.DEALER
    if file.of not in (files.ANY, wanted):
        said = "这是集团预置的配置文件" if file.of == files.GROUP else "这是商场的配置文件"
        raise BadFile([Mistake(f"{said}，不能导入到{'集团预置' if owner is None else '商场'}")])
    mine = [k for k in state.readable(actor) if k.name in file.kinds]
    found = Plan(owner, file)
    for kind in mine:
        present = state.entries(session, kind, actor, owner)
        complete = file.complete and removes
        found.compared.append(compare(kind, present, file.kinds[kind.name], complete=complete))
    if len(found.steps) > MOST:
        raise BadFile([Mistake(f"一次最多更改{MOST}个条目，此文件将更改{len(found.steps)}个")])
    return found


class _GivenUp(Exception):
    """The end of a dry run."""


def carry_out(
    session: Session,
    found: Plan,
    actor: Actor,
    *,
    source: str = "import",
    now: datetime | None = None,
    dry: bool = False,
) -> Act:
    """Change what the plan says, in one transaction; raises `BadFile` with every place that a rule refuses, and
    then nothing is changed. A ``dry`` one changes nothing in any case."""
    act = Act(actor, now or utcnow(), session, source, "import")
    try:
        with deed(act):
            names = Names(session, actor, found.owner)

            def anew() -> None:
                # a field that came in has given a right of its own
                act.actor = names.actor = afresh(session, act.actor)

            carry = partial(_carry, act, names)
            refused = settle(found.steps, carry, anew) or settle(_moved(found, act), carry, anew)
            if refused:
                raise BadFile(_mistakes(refused))
            if dry:
                raise _GivenUp
    except _GivenUp:
        session.expire_all()
    return act


def _moved(found: Plan, act: Act) -> list[Step]:
    """What the rules of other entries have changed besides: a new field gives its permission to roles, and the
    file has the last word about these."""
    kinds = [c.kind for c in found.compared if c.kind.part is not None and not c.kind.part.follows]
    steps = []
    for kind in kinds if any(s.sign == ADD for s in found.steps) else ():
        present = state.entries(act.session, kind, act.actor, found.owner)
        steps += compare(kind, present, found.file.kinds[kind.name], complete=False).steps
    return steps


def settle(
    steps: Sequence[T], do: Callable[[T], None], anew: Callable[[], None] = lambda: None
) -> list[tuple[T, Refusal]]:
    """Do them all, in whatever order they lean on each other; returns those that were refused in the end. Each
    undoes its own share when it is; ``anew`` is called before those are tried again."""
    waiting = list(steps)
    while waiting:
        refused: list[tuple[T, Refusal]] = []
        for step in waiting:
            try:
                do(step)
            except Refusal as refusal:
                refused.append((step, refusal))
            except (IntegrityError, DataError):
                refused.append((step, Refusal("数据与现有记录冲突，请检查后重试")))
        if len(refused) == len(waiting):
            return refused
        waiting = [step for step, _ in refused]
        anew()
    return []


def _carry(act: Act, names: Names, step: Step) -> None:
    kind, record = step.kind, step.present.record if step.present is not None else None
    if step.sign == REMOVE:
        remove(act, kind, record)
        return
    if kind.code is not None and step.sign == ADD and kind.code.name in step.entry.identity:
        raise Refusal("本系统中没有这个预置项，不能新增")
    put(act, kind, names, record, step.values)


def put(act: Act, kind: Kind, names: Names, record: Any, given: Mapping[str, Any]) -> Any:
    """Make a new entry or change one, by what a file says of it, through the rules of its resource."""
    given = heard(kind, given, names, record)
    if kind.writer is not None:
        _require(act.actor, kind, kind.writer)
        with deed(replace(act)):
            kind.writer.put(act, names.owner, record, given)
            act.session.flush()
        return record
    context = forms.Context(act.session, act.actor, act.now, record)
    return keep(act, kind, record, cleaned(kind, given, record, names, context))


def bring_back(act: Act, kind: Kind, record: Any) -> None:
    """Bring back an entry that only bears the mark of being gone."""
    writer = kind.writer
    assert writer is not None and writer.back is not None
    _require(act.actor, kind, writer)
    with deed(replace(act)):
        writer.back(act, record)
        act.session.flush()


def _require(actor: Actor, kind: Kind, writer: Writer) -> None:
    perform.require(actor, (writer.right, kind.resource.view_name()), f"编辑{kind.label}")


def keep(act: Act, kind: Kind, record: Any, values: dict[str, Any]) -> Any:
    """The same, of values as the rules take them."""
    if kind.fit is not None:
        values = kind.fit(act, record, values)
    how: dict[str, Any] = {
        "source": act.source,
        "now": act.now,
        "answers": kind.answers,
        "action": act.action,
    }
    if record is None:
        return perform.create(kind.resource, values, act.actor, **how)[0]
    return perform.update(kind.resource, record.id, values, act.actor, **how)[0]


def remove(act: Act, kind: Kind, record: Any) -> None:
    """Take an entry away, unless something leans on it."""
    leaning = kind.depends(act.session, record) if kind.depends is not None else ""
    if leaning:
        raise Refusal(leaning)
    if kind.writer is not None:
        _require(act.actor, kind, kind.writer)
        with deed(replace(act)):
            kind.writer.drop(act, record)
            act.session.flush()
        return
    if kind.resource.remove is None:
        raise Refusal(f"{kind.label}不能删除")
    try:
        perform.remove(
            kind.resource, record.id, act.actor, source=act.source, answers=kind.answers, action=act.action
        )
    except Question as asked:  # who takes away many things at once is not asked about each
        raise Refusal(asked.text or asked.heading) from asked


def _mistakes(refused: Iterable[tuple[Step, Refusal]]) -> list[Mistake]:
    found = []
    for step, refusal in refused:
        entry = step.entry
        lines = entry.lines if isinstance(entry, Written) else {}
        line = entry.line if isinstance(entry, Written) else 0
        place = f"{'删除' if step.sign == REMOVE else ''}{step.kind.label}“{step.words}”"
        errors = refusal.errors if isinstance(refusal, Invalid) else {refusal.field: refusal.message}
        for name, sentence in errors.items():
            spec = step.kind.specs.get(name)
            where = f"{place}，{spec.label}" if spec is not None else place
            found.append(Mistake(sentence, lines.get(name, line), where))
    return sorted(found, key=lambda m: m.line)


def export(session: Session, actor: Actor, owner: int | None, only: Iterable[str] = ()) -> str:
    """The file of an owner's configuration, of the kinds whose lists the person may see."""
    chosen = set(only)
    mine = [k for k in state.require_kinds(actor) if not chosen or k.name in chosen]
    listed = {k.name: list(state.entries(session, k, actor, owner).values()) for k in mine}
    return files.write(files.GROUP if owner is None else files.DEALER, listed)
