"""Forms of a resource: new, edit with both sides of a conflict, delete, and what helps while typing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose

from app.engine import (
    chrome,
    detail,
    drawing,
    filters,
    forms,
    history,
    listing,
    pages,
    perform,
    picking,
    throttle,
)
from app.engine.actions import (
    Act,
    Forbidden,
    Invalid,
    NotFound,
    Question,
    Refusal,
    Stale,
)
from app.engine.database import PK, db, utcnow
from app.engine.fields import FieldSpec, describe, normalise_phone
from app.engine.guards import is_mask, may_filter
from app.engine.resource import Resource, has_resource, resource_of
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor
from app.engine.viewbase import Texts, ViewBase, dialog_of, placed

PICKED = 20


class FormViews(ViewBase):
    """The pages that ask."""

    @expose("/new", methods=["GET", "POST"])
    def new(self) -> ResponseReturnValue:
        """The form for a new record (A-01…A-10, D-11)."""
        label = self.resource.create_label or f"新增{self.resource.label}"
        actor = self.allowed("can_add", label)
        if not self.resource.form:
            raise NotFound
        if request.method == "GET":
            preset = self._preset(actor)
            return self._form(self._new_context(actor, preset), label, preset=preset)
        texts = request.form.to_dict(flat=False)
        context = self._new_context(actor, texts)
        try:
            values = forms.clean(forms.editable(self.resource, editing=False), texts, context)
            record, act = perform.create(
                self.resource,
                values,
                actor,
                source=entrance(),
                answers=request.form.getlist("_answer"),
                token=request.form.get("_once", "")[:64],
            )
        except perform.AlreadyDone as done:
            return redirect(done.url)
        except Question as question:
            return self._form(context, label, texts=texts, question=question)
        except Invalid as wrong:
            open_question = self._open_question(actor, texts)
            if open_question is not None:
                return self._form(context, label, texts=texts, question=open_question)
            return self._form(context, label, texts=texts, errors=wrong.errors), 400
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            return self._form(context, label, texts=texts, errors=placed(refusal)), refusal.status
        made = resource_of(type(record))
        saved = f"已保存：{perform.label_of(made, record)}"
        if act.told:
            back = self._after_create(made, record, actor)
            told = pages.Told(label, [saved, *act.warnings], act.told, back)
            return chrome.page("told.html", key=self.resource.name, title=label, page=told)
        flash(saved, "good")
        for warning in act.warnings:
            flash(warning, "warning")
        return redirect(self._after_create(made, record, actor))

    def _new_context(self, actor: Actor, given: Mapping[str, Any]) -> forms.Context:
        session = db.session()
        dealers = picking.dealers_of_new(session, self.resource, given, actor)
        return forms.Context(session, actor, utcnow(), dealers=dealers)

    def _open_question(self, actor: Actor, texts: Texts) -> Question | None:
        """Somebody answered the dialog while other fields were still empty: go on with the question
        first (A-04), then with what is missing."""
        answers = frozenset(texts.get("_answer", ()))
        if not answers:
            return None
        act = Act(actor, utcnow(), db.session(), entrance(), "check", answers)
        for column, rule in self.resource.checks.items():
            typed = (texts.get(describe(column).name) or ("",))[0]
            question: Question | None = rule(typed, act).question
            if question is not None:
                return question
        return None

    def _after_create(self, made: type[Resource], record: Any, actor: Actor) -> str:
        try:
            perform.find(db.session(), made, record.id, actor)
        except NotFound:
            return f"{self.base}/"
        if made is not self.resource:
            return f"/{made.name}/"
        return f"{self.base}/{record.id}"

    def _preset(self, actor: Actor) -> dict[str, Any]:
        args = request.args.to_dict()
        known = {s.name: s for s in forms.editable(self.resource, editing=False)}
        given: dict[str, Any] = {k: v[:200] for k, v in args.items() if k in known and not known[k].multiple}
        if self.resource.prefill is not None:
            given |= self.resource.prefill(args, actor, db.session())
        return given

    def _form(
        self,
        context: forms.Context,
        title: str,
        *,
        texts: Texts | None = None,
        errors: Mapping[str, str] | None = None,
        preset: Mapping[str, Any] | None = None,
        question: Question | None = None,
        record: Any = None,
        conflict: list[pages.Difference] | None = None,
    ) -> str:
        editing = record is not None
        drawer = drawing.Drawer(
            self.base,
            texts,
            errors,
            record,
            preset,
            frozenset(describe(c).name for c in self.resource.checks),
        )
        shown = drawing.form_page(
            self.resource.groups(editing), context, drawer,
            title=title,
            url=f"{self.base}/{record.id}/edit" if editing else f"{self.base}/new",
            cancel_url=f"{self.base}/{record.id}" if editing else f"{self.base}/",
        )  # fmt: skip
        shown.resource = self.resource.name
        shown.draft_key = f"{self.resource.name}/{record.id if editing else 'new'}"
        shown.fresh = not editing
        if editing:
            shown.hidden.append(("version", str(getattr(record, "version", 0))))
        if question is not None:
            shown.dialog = dialog_of(question, texts or {})
        shown.conflict = conflict or []
        return chrome.page("form.html", key=self.resource.name, title=title, page=shown)

    @expose(f"/{PK}/edit", methods=["GET", "POST"])
    def edit(self, pk: int) -> ResponseReturnValue:
        """The form of an existing record; a stale version shows both sides (A-116)."""
        actor = self.allowed("can_edit", f"编辑{self.resource.label}")
        session = db.session()
        record = perform.find(session, self.resource, pk, actor)
        if not self.resource.groups(True):
            raise NotFound
        dealers = picking.dealers_of_record(record)
        context = forms.Context(session, actor, utcnow(), record, dealers=dealers)
        title = f"编辑{self.resource.label} · {perform.label_of(self.resource, record)}"
        if request.method == "GET":
            return self._form(context, title, record=record)
        texts = request.form.to_dict(flat=False)
        version = listing.number(request.form.get("version", ""), 0)
        try:
            values = forms.clean(forms.editable(self.resource, editing=True), texts, context)
            _, act = perform.update(
                self.resource,
                pk,
                values,
                actor,
                version=version,
                source=entrance(),
                answers=request.form.getlist("_answer"),
            )
        except Question as question:
            return self._form(context, title, texts=texts, question=question, record=self._fresh(pk, actor))
        except Stale:
            return self._conflict(context, title, texts, pk), 409
        except Invalid as wrong:
            again = self._fresh(pk, actor)
            return self._form(context, title, texts=texts, errors=wrong.errors, record=again), 400
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            again = self._fresh(pk, actor)
            return self._form(
                context, title, texts=texts, errors=placed(refusal), record=again
            ), refusal.status
        flash("已保存", "good")
        for warning in act.warnings:
            flash(warning, "warning")
        return redirect(f"{self.base}/{pk}")

    def _fresh(self, pk: int, actor: Actor) -> Any:
        return perform.find(db.session(), self.resource, pk, actor)

    def _conflict(self, context: forms.Context, title: str, texts: Texts, pk: int) -> str:
        record = self._fresh(pk, context.actor)
        who = history.last_writer(self.resource.name, pk)
        found = []
        for spec in forms.editable(self.resource, editing=True):
            mine = "、".join(texts.get(spec.name, ()))
            drawer = drawing.Drawer(self.base, record=record)
            theirs = drawer.draw(spec, context)
            stored = "、".join(theirs.values) if spec.multiple else theirs.value
            if spec.name in texts and mine != stored and not is_mask(spec, mine):
                names = {o.value: o.label for o in theirs.options}
                kept = drawing.Drawer(self.base, texts=texts).draw(spec, context)
                names |= {o.value: o.label for o in kept.options}
                found.append(
                    pages.Difference(spec.label, names.get(mine, mine), names.get(stored, stored), who)
                )
        return self._form(context, title, texts=texts, record=record, conflict=found)

    @expose(f"/{PK}/delete", methods=["POST"])
    def delete(self, pk: int) -> ResponseReturnValue:
        """Delete, where the resource says how; a question is put first."""
        actor = self.allowed("can_delete", f"删除{self.resource.label}")
        session = db.session()
        try:
            perform.remove(
                self.resource, pk, actor, source=entrance(), answers=request.form.getlist("_answer")
            )
        except Question as question:
            record = perform.find(session, self.resource, pk, actor)
            shown = pages.FormPage(
                f"删除{self.resource.label} · {perform.label_of(self.resource, record)}",
                f"{self.base}/{pk}/delete", [], "删除", f"{self.base}/", tone="BAD",
                intro=question.text,
                hidden=[("_answer", a.value) for a in question.answers if a.value],
            )  # fmt: skip
            return chrome.page("form.html", key=self.resource.name, title=shown.title, page=shown)
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            flash(refusal.message, "bad")
            return redirect(f"{self.base}/{pk}")
        flash("已删除", "good")
        return redirect(f"{self.base}/")

    @expose("/pick/<field>", methods=["GET"])
    def pick(self, field: str) -> ResponseReturnValue:
        """What a picker offers for these letters; only records the person may see."""
        actor = require_actor()
        specs = [describe(f) for f in self.resource.filters if not hasattr(f, "column")]
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
            raise Forbidden(self.resource.label, seeing=True)
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
            found = filters.keyword(target, typed, actor, session.get_bind().dialect.name)
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
            raise Forbidden(self.resource.label, seeing=True)
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
