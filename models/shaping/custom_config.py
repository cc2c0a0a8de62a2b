"""Added fields as configuration: under their name, with their options, and never by slot or number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import forms, perform
from app.engine.actions import Act, Invalid
from app.engine.configured.addresses import Portable
from app.engine.configured.uses import by_kind
from app.engine.configured.values import Coder, Names, cleaned, coders
from app.engine.configuring import Mark, Named, Naming, Part, Writer, configurable
from app.engine.fields import FieldSpec, describe, entry
from app.engine.resource import resource
from app.engine.typed import Wrong
from models.settings.tables import DictionaryEntry, EntryTone
from models.shaping import custom_conditions, custom_formulas, custom_rules, custom_uses
from models.shaping.custom_fields import CHOSEN, CustomField, FieldKind, Place, dictionary_of
from models.shaping.custom_resources import CustomFields

OPTIONS = entry("options", "选项", "texts")
_PLACES = {f"in_{place.value}": place for place in Place}
_FALLS_TO = EntryTone.PLAIN
_PARTS = frozenset({"value", "label", "tone", "active"})


# ----- conditions: 字段=选项, as stored, with the field by its name


def _condition_out(value: Any, names: Names) -> Any:
    of, _, rule = str(value).partition(":")
    field, _, wanted = rule.partition("=")
    try:
        called = Portable(of, names).name_out(field)
    except Wrong:
        return value
    return f"{of}:{called or field}={wanted}"


def _condition_in(_spec: FieldSpec, value: Any, _context: forms.Context, names: Names) -> Any:
    if value in (None, ""):
        return None
    of, _, rule = str(value).partition(":")
    called, _, wanted = rule.partition("=")
    place = Portable(of, names)
    name = place.name_in(called)
    source = next((s for s in custom_conditions.sources(place.resource).values() if s.name == name), None)
    if source is None:
        raise Wrong(f"没有可作条件的字段“{called[:40]}”")
    values = {"1", ""} if source.kind == "bool" else {e.value for e in source.entries(names.owner)}
    unknown = [v for v in wanted.split("|") if v not in values]
    if unknown:
        raise Wrong(f"“{source.label}”没有选项“{unknown[0][:40]}”")
    stored = f"{of}:{name}={wanted}"
    if len(stored) > custom_conditions.MOST:
        raise Wrong("选项过多，请减少")
    return stored


def _condition_names(_field: Any, value: Any) -> list[Named]:
    return [Named(str(value).partition(":")[0], custom_conditions.follows(value))]


coders[custom_conditions.KIND] = Coder(_condition_out, _condition_in, names=True)
by_kind[custom_conditions.KIND] = Naming(_condition_names)


# ----- formulas: by labels, as they are written


def _formula_out(value: Any, names: Names) -> Any:
    return custom_formulas.words(value, names.owner)


def _formula_in(_spec: FieldSpec, value: Any, context: forms.Context, names: Names) -> Any:
    if value in (None, ""):
        return None
    record = context.record
    declared = resource(getattr(record, "resource", None) or (context.texts.get("resource") or ("",))[-1])
    if declared is None or not isinstance(value, str):
        raise Wrong("格式不正确")
    return custom_formulas.stored(value, declared, record, names.owner, shared=names.owner is None)


def _formula_names(field: Any, _value: Any) -> Iterator[Named]:
    return (Named(field.resource, name) for name in custom_formulas.sources_of(field))


coders[custom_formulas.KIND] = Coder(_formula_out, _formula_in, names=True)
by_kind[custom_formulas.KIND] = Naming(_formula_names)


# ----- options


def _read(session: Session, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The options of these fields in their order, as those who keep the field have them."""
    fields = select(CustomField.id, CustomField.dealer_id, CustomField.kind).where(CustomField.id.in_(ids))
    rows = session.execute(fields).all()
    places = {dictionary_of(row.id): row for row in rows}
    found: dict[int, dict[str, Any]] = {row.id: {OPTIONS.name: []} for row in rows}
    entries = select(DictionaryEntry).where(DictionaryEntry.dictionary.in_(places))
    for one in session.scalars(entries.order_by(DictionaryEntry.sort, DictionaryEntry.id)):
        field = places[one.dictionary]
        if one.dealer_id == field.dealer_id:
            found[field.id][OPTIONS.name].append(
                {"value": one.value, "label": one.label, "tone": one.tone.value, "active": one.active}
            )
    return found


