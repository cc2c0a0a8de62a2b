"""What the role editor hands to its template, like `pages`."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.engine.pages import Link, Option


@dataclass(slots=True)
class RolePermission:
    """One tick of the role editor. A restricting one takes something away (A-90); ``changed``
    means that the tick differs from what is stored."""

    name: str
    label: str
    checked: bool = False
    changed: bool = False
    restricting: bool = False
    kind: str = "action"
    hint: str = ""


@dataclass(slots=True)
class RolePage:
    """A page of the menu: its permissions and the set of rows they reach. The chosen scopes are
    submitted as ``scope.<name>``, once per scope; ``stored_scopes`` is what is stored, in words,
    where that differs from the ticks."""

    name: str
    label: str
    permissions: list[RolePermission]
    scopes: list[Option] = field(default_factory=list)
    stored_scopes: str = ""


@dataclass(slots=True)
class RoleGroup:
    """A menu group of the role editor."""

    label: str
    pages: list[RolePage]


@dataclass(slots=True)
class RoleChange:
    """One line of the difference; ``sign`` is ``+``, ``-`` or empty for a changed scope."""

    sign: str
    text: str


@dataclass(slots=True)
class RoleEditor:
    """The rights of one role as a tree (A-22, A-87, A-115). Ticks are submitted as ``permission``.

    The first submit (``step=preview``) answers with ``changes`` and ``effects`` filled and the same
    ticks kept; the second (``step=save``) saves.
    """

    title: str
    url: str
    roles: list[Link]
    group_roles: list[Link]
    label: str
    kind: str
    groups: list[RoleGroup]
    version: int = 0
    people: str = ""
    readonly: bool = False
    readonly_reason: str = ""
    kinds: list[Option] = field(default_factory=list)
    actions: list[Link] = field(default_factory=list)
    changes: list[RoleChange] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    previewed: bool = False
    errors: list[str] = field(default_factory=list)
    hidden: list[tuple[str, str]] = field(default_factory=list)
    list_url: str = ""
    remove: Link | None = None
