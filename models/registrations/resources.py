"""The screens of registrations: leads, their assignments, tracking, measuring, quotas and grants."""

from __future__ import annotations

from sqlalchemy import and_

from app.engine.fields import fixed
from app.engine.resource import Between, Group, Menu, Part, Related, Resource, Ticked, Tool, View
from app.engine.scopes import Granted, Scope, Scopes
from models.registrations import (
    assigning,
    auditing,
    claims,
    deposits,
    duplicates,
    importing,
    quota,
    rules,
    standing,
)
from models.registrations.tables import (
    Assignment,
    Measuring,
    Progress,
    Registration,
    RegistrationGrant,
    RegistrationTrack,
)

MENU = "渠道报备"
_LIVE = Assignment.withdrawn_at.is_(None)


class Registrations(Resource, model=Registration):
    """渠道报备: the leads of channel workers (E-05…E-38)."""

    label = "客户线索"
    unit = "条线索"
    icon = "clipboard-list"
    menu = Menu(MENU, label="渠道报备", icon="clipboard-list", order=300)
    create_label = "增加报备客户"
    quick = True
    scopes = Scopes(
        mine=Registration.registrant_id,
        granted=Granted(
            Registration.registrant_id, RegistrationGrant.registrant_id, RegistrationGrant.manager_id
        ),
        store=Registration.outlet_id,
        dealer=Registration.dealer_id,
    )
    scope_tabs = (Scope.MINE, Scope.GRANTED, Scope.STORE, Scope.DEALER, Scope.GROUP)
    scope_labels = {
        Scope.MINE: "我的报备",
        Scope.GRANTED: "授权给我的",
        Scope.STORE: "本网点",
        Scope.DEALER: "全部报备",
    }
    title = Registration.name
    code = Registration.code
    columns = (
        Registration.audit_status,
        Registration.progress,
        Registration.name,
        Registration.phone,
        Registration.telephone,
        Registration.brand_category_id,
        Registration.address,
        Registration.last_tracked_at,
        Registration.tracking_state,
        Registration.last_tracking_text,
        Registration.source,
        Registration.company,
    )
    more_columns = (
        Registration.code,
        Registration.registered_at,
        Registration.registrant_id,
        Registration.outlet_id,
        Registration.duplicate,
        Registration.designer,
        Registration.estimated_amount,
        Registration.next_tracking_on,
        Registration.track_count,
        Registration.protected_until,
        Registration.member_card,
    )
    filters = (
        Ticked(Registration.audit_status),
        Part(Registration.name),
        Part(Registration.address),
        Part(Registration.phone),
        Ticked(Registration.progress),
        Registration.outlet_id,
        Registration.registrant_id,
        Registration.source,
        Part(Registration.company),
        Part(Registration.designer),
        Registration.brand_category_id,
        Registration.duplicate,
        Between(Registration.registered_at),
    )
    find_label = "检索"
    search = (Registration.name, Registration.address)
    exact = (Registration.phone, Registration.code)
    search_hint = "姓名、地址、手机号码、客户编号"
    sorts = (Registration.registered_at, Registration.last_tracked_at)
    toolbar = (
        Tool("new", "新增"),
        Tool("edit", "修改"),
        Tool("delete", "删除"),
        Tool("import", "导入excel"),
        Tool("export", "导出EXCEL"),
        Tool("track", "客户跟踪记录", "message-dots"),
    )
    row_menu = (
        Tool("copy", "快速建档"),
        Tool("edit", "修改客户档案"),
        Tool("delete", "删除客户档案"),
        Tool("track", "客户跟踪记录", "message-dots"),
        Tool("dispatch", "派遣设计师量房", "ruler-2"),
        Tool("assign", "客户线索分配到展厅", "building-store"),
    )
    views = (
        View("untracked", "没有跟踪记录", standing.untracked, tab=False),
        View("overdue", "跟踪已逾期", standing.overdue, tab=False),
        View("unjudged", "已指派未审核", standing.unjudged, tab=False),
        View("protected", "保护期内", standing.protected, tab=False),
    )
    badges = (Registration.audit_status, Registration.progress)
    timeline = True
    subtitle = (Registration.registrant_id, Registration.outlet_id, Registration.registered_at)
    facts = (Registration.phone, Registration.address, Registration.brand_category_id, Registration.source)
    detail = (
        Group(
            "客户",
            Registration.name,
            Registration.phone,
            Registration.telephone,
            Registration.address,
            Registration.brand_category_id,
            Registration.member_card,
            Registration.estimated_amount,
            Registration.budget,
        ),
        Group(
            "来源",
            Registration.source,
            Registration.company,
            Registration.designer,
            Registration.designer_phone,
            Registration.referrer_name,
            Registration.referrer_phone,
            Registration.referrer_card,
            Registration.staff_referrer_id,
        ),
        Group(
            "报备",
            Registration.registrant_id,
            Registration.outlet_id,
            Registration.registered_at,
            Registration.created_at,
            Registration.duplicate,
            Registration.protected_until,
        ),
        Group(
            "跟踪",
            Registration.tracking_state,
            Registration.next_tracking_on,
            Registration.last_tracked_at,
            Registration.last_tracking_text,
        ),
        Related(Assignment.registration_id, "指派", creates=False),
        Related(RegistrationTrack.registration_id, "客户跟踪记录", creates=False),
        Related(
            Measuring.registration_id,
            "量房派遣",
            (
                Measuring.planned_at,
                Measuring.designer_id,
                Measuring.state,
                Measuring.measured_on,
                Measuring.result,
                Measuring.attachment_name,
                Measuring.remark,
                Measuring.cancel_reason,
            ),
            creates=False,
        ),
        claims.HISTORY,
    )
    form = (
        Group(
            "客户",
            Registration.name,
            Registration.city,
            Registration.district,
            Registration.community,
            Registration.room,
            Registration.phone,
            Registration.telephone,
            Registration.source,
            Registration.brand_category_id,
            Registration.member_card,
            Registration.estimated_amount,
            fixed(Registration.created_at),
        ),
        Group(
            "推荐",
            Registration.company,
            Registration.designer,
            Registration.designer_phone,
            Registration.referrer_name,
            Registration.referrer_phone,
            Registration.referrer_card,
            Registration.staff_referrer_id,
        ),
        Group(
            "报备",
            Registration.tracking_state,
            Registration.next_tracking_on,
            fixed(Registration.outlet_id),
            fixed(Registration.registrant_id, unless=rules.sees_others),
            fixed(Registration.registered_at),
            Registration.budget,
        ),
    )
    edit_form = (
        *form[:2],
        Group(
            "报备",
            fixed(Registration.tracking_state, once=rules.tracked),
            fixed(Registration.next_tracking_on, once=rules.tracked),
            fixed(Registration.outlet_id),
            fixed(Registration.registrant_id),
            *form[2].fields[4:],
        ),
    )
    create_title = "客户报备 -> 增加报备客户"
    form_notes = staticmethod(rules.form_notes)
    prefill = staticmethod(rules.prefill)
    copies = (
        Registration.name,
        Registration.city,
        Registration.district,
        Registration.community,
        Registration.room,
        Registration.phone,
        Registration.telephone,
        Registration.source,
        Registration.brand_category_id,
        Registration.member_card,
        Registration.estimated_amount,
        Registration.company,
        Registration.designer,
        Registration.designer_phone,
        Registration.referrer_name,
        Registration.referrer_phone,
        Registration.referrer_card,
        Registration.staff_referrer_id,
        Registration.budget,
    )
    checks = {Registration.phone: duplicates.check_phone}
    notice = staticmethod(quota.notice)
    template = importing.REGISTRATIONS
    permissions = (("can_statistics", "查看报备统计"), ("can_export_statistics", "导出报备统计"))
    create = staticmethod(rules.register)
    update = staticmethod(rules.edit)
    frozen = staticmethod(rules.frozen)
    remove = staticmethod(rules.delete)
    remove_confirm = "确定删除该客户线索？"
    actions = (assigning.assign,)


