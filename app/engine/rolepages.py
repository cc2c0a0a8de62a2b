"""What the role editor hands to its template, like `pages`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from app.engine.pages import Difference, Link, Option


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
    hidden: bool = False
    """Not what was searched for; its tick is submitted all the same."""


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
    hidden: bool = False


@dataclass(slots=True)
class RoleGroup:
    """A menu group of the role editor."""

    label: str
    pages: list[RolePage]
    hidden: bool = False


@dataclass(slots=True)
class RoleChange:
    """One line of the difference; ``sign`` is ``+``, ``-`` or empty for a changed scope."""

    sign: str
    text: str


@dataclass(slots=True)
class RoleConflict:
    """Two people changed the same role: what the other one saved, and what this one wanted."""

    title: str
    theirs: list[RoleChange]
    yours: list[RoleChange]


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
    conflict: RoleConflict | None = None
    find: str = ""
    preview_url: str = ""

    def hide_others(self) -> None:
        """Leave what was searched for in sight: a group or page that is called so whole, else the permissions."""
        words = self.find.lower()
        if not words:
            return
        for group in self.groups:
            whole_group = words in group.label.lower()
            for page in group.pages:
                whole = whole_group or words in page.label.lower()
                for tick in page.permissions:
                    tick.hidden = not (whole or words in tick.label.lower())
                page.hidden = not whole and all(t.hidden for t in page.permissions)
            group.hidden = all(p.hidden for p in group.pages)


@dataclass(slots=True)
class Effect:
    """What a choice would do, in a sentence; ``value`` is the choice, empty for the turned switch."""

    value: str
    text: str


@dataclass(slots=True)
class Reacher:
    """One role on the page of who sees something. With ``options`` it is asked how far it reaches (``now`` is
    what is stored, ``was`` the stored scopes in words), else whether it ``reads`` the field."""

    id: int
    label: str
    url: str
    version: int
    people: int
    locked: str = ""
    now: str = ""
    was: str = ""
    options: list[Option] = field(default_factory=list)
    read: bool = False
    reads: bool = False
    effects: list[Effect] = field(default_factory=list)


@dataclass(slots=True)
class ReachPage:
    """谁能看到: a list or a field of it, and all roles of a dealer; ``undo`` are the hidden fields that take the
    last change back."""

    title: str
    url: str
    list: str
    list_label: str
    list_url: str
    field: str = ""
    column: str = ""
    note: str = ""
    error: str = ""
    roles: Sequence[Reacher] = ()
    other_url: str = ""
    dealers: Sequence[Option] = ()
    dealer: str = ""
    undo: Sequence[tuple[str, str]] = ()
    conflict: Sequence[Difference] = ()
    theirs_url: str = ""


@dataclass(slots=True)
class WhyLine:
    """One step of an answer, with the roles that decide it as options: address and label."""

    yes: bool
    text: str
    step: str = ""
    roles: list[Option] = field(default_factory=list)


@dataclass(slots=True)
class WhyPage:
    """权限说明: the question as a form, and the answer."""

    title: str
    url: str
    person: str = ""
    people: list[str] = field(default_factory=list)
    lists: list[Option] = field(default_factory=list)
    record: str = ""
    what: list[Option] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    who: str = ""
    roles: list[Option] = field(default_factory=list)
    lines: list[WhyLine] = field(default_factory=list)
    yes: bool = False
    verdict: str = ""

    @property
    def grouped(self) -> list[tuple[str, list[Option]]]:
        """The actions, then the fields."""
        return [(name, list(found)) for name, found in groupby(self.what, key=lambda o: o.group)]


@dataclass(slots=True)
class RoleMember:
    """Somebody who has a role, or may get it, with the page that explains the person's rights."""

    id: int
    name: str
    note: str
    url: str
    why_url: str


@dataclass(slots=True)
class RoleFace:
    """People with a role as those outside see them: who, by which number; ``of`` says whose they are."""

    of: str
    people: list[tuple[str, str, str]]
    """Name, number and the address of the person's page."""


@dataclass(slots=True)
class RolePeople:
    """Who has a role: those who do, and those found to get it."""

    title: str
    url: str
    role: str
    role_url: str
    q: str = ""
    members: list[RoleMember] = field(default_factory=list)
    others: list[RoleMember] = field(default_factory=list)
    more: str = ""
    reason: str = ""
    errors: list[str] = field(default_factory=list)
    shows: bool = False
    """Whether the role shows its people to consumers; then ``faces`` are whom they see, and ``nobody`` what they
    read where there is no one."""
    faces: list[RoleFace] = field(default_factory=list)
    nobody: str = ""
