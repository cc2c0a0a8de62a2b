"""A request in words: what it would change, as far as its reader may know, and what has happened to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from app.engine.guards import derived
from app.engine.history import changes_of, moment
from app.engine.resource import resource as named
from app.engine.scopes import Actor


def changes_in_words(value: Any, actor: Actor | None) -> str:
    """What the deed would change, a line per record, for this reader."""
    return "\n".join(line for row in value or () for line in _lines(row, actor))


def _lines(row: Mapping[str, Any], actor: Actor | None) -> Iterator[str]:
    of = named(str(row.get("resource")))
    what = " ".join(filter(None, (str(row.get("kind") or ""), str(row.get("label") or ""))))
    if actor is None or (of is not None and not actor.can("can_list", of.view_name())):
        yield f"{row.get('kind') or '记录'}：没有查看权限"
        return
    said = []
    for change in changes_of(row["changes"], actor, row.get("dealer")):
        new, old = change.new or ("已加密" if change.locked else "空"), change.old
        said.append(f"{change.label} {old} → {new}" if old else f"{change.label} {new}")
    if said:
        yield f"{what}：{'；'.join(said)}"


def trail_in_words(value: Any, _actor: Actor | None) -> str:
    """What happened to a request, a line per step."""
    lines = []
    for mark in value or ():
        said = f"：{mark['remark']}" if mark.get("remark") else ""
        lines.append(
            f"{moment(datetime.fromisoformat(mark['at']))[:16]}　{mark['who']}　{mark['what']}{said}"
        )
    return "\n".join(lines)


derived["approval_changes"] = changes_in_words
derived["approval_trail"] = trail_in_words
