"""Deciding about what waits, and declaring what has to."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import object_session

from app.engine import audit
from app.engine.actions import Act, Done, Invalid, Refusal, Stale, action
from app.engine.approving import deed_named
from app.engine.choices import Choice, Tone
from app.engine.fields import entry
from app.engine.scopes import Actor
from models.identity.for_all import keep_for_all, settle_owner
from models.identity.rules import colleague, keep_preset, unique
from models.identity.tables import Employee
from models.shaping import approval_people, approval_requests, approval_words
from models.shaping.approval_tables import (
    UNDECIDED,
    ApprovalFlow,
    ApprovalRequest,
    ApprovalSeat,
    RequestState,
    SeatState,
)

WHO_SEES = "查看列表与详情"


class Verdict(Choice):
    """What somebody says of a request."""

    AGREE = "agree", "同意", Tone.GOOD
    REFUSE = "refuse", "不同意", Tone.BAD


class Decided(Stale):
    """Somebody else was quicker; says who, and what with."""

    def __init__(self, request: ApprovalRequest) -> None:
        done = request.last_word or request.state.label
        Refusal.__init__(self, f"此申请已有新的进展（{done}），您的意见未提交，请核对后重新选择")


def _waits(request: Any) -> bool:
    return request.state in UNDECIDED


def _changes(request: Any, act: Act) -> list[str]:
    return approval_words.changes_in_words(request.changes, act.actor).splitlines()


def _has_turn(request: Any, actor: Actor) -> bool:
    session = object_session(request)
    open_ones = (ApprovalSeat.request_id == request.id, ApprovalSeat.state == SeatState.OPEN)
    mine = select(ApprovalSeat.id).where(*open_ones, ApprovalSeat.user_id == actor.id)
    return session is not None and session.scalar(mine) is not None


@action(
    "审批", on=ApprovalRequest, name="decide", permission=approval_people.SEEING, permission_label=WHO_SEES,
    icon="checks", primary=True, batch=False, versioned=True, when=_waits, whom=_has_turn, tells=_changes,
    fields=(
        entry("verdict", "审批结论", choices=Verdict, required=True),
        entry("remark", "审批意见", "textarea", maxlength=200, needed_when="verdict=refuse",
              placeholder="请填写审批意见", hint="申请人和其他审批人都能看到；不同意时请写明理由"),
    ),
)  # fmt: skip
def decide(request: ApprovalRequest, act: Act, verdict: Verdict, remark: str | None = None) -> str | Done:
    """Agree to what somebody wants done, or refuse it; the last word does it."""
    if request.applicant_id == act.actor.id:
        raise Refusal("不能审批自己提交的申请")
    seat = _seat(act, request)
    if not _waits(request) or (seat is not None and seat.state is not SeatState.OPEN):
        raise Decided(request)
    step = request.steps[request.step]
    able = approval_requests.able(act.session, request)
    if seat is None or act.actor.id not in able:
        raise Refusal(f"现在由{request.stage}审批，您不是此步骤的审批人")
    if verdict is Verdict.REFUSE and not (remark or "").strip():
        raise Invalid({"remark": "请填写不同意的理由"})
    agreed = verdict is Verdict.AGREE
    seat.state = SeatState.AGREED if agreed else SeatState.REFUSED
    request.last_word = f"{act.actor.called}{verdict.label}" + (f"：{remark}" if remark else "")
    approval_requests.note(act, request, verdict.label, remark)
    audit.log(act, request, f"{verdict.label}申请")
    act.session.flush()
    if not agreed:
        approval_requests.end(act, request, RequestState.REFUSED, f"{act.actor.called}：{remark}")
        return "已退回申请人"
    changed = approval_requests.changed_since(act.session, request)
    if changed:
        return approval_requests.ask_anew(act, request, changed)
    left = [s for s in approval_requests.seats(act.session, request) if _is_awaited(s, request, able)]
    if step.get("all") and left and request.state is not RequestState.VACANT:
        return f"已同意，还需{len(left)}人同意"
    return approval_requests.onwards(act, request)


def _is_awaited(seat: ApprovalSeat, request: ApprovalRequest, able: list[int]) -> bool:
    return seat.state is SeatState.OPEN and seat.step == request.step and seat.user_id in able


def _seat(act: Act, request: ApprovalRequest) -> ApprovalSeat | None:
    mine = (ApprovalSeat.request_id == request.id, ApprovalSeat.user_id == act.actor.id)
    return act.session.scalar(select(ApprovalSeat).where(*mine))


def _vacant(request: Any) -> bool:
    return request.state is RequestState.VACANT


def _of_another(request: Any, actor: Actor) -> bool:
    return bool(request.applicant_id != actor.id)


@action(
    "转交审批", on=ApprovalRequest, name="pass_on", permission=approval_people.LOOKING_AFTER,
    permission_label="编辑审批流程", icon="user-share", batch=False, versioned=True, when=_vacant, whom=_of_another,
    fields=(
        entry("person", "转交给", target=Employee, required=True,
              hint="由此人审批这一条申请；以后的申请仍按审批流程，步骤请在审批流程中修改"),
    ),
)  # fmt: skip
def pass_on(request: ApprovalRequest, act: Act, person: int) -> str:
    """Let somebody else answer what nobody of the step can answer any more."""
    if request.applicant_id == act.actor.id:
        raise Refusal("不能转交自己提交的申请")
    if not _vacant(request):
        raise Refusal(f"此申请{request.state.label}，不需要转交")
    if person == request.applicant_id:
        raise Invalid({"person": "不能转交给申请人本人"})
    chosen = colleague(act, person, request.dealer_id, "person")
    step = {"who": f"{approval_people.PERSON}{chosen.id}", "named": chosen.name}
    request.steps = [*request.steps[:-1], step]
    approval_requests.close_turns(act.session, request)
    if not approval_requests.open_step(act, request, request.step):
        raise Invalid({"person": f"{chosen.name}没有查看审批的权限，请选择其他人"})
    approval_requests.note(act, request, f"转交给{chosen.name}")
    audit.log(act, request, "转交审批")
    return f"已转交给{chosen.name}审批"


def _mine(request: Any, actor: Actor) -> bool:
    return bool(request.applicant_id == actor.id)


@action(
    "撤回", on=ApprovalRequest, name="withdraw", permission=approval_people.SEEING, permission_label=WHO_SEES,
    icon="arrow-back-up", batch=False, when=_waits, whom=_mine, confirm="确认撤回此申请？撤回后不会执行。",
)  # fmt: skip
def withdraw(request: ApprovalRequest, act: Act) -> str:
    """Take back what nobody needs to agree to any more."""
    if request.applicant_id != act.actor.id:
        raise Refusal("只能撤回自己提交的申请")
    if not _waits(request):
        raise Refusal(f"此申请{request.state.label}，不能撤回")
    approval_requests.note(act, request, "撤回申请")
    approval_requests.end(act, request, RequestState.WITHDRAWN)
    return "已撤回，未执行任何操作"


# ----- what has to wait


def create_flow(flow: Any, act: Act, values: Mapping[str, Any]) -> None:
    """A rule of the own dealer, or of the group for everybody when the group makes it."""
    settle_owner(flow, act, values)
    _judge(flow, act, values)


def update_flow(flow: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Holds for what is asked from now on; what waits already keeps its steps."""
    keep_preset(flow, act, ApprovalFlow.__tablename__)
    _judge(flow, act, values)


