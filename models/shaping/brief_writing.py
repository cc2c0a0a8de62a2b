"""What a brief says to one person: the dashboard as that person sees it, in the lines of a message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.engine import dashboards, measures
from app.engine.actions import Forbidden
from app.engine.addresses import address
from app.engine.dashboards import Dashboard
from app.engine.pages import Block, ChartCard, Figure
from app.engine.scopes import Actor
from app.engine.tiles import may_see
from models.notifications.tables import NoticeKind
from models.notifications.topics import Topic, declare
from models.shaping import dashboard_queries, dashboard_tiles
from models.shaping.brief_timing import Span

TOPIC = declare(Topic("board.brief", "看板简报", "mail-opened", instant=False, hourly=False))
_FIRST = 3
_SHORT = 60
_FIGURES = 4


@dataclass(slots=True)
class Said:
    """The lines of a brief, by list, and its first numbers in a sentence."""

    figures: list[str] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)


def offered(session: Session, actor: Actor) -> dict[str, Dashboard]:
    """The dashboards of which this person sees anything, by their key in the menu."""
    found = {d.name: d for d in dashboards.dashboards()}
    for board in dashboard_queries.in_menu(session, actor):
        found[board.key] = dashboard_tiles.dashboard_of(board.id, board.name, board.layout, actor.dealer_id)
    return {key: d for key, d in found.items() if any(may_see(tile, actor) for tile in d.tiles)}


def days(span: Span) -> dict[str, list[str]]:
    """The period as the dashboard's address has it."""
    ends = {"from": span.first, "to": span.last}
    return {f"{dashboards.DAY}.{end}": [day.isoformat()] for end, day in ends.items()}


def url(dashboard: Dashboard, span: Span) -> str:
    """Where the dashboard shows the same days."""
    return address(dashboard.url, days(span))


def message(
    session: Session, actor: Actor, key: str, span: Span, unique: str, now: datetime
) -> dict[str, Any] | None:
    """The message as `notify_many` takes it; None for somebody who sees nothing of the dashboard (any more)."""
    dashboard = offered(session, actor).get(key)
    if dashboard is None:
        return None
    try:
        page = dashboards.page(dashboard, actor, days(span), now)
    except Forbidden:
        return None
    said = _said(page.blocks)
    if not said.items:
        return None
    return {
        "user_id": actor.id,
        "dealer_id": actor.dealer_id,
        "kind": NoticeKind.DAILY,
        "topic": TOPIC.key,
        "title": f"{dashboard.label}简报：{span.word}（{span.days}）"[:160],
        "text": "，".join(said.figures[:_FIGURES]),
        "items": said.items,
        "groups": said.groups,
        "amount": len(said.items),
        "key": unique,
        "created_at": now,
    }


def _said(blocks: Iterable[Block]) -> Said:
    said = Said()
    for block in blocks:
        told = {figure.label for figure in block.figures}
        cards = (c for c in block.cards if c.kind != "trend" or c.title not in told)
        lines = [*map(_figure, block.figures), *map(_card, cards)]
        if not lines:
            continue
        said.figures += (f"{f.label} {f.value}" for f in block.figures)
        said.items += (
            {"group": block.label, "title": title, "note": note, "resource": None, "id": None}
            for title, note in lines
        )
        _, _, query = block.list_url.partition("?")
        listed = block.name if block.list_url else ""
        said.groups.append(
            {"name": block.label, "amount": len(lines), "resource": listed, "query": query, "plain": True}
        )
    return said


def _figure(figure: Figure) -> tuple[str, str]:
    return figure.label, "，".join(part for part in (figure.value, figure.change) if part)


def _card(card: ChartCard) -> tuple[str, str]:
    """A chart in a line: its greatest parts, of a trend its sum."""
    if card.grid is not None:
        parts = [(line.label, line.total.said, line.total.value) for line in card.grid.lines]
    else:
        parts = [(bar.label, bar.said, bar.value) for bar in card.bars]
    if card.kind == "trend":
        whole = float(sum(value for *_, value in parts))
        return card.title, f"共 {measures.figure(int(whole) if whole.is_integer() else whole, card.unit)}"
    most = sorted((p for p in parts if p[2]), key=lambda p: -p[2])[:_FIRST]
    words = "、".join(f"{label} {value}" for label, value, _ in most)
    return card.title, words[:_SHORT] or "无"
