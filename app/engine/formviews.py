"""Forms of a resource: new, edit with both sides of a conflict, delete, and what helps while typing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose

from app.engine import (
    attached,
    chrome,
    colliding,
    drawing,
    faces,
    forms,
    history,
    layouts,
    listing,
    pages,
    perform,
    picking,
    rowed,
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
from app.engine.approving import Submitted
from app.engine.askviews import AID, AskViews
from app.engine.database import PK, db, id_of, utcnow
from app.engine.fields import FieldSpec, describe
from app.engine.guards import gate
from app.engine.resource import Resource, resource_of
from app.engine.scopes import Actor
from app.engine.security import entrance
from app.engine.viewbase import Texts, dialog_of, placed, told_of


class FormViews(AskViews):
    """The pages that ask."""

    @expose("/new", methods=["GET", "POST"])
    def new(self) -> ResponseReturnValue:
        """The form for a new record (A-01…A-10, D-11)."""
        label = self.resource.create_label or f"新增{self.resource.label}"
        actor = self.allowed("can_add", label)
        label = self.resource.create_title or label
        if not self.resource.form:
            raise NotFound
        preset = self._preset(actor)
        if request.method == "GET":
            return self._form(self._new_context(actor, preset), label, preset=preset)
        texts = request.form.to_dict(flat=False)
        context = self._new_context(actor, texts)
        specs = forms.editable(self.resource, editing=False)
        texts = attached.received(forms.asked(specs, actor), texts, context)
        texts = rowed.received(specs, texts, context)
        if rowed.MOVE in texts:
            return self._form(context, label, texts=texts, preset=preset)
        if AID in texts:
            return self._aided(texts, specs, context, label, preset=preset)
        left_out = layouts.arranged(self.resource, layouts.NEW, actor).hidden
        try:
            values = forms.clean(specs, {**self._starts(left_out, context, preset), **texts}, context)
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
        except Submitted as sent:
            return told_of(sent, f"{self.base}/")
        except Question as question:
            return self._form(context, label, texts=texts, preset=preset, question=question)
        except Invalid as wrong:
            asked = self._open_question(actor, texts)
            if asked is not None:
                return self._form(context, label, texts=texts, preset=preset, question=asked)
            return self._form(context, label, texts=texts, preset=preset, errors=wrong.errors), 400
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            errors = placed(refusal)
            return self._form(context, label, texts=texts, preset=preset, errors=errors), refusal.status
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

    def _aided(
        self, texts: Texts, specs: list[FieldSpec], context: forms.Context, title: str, **shown: Any
    ) -> ResponseReturnValue:
        """A button beside a field was pressed: its answer for the script, or the form filled in by it."""
        answer = self._aid(texts, specs, context)
        if not isinstance(answer, tuple):
            return answer  # type: ignore[no-any-return]
        filled, errors = answer
        return self._form(context, title, texts=filled, errors=errors or None, **shown)

    def _new_context(self, actor: Actor, given: Mapping[str, Any]) -> forms.Context:
        session = db.session()
        dealers = picking.dealers_of_new(session, self.resource, given, actor)
        return forms.Context(session, actor, utcnow(), copied=self._copied(actor), dealers=dealers)

    def _copied(self, actor: Actor) -> Any:
        """The record that the new one takes its first values from (E-60)."""
        wanted = id_of(request.values.get("copy")) if self.resource.copies else None
        return perform.find(db.session(), self.resource, wanted, actor) if wanted else None

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
        if made.name != self.resource.name:
            return f"/{made.name}/"
        return f"{self.base}/{record.id}"

    def _preset(self, actor: Actor) -> dict[str, Any]:
        args = request.args.to_dict()
        known = {s.name: s for s in forms.editable(self.resource, editing=False)}
        given: dict[str, Any] = {k: v[:200] for k, v in args.items() if k in known and not known[k].multiple}
        if self.resource.prefill is not None:
            given |= self.resource.prefill(args, actor, db.session())
        copied = self._copied(actor)
        if copied is not None:
            values = {c.key: gate(describe(c), getattr(copied, c.key), actor) for c in self.resource.copies}
            given |= {name: given.get(name) if value is None else value for name, value in values.items()}
        return given

    def _starts(
        self, specs: Sequence[FieldSpec], context: forms.Context, preset: Mapping[str, Any]
    ) -> dict[str, list[str]]:
        """What a new record starts with in fields that the form does not show."""
        drawer = drawing.Drawer(self.base, preset=preset)
        return {s.name: drawer.values_of(s, context) for s in specs}

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
        frozen = self.resource.frozen if editing else None
        why = frozen(record, context.actor) if frozen is not None else ""
        drawer = drawing.Drawer(
            self.base,
            texts,
            errors,
            record,
            preset,
            frozenset(describe(c).name for c in self.resource.checks),
            readonly=bool(why) and texts is None,
        )
        page = layouts.EDIT if editing else layouts.NEW
        laid = layouts.arranged(self.resource, page, context.actor)
        shown = drawing.form_page(
            laid.groups, context, drawer,
            title=title,
            url=f"{self.base}/{record.id}/edit" if editing else f"{self.base}/new",
            cancel_url=f"{self.base}/{record.id}" if editing else f"{self.base}/",
            wide=laid.wide,
            left_out=laid.hidden,
        )  # fmt: skip
        shown.resource, shown.script = self.resource.name, self.resource.script
        shown.adding_url = faces.adding_url(self.resource, context.actor)
        about = record.id if editing else 0
        shown.layout_url = layouts.editor_url(self.resource, page, context.actor, about)
        if drawer.readonly:
            shown.notes, shown.submit, shown.cancel_label = [why], "", "返回"
            if self.resource.copies and context.actor.can("can_add", self.resource.view_name()):
                copy = pages.DialogButton("复制新建", url=f"{self.base}/new?copy={record.id}", primary=True)
                shown.more_submits = [copy]
        elif self.resource.form_notes is not None:
            act = Act(context.actor, context.now, context.session, entrance(), "check")
            shown.notes = list(self.resource.form_notes(act, editing))
        if context.copied is not None:
            shown.hidden.append(("copy", str(context.copied.id)))
        of = f"/{context.copied.id}" if context.copied is not None else ""
        shown.draft_key = f"{self.resource.name}/{record.id if editing else f'new{of}'}"
        shown.fresh = not editing
        if not editing:
            shown.standing = self.resource.standing(context.actor, context.session, context.now)
        if editing:
            shown.hidden.append(("version", str(getattr(record, "version", 0))))
            shown.hidden += self._opened_with(context, record, texts if conflict is None else None)
        if question is not None:
            shown.dialog = dialog_of(question, texts or {})
        shown.conflict = conflict or []
        return chrome.page(self.resource.form_page, key=self.resource.name, title=title, page=shown)

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
        specs = forms.editable(self.resource, editing=True)
        texts = attached.received(forms.asked(specs, actor, record), texts, context)
        texts = rowed.received(specs, texts, context)
        if rowed.MOVE in texts:
            return self._form(context, title, texts=texts, record=record)
        if AID in texts:
            return self._aided(texts, specs, context, title, record=record)
        if colliding.THEIRS in texts:
            return self._taken(context, title, texts, pk)
        laid = layouts.arranged(self.resource, layouts.EDIT, actor)
        try:
            values = forms.clean(specs, texts, context, left_out=laid.left_out)
            _, act = perform.update(
                self.resource,
                pk,
                values,
                actor,
                version=version,
                source=entrance(),
                answers=request.form.getlist("_answer"),
            )
        except Submitted as sent:
            return told_of(sent, f"{self.base}/{pk}")
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

    def _opened_with(self, context: forms.Context, record: Any, texts: Texts | None) -> list[tuple[str, str]]:
        """What the form of such records remembers of its beginning, also when it is shown once more."""
        if not colliding.remembers(self.resource):
            return []
        if texts is not None:
            return [(n, v) for n, vs in texts.items() if n.startswith(colliding.WAS) for v in vs[:1]]
        specs = forms.asked(forms.editable(self.resource, editing=True), context.actor, record)
        return colliding.marks(specs, drawing.Drawer(self.base, record=record), context)

    def _fresh(self, pk: int, actor: Actor) -> Any:
        return perform.find(db.session(), self.resource, pk, actor)

    def _conflict(self, context: forms.Context, title: str, texts: Texts, pk: int) -> str:
        """Both sides of what two people have made of one record; saving once more takes mine."""
        record = self._fresh(pk, context.actor)
        by = history.last_writer(self.resource.name, pk)
        specs = forms.asked(forms.editable(self.resource, editing=True), context.actor, record)
        stored = drawing.Drawer(self.base, record=record)
        found, merged = colliding.compared(specs, texts, stored, context, by)
        return self._form(context, title, texts=merged, record=record, conflict=found)

    def _taken(self, context: forms.Context, title: str, texts: Texts, pk: int) -> str:
        """The same once more, with the other one's value of some field."""
        chosen = set(texts[colliding.THEIRS])
        stored = drawing.Drawer(self.base, record=self._fresh(pk, context.actor))
        kept = {name: list(values) for name, values in texts.items() if name != colliding.THEIRS}
        for spec in forms.editable(self.resource, editing=True):
            if spec.name in chosen:
                colliding.take(kept, spec, stored, context)
        return self._conflict(context, title, kept, pk)

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
        except Submitted as sent:
            return told_of(sent, f"{self.base}/")
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            flash(refusal.message, "bad")
            return redirect(f"{self.base}/{pk}")
        flash("已删除", "good")
        return redirect(f"{self.base}/")
