"""How a request comes to be and goes its way: from step to step, with everybody told, until the deed is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import timedelta
from typing import Any

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from app.engine import approving, attached, audit, outbox, perform
from app.engine.actions import Act, Done, Question, Refusal
from app.engine.approving import CREATE, Deed, Looked, Submitted, Wanted
from app.engine.conditions import Wrong, from_json
from app.engine.fields import describe
from app.engine.scopes import SYSTEM
from models.identity.per_epoch import PerEpoch
from models.shaping import approval_people
from models.shaping.approval_doing import do, frozen, specs_of
from models.shaping.approval_sentences import tell_end, tell_vacant, tell_waiting
from models.shaping.approval_tables import (
    UNDECIDED,
    ApprovalFlow,
    ApprovalRequest,
    ApprovalSeat,
    RequestState,
    SeatState,
    deed_words,
)

ESCALATE = "approval.escalate"
URL = "/approval_requests"
SHOWN = 20
"""So many rows of what a deed would change are kept."""


# ----- the rules in force


def _load(session: Session) -> tuple[ApprovalFlow, ...]:
    statement = select(ApprovalFlow).where(ApprovalFlow.active.is_(True))
    order = (ApprovalFlow.dealer_id.is_(None), ApprovalFlow.sort, ApprovalFlow.id)
    flows = tuple(session.scalars(statement.order_by(*order)))
    for flow in flows:
        session.expunge(flow)
    return flows


in_force = PerEpoch(_load)
"""The rules of everybody that are switched on, the dealers' before the group's."""


class Keeper:
    """What the engine asks of approvals."""

    def flows(self, act: Act, deed: Deed) -> Sequence[Any]:
        """The rules for that deed in the person's dealer; people of the group and the system need nobody's word."""
        dealer = act.actor.dealer_id
        if dealer is None or act.actor.system:
            return ()
        return [
            f
            for f in in_force(act.session)
            if f.deed == deed.name and f.steps and f.dealer_id in (None, dealer)
        ]

    def holds(self, flow: Any, act: Act, deed: Deed, looked: Looked) -> bool:
        """Whether the rule is about this record. One whose condition names what is gone holds for all: a rule that
        cannot be read any more lets nothing slip through."""
        if not flow.condition:
            return True
        try:
            return from_json(flow.condition).holds(looked, act.now)
        except Wrong:
            return True

    def watches(self, flow: Any, changed: Set[str]) -> bool:
        """Whether one of the fields that the rule names is changed; one that names none is about all."""
        return not flow.watched or not changed.isdisjoint(flow.watched["fields"])

    def submit(self, wanted: Wanted) -> Submitted:
        """Keep the request and ask at the first step."""
        act, session = wanted.act, wanted.act.session
        if not act.actor.can(*wanted.deed.permission):
            raise Refusal(
                f"此操作{approving.WAITS}（{wanted.flow.name}），只能由有“{wanted.deed.label}”权限的人提交"
            )
        request = _request(wanted)
        same = _same(session, request)
        if same is not None:
            return Submitted(f"相同的申请已在审批中（{same.flow_name}，{same.stage}）", f"{URL}/{same.id}")
        with audit.acting(
            session, Act(act.actor, act.now, session, act.source, "create", deed_id=act.deed_id)
        ):
            session.add(request)
            session.flush()
            if not open_step(act, request, 0):
                who = approval_people.who_words(request.steps[0])
                raise Refusal(
                    f"此操作需要审批（{request.flow_name}），但现在没有可以审批的{who}，请联系商场系统管理员"
                )
            session.flush()
        asked = f"已提交审批（{request.flow_name}，{request.stage}），通过后自动执行"
        return Submitted(asked, f"{URL}/{request.id}")


def _request(wanted: Wanted) -> ApprovalRequest:
    act, deed = wanted.act, wanted.deed
    specs = specs_of(deed, act.actor)
    shown = [dict(row) for row in wanted.changes if row["changes"].get("fields")][:SHOWN]
    return ApprovalRequest(
        title=_title(wanted)[:160], flow_name=wanted.flow.name, flow_id=wanted.flow.id,
        subject=deed.resource.name, deed=deed.name, applicant_id=act.actor.id, dealer_id=act.actor.dealer_id,
        asked={n: frozen(specs[n], v) for n, v in wanted.values.items() if n in specs},
        records=[[r.id, getattr(r, "version", None), perform.label_of(deed.resource, r)] for r in wanted.records],
        answers=sorted(act.answers), steps=[dict(step) for step in wanted.flow.steps],
        changes=[_kept_row(row, wanted.deed, wanted.values) for row in shown],
        trail=[_mark(act, "提交申请")],
    )  # fmt: skip


def _same(session: Session, request: ApprovalRequest) -> ApprovalRequest | None:
    """What the person has asked for already, of the same records as they are, and what still waits."""
    mine = (
        ApprovalRequest.applicant_id == request.applicant_id,
        ApprovalRequest.deed == request.deed,
        ApprovalRequest.state.in_(UNDECIDED),
    )
    waiting = session.scalars(select(ApprovalRequest).where(*mine)) if request.records else ()
    alike = (r for r in waiting if (r.records, r.asked) == (request.records, request.asked))
    return next(alike, None)


def _title(wanted: Wanted) -> str:
    words = deed_words(wanted.deed)
    labels = [perform.label_of(wanted.deed.resource, r) for r in wanted.records]
    if not labels:
        labels = _names_of_new(wanted)[:1]
    return words + (f"：{labels[0]}" if labels else "") + (f" 等{len(labels)}条" if len(labels) > 1 else "")


def _names_of_new(wanted: Wanted) -> list[str]:
    """What a record that is not yet there may be called by: as it was named, else after what was chosen in it."""
    title = wanted.values.get(describe(wanted.deed.resource.title).name)
    fields = (row["changes"]["fields"] for row in wanted.changes[:1])
    chosen = (p for of in fields for n, p in of.items() if n in wanted.values)
    return ([title] if isinstance(title, str) and title else []) + [
        str(p[3]) for p in chosen if len(p) == 4 and p[3]
    ]


def _kept_row(row: Mapping[str, Any], deed: Deed, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is worth knowing beforehand: numbers drawn while trying are given back, so that a record that is not
    yet there has neither number nor name."""
    changes = dict(row["changes"])
    fresh = row["action"] == "create"
    if fresh and row["resource"] == deed.resource.name and deed.code == CREATE:
        changes["fields"] = {n: p for n, p in changes["fields"].items() if n in asked}
    return {
        "resource": row["resource"], "kind": row["kind_label"], "label": "" if fresh else row["record_label"],
        "dealer": row["dealer_id"], "changes": changes,
    }  # fmt: skip


