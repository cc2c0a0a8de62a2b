"""Buttons beside fields that fill them in, from another field of the form or from what is on file.

Whoever may not read the value gets its mask. The mask coming back with the form means the value behind it,
which is looked for again by the same function: it never left the system.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from app.engine.actions import Act, Refusal
from app.engine.fields import FieldSpec, describe
from app.engine.guards import Hidden, gate, hidden, is_mask
from app.engine.typed import PHONE_ERROR, Wrong, tidy

if TYPE_CHECKING:
    from app.engine.forms import Context, Texts

Found = Sequence[tuple[str, str]]
"""Values that the field may take, each with what tells it from the others."""


class Aid(Protocol):
    """A button beside a field: its ``label``, the fields it ``uses``, and what it finds."""

    @property
    def label(self) -> str: ...

    @property
    def uses(self) -> tuple[str, ...]: ...

    def find(self, values: Mapping[str, str], act: Act) -> Found: ...


@dataclass(frozen=True)
class Copies:
    """Takes over what stands in another field, whatever stood here; later changes there do not follow."""

    source: str
    label: str = "复制"

    @property
    def uses(self) -> tuple[str, ...]:
        """The field that is taken over."""
        return (self.source,)

    def find(self, values: Mapping[str, str], act: Act) -> Found:
        """What stands there."""
        return [(values[self.source], "")] if values[self.source] else []


@dataclass(frozen=True, eq=False)
class Fetches:
    """Looks the value up by other fields: ``rule(values, act)`` gives what it finds, or says by a `Refusal`
    why there is nothing."""

    uses: tuple[str, ...]
    rule: Callable[[Mapping[str, str], Act], Found]
    label: str = "提取"

    def find(self, values: Mapping[str, str], act: Act) -> Found:
        """What is on file."""
        return self.rule(values, act)


def offers(spec: FieldSpec, texts: Texts, context: Context, act: Act) -> list[tuple[str, str]]:
    """What the field's button offers to this person: values as far as they may be read, and their notes."""
    assert spec.aid is not None
    found = spec.aid.find(_values(spec.aid, spec, texts, context), act)
    return [(str(gate(spec, value, context.actor)), note) for value, note in dict.fromkeys(found)]


def _values(aid: Aid, spec: FieldSpec, texts: Texts, context: Context) -> dict[str, str]:
    """What stands in the fields that the button uses; behind masks what is stored."""
    found = {}
    for name in aid.uses:
        text = tidy((texts.get(name) or ("",))[-1])
        other = describe(getattr(spec.attribute.class_, name))
        if text and hidden(other, context.actor) is not None and is_mask(other, text):
            text = str(getattr(context.origin, name, None) or "")
        found[name] = text
    return found


def behind(spec: FieldSpec, mask: str, texts: Texts, context: Context) -> dict[str, Any]:
    """What a mask that came back stands for, by the field's name: nothing where the record's own value stays
    as it is. Raises `Wrong` for one that was made up."""
    own = getattr(context.origin, spec.name, None) if spec.attribute is not None else None
    if context.record is not None and (spec.aid is None or _masked(spec, own, context) == mask):
        return {}
    if own and _masked(spec, own, context) == mask:
        return {spec.name: own}
    meant = _fetched(spec, mask, texts, context) if spec.aid is not None else set()
    if len(meant) != 1:
        raise Wrong(spec.wrong or (PHONE_ERROR if spec.kind == "phone" else "请输入完整的内容"))
    return {spec.name: meant.pop()}


def _fetched(spec: FieldSpec, mask: str, texts: Texts, context: Context) -> set[str]:
    assert spec.aid is not None
    act = Act(context.actor, context.now, context.session, action="check")
    try:
        found = spec.aid.find(_values(spec.aid, spec, texts, context), act)
    except Refusal:
        return set()
    return {value for value, _ in found if _masked(spec, value, context) == mask}


def _masked(spec: FieldSpec, value: Any, context: Context) -> str:
    shown = gate(spec, value, context.actor) if value else None
    return shown.mask if isinstance(shown, Hidden) else ""
