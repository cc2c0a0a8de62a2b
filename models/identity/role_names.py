"""The permissions of added fields as files name them: by list and field, where they are kept by a number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from app.engine.configured.values import Names
from app.engine.configuring import Spoken
from app.engine.guards import GUARD_VIEW, Added, added_guards, all_guards
from app.engine.permissions import FIELDS
from app.engine.resource import resource, resources
from app.engine.typed import Wrong

_FIELD = re.compile(r"\[([^\[\]]+)\]@(\w+)")


def key_of(pair: tuple[str, str]) -> str:
    """A permission as forms and the API write it."""
    return f"{pair[0]}@{pair[1]}"


def _said(added: Added) -> str:
    shown = resource(added.of)
    return f"[{added.field}]@{shown.view_name() if shown is not None else added.of}"


def _out(value: Any, _of: str, names: Names) -> Any:
    """Those of an owner's roles; one of a dealer's own field in a role of the group is that dealer's to give."""
    known = {key_of(a.guard.permission): a for a in added_guards(names.session)}
    mine = [g for g in value if g not in known or known[g].dealer in (None, names.owner)]
    return sorted(_said(known[g]) if g in known else g for g in mine)


def _into(value: Any, _of: str, names: Names) -> Any:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        return value  # whoever reads it says so
    mine = (a for a in added_guards(names.session) if a.dealer in (None, names.owner))
    known = {_said(a): key_of(a.guard.permission) for a in mine}
    declared = {key_of(guard.permission) for guard in all_guards()}
    for text in value:
        field = _FIELD.fullmatch(text)
        if field is not None and text not in known:
            of = next((r.label for r in resources() if r.view_name() == field[2]), field[2][:40])
            raise Wrong(f"{of}没有仅授权可见的自定义字段“{field[1][:40]}”")
        if text.endswith(f"@{GUARD_VIEW}") and text not in declared:
            raise Wrong(f"自定义字段的权限应写作 [字段名称]@Customers，不能写作 {text[:60]}")
    return [known.get(text, text) for text in value]


def in_words(old: Iterable[Any], new: Iterable[Any]) -> Iterator[str]:
    """What a change from some permissions to others means, of those that a file names."""
    was, now = (frozenset(filter(_FIELD.fullmatch, map(str, side))) for side in (old, new))
    for text in sorted(was ^ now):
        field = _FIELD.sub(r"\1", text)
        yield f"{'+' if text in now else '-'} {FIELDS} · 查看{field}"


SPOKEN = Spoken(_out, _into)
