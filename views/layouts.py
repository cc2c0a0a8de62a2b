"""页面布局: sections of forms and record pages. What is moved is a draft in the form until it is saved."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from markupsafe import Markup

from app.engine import chrome, history, layouts
from app.engine.actions import Act, Forbidden, Invalid, NotFound, Refusal, Stale
from app.engine.colliding import THEIRS
from app.engine.database import PK, db, id_of, utcnow
from app.engine.deeds import deed
from app.engine.layouts import Plan
from app.engine.listing import number
from app.engine.perform import find
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor
from models.shaping import layout_edits, layout_rules, layout_sides
from models.shaping.layout_queries import EDIT, SELF, URL, snapshot
from models.shaping.layout_resources import PageLayouts
from models.shaping.layout_sides import Side
from views import layout_drawing
from views.layout_drawing import BEGAN, OF_GROUP, SIDE, TITLE, Subject


class LayoutsView(BaseView):  # type: ignore[misc]
    """The pages of the editor; their permissions are those of the resource `PageLayouts`."""

    route_base = URL.rstrip("/")

    @expose("/", methods=["GET"])
    def page(self) -> ResponseReturnValue:
        """Everything that can be laid out, and what has been."""
        actor = _allowed("can_list")
        return layout_drawing.index(actor, _owner(actor))

    @expose("/edit", methods=["GET", "POST"])
    def edit(self) -> ResponseReturnValue:
        """One form or page of one owner, for everybody or for a role."""
        actor = _allowed("can_edit")
        name = "恢复默认布局" if request.form.get("do") == "reset" else "调整布局"
        act = Act(actor, utcnow(), db.session(), entrance(), name)
        subject = _subject(act)
        if request.method == "GET":
            return layout_drawing.editor(act, subject, subject.plan, subject.version)
        plan, wanted = _typed(subject), request.form.get("do", "" if THEIRS in request.form else "save")
        version = number(request.form.get("version", ""), 0)
        if wanted == "save":
            return _save(act, subject, plan, version)
        if wanted == "reset":
            return _reset(act, subject, plan, version)
        focus = ""
        if ":" in wanted or wanted == "add":
            plan, focus = _stepped(plan, wanted)
        sides: list[Side] = []
        if {THEIRS, SIDE} & request.form.keys():
            plan, sides = _taken(subject, plan)
        return layout_drawing.editor(act, subject, plan, version, focus=focus, judged=True, sides=sides)

    @expose(f"/{PK}", methods=["GET"])
    def record(self, pk: int) -> ResponseReturnValue:
        """Where the log of all deeds leads: what was changed of the layout, and the way to it."""
        return self.changes(pk)

    @expose(f"/{PK}/history", methods=["GET"])
    def changes(self, pk: int) -> ResponseReturnValue:
        """Who changed what of a layout (D-15)."""
        actor = _allowed("can_list")
        row = find(db.session(), PageLayouts, pk, actor)
        before = number(request.args.get("before", ""), 0) or None
        may = actor.can(*EDIT) and layout_rules.may_lay_out(actor, row.dealer_id)
        of = OF_GROUP if row.dealer_id is None and actor.dealer_id is not None else ""
        back = layout_drawing.address(row.resource, row.page.value, of, row.role_id or 0) if may else URL
        shown = history.page(PageLayouts.name, pk, actor, row.name, back, before)
        return chrome.page("history.html", key=SELF, title="修改历史", page=shown)


# ----- what is asked


def _allowed(permission: str) -> Actor:
    actor = require_actor()
    if not actor.can(permission, PageLayouts.view_name()):
        raise Forbidden(TITLE, seeing=permission == "can_list")
    return actor


def _owner(actor: Actor) -> int | None:
    """Whose layouts the page is about: the own dealer's, or for those of the group also everybody's."""
    if actor.dealer_id is not None and request.values.get("of") != OF_GROUP:
        return actor.dealer_id
    if not layout_rules.may_lay_out(actor, None):
        raise Forbidden("集团预置布局")
    return None


def _subject(act: Act) -> Subject:
    """What is laid out and for whom."""
    owner = _owner(act.actor)
    given = request.values
    found, page = layout_rules.page_of(act.actor, given.get("resource", ""), given.get("page", ""), owner)
    role_id = id_of(given.get("role")) or None
    roles = layout_rules.roles_to_lay_out(act, owner)
    if role_id is not None and role_id not in {r.id for r in roles}:
        raise NotFound
    place = (owner, role_id)
    known = snapshot(act.session)
    below = layout_rules.default_of(found, page.value, known, place)
    kept = known.find(found.name, page.value, place)
    plan = below
    if kept is not None:
        plan = layouts.resolved(layouts.declared(found, page.value), kept.layout.parts)
    return Subject(
        found, page, place, roles, below, plan, kept.version if kept is not None else 0,
        id_of(given.get("record")) or 0,
    )  # fmt: skip


def _typed(subject: Subject) -> Plan:
    """The draft as the form has it; what it does not say of stands where it is declared."""
    form = request.form
    declared = layouts.declared(subject.resource, subject.page.value)
    titles = {n.removeprefix("title:"): v[:100] for n, v in form.items() if n.startswith("title:")}
    plan = layout_edits.typed(
        declared, form.getlist("at")[:500], titles, frozenset(form.getlist("full")), frozenset(form.getlist("hide")),
        subject.wide,
    )  # fmt: skip
    return plan or declared


def _whole(subject: Subject, plan: Plan) -> Plan:
    """The draft with everything that the page has by now."""
    return layouts.resolved(layouts.declared(subject.resource, subject.page.value), plan)


def _began(subject: Subject) -> Plan | None:
    """The plan with which the page was opened, as it remembers; None where it does not."""
    try:
        return _whole(subject, layouts.from_json(json.loads(request.form.get(BEGAN, ""))))
    except ValueError:
        return None


def _stepped(plan: Plan, wanted: str) -> tuple[Plan, str]:
    """The plan after the button that was pressed, and what it was about."""
    if wanted == "add":
        plan, key = layout_edits.add_part(plan)
        return plan, f"{layout_edits.SECTION}{key}"
    step, _, about = wanted.partition(":")
    if step not in _STEPS:
        raise NotFound
    return _STEPS[step](plan, about), wanted


def _step(way: int) -> Callable[[Plan, str], Plan]:
    def move(plan: Plan, about: str) -> Plan:
        if about.startswith(layout_edits.SECTION):
            return layout_edits.move_part(plan, about.removeprefix(layout_edits.SECTION), way)
        return layout_edits.move_spot(plan, about, way)

    return move


_STEPS: dict[str, Callable[[Plan, str], Plan]] = {
    "up": _step(-1),
    "down": _step(1),
    "drop": lambda plan, about: layout_edits.remove_part(plan, about.removeprefix(layout_edits.SECTION)),
}


# ----- what is done


def _save(act: Act, subject: Subject, plan: Plan, version: int) -> ResponseReturnValue:
    try:
        with deed(act):
            row = layout_rules.save(act, subject.resource, subject.page, subject.place, plan, version)
            row_id = row.id if row is not None else 0
    except (Forbidden, NotFound):
        raise
    except Stale:
        return _collided(act, plan)
    except Invalid as wrong:
        return layout_drawing.editor(act, subject, plan, version, errors=wrong.errors), 400
    except Refusal as refusal:
        errors = {"": refusal.message}
        return layout_drawing.editor(act, subject, plan, version, errors=errors), refusal.status
    called = _called(subject)
    said = f"“{called}”的布局已保存" if row_id else f"“{called}”与默认一致，未单独保存"
    flash(_with_history(said, act, row_id), "good")
    return redirect(subject.done_url(act.actor))


def _collided(act: Act, plan: Plan) -> ResponseReturnValue:
    """Saved where only one has touched what differs; else shown with both versions."""
    fresh = _subject(act)
    together, sides = layout_sides.settle(_began(fresh), _whole(fresh, plan), fresh.plan, fresh.labels)
    if any(side.name for side in sides):
        return layout_drawing.editor(act, fresh, together, fresh.version, sides=sides), 409
    return _save(act, fresh, together, fresh.version)


def _taken(subject: Subject, plan: Plan) -> tuple[Plan, list[Side]]:
    """The draft with the other one's version of something, and what is still to be chosen."""
    chosen, asked = request.form.getlist(THEIRS), request.form.getlist(SIDE)
    return layout_sides.take(_whole(subject, plan), subject.plan, chosen, asked, subject.labels)


