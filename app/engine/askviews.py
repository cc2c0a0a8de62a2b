"""What helps while a form is filled in: pickers, checks while typing, buttons that fill in a field."""

from __future__ import annotations

from typing import Any

from flask import jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose

from app.engine import aids, detail, drawing, filters, forms, picking, searching, throttle
from app.engine.actions import Act, Forbidden, Invalid, NotFound, Refusal
from app.engine.database import db, utcnow
from app.engine.fields import FieldSpec, describe, normalise_phone
from app.engine.guards import may_filter
from app.engine.resource import Asked, has_resource, resource_of
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor
from app.engine.viewbase import Texts, ViewBase, dialog_of

PICKED = 20
AID = "_aid"
"""The name of a button that fills in the field in its value."""


class AskViews(ViewBase):
    """The answers that a form asks for before it is sent."""

    def _aid(self, texts: Texts, specs: list[FieldSpec], context: forms.Context) -> Any:
        """The answer to a button beside a field, for the page's script; without one the form as it then stands,
        and what is wrong with it."""
        name = (texts.get(AID) or ("",))[-1]
        asked = forms.asked(specs, context.actor)
        spec = next((s for s in asked if s.name == name and s.aid is not None), None)
        if spec is None:
            raise NotFound
        act = Act(context.actor, context.now, context.session, entrance(), "check")
        try:
            found, said = aids.offers(spec, texts, context, act), ""
        except Invalid:
            raise
        except Refusal as refusal:
            found, said = [], refusal.message
        if "X-Zk-Aid" in request.headers:
            options = [{"value": value, "label": note or value} for value, note in found]
            return jsonify({"options": options, "message": said})
        if len(found) > 1:
            said = f"有多个可选：{'、'.join(f'{note} {value}' for value, note in found)}，请直接填写"
        filled = {name: [found[0][0]]} if len(found) == 1 else {}
        return {**texts, **filled, AID: []}, {name: said} if said else {}

    @expose("/pick/<field>", methods=["GET"])
    def pick(self, field: str) -> ResponseReturnValue:
        """What a picker offers for these letters; only records the person may see."""
        actor = require_actor()
        specs = [describe(f) for f in self.resource.filters if not isinstance(f, Asked)]
        specs += forms.editable(self.resource, editing=False) + forms.editable(self.resource, editing=True)
        return self._picked(actor, next((s for s in specs if s.name == field), None))

    @expose("/action/<name>/pick/<field>", methods=["GET"])
    def pick_for_action(self, name: str, field: str) -> ResponseReturnValue:
        """The same for a field of an action's form."""
        actor = require_actor()
        action = next((a for a in self.resource.actions if a.name == name), None)
        if action is None or not action.allowed(self.resource, actor):
            raise NotFound
        return self._picked(actor, next((s for s in action.fields if s.name == field), None))

    def _picked(self, actor: Actor, spec: FieldSpec | None) -> ResponseReturnValue:
        if not any(actor.can(p, self.resource.view_name()) for p in ("can_list", "can_add", "can_edit")):
            raise Forbidden(self.resource.titled(), seeing=True)
        if (
            spec is None
            or spec.target is None
            or not has_resource(spec.target)
            or not may_filter(spec, actor)
        ):
            raise NotFound
        session = db.session()
        target = resource_of(spec.target)
        dealers = frozenset(_numbers("dealer"))
        statement = picking.pickable(spec, actor, _numbers("of"), dealers)
        if "new" in request.args:
            seen = detail.labels(session, self.resource, _numbers("of"), actor) if spec.spent else {}
            statement = picking.left_for(session, statement, spec, list(seen))
        for parent in _numbers("parent")[:1] if spec.parent else ():
            statement = picking.of_parent(statement, spec, parent)
        params: dict[str, Any] = {}
        typed = request.args.get("q", "").strip()[: filters.MAX_TEXT]
        if typed:
            found = searching.keyword(target, typed, actor, session.get_bind().dialect.name)
            if found is not None and target.search:
                statement, params = statement.where(found.make()), found.params
            else:
                statement = statement.where(target.title.contains(typed, autoescape=True))
        statement = statement.order_by(*picking.best_first(spec, actor), target.pk().desc()).limit(PICKED)
        offers = picking.read(session, spec, statement.params(params), actor, dealers)
        results = [
            {
                "value": str(o.id),
                "label": o.title,
                "note": picking.BETWEEN.join(filter(None, (o.note, o.group))),
            }
            for o in offers
        ]
        return jsonify({"results": results})

    @expose("/check/<field>", methods=["GET"])
    def check(self, field: str) -> ResponseReturnValue:
        """The answer to a check while typing (A-02); changes nothing."""
        actor = require_actor()
        if not any(actor.can(p, self.resource.view_name()) for p in ("can_add", "can_edit")):
            raise Forbidden(self.resource.titled(), seeing=True)
        checked = ((describe(c), r) for c, r in self.resource.checks.items())
        spec, rule = next((found for found in checked if found[0].name == field), (None, None))
        if spec is None or rule is None:
            raise NotFound
        value = request.args.get("value", "")[: filters.MAX_TEXT]
        throttle.look_up(spec, actor, [normalise_phone(value)])
        result = rule(value, Act(actor, utcnow(), db.session(), entrance(), "check"))
        dialog = ""
        if result.question is not None:
            dialog = render_template("_dialog.html", dialog=dialog_of(result.question, {}))
        return jsonify({"ok": result.ok, "message": result.message, "html": dialog})


def _numbers(name: str) -> list[int]:
    """The ids of this name in the address; what is none is not understood."""
    given = request.args.getlist(name)[: drawing.NAMED_SUBJECTS]
    return [int(n) for n in given if n.isascii() and n.isdigit() and len(n) < 10]
