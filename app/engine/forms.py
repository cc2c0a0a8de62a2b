"""Forms from declarations: what is asked of this person, cleaning what was typed, keeping it on errors."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import literal, select, union_all
from sqlalchemy.orm import Session

from app.engine import linked_lists, picking, throttle
from app.engine.actions import Invalid, Refusal
from app.engine.database import MAX_ID, id_of
from app.engine.fields import FieldSpec, ask_for, describe, is_mobile, normalise_phone
from app.engine.guards import hidden, is_mask
from app.engine.localtime import local, to_utc
from app.engine.resource import Resource, fields_of, has_resource, resource_of
from app.engine.scopes import Actor

PHONE_ERROR = "请输入正确的手机号码"
MAX_MEMBERS = 200
MAX_TEXTAREA = 5000
MOST_MONEY = Decimal("99999999.99")
_CENT = Decimal("0.01")
_WIDE = str.maketrans("０１２３４５６７８９．－＋，", "0123456789.-+,")
_JOINER = "\u200d"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


Texts = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Context:
    """For whom and where a form is cleaned or drawn. What ``record`` refers to already may stay, even if
    it is not offered any more (somebody who has left)."""

    session: Session
    actor: Actor
    now: datetime
    record: Any = None
    subjects: tuple[int, ...] = ()
    dealers: picking.Dealers = picking.NOWHERE
    """The dealers these records belong to; none while that is not known yet."""
    texts: Texts = field(default_factory=dict)
    """All that was submitted, while it is cleaned."""


class Keeping(list[Any]):
    """New values beside masked ones that came back: whatever is stored stays (A-92)."""


def clean(
    specs: Sequence[FieldSpec], texts: Texts, context: Context, *, partial: bool = False
) -> dict[str, Any]:
    """Values from submitted texts. Raises `Invalid` with a sentence for every wrong field (D-11).

    With ``partial`` only the submitted fields are returned. A mask that came back unchanged is left out,
    so it never overwrites the stored number (A-92).
    """
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    context = replace(context, texts=texts)
    for spec in specs:
        if not _applies(spec, texts, context):
            if not partial:
                values[spec.name] = False if spec.kind == "bool" else _value(spec, [], {}, context)
            continue
        raw = texts.get(spec.name)
        if raw is None and partial and f"{spec.name}__text" not in texts:
            continue
        if spec.kind == "bool":
            values[spec.name] = raw is not None and raw[-1:] in (["1"], ["true"], ["on"], ["True"])
            continue
        given = [_tidy(spec, t) for t in raw or ()]
        given = [t for t in given if t]
        returned = context.record is not None and hidden(spec, context.actor) is not None
        masks = [t for t in given if returned and is_mask(spec, t)]
        if masks and not spec.multiple:
            continue
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
            spec.required
            and spec.name not in errors
            and _missing(spec, values)
            and _applies(spec, texts, context)
        ):
            errors[spec.name] = ask_for(spec.kind, spec.label)
    errors |= linked_lists.adopt(specs, values, set(errors), context.session)
    errors |= linked_lists.reconcile(specs, values, set(errors), context.record, context.actor.dealer_id)
    if errors:
        raise Invalid(errors)
    return values


class Wrong(Exception):
    """A value cannot be what was typed; ``message`` says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def single(spec: FieldSpec, texts: Sequence[str], context: Context) -> Any:
    """The value of one field out of what stands in a cell; raises `Wrong`. What it refers to is named by its
    id already, and it is not looked at whether the field is required or shown."""
    given = [t for t in (_tidy(spec, text) for text in texts) if t]
    if spec.most and len(given) > spec.most:
        raise Wrong(f"最多{spec.most}项")
    return _value(spec, given, {}, context)


def _missing(spec: FieldSpec, values: Mapping[str, Any]) -> bool:
    return spec.name in values and values[spec.name] in (None, "", [], ())


def _applies(spec: FieldSpec, texts: Texts, context: Context) -> bool:
    """Whether a field shown only for some value of another one is shown now; one that is not is empty."""
    if not spec.shown_when:
        return True
    other, _, wanted = spec.shown_when.partition("=")
    if other not in texts and context.record is not None:
        value = getattr(context.record, other, None)
        return str(getattr(value, "value", value) or "") in wanted.split("|")
    given = [t for t in texts.get(other, ()) if t] or [""]
    return any(t in wanted.split("|") for t in given)


def _tidy(spec: FieldSpec, text: str) -> str:
    text = _CONTROL.sub("", str(text)).replace("\r\n", "\n").replace("\r", "\n")
    return _visible(text).strip()


def _visible(text: str) -> str:
    """The text without characters nobody sees (a name of zero-width spaces is no name, D-11); only the
    joiner between two pictures of one emoji stays."""
    if text.isprintable():
        return text
    return "".join(
        c for at, c in enumerate(text) if unicodedata.category(c) != "Cf" or _joins_pictures(text, at)
    )


def _joins_pictures(text: str, at: int) -> bool:
    kinds = [unicodedata.category(c) for c in (text[at - 1 : at] or " ", text[at + 1 : at + 2] or " ")]
    return text[at] == _JOINER and kinds[0] in ("So", "Sk", "Mn") and kinds[1] == "So"


