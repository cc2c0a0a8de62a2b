"""我的报备: a registrant's own page. What became of the leads, what is left today, what would help."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy.orm import Session

from app.engine import chrome, counting, listing, reading
from app.engine.actions import Forbidden
from app.engine.addresses import address
from app.engine.cells import text
from app.engine.database import db, utcnow
from app.engine.fields import describe, with_companions
from app.engine.localtime import local
from app.engine.pages import Advice, Link, StandingLine, StandingPage
from app.engine.resource import Resource
from app.engine.scopes import Actor, Scope
from app.engine.security import require_actor
from models.registrations import quota, standing, statistics
from models.registrations.resources import MENU, Assignments, Registrations
from models.registrations.statistics import Counts
from models.registrations.tables import Assignment, Registration

TITLE = "我的报备"
URL = "/registration-standing/"
FILING = ("can_add", Registrations.view_name())
LISTED = 6
SOON = 7
"""Days of protection from which on a lead is pointed out."""
_LEADS = f"/{Registrations.name}/"
_MINE = {"scope": [Scope.MINE.value]}
_ADVICE = (
    ("overdue", "clock-exclamation", "bad", "{n} 条线索的下次跟踪时间已过，请尽快跟踪并写下结果。", "去跟踪"),
    ("untracked", "message-plus", "warn", "{n} 条线索还没有跟踪记录；同一客户被重复报备时，有跟踪记录的优先。", "去跟踪"),
    ("unjudged", "scale", "", "{n} 条已指派的线索还没有审核，可以请主管审核；每审核一条，当天多一个报备容量。", "查看"),
)  # fmt: skip

chrome.add_entry(chrome.Entry(MENU, "registration-standing", TITLE, URL, "user-star", 299, FILING))


class StandingView(BaseView):  # type: ignore[misc]
    """The page; it shows nothing but the reader's own leads."""

    route_base = "/registration-standing"

    @expose("/", methods=["GET"])
    def page(self) -> ResponseReturnValue:
        """Rates, quota, advice, protected customers and what was judged faulty."""
        actor, now = require_actor(), utcnow()
        if not actor.can(*FILING):
            raise Forbidden(TITLE, seeing=True)
        shown = _page(db.session(), actor, now)
        return chrome.page("registration_standing.html", key="registration-standing", title=TITLE, page=shown)


def _page(session: Session, actor: Actor, now: datetime) -> StandingPage:
    span = statistics.last_month(local(now).date())
    counts = statistics.summed(statistics.rows(session, _mine(Registrations, actor, now, span.args)))
    amounts = _amounts(actor, now)
    failed = _judged_failed(session, actor, now)
    return StandingPage(
        TITLE,
        f"报备时间 {span.first} 至 {span.last}，由我报备的",
        [*_rates(actor, counts, span), _quota(session, actor, now), _protection(amounts)],
        _advice(amounts, failed),
        _protected(session, actor, now),
        failed,
        [Link(Registrations.create_label, f"{_LEADS}new", "plus", primary=True, keep=True)],
        address(_LEADS, _MINE, view="protected"),
        _of_assignments(actor, verdict=["failed"]),
    )


def _mine(resource: type[Resource], actor: Actor, now: datetime, args: listing.Args) -> listing.Query:
    """The reader's own rows of a list."""
    query = listing.parse(resource, actor, {**args, **_MINE}, now, db.engine.dialect.name)
    query.scope, query.scopes = Scope.MINE, frozenset({Scope.MINE})
    return query


def _of_assignments(actor: Actor, **args: Sequence[str]) -> str:
    if not actor.can("can_list", Assignments.view_name()):
        return ""
    return address(f"/{Assignments.name}/", {**_MINE, **args, "view": ["counted"]})


# ----- figures


def _rates(actor: Actor, counts: Counts, span: statistics.Span) -> list[tuple[str, str, str, str]]:
    def of(part: int) -> str:
        return f"{part} / {counts.total}"

    return [
        ("报备成功比", counts.success_rate, of(counts.passed), _of_assignments(actor, verdict=["passed"], **span.args)),
        ("付定比", counts.deposit_rate, of(counts.deposit), _of_assignments(actor, progress=["deposit"], **span.args)),
        ("报备失败比", counts.failure_rate, of(counts.failed), _of_assignments(actor, verdict=["failed"], **span.args)),
    ]  # fmt: skip


