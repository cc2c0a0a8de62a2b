"""The screens of the organisation: stores and what they may sell, people, roles."""

from __future__ import annotations

from sqlalchemy import ColumnElement, true

from app.engine.configuring import Part, configurable, name_by
from app.engine.fields import entry
from app.engine.resource import Group, Menu, Related, Resource
from app.engine.scopes import Actor, Scope, Scopes
from models.identity import accounts, presets, role_names, role_rules, rules
from models.identity.contacts import CONSUMER_VISIBLE
from models.identity.menu_groups import ORGANISATION
from models.identity.passwords import LONGEST
from models.identity.roles import ROLES_OF, StaffRole
from models.identity.tables import (
    STORES_OF,
    Dealer,
    Department,
    Employee,
    Membership,
    OperatingRight,
    PhysicalStore,
    Position,
    Store,
)


class Employees(Resource, model=Employee, name="employees"):
    """组织人员管理: people, their stores and roles (A-114). Colleagues can be picked by everybody."""

    label = "人员"
    unit = "人"
    icon = "users-group"
    menu = Menu(ORGANISATION, label="组织人员管理", icon="users-group", order=900)
    scopes = Scopes(
        dealer=Employee.dealer_id, store=Employee.store_id, department=Employee.department_id, open=True
    )
    scope_tabs = (Scope.DEALER, Scope.STORE, Scope.DEPARTMENT, Scope.GROUP)
    title = Employee.name
    columns = (
        Employee.name,
        Employee.username,
        Employee.position_id,
        Employee.store_id,
        Employee.department_id,
        ROLES_OF,
        CONSUMER_VISIBLE,
        Employee.phone,
        Employee.active,
        Employee.last_login,
    )
    filters = (
        Employee.store_id,
        Employee.department_id,
        Employee.position_id,
        ROLES_OF,
        CONSUMER_VISIBLE,
        Employee.active,
    )
    search = (Employee.name,)
    exact = (Employee.username, Employee.phone)
    search_hint = "姓名、登录名、手机号码"
    sorts = (Employee.created_at, Employee.name)
    detail = (
        Group(
            "账号",
            Employee.name,
            Employee.username,
            Employee.phone,
            Employee.alternative_phone,
            Employee.active,
            Employee.last_login,
            Employee.departed_at,
        ),
        Group(
            "任职",
            Employee.dealer_id,
            Employee.store_id,
            Employee.department_id,
            Employee.position_id,
            STORES_OF,
            ROLES_OF,
            CONSUMER_VISIBLE,
            Employee.backup_contact_id,
        ),
        Related(Membership.user_id, "任职门店"),
    )
    form = (
        Group(
            "账号",
            Employee.username,
            Employee.name,
            Employee.phone,
            Employee.alternative_phone,
            entry(
                "initial_password",
                "初始密码",
                "password",
                maxlength=LONGEST,
                hint="至少10位，含大小写字母、数字和符号；留空则自动生成，只显示一次",
            ),
        ),
        Group(
            "任职",
            STORES_OF,
            Employee.department_id,
            Employee.position_id,
            Employee.backup_contact_id,
        ),
        Group("权限", ROLES_OF),
    )
    edit_form = (
        Group("账号", Employee.name, Employee.phone, Employee.alternative_phone),
        Group(
            "任职",
            STORES_OF,
            Employee.department_id,
            Employee.position_id,
            Employee.backup_contact_id,
        ),
        Group("权限", ROLES_OF),
    )
    create_label = "新增人员"
    create = staticmethod(accounts.create_employee)
    update = staticmethod(accounts.update_employee)
    actions = (accounts.reset_password, accounts.deactivate, accounts.activate)
    pick_note = (Employee.position_id, Employee.store_id)
    pick_active = Employee.active
    pick_by = Employee.position_id


def _may_hand_out(actor: Actor) -> ColumnElement[bool]:
    return true() if rules.is_group(actor) else StaffRole.assignable.is_(True)


