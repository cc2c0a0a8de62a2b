"""Which records somebody may open and where, asked for a handful of them at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from app.engine.resource import Resource, resource
from app.engine.scopes import Actor, visible

Place = tuple[str, int]
"""A record: the name of its resource, and its id."""


@dataclass(frozen=True)
class Page:
    """Where records of a kind are opened instead of their generated page: the address with a place for the
    id, and which of those in scope stand there. Whoever ``everybody`` reads needs no right to the list."""

    address: str
    where: ColumnElement[bool]
    everybody: bool


_pages: dict[str, Page] = {}


def opened_at(
    declared: type[Resource],
    address: str,
    *,
    where: ColumnElement[bool] | None = None,
    everybody: bool = False,
) -> None:
    """Have messages lead to a page of one's own."""
    _pages[declared.name] = Page(address, true() if where is None else where, everybody)


def address(place: Place) -> str:
    """Where that record is opened, by those who may."""
    return _page(place[0]).address.format(place[1])


def _page(name: str) -> Page:
    return _pages.get(name, Page(f"/{name}/{{}}", true(), everybody=False))


def openable(session: Session, actor: Actor, wanted: Iterable[Place]) -> Mapping[Place, str]:
    """The addresses of those records that exist and that the person may see, in one statement per kind."""
    by_name: defaultdict[str, set[int]] = defaultdict(set)
    for name, record_id in wanted:
        by_name[name].add(record_id)
    found: dict[Place, str] = {}
    for name, ids in by_name.items():
        declared = resource(name)
        if declared is None or not declared.columns:
            continue
        page = _page(name)
        if not page.everybody and not actor.can("can_list", declared.view_name()):
            continue
        mine = select(declared.pk()).where(
            declared.pk().in_(sorted(ids)), visible(declared, actor), page.where
        )
        found |= {(name, pk): address((name, pk)) for pk in session.scalars(mine, actor.params)}
    return found
