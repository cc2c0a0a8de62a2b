"""What may follow in every domain: fields are set, records are given to people, people are told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.engine import forms, perform
from app.engine.actions import Act, Invalid, Refusal
from app.engine.automating import CHANGED
from app.engine.database import alone
from app.engine.fields import FieldSpec
from app.engine.localtime import local
from app.engine.scopes import Actor
from models.identity.for_all import of_one_dealer, refusal
from models.identity.rights import load_actor
from models.identity.tables import Employee
from models.notifications.rules import notify
from models.notifications.tables import NoticeKind
from models.notifications.topics import Topic, declare
from models.shaping.automation_parts import ANY, Doing, Step, Subject, Touched, declare_doing
from models.shaping.automation_roles import holders
from models.shaping.automation_tables import AutomationRun

TOPIC = declare(Topic("automation", "自动化", "bolt", hourly=False))
MOST_TOLD = 100
"""So many people of a role are told of one record at most."""
ROLE = ("role", "preset")
"""A role as it is, or in an automation of the group as all dealers know it."""
_SPACE = -11
_LATER = re.compile(r"(\d{1,4})\s*天后")
_TRUTH = {"是": "1", "否": "0"}
Given = Mapping[str, Any]


# ----- setting a field


def values_for(
    subject: Subject, given: Given, context: forms.Context, dealer_id: int | None
) -> tuple[FieldSpec, dict[str, Any]]:
    """The field and the form's values that set it, checked as its form checks them; raises `Invalid`."""
    spec = subject.settable(dealer_id).get(given["field"] or "")
    if spec is None:
        raise Invalid({"field": "此字段已不存在，或保存人不能修改它"})
    text = str(given["value"] or "").strip()
    texts = _texts(spec, text, context.now)
    specs = forms.editable(subject.face(dealer_id), editing=True)
    try:
        values = forms.clean(specs, texts, context, partial=True)
    except Invalid as wrong:
        said = wrong.errors.get(spec.name) or "；".join(wrong.errors.values())
        raise Invalid({"value": said}) from wrong
    if spec.name not in values:
        raise Invalid({"field": f"“{spec.label}”不能由保存人修改"})
    return spec, values


def _texts(spec: FieldSpec, text: str, now: datetime) -> dict[str, list[str]]:
    """What stands in the form's inputs when the field holds that."""
    later = _LATER.fullmatch(text) if spec.kind in ("date", "datetime") else None
    if later is not None:
        moment = local(now) + timedelta(days=int(later[1]))
        text = f"{moment:%Y-%m-%dT%H:%M}" if spec.kind == "datetime" else f"{moment:%Y-%m-%d}"
    if spec.kind == "ref":
        return {spec.name: [""], f"{spec.name}__text": [text]}
    return {spec.name: [_TRUTH.get(text, text) if spec.kind == "bool" else text]}


def _set(step: Step) -> str:
    dealer_id = getattr(step.record, step.subject.resource.scopes.dealer.key)
    context = forms.Context(step.session, step.actor, step.act.now, step.record)
    try:
        spec, values = values_for(step.subject, step.given, context, dealer_id)
    except Invalid as wrong:
        raise Refusal(wrong.message) from wrong
    text = step.given["value"] or "空"
    if getattr(step.record, spec.name) == values[spec.name]:
        return f"“{spec.label}”已是{text}"
    perform.update(
        step.subject.face(dealer_id), step.record.id, values, step.actor, source="job", now=step.act.now
    )
    return f"“{spec.label}”改为{text}"


def _cannot_edit(subject: Subject, _given: Given, actor: Actor) -> str:
    return "" if actor.can("can_edit", subject.resource.view_name()) else f"编辑{subject.resource.label}"


def _wrong_value(subject: Subject, given: Given, act: Act) -> dict[str, str]:
    dealer_id = act.actor.dealer_id
    try:
        spec, values = values_for(subject, given, forms.Context(act.session, act.actor, act.now), dealer_id)
    except Invalid as wrong:
        return wrong.errors
    value = values[spec.name]
    if dealer_id is None and spec.kind == "ref" and value:
        said = of_one_dealer(act.session, spec.target, value)
        return {"value": refusal(said, "自动化")} if said else {}
    return {}


def _sets(subject: Subject, given: Given) -> Sequence[Touched]:
    spec = subject.settable(None).get(given["field"] or "")
    return [(subject.name, CHANGED, str(given["field"]), _held(spec, given["value"]) if spec else ANY)]


def _held(spec: FieldSpec, text: str | None) -> Any:
    """What the field then holds, as far as that is certain: of a choice the entry of that name."""
    if not text:
        return None
    if spec.kind != "choice":
        return ANY if spec.kind in ("ref", "bool") else text
    known = next((e.value for e in spec.entries(None) if text in (e.value, e.label)), None)
    if known is None:
        return ANY
    return spec.choices.of(known) if spec.choices is not None else known


# ----- giving records to people


