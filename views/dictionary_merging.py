"""Merging two options of a dictionary, drawn: what it would touch, what has come of it, and the last merges."""

from __future__ import annotations

from urllib.parse import urlencode

from app.engine import chrome, history
from app.engine.actions import NotFound
from app.engine.database import db
from app.engine.jobs import OPEN, STOPPED, JobState, percent
from app.engine.pages import Link, Option
from app.engine.pages.dictionaries import MergePage
from app.engine.scopes import Actor
from models.settings.catalogue import DictionaryDef
from models.settings.resources import Dictionaries
from models.shaping import merging, options

URL = "/dictionaries/"


def address(name: str, **more: str) -> str:
    """The page of a dictionary."""
    return f"{URL}?{urlencode({'name': name, **{k: v for k, v in more.items() if v}})}"


def latest(actor: Actor, name: str) -> list[Link]:
    """The last merges, with how they stand."""
    session = db.session()
    found = []
    for job in merging.latest(session, name, actor.dealer_id):
        back = merging.returned(session, job)
        state = "已撤销" if back is not None and back.state == JobState.DONE else job.state.label
        link = Link(
            f"“{job.payload['old_label']}”并入“{job.payload['new_label']}”", merging.PAGE.format(merge=job.id)
        )
        link.count, link.name = state, history.moment(job.created_at)[:16]
        found.append(link)
    return found


def before(
    actor: Actor, known: DictionaryDef, old_id: int, new_id: int, said: list[str] | None = None
) -> str:
    """The merge as it is chosen, and what it would touch."""
    session = db.session()
    options.editable(actor)
    rows = options.rows(session, known.name, actor.dealer_id)
    old = next((row for row in rows if row.id == old_id), None)
    if old is None:
        raise NotFound
    offered = merging.survivors(rows, old)
    shown = MergePage(
        f"合并“{old.label}”",
        f"{URL}merge",
        address(known.name),
        old.label,
        choices=[Option(str(r.id), r.label, selected=r.id == new_id) for r in offered],
        hidden=[("name", known.name), ("from", str(old.id))],
        hindrances=list(said or []),
    )
    if new_id:
        plan = merging.plan(session, actor, known.name, old_id, new_id)
        shown.new = plan.new.label
        shown.amounts = [(use.label, f"{amount:,}") for use, amount in plan.amounts]
        shown.follows = plan.follows
        shown.hindrances = list(dict.fromkeys([*shown.hindrances, *plan.hindrances]))
        shown.ready = not plan.hindrances
        shown.confirm = f"{plan.total:,} 条记录将由“{old.label}”改为“{plan.new.label}”。"
    return chrome.page("dictionary_merge.html", key=Dictionaries.name, title=shown.title, page=shown)


def after(actor: Actor, job_id: int) -> str:
    """What has come of a merge."""
    session = db.session()
    job = merging.merge_of(session, actor, job_id)
    back = merging.returned(session, job)
    now = back or job
    counts = job.counts or {}
    shown = MergePage(
        now.title,
        merging.PAGE.format(merge=job.id),
        address(job.payload["dictionary"]),
        job.payload["old_label"],
        job.payload["new_label"],
        amounts=[(r.label, f"{n:,}") for r, n in merging.changed_lists(counts.get("lists") or {})],
        state=now.state.label,
        tone=now.state.tone.value,
        said=now.result or "",
        percent=percent(now.done, now.total),
        refresh=3 if now.state in OPEN else 0,
        kept=[(label, reason) for label, reason in (now.counts or {}).get("kept", [])],
        undo=job.state not in OPEN and (back is None or back.state in STOPPED),
        job_url=f"/jobs/{now.id}",
        confirm=f"记录改回“{job.payload['old_label']}”，并重新启用该选项；合并后又被修改的记录不会撤销，并会逐条说明。",
    )
    return chrome.page("dictionary_merge.html", key=Dictionaries.name, title=shown.title, page=shown)
