"""模板管理: print, SMS and message templates; printing itself and the preview stand in `views/templates.py`."""

from __future__ import annotations

from app.engine.configuring import configurable
from app.engine.fields import fixed
from app.engine.resource import Group, Menu, Resource
from app.engine.scopes import Scopes
from models.identity.for_all import begun, for_all
from models.identity.menu_groups import SHAPING
from models.identity.rules import groups_alone
from models.shaping import template_names, template_presets, template_queries, template_rules
from models.shaping.template_tables import Template

__all__ = ["Templates", "template_presets", "template_queries"]

_TEXTS = Group("内容", Template.head, Template.body, Template.foot)
_USE = Group("使用", Template.sort, Template.active)


class Templates(Resource, model=Template):
    """模板: administrators write what is printed of a record and what is sent to customers."""

    label = "模板"
    unit = "个模板"
    icon = "template"
    menu = Menu(SHAPING, label="模板管理", icon="template", order=945)
    scopes = Scopes(dealer=Template.dealer_id, shared=True)
    title = Template.name
    columns = (
        Template.name,
        Template.kind,
        Template.resource,
        Template.active,
        Template.sort,
        Template.dealer_id,
        Template.updated_at,
    )
    filters = (Template.kind, Template.resource, Template.active)
    search = (Template.name,)
    search_hint = "模板名称"
    sorts = (Template.sort,)
    descending = False
    badges = (Template.kind,)
    subtitle = (Template.resource, Template.dealer_id, Template.updated_at)
    detail = (
        Group("模板", Template.name, Template.resource, Template.sort, Template.active, Template.dealer_id),
        _TEXTS,
    )
    form = (
        Group("模板", Template.kind, Template.resource, Template.name),
        _TEXTS,
        Group(_USE.title, *_USE.fields, for_all("text_templates", "模板")),
    )
    edit_form = (
        Group("模板", fixed(Template.kind), fixed(Template.resource), Template.name),
        _TEXTS,
        _USE,
    )
    form_page = "template_form.html"
    prefill = staticmethod(begun(Template))
    copies = (
        Template.kind,
        Template.resource,
        Template.name,
        Template.head,
        Template.body,
        Template.foot,
        Template.sort,
    )
    create_label = "新增模板"
    frozen = staticmethod(groups_alone(template_rules.OF_GROUP, "text_templates"))
    create = staticmethod(template_rules.create_template)
    update = staticmethod(template_rules.update_template)
    remove = staticmethod(template_rules.remove_template)
    permissions = (("can_print", "打印"),)
    empty_hint = "没有商场的模板适用于整个集团；要在本商场另作规定，请复制它，改好后以同一个名称保存"
    api = False


configurable(
    Templates,
    key=(Template.kind, Template.resource, Template.name),
    content=(Template.head, Template.body, Template.foot, Template.sort, Template.active),
    spoken=template_names.SPOKEN,
    names=template_names.NAMES,
    without="此处留空，使用时有提示",
)
