"""What came of a handover, customer by customer; trying the rest again, and taking it back (A-56)."""

from __future__ import annotations

from contextlib import suppress

from flask import flash, redirect
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from app.engine import chrome, detail, history, perform
from app.engine.actions import Act, Forbidden, NotFound, Refusal
from app.engine.database import PK, db, utcnow
from app.engine.deeds import deed
from app.engine.pages import HandoverResult, Link, Passed, Refused
from app.engine.security import entrance, require_actor
from models.customers import friends, handover, handover_run
from models.customers.admin_resources import Handovers
from models.customers.handover_tables import HandoverState, ItemState
from models.customers.resources import Customers

URL = "/handovers"
SHOWN = 500
AT_ONCE = 2
"""Pieces that are done while the person waits; the rest goes on in the background."""
_GOOD = (ItemState.DONE, ItemState.UNCHANGED, ItemState.RETURNED, ItemState.WAITING, ItemState.RETURNING)
_BAD = (ItemState.REFUSED, ItemState.KEPT)


class HandoverResultView(BaseView):  # type: ignore[misc]
    """The page of one handover."""

    route_base = URL

    @expose(f"/{PK}", methods=["GET"])
    def show(self, pk: int) -> ResponseReturnValue:
        """How far it is, what was done, what was not and why."""
        return chrome.page("handover_result.html", key=Customers.name, title="交接结果", page=_page(pk))

    @expose(f"/{PK}/again", methods=["POST"])
    def again(self, pk: int) -> ResponseReturnValue:
        """Try those once more that were not done."""
        return _deed(pk, "重试交接", handover_run.retry, "没有需要重试的客户")

    @expose(f"/{PK}/back", methods=["POST"])
    def back(self, pk: int) -> ResponseReturnValue:
        """撤销交接, as far as nobody has worked on the customers since."""
        return _deed(pk, "撤销交接", handover_run.give_back, "没有可撤销的客户")


def carry_on(pk: int) -> None:
    """Do the next pieces while the person waits; what is left goes on in the background, and so does all of it
    where the database is busy now."""
    with suppress(Refusal):
        for _ in range(AT_ONCE):
            if not handover_run.piece(db.session(), pk, utcnow(), entrance()):
                break


def _deed(pk: int, words: str, rule: handover_run.Rule, none: str) -> ResponseReturnValue:
    actor = require_actor()
    act = Act(actor, utcnow(), db.session(), entrance(), words)
    try:
        with deed(act):
            amount = rule(act, pk)
    except (Forbidden, NotFound):
        raise
    except Refusal as refusal:
        flash(refusal.message, "bad")
        return redirect(f"{URL}/{pk}")
    for warning in act.warnings:
        flash(warning, "warning")
    if not amount:
        flash(none, "warning")
    carry_on(pk)
    return redirect(f"{URL}/{pk}")


def _page(pk: int) -> HandoverResult:
    actor, session = require_actor(), db.session()
    if not actor.can("can_list", Handovers.view_name()):
        raise Forbidden(Handovers.label, seeing=True)
    found = perform.find(session, Handovers, pk, actor)
    amounts = handover_run.counts(session, pk)
    rows = [
        *handover_run.items_of(session, pk, _BAD, SHOWN),
        *handover_run.items_of(session, pk, _GOOD, SHOWN),
    ]
    names = detail.labels(session, Customers, [r[0] for r in rows], actor)

    def link(customer_id: int) -> tuple[str, str]:
        known = names.get(customer_id)
        return (known, f"/customers/{customer_id}") if known else (f"#{customer_id}", "")

    refused = [Refused(link(r[0])[0], r[3] or "", link(r[0])[1]) for r in rows if r[2] in _BAD]
    passed = [Passed(*link(r[0]), r[1], r[2].label) for r in rows if r[2] not in _BAD]
    running = found.state in (HandoverState.RUNNING, HandoverState.RETURNING)
    waiting = amounts.get(ItemState.WAITING, 0) + amounts.get(ItemState.RETURNING, 0)
    allowed = found.kind in handover.kinds(actor) and found.state is HandoverState.DONE
    shown = HandoverResult(
        f"{found.kind.label}：{found.title}",
        f"{found.state.label} · {history.moment(found.created_at)}",
        [Link(s.label, "", name=s.tone.value if s.tone else "", count=str(n)) for s, n in _ordered(amounts)],
        refused,
        passed,
        more=max(0, found.total - len(rows)),
        refresh=3 if running else 0,
        percent=100 * (found.total - waiting) // max(1, found.total),
        retry_url=f"{URL}/{pk}/again" if allowed and amounts.get(ItemState.REFUSED) else "",
        undo_url=f"{URL}/{pk}/back" if allowed and amounts.get(ItemState.DONE) else "",
        undo_confirm="撤销后客户、未完成的任务和服务单回到交接人名下；交接后已有人处理过的不会撤销，并会逐条说明。",
        history_url=f"{URL}/",
    )
    if amounts.get(ItemState.DONE):
        shown.notes.append(friends.NOTE)
    return shown


def _ordered(amounts: dict[ItemState, int]) -> list[tuple[ItemState, int]]:
    return [(state, amounts[state]) for state in ItemState if amounts.get(state)]


VIEWS = [HandoverResultView]