class Assignments(Resource, model=Assignment):
    """指派客户: what a showroom got, as it holds it (E-63…E-71)."""

    label = "指派"
    unit = "条指派"
    icon = "building-store"
    menu = Menu(MENU, label="展厅线索", icon="building-store", order=305)
    root = Assignment.registration_id
    scopes = Scopes(
        mine=Assignment.registrant_id,
        granted=Granted(
            Assignment.registrant_id, RegistrationGrant.registrant_id, RegistrationGrant.manager_id
        ),
        store=Assignment.store_id,
        held=Assignment.withdrawn_at.is_(None),
        dealer=Assignment.dealer_id,
    )
    scope_tabs = (Scope.STORE, Scope.MINE, Scope.GRANTED, Scope.DEALER, Scope.GROUP)
    scope_labels = {
        Scope.STORE: "本展厅",
        Scope.MINE: "我报备的",
        Scope.GRANTED: "授权给我的",
        Scope.DEALER: "全部指派",
    }
    title = Assignment.name
    columns = (
        Assignment.name,
        Assignment.phone,
        Assignment.brand_category_id,
        Assignment.store_id,
        Assignment.progress,
        Assignment.verdict,
        Assignment.address,
        Assignment.deposit_on,
        Assignment.created_at,
    )
    more_columns = (
        Assignment.registration_id,
        Assignment.customer_id,
        Assignment.registrant_id,
        Assignment.outlet_id,
        Assignment.deposit_amount,
        Assignment.telephone,
        Assignment.withdrawn_at,
        Assignment.assigner_id,
        Assignment.audit_remark,
        Assignment.auditor_id,
        Assignment.judged_at,
    )
    filters = (
        Assignment.progress,
        Assignment.verdict,
        Assignment.store_id,
        Assignment.brand_category_id,
        Assignment.phone,
        Assignment.registrant_id,
        Assignment.outlet_id,
        Between(Assignment.created_at),
        Between(Assignment.registered_at),
    )
    search = (Assignment.name, Assignment.address)
    exact = (Assignment.phone,)
    search_hint = "姓名、地址、完整手机号码"
    sorts = (Assignment.created_at,)
    views = (
        View("assigned", "待付定", lambda now: and_(_LIVE, Assignment.progress == Progress.ASSIGNED)),
        View("deposit", "已付定", lambda now: and_(_LIVE, Assignment.progress == Progress.DEPOSIT)),
        View("withdrawn", "已撤回", lambda now: Assignment.withdrawn_at.is_not(None)),
        View("counted", "未撤回", lambda now: _LIVE, tab=False),
    )
    badges = (Assignment.progress, Assignment.verdict)
    subtitle = (Assignment.store_id, Assignment.registrant_id, Assignment.created_at)
    facts = (Assignment.phone, Assignment.address, Assignment.brand_category_id, Assignment.deposit_amount)
    detail = (
        Group(
            "客户（展厅资料）",
            Assignment.name,
            Assignment.phone,
            Assignment.telephone,
            Assignment.address,
            Assignment.brand_category_id,
            Assignment.designer,
            Assignment.company,
        ),
        Group(
            "指派",
            Assignment.registration_id,
            Assignment.store_id,
            Assignment.progress,
            Assignment.deposit_amount,
            Assignment.deposit_on,
            Assignment.receipt_id,
            Assignment.refund_id,
            Assignment.customer_id,
            Assignment.remark,
            Assignment.assigner_id,
            Assignment.created_at,
            Assignment.withdrawn_at,
            Assignment.withdrawn_by_id,
            Assignment.withdraw_reason,
        ),
        Group(
            "审核", Assignment.verdict, Assignment.audit_remark, Assignment.auditor_id, Assignment.judged_at
        ),
    )
    edit_form = (
        Group(
            "客户（展厅资料）",
            Assignment.name,
            Assignment.phone,
            Assignment.telephone,
            Assignment.brand_category_id,
            Assignment.city,
            Assignment.district,
            Assignment.community,
            Assignment.room,
            Assignment.designer,
            Assignment.company,
        ),
    )
    update = staticmethod(assigning.correct)
    frozen = staticmethod(assigning.frozen)
    actions = (
        deposits.deposit,
        deposits.refund_deposit,
        deposits.void_deposit,
        assigning.withdraw,
        auditing.judge,
        auditing.judge_again,
    )
