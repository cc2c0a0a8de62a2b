"""完成量房 with its drawing or photo, and the way to fetch that (E-73)."""

from __future__ import annotations

from collections.abc import Mapping

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose

from app.engine import chrome, detail, drawing, files, forms, perform
from app.engine.actions import Forbidden, Invalid, NotFound, Refusal
from app.engine.database import db, id_of, utcnow
from app.engine.localtime import local
from app.engine.resource import Group
from app.engine.security import entrance, require_actor
from app.engine.viewbase import Texts, ViewBase, download, leave, placed
from models.registrations import measuring
from models.registrations.tables import Measuring
from models.registrations.tracking_resources import Measurings

LARGEST = 10 * 1024 * 1024
_DONE = measuring.complete_measuring


class MeasuringView(ViewBase):
    """The result of a measuring."""

    route_base = measuring.PAGE
    resource = Measurings

    @expose("/complete", methods=["GET", "POST"])
    def complete(self) -> ResponseReturnValue:
        """When, with what result, and one picture or PDF."""
        actor = require_actor()
        perform.require_action(actor, _DONE, Measurings)
        found: Measuring = perform.find(db.session(), Measurings, id_of(request.values.get("id")), actor)
        context = forms.Context(db.session(), actor, utcnow(), subjects=(found.id,))
        if request.method == "GET":
            return self._form(found, context)
        texts = request.form.to_dict(flat=False)
        kept: str | None = None
        try:
            values = forms.clean(_DONE.fields, texts, context)
            upload = request.files.get("attachment")
            if upload is not None and upload.filename:
                month = local(context.now).strftime("%Y-%m")
                kept, values["attachment_name"] = _receive(upload.stream, upload.filename, month)
                values["attachment"] = kept
            report = perform.perform(
                _DONE, [found.id], actor, values, source=entrance(), token=request.form.get("_once", "")[:64]
            )
        except BaseException as failed:
            files.remove(kept)
            if isinstance(failed, (Forbidden, NotFound)) or not isinstance(failed, Refusal):
                raise
            errors = failed.errors if isinstance(failed, Invalid) else placed(failed)
            return self._form(found, context, texts, errors), failed.status
        flash("；".join(report.messages), "good")
        return leave(f"{self.base}/{found.id}")

    @expose("/file", methods=["GET"])
    def file(self) -> ResponseReturnValue:
        """The picture or PDF, for whoever may see the measuring."""
        actor = self.allowed("can_list")
        found: Measuring = perform.find(db.session(), Measurings, id_of(request.args.get("id")), actor)
        if not found.attachment or not found.attachment_name:
            raise NotFound
        return download(files.path(found.attachment), found.attachment_name)

    def _form(
        self,
        found: Measuring,
        context: forms.Context,
        texts: Texts | None = None,
        errors: Mapping[str, str] | None = None,
    ) -> str:
        preset = {"measured_on": local(context.now).date()}
        drawer = drawing.Drawer(f"{self.base}/action/{_DONE.name}", texts, errors, preset=preset)
        shown = drawing.form_page(
            (Group("", *_DONE.fields),), context, drawer, title=_DONE.label, url=f"{measuring.PAGE}/complete",
            cancel_url=f"{self.base}/{found.id}", submit=_DONE.label,
        )  # fmt: skip
        shown.errors = [e for e in shown.errors if e != (errors or {}).get("attachment")]
        shown.hidden.append(("id", str(found.id)))
        shown.subjects = [perform.label_of(Measurings, found)]
        shown.facts = detail.facts(context.session, Measurings, found.id, context.actor, context.now)
        return chrome.page(
            "registration_measuring.html", key=Measurings.name, title=_DONE.label, page=shown,
            accept=",".join(f".{e}" for e in files.PAPERS), wrong=(errors or {}).get("attachment", ""),
        )  # fmt: skip


def _receive(stream: object, file_name: str, month: str) -> tuple[str, str]:
    try:
        return files.receive(stream, file_name, month, LARGEST)
    except Refusal as refusal:
        raise Invalid({"attachment": refusal.message}) from refusal


VIEWS = [MeasuringView]
