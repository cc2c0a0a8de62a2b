"""系统参数: all settings of the dealer on one page, each with what holds when nobody set it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from app.engine import chrome, drawing, forms
from app.engine.actions import Act, Forbidden, Invalid, Refusal, Stale
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from app.engine.resource import Group
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor
from models.settings import rules
from models.settings.catalogue import parameters
from models.settings.resources import Parameters

URL = "/parameters/"


class ParametersView(BaseView):  # type: ignore[misc]
    """The page of settings; its permissions are those of the resource `Parameters`."""

    route_base = "/parameters"

    @expose("/", methods=["GET", "POST"])
    def page(self) -> ResponseReturnValue:
        """Show and save the settings of the own dealer."""
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
        try:
            values = forms.clean([p.field for p in parameters()], texts, context)
            with deed(act):
                changed = rules.set_parameters(act, actor.dealer_id, values)
        except Invalid as wrong:
            return _page(actor, texts, wrong.errors), 400
        except Refusal as refusal:
            return _page(actor, texts, {"": refusal.message}), 409 if isinstance(refusal, Stale) else 400
        flash(f"已保存，{changed} 项参数有改动" if changed else "没有改动", "good")
        return redirect(URL)


def _page(actor: Actor, texts: Any = None, errors: dict[str, str] | None = None) -> str:
    session = db.session()
    context = forms.Context(session, actor, utcnow())
    groups: dict[str, list[Any]] = {}
    for declared in parameters():
        groups.setdefault(declared.group, []).append(declared.field)
    now = {p.key: rules.parameter(session, p.key, actor.dealer_id) for p in parameters()}
    shown = drawing.form_page(
        [Group(title, *fields) for title, fields in groups.items()],
        context,
        drawing.Drawer(URL, texts, errors, None, now),
        title=Parameters.label,
        url=URL,
        cancel_url="/",
    )
    return chrome.page("parameters.html", key=Parameters.name, title=Parameters.label, page=shown)


VIEWS = [ParametersView]