class Roles(Resource, model=StaffRole, name="roles"):
    """商场角色管理: what people may do and which rows they see (A-22, A-114). Edited as a tree."""

    label = "角色"
    unit = "个"
    icon = "shield-lock"
    menu = Menu(ORGANISATION, label="商场角色管理", icon="shield-lock", order=901)
    scopes = Scopes(dealer=StaffRole.dealer_id, shared=True)
    title = StaffRole.label
    columns = (StaffRole.label, StaffRole.kind, StaffRole.assignable)
    filters = (StaffRole.kind,)
    search = (StaffRole.label,)
    search_hint = "角色名称"
    sorts = (StaffRole.label,)
    descending = False
    detail = (Group("角色", StaffRole.label, StaffRole.kind, StaffRole.assignable),)
    form = (
        Group("角色", StaffRole.label, StaffRole.kind, StaffRole.assignable),
        Group("权限", role_rules.GRANTS, role_rules.SCOPES),
    )
    create_label = "新增角色"
    create = staticmethod(role_rules.create_role)
    update = staticmethod(role_rules.update_role)
    remove = staticmethod(role_rules.remove_role)
    pick_where = staticmethod(_may_hand_out)


class Memberships(Resource, model=Membership):
    """任职: one person's place in one store, with department and position there."""

    label = "任职"
    scopes = Scopes(dealer=Membership.dealer_id, through=Membership.user_id)
    title = Membership.id
    columns = (Membership.store_id, Membership.department_id, Membership.position_id)
    detail = (
        Group(
            "任职",
            Membership.user_id,
            Membership.store_id,
            Membership.department_id,
            Membership.position_id,
        ),
    )
    edit_form = (Group("任职", Membership.department_id, Membership.position_id),)
    update = staticmethod(accounts.update_membership)


class Stores(Resource, model=Store):
    """门店: selling units, by kind; everybody may pick one of the own dealer."""

    label = "门店"
    unit = "家"
    icon = "building-store"
    menu = Menu(ORGANISATION, icon="building-store", order=902)
    scopes = Scopes(dealer=Store.dealer_id, open=True)
    title = Store.name
    code = Store.code
    columns = (Store.code, Store.name, Store.kind, Store.city, Store.physical_store_id, Store.active)
    filters = (Store.kind, Store.active)
    search = (Store.name,)
    exact = (Store.code,)
    search_hint = "门店名称、店代码"
    sorts = (Store.created_at, Store.code)
    detail = (
        Group(
            "门店",
            Store.code,
            Store.name,
            Store.kind,
            Store.city,
            Store.address,
            Store.physical_store_id,
            Store.active,
            Store.dealer_id,
        ),
        Related(Employee.store_id, "员工", columns=(Employee.name, Employee.position_id, Employee.phone)),
    )
    form = (
        Group(
            "门店",
            Store.code,
            Store.name,
            Store.kind,
            Store.city,
            Store.address,
            Store.physical_store_id,
            Store.active,
        ),
    )
    create = staticmethod(rules.create_store)
    update = staticmethod(rules.update_store)
    pick_note = (Store.code,)
    pick_active = Store.active


class PhysicalStores(Resource, model=PhysicalStore):
    """实体门店, with the brand-categories it may sell and their 招商渠道 (A-111, A-112)."""

    label = "实体门店"
    unit = "家"
    icon = "building-warehouse"
    menu = Menu(ORGANISATION, icon="building-warehouse", order=903)
    scopes = Scopes(dealer=PhysicalStore.dealer_id, open=True)
    title = PhysicalStore.name
    code = PhysicalStore.code
    columns = (PhysicalStore.code, PhysicalStore.name, PhysicalStore.city, PhysicalStore.address)
    search = (PhysicalStore.name,)
    exact = (PhysicalStore.code,)
    sorts = (PhysicalStore.created_at, PhysicalStore.code)
    detail = (
        Group(
            "实体门店",
            PhysicalStore.code,
            PhysicalStore.name,
            PhysicalStore.city,
            PhysicalStore.address,
        ),
        Related(
            OperatingRight.physical_store_id,
            "经营权限",
            columns=(OperatingRight.brand_category_id, OperatingRight.channel),
        ),
        Related(Store.physical_store_id, "门店", columns=(Store.code, Store.name, Store.kind)),
    )
    form = (
        Group(
            "实体门店",
            PhysicalStore.code,
            PhysicalStore.name,
            PhysicalStore.city,
            PhysicalStore.address,
        ),
    )
    create = staticmethod(rules.create_store)
    update = staticmethod(rules.update_store)
    pick_note = (PhysicalStore.code,)


