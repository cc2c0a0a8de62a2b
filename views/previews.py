"""以此角色预览: begin with a role as it stands in the editor, and end it."""

from __future__ import annotations

from flask import flash, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from app.engine import previewing
from app.engine.database import PK, db, id_of
from app.engine.security import PREVIEW, require_actor
from models.identity import previews, role_rules
from models.identity.packing import pack
from views.role_drafts import LABEL, URL, Draft, allowed, blank, bring_back, readonly_because, stored, ticks


class RolePreviewView(BaseView):  # type: ignore[misc]
    """Look at the product through a role that is being edited."""

    route_base = URL

    @expose("/new/preview", methods=["POST"])
    def new(self) -> ResponseReturnValue:
        """Through a role that is not yet saved."""
        actor = allowed("can_add", "新增角色")
        return _begin(blank(actor))

    @expose(f"/{PK}/preview", methods=["POST"])
    def begin(self, pk: int) -> ResponseReturnValue:
        """Through a role with the ticks of the screen, saved or not."""
        return _begin(stored(allowed("can_list", LABEL), pk))


class PreviewEndView(BaseView):  # type: ignore[misc]
    """The way back."""

    route_base = "/preview"

    @expose("/end", methods=["POST"])
    def end(self) -> ResponseReturnValue:
        """Back to the editor, with what was ticked there."""
        kept = previewing.end()
        if not kept:
            require_actor()
            return redirect("/")
        flash("预览已结束", "good")
        role_id = id_of(kept.get("role"))
        rights = str(kept.get("rights", ""))
        if not role_id or pack(role_rules.rights_of(db.session(), role_id)) != rights:
            bring_back(role_id, rights, str(kept.get("label", "")))
        return redirect(f"{URL}/{role_id or 'new'}")


def _begin(draft: Draft) -> ResponseReturnValue:
    actor = allowed("can_list", LABEL)
    if "version" in request.form and not readonly_because(actor, draft):
        label = " ".join(request.form.get("label", "").split())[:64]
        given = role_rules.read(actor, **ticks())
        draft.label = label or draft.label
        draft.wanted = role_rules.merged(actor, draft.stored, given)
    session[PREVIEW] = previews.begin(db.session(), actor, draft.label, draft.wanted, draft.role)
    return redirect("/")


VIEWS = [RolePreviewView, PreviewEndView]
