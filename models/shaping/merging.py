"""Merging two options of a dictionary: what it touches, seen beforehand, then every record of the dealer in
pieces by a job, and the way back.

The deed that begins it switches the old option off, so that nobody chooses it any more, and has what names it
elsewhere follow; the job then changes the records. All of it bears one deed id, by which it is taken back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from app.engine import audit, conditions, deeds, jobs, perform, undo
from app.engine.actions import Act, NotFound, Refusal
from app.engine.audit import Audited, AuditEntry
from app.engine.conditions import Condition, Term, Wrong
from app.engine.configured.uses import CONDITION, by_kind
from app.engine.database import alone, forget_many, pieces, utcnow
from app.engine.deeds import deed
from app.engine.fields import FieldSpec, describe
from app.engine.jobs import OPEN, STOPPED, Finish, Job, Work
from app.engine.resource import Resource, resource, resources
from app.engine.scopes import Actor
from models.settings import uses
from models.settings.catalogue import dictionaries
from models.settings.resources import Dictionaries
from models.settings.tables import DictionaryEntry
from models.settings.uses import Reach, Use
from models.shaping import options, taking_back

MERGE, RETURN = "dictionary.merge", "dictionary.return"
LABEL, BACK = "合并字典项", "撤销合并"
PAGE = "/dictionaries/merged?job={merge}"
PIECE = 500
"""Records in one transaction."""
LOOKED_UP = 20_000
"""Records looked up at once: no index knows those with one value in their order, so each look is a walk along
all of them."""
_SPACE = -31
_NAMED = 3


@dataclass
class Plan:
    """A merge before it begins: what changes, what follows, and what stands in its way."""

    dictionary: str
    old: DictionaryEntry
    new: DictionaryEntry
    amounts: list[tuple[Use, int]] = field(default_factory=list)
    follows: list[str] = field(default_factory=list)
    hindrances: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many values change."""
        return sum(amount for _, amount in self.amounts)


@dataclass(frozen=True)
class Naming:
    """A stored condition that names the option."""

    resource: type[Resource]
    record: Any
    name: str
    condition: Condition

    @property
    def words(self) -> str:
        """Which one, in words."""
        return f"{self.resource.label}“{perform.label_of(self.resource, self.record)}”"


def plan(session: Session, actor: Actor, name: str, old_id: int, new_id: int) -> Plan:
    """What merging the one option into the other would do; raises `NotFound` for options that are not there."""
    options.editable(actor)
    found = {row.id: row for row in options.rows(session, name, actor.dealer_id)}
    old, new = found.get(old_id), found.get(new_id)
    if old is None or new is None:
        raise NotFound
    made = Plan(name, old, new)
    made.amounts = uses.amounts(session, Reach(name, actor.dealer_id), old.value)
    for naming in _named(session, name, old.value, actor.dealer_id):
        if naming.record.dealer_id == actor.dealer_id:
            made.follows.append(f"{naming.words}的条件改用“{new.label}”")
        else:
            made.hindrances.append(f"{naming.words}由集团维护，其条件使用了“{old.label}”")
    below = _below(session, name, old.value, actor.dealer_id)
    for label, children in below.items():
        made.follows.append(f"{label}中 {len(children)} 项改属“{new.label}”")
    made.hindrances += _hindrances(session, made, list(found.values()), actor.dealer_id)
    return made


def survivors(rows: list[DictionaryEntry], old: DictionaryEntry) -> list[DictionaryEntry]:
    """The options that the old one can be merged into: active, and at home wherever it is."""
    return [r for r in rows if r.active and r.value != old.value and not _misfit(rows, old.value, r.value)]


def _misfit(rows: list[DictionaryEntry], old: str, new: str) -> set[str]:
    """The parents under which the old value stands and the new one does not."""
    under = {value: {r.parent or "" for r in rows if r.value == value} for value in (old, new)}
    return set() if "" in under[new] else under[old] - under[new]