class OperatingRights(Resource, model=OperatingRight):
    """经营权限: per brand-category, the 招商渠道 that makes it retail or whole-house (A-110)."""

    label = "经营权限"
    icon = "award"
    menu = Menu(ORGANISATION, icon="award", order=904)
    scopes = Scopes(dealer=OperatingRight.dealer_id)
    title = OperatingRight.name
    known_by = OperatingRight.brand_category_id
    columns = (
        OperatingRight.physical_store_id,
        OperatingRight.brand_category_id,
        OperatingRight.channel,
        OperatingRight.created_at,
    )
    filters = (OperatingRight.physical_store_id, OperatingRight.brand_category_id, OperatingRight.channel)
    sorts = (OperatingRight.created_at,)
    detail = (
        Group(
            "经营权限",
            OperatingRight.physical_store_id,
            OperatingRight.brand_category_id,
            OperatingRight.channel,
        ),
    )
    form = (
        Group(
            "经营权限",
            OperatingRight.physical_store_id,
            OperatingRight.brand_category_id,
            OperatingRight.channel,
        ),
    )
    edit_form = (Group("经营权限", OperatingRight.channel),)
    remove = staticmethod(rules.remove_operating_right)
    create = staticmethod(rules.create_operating_right)


class Departments(Resource, model=Department):
    """部门 of the dealer or of a store."""

    label = "部门"
    icon = "hierarchy"
    menu = Menu(ORGANISATION, icon="hierarchy", order=905)
    scopes = Scopes(dealer=Department.dealer_id, open=True)
    title = Department.name
    columns = (Department.name, Department.store_id, Department.parent_id, Department.sort)
    filters = (Department.store_id,)
    search = (Department.name,)
    sorts = (Department.sort,)
    descending = False
    detail = (Group("部门", Department.name, Department.store_id, Department.parent_id, Department.sort),)
    form = (Group("部门", Department.name, Department.store_id, Department.parent_id, Department.sort),)
    create = staticmethod(rules.create_department)
    update = staticmethod(rules.update_department)
    remove = staticmethod(rules.remove_department)


class Positions(Resource, model=Position):
    """岗位, shown beside the name in the header (D-01)."""

    label = "岗位"
    icon = "id-badge"
    menu = Menu(ORGANISATION, icon="id-badge", order=906)
    scopes = Scopes(dealer=Position.dealer_id, open=True, shared=True)
    title = Position.name
    columns = (Position.name, Position.sort, Position.dealer_id)
    search = (Position.name,)
    sorts = (Position.sort,)
    descending = False
    detail = (Group("岗位", Position.name, Position.sort, Position.dealer_id),)
    form = (Group("岗位", Position.name, Position.sort),)
    create = staticmethod(rules.create_own)
    update = staticmethod(rules.update_own)
    remove = staticmethod(rules.remove_position)


class Dealers(Resource, model=Dealer):
    """商场: the tenants. Only the group sees this list."""

    label = "商场"
    unit = "家"
    icon = "building-community"
    menu = Menu(ORGANISATION, icon="building-community", order=907)
    scopes = Scopes()
    title = Dealer.name
    code = Dealer.code
    columns = (Dealer.code, Dealer.name, Dealer.city, Dealer.active, Dealer.created_at)
    filters = (Dealer.active,)
    search = (Dealer.name,)
    exact = (Dealer.code,)
    sorts = (Dealer.created_at,)
    detail = (
        Group("商场", Dealer.code, Dealer.name, Dealer.city, Dealer.active, Dealer.created_at),
        Related(Store.dealer_id, "门店", columns=(Store.code, Store.name, Store.kind, Store.city)),
    )
    form = (Group("商场", Dealer.code, Dealer.name, Dealer.city, Dealer.active),)
    create = staticmethod(presets.create_dealer)
    update = staticmethod(presets.update_dealer)


name_by(Employee, Employee.username)
configurable(Positions, key=(Position.name,), content=(Position.sort,))
configurable(
    Roles,
    key=(StaffRole.label,),
    content=(StaffRole.kind, StaffRole.assignable),
    part=Part((role_rules.GRANTS, role_rules.SCOPES), role_rules.texts_of, role_rules.in_words),
    where=StaffRole.label != "",
    fit=role_rules.fit,
    spoken={role_rules.GRANTS.name: role_names.SPOKEN},
)
