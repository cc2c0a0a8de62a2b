"""字段管理: the screens of added fields."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from app.engine.fields import entry, fixed
from app.engine.resource import Group, Menu, Resource, Told, View
from app.engine.scopes import Scopes
from models.identity.for_all import begun, for_all
from models.identity.menu_groups import SHAPING
from models.identity.rules import groups_alone
from models.shaping import custom_queries, custom_rules, custom_shown, custom_uses, custom_work
from models.shaping.custom_fields import CustomField, Place

__all__ = ["CustomFields", "custom_queries", "custom_work"]

_OPTIONS = entry(
    "options", "选项", "textarea", shown_when="kind=choice|choices", needed_when="kind=choice|choices",
    hint="每行一个，按顺序自动配色；名称和颜色可在数据字典中调整", placeholder="请填写选项，每行一个",
)  # fmt: skip
_PLACES = entry(
    "places", "出现在", choices=Place, multiple=True, wide=True,
    hint="排序仅用于数字、金额和日期，图表仅用于单选和是/否；公式不能填写和导入，多行文本、图片和文件不能筛选，图片和文件不能导入",
    default=(Place.FORM, Place.LIST, Place.FILTER, Place.TEMPLATE),
)  # fmt: skip
_WHERE = Group("位置", _PLACES, CustomField.section, CustomField.position)
_SHOWN = Group(
    "位置",
    CustomField.in_form,
    CustomField.in_list,
    CustomField.in_filter,
    CustomField.in_sort,
    CustomField.in_template,
    CustomField.in_chart,
    CustomField.section,
    CustomField.position,
)
_RULES = (
    CustomField.required,
    CustomField.guarded,
    CustomField.once,
    CustomField.initial,
    CustomField.minimum,
    CustomField.maximum,
    CustomField.pattern,
    CustomField.shown_when,
    CustomField.needed_when,
    CustomField.locked_when,
)


class CustomFields(Resource, model=CustomField):
    """自定义字段 (issue: administrators shape it without code): added to a resource while the program runs."""

    label = "自定义字段"
    unit = "个字段"
    icon = "forms"
    menu = Menu(SHAPING, label="字段管理", icon="forms", order=940)
    scopes = Scopes(dealer=CustomField.dealer_id, shared=True)
    title = CustomField.label
    columns = (
        CustomField.label,
        CustomField.resource,
        CustomField.kind,
        CustomField.required,
        CustomField.in_form,
        CustomField.in_list,
        CustomField.in_filter,
        CustomField.in_sort,
        CustomField.in_template,
        CustomField.in_chart,
        CustomField.dealer_id,
        CustomField.removed_at,
    )
    more_columns = (CustomField.section, CustomField.position, CustomField.slot)
    filters = (CustomField.resource, CustomField.kind)
    sorts = (CustomField.position, CustomField.created_at)
    descending = False
    views = (
        View("live", "使用中", lambda now: _live()),
        View("removed", "已删除", lambda now: _removed()),
    )
    detail = (
        Group(
            "字段",
            CustomField.label,
            CustomField.resource,
            CustomField.kind,
            custom_shown.OPTIONS,
            CustomField.target,
            CustomField.result,
            CustomField.formula,
            CustomField.unit,
            CustomField.hint,
            *_RULES,
            CustomField.dealer_id,
            CustomField.slot,
            CustomField.removed_at,
        ),
        _SHOWN,
        Told(custom_uses.table),
    )
    form = (
        Group(
            "字段",
            CustomField.label,
            CustomField.kind,
            _OPTIONS,
            CustomField.target,
            CustomField.result,
            CustomField.formula,
            CustomField.unit,
            CustomField.resource,
        ),
        _WHERE,
        Group("填写规则", *_RULES, CustomField.hint, for_all("custom_fields", "自定义字段"), folded=True),
    )
    edit_form = (
        Group(
            "字段",
            CustomField.label,
            fixed(CustomField.kind),
            _OPTIONS,
            fixed(CustomField.target),
            fixed(CustomField.result),
            CustomField.formula,
            CustomField.unit,
        ),
        _WHERE,
        Group("填写规则", *_RULES, CustomField.hint),
    )
    create_label = "新增字段"
    frozen = staticmethod(groups_alone(custom_rules.OF_GROUP, "custom_fields"))
    prefill = staticmethod(begun(CustomField))
    create = staticmethod(custom_rules.create_field)
    update = staticmethod(custom_rules.update_field)
    actions = (custom_rules.remove_field, custom_rules.restore_field)
    empty_hint = "为客户等对象增加本商场需要的字段，保存后立即出现在表单、列表和筛选中"


def _live() -> ColumnElement[bool]:
    return CustomField.removed_at.is_(None)


def _removed() -> ColumnElement[bool]:
    return CustomField.removed_at.is_not(None)