def _hindrances(
    session: Session, made: Plan, rows: list[DictionaryEntry], dealer_id: int | None
) -> Iterator[str]:
    old, new = made.old, made.new
    if old.value == new.value:
        yield "请选择另一项作为保留项"
    elif not new.active:
        yield f"“{new.label}”已停用，不能作为保留项"
    elif _misfit(rows, old.value, new.value):
        yield f"“{new.label}”不在“{old.label}”的所属上级下，不能合并"
    why = written(made.dictionary).get(old.value)
    if why:
        yield f"“{old.label}”不能并入其他项：{why}"
    if running(session, made.dictionary, dealer_id) is not None:
        yield "此字典有合并正在进行，请等待其完成"


def written(name: str) -> dict[str, str]:
    """The values that the product itself writes or asks for, and what for: they cannot be merged away."""
    known = next(d for d in dictionaries() if d.name == name)
    found = {value: f"系统使用此项：{why}" for value, why in known.kept.items()}
    for use in uses.columns_of(name):
        if isinstance(use.spec.default, str):
            found.setdefault(use.spec.default, f"它是{use.label}的初始值")
        for other in _specs(use.resource.model):
            for asked in (other.shown_when, other.opens_when, other.needed_when):
                column, _, values = asked.partition("=")
                if column == use.spec.name:
                    for value in values.split("|"):
                        found.setdefault(value, f"“{other.label}”只在选择此项时填写")
    return found


def _specs(model: Any) -> Iterator[FieldSpec]:
    for attribute in inspect(model).column_attrs:
        if "zk" in attribute.columns[0].info:
            yield describe(getattr(model, attribute.key))


def running(session: Session, name: str, dealer_id: int | None) -> Job | None:
    """The merge of that dictionary that has not ended."""
    return next((job for job in _jobs(session, name, dealer_id) if job.state in OPEN), None)


def latest(session: Session, name: str, dealer_id: int | None, most: int = 5) -> list[Job]:
    """The last merges of that dictionary."""
    return [job for job in _jobs(session, name, dealer_id) if job.kind == MERGE][:most]


def _jobs(session: Session, name: str, dealer_id: int | None) -> list[Job]:
    mine = Job.dealer_id.is_(None) if dealer_id is None else Job.dealer_id == dealer_id
    statement = select(Job).where(mine, Job.kind.in_((MERGE, RETURN)))
    recent = session.scalars(statement.order_by(Job.created_at.desc(), Job.id.desc()).limit(50))
    return [job for job in recent if job.payload.get("dictionary") == name]


# ----- what names the option elsewhere


def _named(session: Session, name: str, value: str, dealer_id: int | None) -> Iterator[Naming]:
    """The conditions of the dealer, and of the group, that compare with this value."""
    for shown in resources():
        if not hasattr(shown.model, "dealer_id"):
            continue
        for spec in _specs(shown.model):
            if by_kind.get(spec.kind) is not CONDITION:
                continue
            mine = shown.model.dealer_id.is_(None) | (shown.model.dealer_id == dealer_id)
            for record in session.scalars(select(shown.model).where(mine, spec.attribute.is_not(None))):
                try:
                    condition = conditions.from_json(
                        getattr(record, spec.name), dealer_id=getattr(record, "dealer_id", None)
                    )
                except Wrong:  # of a column that is declared no longer
                    continue
                if any(_names(term, name, value) for term in condition.terms()):
                    yield Naming(shown, record, spec.name, condition)


def _names(term: Term, name: str, value: str) -> bool:
    return term.spec.dictionary == name and value in term.values


def _follow(act: Act, made: Plan) -> None:
    """Conditions of the same owner compare with the new value; the options below get the new parent."""
    old, new, dealer_id = made.old.value, made.new.value, act.actor.dealer_id

    def change(term: Term) -> Term:
        if not _names(term, made.dictionary, old):
            return term
        values = tuple(dict.fromkeys(new if value == old else value for value in term.values))
        return replace(term, values=values, named=())

    for naming in _named(act.session, made.dictionary, old, dealer_id):
        if naming.record.dealer_id == dealer_id:
            setattr(naming.record, naming.name, naming.condition.replaced(change).to_json())
    for children in _below(act.session, made.dictionary, old, dealer_id).values():
        there = options.rows(act.session, children[0].dictionary, dealer_id)
        known = {(r.value, r.parent or "") for r in there}
        for child in children:
            if {(child.value, new), (child.value, "")} & known:
                continue
            row = child
            if child.dealer_id != dealer_id:
                row = DictionaryEntry(
                    dictionary=child.dictionary, dealer_id=dealer_id, value=child.value, label=child.label,
                    tone=child.tone, sort=child.sort, active=child.active,
                )  # fmt: skip
                act.session.add(row)
            row.parent = new


