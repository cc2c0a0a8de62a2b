"""What stands beside a list, a record or a field for those who look after rights: who sees it, and why.

The engine knows where such links stand; the identity domain says where they lead (`provide_asides`).
"""

from __future__ import annotations

from typing import Protocol

from app.engine.fields import FieldSpec
from app.engine.pages import Link
from app.engine.resource import Resource
from app.engine.scopes import Actor


class Asides(Protocol):
    """What the identity domain provides."""

    def of_list(self, actor: Actor, shown: type[Resource]) -> list[Link]:
        """Beside the heading of a list."""

    def of_record(self, actor: Actor, shown: type[Resource], pk: int) -> list[Link]:
        """In the menu of a record's page."""

    def of_field(self, actor: Actor, shown: type[Resource], spec: FieldSpec) -> str:
        """The address where it is decided who reads that field; empty for most fields and people."""

    def of_refusal(self, actor: Actor, path: str) -> list[Link]:
        """On the page that says that a right is missing."""


_asides: list[Asides] = []


def provide_asides(asides: Asides) -> None:
    """Install what the links lead to; called once at import of the identity domain."""
    _asides[:] = [asides]


def of_list(actor: Actor, shown: type[Resource]) -> list[Link]:
    """The links beside the heading of a list."""
    return _asides[0].of_list(actor, shown) if _asides else []


def of_record(actor: Actor, shown: type[Resource], pk: int) -> list[Link]:
    """The links in the menu of a record's page."""
    return _asides[0].of_record(actor, shown, pk) if _asides else []


def of_refusal(actor: Actor, path: str) -> list[Link]:
    """The links on the page that says that a right is missing."""
    return _asides[0].of_refusal(actor, path) if _asides else []


def of_field(actor: Actor, shown: type[Resource], spec: FieldSpec) -> str:
    """The address where it is decided who reads that field."""
    return _asides[0].of_field(actor, shown, spec) if _asides and spec.guard is not None else ""
