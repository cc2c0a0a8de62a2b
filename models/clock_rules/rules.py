"""Changing clock rules: checked in words, and only after a look at whom the change touches."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.actions import Act, Answer, Done, Invalid, Question, Refusal, action
from app.engine.conditions import Wrong, from_json
from app.engine.database import id_of
from app.engine.fields import ask_for
from app.engine.scopes import Actor
from models.clock_rules import book
from models.clock_rules.preview import Preview, preview
from models.clock_rules.subjects import effect, subject
from models.clock_rules.tables import CLOCK, ClockRule, Repeat, Unit
from models.identity.for_all import begun, keep_for_all, settle_owner
from models.identity.rules import is_group
from models.identity.standing_in import switches
from models.identity.tables import Store

SURE = "touch"
_BY_CALENDAR = (Unit.MONTHS, Unit.YEARS)
_FARTHEST = {Unit.YEARS: 100, Unit.MONTHS: 1200}
"""A calendar ends, and a yearly rule is looked for once per year of its distance."""
_BY_THE_MINUTE = (Unit.MINUTES, Unit.HOURS)
_FIELDS = (
    "name", "subject", "condition", "start", "amount", "unit", "direction", "ahead_days", "at", "repeat",
    "every_days", "effect", "parameters", "silenced_by", "replaces_id", "dealer_id", "store_id", "active",
)  # fmt: skip
COPIED = (
    "name", "subject", "condition", "start", "amount", "unit", "direction", "ahead_days", "at", "repeat",
    "every_days", "effect", "parameters", "silenced_by", "sort",
)  # fmt: skip
"""What a dealer's rule takes over of the one it stands in for."""
OF_GROUP = "集团规则不能修改；复制新建一条，改好后保存，即在本商场替代它"


def prefill(args: Mapping[str, str], actor: Actor, session: Session) -> dict[str, Any]:
    """A copy of one of the group's rules is meant to stand in for it; the group's own is another one for all."""
    if is_group(actor, "clock_rules"):
        return begun(ClockRule)(args, actor, session)
    copied = session.get(ClockRule, id_of(args.get("copy")) or 0)
    return {"replaces_id": copied.id} if copied is not None and copied.dealer_id is None else {}


def create_rule(rule: ClockRule, act: Act, values: Mapping[str, Any]) -> None:
    """A new rule of the own dealer or one of its stores; of the group by somebody of the group."""
    store = act.session.get(Store, rule.store_id) if rule.store_id else None
    if store is not None and act.actor.dealer_id is None:
        rule.dealer_id = store.dealer_id
    settle_owner(rule, act, values)
    _judge(act, rule, {})


def update_rule(rule: ClockRule, act: Act, values: Mapping[str, Any]) -> None:
    """Change an own rule; the group's hold for everybody and are replaced rather than changed."""
    if rule.dealer_id is None and not is_group(act.actor, "clock_rules"):
        raise Refusal(OF_GROUP)
    _judge(act, rule, values)


def remove_rule(rule: ClockRule, act: Act) -> None:
    """Presets are switched off, not deleted; a dealer deletes its own rules alone."""
    if rule.code is not None:
        raise Refusal("预置规则不能删除，可以停用")
    if rule.dealer_id is None and not is_group(act.actor, "clock_rules"):
        raise Refusal("集团规则只能由集团删除")


@action("预览影响", on=ClockRule, name="preview", icon="eye", batch=False, row=True)
def show_preview(rule: ClockRule, act: Act) -> Done:
    """Whom the rule touches now, as far as the person may see them; changes nothing."""
    working = _working(act, rule)
    if working is None:
        raise Refusal("该规则的对象或执行内容已不可用")
    found = preview(act.session, working, act.actor, act.now)
    first = "，最先到期的：" if found.listed else "。"
    return Done(found.sentence + first, tuple((t.title, _url(found, t.id)) for t in found.listed))


leave, come_back = switches(
    ClockRule, permission=("can_edit", "ClockRules"), permission_label="编辑时间规则",
    copied=lambda: COPIED, where=(ClockRule.store_id.is_(None),),
)  # fmt: skip


def _url(found: Preview, record_id: int) -> str:
    return f"/{found.rule.subject.name}/{record_id}"


def _judge(act: Act, rule: ClockRule, values: Mapping[str, Any]) -> None:
    """Check the rule as it will stand, then ask with what it means for whom."""
    wanted = SimpleNamespace(**{n: values.get(n, getattr(rule, n)) for n in _FIELDS}, id=rule.id)
    for name in ("unit", "direction", "repeat", "amount", "ahead_days", "every_days", "active"):
        if getattr(wanted, name) is None:  # a new record takes the column's default when it is stored
            setattr(wanted, name, ClockRule.__table__.c[name].default.arg)
    keep_for_all(act, rule, values)
    errors = _wrong(act, wanted)
    if errors:
        raise Invalid(errors)
    if not wanted.active or SURE in act.answers:
        return
    working = _working(act, wanted)
    if working is None:
        return
    found = preview(act.session, working, act.actor, act.now)
    if found.amount:
        raise Question(
            found.sentence,
            "保存后立即生效。下面是最先到期的记录：",
            (Answer("确认保存", SURE, primary=True), Answer("返回修改")),
            ("记录", "下次到期"),
            tuple((t.title, t.due) for t in found.listed),
            tuple(_url(found, t.id) for t in found.listed),
        )


