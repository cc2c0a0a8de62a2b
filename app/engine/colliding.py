"""Two people at one record: what each of them changed, side by side, and what can be put together without asking.

The form of what administrators set remembers, as a few letters per field, with which values it was opened. Whoever
saves second is then shown only what both have touched; what the other one alone has changed is taken over, so that
saving once more takes nothing of it back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from app.engine import configuring, drawing, forms
from app.engine.fields import FieldSpec
from app.engine.guards import is_mask
from app.engine.pages import Difference
from app.engine.resource import Resource

WAS = "was."
"""Before the name of a field: the mark of the value with which the form was opened."""
THEIRS = "_theirs"
"""The name of the button that takes the other one's value of the field in its value."""
UNTOUCHED = "（未改动）"
_YES, _NO = "是", "否"
Texts = Mapping[str, Sequence[str]]


def remembers(resource: type[Resource]) -> bool:
    """Whether its form remembers how it was opened."""
    return configuring.kind(resource.name) is not None


def marks(
    specs: Sequence[FieldSpec], drawer: drawing.Drawer, context: forms.Context
) -> list[tuple[str, str]]:
    """What the form remembers of these fields, as hidden inputs."""
    return [(WAS + s.name, mark(_values(drawer, s, context))) for s in specs]


def mark(values: Sequence[str]) -> str:
    """A few letters that tell values apart."""
    return hashlib.sha256("\0".join(sorted(values)).encode()).hexdigest()[:8]


def _values(drawer: drawing.Drawer, spec: FieldSpec, context: forms.Context) -> list[str]:
    shown = drawer.draw(spec, context)
    values = shown.values if spec.multiple else [shown.value]
    return [" ".join(v.split()) for v in values if v]


def compared(
    specs: Sequence[FieldSpec], texts: Texts, stored: drawing.Drawer, context: forms.Context, by: str
) -> tuple[list[Difference], dict[str, list[str]]]:
    """The differences between what was typed and what is stored now, and the form with everything taken over that
    only the other one has changed."""
    typed = drawing.Drawer(stored.base_url, texts=texts)
    merged = {name: list(values) for name, values in texts.items()}
    found = []
    for spec in specs:
        mine, theirs = _values(typed, spec, context), _values(stored, spec, context)
        given = spec.name in texts or spec.kind == "bool" or WAS + spec.name in texts
        if not given or sorted(mine) == sorted(theirs) or any(is_mask(spec, v) for v in mine):
            continue
        was = (texts.get(WAS + spec.name) or ("",))[0]
        if was and was == mark(mine):
            found.append(Difference(spec.label, UNTOUCHED, _words(spec, theirs, stored, context), by))
            take(merged, spec, stored, context)
            continue
        if was and was == mark(theirs):
            found.append(Difference(spec.label, _words(spec, mine, typed, context), UNTOUCHED))
            continue
        found.append(
            Difference(
                spec.label, _words(spec, mine, typed, context), _words(spec, theirs, stored, context), by, spec.name
            )
        )  # fmt: skip
    return found or [Difference("全部内容", "与对方的相同", "与我的相同", by)], merged


def take(
    texts: dict[str, list[str]], spec: FieldSpec, stored: drawing.Drawer, context: forms.Context
) -> None:
    """Put the stored value of a field into what was typed."""
    shown = stored.draw(spec, context)
    texts.pop(f"{spec.name}__text", None)
    texts[spec.name] = list(shown.values) if spec.multiple else [shown.value]
    if spec.kind == "bool" and not shown.value:
        del texts[spec.name]


def _words(spec: FieldSpec, values: Sequence[str], drawer: drawing.Drawer, context: forms.Context) -> str:
    if spec.kind == "bool":
        return _YES if values else _NO
    names = {o.value: o.label for o in drawer.draw(spec, context).options}
    return "、".join(names.get(v, v) for v in values)