# ----- from step to step


def _mark(act: Act, what: str, remark: str | None = None) -> dict[str, Any]:
    return {
        "at": act.now.isoformat(timespec="seconds"),
        "who": act.actor.called,
        "what": what,
        "remark": remark or "",
    }


def note(act: Act, request: ApprovalRequest, what: str, remark: str | None = None) -> None:
    """Keep that something happened to a request."""
    request.trail = [*request.trail, _mark(act, what, remark)]


def open_step(act: Act, request: ApprovalRequest, number: int) -> bool:
    """Ask at that step. False when nobody could answer there."""
    session = act.session
    step = request.steps[number]
    people = approval_people.speakers(session, step, request.dealer_id, request.applicant_id)
    if not people:
        return False
    request.step, request.state = number, RequestState.WAITING
    of = f"第{number + 1}步，共{len(request.steps)}步" if len(request.steps) > 1 else ""
    how = "全部同意" if step.get("all") and len(people) > 1 else ""
    request.stage = "，".join(filter(None, (approval_people.who_words(step), how, of)))[:120]
    request.due_at = act.now + timedelta(hours=int(step["hours"])) if step.get("hours") else None
    _seat(session, request, people, number)
    if request.due_at is not None:
        place = {"request": request.id, "round": request.round, "step": number}
        key = f"{ESCALATE}:{request.id}:{request.round}:{number}"
        outbox.put(session, ESCALATE, place, key, at=request.due_at, now=act.now)
    tell_waiting(act, request, people)
    return True


def ask_from(act: Act, request: ApprovalRequest, first: int) -> None:
    """Ask at that step, or at the next one where somebody can answer. Those between are passed over, the last one
    never: it falls to those who look after approvals."""
    for number in range(first, len(request.steps)):
        if open_step(act, request, number):
            return
        if number + 1 < len(request.steps):
            who = approval_people.who_words(request.steps[number])
            note(act, request, f"第{number + 1}步没有可以审批的{who}，已跳过")
    who = approval_people.who_words(request.steps[-1])
    request.step, request.state, request.due_at = len(request.steps) - 1, RequestState.VACANT, None
    request.stage = f"{who}，无人可审批"[:120]
    note(act, request, f"没有可以审批的{who}，交由审批流程的管理员处理")
    to_keepers(act, request)


def to_keepers(act: Act, request: ApprovalRequest) -> None:
    """Let those who look after approvals know of a request that has nobody left, unless one of them does."""
    people = approval_people.keepers(act.session, request.dealer_id, request.applicant_id)
    if not any(s.state is SeatState.OPEN and s.user_id in people for s in seats(act.session, request)):
        _seat(act.session, request, people, request.step)
        tell_vacant(act, request, people)


def able(session: Session, request: ApprovalRequest) -> list[int]:
    """Who may decide about a request now."""
    dealer, applicant = request.dealer_id, request.applicant_id
    if request.state is RequestState.VACANT:
        return approval_people.keepers(session, dealer, applicant)
    return approval_people.speakers(session, request.steps[request.step], dealer, applicant)


def _seat(session: Session, request: ApprovalRequest, people: Iterable[int], number: int) -> None:
    known = {s.user_id: s for s in seats(session, request)}
    for user in people:
        seat = known.get(user) or ApprovalSeat(request_id=request.id, user_id=user)
        seat.step, seat.state = number, SeatState.OPEN
        session.add(seat)
    session.flush()