def _below(
    session: Session, name: str, value: str, dealer_id: int | None
) -> dict[str, list[DictionaryEntry]]:
    """The options that hang under this one, by their dictionary in words."""
    found = {}
    for other in dictionaries():
        if other.parent == name:
            children = [r for r in options.rows(session, other.name, dealer_id) if r.parent == value]
            if children:
                found[other.label] = children
    return found


# ----- the deed and the job


def submit(act: Act, name: str, old_id: int, new_id: int) -> Job:
    """Begin a merge: the old option can be chosen no longer, and a job changes the records. Inside a running
    deed; raises `Refusal` with what stands in its way."""
    alone(act.session, _SPACE, f"{act.actor.dealer_id}:{name}")
    made = plan(act.session, act.actor, name, old_id, new_id)
    if made.hindrances:
        raise Refusal("；".join(made.hindrances))
    _follow(act, made)
    for row in options.rows(act.session, name, act.actor.dealer_id):
        if row.value == made.old.value and row.active:
            options.own_row(act, row).active = False
    act.session.flush()
    known = options.declared(name)
    title = f"{known.label}：“{made.old.label}”并入“{made.new.label}”"
    payload = {
        "dictionary": name, "dealer": act.actor.dealer_id, "old": made.old.value, "new": made.new.value,
        "old_label": made.old.label, "new_label": made.new.label, "deed": act.deed_id,
    }  # fmt: skip
    about = f"{known.label}中“{made.old.label}”的记录改为“{made.new.label}”"
    job = jobs.start(act.session, act.actor, MERGE, title, payload, act.now, total=made.total, about=about)
    job.payload = {**job.payload, "merge": job.id}
    act.session.flush()
    return job


@jobs.doer(MERGE, LABEL, again=True, page=PAGE)
def run(work: Work) -> Finish:
    """Give every record that holds the old value the new one, list by list; what is done already is not met
    again, so that a killed job goes on where it was. A last look finds what came in meanwhile."""
    given = work.payload
    reach = Reach(given["dictionary"], given["dealer"])
    lists: Counter[str] = Counter(work.counts.get("lists") or {})
    missed = True
    while missed:
        missed = False
        for use in uses.columns_of(reach.dictionary):
            after = 0
            while ids := uses.rows_of(work.session, use, reach, given["old"], after, LOOKED_UP):
                missed, after = True, ids[-1]
                for some in pieces(ids, PIECE):
                    with deed(_act(work, LABEL, given["deed"])) as act:
                        lists[use.resource.name] += _change(act, use, some, given["old"], given["new"])
                        work.note(sum(lists.values()), counts={"lists": dict(lists)})
                    forget_many(work.session)
    work.session.rollback()
    return Finish(f"{_in_words(lists)}已由“{given['old_label']}”改为“{given['new_label']}”", {"lists": lists})


def _act(work: Work, label: str, deed_id: str) -> Act:
    """The deed of a piece: done in the name of whoever asked for it, and reaching every record of the dealer."""
    return Act(replace(work.actor, system=True), utcnow(), work.session, "job", label, deed_id=deed_id)


def _change(act: Act, use: Use, ids: Sequence[int], old: str, new: str) -> int:
    column = use.spec.attribute
    records = deeds.lock(act.session, use.resource, ids, where=column == old)
    for record in records:
        setattr(record, use.spec.name, new)
        if not isinstance(record, Audited):
            audit.log(act, record, act.action, {use.spec.name: (old, new)})
    act.session.flush()
    return len(records)


