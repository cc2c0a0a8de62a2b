"""我的报备: a registrant's own page. What became of the leads, what is left today, what would help."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import and_
from sqlalchemy.orm import Session

from app.engine import chrome, counting, listing, reading
from app.engine.actions import Forbidden
from app.engine.addresses import address
from app.engine.cells import text
from app.engine.database import db, utcnow
from app.engine.fields import describe, with_companions
from app.engine.localtime import local, local_day
from app.engine.pages import Advice, Link, StandingLine, StandingPage
from app.engine.resource import Resource
from app.engine.scopes import Actor, Scope
from app.engine.security import require_actor
from models.registrations import protection, quota, statistics
from models.registrations.resources import MENU, Assignments, Registrations
from models.registrations.statistics import Counts
from models.registrations.tables import Assignment, Registration

TITLE = "我的报备"
URL = "/registration-standing/"
FILING = ("can_add", Registrations.view_name())
LISTED = 6
SOON = 7
"""Days of protection from which on a lead is pointed out."""
_ADVICE = (
    ("overdue", "clock-exclamation", "bad", "{n} 条线索的下次跟踪时间已过，请尽快跟踪并写下结果。", "去跟踪"),
    ("untracked", "message-plus", "warn", "{n} 条线索还没有跟踪记录；同一客户被重复报备时，有跟踪记录的优先。", "去跟踪"),
    ("unjudged", "scale", "", "{n} 条已指派的线索还没有审核，可以请主管审核。", "查看"),
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
        [*_rates(actor, counts, span), _quota(session, actor, now, amounts), _protection(actor, amounts)],
        _advice(actor, amounts, failed),
        _protected(session, actor, now),
        failed,
        [Link(Registrations.create_label, f"/{Registrations.name}/new", "plus", primary=True, keep=True)],
        _leads(actor, view="protected"),
        _assignments(actor, verdict="failed"),
    )


def _own(resource: type[Resource], actor: Actor) -> listing.Args:
    """The address of the reader's own rows; who sees all of them only narrows these."""
    tabs = listing.tabs(resource, actor)
    if Scope.MINE in tabs:
        return {"scope": [Scope.MINE.value]}
    return {"scope": [s.value for s in tabs[:1]], "registrant_id": [str(actor.id)]}


def _mine(resource: type[Resource], actor: Actor, now: datetime, args: listing.Args) -> listing.Query:
    """The reader's own rows of a list."""
    return listing.parse(resource, actor, {**args, **_own(resource, actor)}, now, db.engine.dialect.name)


def _leads(actor: Actor, **put: str) -> str:
    return address(f"/{Registrations.name}/", _own(Registrations, actor), **put)


def _assignments(actor: Actor, span: statistics.Span | None = None, **put: str) -> str:
    if not actor.can("can_list", Assignments.view_name()):
        return ""
    days = span.args if span is not None else {}
    return address(f"/{Assignments.name}/", {**_own(Assignments, actor), **days}, view="counted", **put)


# ----- figures


def _rates(actor: Actor, counts: Counts, span: statistics.Span) -> list[tuple[str, str, str, str]]:
    def of(part: int) -> str:
        return f"{part} / {counts.total}"

    return [
        ("报备成功比", counts.success_rate, of(counts.passed), _assignments(actor, span, verdict="passed")),
        ("付定比", counts.deposit_rate, of(counts.deposit), _assignments(actor, span, progress="deposit")),
        ("报备失败比", counts.failure_rate, of(counts.failed), _assignments(actor, span, verdict="failed")),
    ]


def _quota(
    session: Session, actor: Actor, now: datetime, amounts: dict[str, int]
) -> tuple[str, str, str, str]:
    """今日剩余容量 (E-59), beside what was filed today."""
    left = quota.left(session, actor.id, actor.dealer_id or 0, now)
    today = local(now).date().isoformat()
    url = _leads(actor, **{statistics.START: today, statistics.END: today})
    filed = chrome.bounded(amounts["today"])
    return "今日剩余容量", "不限" if left is None else str(left), f"今日已报备 {filed}", url


def _protection(actor: Actor, amounts: dict[str, int]) -> tuple[str, str, str, str]:
    number = chrome.bounded(amounts["protected"])
    return "保护期内的客户", number, "", _leads(actor, view="protected")


def _amounts(actor: Actor, now: datetime) -> dict[str, int]:
    """How many own leads each of these views holds, and how many are of today, in one statement."""
    own, mine = _mine(Registrations, actor, now, {}), Registration.registrant_id == actor.id
    wanted = {"today": Registration.registered_at >= local_day(local(now).date())}
    for name in (*(name for name, *_ in _ADVICE), "protected"):
        view = Registrations.view(name)
        assert view is not None
        wanted[name] = listing.of_view(Registrations, view, now)
    amounts = [
        counting.amount(Registrations, own.scopes, and_(where, mine), chrome.COUNTED)
        for where in wanted.values()
    ]
    return dict(zip(wanted, chrome.with_badges(actor, now, amounts, actor.params), strict=True))


# ----- what would help


def _advice(actor: Actor, amounts: dict[str, int], failed: Sequence[StandingLine]) -> list[Advice]:
    found = [
        Advice(
            words.format(n=chrome.bounded(amounts[name])),
            _leads(actor, view=name),
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
        left = protection.days_left(values["protected_until"], now)
        beside = f"还剩 {left} 天"
        tone = "warn" if left <= SOON else ""
        found.append(
            StandingLine(
                values["name"], f"/{Registrations.name}/{record.id}", values["address"] or "", beside, tone
            )
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
