"""Forms from declarations: what is asked of this person, cleaning what was typed, keeping it on errors."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import literal, select, union_all
from sqlalchemy.orm import Session

from app.engine import aids, attached, conditional, linked_lists, picking, throttle
from app.engine.actions import Invalid
from app.engine.database import id_of
from app.engine.fields import FieldSpec, describe
from app.engine.guards import hidden, is_mask, withheld
from app.engine.resource import Resource, fields_of, has_resource, resource_of
from app.engine.scopes import Actor
from app.engine.typed import MAX_MEMBERS, READERS, Reader, many_texts, plain, read_lines, tidy
from app.engine.typed import Wrong as Wrong
from app.engine.typed import is_lines as is_lines
from app.engine.typed import typed_as_lines as typed_as_lines

Texts = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Context:
    """For whom and where a form is cleaned or drawn. What ``record`` refers to already may stay, even if
    it is not offered any more (somebody who has left)."""

    session: Session
    actor: Actor
    now: datetime
    record: Any = None
    copied: Any = None
    """The record that a new one takes its first values from; what is masked of them is taken over unseen."""
    subjects: tuple[int, ...] = ()
    dealers: picking.Dealers = picking.NOWHERE
    """The dealers these records belong to; none while that is not known yet."""
    texts: Texts = field(default_factory=dict)
    """All that was submitted, while it is cleaned."""

    @property
    def origin(self) -> Any:
        """The record whose values the form began with."""
        return self.record if self.record is not None else self.copied


class Keeping(list[Any]):
    """New values beside masked ones that came back: whatever is stored stays (A-92)."""


def clean(
    specs: Sequence[FieldSpec],
    texts: Texts,
    context: Context,
    *,
    partial: bool = False,
    left_out: Container[str] = (),
) -> dict[str, Any]:
    """Values from submitted texts. Raises `Invalid` with a sentence for every wrong field (D-11).

    With ``partial`` only the submitted fields are returned, and so it is with those that the form has
    ``left_out``. A mask that came back unchanged is left out,
    so it never overwrites the stored number (A-92).
    """
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    context = replace(context, texts=texts)
    held = holding(values, texts, context.record)
    everything, specs = specs, asked(specs, context.actor, context.record)
    errors |= {s.name: s.wrong for s in everything if _is_refused(s, texts) and s not in specs}
    for spec in specs:
        some = partial or spec.name in left_out
        if not conditional.applies(spec, held):
            if not some or _filled(spec, context.record):
                values[spec.name] = False if spec.kind == "bool" else _value(spec, [], {}, context)
            continue
        raw = texts.get(spec.name)
        if raw is None and some and f"{spec.name}__text" not in texts:
            continue
        if spec.kind == "bool":
            values[spec.name] = raw is not None and raw[-1:] in (["1"], ["true"], ["on"], ["True"])
            continue
        given = [t for t in map(tidy, raw or ()) if t]
        masks = [t for t in given if is_mask(spec, t)] if hidden(spec, context.actor) is not None else []
        if masks and not spec.multiple:
            try:
                values |= aids.behind(spec, masks[0], texts, context)
            except Wrong as wrong:
                errors[spec.name] = wrong.message
            continue
        masks = masks if context.record is not None else []
        given = [t for t in given if t not in masks]
        try:
            if spec.most and len(given) + len(masks) > spec.most:
                raise Wrong(f"最多{spec.most}项")
            value = _value(spec, given, texts, context)
            if spec.guard is not None and spec.guard.exact:
                throttle.look_up(spec, context.actor, value if isinstance(value, list) else [value or ""])
            values[spec.name] = Keeping(value) if masks else value
        except Wrong as wrong:
            errors[spec.name] = wrong.message
    for spec in specs:
        if (
            spec.name not in errors
            and _missing(spec, values, context.record)
            and conditional.needed(spec, held)
            and conditional.applies(spec, held)
        ):
            errors[spec.name] = spec.ask
    errors |= linked_lists.adopt(specs, values, set(errors), context.session)
    errors |= linked_lists.reconcile(specs, values, set(errors), context.record, context.actor.dealer_id)
    if errors:
        raise Invalid(errors)
    return values


def single(spec: FieldSpec, texts: Sequence[str], context: Context) -> Any:
    """The value of one field out of what stands in a cell; raises `Wrong`. What it refers to is named by its
    id already, and it is not looked at whether the field is required or shown."""
    given = [t for t in (tidy(text) for text in texts) if t]
    if spec.most and len(given) > spec.most:
        raise Wrong(f"最多{spec.most}项")
    return _value(spec, given, {}, context)


def asked(specs: Iterable[FieldSpec], actor: Actor, record: Any = None) -> list[FieldSpec]:
    """The fields that this person fills in, of a new record or of this one; the others are only shown."""
    return [
        s
        for s in specs
        if s.is_of(record) and (s.fixed is None or not s.fixed(actor, record)) and not withheld(s, actor)
    ]


def holding(values: Mapping[str, Any], texts: Texts, record: Any) -> conditional.Held:
    """What each field holds: as it was cleaned, else as it was typed, else as it is stored."""

    def held(name: str) -> Iterable[Any]:
        if name in values:
            value = values[name]
            return value if isinstance(value, list) else (value,)
        if name not in texts and record is not None:
            return (getattr(record, name, None),)
        return [t for t in texts.get(name, ()) if t] or ("",)

    return held


def _is_refused(spec: FieldSpec, texts: Texts) -> bool:
    """Whether somebody who has no say in it has filled in what asks something new, and is to be told so."""
    return bool(spec.fixed and spec.attribute is None and spec.wrong and any(texts.get(spec.name, ())))


def _filled(spec: FieldSpec, record: Any) -> bool:
    return spec.attribute is not None and getattr(record, spec.name, None) not in (None, "")


def _missing(spec: FieldSpec, values: Mapping[str, Any], record: Any) -> bool:
    """Whether the form leaves it empty; of a change that says nothing of it, whether it is so by a condition
    that only now holds."""
    if spec.name in values:
        return values[spec.name] in (None, "", [], ())
    return bool(spec.needed_when) and record is not None and not _filled(spec, record)


def _value(spec: FieldSpec, given: list[str], texts: Texts, context: Context) -> Any:
    if spec.kind in ("phones", "texts"):
        return many_texts(spec, given)
    if spec.kind == "ref":
        given = _by_label(spec, texts, context) or given
    elif spec.kind == "refs":
        given = [*given, *_by_label(spec, texts, context)]
    if spec.kind in ("refs", "choices"):
        chosen = _many(spec, given, context)
        empty = spec.kind == "choices" and spec.attribute is not None and not _not_null(spec)
        return chosen or (None if empty else chosen)
    if not given and not texts.get(f"{spec.name}{attached.WRONG}"):
        return "" if spec.kind in ("text", "textarea") and _not_null(spec) else None
    reader = read_lines if is_lines(spec) else _READERS.get(spec.kind, plain)
    return reader(spec, given[0] if given else "", context)


def _not_null(spec: FieldSpec) -> bool:
    return spec.attribute is not None and not spec.attribute.property.columns[0].nullable


def _choice(spec: FieldSpec, text: str, context: Context) -> Any:
    if text == kept(spec, context):
        return text
    known = [e for e in spec.entries(context.actor.dealer_id) if text in (e.value, e.label)]
    entry = next((e for e in known if e.active), None)
    if entry is None:
        raise Wrong("此项已停用，请重新选择" if known else "请从列表中选择")
    return spec.choices.of(entry.value) if spec.choices is not None else entry.value


def kept(spec: FieldSpec, context: Context) -> str:
    """The value the record holds, which may stay when its dictionary entry is gone."""
    value = (
        getattr(context.record, spec.name, None) if spec.dictionary and spec.attribute is not None else None
    )
    return value if isinstance(value, str) else ""


def _ref(spec: FieldSpec, text: str, context: Context) -> int:
    if not id_of(text) or not in_reach(spec, [id_of(text)], context):
        raise Wrong("请从列表中选择")
    return id_of(text)


_READERS: dict[str, Reader] = {
    **READERS, "choice": _choice, "ref": _ref, "image": attached.read, "file": attached.read,
}  # fmt: skip


def _many(spec: FieldSpec, given: list[str], context: Context) -> list[Any]:
    if len(given) > MAX_MEMBERS:
        raise Wrong(f"最多选择{MAX_MEMBERS}项")
    unique = list(dict.fromkeys(given))
    if spec.kind == "choices":
        return [_choice(spec, text, context) for text in unique]
    ids = [id_of(t) for t in unique]
    if not all(ids) or set(in_reach(spec, ids, context)) != set(ids):
        raise Wrong("请从列表中选择")
    return ids


def _by_label(spec: FieldSpec, texts: Texts, context: Context) -> list[str]:
    """Words typed into a picker decide, as long as nothing was picked by its script; they must name
    exactly one record in reach: by its title, or by all that the list says of it."""
    typed = (texts.get(f"{spec.name}__text") or ("",))[0].strip()
    if not typed:
        return []
    title = resource_of(spec.target).title
    statement = picking.pickable(spec, context.actor, context.subjects, context.dealers)
    statement = statement.where(title.in_({typed, typed.split(picking.BETWEEN)[0]})).limit(MAX_MEMBERS)
    found = picking.read(context.session, spec, statement, context.actor, context.dealers)
    meant = [o for o in found if o.words == typed] or [o for o in found if o.title == typed]
    if not meant:
        raise Wrong("没有找到此项，请从列表中选择")
    if len(meant) > 1:
        raise Wrong(f"有多个同名项，请写全：{'、'.join(dict.fromkeys(o.words for o in meant[:5]))}")
    return [str(meant[0].id)]


def short_lists(specs: Iterable[FieldSpec], context: Context, most: int) -> dict[Any, list[tuple[int, str]]]:
    """What the pick lists of these fields offer this person, by model, in one statement; a list longer
    than ``most`` is empty, because it is searched."""
    by_target = {s.target: s for s in specs if s.target is not None and _named_by_text(s.target)}
    parts = []
    for place, spec in enumerate(by_target.values()):
        ordered = picking.pickable(spec, context.actor).order_by(resource_of(spec.target).title)
        few = list(ordered.limit(most + 1).subquery().c)
        parts.append(select(literal(place).label("place"), few[0].label("id"), few[1].label("words")))
    found: dict[Any, list[tuple[int, str]]] = {target: [] for target in by_target}
    if parts:
        statement = union_all(*parts).order_by("place", "words")
        targets = list(by_target)
        for place, record_id, words in context.session.execute(statement, context.actor.params):
            found[targets[place]].append((record_id, words))
    return {target: rows if len(rows) <= most else [] for target, rows in found.items()}


def _named_by_text(target: Any) -> bool:
    return has_resource(target) and describe(resource_of(target).title).kind == "text"


def in_reach(spec: FieldSpec, ids: list[int], context: Context) -> list[int]:
    """Which of the ids this person may choose (another dealer's are simply not there). What is out of use,
    such as somebody who has left, is not chosen anew; a sentence says so."""
    kept = picking.stored(context.session, context.record, spec)
    if set(ids) <= kept:
        return ids
    statement = picking.pickable(spec, context.actor, context.subjects)
    statement = statement.where(resource_of(spec.target).pk().in_(ids))
    found = [row[0] for row in context.session.execute(statement, context.actor.params)]
    active = getattr(spec.target, "active", None)
    if active is not None and not set(found) <= kept:
        fresh = resource_of(spec.target).pk().in_(set(found) - kept)
        if context.session.scalar(select(active).where(fresh, active.is_(False)).limit(1)) is not None:
            raise Wrong(f"所选{spec.label}已停用，请重新选择")
    return [*found, *(i for i in ids if i in kept and i not in found)]


def editable(resource: type[Resource], *, editing: bool) -> list[FieldSpec]:
    """The fields of the resource's form."""
    return [s for s in fields_of(resource.groups(editing)) if s.target is None or has_resource(s.target)]