def _in_words(lists: Mapping[str, int]) -> str:
    return "、".join(uses.said(shown, amount) for shown, amount in changed_lists(lists)) or "没有记录"


def changed_lists(lists: Mapping[str, int]) -> list[tuple[type[Resource], int]]:
    """The lists of which records have changed, with how many."""
    named = [(resource(name), amount) for name, amount in lists.items() if amount]
    return [(shown, amount) for shown, amount in named if shown is not None]


# ----- and back


def merge_of(session: Session, actor: Actor, job_id: int) -> Job:
    """A merge of the own dealer (of the group); raises `NotFound`."""
    options.editable(actor)
    job = session.get(Job, job_id) if job_id else None
    if job is None or job.kind != MERGE or job.dealer_id != actor.dealer_id:
        raise NotFound
    return job


def returned(session: Session, job: Job) -> Job | None:
    """The job that takes the merge back, if somebody asked for it."""
    back = (job.counts or {}).get("back")
    return session.get(Job, back) if back else None


def give_back(act: Act, job_id: int) -> Job:
    """Take a merge back: the old option and what followed at once, the records by a job. Inside a running
    deed; raises `Refusal` where somebody changed the options meanwhile."""
    merge_of(act.session, act.actor, job_id)
    job = act.session.scalars(
        select(Job).where(Job.id == job_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if job.state in OPEN:
        raise Refusal("合并正在进行，请等待其完成或先取消任务")
    known = returned(act.session, job)
    if known is not None and known.state not in STOPPED:
        raise Refusal("此合并已撤销")
    given = job.payload
    alone(act.session, _SPACE, f"{given['dealer']}:{given['dictionary']}")
    if running(act.session, given["dictionary"], given["dealer"]) is not None:
        raise Refusal("此字典有合并正在进行，请等待其完成")
    if known is None:
        taking_back.take_back(act, given["deed"])
    total = sum((job.counts or {}).get("lists", {}).values())
    back = jobs.start(
        act.session, act.actor, RETURN, f"撤销{job.title}", {**given, "back": act.deed_id}, act.now,
        total=total, about=f"“{given['old_label']}”的记录由“{given['new_label']}”改回",
    )  # fmt: skip
    job.counts = {**(job.counts or {}), "back": back.id}
    act.session.flush()
    return back


@jobs.doer(RETURN, BACK, again=True, page=PAGE)
def go_back(work: Work) -> Finish:
    """Give the records back what they held, as far as nobody has changed the same since."""
    deed_id = work.payload["deed"]
    done = Counter(work.counts.get("done") or {})
    kept = list(work.counts.get("kept") or [])
    for name in sorted(_lists(work.session, deed_id)):
        found = resource(name)
        if found is None or found is Dictionaries:
            continue
        ids = _changed(work.session, deed_id, name)
        work.session.rollback()
        for some in pieces(ids, PIECE):
            with deed(_act(work, BACK, work.payload["back"])) as act:
                results = undo.restore(act, found, deed_id, list(some))
                done[name] += sum(r.ok and r.changed for r in results)
                kept += [[r.label, r.reason] for r in results if not r.ok and [r.label, r.reason] not in kept]
                kept = kept[:200]
                work.note(sum(done.values()), counts={"done": dict(done), "kept": kept})
            forget_many(work.session)
    said = f"{_in_words(done)}已改回“{work.payload['old_label']}”"
    if kept:
        said += f"；{len(kept)} 条此后又被修改，未撤销"
    return Finish(said, {"done": done, "kept": kept})


def _lists(session: Session, deed_id: str) -> set[str]:
    """The kinds of records that the merge changed."""
    statement = select(AuditEntry.resource).where(AuditEntry.deed_id == deed_id).distinct()
    return set(session.scalars(statement))


def _changed(session: Session, deed_id: str, name: str) -> list[int]:
    statement = select(AuditEntry.record_id).where(AuditEntry.deed_id == deed_id, AuditEntry.resource == name)
    return sorted(set(session.scalars(statement)))