def _quota(session: Session, actor: Actor, now: datetime) -> tuple[str, str, str, str]:
    """今日剩余容量 (E-59), beside what was filed today."""
    left = quota.left(session, actor.id, actor.dealer_id or 0, now)
    today = local(now).date().isoformat()
    url = address(_LEADS, _MINE, **{statistics.START: today, statistics.END: today})
    used = quota.used(session, actor.id, now)
    return "今日剩余容量", "不限" if left is None else str(left), f"今日已报备 {used}", url


def _protection(amounts: dict[str, int]) -> tuple[str, str, str, str]:
    number = chrome.bounded(amounts["protected"])
    return "保护期内的客户", number, "", address(_LEADS, _MINE, view="protected")


def _amounts(actor: Actor, now: datetime) -> dict[str, int]:
    """How many own leads each of these views holds, in one statement."""
    names = [*(name for name, *_ in _ADVICE), "protected"]
    wanted = []
    for name in names:
        view = Registrations.view(name)
        assert view is not None
        where = listing.of_view(Registrations, view, now)
        wanted.append(counting.amount(Registrations, frozenset({Scope.MINE}), where, chrome.COUNTED))
    return dict(zip(names, chrome.with_badges(actor, now, wanted, actor.params), strict=True))


# ----- what would help


def _advice(amounts: dict[str, int], failed: Sequence[StandingLine]) -> list[Advice]:
    found = [
        Advice(
            words.format(n=chrome.bounded(amounts[name])),
            address(_LEADS, _MINE, view=name),
            label,
            icon,
            tone,
        )
        for name, icon, tone, words, label in _ADVICE
        if amounts[name]
    ]
    if failed:
        words = f"最近 {len(failed)} 条审核失败的原因列在下方，报备时请避免同样的问题。"
        found.append(Advice(words, "#failed", "看原因", "alert-triangle", "warn"))
    return found


def _lines(
    session: Session, query: listing.Query, sources: Sequence[Any]
) -> list[tuple[reading.Record, dict[str, Any]]]:
    """A few records with these fields, as the reader may have them."""
    query.per_page = LISTED
    wanted, _ = with_companions([describe(source) for source in sources])
    return [
        (record, dict(zip((s.name for s in wanted), record.values, strict=True)))
        for record in reading.read(session, query, wanted).records
    ]


def _protected(session: Session, actor: Actor, now: datetime) -> list[StandingLine]:
    """Own customers nobody else may claim, with the days that are left."""
    query = _mine(Registrations, actor, now, {"view": ["protected"]})
    found = []
    for record, values in _lines(
        session, query, (Registration.name, Registration.address, Registration.protected_until)
    ):
        left = standing.days_left(values["protected_until"], now)
        beside = f"还剩 {left} 天"
        tone = "warn" if left <= SOON else ""
        found.append(
            StandingLine(values["name"], f"{_LEADS}{record.id}", values["address"] or "", beside, tone)
        )
    return found


def _judged_failed(session: Session, actor: Actor, now: datetime) -> list[StandingLine]:
    """Own leads that were judged 失败, with the auditor's words."""
    if not actor.can("can_list", Assignments.view_name()):
        return []
    query = _mine(Assignments, actor, now, {"verdict": ["failed"], "view": ["counted"]})
    fields = (Assignment.name, Assignment.store_id, Assignment.audit_remark, Assignment.judged_at)
    return [
        StandingLine(
            values["name"], f"/{Assignments.name}/{record.id}", values["audit_remark"] or "没有写明原因",
            f"{values['store_id'] or ''} {text(describe(Assignment.judged_at), values['judged_at'])[:10]}".strip(),
        )
        for record, values in _lines(session, query, fields)
    ]  # fmt: skip


VIEWS = [StandingView]
