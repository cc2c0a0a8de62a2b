"""The fields whose change needs approval, picked or typed as they are called on the form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.engine.actions import Refusal
from app.engine.approving import Deed, deed_named
from app.engine.conditions import DEALER, Wrong
from app.engine.configured import uses
from app.engine.configured.addresses import Fields
from app.engine.configured.values import Coder, Names, coders
from app.engine.configuring import Named, Naming
from app.engine.fields import FieldSpec
from app.engine.forms import Context
from app.engine.guards import derived
from app.engine.scopes import Actor
from app.engine.typed import typed_as_lines
from models.shaping.approval_people import chosen, owner

KIND = "approval_fields"
_BETWEEN = "、"
_APART = re.compile(r"[、，,；;\n]")


def _watchable(deed: Deed | None, dealer_id: int | None) -> dict[str, FieldSpec]:
    return deed.watchable(dealer_id) if deed is not None else {}


def _stored(deed: Deed, names: Iterable[str], known: Mapping[str, FieldSpec]) -> dict[str, Any]:
    """The names as they are kept, with the dealer whose added fields are among them."""
    found = list(dict.fromkeys(names))
    added = {known[name].dealer for name in found} - {None}
    return {"of": deed.name, "fields": found} | ({DEALER: added.pop()} if added else {})


def _known(value: Any, dealer_id: int | None) -> dict[str, FieldSpec]:
    if not isinstance(value, Mapping):
        return {}
    return _watchable(deed_named(str(value.get("of"))), value.get(DEALER, dealer_id))


def _words(value: Any, actor: Actor | None) -> str:
    known = _known(value, actor.dealer_id if actor is not None else None)
    return _BETWEEN.join(known[n].label for n in value["fields"] if n in known) if known else ""


def _read(_spec: FieldSpec, text: str, context: Context) -> dict[str, Any]:
    deed = deed_named(chosen("deed", context))
    if deed is None:
        raise Refusal("请先选择需审批的操作")
    known = _watchable(deed, owner(context) or context.actor.dealer_id)
    if not known:
        raise Refusal("只有“编辑”可以选择改动的字段，请清空此项")
    names = {s.label: n for n, s in known.items()}
    wanted = [label for label in map(str.strip, _APART.split(text)) if label]
    wrong = [label for label in wanted if label not in names]
    if wrong:
        offered = _BETWEEN.join(list(names)[:12])
        raise Refusal(f"{deed.resource.label}的表单没有“{wrong[0][:20]}”；可用的有：{offered}等")
    return _stored(deed, (names[label] for label in wanted), known)


def _place(value: Any, names: Names) -> tuple[Deed, Fields]:
    deed = deed_named(str(value.get("of"))) if isinstance(value, Mapping) else None
    known = _watchable(deed, names.owner)
    if deed is None or not known:
        raise Wrong("改动的字段没有指明哪一种编辑")
    return deed, Fields(deed.resource.label, known)


def _out(value: Any, names: Names) -> Any:
    try:
        deed, place = _place(value, names)
    except Wrong:
        return value
    return {"of": deed.name, "fields": place.names_out(value["fields"])}


def _in(_spec: FieldSpec, value: Any, _context: Context, names: Names) -> dict[str, Any]:
    deed, place = _place(value, names)
    found = place.names_in(value.get("fields"))
    wrong = [name for name in found if name not in place.fields]
    if wrong or not found:
        raise Wrong(f"{place.label}的表单没有字段“{wrong[0][:40]}”" if wrong else "请至少选择一个字段")
    return _stored(deed, found, place.fields)


def _named(_flow: Any, value: Any) -> Iterator[Named]:
    deed = deed_named(str(value.get("of")))
    if deed is not None:
        yield from (Named(deed.resource.name, name, value.get(DEALER)) for name in value["fields"])


typed_as_lines(KIND, _read, single=True)
uses.by_kind[KIND] = Naming(_named)
derived[KIND] = _words
coders[KIND] = Coder(_out, _in, names=True)