def _give(step: Step, person_id: int) -> str:
    action = step.subject.assign
    assert action is not None
    name = step.session.scalar(select(Employee.name).where(Employee.id == person_id))
    if step.person_id == person_id:
        return f"已由{name}负责"
    perform.perform(
        action,
        [step.record.id],
        step.actor,
        {action.fields[0].name: person_id},
        source="job",
        now=step.act.now,
    )
    return f"分配给{name}"


def _assign(step: Step) -> str:
    return _give(step, step.given["person"])


def _rotate(step: Step) -> str:
    """The next of those in turn: people of the record's store before those of its other ones."""
    dealer_id = getattr(step.record, step.subject.resource.scopes.dealer.key)
    store = step.subject.resource.scopes.store
    people = holders(step.session, step.given, dealer_id)
    here = [p for p in people if store is not None and p[1] == getattr(step.record, store.key)]
    ids = [person for person, _ in here or people]
    if not ids:
        raise Refusal("该角色没有在职人员")
    alone(step.session, _SPACE, f"rotate {step.rule.id}")
    last = step.session.scalar(
        select(AutomationRun.person_id)
        .where(AutomationRun.automation_id == step.rule.id, AutomationRun.person_id.in_(ids))
        .order_by(AutomationRun.id.desc())
        .limit(1)
    )
    return _give(step, ids[(ids.index(last) + 1) % len(ids)] if last in ids else ids[0])


def _assignable(subject: Subject) -> bool:
    return subject.assign is not None


def _cannot_assign(subject: Subject, _given: Given, actor: Actor) -> str:
    action = subject.assign
    return "" if action is None or action.allowed(subject.resource, actor) else action.label


def _gives(subject: Subject, _given: Given) -> Sequence[Touched]:
    return [(subject.name, CHANGED, subject.person.key, ANY)]


# ----- telling people


def _tell(step: Step, people: Iterable[int | None]) -> str:
    """Tell those of them who may see the record: the message names it."""
    resource = step.subject.resource
    chosen = [p for p in dict.fromkeys(people) if p][:MOST_TOLD]
    seeing = [p for p in chosen if _sees(step, p)]
    words = str(step.given["words"])
    notify(
        step.session,
        users=seeing,
        kind=NoticeKind.INSTANT,
        topic=TOPIC.key,
        title=f"{words}：{perform.label_of(resource, step.record)}",
        text=f"由自动化“{step.rule.name}”发出",
        now=step.act.now,
        dealer_id=getattr(step.record, resource.scopes.dealer.key),
        about=(resource.name, step.record.id),
        key=step.key,
    )
    unseeing = len(chosen) - len(seeing)
    names = list(step.session.scalars(select(Employee.name).where(Employee.id.in_(seeing[:5]))))
    said = (
        f"通知{'、'.join(names)}{f'等{len(seeing)}人' if len(seeing) > len(names) else ''}"
        if names
        else "无人可通知"
    )
    return said + (f"（另有{unseeing}人无权查看此记录，未通知）" if unseeing else "")


def _sees(step: Step, person_id: int) -> bool:
    actor = load_actor(step.session, person_id)
    if actor is None or not actor.can("can_list", step.subject.resource.view_name()):
        return False
    try:
        perform.find(step.session, step.subject.resource, step.record.id, actor)
    except Refusal:
        return False
    return True


def _tell_owner(step: Step) -> str:
    return _tell(step, [step.person_id])


def _tell_person(step: Step) -> str:
    return _tell(step, [step.given["person"]])


def _tell_role(step: Step) -> str:
    dealer_id = getattr(step.record, step.subject.resource.scopes.dealer.key)
    return _tell(step, [person for person, _ in holders(step.session, step.given, dealer_id)])


for _doing in (
    Doing(
        "assign", "分配给人员", _assign, ("person",), ("person",), _assignable, _cannot_assign, touches=_gives,
        words=lambda said: f"分配给{said['person']}",
    ),
    Doing(
        "rotate", "在角色中轮流分配", _rotate, ROLE, ROLE, _assignable, _cannot_assign, touches=_gives,
        words=lambda said: f"在“{said['role']}”中轮流分配，本店人员优先",
    ),
    Doing(
        "set", "修改字段", _set, ("field", "value"), ("field",), lacks=_cannot_edit, wrong=_wrong_value,
        touches=_sets, words=lambda said: f"“{said['field']}”改为{said['value'] or '空'}",
    ),
    Doing(
        "tell_owner", "通知负责人", _tell_owner, ("words",), ("words",),
        words=lambda said: f"通知负责人：{said['words']}",
    ),
    Doing(
        "tell_person", "通知人员", _tell_person, ("person", "words"), ("person", "words"),
        words=lambda said: f"通知{said['person']}：{said['words']}",
    ),
    Doing(
        "tell_role", "通知角色", _tell_role, (*ROLE, "words"), (*ROLE, "words"),
        words=lambda said: f"通知“{said['role']}”：{said['words']}",
    ),
):  # fmt: skip
    declare_doing(_doing)
