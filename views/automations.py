"""试运行: what an automation would do to one record, in words; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import or_, select

from app.engine import approving, chrome, conditions, conditionwords, perform
from app.engine.actions import Forbidden, NotFound, Refusal
from app.engine.conditions import All, Condition
from app.engine.database import db, id_of, utcnow
from app.engine.guards import hidden
from app.engine.pages import Option
from app.engine.resource import Resource
from app.engine.scopes import Actor, visible
from app.engine.security import require_actor
from models.shaping import automation_book as book
from models.shaping import automation_rules, automation_running
from models.shaping.automation_resources import Automations, words_of
from models.shaping.automation_tables import Automation

TITLE = "试运行"
URL = "/automation/trial"
SUGGESTED = 50
"""So many of the newest records are suggested while typing."""


@dataclass(slots=True)
class Line:
    """One thing that was looked at or would be done; ``yes`` is None where it cannot be said."""

    text: str
    yes: bool | None = True


@dataclass
class TrialPage:
    """The question, and what came of it."""

    title: str
    url: str
    id: int
    about: str
    """What the records are called."""
    said: tuple[str, str, str]
    """When, and, then."""
    back_url: str
    typed: str = ""
    suggested: list[str] = field(default_factory=list)
    several: list[Option] = field(default_factory=list)
    error: str = ""
    record: Option | None = None
    verdict: str = ""
    would: bool = False
    meets: bool = True
    """Whether the record is one that the automation is for."""
    conditions: list[Line] = field(default_factory=list)
    steps: list[Line] = field(default_factory=list)


class AutomationsView(BaseView):  # type: ignore[misc]
    """What stands beside the declared pages of automations."""

    route_base = "/automation"

    @expose("/trial", methods=["GET", "POST"])
    def trial(self) -> ResponseReturnValue:
        """Ask for a record, and try the automation on it."""
        actor = require_actor()
        if not actor.can("can_edit", Automations.view_name()):
            raise Forbidden(f"编辑{Automations.label}")
        session = db.session()
        row = perform.find(session, Automations, id_of(request.values.get("id")), actor)
        rule = book.rule_of(row)
        if rule is None:
            raise Refusal(automation_rules.GONE)
        shown = _page(row, actor, rule.subject.resource)
        if request.method == "POST":
            record = _chosen(shown, rule.subject.resource, actor)
            if record is not None:
                _try(shown, rule, record, actor)
        status = 400 if shown.error else 200
        return chrome.page("automation_trial.html", key=Automations.name, title=TITLE, page=shown), status

    @expose("/terms", methods=["GET"])
    def terms(self) -> ResponseReturnValue:
        """What conditions may say of these records, or of a deed done to them, for the script that puts them together
        by picking."""
        actor = require_actor()
        about = conditions.subject(request.args.get("subject", ""))
        of = getattr(about, "resource", about)  # a deed is done to records
        if about is None or not actor.can("can_list", of.view_name()):
            raise NotFound
        asked = conditions.fields(conditions.face_of(about, actor.dealer_id))
        known = [s for s in asked.values() if hidden(s, actor) is None]
        return jsonify(
            [
                {
                    "label": spec.label,
                    "kind": spec.kind,
                    "ways": [op.label for op in conditions.OPERATORS[spec.kind]],
                    "many": [op.label for op in conditions.OPERATORS[spec.kind] if op.many],
                    "values": [e.label for e in spec.entries(actor.dealer_id) if e.active],
                }
                for spec in known
            ]
        )

    @expose("/fields", methods=["GET"])
    def fields(self) -> ResponseReturnValue:
        """What the form of an edit asks, for the script that picks those whose change has to wait; nothing for other
        deeds."""
        actor = require_actor()
        deed = approving.deed_named(request.args.get("subject", ""))
        if deed is None or not actor.can("can_list", deed.resource.view_name()):
            raise NotFound
        return jsonify([s.label for s in deed.watchable(actor.dealer_id).values()])


def _page(row: Automation, actor: Actor, resource: type[Resource]) -> TrialPage:
    newest = select(resource.title).where(visible(resource, actor)).order_by(resource.pk().desc())
    names = db.session.scalars(newest.limit(SUGGESTED), actor.params).all()
    return TrialPage(
        f"{TITLE} · {row.name}",
        URL,
        row.id,
        resource.label,
        words_of(row, actor),
        f"/{Automations.name}/{row.id}",
        typed=request.form.get("record", "").strip()[:64],
        suggested=list(dict.fromkeys(map(str, names))),
    )


def _chosen(page: TrialPage, resource: type[Resource], actor: Actor) -> Any:
    """The record that was named, as far as the person who asks may see it; None with what to say instead."""
    session, typed = db.session(), page.typed
    picked = id_of(request.form.get("pick"))
    names = [c == typed for c in (resource.title, resource.code) if c is not None]
    wanted = resource.pk() == picked if picked else or_(*names, resource.pk() == id_of(typed))
    if not actor.can("can_list", resource.view_name()) or not (picked or typed):
        page.error = f"请填写{resource.label}的名称或编号"
        return None
    statement = select(resource.model).where(wanted, visible(resource, actor)).order_by(resource.pk().desc())
    found = session.scalars(statement.limit(10), actor.params).all()
    if not found:
        page.error = f"没有找到“{typed}”，请填写{resource.label}的完整名称或编号"
    elif len(found) > 1:
        page.several = [Option(str(r.id), perform.label_of(resource, r)) for r in found]
    return found[0] if len(found) == 1 else None


def _try(page: TrialPage, rule: book.Rule, record: Any, actor: Actor) -> None:
    resource, now = rule.subject.resource, utcnow()
    page.record = Option(f"/{resource.name}/{record.id}", perform.label_of(resource, record))
    page.conditions = _looked_at(rule.condition, record, actor)
    page.meets = rule.of(getattr(record, resource.scopes.dealer.key)) and rule.condition.holds(record, now)
    done, why = automation_running.trial(db.session(), rule, record.id, now)
    page.steps = [Line(said) for said in done]
    page.would = page.meets and not why
    if why:
        page.steps.append(Line(why, False))
    if not page.meets:
        page.verdict = "条件不满足，不会执行"
    else:
        page.verdict = "会因下列原因不执行，已做的部分一并取消" if why else "事件发生时将会执行"


def _looked_at(condition: Condition, record: Any, actor: Actor) -> list[Line]:
    """Each requirement with whether the record meets it, where the person may read what it asks."""
    root, now = condition.root, utcnow()
    parts = root.parts if isinstance(root, All) else (root,)
    found = []
    for part, said in zip(parts, conditionwords.lines(condition, actor), strict=True):
        one = Condition(condition.resource, part)
        readable = all(hidden(term.spec, actor) is None for term in one.terms())
        found.append(Line(said, one.holds(record, now) if readable else None))
    return found


VIEWS = [AutomationsView]