def remove_flow(flow: Any, act: Act) -> None:
    """What waits under it goes on."""
    keep_preset(flow, act, ApprovalFlow.__tablename__)


def _judge(flow: Any, act: Act, values: Mapping[str, Any]) -> None:
    keep_for_all(act, flow, values)
    names = ("name", "subject", "deed", "watched", "condition", "steps", "active")
    wanted = SimpleNamespace(**{n: values.get(n, getattr(flow, n)) for n in names})
    deed = deed_named(wanted.deed or "")
    if deed is None or deed.resource.name != wanted.subject:
        raise Invalid({"deed": "请选择所选对象的操作"})
    if wanted.watched and wanted.watched.get("of") != deed.name:
        raise Invalid({"watched": "所选字段属于另一种操作，请重新选择"})
    if wanted.condition and wanted.condition.get("of") != deed.name:
        raise Invalid({"condition": "适用条件属于另一种操作，请重新填写"})
    if not wanted.steps:
        raise Invalid({"steps": "请至少填写一个审批步骤"})
    unique(
        act, flow, ApprovalFlow.name, wanted.name, ApprovalFlow.dealer_id.is_not_distinct_from(flow.dealer_id)
    )
    if flow.dealer_id is not None:
        for n, step in enumerate(wanted.steps, 1):
            if not approval_people.anybody(act.session, step, flow.dealer_id):
                who = approval_people.who_words(step)
                raise Invalid({"steps": f"第{n}步“{who}”现在没有能查看审批的在职人员，无人可以审批"})
