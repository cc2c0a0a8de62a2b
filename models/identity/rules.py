"""What may happen to the organisation and to accounts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import func, select

from app.engine.actions import Act, Invalid, Refusal
from app.engine.fields import describe
from app.engine.scopes import Actor, Scope
from models.identity.rights import bump_epoch, current_epoch, load_actor, stamp
from models.identity.tables import (
    Brand,
    BrandCategory,
    Category,
    Department,
    Employee,
    Membership,
    PhysicalStore,
)

__all__ = ["bump_epoch", "current_epoch", "load_actor", "stamp"]

DEALER_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,11}")
_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,23}")


def is_group(actor: Actor, resource: str = "roles") -> bool:
    """Whether somebody acts for the group (sees that resource of every dealer)."""
    return actor.system or Scope.GROUP in actor.scopes.get(resource, frozenset())


def own_dealer(record: Any, act: Act, values: Mapping[str, Any] | None = None) -> int:
    """Give a new record to the dealer of the person who makes it; raises `Refusal` without one."""
    if record.dealer_id is None:
        record.dealer_id = act.actor.dealer_id
    if record.dealer_id is None:
        raise Refusal("当前账号不属于任何商场，不能新增此项")
    return int(record.dealer_id)


def colleague(act: Act, employee_id: int, dealer_id: int, field: str = "") -> Employee:
    """The person work of that dealer may be given to; raises `Refusal`, beside ``field``, for one of another
    dealer and for one who has left."""
    employee = act.session.get(Employee, employee_id)
    if employee is None or employee.dealer_id != dealer_id:
        raise Refusal("只能选择本商场的员工", field)
    if employee.departed_at is not None or not employee.active:
        raise Refusal("该员工已停用，请重新选择", field)
    return employee


def unique(act: Act, record: Any, column: Any, value: Any, *borders: Any) -> None:
    """Raise `Invalid` when another record within the borders has the value already, case ignored."""
    statement = select(column.class_.id).where(func.lower(column) == str(value).strip().lower(), *borders)
    if record.id is not None:
        statement = statement.where(column.class_.id != record.id)
    with act.session.no_autoflush:
        taken = act.session.scalar(statement.limit(1))
    if taken is not None:
        raise Invalid({column.key: f"{describe(column).label}“{value}”已存在"})


# ----- stores and what they may sell


def create_store(store: Any, act: Act, values: Mapping[str, Any]) -> None:
    """A new store or physical store of the own dealer, with a code of its own."""
    own_dealer(store, act)
    _check_code(store, act, store.code)


def update_store(store: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Keep the code unique within the dealer; a store people work in stays open."""
    if "code" in values:
        _check_code(store, act, values["code"])
    if values.get("active") is False and store.active:
        people = act.session.scalar(
            select(func.count()).where(Employee.store_id == store.id, Employee.active.is_(True))
        )
        if people:
            raise Refusal(f"该门店仍有{people}名在职员工，请先调整其任职门店", "active")
    parent = values.get("physical_store_id")
    if (
        parent is not None
        and act.session.scalar(select(PhysicalStore.dealer_id).where(PhysicalStore.id == parent))
        != store.dealer_id
    ):
        raise Invalid({"physical_store_id": "实体门店与门店不属于同一商场"})


def _check_code(store: Any, act: Act, code: str) -> None:
    if not _CODE.fullmatch(code or ""):
        raise Invalid({"code": "只能使用大写字母、数字和短横线"})
    model = type(store)
    unique(act, store, model.code, code, model.dealer_id == store.dealer_id)


def create_operating_right(right: Any, act: Act, values: Mapping[str, Any]) -> None:
    """The right belongs to the dealer of its physical store; one per brand-category (A-111)."""
    store = act.session.get_one(PhysicalStore, right.physical_store_id)
    right.dealer_id = store.dealer_id
    right.name = act.session.get_one(BrandCategory, right.brand_category_id).name
    model = type(right)
    with act.session.no_autoflush:
        known = act.session.scalar(
            select(model.id).where(
                model.physical_store_id == right.physical_store_id,
                model.brand_category_id == right.brand_category_id,
            )
        )
    if known is not None:
        raise Invalid({"brand_category_id": "该实体门店已有此品牌品类的经营权限"})


