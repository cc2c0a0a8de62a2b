"""The page of clock rules, for administrators."""

from __future__ import annotations

from app.engine.configured.addresses import field_of
from app.engine.configured.uses import one_of
from app.engine.configuring import configurable
from app.engine.resource import Group, Menu, Resource
from app.engine.scopes import Scopes
from models.clock_rules import inputs, rules
from models.clock_rules.tables import ClockRule
from models.identity.for_all import for_all
from models.identity.menu_groups import SHAPING
from models.identity.rules import groups_alone

__all__ = ["ClockRules", "inputs"]


_CONTENT = (
    ClockRule.subject,
    ClockRule.condition,
    ClockRule.silenced_by,
    ClockRule.start,
    ClockRule.direction,
    ClockRule.amount,
    ClockRule.unit,
    ClockRule.ahead_days,
    ClockRule.at,
    ClockRule.repeat,
    ClockRule.every_days,
    ClockRule.effect,
    ClockRule.parameters,
    ClockRule.active,
    ClockRule.sort,
)
"""What a rule says, wherever it holds."""
_FORM = (
    Group("规则", ClockRule.name, ClockRule.subject, ClockRule.condition, ClockRule.silenced_by),
    Group(
        "时间",
        ClockRule.start,
        ClockRule.direction,
        ClockRule.amount,
        ClockRule.unit,
        ClockRule.ahead_days,
        ClockRule.at,
        ClockRule.repeat,
        ClockRule.every_days,
    ),
    Group("执行", ClockRule.effect, ClockRule.parameters, ClockRule.active, ClockRule.sort),
)


class ClockRules(Resource, model=ClockRule):
    """时间规则: what happens by itself, when and to whom (unified model, "Clock rules")."""

    label = "时间规则"
    unit = "条规则"
    icon = "clock-edit"
    menu = Menu(SHAPING, label="时间规则", icon="clock", order=950)
    create_label = "新增时间规则"
    script = "conditions.js"
    scopes = Scopes(dealer=ClockRule.dealer_id, shared=True)
    title = ClockRule.name
    columns = (
        ClockRule.name,
        ClockRule.subject,
        ClockRule.condition,
        ClockRule.start,
        ClockRule.at,
        ClockRule.effect,
        ClockRule.dealer_id,
        ClockRule.store_id,
        ClockRule.active,
    )
    more_columns = (ClockRule.silenced_by, ClockRule.replaces_id, ClockRule.sort, ClockRule.updated_at)
    filters = (ClockRule.subject, ClockRule.effect, ClockRule.active, ClockRule.store_id)
    sorts = (ClockRule.sort, ClockRule.updated_at)
    descending = False
    detail = (
        Group("规则", ClockRule.name, ClockRule.subject, ClockRule.condition, ClockRule.silenced_by),
        Group("时间", ClockRule.start, ClockRule.at),
        Group("执行", ClockRule.effect, ClockRule.parameters, ClockRule.active, ClockRule.sort),
        Group(
            "适用范围", ClockRule.dealer_id, ClockRule.store_id, ClockRule.replaces_id, ClockRule.updated_at
        ),
    )
    form = (
        *_FORM,
        Group("适用范围", for_all("clock_rules", "时间规则"), ClockRule.store_id, ClockRule.replaces_id),
    )
    edit_form = (*_FORM, Group("适用范围", ClockRule.store_id, ClockRule.replaces_id))
    prefill = staticmethod(rules.prefill)
    frozen = staticmethod(groups_alone(rules.OF_GROUP, "clock_rules"))
    copies = (ClockRule.name, *_CONTENT)
    create = staticmethod(rules.create_rule)
    update = staticmethod(rules.update_rule)
    remove = staticmethod(rules.remove_rule)
    actions = (rules.show_preview, rules.leave, rules.come_back)
    empty_hint = "没有商场的规则适用于整个集团；要在本商场另作规定，请新增规则并选择它所替代的规则"


configurable(
    ClockRules,
    key=(ClockRule.name, ClockRule.store_id),
    code=ClockRule.code,
    content=(*_CONTENT, ClockRule.replaces_id),
    answers=(rules.SURE,),
    spoken={"start": field_of("subject")},
    names={"start": one_of("subject")},
)
