"""Accounts of people: who gets one, what it may do, how it is closed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import audit
from app.engine.actions import Act, Invalid, Refusal, action
from app.engine.fields import entry, is_landline, is_mobile, normalise_phone
from models.identity import delegation, passwords
from models.identity.delegation import MANAGE_ROLES
from models.identity.rights import bump_epoch, role_ids_with
from models.identity.roles import RoleAssignment, StaffRole
from models.identity.rules import is_group, own_dealer, unique
from models.identity.tables import Dealer, Employee, Membership, Store

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{1,63}")


def create_employee(employee: Any, act: Act, values: Mapping[str, Any]) -> None:
    """A new account of the own dealer. Without an initial password one is made up and told once."""
    own_dealer(employee, act)
    check_username(employee, act, employee.username)
    _check_phone(values)
    employee.username = employee.username.strip()
    employee.email = f"{employee.username.lower()}@localhost.invalid"
    employee.first_name, employee.last_name = "", employee.name
    employee.session_version = 1
    employee.active = True
    _give_password(employee, act, values.get("initial_password") or "")
    stores = values.get("stores") or []
    employee.store_id = stores[0] if stores else None
    _check_roles(employee, act, values.get("roles") or [])


def update_employee(employee: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Change a person's data, stores and roles (A-114); acts at the person's next click."""
    _protect(employee, act)
    delegation.keep_place(act, employee, set(values.get("stores") or ()), values.get("department_id"))
    _check_phone(values)
    if "name" in values:
        employee.last_name = values["name"]
    if "stores" in values and employee.store_id not in values["stores"]:
        employee.store_id = values["stores"][0] if values["stores"] else None
    if values.get("backup_contact_id") == employee.id:
        raise Invalid({"backup_contact_id": "备用联系人不能是本人"})
    if "roles" in values:
        _check_roles(employee, act, values["roles"])
    bump_epoch(act.session)


def check_username(employee: Any, act: Act, username: str) -> None:
    """Raise `Invalid` for a login name that is no good or taken."""
    if not _USERNAME.fullmatch(username.strip()):
        raise Invalid({"username": "登录名至少2位，只能使用字母、数字和 _ . @ -"})
    unique(act, employee, Employee.username, username)


def _check_phone(values: Mapping[str, Any]) -> None:
    phone = values.get("phone")
    if phone and not is_mobile(normalise_phone(phone)):
        raise Invalid({"phone": "手机号码格式不正确"})
    other = normalise_phone(values.get("alternative_phone") or "")
    if other and not (is_mobile(other) or is_landline(other)):
        raise Invalid({"alternative_phone": "请填写手机号码，或带区号的固定电话，例如 020-12345678"})


def _give_password(employee: Any, act: Act, password: str) -> None:
    if password:
        weak = passwords.weakness(password, employee.username)
        if weak:
            raise Invalid({"initial_password": weak})
    else:
        password = passwords.made_up()
        act.tell(f"{employee.name}的密码为 {password} ，只显示这一次，请转告本人")
    employee.password = passwords.hashed(password)


def _protect(employee: Any, act: Act) -> None:
    """Accounts with a role only the group hands out are managed by the group, stronger ones than one's own
    by whoever manages roles: a new password or a closed account is power over it."""
    delegation.keep_stronger(act, employee)
    if is_group(act.actor):
        return
    held = delegation.roles_of(act, employee)
    if act.session.scalar(
        select(StaffRole.id).where(StaffRole.id.in_(held), StaffRole.assignable.is_(False)).limit(1)
    ):
        raise Refusal("该账号由集团管理，不能在商场修改")


def _check_roles(employee: Any, act: Act, wanted: Sequence[int]) -> None:
    """Nobody hands out more than he or she has, and a dealer keeps an administrator."""
    held = delegation.roles_of(act, employee)
    added = set(wanted) - held
    roles = act.session.scalars(select(StaffRole).where(StaffRole.id.in_(added))).all()
    for role in roles:
        if role.dealer_id is not None and role.dealer_id != employee.dealer_id:
            raise Invalid({"roles": f"角色“{role.label}”属于其他商场"})
        if not role.assignable and not is_group(act.actor):
            raise Invalid({"roles": f"角色“{role.label}”只能由集团分配"})
    delegation.check_roles(act, employee, held, set(wanted))
    managing = set(act.session.scalars(role_ids_with(*MANAGE_ROLES)))
    if held & managing and not set(wanted) & managing:
        keep_administrator(act, employee, "roles")


