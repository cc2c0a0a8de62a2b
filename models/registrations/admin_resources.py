"""The screens by which administrators steer registrations: quotas, grants, partners' designers."""

from __future__ import annotations

from app.engine.configuring import configurable
from app.engine.resource import Group, Menu, Resource
from app.engine.scopes import Scopes
from models.identity.menu_groups import BASICS
from models.registrations import grants, quota, rules
from models.registrations.resources import MENU
from models.registrations.tables import PartnerDesigner, RegistrationGrant, RegistrationQuota


class RegistrationQuotas(Resource, model=RegistrationQuota):
    """报备容量: daily limits of persons that differ from the setting (E-55)."""

    label = "个人报备容量"
    icon = "gauge"
    menu = Menu(BASICS, label="报备容量", icon="gauge", order=924)
    scopes = Scopes(dealer=RegistrationQuota.dealer_id)
    title = RegistrationQuota.employee_id
    columns = (RegistrationQuota.employee_id, RegistrationQuota.daily_limit, RegistrationQuota.updated_at)
    filters = (RegistrationQuota.employee_id,)
    form = (Group("容量", RegistrationQuota.employee_id, RegistrationQuota.daily_limit),)
    empty_hint = "未另设的员工按系统参数“每人每日报备容量”，0或空表示不限"
    create = staticmethod(quota.keep)
    update = staticmethod(quota.keep)
    remove = staticmethod(rules.allow)


class RegistrationGrants(Resource, model=RegistrationGrant):
    """报备授权: whose leads a manager works with (E-03)."""

    label = "报备授权"
    icon = "user-check"
    menu = Menu(BASICS, label="报备授权", icon="user-check", order=925)
    scopes = Scopes(dealer=RegistrationGrant.dealer_id)
    title = RegistrationGrant.manager_id
    columns = (RegistrationGrant.manager_id, RegistrationGrant.registrant_id, RegistrationGrant.created_at)
    filters = (RegistrationGrant.manager_id, RegistrationGrant.registrant_id)
    form = (Group("授权", RegistrationGrant.manager_id, RegistrationGrant.registrant_id),)
    create = staticmethod(grants.keep)
    update = staticmethod(grants.keep)
    remove = staticmethod(rules.allow)


class PartnerDesigners(Resource, model=PartnerDesigner):
    """家装设计师: partners' designers by whom customers come (E-23)."""

    label = "家装设计师"
    unit = "位设计师"
    icon = "color-swatch"
    menu = Menu(MENU, label="家装设计师", icon="color-swatch", order=307)
    scopes = Scopes(dealer=PartnerDesigner.dealer_id, open=True)
    title = PartnerDesigner.name
    columns = (
        PartnerDesigner.name,
        PartnerDesigner.company,
        PartnerDesigner.phone,
        PartnerDesigner.created_at,
    )
    filters = (PartnerDesigner.phone,)
    exact = (PartnerDesigner.phone,)
    detail = (Group("设计师", *columns),)
    form = (Group("设计师", PartnerDesigner.name, PartnerDesigner.company, PartnerDesigner.phone),)
    create = staticmethod(rules.keep_in_dealer)
    remove = staticmethod(rules.allow)


configurable(
    RegistrationQuotas, key=(RegistrationQuota.employee_id,), content=(RegistrationQuota.daily_limit,)
)
configurable(
    RegistrationGrants, key=(RegistrationGrant.manager_id, RegistrationGrant.registrant_id), content=()
)
