"""The screens by which administrators steer the customer domain."""

from __future__ import annotations

from sqlalchemy import false

from app.engine.audit import LOGS
from app.engine.configuring import configurable
from app.engine.resource import Group, Menu, Resource
from app.engine.scopes import Scope, Scopes
from models.customers import inbound, policy_effects, settings, tags
from models.customers.friends import NOTE, FriendRelation
from models.customers.handover_tables import Handover
from models.customers.policy import DuplicateRule
from models.customers.tables import Tag
from models.customers.track import InboundEvent, TrackEvent, TrackPoints
from models.identity.menu_groups import BASICS, SHAPING


class Tags(Resource, model=Tag):
    """标签管理: the dealer's own tags (A-24, A-25); everybody there may pick from them."""

    label = "标签"
    unit = "个标签"
    icon = "tags"
    menu = Menu(BASICS, label="标签管理", icon="tags", order=920)
    create_label = "新增标签"
    scopes = Scopes(dealer=Tag.dealer_id, open=True)
    title = Tag.name
    columns = (Tag.name, Tag.group_name, Tag.tone, Tag.created_at)
    filters = (Tag.group_name, Tag.tone)
    search = (Tag.name,)
    search_hint = "标签名称"
    sorts = (Tag.created_at, Tag.name)
    detail = (Group("标签", Tag.name, Tag.group_name, Tag.tone, Tag.dealer_id, Tag.created_at),)
    form = (Group("标签", Tag.name, Tag.group_name, Tag.tone),)
    pick_group = Tag.group_name
    pick_few = 60
    create = staticmethod(tags.create_tag)
    update = staticmethod(tags.edit_tag)
    remove = staticmethod(tags.remove_tag)
    empty_hint = "新增标签后，有“设置标签”权限的员工即可为潜客和客户打标签"


class Points(Resource, model=TrackPoints, name="track_points"):
    """积分设置: what an act is worth (A-47)."""

    label = "积分设置"
    unit = "项"
    icon = "coins"
    menu = Menu(BASICS, label="积分设置", icon="coins", order=921)
    create_label = "新增本商场分值"
    scopes = Scopes(dealer=TrackPoints.dealer_id, shared=True)
    title = TrackPoints.act
    columns = (TrackPoints.act, TrackPoints.points, TrackPoints.dealer_id, TrackPoints.updated_at)
    filters = (TrackPoints.act,)
    sorts = (TrackPoints.created_at,)
    detail = (
        Group("分值", TrackPoints.act, TrackPoints.points, TrackPoints.dealer_id, TrackPoints.updated_at),
    )
    form = (Group("分值", TrackPoints.act, TrackPoints.points),)
    edit_form = (Group("分值", TrackPoints.points),)
    create = staticmethod(settings.create_row)
    update = staticmethod(settings.edit_row)
    remove = staticmethod(settings.remove_row)
    empty_hint = "没有商场的一行是集团默认值；修改只对之后的互动生效"


class DuplicateRules(Resource, model=DuplicateRule):
    """查重规则: what happens when a phone is on file already."""

    label = "查重规则"
    unit = "条规则"
    icon = "versions"
    menu = Menu(SHAPING, label="查重规则", icon="copy", order=953)
    create_label = "新增本商场规则"
    scopes = Scopes(dealer=DuplicateRule.dealer_id, shared=True)
    title = DuplicateRule.entrance
    columns = (
        DuplicateRule.entrance,
        DuplicateRule.within,
        DuplicateRule.effect,
        DuplicateRule.told,
        DuplicateRule.dealer_id,
    )
    sorts = (DuplicateRule.created_at,)
    detail = (Group("规则", *columns),)
    form = (
        Group("规则", DuplicateRule.entrance, DuplicateRule.within, DuplicateRule.effect, DuplicateRule.told),
    )
    edit_form = (Group("规则", DuplicateRule.within, DuplicateRule.effect, DuplicateRule.told),)
    create = staticmethod(settings.create_row)
    update = staticmethod(settings.edit_row)
    remove = staticmethod(settings.remove_row)


