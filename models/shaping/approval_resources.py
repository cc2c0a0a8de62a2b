"""审批: what waits for one's word and what one has asked for; 审批流程: what has to wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased

from app.engine import approving
from app.engine.configuring import configurable
from app.engine.fields import describe
from app.engine.resource import Badge, Between, Group, Menu, Resource, View
from app.engine.scopes import MYSELF, Scope, Scopes
from models.identity.for_all import begun, for_all
from models.identity.menu_groups import SHAPING
from models.identity.rules import groups_alone
from models.shaping import (
    approval_links,
    approval_requests,
    approval_rules,
    approval_tending,
    approval_watching,
)
from models.shaping.approval_tables import (
    SEATS,
    UNDECIDED,
    ApprovalFlow,
    ApprovalRequest,
    ApprovalSeat,
    SeatState,
)

__all__ = ["ApprovalFlows", "ApprovalRequests", "approval_requests", "approval_tending", "approval_watching"]

_CHANGES = replace(
    describe(ApprovalRequest.changes),
    label="通过后的变更",
    kind="approval_changes",
    wide=True,
    required=False,
)
_RECORDS = replace(
    describe(ApprovalRequest.records),
    label="涉及的记录",
    kind=approval_links.KIND,
    wide=True,
    required=False,
    blank="新记录",
    shown=approval_links.named,
    beside=("subject",),
)
_TRAIL = replace(
    describe(ApprovalRequest.trail), label="审批过程", kind="approval_trail", wide=True, required=False
)


def _todo(_now: datetime) -> ColumnElement[bool]:
    seat = aliased(ApprovalSeat)  # the list looks along seats too
    mine = select(seat.request_id).where(seat.user_id == MYSELF, seat.state == SeatState.OPEN)
    return ApprovalRequest.id.in_(mine)


def _waiting(_now: datetime) -> ColumnElement[bool]:
    return ApprovalRequest.state.in_(UNDECIDED)


class ApprovalRequests(Resource, model=ApprovalRequest):
    """审批: everybody's own requests, and those that wait for one's word."""

    label = "审批"
    unit = "条申请"
    icon = "checks"
    menu = Menu(
        "经营", label="审批", icon="checks", order=285, badge=Badge("todo", hot=True, scope=Scope.RELATED)
    )
    scopes = Scopes(mine=ApprovalRequest.applicant_id, related=(SEATS,), dealer=ApprovalRequest.dealer_id)
    scope_labels = {Scope.MINE: "我的申请", Scope.RELATED: "我的审批", Scope.DEALER: "全部申请"}
    scope_tabs = (Scope.RELATED, Scope.MINE, Scope.DEALER, Scope.GROUP)
    title = ApprovalRequest.title
    columns = (
        ApprovalRequest.title,
        ApprovalRequest.state,
        ApprovalRequest.stage,
        ApprovalRequest.applicant_id,
        ApprovalRequest.last_word,
        ApprovalRequest.created_at,
    )
    more_columns = (
        ApprovalRequest.flow_name,
        ApprovalRequest.subject,
        ApprovalRequest.due_at,
        ApprovalRequest.result,
    )
    filters = (
        ApprovalRequest.state,
        ApprovalRequest.subject,
        ApprovalRequest.applicant_id,
        Between(ApprovalRequest.created_at),
    )
    sorts = (ApprovalRequest.created_at,)
    views = (
        View("todo", "待我审批", _todo, hot=True),
        View("open", "审批中", _waiting),
    )
    badges = (ApprovalRequest.state,)
    subtitle = (ApprovalRequest.flow_name,)
    facts = (
        ApprovalRequest.state,
        ApprovalRequest.applicant_id,
        ApprovalRequest.stage,
        ApprovalRequest.last_word,
    )
    detail = (
        Group(
            "申请内容",
            _CHANGES,
            _RECORDS,
            ApprovalRequest.created_at,
            ApprovalRequest.due_at,
            ApprovalRequest.result,
        ),
        Group("审批", _TRAIL, SEATS),
    )
    actions = (approval_rules.decide, approval_rules.pass_on, approval_rules.withdraw)
    empty = "暂无审批"
    empty_hint = "需要他人同意的操作提交后显示在“我的申请”，等待您同意的显示在“我的审批”"


_RULE = (
    ApprovalFlow.name,
    ApprovalFlow.subject,
    ApprovalFlow.deed,
    ApprovalFlow.watched,
    ApprovalFlow.condition,
    ApprovalFlow.steps,
    ApprovalFlow.active,
    ApprovalFlow.sort,
)


class ApprovalFlows(Resource, model=ApprovalFlow):
    """审批流程: which deeds wait, under which condition, and for whose word."""

    label = "审批流程"
    unit = "个流程"
    icon = "hierarchy"
    menu = Menu(SHAPING, label="审批流程", icon="checklist", order=952)
    scopes = Scopes(dealer=ApprovalFlow.dealer_id, shared=True)
    title = ApprovalFlow.name
    columns = (
        ApprovalFlow.name,
        ApprovalFlow.subject,
        ApprovalFlow.deed,
        ApprovalFlow.condition,
        ApprovalFlow.steps,
        ApprovalFlow.active,
        ApprovalFlow.dealer_id,
    )
    more_columns = (ApprovalFlow.watched, ApprovalFlow.sort, ApprovalFlow.updated_at)
    filters = (ApprovalFlow.subject, ApprovalFlow.active)
    sorts = (ApprovalFlow.sort,)
    descending = False
    detail = (Group("流程", *_RULE, ApprovalFlow.dealer_id, ApprovalFlow.updated_at),)
    form = (Group("流程", *_RULE, for_all("approval_flows", "审批流程")),)
    edit_form = (Group("流程", *_RULE),)
    prefill = staticmethod(begun(ApprovalFlow))
    create_label = "新增审批流程"
    script = "conditions.js"
    frozen = staticmethod(groups_alone(resource="approval_flows"))
    create = staticmethod(approval_rules.create_flow)
    update = staticmethod(approval_rules.update_flow)
    remove = staticmethod(approval_rules.remove_flow)
    empty = "还没有审批流程"
    empty_hint = "例如：退款金额不小于 5000 时，先由申请人的店长、再由系统管理员同意后才执行"


approving.never(ApprovalRequests.name, ApprovalFlows.name, "jobs", "audit_entries")
configurable(
    ApprovalFlows,
    key=(ApprovalFlow.name,),
    content=(
        ApprovalFlow.subject,
        ApprovalFlow.deed,
        ApprovalFlow.watched,
        ApprovalFlow.condition,
        ApprovalFlow.steps,
        ApprovalFlow.active,
        ApprovalFlow.sort,
    ),
)
