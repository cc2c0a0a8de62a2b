"""What the generated views share: the resource, the permission, the way back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask import Response, flash, g, redirect, request, send_file
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView

from app.engine import pages
from app.engine.actions import Forbidden, Question, Refusal
from app.engine.approving import Submitted
from app.engine.faces import faced
from app.engine.previewing import stay_reading
from app.engine.resource import Resource, resource
from app.engine.scopes import Actor
from app.engine.security import current_actor, require_actor

Texts = Mapping[str, Sequence[str]]
_BLANK = re.compile(r"[\x00-\x20\\]")
"""Browsers drop these from an address, and may then see another host in it."""
_MIMES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


class ViewBase(BaseView):  # type: ignore[misc]
    """The view of one resource; see `views.ResourceView`."""

    declared: ClassVar[type[Resource]]

    @property
    def resource(self) -> type[Resource]:
        """The resource as the signed-in person's dealer has it."""
        actor = current_actor()
        if actor is None:
            return self.declared
        key = (self.declared.name, actor.dealer_id, actor.epoch)
        known: dict[Any, type[Resource]] = g.setdefault("faces", {})
        if key not in known:
            known[key] = faced(self.declared, actor.dealer_id)
        return known[key]

    @property
    def base(self) -> str:
        """The address of the list, without a slash at the end."""
        return f"/{self.resource.name}"

    def allowed(self, permission: str, label: str = "") -> Actor:
        """The signed-in actor, if he or she has the permission on this resource."""
        actor = require_actor()
        if not actor.can(permission, self.resource.view_name()):
            raise Forbidden(label or self.resource.titled(), seeing=not label)
        return actor

    def _back(self, fallback: str = "") -> str:
        """The page of this product the person came from."""
        came = request.form.get("back") or request.referrer or ""
        host = request.host_url.rstrip("/")
        came = came.removeprefix(host)
        good = came.startswith("/") and not came.startswith("//") and not _BLANK.search(came)
        return came if good else fallback or f"{self.base}/"


def leave(address: str) -> ResponseReturnValue:
    """Go on to that page. A form in the side sheet is only told where (``sheet.js``): the page under it is
    read anew by the browser, with the remarks that wait for it."""
    if "X-Zk-Sheet" in request.headers:
        return Response(status=204, headers={"Location": address})
    return redirect(address)


def told_of(sent: Submitted, otherwise: str) -> ResponseReturnValue:
    """Say that something waits for approval, where its request stands; ``otherwise`` for those without that page."""
    flash(sent.message, "good")
    of = resource(sent.url.split("/")[1])
    may = of is not None and require_actor().can("can_list", of.view_name())
    return leave(sent.url if may else otherwise)


def download(content: Any, name: str) -> ResponseReturnValue:
    """A file to keep, of a path or of what was made just now; no cache keeps it, like every page. A preview
    gives none away."""
    stay_reading()
    mime = _MIMES.get(name.rpartition(".")[2])
    answer = send_file(content, mime, as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def placed(refusal: Refusal) -> dict[str, str]:
    """The refusal's sentence beside the field it belongs to."""
    return {refusal.field: refusal.message}


def dialog_of(question: Question, texts: Texts) -> pages.Dialog:
    """The question as a dialog; earlier answers travel with every button."""
    buttons = [
        pages.DialogButton(a.label, "_answer" if a.value else "", a.value, a.url, a.primary, a.tone)
        for a in question.answers
    ]
    return pages.Dialog(
        question.heading, question.text, buttons, list(question.headings), [list(r) for r in question.rows],
        list(question.links),
    )  # fmt: skip