def _value(spec: FieldSpec, given: list[str], texts: Texts, context: Context) -> Any:
    if spec.kind in ("phones", "texts"):
        return _many_texts(spec, given)
    if spec.kind == "ref":
        given = _by_label(spec, texts, context) or given
    elif spec.kind == "refs":
        given = [*given, *_by_label(spec, texts, context)]
    if spec.kind in ("refs", "choices"):
        return _many(spec, given, context)
    if not given:
        return "" if spec.kind in ("text", "textarea") and _not_null(spec) else None
    reader = _read_lines if is_lines(spec) else _READERS.get(spec.kind, _text)
    return reader(spec, given[0], context)


def _not_null(spec: FieldSpec) -> bool:
    return spec.attribute is not None and not spec.attribute.property.columns[0].nullable


def _text(spec: FieldSpec, text: str, _context: Context) -> str:
    limit = spec.maxlength or (MAX_TEXTAREA if spec.kind == "textarea" else 255)
    if spec.kind != "textarea":
        text = " ".join(text.split())
    if len(text) > limit:
        raise Wrong(f"不能超过{limit}个字，现有{len(text)}个字")
    return text


def _phone(_spec: FieldSpec, text: str, _context: Context) -> str:
    phone = normalise_phone(text)
    if not is_mobile(phone):
        raise Wrong(PHONE_ERROR)
    return phone


def _many_texts(spec: FieldSpec, given: list[str]) -> list[str]:
    if len(given) > MAX_MEMBERS:
        raise Wrong(f"最多{MAX_MEMBERS}项")
    if spec.kind == "texts":
        return list(dict.fromkeys(given))
    phones = [normalise_phone(t) for t in given]
    if not all(is_mobile(p) for p in phones):
        raise Wrong(PHONE_ERROR)
    return list(dict.fromkeys(phones))


def _integer(spec: FieldSpec, text: str, _context: Context) -> int:
    text = text.translate(_WIDE).replace(",", "")
    if not re.fullmatch(r"[+-]?\d{1,40}", text, re.ASCII):
        raise Wrong("请输入整数")
    number = int(text)
    _within(spec, number, -MAX_ID, MAX_ID)
    return number


def _within(spec: FieldSpec, number: Decimal | int, low: Decimal | int, high: Decimal | int) -> None:
    """Raise for a number outside of the declared bounds; without any those of the column hold."""
    low = low if spec.minimum is None else spec.minimum
    high = high if spec.maximum is None else spec.maximum
    if number < low:
        raise Wrong(f"不能小于{low:,}")
    if number > high:
        raise Wrong(f"不能大于{high:,}")


def _money(spec: FieldSpec, text: str, _context: Context) -> Decimal:
    text = text.translate(_WIDE).replace(",", "").lstrip("¥￥").strip()
    if not re.fullmatch(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})", text, re.ASCII):
        raise Wrong("请输入金额，例如 1000 或 1000.50")
    amount = Decimal(text)
    _within(spec, amount, -MOST_MONEY, MOST_MONEY)
    if amount != amount.quantize(_CENT):
        raise Wrong("金额最多两位小数")
    return amount.quantize(_CENT)


def _date(spec: FieldSpec, text: str, context: Context) -> date:
    try:
        day = date.fromisoformat(text[:10].replace("/", "-"))
    except ValueError:
        raise Wrong("请输入日期，例如 2026-11-22") from None
    if not 1900 <= day.year <= 2100:
        raise Wrong("日期超出范围")
    if spec.future and day < local(context.now).date():
        raise Wrong("不能早于今天")
    return day


def _datetime(spec: FieldSpec, text: str, context: Context) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise Wrong("请输入时间，例如 2026-11-22 09:30") from None
    if not 1900 <= moment.year <= 2100:
        raise Wrong("时间超出范围")
    stored = to_utc(moment)
    if spec.future and stored <= context.now:
        raise Wrong("请选择将来的时间")
    return stored


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


_READERS: dict[str, Callable[[FieldSpec, str, Context], Any]] = {
    "phone": _phone,
    "integer": _integer,
    "money": _money,
    "date": _date,
    "datetime": _datetime,
    "choice": _choice,
    "ref": _ref,
}


LineReader = Callable[[FieldSpec, str, Context], Any]
_lines: dict[str, LineReader] = {}


def typed_as_lines(kind: str, reader: LineReader) -> None:
    """Have fields of a kind typed as lines of words; ``reader`` makes the value and raises `Refusal` with what
    is wrong with them. How such a value reads stands in `guards.derived`."""
    _lines[kind] = reader


def is_lines(spec: FieldSpec) -> bool:
    """Whether the field is typed as lines of words."""
    return spec.kind in _lines


def _read_lines(spec: FieldSpec, text: str, context: Context) -> Any:
    if len(text) > MAX_TEXTAREA:
        raise Wrong(f"不能超过{MAX_TEXTAREA}个字，现有{len(text)}个字")
    try:
        return _lines[spec.kind](spec, text, context)
    except Refusal as refusal:
        raise Wrong(refusal.message) from refusal


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