def seats(session: Session, request: ApprovalRequest) -> list[ApprovalSeat]:
    """Everybody who has or had a turn."""
    return list(session.scalars(select(ApprovalSeat).where(ApprovalSeat.request_id == request.id)))


def close_turns(session: Session, request: ApprovalRequest) -> None:
    """Nobody's turn is open any more."""
    for seat in seats(session, request):
        if seat.state is SeatState.OPEN:
            seat.state = SeatState.PASSED
    request.due_at = None


def onwards(act: Act, request: ApprovalRequest) -> str | Done:
    """Go on after the present step: to the next one, and after the last one do it. Returns what became of it, in
    words."""
    close_turns(act.session, request)
    if request.step + 1 < len(request.steps):
        ask_from(act, request, request.step + 1)
        return f"已同意，等待{request.stage}"
    return carry_out(act, request)


def end(act: Act, request: ApprovalRequest, state: RequestState, result: str = "") -> None:
    """Close a request, and tell whoever asked."""
    close_turns(act.session, request)
    request.state, request.stage, request.result = state, "", result or None
    tell_end(act, request, state, result)


def escalate(act: Act, request: ApprovalRequest) -> None:
    """Nobody answered in time: the next step decides in place of this one."""
    close_turns(act.session, request)
    note(act, request, f"{approval_people.who_words(request.steps[request.step])}超时未处理，转下一步")
    ask_from(act, request, request.step + 1)


# ----- doing it


def changed_since(session: Session, request: ApprovalRequest) -> list[str]:
    """The records that are not any more what they were when this was asked, by name; those that are gone too."""
    deed = approving.deed_named(request.deed)
    if deed is None or not hasattr(deed.resource.model, "version"):
        return []
    now = _versions(session, deed, request)
    return [str(label) for i, version, label in request.records if now.get(i) != version]


def _versions(session: Session, deed: Deed, request: ApprovalRequest) -> dict[int, int]:
    model = deed.resource.model
    wanted = model.id.in_([r[0] for r in request.records])
    return {row[0]: row[1] for row in session.execute(select(model.id, model.version).where(wanted))}


def ask_anew(act: Act, request: ApprovalRequest, changed: Sequence[str]) -> str | Done:
    """What was agreed to is not there any more: show what the deed would do now, and ask from the beginning."""
    session = act.session
    who = f"{changed[0]}等{len(changed)}条" if len(changed) > 1 else changed[0]
    note(act, request, f"{who}在申请后被修改，重新审批")
    deed = approving.deed_named(request.deed)
    assert deed is not None
    now = _versions(session, deed, request)
    request.records = [[i, now.get(i), label] for i, _, label in request.records if i in now]
    attempt = approving.attempt(act)
    try:
        do(act, request)
    except Refusal as refusal:
        attempt.drop()
        return _failed(act, request, refusal)
    rows = attempt.undo()
    told = [row for row in rows if row["changes"].get("fields")][:SHOWN]
    request.changes = [_kept_row(row, deed, request.asked) for row in told]
    request.round += 1
    close_turns(session, request)
    ask_from(act, request, 0)
    return f"{who}在申请后被修改，未执行；已按现在的内容重新发起审批"


def carry_out(act: Act, request: ApprovalRequest) -> str | Done:
    """Do what everybody has agreed to, in the name and by the rights of whoever asked, as they are now."""
    changed = changed_since(act.session, request)
    if changed:
        return ask_anew(act, request, changed)
    attempt = approving.attempt(act)
    try:
        said, links = do(act, request)
    except Refusal as refusal:
        attempt.drop()
        return _failed(act, request, refusal)
    attempt.keep()
    request.deed_id = act.deed_id
    end(act, request, RequestState.DONE, said)
    return Done("已同意并执行" + (f"：{said}" if said else ""), links)


def _failed(act: Act, request: ApprovalRequest, refusal: Refusal) -> str:
    why = refusal.heading if isinstance(refusal, Question) else refusal.message
    note(act, request, "执行未成功", why)
    end(act, request, RequestState.FAILED, why)
    return f"审批已通过，但执行未成功：{why}"


# ----- in time


@outbox.handler(ESCALATE, label="审批超时")
def _escalate(delivery: outbox.Delivery) -> None:
    """A step's time is over; where somebody has answered by then, nothing happens."""
    place, session = delivery.payload, delivery.session
    act = Act(SYSTEM, delivery.now, session, "timer", "审批超时")
    with audit.acting(session, act):
        found = select(ApprovalRequest).where(ApprovalRequest.id == place["request"]).with_for_update()
        request = session.scalar(found)
        if request is None or request.state is not RequestState.WAITING:
            return
        if (request.round, request.step) == (place["round"], place["step"]):
            escalate(act, request)
            session.flush()


def _waits_with(session: Session, file: str) -> bool:
    """Whether a request still waits whose form came with that file."""
    holding = cast(ApprovalRequest.asked, Text).contains(file, autoescape=True)
    waits = select(ApprovalRequest.id).where(ApprovalRequest.state.in_(UNDECIDED), holding)
    return session.scalar(waits.limit(1)) is not None


attached.kept_for(_waits_with)
approving.provide_approvals(Keeper())