def _option_words(_old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    listed = [o for o in new.get(OPTIONS.name) or () if isinstance(o, Mapping)]
    said = "、".join(f"{o.get('label')}{'' if o.get('active', True) else '（停用）'}" for o in listed)
    return [f"{OPTIONS.label}：{said}"] if said else []


def _options_of(value: Any) -> list[dict[str, Any]]:
    """The options of a file; raises `Invalid`."""
    if not isinstance(value, list):
        raise Invalid({OPTIONS.name: "应为选项的列表"})
    found: list[dict[str, Any]] = []
    for one in value:
        if not isinstance(one, Mapping) or not set(one) <= _PARTS:
            raise Invalid({OPTIONS.name: "选项应为 value、label、tone、active 各项"})
        label = one.get("label") or one.get("value")
        option = {"value": one.get("value") or label, "label": label, "active": one.get("active", True)}
        if not isinstance(label, str) or not isinstance(option["value"], str):
            raise Invalid({OPTIONS.name: "缺少选项的名称（label）"})
        if not isinstance(option["active"], bool):
            raise Invalid({OPTIONS.name: f"选项“{label[:20]}”的 active 应为 true 或 false"})
        tone = EntryTone.of(one["tone"]) if one.get("tone") in {t.value for t in EntryTone} else None
        if one.get("tone") and tone is None:
            raise Invalid({OPTIONS.name: f"选项“{label[:20]}”没有颜色“{str(one['tone'])[:20]}”"})
        option["tone"] = tone or _FALLS_TO
        found.append(option)
    for name in ("value", "label"):
        twice = [o[name] for n, o in enumerate(found) if o[name] in [p[name] for p in found[:n]]]
        if twice:
            raise Invalid({OPTIONS.name: f"选项“{twice[0]}”重复"})
    return found


def _keep_options(act: Act, field: Any, wanted: Sequence[Mapping[str, Any]]) -> None:
    """Make these the options, by their values; one that is not among them is switched off, because records may
    hold it."""
    statement = select(DictionaryEntry).where(
        DictionaryEntry.dictionary == field.dictionary,
        DictionaryEntry.dealer_id.is_not_distinct_from(field.dealer_id),
    )
    known = {e.value: e for e in act.session.scalars(statement)}
    for n, option in enumerate(wanted):
        one = known.pop(option["value"], None)
        if one is None:
            one = DictionaryEntry(
                dictionary=field.dictionary, dealer_id=field.dealer_id, value=option["value"]
            )
            act.session.add(one)
        one.label, one.tone, one.active, one.sort = (
            option["label"], option["tone"], option["active"], (n + 1) * 10,
        )  # fmt: skip
    for gone in known.values():
        gone.active = False
    act.session.flush()


# ----- writing


def put(act: Act, owner: int | None, record: Any, flat: Mapping[str, Any]) -> None:
    """Add a field or change one by its form, and then what the form does not ask."""
    if record is not None and "kind" in flat and flat["kind"] != record.kind.value:
        raise Invalid({"kind": "字段的类型保存后不能修改"})
    names = Names(act.session, act.actor, owner)
    options = _options_of(flat[OPTIONS.name]) if OPTIONS.name in flat else None
    given = {n: v for n, v in flat.items() if n not in _PLACES and n != OPTIONS.name}
    if record is None and (record := _taken_back(act, owner, flat)) is not None:
        del given["resource"]
    for name, place in _PLACES.items():
        if name in flat and not isinstance(flat[name], bool):
            raise Invalid({name: f"“{place.label}”应为 true 或 false"})
    context = forms.Context(act.session, act.actor, act.now, record)
    values = cleaned(KIND, given, record, names, context)
    how: dict[str, Any] = {"source": act.source, "now": act.now, "action": act.action}
    if record is None:
        values["places"] = _places(flat, {n: describe(getattr(CustomField, n)).default for n in _PLACES})
        initial = values.pop("initial", None)
        values["options"] = "\n".join(o["label"] for o in options or () if o["active"])
        record = perform.create(CustomFields, values, act.actor, **how)[0]
        if options:
            _rename(act, record, options)
        values = {"initial": initial} if initial else {}
    elif any(n in flat for n in _PLACES):
        values["places"] = _places(flat, {n: getattr(record, n) for n in _PLACES})
    if options is not None and record.kind in CHOSEN:
        _keep_options(act, record, options)
        values["options"] = "\n".join(o["label"] for o in options if o["active"])
    if values:
        perform.update(CustomFields, record.id, values, act.actor, **how)
    if options is not None and record.kind in CHOSEN:
        _keep_options(act, record, options)


def _taken_back(act: Act, owner: int | None, flat: Mapping[str, Any]) -> Any:
    """The same field, removed a while ago, with what was filled in."""
    kind = flat.get("kind") or FieldKind.TEXT.value
    if kind not in {k.value for k in FieldKind}:
        return None
    statement = select(CustomField).where(
        CustomField.resource == flat["resource"],
        CustomField.label == flat["label"],
        CustomField.kind == FieldKind.of(kind),
        CustomField.dealer_id.is_not_distinct_from(owner),
        CustomField.removed_at.is_not(None),
        CustomField.purged_at.is_(None),
    )
    found = act.session.scalars(statement.order_by(CustomField.id.desc())).first()
    if found is not None:
        back(act, found)
    return found


def _places(flat: Mapping[str, Any], now: Mapping[str, Any]) -> list[Place]:
    return [place for name, place in _PLACES.items() if flat.get(name, now[name])]


def _rename(act: Act, field: Any, options: Sequence[Mapping[str, Any]]) -> None:
    """Options of a new field, which began with their names as values, get the values of the file."""
    values = {o["label"]: o["value"] for o in options}
    statement = select(DictionaryEntry).where(DictionaryEntry.dictionary == field.dictionary)
    for one in act.session.scalars(statement):
        one.value = values.get(one.label, one.value)
    act.session.flush()


def drop(act: Act, record: Any) -> None:
    """It goes as by its button: what is filled in stays for a while."""
    custom_rules.take_away(record, act)


def back(act: Act, record: Any) -> None:
    """It comes back with all its values."""
    custom_rules.restore_field.rule(record, act)


KIND = configurable(
    CustomFields,
    key=(CustomField.resource, CustomField.label),
    content=(
        CustomField.kind,
        CustomField.hint,
        CustomField.unit,
        CustomField.target,
        CustomField.result,
        CustomField.formula,
        CustomField.required,
        CustomField.once,
        CustomField.guarded,
        CustomField.initial,
        CustomField.minimum,
        CustomField.maximum,
        CustomField.pattern,
        CustomField.shown_when,
        CustomField.needed_when,
        CustomField.locked_when,
        CustomField.section,
        *(getattr(CustomField, name) for name in _PLACES),
        CustomField.position,
    ),
    part=Part((OPTIONS,), _read, _option_words, ordered=True),
    there=Mark(CustomField.removed_at, None),
    writer=Writer(put, drop, back),
    depends=custom_uses.leaning,
)