def administrators(session: Session, dealer_id: int | None) -> set[int]:
    """The active people of a dealer who may change roles.

    Locks the dealer, so that two administrators cannot take that right from each other at once.
    """
    session.execute(select(Dealer.id).where(Dealer.id == dealer_id).with_for_update())
    statement = (
        select(RoleAssignment.user_id)
        .join(Employee, Employee.id == RoleAssignment.user_id)
        .where(
            RoleAssignment.role_id.in_(role_ids_with(*MANAGE_ROLES)),
            Employee.active.is_(True),
            Employee.dealer_id == dealer_id,
        )
    )
    return set(session.scalars(statement))


def keep_administrator(act: Act, employee: Any, field: str = "") -> None:
    """Raise `Refusal` when this person may not stop being an administrator of roles."""
    if employee.id == act.actor.id:
        raise Refusal("不能移除自己的管理权限，请由其他管理员操作", field)
    if administrators(act.session, employee.dealer_id) == {employee.id}:
        raise Refusal("该员工是本商场唯一能管理角色的人，请先为其他员工授权", field)


@action(
    "重置密码",
    on=Employee,
    icon="key",
    batch=False,
    fields=(
        entry(
            "password", "新密码", "password", maxlength=passwords.LONGEST, hint="留空则自动生成，只显示一次"
        ),
    ),
)
def reset_password(employee: Any, act: Act, *, password: str | None = None) -> str:
    """Give a person a new password; everything signed in as that person ends."""
    _protect(employee, act)
    try:
        _give_password(employee, act, password or "")
    except Invalid as invalid:
        raise Invalid({"password": invalid.message}) from None
    employee.session_version += 1
    employee.locked_until = None
    employee.fail_login_count = 0
    audit.log(act, employee, act.action)
    return "密码已重置，该账号的其他登录已失效"


@action(
    "停用",
    on=Employee,
    icon="user-off",
    tone="r",
    confirm="停用后该员工不能再登录，其名下客户不变。确认停用？",
    when=lambda employee: bool(employee.active),
)
def deactivate(employee: Any, act: Act) -> None:
    """Close an account. Refused for the own one and for a dealer's last administrator."""
    _protect(employee, act)
    if not employee.active:
        raise Refusal("该账号已停用")
    if employee.id == act.actor.id:
        raise Refusal("不能停用自己的账号")
    if employee.id in administrators(act.session, employee.dealer_id):
        keep_administrator(act, employee)
    employee.active = False
    employee.departed_at = act.now
    employee.session_version += 1


@action(
    "启用",
    on=Employee,
    icon="user-check",
    confirm="确认重新启用所选账号？",
    when=lambda employee: not employee.active,
)
def activate(employee: Any, act: Act) -> None:
    """Open an account again."""
    _protect(employee, act)
    if employee.active:
        raise Refusal("该账号未停用")
    employee.active = True
    employee.departed_at = None
    employee.locked_until = None


# ----- the own account


def change_password(employee: Any, act: Act, old: str, new: str) -> None:
    """The person's own new password; raises `Invalid` naming the wrong field. Other sessions end."""
    if not passwords.matches(employee.password, old):
        raise Invalid({"old": "原密码不正确"})
    weak = passwords.weakness(new, employee.username)
    if weak:
        raise Invalid({"new": weak})
    if passwords.matches(employee.password, new):
        raise Invalid({"new": "新密码不能与原密码相同"})
    employee.password = passwords.hashed(new)
    employee.session_version += 1
    audit.log(act, employee, act.action)


def switch_store(employee: Any, act: Act, store_id: int) -> Store:
    """Work in another of one's stores from now on (D-03); raises `Refusal` for a store one is not in."""
    membership = act.session.scalar(
        select(Membership).where(Membership.user_id == employee.id, Membership.store_id == store_id)
    )
    store = act.session.get(Store, store_id) if membership is not None else None
    if membership is None or store is None or store.dealer_id != employee.dealer_id:
        raise Refusal("您未在该门店任职")
    if not store.active:
        raise Refusal("该门店已停业")
    _keep_place(employee, act)
    employee.store_id = store.id
    if membership.department_id is not None or membership.position_id is not None:
        employee.department_id = membership.department_id
        employee.position_id = membership.position_id
    return store


def _keep_place(employee: Any, act: Act) -> None:
    """What somebody is in the store he or she leaves is there again at the return."""
    left = act.session.scalar(
        select(Membership).where(Membership.user_id == employee.id, Membership.store_id == employee.store_id)
    )
    if left is not None:
        left.department_id = employee.department_id
        left.position_id = employee.position_id


def update_membership(membership: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Department and position in one of a person's stores; in the current one they hold at once."""
    employee = act.session.get_one(Employee, membership.user_id)
    _protect(employee, act)
    delegation.keep_place(act, employee, set(), values.get("department_id"))
    if employee.store_id == membership.store_id:
        employee.department_id = values.get("department_id", membership.department_id)
        employee.position_id = values.get("position_id", membership.position_id)
