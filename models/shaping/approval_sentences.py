"""What people are told of approvals: that it is their turn, and what became of what they asked for."""

from __future__ import annotations

from collections.abc import Iterable

from app.engine.actions import Act
from models.notifications.sentences import Sentence, Value, say, sentence
from models.notifications.topics import APPLICATION
from models.shaping.approval_tables import ApprovalRequest, RequestState

_REQUEST = {"申请": "张女士：失效"}
WAITING = sentence(
    "approval.waiting", APPLICATION, "等待审批，告知审批人",
    "待审批：{{申请}}", "待审批：{{数量}}条申请", {}, _REQUEST, "approval_requests",
)  # fmt: skip
VACANT = sentence(
    "approval.vacant", APPLICATION, "审批步骤无人可审批，告知审批流程的管理员",
    "无人审批：{{申请}}", "无人审批：{{数量}}条申请", {}, _REQUEST, "approval_requests",
)  # fmt: skip
ENDED = sentence(
    "approval.ended", APPLICATION, "审批结束，告知申请人",
    "{{申请}}，{{结果}}", "{{状态}}：{{数量}}条申请",
    {"状态": "已完成"}, {**_REQUEST, "结果": "已完成"}, "approval_requests",
)  # fmt: skip


def tell_waiting(act: Act, request: ApprovalRequest, people: Iterable[int]) -> None:
    """It is these people's turn."""
    _say(act, request, people, WAITING, {})


def tell_vacant(act: Act, request: ApprovalRequest, people: Iterable[int]) -> None:
    """Nobody of the step is left: these people see to it."""
    _say(act, request, people, VACANT, {})


def tell_end(act: Act, request: ApprovalRequest, state: RequestState, result: str) -> None:
    """Whoever asked hears how it ended."""
    said = f"{state.label}：{result}" if result else state.label
    _say(act, request, [request.applicant_id], ENDED, {"状态": state.label, "结果": said})


def _say(
    act: Act, request: ApprovalRequest, users: Iterable[int], said: Sentence, values: dict[str, Value]
) -> None:
    # what is asked for has its name when the deed is done
    held = values | {"申请": lambda: request.title}
    say(
        act, users, said, held, record=request, label=lambda: request.title, dealer_id=request.dealer_id,
    )  # fmt: skip
