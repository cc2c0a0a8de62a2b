"""简报订阅: the briefs somebody has asked for; they are begun on the dashboards' own pages (`views/briefs.py`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.engine import dashboards
from app.engine.choices import Entry, declare_entries
from app.engine.database import db, id_of
from app.engine.fields import describe
from app.engine.pages import Link
from app.engine.resource import Group, Menu, Resource
from app.engine.scopes import Actor, Scopes
from models.notifications.inbox import provide_ways
from models.notifications.tables import Notification
from models.shaping import brief_delivery, brief_rules, brief_writing
from models.shaping.brief_tables import BOARDS, ROLES_OF_BRIEF, Brief, Recipients
from models.shaping.brief_timing import looks_back
from models.shaping.dashboard_queries import boards
from models.shaping.dashboards import Sharing

__all__ = ["Briefs", "brief_delivery"]

WHEN = "recipients=roles"
ROLES = replace(describe(ROLES_OF_BRIEF), opens_when=WHEN, needed_when=WHEN)
TIMES = (Brief.cadence, Brief.weekday, Brief.day, Brief.at)


class Briefs(Resource, model=Brief):
    """简报订阅: a dashboard's numbers as a message, daily, weekly or monthly."""

    label = "简报"
    unit = "份简报"
    icon = "mail-opened"
    menu = Menu("经营", label="简报订阅", icon="mail-opened", order=287)
    scopes = Scopes(mine=Brief.owner_id, dealer=Brief.dealer_id)
    title = Brief.name
    columns = (
        Brief.name,
        Brief.cadence,
        Brief.at,
        Brief.recipients,
        Brief.owner_id,
        Brief.created_at,
    )
    filters = (Brief.cadence, Brief.recipients)
    sorts = (Brief.name,)
    descending = False
    badges = (Brief.cadence, Brief.recipients)
    detail = (Group("简报", Brief.name, *TIMES, Brief.recipients, ROLES, Brief.owner_id, Brief.created_at),)
    form = (Group("简报", Brief.board, *TIMES), Group("接收", Brief.recipients, ROLES))
    edit_form = (Group("发送", *TIMES), Group("接收", Brief.recipients, ROLES))
    create_label = "订阅简报"
    create = staticmethod(brief_rules.create_brief)
    update = staticmethod(brief_rules.update_brief)
    remove = staticmethod(brief_rules.remove_brief)
    remove_confirm = "确认退订这份简报？之后不再发送"
    actions = (brief_rules.send_now,)
    empty = "还没有订阅简报"
    empty_hint = "在任一看板页点“订阅简报”，它的数字会按时发到提醒消息和您选择的渠道。"
    api = False


def _boards(dealer_id: int | None) -> tuple[Entry, ...]:
    """The declared dashboards, and those somebody has built and shared; the form offers the own ones too."""
    built = boards(db.session()).values()
    shared = (b for b in built if b.shared is not Sharing.PERSONAL and b.dealer_id in (None, dealer_id))
    return (
        *(Entry(d.name, d.label) for d in dashboards.dashboards()),
        *(Entry(b.key, b.name) for b in shared),
    )


def _ways(session: Session, actor: Actor, message: Notification) -> list[Link]:
    """From a brief to the dashboard with the same days, and out of it."""
    number, _, moment = (message.key or "").removeprefix("brief:").partition(":")
    pk = id_of(number)
    brief = session.get(Brief, pk) if pk else None
    if brief is None:
        return []
    found = []
    dashboard = brief_writing.offered(session, actor).get(brief.board)
    if dashboard is not None:
        span = looks_back(brief.cadence, _moment(moment) or message.created_at)
        found.append(Link("打开看板", brief_writing.url(dashboard, span), "layout-dashboard", primary=True))
    url = f"/{Briefs.name}/{pk}"
    if brief_rules.has_left(session, brief.id, actor.id):
        found.append(Link("重新订阅", f"{url}/join", "bell", has_form=False))
    elif brief.owner_id == actor.id or brief.recipients is Recipients.ROLES:
        found.append(Link("退订", f"{url}/leave", "bell-off", has_form=False))
    return found


def _moment(text: str) -> datetime | None:
    """The moment a message was sent for; one that was asked for at once has none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


declare_entries(BOARDS, _boards, by_dealer=True)
provide_ways(brief_writing.TOPIC.key, _ways)
