"""What must hold of an added field before it is kept: a name of its own, a slot, rules that can be met."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from app.engine import forms
from app.engine.actions import Act, Invalid
from app.engine.faces import LISTED, RANGED
from app.engine.fields import FieldSpec, describe
from app.engine.resource import Resource, fields_of, filtered
from app.engine.slots import BETWEEN, FAMILIES
from models.shaping import custom_formulas as formulas
from models.shaping import custom_options as options
from models.shaping.custom_conditions import follows
from models.shaping.custom_fields import CHOSEN, FILED, TYPED_ONCE, CustomField, FieldKind, family_of, kind_of
from models.shaping.custom_patterns import wrong as wrong_pattern
from models.shaping.custom_queries import spec_of

_FLAG_WORDS = {"是": "1", "1": "1", "否": "", "0": ""}
_RULES = ("shown_when", "needed_when", "locked_when")
_BETWEEN = re.compile(r"[|｜、,，]")


def check(act: Act, field: Any, declared: type[Resource], label: str, given: Any) -> None:
    """Raise `Invalid` for what is wrong with it; ``given`` are the options as they were typed."""
    check_label(act, field, declared, label)
    if field.minimum is not None and field.maximum is not None and field.minimum > field.maximum:
        raise Invalid({"maximum": "最大值不能小于最小值"})
    said = wrong_pattern(field.pattern) if field.pattern else ""
    if said:
        raise Invalid({"pattern": said})
    for name in _RULES:
        if follows(getattr(field, name)) and follows(getattr(field, name)) == field.slot:
            raise Invalid({name: "条件不能以字段自身为准"})
    near = [other for other in others(act, field) if other.removed_at is None]
    _check_circle(field, near)
    if field.kind in CHOSEN:
        options.check(options.lines_of(given))
    if field.kind == FieldKind.REF and not field.target:
        raise Invalid({"target": "请选择关联到哪一类记录"})
    if field.kind == FieldKind.FORMULA:
        _check_formula(field, near)
    user = next((o for o in near if field.slot and field.slot in formulas.sources_of(o)), None)
    if field.guarded and user is not None:
        raise Invalid({"guarded": f"公式字段“{user.label}”由此字段算出，请先修改该公式"})
    _check_once(act, field, declared)


def check_label(act: Act, field: Any, declared: type[Resource], label: str) -> None:
    """No two fields of a form bear the same name: neither a declared one nor one of those who have it."""
    if label in {spec.label for spec in _declared(declared)} | {spec.head for spec in _declared(declared)}:
        raise Invalid({"label": f"{declared.label}已有字段“{label}”"})
    if re.search(r"[\[\]【】]", label):
        raise Invalid({"label": "字段名称不能包含方括号"})
    for other in others(act, field):
        if other.removed_at is None and other.label.casefold() == label.casefold():
            raise Invalid({"label": f"{declared.label}已有自定义字段“{label}”"})


def others(act: Act, field: Any) -> Sequence[Any]:
    """The other fields of the resource that somebody has together with this one."""
    statement = select(CustomField).where(
        CustomField.resource == field.resource,
        CustomField.id != (field.id or 0),
        CustomField.purged_at.is_(None),
    )
    if field.dealer_id is not None:
        near = CustomField.dealer_id.is_(None) | (CustomField.dealer_id == field.dealer_id)
        statement = statement.where(near)
    with act.session.no_autoflush:
        return act.session.scalars(statement).all()


def free_slot(act: Act, field: Any) -> str:
    """The group takes its slots from the end, so that one of a dealer seldom stands in the way."""
    taken = {other.slot for other in others(act, field)}
    family = FAMILIES[family_of(field)]
    free = [slot for slot in family if slot not in taken]
    if not free:
        raise Invalid(
            {"kind": f"{field.kind.label}类的自定义字段最多{len(family)}个，已用完（删除的字段保留30天）"}
        )
    return free[-1] if field.dealer_id is None else free[0]


def lacking(act: Act, field: Any) -> bool:
    """Whether the formula is worked out of a field that is gone."""
    gone = {other.slot for other in others(act, field) if other.removed_at is not None}
    return not gone.isdisjoint(formulas.sources_of(field))


def can_sort(field: Any) -> bool:
    """Whether its values have an order."""
    return kind_of(field) in RANGED


def can_chart(field: Any) -> bool:
    """Whether it has few values."""
    return kind_of(field) in LISTED


def check_initial(act: Act, field: Any, text: str | None) -> str | None:
    """What new records begin with, as it is stored; raises `Invalid` for what is no value of the field."""
    if not text or field.kind == FieldKind.FORMULA:
        return None
    if field.kind == FieldKind.FLAG:
        if text not in _FLAG_WORDS:
            raise Invalid({"initial": "请填写 是 或 否"})
        return _FLAG_WORDS[text]
    if field.kind in CHOSEN:
        several = field.kind == FieldKind.CHOICES
        words = [w.strip() for w in _BETWEEN.split(text) if w.strip()] if several else [text]
        if not set(words) <= options.in_force(field):
            raise Invalid({"initial": "默认值不在选项中"})
        return BETWEEN.join(words)
    if field.kind == FieldKind.REF or field.kind in FILED:
        raise Invalid({"initial": f"{field.kind.label}字段不能设置默认值"})
    spec = spec_of(field)
    assert spec is not None
    try:
        forms.single(spec, [text], forms.Context(act.session, act.actor, act.now))
    except forms.Wrong as wrong:
        raise Invalid({"initial": wrong.message}) from None
    return text


def _check_circle(field: Any, near: Sequence[Any]) -> None:
    """Fields that wait for each other would never be there."""
    after = {other.slot: follows(other.shown_when) for other in near}
    place, seen = follows(field.shown_when), set[str]()
    while place and place not in seen:
        if place == field.slot:
            raise Invalid({"shown_when": "显示条件互相依赖，字段将永远不会显示"})
        seen.add(place)
        place = after.get(place, "")


def _check_formula(field: Any, near: Sequence[Any]) -> None:
    if not field.formula:
        raise Invalid({"formula": "请填写公式"})
    found = formulas.formula_of(field)
    if not formulas.fits(field):
        raise Invalid({"result": f"公式的结果是{found.type.value}，请选择对应的结果类型"})
    turning = formulas.turning(field, near) if field.slot else ""
    if turning:
        raise Invalid({"formula": f"公式循环引用：{turning}"})


def _check_once(act: Act, field: Any, declared: type[Resource]) -> None:
    """What stands in several records already cannot be demanded to stand in one."""
    if field.kind not in TYPED_ONCE:
        field.once = False
    if not field.once or not field.slot:
        return
    slot, dealer = getattr(declared.model, field.slot), declared.scopes.dealer
    doubled = select(func.count()).where(slot.is_not(None)).group_by(dealer, slot).having(func.count() > 1)
    if field.dealer_id is not None:
        doubled = doubled.where(dealer == field.dealer_id)
    with act.session.no_autoflush:
        amount = act.session.scalar(select(func.count()).select_from(doubled.subquery())) or 0
    if amount:
        raise Invalid({"once": f"已有{amount}个值在多条记录中重复，请先清理"})


def _declared(declared: type[Resource]) -> list[FieldSpec]:
    groups = (*declared.form, *(declared.edit_form or ()), *declared.detail)
    listed = (*declared.columns, *declared.more_columns, *map(filtered, declared.filters), *declared.sorts)
    return [*fields_of(groups), *map(describe, listed)]
