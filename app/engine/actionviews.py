"""Actions of a resource on one or many records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from markupsafe import Markup, escape

from app.engine import chrome, detail, drawing, forms, listing, pages, perform, picking, presenting
from app.engine.actions import (
    Act,
    Action,
    Forbidden,
    Invalid,
    NotFound,
    Question,
    Refusal,
)
from app.engine.database import db, id_of, utcnow
from app.engine.resource import Group
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor
from app.engine.viewbase import Texts, ViewBase, dialog_of, leave, placed


class ActionViews(ViewBase):
    """The form of an action, then the deed and its report."""

    @expose("/action/<name>", methods=["GET", "POST"])
    def action(self, name: str) -> ResponseReturnValue:
        """An action on one or many records: its form, then the deed."""
        actor = require_actor()
        action = next((a for a in self.resource.actions if a.name == name), None)
        if action is None:
            raise NotFound
        if not action.allowed(self.resource, actor):
            raise Forbidden(action.permission_label or action.label)
        source = request.args if request.method == "GET" else request.form
        ids, labels = self._subjects(actor, source.to_dict(flat=False))
        session = db.session()
        dealers = picking.dealers_of(session, self.resource, ids, actor)
        context = forms.Context(session, actor, utcnow(), subjects=tuple(ids), dealers=dealers)
        back = self._back()
        if not ids:
            flash("请先选择记录", "warning")
            return leave(back)
        if action.before is not None:
            try:
                action.before(Act(actor, context.now, context.session, entrance()))
            except Refusal as refusal:
                flash(refusal.message, "warning")
                return leave(back)
        if request.method == "GET":
            return self._action_form(context, action, ids, labels, back)
        texts = request.form.to_dict(flat=False)
        try:
            values = forms.clean(action.fields, texts, context)
            report = perform.perform(
                action, ids, actor, values, source=entrance(),
                version=listing.number(request.form.get("version", ""), 0) or None,
                answers=request.form.getlist("_answer"), token=request.form.get("_once", "")[:64],
            )  # fmt: skip
        except Question as question:
            return self._action_form(context, action, ids, labels, back, texts=texts, question=question)
        except Invalid as wrong:
            page = self._action_form(context, action, ids, labels, back, texts=texts, errors=wrong.errors)
            return page, 400
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            if not action.fields:
                flash(refusal.message, "bad")
                return leave(back)
            page = self._action_form(context, action, ids, labels, back, texts=texts, errors=placed(refusal))
            return page, refusal.status
        return self._report(action, report, ids, back)

    def _report(
        self, action: Action, report: perform.Report, ids: Sequence[int], back: str
    ) -> ResponseReturnValue:
        if report.told:
            told = pages.Told(action.label, [*report.messages, *report.warnings], list(report.told), back)
            return chrome.page("told.html", key=self.resource.name, title=action.label, page=told)
        for warning in report.warnings:
            flash(warning, "warning")
        if report.refused:
            shown = pages.Outcome(
                action.label, report.done, [(r.label, r.reason) for r in report.refused], back
            )
            return chrome.page("outcome.html", key=self.resource.name, title=action.label, page=shown)
        amount = "" if len(ids) == 1 else f" {report.done} 条"
        said = "；".join(report.messages) or f"{action.label}：已完成{amount}"
        flash(self._told(action, said, report.links, ids), "good")
        return leave(action.leads_to.format(id=ids[0]) if action.leads_to and len(ids) == 1 else back)

    def _told(
        self, action: Action, said: str, links: Sequence[tuple[str, str]], ids: Sequence[int]
    ) -> str | Markup:
        """The report with the ways on from there, and the way back for those who may take it."""
        undo = next((a for a in self.resource.actions if a.name == action.undone_by), None)
        if undo is not None and len(ids) == 1 and require_actor().can(*undo.permission_on(self.resource)):
            links = [*links, ("撤销", f"{self.base}/action/{undo.name}?id={ids[0]}")]
        ways = [Markup(' <a class="link" href="{}">{}</a>').format(url, label) for label, url in links]
        return escape(said) + Markup("").join(ways) if ways else said

    def _subjects(self, actor: Actor, given: dict[str, list[str]]) -> tuple[list[int], list[str]]:
        """The chosen records with their names; "all" means everything the list's filters match."""
        session = db.session()
        resource = self.resource
        if given.get("all") == ["1"]:
            args = presenting.arguments(given)
            query = listing.parse(resource, actor, args, utcnow(), session.get_bind().dialect.name)
            found = detail.matching(session, query, perform.MAX_BATCH + 1)
            if len(found) > perform.MAX_BATCH:
                raise Refusal(f"一次最多处理{perform.MAX_BATCH}条记录，请缩小范围")
            ids = found
        else:
            ids = list(dict.fromkeys(i for i in map(id_of, given.get("id", ())) if i))[
                : perform.MAX_BATCH + 1
            ]
        named = detail.labels(session, resource, ids, actor)
        if ids and not named:
            raise NotFound
        return ids, [named[i] for i in ids if i in named]

    def _action_form(
        self,
        context: forms.Context,
        action: Action,
        ids: Sequence[int],
        labels: Sequence[str],
        back: str,
        *,
        texts: Texts | None = None,
        errors: Mapping[str, str] | None = None,
        question: Question | None = None,
    ) -> str:
        preset = {s.name: request.args[s.name] for s in action.fields if s.name in request.args}
        drawer = drawing.Drawer(f"{self.base}/action/{action.name}", texts, errors, preset=preset)
        shown = drawing.form_page(
            (Group("", *action.fields),), context, drawer,
            title=action.label, url=f"{self.base}/action/{action.name}", cancel_url=back, submit=action.label,
        )  # fmt: skip
        shown.subjects = list(labels)
        shown.intro = action.confirm
        shown.tone = "BAD" if action.tone == "r" else ""
        shown.hidden += [("id", str(i)) for i in ids] + [("back", back)]
        shown.fresh = True
        if len(ids) == 1:
            shown.facts = detail.facts(context.session, self.resource, ids[0], context.actor, context.now)
            shown.draft_key = f"{self.resource.name}/{ids[0]}/{action.name}"
            shown.more_submits += [
                pages.DialogButton(label, url=address.format(id=ids[0])) for label, address in action.links
            ]
        if question is not None:
            shown.dialog = dialog_of(question, texts or {})
        return chrome.page("form.html", key=self.resource.name, title=action.label, page=shown)
