"""The screens of work on leads: tracking records and measuring."""

from __future__ import annotations

from app.engine.resource import Between, Group, Menu, Related, Resource, View
from app.engine.scopes import Scope, Scopes
from models.follow_ups.resources import Tasks
from models.registrations import measuring, tracking
from models.registrations.resources import MENU, Registrations
from models.registrations.tables import Measuring, MeasuringState, RegistrationTrack


class RegistrationTracks(Resource, model=RegistrationTrack):
    """客户跟踪记录: proof of the work on a lead (E-48…E-54); written by the acts, never edited."""

    label = "客户跟踪记录"
    icon = "message-dots"
    scopes = Scopes(
        mine=RegistrationTrack.writer_id,
        dealer=RegistrationTrack.dealer_id,
        through=RegistrationTrack.registration_id,
    )
    title = RegistrationTrack.state
    known_by = RegistrationTrack.registration_id
    columns = (
        RegistrationTrack.at,
        RegistrationTrack.state,
        RegistrationTrack.next_tracking_on,
        RegistrationTrack.phone,
        RegistrationTrack.text,
        RegistrationTrack.writer_id,
        RegistrationTrack.kind,
    )
    more_columns = (RegistrationTrack.registration_id, RegistrationTrack.outcome)
    sorts = (RegistrationTrack.at,)
    badges = (RegistrationTrack.outcome,)
    detail = (Group("跟踪", RegistrationTrack.registration_id, *columns, RegistrationTrack.message_id),)


class Measurings(Resource, model=Measuring):
    """量房派遣: designers sent to leads' homes (E-72, E-73)."""

    label = "量房派遣"
    unit = "次派遣"
    icon = "ruler-2"
    menu = Menu(MENU, label="量房派遣", icon="ruler-2", order=306)
    root = Measuring.registration_id
    scopes = Scopes(
        mine=Measuring.dispatcher_id,
        related=(Measuring.designer_id,),
        store=Measuring.store_id,
        dealer=Measuring.dealer_id,
        through=Measuring.registration_id,
    )
    scope_labels = {Scope.MINE: "我派遣的", Scope.RELATED: "派遣给我的"}
    title = Measuring.name
    columns = (
        Measuring.name,
        Measuring.phone,
        Measuring.address,
        Measuring.planned_at,
        Measuring.designer_id,
        Measuring.state,
        Measuring.measured_on,
        Measuring.result,
        Measuring.remark,
    )
    more_columns = (Measuring.registration_id, Measuring.dispatcher_id, Measuring.created_at)
    filters = (Measuring.state, Measuring.designer_id, Measuring.phone, Between(Measuring.planned_at))
    exact = (Measuring.phone,)
    search_hint = "完整手机号码"
    sorts = (Measuring.planned_at,)
    views = (
        View("waiting", "待量房", measuring.waiting, sort="planned_at"),
        View("overdue", "已逾期", measuring.overdue, hot=True, sort="planned_at"),
        View("done", "已量房", lambda now: Measuring.state == MeasuringState.DONE),
    )
    badges = (Measuring.state,)
    subtitle = (Measuring.planned_at, Measuring.designer_id)
    facts = (Measuring.phone, Measuring.address, Measuring.planned_at)
    detail = (
        Group("客户", Measuring.registration_id, Measuring.name, Measuring.phone, Measuring.address),
        Group(
            "量房",
            Measuring.designer_id,
            Measuring.planned_at,
            Measuring.remark,
            Measuring.state,
            Measuring.measured_on,
            Measuring.result,
            Measuring.attachment_name,
            Measuring.cancel_reason,
            Measuring.dispatcher_id,
            Measuring.created_at,
        ),
    )
    edit_form = (Group("量房", Measuring.designer_id, Measuring.planned_at, Measuring.remark),)
    update = staticmethod(measuring.change)
    actions = (measuring.complete_measuring, measuring.cancel_measuring)


Registrations.extend(actions=(tracking.track, tracking.send_lead_sms, measuring.dispatch))
Tasks.extend(detail=(Related(Measuring.task_id, "量房派遣", creates=False),))
