"""Nobody gives, takes over or sheds more rights than he or she has (A-22, A-90, A-114).

The group decides about everything. Whoever may change a dealer's roles hands out what he or she holds, in
roles and by giving them; everybody else who looks after accounts moreover leaves the own roles and those of
stronger accounts alone. Restricting ticks count the other way round: without one a person has more.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.engine.actions import Act, Invalid, Refusal
from app.engine.permissions import all_permissions, permissions_in_force
from app.engine.resource import resource
from app.engine.scopes import Actor, Scope, scopes_of
from models.identity.rights import Rights, rights_of
from models.identity.roles import RoleAssignment
from models.identity.rules import is_group
from models.identity.tables import Membership

MANAGE_ROLES = ("can_edit", "Roles")


def manages_roles(actor: Actor) -> bool:
    """Whether the person decides what roles may do."""
    return actor.can(*MANAGE_ROLES)


def roles_of(act: Act, employee: Any) -> set[int]:
    """The roles of an account; none of one that is being made."""
    if employee.id is None:
        return set()
    held = select(RoleAssignment.role_id).where(RoleAssignment.user_id == employee.id)
    return set(act.session.scalars(held))


def exceeds(actor: Actor, rights: Rights) -> bool:
    """Whether these rights reach further than the person's own."""
    restricting = _restricting()
    given = rights.grants - restricting
    if not given and not rights.scopes:
        return False
    return (
        not given <= actor.permissions
        or not actor.permissions & restricting <= rights.grants
        or any(not _covers(actor, name, scope) for name, scope in rights.scopes)
    )


def beyond(actor: Actor, given: Rights) -> str:
    """What of these rights the person does not hold, in words; empty for one who may give them all."""
    if is_group(actor):
        return ""
    for known in permissions_in_force():
        if known.pair in given.grants and not known.restricting and known.pair not in actor.permissions:
            return known.label
    for name, scope in sorted(given.scopes):
        if not _covers(actor, name, scope):
            found = resource(name)
            return f"{found.label if found is not None else name}的数据范围“{scope.label}”"
    return ""


def _restricting() -> frozenset[tuple[str, str]]:
    return frozenset(p.pair for p in all_permissions() if p.restricting)


def _covers(actor: Actor, name: str, scope: Scope) -> bool:
    """Whether the person sees all rows of that scope: 集团 holds every other one, 全部 all but that."""
    found = resource(name)
    if found is None:
        return True  # of a resource that is declared no longer nobody sees anything
    own = scopes_of(found, actor)
    return bool({scope, Scope.GROUP} & own) or (Scope.DEALER in own and scope is not Scope.GROUP)


def keep_stronger(act: Act, employee: Any) -> None:
    """Raise `Refusal` when an account that may do more than the person would be changed or taken over."""
    if employee.id == act.actor.id or manages_roles(act.actor):
        return
    if exceeds(act.actor, rights_of(act.session, *roles_of(act, employee))):
        raise Refusal("该账号的权限超出您的权限，请由能管理角色的人员操作")


def keep_place(act: Act, employee: Any, stores: set[int], department_id: int | None) -> None:
    """Raise `Refusal` when the person would move to another store or department: the scopes 本店 and 本部门
    would then show other rows."""
    if employee.id != act.actor.id or manages_roles(act.actor):
        return
    held = act.session.scalars(select(Membership.store_id).where(Membership.user_id == employee.id))
    if stores - set(held) or department_id not in (None, employee.department_id):
        raise Refusal("不能修改自己的任职，请由其他有权限的人员操作")


def check_roles(act: Act, employee: Any, held: set[int], wanted: set[int]) -> None:
    """Raise `Invalid` beside the roles when the person gives more than the own, changes the own roles, or
    takes away what hides something."""
    if held == wanted or is_group(act.actor):
        return
    if manages_roles(act.actor):
        if beyond(act.actor, rights_of(act.session, *(wanted - held))):
            raise Invalid({"roles": "不能分配超出自己权限的角色"})
        return
    if employee.id == act.actor.id:
        raise Invalid({"roles": "不能修改自己的角色，请由能管理角色的人员操作"})
    after = rights_of(act.session, *wanted)
    if wanted - held and exceeds(act.actor, after):
        raise Invalid({"roles": "不能分配超出自己权限的角色"})
    if rights_of(act.session, *held).grants & _restricting() - after.grants:
        raise Invalid({"roles": "不能移除带有限制性权限的角色，请由能管理角色的人员操作"})