def remove_operating_right(right: Any, act: Act) -> None:
    """A right may end at any time; contracts keep the channel they were made with."""


# ----- what the group presets and a dealer adds


def create_own(record: Any, act: Act, values: Mapping[str, Any]) -> None:
    """A dealer's own position, brand, category or business line beside the presets of the group."""
    if not (act.actor.dealer_id is None and is_group(act.actor)):
        own_dealer(record, act)
    _unique_name(record, act, record.name)


def update_own(record: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Presets of the group are changed by the group alone."""
    keep_preset(record, act)
    if "name" in values:
        _unique_name(record, act, values["name"])


def remove_own(record: Any, act: Act) -> None:
    """Presets of the group are deleted by the group alone."""
    keep_preset(record, act)


PRESET = "集团预置项只能由集团管理员修改"


def keep_preset(record: Any, act: Act, resource: str = "roles") -> None:
    """Raise `Refusal` when somebody of a dealer touches what the group presets."""
    if record.dealer_id is None and not is_group(act.actor, resource):
        raise Refusal(PRESET)


def groups_alone(sentence: str = PRESET, resource: str = "roles") -> Callable[[Any, Actor], str]:
    """Why people of a dealer only look at what the group presets, for `Resource.frozen`."""

    def frozen(record: Any, actor: Actor) -> str:
        return sentence if record.dealer_id is None and not is_group(actor, resource) else ""

    return frozen


def _unique_name(record: Any, act: Act, name: str) -> None:
    model = type(record)
    near = model.dealer_id.is_(None)
    if record.dealer_id is not None:
        near = near | (model.dealer_id == record.dealer_id)
    unique(act, record, model.name, name, near)


def create_brand_category(record: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Without a name of its own it is called after its brand and category; each pair exists once."""
    own_dealer(record, act)
    _check_pair(record, act, record.brand_id, record.category_id)
    if not record.name:
        brand = act.session.get_one(Brand, record.brand_id)
        category = act.session.get_one(Category, record.category_id)
        record.name = f"{brand.name}{category.name}"


def update_brand_category(record: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Each pair exists once; presets of the group are changed by the group alone."""
    keep_preset(record, act)
    brand, category = values.get("brand_id", record.brand_id), values.get("category_id", record.category_id)
    _check_pair(record, act, brand, category)
    if "name" in values and not values["name"]:
        raise Invalid({"name": "请填写此项"})


def _check_pair(record: Any, act: Act, brand_id: int, category_id: int) -> None:
    near = BrandCategory.dealer_id.is_(None) | (BrandCategory.dealer_id == record.dealer_id)
    statement = select(BrandCategory.id).where(
        BrandCategory.brand_id == brand_id, BrandCategory.category_id == category_id, near
    )
    with act.session.no_autoflush:
        known = act.session.scalar(statement.where(BrandCategory.id != (record.id or 0)))
    if known is not None:
        raise Invalid({"category_id": "该品牌下已有此品类"})


# ----- departments


def create_department(department: Any, act: Act, values: Mapping[str, Any]) -> None:
    """A department of the own dealer."""
    own_dealer(department, act)


def update_department(department: Any, act: Act, values: Mapping[str, Any]) -> None:
    """A department does not stand below itself."""
    above = values.get("parent_id")
    seen = {department.id}
    while above is not None:
        if above in seen:
            raise Invalid({"parent_id": "上级部门不能是本部门或其下级"})
        seen.add(above)
        above = act.session.scalar(select(Department.parent_id).where(Department.id == above))


def remove_department(department: Any, act: Act) -> None:
    """Refused while people belong to it."""
    _unused(act, Employee.department_id, department.id, "部门")
    _unused(act, Membership.department_id, department.id, "部门")


def remove_position(position: Any, act: Act) -> None:
    """Refused while people hold it, and for the presets of the group."""
    keep_preset(position, act)
    _unused(act, Employee.position_id, position.id, "岗位")
    _unused(act, Membership.position_id, position.id, "岗位")


def _unused(act: Act, column: Any, value: int, word: str) -> None:
    people = act.session.scalar(select(func.count()).where(column == value))
    if people:
        raise Refusal(f"该{word}仍有{people}名员工，不能删除")
