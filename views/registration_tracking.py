"""客户跟踪记录: the records of one lead, and the two ways to add one (E-47…E-54)."""

from __future__ import annotations

from collections.abc import Mapping

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose

from app.engine import cells, chrome, detail, drawing, forms, pages, perform, picking
from app.engine.actions import Forbidden, Invalid, NotFound, Refusal
from app.engine.database import db, id_of, utcnow
from app.engine.fields import describe
from app.engine.guards import hidden
from app.engine.localtime import local
from app.engine.resource import Group, Related
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor
from app.engine.viewbase import Texts, ViewBase, leave, placed
from models.registrations import tracking
from models.registrations.resources import Registrations
from models.registrations.tables import Registration, RegistrationTrack
from models.registrations.tracking_resources import RegistrationTracks

TITLE = "客户跟踪记录"
NEW = f"新建{TITLE}"
_TABS = {"track": (tracking.track, "沟通表内容"), "sms": (tracking.send_lead_sms, "短信发送")}
_LISTED = Related(
    RegistrationTrack.registration_id,
    TITLE,
    columns=(
        RegistrationTrack.at,
        RegistrationTrack.state,
        RegistrationTrack.next_tracking_on,
        RegistrationTrack.phone,
        RegistrationTrack.text,
    ),
    limit=200,
)


class TrackingView(ViewBase):
    """The window of one lead's tracking, opened from the list and from the lead's page."""

    route_base = tracking.PAGE
    resource = RegistrationTracks

    @expose("/", methods=["GET"])
    def window(self) -> ResponseReturnValue:
        """What is on record, newest first (E-48)."""
        actor = self.allowed("can_list")
        lead = self._lead(actor)
        if lead is None:
            return leave(self._back("/registrations/"))
        session, now = db.session(), utcnow()
        table = detail.table(session, _LISTED, lead.id, actor, now)
        table.empty = "还没有跟踪记录"
        new = [
            pages.Link(NEW, f"{tracking.PAGE}/{name}?id={lead.id}", "plus", name=name, primary=True)
            for name, (action, _) in _TABS.items()
            if action.allowed(Registrations, actor)
        ]
        shown = pages.TrackingPage(
            TITLE, perform.label_of(Registrations, lead), f"/registrations/{lead.id}", table, new[:1],
            detail.facts(session, Registrations, lead.id, actor, now),
        )  # fmt: skip
        return chrome.page("registration_tracking.html", key=Registrations.name, title=TITLE, page=shown)

    @expose("/track", methods=["GET", "POST"])
    def track(self) -> ResponseReturnValue:
        """One more record in words (E-49…E-51)."""
        return self._new("track")

    @expose("/sms", methods=["GET", "POST"])
    def sms(self) -> ResponseReturnValue:
        """One more record by a message (E-54)."""
        return self._new("sms")

    def _new(self, name: str) -> ResponseReturnValue:
        actor = require_actor()
        action = _TABS[name][0]
        perform.require_action(actor, action, Registrations)
        lead = self._lead(actor)
        if lead is None:
            return leave(self._back("/registrations/"))
        dealers = picking.dealers_of_record(lead)
        context = forms.Context(db.session(), actor, utcnow(), subjects=(lead.id,), dealers=dealers)
        if request.method == "GET":
            return self._form(name, lead, context)
        texts = request.form.to_dict(flat=False)
        try:
            values = forms.clean(action.fields, texts, context)
            report = perform.perform(
                action, [lead.id], actor, values, source=entrance(),
                token=request.form.get("_once", "")[:64],
            )  # fmt: skip
        except Invalid as wrong:
            return self._form(name, lead, context, texts, wrong.errors), 400
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            return self._form(name, lead, context, texts, placed(refusal)), refusal.status
        flash("；".join(report.messages), "good")
        return leave(self._home(lead))

    def _lead(self, actor: Actor) -> Registration | None:
        """The lead that is meant; None, with a remark, where it is none or several, or nobody tracks leads."""
        ids = [i for i in map(id_of, request.values.getlist("id")) if i]
        if not ids and "all" not in request.values:
            flash("请先选择一条客户线索", "warning")
            return None
        if len(ids) != 1:
            flash("一次只能跟踪一条客户线索", "warning")
            return None
        lead: Registration = perform.find(db.session(), Registrations, ids[0], actor)
        if not tracking.enabled(db.session(), lead.dealer_id):
            flash(tracking.OFF, "warning")
            return None
        return lead

    def _home(self, lead: Registration) -> str:
        """Where one goes afterwards: the page under the side sheet, else the records of the lead."""
        records = f"{tracking.PAGE}/?id={lead.id}"
        return self._back(records) if "X-Zk-Sheet" in request.headers else records

    def _form(
        self,
        name: str,
        lead: Registration,
        context: forms.Context,
        texts: Texts | None = None,
        errors: Mapping[str, str] | None = None,
    ) -> str:
        action, label = _TABS[name]
        url, home = f"{tracking.PAGE}/{name}", self._home(lead)
        preset = tracking.presets(context.session, lead, context.now)
        drawer = drawing.Drawer(f"/registrations/action/{action.name}", texts, errors, preset=preset)
        shown = drawing.form_page(
            (Group("", *action.fields),), context, drawer, title=NEW, url=url, cancel_url=home, submit="提交"
        )
        shown.cancel_label = "关闭"
        shown.hidden += [("id", str(lead.id)), ("back", home)]
        shown.draft_key = f"{Registrations.name}/{lead.id}/{action.name}"
        shown.subjects = [perform.label_of(Registrations, lead)]
        facts = detail.facts(context.session, Registrations, lead.id, context.actor, context.now)
        shown.facts = [fact for fact in facts if fact.name != describe(Registration.phone).name]
        first, last = _fixed(lead, context)
        shown.sections[0].title = label
        shown.sections[0].fields = [*first, *shown.sections[0].fields, *last]
        tabs = [
            pages.Link(words, f"{tracking.PAGE}/{tab}?id={lead.id}", name=tab, active=tab == name)
            for tab, (other, words) in _TABS.items()
            if other.allowed(Registrations, context.actor)
        ]
        return chrome.page(
            "registration_tracking_new.html", key=Registrations.name, title=NEW, page=shown, tabs=tabs,
            inside="X-Zk-Sheet" in request.headers,
        )  # fmt: skip


def _fixed(lead: Registration, context: forms.Context) -> tuple[list[pages.Field], list[pages.Field]]:
    """What nobody types, before and after the inputs: whom it is about; who writes it, and when (E-50)."""
    actor = context.actor
    known = (describe(Registration.code), describe(Registration.phone))
    values, _, _ = detail.values_of(context.session, Registrations, lead.id, actor, known)
    first = []
    for spec, label in zip(known, ("客户编号", "客户电话"), strict=True):
        guard = hidden(spec, actor)
        words = cells.text(spec, values[spec.name])
        made = pages.Field(spec.name, label, "readonly", words, locked=guard.label if guard else "")
        first.append(made)
    today = local(context.now).date().isoformat()
    return first, [
        pages.Field("writer", "录入人", "readonly", actor.called),
        pages.Field("at", "跟踪日期", "readonly", today),
    ]


VIEWS = [TrackingView]
