"""Subscribing to a dashboard, for oneself or for roles, and leaving again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from app.engine import audit
from app.engine.actions import Act, Invalid, NotFound, Refusal, action
from app.engine.deeds import hold
from app.engine.events import subscribe
from app.engine.resource import resource_of
from app.engine.scopes import Actor, Scope, scopes_of
from models.identity.roles import RoleAssignment, StaffRole
from models.identity.tables import Employee
from models.notifications.rules import notify_many
from models.shaping import brief_writing, dashboard_queries
from models.shaping.brief_tables import Brief, BriefLeaver, BriefRole, Cadence, Recipients, Weekday
from models.shaping.brief_timing import Timing, looks_back
from models.shaping.dashboards import Sharing

MOST = 20
"""So many briefs one person may ask for."""
_WIDER = frozenset({Scope.DEALER, Scope.GROUP})
_TIMES = ("cadence", "weekday", "day", "at")


def timing(brief: Any) -> Timing:
    """When the brief is due."""
    return _timing(*(getattr(brief, name) for name in _TIMES))


def _timing(cadence: Cadence, weekday: Weekday | None, day: str | None, at: str) -> Timing:
    return Timing(cadence, int((weekday or Weekday.MONDAY).value), int(day or 1), at)


def may_share(actor: Actor) -> bool:
    """Whether the person subscribes others too."""
    return actor.system or bool(scopes_of(resource_of(Brief), actor) & _WIDER)


def create_brief(brief: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Subscribe to a dashboard of one's own menu; the next moment is the first."""
    dashboard = brief_writing.offered(act.session, act.actor).get(brief.board)
    if dashboard is None:
        raise Refusal("没有这个看板，或您无权查看它的内容", "board")
    for name in ("cadence", "at", "recipients"):
        if getattr(brief, name) is None:
            setattr(brief, name, Brief.__table__.c[name].default.arg)
    brief.owner_id, brief.dealer_id, brief.name = act.actor.id, act.actor.dealer_id, dashboard.label
    amount = act.session.scalar(select(func.count()).where(Brief.owner_id == brief.owner_id)) or 0
    if amount >= MOST:
        raise Refusal(f"每人最多订阅{MOST}份简报，请先退订不看的")
    _judge(brief, act, values)
    brief.sent_for = timing(brief).latest(act.now)


def update_brief(brief: Any, act: Act, values: Mapping[str, Any]) -> None:
    """When it comes and to whom. What would have been due by the new time already is not made up for."""
    _judge(brief, act, values)
    asked = _timing(*(values.get(name, getattr(brief, name)) for name in _TIMES))
    brief.sent_for = asked.latest(act.now)


def remove_brief(brief: Any, act: Act) -> None:
    """Nobody gets it any more; what was sent stays with its readers."""


@subscribe("board_removed")
def end_with_board(act: Act, board: Any) -> None:
    """With a dashboard its briefs end."""
    for brief in act.session.scalars(select(Brief).where(Brief.board == f"board-{board.id}")):
        act.session.delete(brief)


def _judge(brief: Any, act: Act, values: Mapping[str, Any]) -> None:
    recipients = values.get("recipients", brief.recipients)
    if recipients is Recipients.MYSELF:
        return
    if not may_share(act.actor):
        raise Refusal("您只能为自己订阅，为角色订阅请联系商场系统管理员", "recipients")
    if not values.get("roles") and ("roles" in values or brief.id is None):
        raise Invalid({"roles": "请选择接收角色"})
    boards = dashboard_queries.boards(act.session).values()
    board = next((b for b in boards if b.key == brief.board), None)
    if board is not None and board.shared is Sharing.PERSONAL:
        raise Refusal("该看板仅自己可见，请先共享看板再为角色订阅", "recipients")


# ----- who gets it


def readers(session: Session, brief: Any) -> list[int]:
    """The people who get it: whoever asked, or everybody with one of the roles who has not left it."""
    return list(session.scalars(_readers(brief).order_by(Employee.id)))


def _readers(brief: Any) -> Select[Any]:
    working = select(Employee.id).where(Employee.active.is_(True), Employee.departed_at.is_(None))
    if brief.recipients is Recipients.MYSELF:
        return working.where(Employee.id == brief.owner_id)
    mine = Employee.dealer_id == brief.dealer_id if brief.dealer_id is not None else None
    found = working.where(_holds_role(brief.id), ~_left(brief.id))
    return found if mine is None else found.where(mine)


def _holds_role(brief_id: int) -> ColumnElement[bool]:
    effective = or_(StaffRole.dealer_id.is_(None), StaffRole.dealer_id == Employee.dealer_id)
    return exists(
        select(RoleAssignment.user_id)
        .join(BriefRole, BriefRole.role_id == RoleAssignment.role_id)
        .join(StaffRole, StaffRole.id == RoleAssignment.role_id)
        .where(RoleAssignment.user_id == Employee.id, BriefRole.brief_id == brief_id, effective)
    )


def _left(brief_id: int) -> ColumnElement[bool]:
    return exists().where(BriefLeaver.brief_id == brief_id, BriefLeaver.user_id == Employee.id)


def has_left(session: Session, brief_id: int, user_id: int) -> bool:
    """Whether that person does not want it any more."""
    gone = select(BriefLeaver.id).where(BriefLeaver.brief_id == brief_id, BriefLeaver.user_id == user_id)
    return session.scalar(gone) is not None


def leave(act: Act, brief_id: int) -> str:
    """End a brief for whoever asks: the own one altogether, that of a role for this person; once is enough.
    Raises `NotFound` for somebody who does not get it."""
    session, me = act.session, act.actor.id
    brief = hold(session, Brief, brief_id)
    if brief is None:
        raise NotFound
    if brief.recipients is Recipients.MYSELF and brief.owner_id == me:
        session.delete(brief)
        return f"已退订“{brief.name}”简报"
    if has_left(session, brief_id, me):
        return f"您已退订“{brief.name}”简报"
    if me not in readers(session, brief):
        raise NotFound
    session.add(BriefLeaver(brief_id=brief_id, user_id=me))
    audit.log(act, brief, "退订简报")
    return f"已退订“{brief.name}”简报"


def come_back(act: Act, brief_id: int) -> str:
    """Take leaving back. Raises `NotFound` for somebody who had not left."""
    session, me = act.session, act.actor.id
    brief = hold(session, Brief, brief_id)
    if brief is None or not has_left(session, brief_id, me):
        raise NotFound
    session.execute(delete(BriefLeaver).where(BriefLeaver.brief_id == brief_id, BriefLeaver.user_id == me))
    audit.log(act, brief, "重新订阅简报")
    return f"已重新订阅“{brief.name}”简报"


@action("立即发给我", on=Brief, name="send_brief", icon="send", row=True)
def send_now(brief: Any, act: Act) -> str:
    """The brief as it stands now, to whoever asks alone; the next one comes at its time all the same."""
    span = looks_back(brief.cadence, act.now)
    unique = f"brief:{brief.id}:now:{act.deed_id}"
    row = brief_writing.message(act.session, act.actor, brief.board, span, unique, act.now)
    if row is None:
        raise Refusal("您无权查看该看板的内容，或看板已不存在")
    notify_many(act.session, [row])
    return "简报已发到提醒消息"
