"""What somebody makes for all dealers, also from an account that belongs to one of them.

Whoever has the group's right says of each new entry whether it is everybody's. What an entry of the group speaks of
must be everybody's as well: in other dealers a field, a person or an option of one of them is something else or
nothing, and the entry would do nothing there without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.actions import Act, Invalid
from app.engine.conditions import Wrong, from_json
from app.engine.configured import uses
from app.engine.configuring import FOR_ALL, Kind, Named, kind_of
from app.engine.database import id_of
from app.engine.faces import faced
from app.engine.fields import FieldSpec, entry
from app.engine.forms import Context
from app.engine.resource import resource, resource_of
from app.engine.scopes import Actor
from app.engine.slots import SLOTS
from models.identity.rules import is_group, own_dealer

TICKED, UNTICKED = f"{FOR_ALL}=1", f"{FOR_ALL}="
"""Conditions of inputs that only the group's have, or only a dealer's."""
LABEL = "集团所有商场通用"
_HINT = "不勾选则只用于本商场；保存后不能更改"
_ONLY_GROUP = "只有集团管理员可以新增集团通用的{}"
_SURELY = f"当前账号不属于任何商场，请勾选“{LABEL}”"
_TRUE = ("1", "true", "on", "True")


def for_all(name: str, what: str, **traits: Any) -> FieldSpec:
    """The choice on the form of a new entry of that resource, which is ``what`` in words: there for those who have
    the group's right, and refused to others."""
    asked = entry(FOR_ALL, LABEL, "bool", wrong=_ONLY_GROUP.format(what), hint=_HINT, wide=True, **traits)
    return replace(asked, fixed=lambda actor, record: record is not None or not is_group(actor, name))