def _working(act: Act, rule: Any) -> book.Rule | None:
    """The rule as it would work beside those that stand in for it."""
    with act.session.no_autoflush:
        rows = [r for r in act.session.scalars(select(ClockRule)) if r.id != rule.id]
    everything = [*rows, rule]
    by_id = {row.id: row for row in everything}
    root = book.root_of(rule, by_id)
    return book.rule_of(rule, [r for r in everything if book.root_of(r, by_id) == root])


def _wrong(act: Act, rule: Any) -> dict[str, str]:
    """The sentences for what does not fit together."""
    about, doing = subject(rule.subject), effect(rule.effect)
    if about is None or doing is None:
        return {"subject": ask_for("choice", "适用对象")}
    start = about.start(rule.start, rule.dealer_id)
    if start is None:
        return {"start": "请选择所选对象的起算时间"}
    errors: dict[str, str] = {}
    if doing.subjects and about.name not in doing.subjects:
        errors["effect"] = f"“{doing.label}”不适用于{about.resource.label}"
    if rule.silenced_by and about.silencer(rule.silenced_by) is None:
        errors["silenced_by"] = "请选择所选对象的暂停条件"
    if rule.condition and rule.condition.get("of") != about.name:
        errors["condition"] = "适用条件属于另一种对象，请重新填写"
    elif rule.condition:
        try:
            from_json(rule.condition, dealer_id=rule.dealer_id)
        except Wrong as wrong:
            errors["condition"] = str(wrong)
    unknown = set(rule.parameters or {}) - {p.name for p in doing.parameters}
    if unknown:
        errors["parameters"] = f"“{doing.label}”没有这些参数"
    errors |= _wrong_times(rule, day=start.is_day, by_person=doing.by_person)
    return errors | _wrong_place(act, rule)


def _wrong_times(rule: Any, *, day: bool, by_person: bool) -> dict[str, str]:
    most = _FARTHEST.get(rule.unit)
    if most is not None and rule.amount > most:
        return {"amount": f"时长最多{most}{rule.unit.label}"}
    if rule.at:
        if CLOCK.fullmatch(rule.at) is None:
            return {"at": "请按 08:00 的格式填写时刻"}
        if rule.unit in _BY_THE_MINUTE:
            return {"at": "按分钟、小时计算的规则精确到分钟执行，不能填写执行时刻"}
        if rule.repeat == Repeat.DAYS and rule.every_days > 1 and rule.unit in _BY_CALENDAR:
            return {"every_days": "按月、年起算的规则只能每天或每年重复"}
        return {}
    if by_person:
        return {"at": "每人一条的提醒请填写执行时刻"}
    if day:
        return {"at": "从日期起算的规则请填写执行时刻"}
    if rule.unit in _BY_CALENDAR:
        return {"at": "按月、年计算的规则请填写执行时刻"}
    return {"at": "重复的规则请填写执行时刻"} if rule.repeat != Repeat.NONE else {}


def _wrong_place(act: Act, rule: Any) -> dict[str, str]:
    """A rule stands in for one that is valid further: the store's for the dealer's, the dealer's for the
    group's; each place has one."""
    store = act.session.get(Store, rule.store_id) if rule.store_id else None
    if store is not None and store.dealer_id != rule.dealer_id:
        return {"store_id": "只能选择本商场的门店"}
    if rule.replaces_id is None:
        return {}
    with act.session.no_autoflush:
        above = act.session.get(ClockRule, rule.replaces_id)
        same = (ClockRule.dealer_id == rule.dealer_id, ClockRule.store_id.is_not_distinct_from(rule.store_id))
        others = select(ClockRule.id).where(
            ClockRule.replaces_id == rule.replaces_id, ClockRule.id != (rule.id or 0), *same
        )
        taken = act.session.scalar(others.limit(1))
    if above is None or above.subject != rule.subject:
        return {"replaces_id": "只能替代同一种对象的规则"}
    wider = above.dealer_id is None or (
        above.dealer_id == rule.dealer_id and above.store_id is None and store is not None
    )
    if rule.dealer_id is None or not wider:
        return {"replaces_id": "只能替代适用范围更大的规则：门店替代商场或集团的，商场替代集团的"}
    return {"replaces_id": "本范围内已有替代它的规则，请直接修改"} if taken is not None else {}
