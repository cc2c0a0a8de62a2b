"""Changing dictionaries and parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.engine import audit, forms, serial
from app.engine.actions import Act, Invalid, Refusal
from app.engine.changes import plain
from app.engine.choices import dictionary
from app.engine.fields import FieldSpec
from app.engine.resource import resource_of
from models.identity.for_all import refusal, settle_owner
from models.identity.rights import bump_epoch
from models.identity.rules import is_group, keep_preset
from models.settings import uses
from models.settings.catalogue import (
    declare_parameter,
    dictionaries,
    dictionary_def,
    parameter_def,
    parameters,
)
from models.settings.queries import NAMES, dictionary_label, inherited, parameter, snapshot
from models.settings.tables import DictionaryEntry, EntryTone, Parameter

__all__ = ["declare_parameter", "parameter"]

_TONES = {t.tone.value: t for t in EntryTone}


def install(session: Session) -> None:
    """Write the presets of all declared dictionaries where they are missing. Idempotent; the caller
    commits. An entry the group renamed or switched off stays as it is."""
    statement = select(DictionaryEntry.dictionary, DictionaryEntry.value).where(
        DictionaryEntry.dealer_id.is_(None)
    )
    known = {(name, value) for name, value in session.execute(statement)}
    with audit.acting(session):
        for declared in dictionaries():
            session.add_all(
                DictionaryEntry(
                    dictionary=declared.name,
                    value=preset.value,
                    label=preset.label,
                    tone=_TONES.get(preset.tone, EntryTone.PLAIN),
                    parent=preset.parent or None,
                    active=preset.active,
                    sort=(n + 1) * 10,
                )
                for n, preset in enumerate(declared.presets)
                if (declared.name, preset.value) not in known
            )
        session.flush()


def create_entry(entry: Any, act: Act, values: Mapping[str, Any]) -> None:
    """A dealer's own entry, or one of the group; a dealer's with the value and parent of a preset stands in for it."""
    settle_owner(entry, act, values)
    _keep_for_all(act, entry)
    entry.value = (entry.value or entry.label).strip()
    if len(entry.value) > DictionaryEntry.value.type.length:
        raise Invalid({"value": "内部代码过长，请另填一个不超过32个字的"})
    _check_parent(act, entry.dictionary, entry.dealer_id, entry.parent)
    if _taken(act, entry, entry.parent):
        raise Invalid({"value" if values.get("value") else "label": f"“{entry.value}”已存在"})


def update_entry(entry: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Presets are the group's; a dealer renames one by adding an entry with the same stored value."""
    if entry.dealer_id is None and not is_group(act.actor, "dictionary_entries"):
        raise Refusal(f"集团预置项只能由集团修改；可新增内部代码为“{entry.value}”的条目来替代它")
    if "parent" in values:
        _check_parent(act, entry.dictionary, entry.dealer_id, values["parent"])
        if _taken(act, entry, values["parent"]):
            raise Invalid({"parent": f"“{entry.value}”已在此上级下"})


def remove_entry(entry: Any, act: Act) -> None:
    """Only what no record holds is deleted; the rest is switched off or merged (D-47). What stands in for a
    preset may always go: the preset then holds again. The presets of the product are not deleted, because
    the next installation would bring them back."""
    keep_preset(entry, act)
    declared = dictionary_def(entry.dictionary)
    if entry.dealer_id is None and declared is not None:
        if entry.value in {preset.value for preset in declared.presets}:
            raise Refusal(f"“{entry.label}”是系统预置项，不能删除，可以停用")
    elif _stands_in(act.session, entry):
        return
    why = uses.held_back(act.session, uses.Reach(entry.dictionary, entry.dealer_id), entry.value)
    if why:
        raise Refusal(f"“{entry.label}”{why}")


