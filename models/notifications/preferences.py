"""By which ways a person wants to be reached, and when not: the own choice, else the dealer's parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import audit
from app.engine.actions import Act, Invalid
from app.engine.choices import Entry
from app.engine.database import pieces
from app.engine.deeds import hold
from app.engine.fields import entry
from app.engine.localtime import local, to_utc
from models.identity.tables import Employee
from models.notifications import robot
from models.notifications.tables import NoticeChannel, NoticeKind, NoticePreference
from models.settings.rules import declare_parameter, parameter

GROUP = "提醒"
CHANNELS = tuple(Entry(c.value, c.label) for c in NoticeChannel)
_AT_ONCE = 500
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours without calls from outside, as minutes of the day in China; ``to`` itself is outside them. They
    may go over midnight."""

    begin: int
    end: int

    def until(self, now: datetime) -> datetime | None:
        """When they end, if ``now`` (both UTC) lies within them."""
        here = local(now)
        minute = here.hour * 60 + here.minute
        over = self.begin > self.end
        inside = minute >= self.begin or minute < self.end if over else self.begin <= minute < self.end
        if not inside:
            return None
        midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
        tomorrow = over and minute >= self.begin
        return to_utc(midnight + timedelta(days=int(tomorrow), minutes=self.end))


@dataclass(frozen=True, slots=True)
class Wish:
    """How one person is reached, everything taken together."""

    user_id: int
    name: str
    active: bool
    dealer_id: int | None
    store_id: int | None
    email: str
    phone: str
    channels: Mapping[str, Sequence[str]]
    quiet: Quiet | None
    strong_through: bool
    robot_url: str
    robot_shared: bool

    def ways(self, kind: NoticeKind) -> list[NoticeChannel]:
        """The channels beside the bell for messages of that kind."""
        chosen = self.channels.get(kind.value, ())
        return [c for c in NoticeChannel if c.value in chosen] if self.active else []

    def held_until(self, kind: NoticeKind, now: datetime) -> datetime | None:
        """Until when quiet hours hold such a message back; strong ones go through where the person said so."""
        if self.quiet is None or (kind == NoticeKind.STRONG and self.strong_through):
            return None
        return self.quiet.until(now)

    def address(self, channel: NoticeChannel) -> str:
        """Where that channel reaches the person; empty when it does not."""
        known = {
            NoticeChannel.ROBOT: self.robot_url,
            NoticeChannel.EMAIL: self.email,
            NoticeChannel.SMS: self.phone,
        }
        return known[channel]


def quiet(begin: str | None, end: str | None) -> Quiet | None:
    """Quiet hours from two times of day; None when one is missing or both are the same."""
    if not begin or not end or begin == end:
        return None
    return Quiet(*(int(t[:2]) * 60 + int(t[3:]) for t in (begin, end)))


def wishes(session: Session, users: Iterable[int]) -> dict[int, Wish]:
    """How these people are reached, in one statement per 500 of them."""
    wanted = sorted(set(users))
    found: dict[int, Wish] = {}
    for some in pieces(wanted, _AT_ONCE):
        statement = (
            select(Employee, NoticePreference)
            .outerjoin(NoticePreference, NoticePreference.user_id == Employee.id)
            .where(Employee.id.in_(some))
        )
        columns = (
            Employee.id, Employee.name, Employee.active, Employee.departed_at, Employee.dealer_id,
            Employee.store_id, Employee.email, Employee.phone, NoticePreference.own, NoticePreference.channels,
            NoticePreference.quiet_from, NoticePreference.quiet_to, NoticePreference.strong_through,
            NoticePreference.robot_url,
        )  # fmt: skip
        for row in session.execute(statement.with_only_columns(*columns)):
            found[row.id] = _wish(session, row)
    return found


def _wish(session: Session, row: Any) -> Wish:
    def usual(key: str) -> Any:
        return parameter(session, f"notice.{key}", row.dealer_id)

    channels, hours = row.channels or {}, (row.quiet_from, row.quiet_to)
    if not row.own:
        channels = {kind.value: usual("channels") or () for kind in NoticeKind}
        hours = (usual("quiet_from"), usual("quiet_to"))
    return Wish(
        row.id, row.name, bool(row.active) and row.departed_at is None, row.dealer_id, row.store_id,
        row.email if row.email and "@" in row.email else "", row.phone or "", channels, quiet(*hours),
        bool(row.own and row.strong_through), row.robot_url or usual("robot") or "", not row.robot_url,
    )  # fmt: skip


def own(session: Session, user_id: int) -> NoticePreference | None:
    """What the person has chosen."""
    return session.scalar(select(NoticePreference).where(NoticePreference.user_id == user_id))


def save(act: Act, values: Mapping[str, Any]) -> None:
    """Keep the actor's own choice. Raises `Invalid` for a time of day that is none, for quiet hours without
    an end, and for an address robots may not stand on. The history names the deed, not the address, which
    is a secret."""
    errors = {name: wrong for name in ("quiet_from", "quiet_to") if (wrong := wrong_time(values.get(name)))}
    if bool(values.get("quiet_from")) != bool(values.get("quiet_to")):
        missing = "quiet_to" if values.get("quiet_from") else "quiet_from"
        errors.setdefault(missing, "免打扰时段请同时填写开始和结束时间")
    if wrong := robot.wrong_address(values.get("robot_url")):
        errors["robot_url"] = wrong
    if errors:
        raise Invalid(errors)
    session = act.session
    person = hold(session, Employee, act.actor.id)
    row = own(session, act.actor.id) or NoticePreference(user_id=act.actor.id)
    row.own = bool(values["own"])
    row.channels = {kind.value: list(values.get(f"channels_{kind.value}") or ()) for kind in NoticeKind}
    row.quiet_from, row.quiet_to = values.get("quiet_from") or None, values.get("quiet_to") or None
    row.strong_through = bool(values.get("strong_through"))
    row.robot_url = values.get("robot_url") or None
    session.add(row)
    audit.log(act, person, act.action)


def wrong_time(value: Any) -> str:
    """What is wrong with a time of day as a setting; empty when nothing is."""
    return "" if not value or _TIME.fullmatch(str(value)) else "请填写时间，例如 22:00"


declare_parameter(
    entry("notice.channels", "站外渠道", options=CHANNELS, multiple=True,
          hint="站内消息始终发送；员工可在“提醒设置”中自行选择"),
    [], GROUP,
)  # fmt: skip
declare_parameter(
    entry("notice.quiet_from", "免打扰开始", maxlength=5, hint="例如 22:00，期间站外消息推迟到结束时发送"),
    None, GROUP, wrong_time,
)  # fmt: skip
declare_parameter(
    entry("notice.quiet_to", "免打扰结束", maxlength=5, hint="例如 08:00"), None, GROUP, wrong_time
)
declare_parameter(
    entry("notice.robot", "工作群机器人地址", maxlength=500,
          hint="未填写个人机器人地址的员工，消息发到此群；群内成员都能看到"),
    None, GROUP, robot.wrong_address, secret=True,
)  # fmt: skip