class TrackEvents(Resource, model=TrackEvent):
    """互动轨迹: shown on the pages of people, read through the API (A-41, A-46); nobody types it in."""

    label = "互动轨迹"
    unit = "条轨迹"
    icon = "timeline"
    scopes = Scopes(dealer=TrackEvent.dealer_id, through=TrackEvent.customer_id)
    title = TrackEvent.title
    columns = (
        TrackEvent.at,
        TrackEvent.kind,
        TrackEvent.act,
        TrackEvent.text,
        TrackEvent.score,
        TrackEvent.by_id,
    )
    filters = (TrackEvent.kind, TrackEvent.act, TrackEvent.customer_id)
    sorts = (TrackEvent.at,)
    detail = (Group("轨迹", *columns, TrackEvent.customer_id, TrackEvent.contact_id),)


class InboundEvents(Resource, model=InboundEvent):
    """外部事件: what other systems sent through the API (A-12…A-14, A-42)."""

    label = "外部事件"
    unit = "条事件"
    icon = "transfer-in"
    menu = Menu(LOGS, label="外部事件", icon="transfer-in", order=983)
    create_label = "登记外部事件"
    scopes = Scopes(dealer=InboundEvent.dealer_id)
    title = InboundEvent.event_id
    columns = (
        InboundEvent.at,
        InboundEvent.kind,
        InboundEvent.act,
        InboundEvent.sender,
        InboundEvent.event_id,
        InboundEvent.employee_id,
        InboundEvent.contact_id,
    )
    filters = (InboundEvent.kind, InboundEvent.act)
    exact = (InboundEvent.event_id, InboundEvent.outside_id)
    search_hint = "事件编号或外部标识全称"
    empty_hint = "其他系统经接口送来的事件会出现在这里，也可以手工登记"
    sorts = (InboundEvent.at,)
    detail = (Group("事件", *columns, InboundEvent.outside_id, InboundEvent.name, InboundEvent.text),)
    form = (
        Group(
            "事件",
            InboundEvent.sender,
            InboundEvent.event_id,
            InboundEvent.kind,
            InboundEvent.act,
            InboundEvent.outside_id,
            InboundEvent.name,
            InboundEvent.employee_id,
            InboundEvent.at,
            InboundEvent.text,
        ),
    )
    edit_form = ()
    create = staticmethod(inbound.receive)
    pick_where = staticmethod(lambda actor: false())


class FriendRelations(Resource, model=FriendRelation):
    """好友关系: the changes of a customer's work-chat friend, shown with the customer (A-51)."""

    label = "好友关系"
    unit = "条好友关系"
    icon = "brand-wechat"
    scopes = Scopes(dealer=FriendRelation.dealer_id, through=FriendRelation.customer_id)
    title = FriendRelation.customer_id
    columns = (
        FriendRelation.customer_id,
        FriendRelation.state,
        FriendRelation.former_id,
        FriendRelation.employee_id,
        FriendRelation.created_at,
        FriendRelation.due_at,
    )
    filters = (FriendRelation.state, FriendRelation.former_id, FriendRelation.employee_id)
    sorts = (FriendRelation.created_at, FriendRelation.due_at)
    badges = (FriendRelation.state,)
    detail = (Group("好友关系", *columns),)
    empty_hint = NOTE
    pick_where = staticmethod(lambda actor: false())


class Handovers(Resource, model=Handover):
    """交接记录: who gave whose customers to whom (A-49, A-56)."""

    label = "交接记录"
    unit = "次交接"
    icon = "users-group"
    scopes = Scopes(mine=Handover.by_id, dealer=Handover.dealer_id)
    scope_labels = {Scope.MINE: "我办理的交接", Scope.DEALER: "全部交接"}
    title = Handover.title
    columns = (
        Handover.title,
        Handover.kind,
        Handover.state,
        Handover.person_id,
        Handover.by_id,
        Handover.created_at,
        Handover.finished_at,
    )
    filters = (Handover.kind, Handover.state, Handover.person_id, Handover.by_id)
    sorts = (Handover.created_at,)
    badges = (Handover.state,)
    detail = (Group("交接", *columns, Handover.total),)
    empty_hint = "在客户列表的“批量”中选择离职继承或在职继承"
    pick_where = staticmethod(lambda actor: false())


configurable(Tags, key=(Tag.name,), content=(Tag.group_name, Tag.tone))
configurable(Points, key=(TrackPoints.act,), content=(TrackPoints.points,))
configurable(
    DuplicateRules,
    key=(DuplicateRule.entrance,),
    content=(DuplicateRule.within, DuplicateRule.effect, DuplicateRule.told),
    answers=(policy_effects.SURE,),
)