def _keep_for_all(act: Act, entry: Any) -> None:
    """Raise `Invalid` for an entry of the group in a dictionary that only one dealer has."""
    if entry.dealer_id is None and entry.dictionary not in {e.value for e in dictionary(NAMES, None)}:
        said = f"字典“{dictionary_label(entry.dictionary)}”"
        raise Invalid({"dictionary": refusal(said, resource_of(DictionaryEntry).label)})


def _stands_in(session: Session, entry: Any) -> bool:
    """Whether the group's preset of the same value is behind a dealer's entry."""
    same = DictionaryEntry.dictionary == entry.dictionary, DictionaryEntry.value == entry.value
    behind = select(DictionaryEntry.id).where(DictionaryEntry.dealer_id.is_(None), *same)
    if entry.parent:
        behind = behind.where(DictionaryEntry.parent == entry.parent)
    with session.no_autoflush:
        return entry.dealer_id is not None and session.scalar(behind.limit(1)) is not None


def _taken(act: Act, entry: Any, parent: str | None) -> bool:
    """Whether another entry of the same owner has this value already where the entry is to stand."""
    others = select(DictionaryEntry.id).where(
        DictionaryEntry.id != (entry.id or 0),
        DictionaryEntry.dictionary == entry.dictionary,
        DictionaryEntry.value == entry.value,
        DictionaryEntry.dealer_id.is_not_distinct_from(entry.dealer_id),
    )
    if parent:
        others = others.where(or_(DictionaryEntry.parent.is_(None), DictionaryEntry.parent == parent))
    with act.session.no_autoflush:
        return act.session.scalar(others.limit(1)) is not None


def _check_parent(act: Act, name: str, dealer_id: int | None, parent: str | None) -> None:
    """A parent is one of the dictionary above; without one the entry fits everywhere (D-13)."""
    declared = dictionary_def(name)
    above = declared.parent if declared else ""
    if not above:
        if parent:
            raise Invalid({"parent": "此字典没有上级字典"})
        return
    held = snapshot(act.session)
    known = {e.value for e in held.dictionary(above, dealer_id)}
    own = {e.value: e.label for e in held.dictionary(above, act.actor.dealer_id)}
    if parent and parent not in known:
        if parent in own:
            raise Invalid({"parent": refusal(f"选项“{own[parent]}”", resource_of(DictionaryEntry).label)})
        raise Invalid({"parent": "请填写上级字典中条目的内部代码"})


def set_parameters(act: Act, dealer_id: int | None, values: Mapping[str, Any]) -> int:
    """Store cleaned settings of a dealer (of the group when None); returns how many changed. One that is as it
    would be anyhow is kept no longer, and follows what the group sets.

    Raises `Refusal` when somebody of a dealer changes what is not his.
    """
    if not is_group(act.actor, "parameters") and dealer_id != act.actor.dealer_id:
        raise Refusal("只能修改本商场的参数")
    wrong = {k: sentence for k, v in values.items() if (sentence := _wrong(k, v))}
    if wrong:
        raise Invalid(wrong)
    changed = 0
    for key, value in values.items():
        if parameter(act.session, key, dealer_id) == value:
            continue
        near = Parameter.dealer_id.is_(None) if dealer_id is None else Parameter.dealer_id == dealer_id
        row = act.session.scalar(select(Parameter).where(Parameter.key == key, near))
        if value == inherited(act.session, key, dealer_id) and row is not None:
            act.session.delete(row)
        elif row is None:
            act.session.add(Parameter(key=key, dealer_id=dealer_id, value=value))
        else:
            row.value = value
        changed += 1
    if changed:
        bump_epoch(act.session)
        act.session.flush()
    return changed


def row_id(session: Session, key: str, dealer_id: int | None) -> int:
    """The row of a dealer's own value; 0 where there is none."""
    near = Parameter.dealer_id.is_not_distinct_from(dealer_id)
    return session.scalar(select(Parameter.id).where(Parameter.key == key, near)) or 0


def _wrong(key: str, value: Any) -> str:
    check = parameter_def(key).check
    return check(value) if check is not None else ""


