"""What waits is seen to: a step whose people are gone asks whoever can answer it now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set
from functools import cache, partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import audit, clock
from app.engine.actions import Act
from app.engine.outbox import Delivery
from models.shaping import approval_people, approval_requests
from models.shaping.approval_tables import UNDECIDED, ApprovalRequest, ApprovalSeat, RequestState, SeatState

EVERY = clock.Every(10)


@clock.scheduled("approvals.tend", EVERY, label="审批人检查")
def tend_all(delivery: Delivery) -> None:
    """People leave, lose a role or work in another store without anybody thinking of what waits for them. Requests
    in somebody's hands at this moment follow the next time."""
    session = delivery.session
    waiting = select(ApprovalRequest).where(ApprovalRequest.state.in_(UNDECIDED)).order_by(ApprovalRequest.id)
    act = clock.deed(delivery, "审批人检查")
    with audit.acting(session, act):
        found = session.scalars(waiting.with_for_update(skip_locked=True)).all()
        turns = _turns(session)
        speakers = cache(partial(_speakers, session))
        for request in found:
            who = str(request.steps[request.step]["who"])
            people = speakers(who, request.dealer_id, request.applicant_id)
            if request.state is RequestState.VACANT and not people:
                approval_requests.to_keepers(act, request)
            elif request.state is RequestState.VACANT or not people & turns[request.id]:
                _ask_others(act, request, people)
        session.flush()


def _turns(session: Session) -> dict[int, set[int]]:
    """Whose turn it is, by request."""
    found: dict[int, set[int]] = defaultdict(set)
    wanted = select(ApprovalSeat.request_id, ApprovalSeat.user_id).where(ApprovalSeat.state == SeatState.OPEN)
    for request, user in session.execute(wanted):
        found[request].add(user)
    return found


def _speakers(session: Session, who: str, dealer_id: int, applicant_id: int) -> frozenset[int]:
    return frozenset(approval_people.speakers(session, {"who": who}, dealer_id, applicant_id))


def _ask_others(act: Act, request: ApprovalRequest, people: Set[int]) -> None:
    """Nobody whose turn it is can answer any more: ask those who can, while the time of the step runs on; where there
    are none, go on as if the step began now."""
    step, due_at = request.step, request.due_at
    approval_requests.close_turns(act.session, request)
    if people:
        who = approval_people.who_words(request.steps[request.step])
        approval_requests.note(act, request, f"{who}的人员有变动，改由现在的人员审批")
    approval_requests.ask_from(act, request, step)
    if request.step == step:
        request.due_at = due_at
