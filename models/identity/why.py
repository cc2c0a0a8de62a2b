"""为什么: which role or scope gives a person something, which restricting tick takes it, or that nothing gives it.

Everything here is read from the same tables and conditions as the rights themselves, role by role, so that
the answer and what the person meets cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.engine.fields import FieldSpec, describe
from app.engine.guards import Guard
from app.engine.permissions import PermissionDef
from app.engine.resource import Resource
from app.engine.scopes import Actor, Scope, condition, offered, scopes_of
from models.identity.rights import role_ids_with
from models.identity.roles import RoleAssignment, RoleScope, StaffRole
from models.identity.tables import Employee


@dataclass(frozen=True)
class RoleRef:
    """A role as the answer names it."""

    id: int
    label: str


@dataclass
class Answer:
    """One step of the answer: whether it is given, in a sentence, and the roles that decide it."""

    yes: bool
    text: str
    roles: list[RoleRef] = field(default_factory=list)


def roles_of(session: Session, person_id: int) -> list[RoleRef]:
    """The roles of a person that have effect: those of the own dealer and of the group (A-115)."""
    statement = (
        select(StaffRole.id, StaffRole.label)
        .join(RoleAssignment, RoleAssignment.role_id == StaffRole.id)
        .join(Employee, Employee.id == RoleAssignment.user_id)
        .where(Employee.id == person_id)
        .where(or_(StaffRole.dealer_id.is_(None), StaffRole.dealer_id == Employee.dealer_id))
        .order_by(StaffRole.id)
    )
    return [RoleRef(i, label) for i, label in session.execute(statement)]


def permission(session: Session, person: Actor, roles: Iterable[RoleRef], known: PermissionDef) -> Answer:
    """Whether the person has a permission, and from which roles."""
    giving = _with(session, roles, known.pair)
    if known.restricting:
        if giving:
            return Answer(
                False, f"{_names(giving)}带有限制性权限“{known.label}”；任一角色带有即受限制", giving
            )
        return Answer(True, f"没有角色带有限制性权限“{known.label}”")
    if giving:
        logged = "；每次查看都有记录" if known.guard is not None and known.guard.logged else ""
        return Answer(True, f"{_names(giving)}授予“{known.label}”{logged}", giving)
    return Answer(False, f"没有任何角色授予“{known.label}”")


def page(session: Session, person: Actor, roles: Iterable[RoleRef], shown: type[Resource]) -> Answer:
    """Whether the person opens the list at all."""
    giving = _with(session, roles, ("can_list", shown.view_name()))
    if giving:
        return Answer(True, f"{_names(giving)}可以查看{shown.label}", giving)
    return Answer(False, f"没有任何角色可以查看{shown.label}")


def rows(session: Session, person: Actor, roles: Iterable[RoleRef], shown: type[Resource]) -> Answer:
    """How far the person sees on that list, when no record is asked about."""
    opened = _opened(session, roles, shown)
    if shown.scopes.open and person.dealer_id is not None:
        return Answer(True, f"{shown.label}对本商场所有人开放")
    words = [
        f"“{role.label}”打开{'、'.join(shown.scope_label(s) for s in Scope if s in scopes)}"
        for role, scopes in opened
    ]
    if words:
        return Answer(True, "；".join(words), [role for role, _ in opened])
    return Answer(False, f"没有任何角色打开{shown.label}的数据范围，列表是空的")


def record(
    session: Session, person: Actor, roles: Iterable[RoleRef], shown: type[Resource], pk: int
) -> Answer:
    """Whether one of the person's scopes holds the record, and which."""
    holding = {s for s in scopes_of(shown, person) if _holds(session, person, shown, s, pk)}
    if Scope.DEALER in holding and shown.scopes.open:
        return Answer(True, f"{shown.label}对本商场所有人开放")
    deciding = [(role, scopes & holding) for role, scopes in _opened(session, roles, shown)]
    deciding = [(role, scopes) for role, scopes in deciding if scopes]
    if deciding:
        words = [
            f"“{role.label}”打开{'、'.join(shown.scope_label(s) for s in Scope if s in scopes)}"
            for role, scopes in deciding
        ]
        return Answer(True, f"此记录在其范围内：{'；'.join(words)}", [role for role, _ in deciding])
    would = [
        s
        for s in Scope
        if s in offered(shown) and s is not Scope.GROUP and _holds(session, person, shown, s, pk)
    ]
    hint = f"；打开“{shown.scope_label(would[0])}”即可看到" if would else ""
    return Answer(False, f"此记录不在此人任何角色的数据范围内{hint}")


def field_of(session: Session, person: Actor, roles: Iterable[RoleRef], spec: FieldSpec) -> Answer:
    """Whether the person reads a field where the record is seen."""
    guard = describe(spec).guard
    if guard is None:
        return Answer(True, f"“{spec.label}”没有单独的权限，看得到记录就看得到它")
    found = permission(session, person, roles, _def(guard))
    if not found.yes and guard.mask is not None:
        found.text += "，只显示部分内容"
    return found


def _def(guard: Guard) -> PermissionDef:
    name, view = guard.permission
    return PermissionDef(name, view, guard.label, restricting=guard.restricting, guard=guard)


def _names(roles: Iterable[RoleRef]) -> str:
    return "、".join(f"“{role.label}”" for role in roles)


def _with(session: Session, roles: Iterable[RoleRef], pair: tuple[str, str]) -> list[RoleRef]:
    mine = list(roles)
    granting = set(
        session.scalars(
            select(StaffRole.id).where(
                StaffRole.id.in_([r.id for r in mine]), StaffRole.id.in_(role_ids_with(*pair))
            )
        )
    )
    return [r for r in mine if r.id in granting]


def _opened(
    session: Session, roles: Iterable[RoleRef], shown: type[Resource]
) -> list[tuple[RoleRef, set[Scope]]]:
    mine = list(roles)
    found: dict[int, set[Scope]] = {}
    for role_id, scope in session.execute(
        select(RoleScope.role_id, RoleScope.scope).where(
            RoleScope.role_id.in_([r.id for r in mine]), RoleScope.resource == shown.name
        )
    ):
        if scope in offered(shown):
            found.setdefault(role_id, set()).add(scope)
    return [(r, found[r.id]) for r in mine if r.id in found]


def _holds(session: Session, person: Actor, shown: type[Resource], scope: Scope, pk: int) -> bool:
    where = and_(shown.pk() == pk, condition(shown, frozenset({scope})))
    return session.scalar(select(shown.pk()).where(where).limit(1), person.params) is not None
