"""Adding, changing, removing and taking back fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.engine import forms, outbox
from app.engine.actions import Act, Invalid, Refusal, action
from app.engine.choices import dictionary
from app.engine.database import alone
from app.engine.faces import LISTED, RANGED
from app.engine.fields import FieldSpec, describe
from app.engine.resource import Resource, fields_of, filtered, resource
from app.engine.slots import FAMILIES
from models.identity.rules import is_group, own_dealer
from models.settings.tables import DictionaryEntry, EntryTone
from models.shaping.custom_conditions import follows
from models.shaping.custom_fields import FAMILY, SECTION, CustomField, FieldKind, Place
from models.shaping.custom_patterns import wrong as wrong_pattern
from models.shaping.custom_queries import spec_of

KEPT = timedelta(days=30)
"""So long the values of a removed field are kept, and it can be taken back."""
INDEX = "custom_fields.index"
"""The work of giving the list its ways to a field."""
_SPACE = -7
_TONES = (EntryTone.ACTIVE, EntryTone.GOOD, EntryTone.WARN, EntryTone.BAD, EntryTone.INFO, EntryTone.PLAIN)
_MOST_OPTIONS, _LONGEST_OPTION = 100, 32
_FLAG_WORDS = {"是": "1", "1": "1", "否": "", "0": ""}


def create_field(field: Any, act: Act, values: Mapping[str, Any]) -> None:
    """A field of the own dealer, or the group's for everybody, in a slot that is free for all who have it."""
    if not values.get("for_all"):
        own_dealer(field, act)
    elif not is_group(act.actor, "custom_fields"):
        raise Invalid({"for_all": "只有集团管理员可以新增集团通用字段"})
    alone(act.session, _SPACE, "fields")
    declared = resource(field.resource)
    if declared is None:
        raise Invalid({"resource": "请从列表中选择"})
    field.section = field.section or SECTION
    _put(field, values.get("places") or ())
    _check(act, field, declared, field.label, values.get("options"))
    field.slot = _free_slot(act, field)
    field.created_at = act.now
    act.session.add(field)
    act.session.flush()
    _keep_options(act, field, _lines(values.get("options")))
    _check_initial(act, field, field.initial)
    _give_ways(act)


def update_field(field: Any, act: Act, values: Mapping[str, Any]) -> None:
    """What a field holds stays as it is; how it is called and where it appears may change."""
    _keep_own(field, act)
    if field.removed_at is not None:
        raise Refusal("字段已删除，请先恢复")
    declared = resource(field.resource)
    if declared is None:
        raise Refusal("此对象已不存在")
    for name in ("minimum", "maximum", "pattern", "shown_when", "needed_when"):
        if name in values:
            setattr(field, name, values[name])
    label = values.get("label") or field.label
    with act.session.no_autoflush:
        _check(act, field, declared, label, values.get("options", field.options))
    if "places" in values:
        was = field.in_sort
        _put(field, values["places"] or ())
        if field.in_sort and not was:
            field.indexed_at = None
    if "options" in values:
        _keep_options(act, field, _lines(values["options"]))
    if "initial" in values:
        _check_initial(act, field, values["initial"])
        field.initial = _written(field, values["initial"])
    _give_ways(act)


@action(
    "删除字段", on=CustomField, icon="trash", tone="r",
    confirm="删除后，字段从表单、列表、筛选等处消失；已填写的数据保留30天，期间可恢复，之后清除。确认删除？",
    when=lambda field: field.removed_at is None,
)  # fmt: skip
def remove_field(field: Any, act: Act) -> None:
    """Take a field away; its values are kept for a while."""
    _keep_own(field, act)
    if field.removed_at is not None:
        raise Refusal("字段已删除")
    for other in _others(act, field):
        if other.removed_at is None and field.slot in (follows(other.shown_when), follows(other.needed_when)):
            raise Refusal(f"字段“{other.label}”的条件引用了此字段，请先修改")
    field.removed_at = act.now


@action(
    "恢复字段", on=CustomField, icon="arrow-back-up",
    when=lambda field: field.removed_at is not None and field.purged_at is None,
)  # fmt: skip
def restore_field(field: Any, act: Act) -> None:
    """Take it back with all its values, unless another one bears its name by now."""
    _keep_own(field, act)
    if field.removed_at is None:
        raise Refusal("字段未删除")
    if field.purged_at is not None:
        raise Refusal("数据已清除，不能恢复")
    declared = resource(field.resource)
    if declared is None:
        raise Refusal("此对象已不存在")
    alone(act.session, _SPACE, "fields")
    try:
        _check_label(act, field, declared, field.label)
    except Invalid as taken:
        raise Refusal(f"{taken.errors['label']}，请先改名") from taken
    field.removed_at = None
    _give_ways(act)


def _put(field: Any, places: Iterable[Any]) -> None:
    """Have it appear in these places, as far as its kind can."""
    wanted = set(places)
    for place in Place:
        setattr(field, f"in_{place.value}", place in wanted)
    field.in_filter = field.in_filter and field.kind != FieldKind.LONG
    field.in_sort = field.in_sort and field.kind.value in RANGED
    field.in_chart = field.in_chart and field.kind.value in LISTED


def _keep_own(field: Any, act: Act) -> None:
    if field.dealer_id is None and not is_group(act.actor, "custom_fields"):
        raise Refusal("集团字段只能由集团管理员修改")


def _give_ways(act: Act) -> None:
    """Lists are to be filtered and sorted by the fields as fast as by any other; that is built after the commit."""
    outbox.put(act.session, INDEX, {}, now=act.now)


# ----- checks