def keep_to_page(row: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Single rows are changed on the page of all parameters, where each value is checked."""
    raise Refusal("请在“系统参数”页面修改")


# ----- as entries of the configuration


def keep_parameter(act: Act, dealer_id: int | None, row: Parameter | None, flat: Mapping[str, Any]) -> None:
    """Store one setting as a file or the history gives it, even where the same holds without; raises `Invalid`
    for a value that its field does not take."""
    key = row.key if row is not None else flat.get("key")
    declared = next((p for p in parameters() if p.key == key), None)
    if declared is None:
        raise Invalid({"key": "没有此参数"})
    if "value" not in flat:
        raise Invalid({"value": "请填写此项"})
    if not is_group(act.actor, "parameters") and dealer_id != act.actor.dealer_id:
        raise Refusal("只能修改本商场的参数")
    try:
        texts = {declared.key: serial.texts_of(declared.field, flat["value"])}
        value = forms.clean([declared.field], texts, forms.Context(act.session, act.actor, act.now))
    except ValueError:
        raise Invalid({"value": "格式不正确"}) from None
    except Invalid as wrong:
        raise Invalid({"value": wrong.message}) from wrong
    wrong_value = _wrong(declared.key, value[declared.key])
    if wrong_value:
        raise Invalid({"value": wrong_value})
    if row is None:
        row = Parameter(key=declared.key, dealer_id=dealer_id)
        act.session.add(row)
    row.value = plain(value[declared.key])


def drop_parameter(act: Act, row: Parameter) -> None:
    """Go back to what holds without the setting."""
    if not is_group(act.actor, "parameters") and row.dealer_id != act.actor.dealer_id:
        raise Refusal("只能修改本商场的参数")
    act.session.delete(row)


def declared_field(flat: Mapping[str, Any], name: str) -> FieldSpec | None:
    """The field as which a setting's value is shown."""
    declared = next((p for p in parameters() if p.key == flat.get("key")), None)
    return declared.field if declared is not None and name == "value" else None


def is_secret(flat: Mapping[str, Any]) -> bool:
    """Whether the setting never leaves in a file."""
    return any(p.secret and p.key == flat.get("key") for p in parameters())


def parameter_words(flat: Mapping[str, Any]) -> str:
    """What a setting is called."""
    declared = next((p for p in parameters() if p.key == flat.get("key")), None)
    return f"{declared.group} / {declared.field.label}" if declared is not None else str(flat.get("key"))


def entry_words(flat: Mapping[str, Any]) -> str:
    """What an entry is called: its dictionary, what it stands under, its name or code."""
    parts = (
        dictionary_label(str(flat.get("dictionary"))),
        flat.get("parent"),
        flat.get("label") or flat.get("value"),
    )
    return " / ".join(str(p) for p in parts if p) or "（未命名）"


def entries_below(session: Session, entry: Any) -> str:
    """What would stand under nothing without this entry."""
    below = [d.name for d in dictionaries() if d.parent == entry.dictionary]
    others = select(DictionaryEntry.label).where(
        DictionaryEntry.dictionary.in_(below),
        DictionaryEntry.parent == entry.value,
        DictionaryEntry.dealer_id.is_not_distinct_from(entry.dealer_id),
    )
    same = select(DictionaryEntry.id).where(
        DictionaryEntry.dictionary == entry.dictionary,
        DictionaryEntry.value == entry.value,
        DictionaryEntry.id != entry.id,
        DictionaryEntry.dealer_id.is_(None) | (DictionaryEntry.dealer_id == entry.dealer_id),
    )
    if not below or session.scalar(same.limit(1)) is not None:
        return ""
    found = session.scalars(others.order_by(DictionaryEntry.sort).limit(4)).all()
    listed = "、".join(found[:3]) + ("等" if len(found) > 3 else "")
    return f"下级条目{listed}以它为上级，请先更改它们" if found else ""