def _reset(act: Act, subject: Subject, plan: Plan, version: int) -> ResponseReturnValue:
    try:
        with deed(act):
            layout_rules.reset(act, subject.resource, subject.page, subject.place, version)
    except (Forbidden, NotFound):
        raise
    except Stale:
        fresh = _subject(act)
        together, sides = layout_sides.settle(_began(fresh), _whole(fresh, plan), fresh.plan, fresh.labels)
        asked = Side("整个布局", "恢复默认（请核对后再点一次）", "已修改")
        return layout_drawing.editor(act, fresh, together, fresh.version, sides=[asked, *sides]), 409
    except Refusal as refusal:
        errors = {"": refusal.message}
        return layout_drawing.editor(act, subject, plan, version, errors=errors), refusal.status
    flash(_with_history(f"“{_called(subject)}”已恢复默认布局", act, 1), "good")
    return redirect(subject.url(act.actor))


def _called(subject: Subject) -> str:
    return " · ".join(filter(None, (subject.called, subject.whom)))


def _with_history(said: str, act: Act, row_id: int) -> Any:
    """The report, with the way to take it back for those who see the changes of the configuration."""
    url = layout_drawing.undo_url(act) if row_id else ""
    return Markup('{} <a class="link" href="{}">撤销</a>').format(said, url) if url else said


VIEWS = [LayoutsView]
