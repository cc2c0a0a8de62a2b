"""后台队列: what waits, what is carried out, what was parked and why, and whether somebody carries it."""

from __future__ import annotations

from datetime import datetime

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from app.engine import backlog, chrome, pages, queue
from app.engine.actions import Forbidden, Refusal
from app.engine.audit import LOGS
from app.engine.cells import near
from app.engine.database import db, id_of, utcnow
from app.engine.jobcentre import OPERATING
from app.engine.security import require_actor

URL = "/queue/"
TITLE = "后台队列"
_LANES = {"zhike": "普通", "zhike-long": "长任务"}

chrome.add_entry(chrome.Entry(LOGS, "queue", TITLE, URL, "list", 985, OPERATING))


class QueueView(BaseView):  # type: ignore[misc]
    """The page and its one button."""

    route_base = "/queue"

    @expose("/", methods=["GET"])
    def page(self) -> ResponseReturnValue:
        """Numbers per state, parked rows with their reasons, workers alive."""
        _operator()
        return chrome.page("queue.html", key="queue", title=TITLE, page=_page(utcnow()))

    @expose("/again", methods=["POST"])
    def again(self) -> ResponseReturnValue:
        """Take a parked row up again."""
        _operator()
        if not backlog.again(db.session(), id_of(request.form.get("id")), utcnow()):
            raise Refusal("此项已不在失败列表中，或任务已重新开始")
        flash("已重新排队", "good")
        return redirect(URL)


def _operator() -> None:
    if not require_actor().can(*OPERATING):
        raise Forbidden(TITLE, seeing=True)


def _page(now: datetime) -> pages.QueuePage:
    session = db.session()
    amounts, parked = backlog.amounts(session, now), backlog.parked(session)
    waiting, later = sum(a.waiting for a in amounts), sum(a.later for a in amounts)
    running, lost = sum(a.running for a in amounts), sum(a.parked for a in amounts)
    figures = [
        ("等待中", str(waiting), ""),
        ("定时等待", str(later), ""),
        ("执行中", str(running), ""),
        ("已停止重试", str(lost), "bad" if lost else ""),
    ]
    shown = pages.QueuePage(
        TITLE,
        URL,
        figures,
        [
            pages.BacklogLine(
                a.label, a.waiting, a.later, a.running, a.parked, near(a.oldest, now) if a.oldest else ""
            )
            for a in amounts
        ],
        [pages.ParkedLine(p.label, p.attempts, near(p.at, now), p.reason, p.id) for p in parked],
        [],
    )
    if lost > len(parked):
        shown.more_parked = f"仅显示最近 {len(parked)} 项，共 {lost} 项"
    try:
        shown.figures.append(("Redis 队列", str(queue.current().depth()), ""))
        shown.workers = [_worker(w, now) for w in queue.current().workers()]
    except queue.QueueDown:
        shown.away = "Redis 暂时无法连接。待办事项保存在数据库中，恢复后会自动继续执行。"
    return shown


def _worker(seen: queue.Seen, now: datetime) -> pages.WorkerLine:
    takes = "、".join(_LANES.get(name, name) for name in seen.takes)
    state, tone = ("执行中", "i") if seen.busy else ("空闲", "g")
    return pages.WorkerLine(seen.name, takes, state, tone, near(seen.at, now) if seen.at else "")


VIEWS = [QueueView]
