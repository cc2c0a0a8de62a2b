"""系统参数: all settings of the dealer on one page, each with what holds when nobody set it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from app.engine import chrome, drawing, forms
from app.engine.actions import Act, Forbidden, Invalid, Refusal, Stale
from app.engine.cells import text
from app.engine.changes import plain
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from app.engine.history import last_writer
from app.engine.pages import DialogButton, Difference
from app.engine.pages.parameters import ParameterMark
from app.engine.resource import Group
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor
from models.settings import rules
from models.settings.catalogue import ParameterDef, parameter_def, parameters
from models.settings.queries import inherited
from models.settings.resources import Parameters

URL = "/parameters/"
WAS = "was."
"""Before the name of a parameter: the mark of the value that the page was drawn with."""


class ParametersView(BaseView):  # type: ignore[misc]
    """The page of settings; its permissions are those of the resource `Parameters`."""

    route_base = "/parameters"

    @expose("/", methods=["GET", "POST"])
    def page(self) -> ResponseReturnValue:
        """Show and save the settings of the own dealer; with ``do=preview`` only say what saving would do."""
        actor = require_actor()
        view = Parameters.view_name()
        if not actor.can("can_list", view):
            raise Forbidden(Parameters.label, seeing=True)
        if request.method == "GET":
            return _page(actor)
        if not actor.can("can_edit", view):
            raise Forbidden(f"编辑{Parameters.label}")
        texts = request.form.to_dict(flat=False)
        session = db.session()
        context = forms.Context(session, actor, utcnow())
        act = Act(actor, context.now, session, entrance(), "update")
        back = request.form.get("reset", "")
        try:
            values = forms.clean([p.field for p in parameters() if p.key != back], texts, context)
            if any(p.key == back for p in parameters()):
                values[back] = inherited(session, back, actor.dealer_id)
            mine = _touched(values)
            if request.form.get("do") == "preview":
                return _page(actor, texts, wanted=values, previewed=True)
            with deed(act):
                against = _against(actor, mine)
                if against:
                    raise Stale
                changed = rules.set_parameters(act, actor.dealer_id, mine)
        except Stale as stale:
            return _conflict(actor, texts, stale), 409
        except Invalid as wrong:
            return _page(actor, texts, wrong.errors), 400
        except Refusal as refusal:
            return _page(actor, texts, {"": refusal.message}), 400
        flash(f"已保存，{changed} 项参数有改动" if changed else "没有改动", "good")
        return redirect(URL)


def _mark(value: Any) -> str:
    """A few letters that tell values apart."""
    return hashlib.sha256(json.dumps(plain(value), ensure_ascii=False).encode()).hexdigest()[:12]


def _touched(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the person changed of the values that the page was drawn with."""
    return {key: value for key, value in values.items() if request.form.get(WAS + key) != _mark(value)}


def _now(actor: Actor) -> dict[str, Any]:
    session = db.session()
    return {p.key: rules.parameter(session, p.key, actor.dealer_id) for p in parameters()}


def _against(actor: Actor, mine: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the person's changes whose parameter somebody else has set to something else meanwhile."""
    stored = _now(actor)
    return {
        key: value
        for key, value in mine.items()
        if request.form.get(WAS + key) not in (None, _mark(stored[key])) and stored[key] != value
    }


def _conflict(actor: Actor, texts: dict[str, list[str]], stale: Stale) -> str:
    """Both sides side by side; saving once more takes mine."""
    session = db.session()
    context = forms.Context(session, actor, utcnow())
    against = _against(actor, forms.clean([p.field for p in parameters()], texts, context))
    stored = _now(actor)
    found = []
    for key, value in against.items():
        spec = parameter_def(key).field
        texts[WAS + key] = [_mark(stored[key])]
        by = last_writer(Parameters.name, rules.row_id(session, key, actor.dealer_id))
        found.append(Difference(spec.label, _words(spec, actor, value), _words(spec, actor, stored[key]), by))
    return _page(actor, texts, None if found else {"": stale.message}, conflict=found)


def _words(spec: Any, actor: Actor, value: Any) -> str:
    return text(spec, value, actor.dealer_id, actor.epoch) or "空"


def _page(
    actor: Actor,
    texts: Any = None,
    errors: dict[str, str] | None = None,
    *,
    wanted: Mapping[str, Any] | None = None,
    conflict: list[Difference] | None = None,
    previewed: bool = False,
) -> str:
    session = db.session()
    context = forms.Context(session, actor, utcnow())
    groups: dict[str, list[Any]] = {}
    for declared in parameters():
        groups.setdefault(declared.group, []).append(declared.field)
    now = _now(actor)
    shown = drawing.form_page(
        [Group(title, *fields) for title, fields in groups.items()],
        context,
        drawing.Drawer(URL, texts, errors, None, now),
        title=Parameters.label,
        url=URL,
        cancel_url="/",
    )
    shown.conflict = conflict or []
    shown.more_submits = [DialogButton("查看影响", "do", "preview")]
    marks = {p.key: _marked(p, actor, now, {**now, **(wanted or {})}, context.now) for p in parameters()}
    for key, value in now.items():
        known = (texts or {}).get(WAS + key)
        shown.hidden.append((WAS + key, known[0] if known else _mark(value)))
    if previewed:
        changes = [(parameter_def(k).field, v) for k, v in (wanted or {}).items() if v != now[k]]
        shown.notes = [
            f"{spec.label}：{_words(spec, actor, now[spec.name])} → {_words(spec, actor, value)}"
            for spec, value in changes
        ] or ["没有改动"]
    return chrome.page(
        "parameters.html", key=Parameters.name, title=Parameters.label, page=shown, marks=marks,
        own=sum(bool(m.default) for m in marks.values()),
    )  # fmt: skip


def _marked(
    declared: ParameterDef, actor: Actor, now: Mapping[str, Any], wanted: Mapping[str, Any], at: Any
) -> ParameterMark:
    """What stands beside a parameter: the default where it differs, and what the value comes to."""
    session = db.session()
    usual = inherited(session, declared.key, actor.dealer_id)
    made = ParameterMark()
    if now[declared.key] != usual:
        made.default = _words(declared.field, actor, usual)
    if declared.effect is not None and actor.dealer_id is not None:
        made.effect = declared.effect(session, actor.dealer_id, wanted, at)
    return made


VIEWS = [ParametersView]
