"""Leads at showrooms as the audit finds them, and reading its page."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from typing import Any

from sqlalchemy import select

from app.engine.audit import acting
from app.engine.database import db, utcnow
from models.registrations.assigning import settle
from models.registrations.tables import Assignment, AuditStatus, Progress, Registration
from tests.registrations.world import Channel

PAGE = "/registration-audit/"
EVERYTHING = f"{PAGE}?asked=1"
JUDGE = ("can_judge", "Assignments")
AGAIN = ("can_judge_again", "Assignments")
_COPIED = ("name", "city", "district", "community", "room", "phone", "telephone", "company", "designer")


def filed(channel: Channel, by: str = "worker1", now: datetime | None = None, **values: Any) -> Registration:
    """A lead of that person."""
    values.setdefault("phone", channel.next_phone())
    given = {
        "name": "王女士", "city": "杭州", "community": "星湖小区", "room": f"{channel.phones}栋502",
        "source": "自然客户", "brand_category_id": channel.categories[0].id, **values,
    }  # fmt: skip
    made: Registration = channel.make("registrations", by, now=now, **given)
    return made


def assigned(
    channel: Channel,
    lead: Registration,
    *,
    category: int = 0,
    store: int = 1,
    paid: bool = True,
    now: datetime | None = None,
    **corrected: Any,
) -> Assignment:
    """The lead at a showroom, with what the showroom has corrected since."""
    session = db.session()
    copied = {name: getattr(lead, name) for name in _COPIED}
    with acting(session):
        made = Assignment(
            registration_id=lead.id, brand_category_id=channel.categories[category].id,
            used_type=f"c{channel.categories[category].category_id}",
            progress=Progress.DEPOSIT if paid else Progress.ASSIGNED, registrant_id=lead.registrant_id,
            outlet_id=lead.outlet_id, registered_at=lead.registered_at, store_id=channel.stores[store].id,
            dealer_id=lead.dealer_id, created_at=now or utcnow(), **{**copied, **corrected},
        )  # fmt: skip
        session.add(made)
        settle(session, session.get_one(Registration, lead.id))
        session.commit()
    return made


def claim(channel: Channel, by: str = "worker1", **values: Any) -> Assignment:
    """A lead that was assigned and paid for."""
    return assigned(channel, filed(channel, by, **values))


def stored(record: Any) -> Any:
    """The record as it stands in the database now."""
    db.session.rollback()
    return db.session.get_one(type(record), record.id, populate_existing=True)


def verdicts() -> list[AuditStatus]:
    """All verdicts, by assignment."""
    db.session.rollback()
    return list(db.session.scalars(select(Assignment.verdict).order_by(Assignment.id)))


def send(
    client: Any, of: Assignment, verdict: str = "", remark: str = "", query: str = "", **more: str
) -> Any:
    """Click the button of that entry."""
    form = {"verdict": verdict, "remark": remark, **more}
    return client.post(f"{PAGE}{of.id}/judge{query}", data={k: v for k, v in form.items() if v})


def shown(client: Any, path: str = PAGE) -> dict[int, str]:
    """The entries at an address."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.status_code
    return entries(answer.get_data(as_text=True))


def entries(page: str) -> dict[int, str]:
    """The markup of each entry by its assignment."""
    parts = re.split(r'<tbody class="pair[^"]*" id="e(\d+)"', page)
    return {int(pk): text.split("</tbody>")[0] for pk, text in zip(parts[1::2], parts[2::2], strict=True)}


def lines(entry: str) -> tuple[dict[str, str], dict[str, str], set[str]]:
    """What was filed and what the showroom holds by field, in words, and the fields that are marked."""
    found: list[dict[str, str]] = []
    marked = set()
    for row in re.findall(r'<tr class="(?:filed|held)">(.*?)</tr>', entry, re.S):
        cells = re.findall(r'<td class="v0 (\w+)( diff)?"[^>]*>(.*?)</td>', row, re.S)
        marked |= {name for name, diff, _ in cells if diff}
        found.append({name: _words(text) for name, _, text in cells})
    above, below = found
    return above, below, marked


def _words(markup: str) -> str:
    text = re.sub(
        r'<(span class="s\w+"|small)>.*?</(span|small)>',
        "",
        re.sub(r'<span class="sr">：</span>', "", markup),
    )
    return unescape(re.sub(r"<[^>]*>", "", text)).strip()
