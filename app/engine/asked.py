"""What a list was asked for, in words that everybody may read who sees a log, a job or a file."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.engine.fields import normalise_phone
from app.engine.filterbar import chips, filter_bar
from app.engine.guards import CALLABLE, mask_phone, without_numbers
from app.engine.listing import Query


def words(session: Session, query: Query) -> str:
    """What the list was asked for, for logs and files: numbers by which people are called are not in it."""
    parts = [f"列表：{query.resource.titled()}"]
    parts.append(
        f"范围：{query.resource.scope_label(query.scope) if query.scope is not None else '全部可见'}"
    )
    if query.view is not None:
        parts.append(f"视图：{query.view.label}")
    bar = filter_bar(session, query.resource, query.actor, query)
    conditions = "；".join(c.label for c in chips(query, "", bar)) or "无"
    parts.append(f"条件：{conditions}")
    parts.append(f"排序：{query.sort.label}{'降序' if query.descending else '升序'}")
    said = "；".join(parts)
    for text in _typed(query):  # with blanks or dashes between the digits
        if CALLABLE.fullmatch(normalise_phone(text)):
            said = said.replace(text, mask_phone(normalise_phone(text)))
    return without_numbers(said)


def _typed(query: Query) -> list[str]:
    """The keyword, and what guarded columns were filtered by."""
    names = [name for f in query.filters if f.spec.guard is not None for name in f.names]
    return [query.text, *(v.strip() for name in names for v in query.args.get(name, ()))]
