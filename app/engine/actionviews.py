"""Actions of a resource on one or many records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from markupsafe import Markup, escape

from app.engine import (
    chrome,
    detail,
    drawing,
    forms,
    history,
    listing,
    pages,
    perform,
    picking,
    savedviews,
    undo,
)
from app.engine.actions import (
    Act,
    Action,
    Forbidden,
    Invalid,
    NotFound,
    Question,
    Refusal,
)
from app.engine.addresses import arguments
from app.engine.database import db, id_of, utcnow
from app.engine.resource import Group
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor
from app.engine.viewbase import Texts, ViewBase, dialog_of, leave, placed


def _names(action: Action) -> set[str]:
    """What the inputs of the action's form are called."""
    return {name for spec in action.fields for name in (spec.name, f"{spec.name}__text")}


def _counted(report: perform.Report) -> str:
    """What became of a batch, in words."""
    same = f"，{report.unchanged} 条无变化" if report.unchanged else ""
    same += f"，{report.waiting} 条待审批" if report.waiting else ""
    if not report.done and report.unchanged and not report.waiting:
        return f"{report.unchanged} 条无变化" if report.unchanged > 1 else "无变化"
    return f"已完成 {report.done} 条{same}"


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
        return self._report(action, report, ids, back, texts)

    @expose("/undo/<deed>", methods=["GET", "POST"])
    def take_back(self, deed: str) -> ResponseReturnValue:
        """Taking a batch change back: what it was, then the deed and its report (A-56)."""
        actor = require_actor()
        meant = undo.past(db.session(), self.resource, deed, actor)
        if request.method == "GET":
            return self._undo_form(meant, actor)
        back = self._back()
        try:
            report = undo.undo(self.resource, deed, actor, source=entrance())
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            flash(refusal.message, "bad")
            return leave(back)
        title = f"撤销{meant.action.label}"
        if report.refused:
            return self._outcome(title, report, back)
        flash(f"{title}：{_counted(report)}", "good")
        return leave(back)

    def _undo_form(self, meant: undo.Past, actor: Actor) -> str:
        """Who did what to whom, before it is taken back."""
        labels = detail.labels(db.session(), self.resource, meant.ids, actor)
        shown = pages.FormPage(
            f"撤销{meant.action.label}", f"{self.base}/undo/{meant.deed_id}", [], "确认撤销", self._back(),
            hidden=[("back", self._back())], subjects=list(labels.values()),
            intro=f"{meant.actor_name}于{history.moment(meant.at)}对{len(meant.ids)}{self.resource.unit}"
            f"执行了“{meant.action.label}”。撤销后恢复原来的值；此后又被修改过的不会撤销，并会逐条说明。",
        )  # fmt: skip
        return chrome.page("form.html", key=self.resource.name, title=shown.title, page=shown)

    def _report(
        self, action: Action, report: perform.Report, ids: Sequence[int], back: str, texts: Texts
    ) -> ResponseReturnValue:
        if report.told:
            told = pages.Told(action.label, [*report.messages, *report.warnings], list(report.told), back)
            return chrome.page("told.html", key=self.resource.name, title=action.label, page=told)
        if report.refused:
            kept = _names(action) | {"_answer"}
            again = [(name, v) for name, vs in texts.items() if name in kept for v in vs]
            again += [("id", str(r.id)) for r in report.refused] + [("back", back)]
            return self._outcome(action.label, report, back, action, again)
        for warning in report.warnings:
            flash(warning, "warning")
        amount = "" if len(ids) == 1 else f" {report.done} 条"
        said = "；".join(report.messages) or f"{action.label}：已完成{amount}"
        if report.unchanged or (report.waiting and report.done):
            said = "；".join([f"{action.label}：{_counted(report)}", *report.messages])
        flash(self._told(action, said, report, ids), "good")
        return leave(action.leads_to.format(id=ids[0]) if action.leads_to and len(ids) == 1 else back)

    def _outcome(
        self,
        title: str,
        report: perform.Report,
        back: str,
        action: Action | None = None,
        again: Sequence[tuple[str, str]] = (),
    ) -> str:
        """The report record by record, with the ways on: those alone once more, or all of it back."""
        seen = detail.labels(db.session(), self.resource, [r.id for r in report.refused], require_actor())
        refused = [
            pages.Refused(r.label, r.reason, f"{self.base}/{r.id}" if r.id in seen else "")
            for r in report.refused
        ]
        shown = pages.Outcome(
            title, report.done, refused, back, report.unchanged, list(report.warnings),
            f"{self.base}/action/{action.name}" if action is not None else "", list(again),
            self._undo_url(action, report),
        )  # fmt: skip
        return chrome.page("outcome.html", key=self.resource.name, title=title, page=shown)

    def _undo_url(self, action: Action | None, report: perform.Report) -> str:
        """Where what was done is taken back: nowhere, where it waits or would have to."""
        if action is None or not action.sets or not report.done:
            return ""
        act = Act(require_actor(), utcnow(), db.session(), entrance())
        waits = undo.why_not(act, self.resource, action)
        return "" if waits else f"{self.base}/undo/{report.deed_id}"

    def _told(self, action: Action, said: str, report: perform.Report, ids: Sequence[int]) -> str | Markup:
        """The report with the ways on from there, and the way back for those who may take it."""
        links = list(report.links)
        back = next((a for a in self.resource.actions if a.name == action.undone_by), None)
        allowed = back is not None and require_actor().can(*back.permission_on(self.resource))
        if back is not None and allowed and len(ids) == 1 and report.done:
            links.append(("撤销", f"{self.base}/action/{back.name}?id={ids[0]}"))
        elif self._undo_url(action, report):
            links.append(("撤销", self._undo_url(action, report)))
        ways = [Markup(' <a class="link" href="{}">{}</a>').format(url, label) for label, url in links]
        return escape(said) + Markup("").join(ways) if ways else said

    def _subjects(self, actor: Actor, given: dict[str, list[str]]) -> tuple[list[int], list[str]]:
        """The chosen records with their names; "all" means everything the list's filters match."""
        session = db.session()
        resource = self.resource
        if given.get("all") == ["1"]:
            args, _ = savedviews.opened(resource, actor, arguments(given))
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

    def _presets(self, context: forms.Context, action: Action, ids: Sequence[int]) -> dict[str, Any]:
        if action.presets is None or len(ids) != 1:
            return {}
        record = perform.find(context.session, self.resource, ids[0], context.actor)
        found = action.presets(record, Act(context.actor, context.now, context.session, entrance()))
        return dict(found)

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
        preset = self._presets(context, action, ids) if texts is None else {}
        preset |= {s.name: request.args[s.name] for s in action.fields if s.name in request.args}
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
        if len(ids) == 1 and (action.versioned or action.tells is not None):
            record = perform.find(context.session, self.resource, ids[0], context.actor)
            act = Act(context.actor, context.now, context.session, entrance())
            shown.notes = list(action.tells(record, act)) if action.tells is not None else []
            shown.hidden += [("version", str(record.version))] if action.versioned else []
        if len(ids) == 1:
            shown.facts = detail.facts(context.session, self.resource, ids[0], context.actor, context.now)
            shown.draft_key = f"{self.resource.name}/{ids[0]}/{action.name}"
            shown.more_submits += [
                pages.DialogButton(label, url=address.format(id=ids[0])) for label, address in action.links
            ]
        if question is not None:
            shown.dialog = dialog_of(question, texts or {})
        return chrome.page("form.html", key=self.resource.name, title=action.label, page=shown)