def _check(act: Act, field: Any, declared: type[Resource], label: str, options: Any) -> None:
    _check_label(act, field, declared, label)
    if field.minimum is not None and field.maximum is not None and field.minimum > field.maximum:
        raise Invalid({"maximum": "最大值不能小于最小值"})
    said = wrong_pattern(field.pattern) if field.pattern else ""
    if said:
        raise Invalid({"pattern": said})
    for name in ("shown_when", "needed_when"):
        if follows(getattr(field, name)) and follows(getattr(field, name)) == field.slot:
            raise Invalid({name: "条件不能以字段自身为准"})
    _check_circle(act, field)
    if field.kind == FieldKind.CHOICE:
        _check_options(_lines(options))


def _check_circle(act: Act, field: Any) -> None:
    """Fields that wait for each other would never be there."""
    after = {
        other.slot: follows(other.shown_when) for other in _others(act, field) if other.removed_at is None
    }
    place, seen = follows(field.shown_when), set[str]()
    while place and place not in seen:
        if place == field.slot:
            raise Invalid({"shown_when": "显示条件互相依赖，字段将永远不会显示"})
        seen.add(place)
        place = after.get(place, "")


def _check_label(act: Act, field: Any, declared: type[Resource], label: str) -> None:
    """No two fields of a form bear the same name: neither a declared one nor one of those who have it."""
    if label in {spec.label for spec in _declared(declared)} | {spec.head for spec in _declared(declared)}:
        raise Invalid({"label": f"{declared.label}已有字段“{label}”"})
    for other in _others(act, field):
        if other.removed_at is None and other.label.casefold() == label.casefold():
            raise Invalid({"label": f"{declared.label}已有自定义字段“{label}”"})


def _declared(declared: type[Resource]) -> list[FieldSpec]:
    groups = (*declared.form, *(declared.edit_form or ()), *declared.detail)
    listed = (*declared.columns, *declared.more_columns, *map(filtered, declared.filters), *declared.sorts)
    return [*fields_of(groups), *map(describe, listed)]


def _others(act: Act, field: Any) -> Sequence[Any]:
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


def _free_slot(act: Act, field: Any) -> str:
    """The group takes its slots from the end, so that one of a dealer seldom stands in the way."""
    taken = {other.slot for other in _others(act, field)}
    family = FAMILIES[FAMILY[field.kind]]
    free = [slot for slot in family if slot not in taken]
    if not free:
        raise Invalid(
            {"kind": f"{field.kind.label}类的自定义字段最多{len(family)}个，已用完（删除的字段保留30天）"}
        )
    return free[-1] if field.dealer_id is None else free[0]


def _check_options(lines: Sequence[str]) -> None:
    twice = [line for n, line in enumerate(lines) if line in lines[:n]]
    long = [line for line in lines if len(line) > _LONGEST_OPTION]
    if not lines:
        raise Invalid({"options": "请填写选项，每行一个"})
    if twice:
        raise Invalid({"options": f"选项“{twice[0]}”重复"})
    if long:
        raise Invalid({"options": f"选项“{long[0][:10]}…”超过{_LONGEST_OPTION}个字"})
    if any("|" in line for line in lines):
        raise Invalid({"options": "选项不能包含 |"})
    if len(lines) > _MOST_OPTIONS:
        raise Invalid({"options": f"最多{_MOST_OPTIONS}个选项，现有{len(lines)}个"})


def _lines(text: Any) -> list[str]:
    return [line for line in (" ".join(part.split()) for part in str(text or "").splitlines()) if line]


def _check_initial(act: Act, field: Any, text: str | None) -> None:
    """What new records begin with must be a value of the field."""
    if not text:
        return
    if field.kind == FieldKind.FLAG:
        if text not in _FLAG_WORDS:
            raise Invalid({"initial": "请填写 是 或 否"})
    elif field.kind == FieldKind.CHOICE:
        if text not in _options(field):
            raise Invalid({"initial": "默认值不在选项中"})
    else:
        spec = spec_of(field)
        assert spec is not None
        try:
            forms.single(spec, [text], forms.Context(act.session, act.actor, act.now))
        except forms.Wrong as wrong:
            raise Invalid({"initial": wrong.message}) from None
    field.initial = _written(field, text)


def _written(field: Any, text: str | None) -> str | None:
    return _FLAG_WORDS.get(text, text) if text and field.kind == FieldKind.FLAG else text


# ----- the options of a choice


def _entries(act: Act, field: Any) -> Sequence[DictionaryEntry]:
    near = DictionaryEntry.dealer_id.is_not_distinct_from(field.dealer_id)
    statement = select(DictionaryEntry).where(DictionaryEntry.dictionary == field.dictionary, near)
    return act.session.scalars(statement.order_by(DictionaryEntry.sort, DictionaryEntry.id)).all()


def _options(field: Any) -> set[str]:
    return {e.value for e in dictionary(field.dictionary, field.dealer_id) if e.active}


def _keep_options(act: Act, field: Any, lines: Sequence[str]) -> None:
    """Make these the options in force, in this order. What records hold stays readable: an option that is left
    out is switched off."""
    if field.kind != FieldKind.CHOICE:
        return
    known = {entry.label: entry for entry in _entries(act, field)}
    for n, line in enumerate(lines):
        entry = known.pop(line, None)
        if entry is None:
            act.session.add(
                DictionaryEntry(
                    dictionary=field.dictionary, dealer_id=field.dealer_id, value=line, label=line,
                    tone=_TONES[n % len(_TONES)], sort=(n + 1) * 10, active=True,
                )
            )  # fmt: skip
        else:
            entry.sort, entry.active = (n + 1) * 10, True
    for gone in known.values():
        gone.active = False
    act.session.flush()
