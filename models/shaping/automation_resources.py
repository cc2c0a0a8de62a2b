"""自动化: the page of automations and their log, for administrators."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import object_session

from app.engine.audit import LOGS
from app.engine.automating import CHANGED
from app.engine.configured.addresses import field_of
from app.engine.configured.uses import one_of
from app.engine.configuring import configurable
from app.engine.fields import FieldSpec, describe
from app.engine.guards import gate
from app.engine.resource import Between, Group, Menu, Related, Resource, Window, resource_of
from app.engine.scopes import Actor, Scopes
from app.engine.security import current_actor
from models.identity.for_all import for_all
from models.identity.menu_groups import SHAPING
from models.identity.rules import groups_alone, is_group
from models.shaping import (
    automation_doings,
    automation_hooks,
    automation_noticing,
    automation_rules,
    automation_running,
)
from models.shaping.automation_parts import doing, event, follow_doings, subject, taking
from models.shaping.automation_roles import NAMING, SPOKEN, label_of
from models.shaping.automation_tables import INPUTS, STEPS, Automation, AutomationRun

__all__ = ["AutomationRuns", "Automations", "automation_doings", "automation_noticing", "automation_running"]

_PRESETS = tuple(f"preset_{n}" for n in STEPS)
_FIELDS = ("watched", *(f"field_{n}" for n in STEPS))
"""The columns that hold the name of a field."""


def input_of(name: str, n: int) -> FieldSpec:
    """An input of a step, there while something is chosen that takes it."""
    spec = describe(getattr(Automation, f"{name}_{n}"))
    if name == INPUTS[0]:
        return replace(spec, required=n == STEPS[0], label="动作")
    needed, there = taking(name, needed=True), taking(name)
    return replace(
        spec, label=describe(getattr(Automation, f"{name}_{STEPS[0]}")).label,
        shown_when=f"do_{n}={'|'.join(there)}",
        needed_when=f"do_{n}={'|'.join(needed)}" if needed else "",
    )  # fmt: skip


def _dealer() -> int | None:
    """The dealer of whoever reads, whose added fields have names."""
    actor = current_actor()
    return actor.dealer_id if actor is not None else None


def _when(value: str, about: str, watched: str | None, *, now: datetime) -> str:
    """新建, or “意向级别”变化."""
    known = event(about, value)
    found = subject(about)
    if known is None or found is None:
        return value
    if value != CHANGED:
        return known.label
    spec = found.watched(_dealer()).get(watched or "")
    return f"“{spec.label if spec is not None else watched}”变化"


def _then(value: str, about: str, *inputs: Any, now: datetime) -> str:
    """Everything that follows, in the order in which it does."""
    names = [f"{name}_{n}" for n in STEPS for name in INPUTS]
    given = dict(zip(names, (value, *inputs), strict=False))
    said = []
    for n in STEPS:
        known = doing(given.get(f"do_{n}"))
        if known is not None:
            words = {i: _word(about, i, given.get(f"{i}_{n}")) for i in INPUTS[1:]}
            said.append(known.words({**words, "role": words["role"] or words["preset"]}))
    return "；".join(said)


def _word(about: str, name: str, value: Any) -> str:
    if name == "field" and value:
        found = subject(about)
        spec = found.settable(_dealer()).get(value) if found is not None else None
        return spec.label if spec is not None else str(value)
    if name == "preset":
        return label_of(value)
    return "" if value is None else str(value)


def words_of(row: Automation, actor: Actor) -> tuple[str, str, str]:
    """An automation as this person reads it: when, and, then."""
    about = subject(row.subject)
    session = object_session(row)
    inputs = []
    names = [f"{i}_{n}" for n in STEPS for i in INPUTS]
    for name in names[1:]:
        spec, value = describe(getattr(Automation, name)), getattr(row, name)
        if spec.target is not None and value is not None and session is not None:
            title = resource_of(spec.target).title
            value = session.scalar(select(title).where(spec.target.id == value))
        inputs.append(value)
    when = _when(row.event, row.subject, row.watched, now=row.updated_at)
    condition = gate(describe(Automation.condition), row.condition, actor) if row.condition else "不限"
    label = about.resource.label if about is not None else row.subject
    return (
        f"{label}：{when}",
        str(condition),
        _then(getattr(row, names[0]), row.subject, *inputs, now=row.updated_at),
    )


class Automations(Resource, model=Automation):
    """自动化: when something happens, and it is so, then something follows by itself."""

    label = "自动化"
    unit = "项自动化"
    icon = "bolt"
    menu = Menu(SHAPING, label="自动化", icon="bolt", order=951)
    create_label = "新增自动化"
    script = "conditions.js"
    scopes = Scopes(dealer=Automation.dealer_id, shared=True)
    title = Automation.name
    filters = (Automation.subject, Automation.active)
    sorts = (Automation.updated_at,)
    frozen = staticmethod(groups_alone(automation_rules.OF_GROUP, "automations"))
    prefill = staticmethod(automation_rules.prefill)
    create = staticmethod(automation_rules.create_automation)
    update = staticmethod(automation_rules.update_automation)
    remove = staticmethod(automation_rules.remove_automation)
    actions = (
        automation_rules.try_out,
        automation_rules.resume,
        automation_rules.pause,
        automation_rules.leave,
        automation_rules.come_back,
        automation_hooks.show_key,
    )
    empty_hint = "例如：当新建客户，且来源为线上，则在导购中轮流分配并新建回访任务"


class AutomationRuns(Resource, model=AutomationRun):
    """运行记录: for which records automations ran, how it ended and why."""

    label = "自动化运行记录"
    unit = "次"
    icon = "history"
    menu = Menu(LOGS, label="自动化运行记录", icon="list-check", order=980)
    scopes = Scopes(dealer=AutomationRun.dealer_id)
    title = AutomationRun.record_label
    about = (AutomationRun.resource, AutomationRun.record_id)
    columns = (
        AutomationRun.at,
        AutomationRun.automation_id,
        AutomationRun.event,
        AutomationRun.resource,
        AutomationRun.record_label,
        AutomationRun.outcome,
        AutomationRun.reason,
    )
    filters = (
        AutomationRun.automation_id,
        AutomationRun.outcome,
        AutomationRun.resource,
        Between(AutomationRun.at),
    )
    sorts = (AutomationRun.at,)
    window = Window(AutomationRun.at, days=30)
    badges = (AutomationRun.outcome,)
    detail = (
        Group(
            "运行",
            AutomationRun.automation_id,
            AutomationRun.event,
            AutomationRun.resource,
            AutomationRun.record_label,
            AutomationRun.outcome,
            AutomationRun.at,
            AutomationRun.person_id,
            AutomationRun.reason,
        ),
    )
    empty_hint = "事件发生并且条件满足后，几秒内执行并记录在这里"


def compose() -> None:
    """The screens with the inputs of everything that may follow so far."""
    after = tuple(f"{name}_{n}" for n in STEPS for name in INPUTS)[1:]
    when = replace(describe(Automation.event), shown=_when, beside=("subject", "watched"))
    then = replace(
        describe(getattr(Automation, f"{INPUTS[0]}_{STEPS[0]}")), shown=_then, beside=("subject", *after),
        wide=True,
    )  # fmt: skip
    optional = replace(  # asked as something new, because a dealer has no say in it
        describe(Automation.optional),
        attribute=None,
        wide=True,
        fixed=lambda actor, _: not is_group(actor, "automations"),
    )
    Automations.columns = (
        Automation.name,
        Automation.subject,
        when,
        Automation.condition,
        then,
        Automation.active,
        Automation.dealer_id,
        Automation.replaces_id,
    )
    Automations.more_columns = (Automation.author_id, Automation.updated_at)
    Automations.detail = (
        Group("规则", Automation.name, Automation.subject, when, Automation.condition, then),
        Group(
            "适用",
            Automation.active,
            Automation.dealer_id,
            Automation.replaces_id,
            Automation.optional,
            Automation.author_id,
            Automation.updated_at,
        ),
        Related(AutomationRun.automation_id, "运行记录", creates=False),
    )
    steps = tuple(
        Group("则" if n == STEPS[0] else f"并且（动作{n}）", *(input_of(name, n) for name in INPUTS), folded=n != STEPS[0])
        for n in STEPS
    )  # fmt: skip
    head = (Automation.name, Automation.subject, Automation.event, Automation.watched, Automation.active)
    condition = Group("且", Automation.condition)
    beside = Group("集团与商场", Automation.replaces_id, optional, folded=True)
    whole = for_all(Automations.name, Automations.label)
    Automations.form = (Group("当", *head, whole), condition, *steps, beside)
    Automations.edit_form = (Group("当", *head), condition, *steps, beside)
    Automations.copies = tuple(getattr(Automation, name) for name in automation_rules.copied())

    configurable(
        Automations,
        key=(Automation.name,),
        content=(
            Automation.subject,
            Automation.event,
            Automation.watched,
            Automation.condition,
            *(getattr(Automation, f"{name}_{n}") for n in STEPS for name in INPUTS),
            Automation.active,
            Automation.replaces_id,
            Automation.optional,
        ),
        answers=(automation_rules.SURE,),
        spoken=dict.fromkeys(_FIELDS, field_of("subject")) | dict.fromkeys(_PRESETS, SPOKEN),
        names=dict.fromkeys(_FIELDS, one_of("subject")) | dict.fromkeys(_PRESETS, NAMING),
    )


follow_doings(compose)