def settle_owner(record: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Give a new record to all dealers or to that of its maker, as the form says. What is made by somebody who belongs
    to no dealer is everybody's unless it has its dealer already. Raises `Invalid` beside the choice."""
    found, wanted = resource_of(type(record)), values.get(FOR_ALL)
    whole = is_group(act.actor, found.name)
    if wanted and not whole:
        raise Invalid({FOR_ALL: _ONLY_GROUP.format(found.label)})
    if wanted:
        record.dealer_id = None
    elif record.dealer_id is None and act.actor.dealer_id is None and whole:
        if wanted is not None:
            raise Invalid({FOR_ALL: _SURELY})
    else:
        own_dealer(record, act)


def begun(model: Any) -> Callable[[Mapping[str, Any], Actor, Session], dict[str, Any]]:
    """What the form of a new entry starts with: a copy of one of the group's is everybody's again."""

    def prefill(args: Mapping[str, Any], actor: Actor, session: Session) -> dict[str, Any]:
        if not is_group(actor, resource_of(model).name):
            return {}
        wanted = id_of(args.get("copy"))
        copied = session.get(model, wanted) if wanted else None
        whole = actor.dealer_id is None or (copied is not None and copied.dealer_id is None)
        return {FOR_ALL: True} if whole else {}

    return prefill


def is_for_all(context: Context) -> bool:
    """Whether the entry that a form is about is everybody's, or will be."""
    if context.record is not None:
        return context.record.dealer_id is None
    return context.actor.dealer_id is None or (context.texts.get(FOR_ALL) or ("",))[-1] in _TRUE


def acting(act: Act, record: Any) -> Act:
    """The deed by the same person as somebody of the group, where the record is the group's."""
    return act if record.dealer_id is not None else replace(act, actor=acting_for_all(act.actor))


def acting_for_all(actor: Actor) -> Actor:
    """The same person as somebody of the group: what is written means what it means without any dealer."""
    return replace(actor, dealer_id=None)


# ----- what the group's may speak of


def keep_for_all(act: Act, record: Any, values: Mapping[str, Any]) -> None:
    """Raise `Invalid`, beside each input, where an entry of the group would speak of what only one dealer has."""
    if record.dealer_id is not None:
        return
    kind = kind_of(type(record))
    assert kind is not None
    wanted = {c.key: values.get(c.key, getattr(record, c.key, None)) for c in record.__table__.c}
    wanted |= {s.name: values[s.name] for s in kind.content if s.links is not None and s.name in values}
    found = {name: said for name, said in _wrong(act, kind, wanted) if said}
    if found:
        raise Invalid({name: refusal(said, kind.label) for name, said in found.items()})


def refusal(said: str, what: str) -> str:
    """The whole sentence, of what `of_one_dealer` and the like have found."""
    return f"{said}只属于一个商场，不能用在集团通用的{what}中"


def _wrong(act: Act, kind: Kind, wanted: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What only one dealer has, by the column that speaks of it; of two things in one the field is said."""
    dealer = act.actor.dealer_id
    for spec in kind.specs.values():
        value = wanted.get(spec.name)
        if value and spec.target is not None:
            yield spec.name, of_one_dealer(act.session, spec.target, value)
        elif value and uses.by_kind.get(spec.kind) is uses.CONDITION:
            yield spec.name, _asked(act, value)
    seen = SimpleNamespace(**{**wanted, kind.owner.key: dealer})  # as its maker's dealer understands it
    for name, naming in uses.namings(kind).items():
        if wanted.get(name):
            yield name, _fields(naming.find(seen, wanted[name]), dealer)


def of_one_dealer(session: Session, target: Any, given: int | Sequence[int]) -> str:
    """The first of these records that belongs to a dealer, by its name; empty for none."""
    shown, ids = resource_of(target), [given] if isinstance(given, int) else list(given)
    owner = shown.scopes.dealer
    if owner is None or owner is shown.pk():
        return ""
    owned = select(shown.title).where(shown.pk().in_(ids), owner.is_not(None)).order_by(shown.pk()).limit(1)
    with session.no_autoflush:
        found = session.scalar(owned)
    return "" if found is None else f"“{found}”"


def option_of_one_dealer(spec: FieldSpec, values: Iterable[Any], dealer_id: int | None) -> str:
    """The first of these options that a dealer has added, by its name; empty for none."""
    if not spec.dictionary:
        return ""
    known = {e.value for e in spec.entries(None)}
    labels = {e.value: e.label for e in spec.entries(dealer_id)}
    return next((f"选项“{labels.get(v, v)}”" for v in values if v not in known), "")


def filter_of_one_dealer(
    session: Session, known: Mapping[str, FieldSpec], args: Mapping[str, Sequence[str]], dealer_id: int | None
) -> str:
    """What filters of these fields, as they stand in an address, name that only one dealer has; empty for nothing."""
    for name, values in args.items():
        spec = known.get(name.partition(".")[0])
        if spec is None:
            continue
        if spec.target is not None:
            ids = [number for value in values if (number := id_of(value))]
            said = of_one_dealer(session, spec.target, ids)
        else:
            said = option_of_one_dealer(spec, values, dealer_id)
        if said:
            return said
    return ""


def field_of_one_dealer(of: str, name: str, dealer_id: int | None) -> str:
    """The added field of that name, if people of that dealer have it and not everybody; else empty."""
    found = resource(of)
    if found is None or name not in SLOTS or name in {s.name for s in faced(found, None).added}:
        return ""
    return next((f"字段“{s.label}”" for s in faced(found, dealer_id).added if s.name == name), "")


def _fields(named: Iterable[Named], dealer_id: int | None) -> str:
    said = (field_of_one_dealer(str(n.of), str(n.field), n.dealer or dealer_id) for n in named)
    return next(filter(None, said), "")


def _asked(act: Act, condition: Any) -> str:
    """What the values of a condition name."""
    try:
        terms = list(from_json(condition).terms())
    except Wrong:
        return ""  # whoever reads it says so
    for term in terms:
        if term.spec.kind == "ref":
            said = of_one_dealer(
                act.session, term.spec.target, [v for v in term.values if isinstance(v, int)]
            )
        else:
            said = option_of_one_dealer(term.spec, term.values, act.actor.dealer_id)
        if said:
            return said
    return ""
