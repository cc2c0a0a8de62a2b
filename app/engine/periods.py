"""The period a page of charts reads. It is the list's own filter by time and stands in the address, so
that whatever the page counts the list can show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from app.engine import filters
from app.engine.addresses import address
from app.engine.fields import FieldSpec, describe
from app.engine.listing import Query
from app.engine.localtime import local
from app.engine.pages import Link, PeriodBar
from app.engine.resource import Resource, Trend
from app.engine.scopes import Actor

LENGTHS = ((30, "近30天"), (90, "近90天"), (180, "近180天"), (365, "近一年"))

Args = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Period:
    """The days in force for a time of the records; an open end is None."""

    spec: FieldSpec
    first: date | None
    last: date | None
    today: date

    def before(self) -> Period | None:
        """The period of the same length that ended when this one began, if it has a beginning."""
        last = self.last or self.today
        if self.first is None or last < self.first:
            return None
        try:
            start = self.first - (last - self.first) - timedelta(days=1)
        except OverflowError:
            return None
        return replace(self, first=start, last=self.first - timedelta(days=1))

    def args(self) -> Args:
        """The period as the list's filter reads it."""
        ends = {"from": self.first, "to": self.last}
        return {f"{self.spec.name}.{end}": [day.isoformat()] for end, day in ends.items() if day is not None}

    @property
    def words(self) -> str:
        """The days as they are read."""
        if self.first is None:
            return "不限" if self.last is None else f"截至 {self.last}"
        return f"{self.first} 至 {self.last or self.today}"


def column_of(resource: type[Resource], actor: Actor) -> FieldSpec | None:
    """The time that the page's period is about: that of the list's window, else that of the first trend,
    else the first the list can be filtered by."""
    times = [d.spec for d in filters.declared(resource, actor) if d.spec.kind in ("date", "datetime")]
    wanted = [resource.window.column] if resource.window is not None else []
    wanted += [chart.at for chart in resource.charts if isinstance(chart, Trend)]
    names = [describe(source).name for source in wanted]
    return next((s for name in names for s in times if s.name == name), times[0] if times else None)


def bounds(query: Query, spec: FieldSpec) -> tuple[date | None, date | None]:
    """The first and last day that the list's filter by this field leaves, in local days."""
    for active in query.filters:
        if active.spec.name == spec.name and not active.default:
            low, high = (active.params.get(f"f_{spec.name}_{end}") for end in ("from", "to"))
            last = _day(high)
            if last is not None and isinstance(high, datetime):
                last -= timedelta(days=1)  # the end of a day is the beginning of the next
            return _day(low), last
    return None, None


def today(query: Query) -> date:
    """The day on which the page is asked for, in China."""
    return local(query.now).date()


def _day(bound: date | None) -> date | None:
    return local(bound).date() if isinstance(bound, datetime) else bound


def pinned(query: Query) -> Args:
    """The address with everything in force written out: the scope, and the list's window as a plain date,
    or that it does not hold. What could not be read is left out. No later step of the way to the rows can
    change the set."""
    resource = query.resource
    found = {name: list(values) for name, values in query.args.items()}
    for spec in (d.spec for d in filters.declared(resource, query.actor) if d.ranged):
        if found.pop(f"{spec.name}.{filters.PERIOD}", None) is not None:
            ends = zip(("from", "to"), bounds(query, spec), strict=True)
            found |= {f"{spec.name}.{end}": [day.isoformat()] for end, day in ends if day is not None}
        for end in ("from", "to"):
            if f"f_{spec.name}_{end}" not in query.params:
                found.pop(f"{spec.name}.{end}", None)
    if query.scope is not None:
        found["scope"] = [query.scope.value]
    if resource.window is None:
        return found
    name = describe(resource.window.column).name
    if any(f.default and f.names == ("window",) for f in query.filters):
        days = filters.window_days(resource, query.args)
        found[f"{name}.from"] = [(today(query) - timedelta(days=days)).isoformat()]
    elif not any(found.get(f"{name}.{end}") for end in ("from", "to")):
        found["window"] = ["all"]
    return found


def of(query: Query) -> Period | None:
    """The period of a page, understood from its filters; None for a list without times."""
    spec = column_of(query.resource, query.actor)
    if spec is None:
        return None
    first, last = bounds(query, spec)
    return Period(spec, first, last, today(query))


def bar(asked: Query, period: Period | None, base: str) -> PeriodBar:
    """The choice of a period under the other conditions of the address."""
    scope = asked.scope
    within = asked.resource.scope_label(scope) if scope is not None else asked.resource.label
    if period is None:
        return PeriodBar(within, [])
    name = period.spec.name
    drop = (name, f"{name}.from", f"{name}.to", f"{name}.{filters.PERIOD}", "window")
    ends = (period.last is None or period.last == period.today) and period.first
    links = []
    for days, label in LENGTHS:
        first = period.today - timedelta(days=days)
        put = {f"{name}.from": first.isoformat(), f"{name}.to": period.today.isoformat()}
        url = address(base, asked.args, drop=drop, **put)
        links.append(Link(label, url, active=ends == first))
    everything = {"window": "all"} if asked.resource.window is not None else {}
    unbounded = period.first is None and period.last is None
    url = address(base, asked.args, drop=drop, **everything)
    links.append(Link("全部", url, active=unbounded))
    default = any(f.default and f.names == ("window",) for f in asked.filters)
    words = f"{within}，{period.spec.label} {period.words}"
    return PeriodBar(
        f"{words}（默认近{filters.window_days(asked.resource, asked.args)}天）" if default else words, links, name,
        period.first.isoformat() if period.first else "", period.last.isoformat() if period.last else "",
        own=not any(link.active for link in links),
        hidden=[(k, v) for k, vs in asked.args.items() if k not in drop for v in vs if v],
    )  # fmt: skip
