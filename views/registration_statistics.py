"""客户报备统计: the numbers of a period per outlet and registrant, on a page and as a spreadsheet (E-83…E-93)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import datetime

from flask import request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from app.engine import audit, chrome, exports, listing
from app.engine.actions import Act, Forbidden, Refusal
from app.engine.addresses import address, arguments
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from app.engine.filterbar import chips, filter_bar
from app.engine.listing import Query
from app.engine.localtime import local
from app.engine.pages import Counted, Field, StatisticsLine, StatisticsPage
from app.engine.resource import Resource
from app.engine.scopes import Actor, Scope, scopes_of
from app.engine.security import entrance, require_actor
from app.engine.viewbase import download
from app.engine.workbooks import About, Heading, Workbook
from models.registrations import statistics
from models.registrations.resources import MENU, Assignments, Registrations
from models.registrations.statistics import Counts, Row

TITLE = "客户报备统计"
URL = "/registration-statistics/"
SEEING = ("can_statistics", Registrations.view_name())
TAKING = ("can_export_statistics", Registrations.view_name())
GROUPS = [
    ("报备网点", []), ("报备人", []), ("总报备数", []),
    ("报备分布", ["报备", "指派", "付定", "成功", "失败", "未审"]),
    ("付定比", []), ("报备成功比", []), ("报备失败比", []),
]  # fmt: skip
PICKERS = ("outlet_id", "registrant_id")
SUM = "合计"
_WIDE = frozenset({Scope.GROUP, Scope.DEALER})

chrome.add_entry(chrome.Entry(MENU, "registration-statistics", TITLE, URL, "report-analytics", 302, SEEING))


class StatisticsView(BaseView):  # type: ignore[misc]
    """The page and its spreadsheet."""

    route_base = "/registration-statistics"

    @expose("/", methods=["GET"])
    def page(self) -> ResponseReturnValue:
        """The table of a period, by default of the last month."""
        asked = Asked(_allowed(SEEING, seeing=True), utcnow())
        return chrome.page(
            "registration_statistics.html", key="registration-statistics", title=TITLE, page=asked.page()
        )

    @expose("/export", methods=["POST"])
    def export(self) -> ResponseReturnValue:
        """The same rows as a spreadsheet; the log keeps who took them out."""
        asked = Asked(_allowed(SEEING, seeing=True), utcnow())
        _allowed(TAKING)
        return asked.sheet()


def _allowed(permission: tuple[str, str], *, seeing: bool = False) -> Actor:
    actor = require_actor()
    if not actor.can(*permission):
        raise Forbidden(TITLE if seeing else f"导出{TITLE}", seeing=seeing)
    return actor


class Asked:
    """An address understood: the days, the outlets and registrants chosen, and what they come to."""

    def __init__(self, actor: Actor, now: datetime) -> None:
        args = arguments(request.args.to_dict(flat=False))
        self.actor, self.now = actor, now
        self.span = statistics.span(args, local(now).date())
        self.chosen = {k: v for k, v in args.items() if k.removesuffix("__text") in PICKERS and any(v)}
        self.query = self._query()
        self.rows = [] if self.span.errors or self.query.errors else statistics.rows(db.session(), self.query)
        self.sums = statistics.summed(self.rows)

    def _query(self) -> Query:
        """The list of leads it is about, as wide as the person may see."""
        args = {**self.chosen, **self.span.args}
        found = listing.parse(Registrations, self.actor, args, self.now, db.engine.dialect.name)
        found.scope, found.scopes = None, scopes_of(Registrations, self.actor)
        return found

    # ----- the page

    def page(self) -> StatisticsPage:
        """Everything the page shows."""
        bar = filter_bar(db.session(), Registrations, self.actor, self.query)
        pickers = sorted((f for f in bar if f.name in PICKERS), key=lambda f: PICKERS.index(f.name))
        said = arguments(request.args.to_dict(flat=False))
        days = Field(
            "registered_at", "报备时间", "date_range",
            listing.first(said, statistics.START) or _day(self.span.first),
            value_to=listing.first(said, statistics.END) or _day(self.span.last),
        )  # fmt: skip
        shown = StatisticsPage(
            TITLE, URL, days, pickers, GROUPS,
            [self._line(row) for row in self.rows],
            _line(SUM, "", self.sums, self._links(None, self.sums)),
            self._said(pickers), dict(self.span.errors), "；".join(self.query.errors),
        )  # fmt: skip
        if self.actor.can(*TAKING) and not shown.wrong:
            shown.sheet_url = address(f"{URL}export", {**self.chosen, **self.span.args})
        return shown

    def _said(self, pickers: Sequence[Field]) -> str:
        """What is asked for, in words."""
        return "；".join(c.label for c in chips(self.query, URL, pickers)) or "报备时间：不限"

    def _line(self, row: Row) -> StatisticsLine:
        return _line(row.outlet, row.registrant, row.counts, self._links(row, row.counts))

    def _links(self, row: Row | None, counts: Counts) -> Links:
        chosen = self.chosen
        if row is not None:
            chosen = {"outlet_id": [str(row.outlet_id)], "registrant_id": [str(row.registrant_id)]}
        return Links(self.actor, self._scope(row), {**chosen, **self.span.args}, counts)

    def _scope(self, row: Row | None) -> Scope | None:
        """A tab of the lists that holds all of the row, or of all rows, where one does."""
        if row is None:
            found = {self._scope(one) for one in self.rows}
            return found.pop() if len(found) == 1 else None
        held = scopes_of(Registrations, self.actor)
        if Scope.MINE in held and row.registrant_id == self.actor.id and not held & _WIDE:
            return Scope.MINE
        if Scope.STORE in held and row.outlet_id == self.actor.store_id and not held & _WIDE:
            return Scope.STORE
        return next((s for s in (Scope.GROUP, Scope.DEALER, Scope.GRANTED) if s in held), None)

    # ----- the spreadsheet

    def sheet(self) -> ResponseReturnValue:
        """The rows as shown with their sum row. Raises `Refusal` for what could not be understood: a file would
        not show it."""
        wrong = [*self.span.errors.values(), *self.query.errors]
        if wrong:
            raise Refusal(f"条件有误，未导出：{'；'.join(wrong)}")
        at, who = local(self.now), self.actor.called
        headings = [label for group, labels in GROUPS for label in labels or [group]]
        file = io.BytesIO()
        book = Workbook(file, About(TITLE, who, at), [Heading(label) for label in headings])
        lines = [(r.outlet, r.registrant, r.counts) for r in self.rows]
        book.rows(_cells(book, *line) for line in [*lines, (SUM, "", self.sums)])
        bar = filter_bar(db.session(), Registrations, self.actor, self.query)
        about = f"{self._said(bar)}；共 {len(lines)} 行"
        book.close(f"导出人：{who}；导出时间：{at:%Y-%m-%d %H:%M:%S}；{about}")
        act = Act(self.actor, self.now, db.session(), entrance(), exports.KIND)
        with deed(act):
            audit.enter(act, Registrations, exports.KIND, f"导出{TITLE} {len(lines)} 行", about)
        file.seek(0)
        return download(file, f"{TITLE}_{at:%Y%m%d_%H%M%S}.xlsx")


def _cells(book: Workbook, outlet: str, registrant: str, counts: Counts) -> list[str]:
    numbers = [book.number(n) for n in (counts.total, *astuple(counts))]
    return [book.word(outlet), book.word(registrant), *numbers, *(book.word(r) for r in _rates(counts))]


def _rates(counts: Counts) -> list[str]:
    return [counts.deposit_rate, counts.success_rate, counts.failure_rate]


class Links:
    """The way from each count to exactly its rows: leads without assignment stand in the list of leads, the
    others in that of assignments. A count of both has no list."""

    def __init__(
        self, actor: Actor, scope: Scope | None, args: Mapping[str, Sequence[str]], counts: Counts
    ) -> None:
        self.actor, self.scope, self.args, self.counts = actor, scope, args, counts

    def leads(self) -> str:
        """The leads nobody was assigned to."""
        return self._to(Registrations, progress="registered")

    def assignments(self, **narrowed: str) -> str:
        """Assignments that count, by progress or verdict."""
        return self._to(Assignments, view="counted", **narrowed)

    def either(self, assigned: int, **narrowed: str) -> str:
        """The one list that holds all of a mixed count, if there is one."""
        if not self.counts.registered:
            return self.assignments(**narrowed)
        return "" if assigned else self.leads()

    def _to(self, resource: type[Resource], **put: str) -> str:
        if self.scope not in listing.tabs(resource, self.actor):
            return ""
        if not self.actor.can("can_list", resource.view_name()):
            return ""
        return address(f"/{resource.name}/", self.args, scope=self.scope.value, **put)


def _line(outlet: str, registrant: str, counts: Counts, to: Links) -> StatisticsLine:
    total, unjudged = counts.assigned + counts.deposit, counts.pending - counts.registered
    numbers = [
        (counts.registered, to.leads()),
        (counts.assigned, to.assignments(progress="assigned")),
        (counts.deposit, to.assignments(progress="deposit")),
        (counts.passed, to.assignments(verdict="passed")),
        (counts.failed, to.assignments(verdict="failed")),
        (counts.pending, to.either(unjudged, verdict="pending")),
    ]
    return StatisticsLine(
        outlet,
        registrant,
        _counted(counts.total, to.either(total)),
        [_counted(*n) for n in numbers],
        _rates(counts),
    )


def _counted(amount: int, url: str) -> Counted:
    return Counted(str(amount), url if amount else "")


def _day(day: object) -> str:
    return str(day) if day is not None else ""


VIEWS = [StatisticsView]
