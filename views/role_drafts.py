"""A role as it stands on the screen: stored, copied, typed or brought back from a preview."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import request, session

from app.engine import perform
from app.engine.actions import Forbidden, Invalid
from app.engine.database import db, id_of
from app.engine.scopes import Actor, Scope
from app.engine.security import require_actor
from models.identity import role_rules
from models.identity.packing import pack, unpack
from models.identity.resources import Roles
from models.identity.rights import Rights
from models.identity.roles import RoleKind, StaffRole
from models.identity.rules import is_group

LABEL = "商场角色管理"
URL = "/roles"
_BACK = "role_draft"
READONLY_GROUP = "集团控制型角色由集团维护，商场只能查看。"


@dataclass
class Draft:
    """A role as it stands on the screen: ticked, not yet saved."""

    label: str
    kind: RoleKind
    wanted: Rights
    stored: Rights
    role: StaffRole | None = None
    version: int = 0


def allowed(permission: str, label: str) -> Actor:
    """The signed-in person, if he or she has that permission on roles."""
    actor = require_actor()
    if not actor.can(permission, Roles.view_name()):
        raise Forbidden(label, seeing=permission == "can_list")
    return actor


def stored(actor: Actor, pk: int) -> Draft:
    """A role as it is, where the person sees it; raises `NotFound`."""
    role: StaffRole = perform.find(db.session(), Roles, pk, actor)
    rights = role_rules.rights_of(db.session(), pk)
    return Draft(role.label, role.kind, rights, rights, role, role.version)


def readonly_because(actor: Actor, draft: Draft) -> str:
    """Why the person may only look at the role; empty for those who may change it."""
    if not actor.can("can_edit", Roles.view_name()):
        return "您可以查看此角色，但不能修改。"
    return READONLY_GROUP if draft.kind is RoleKind.GROUP and not is_group(actor) else ""


def blank(actor: Actor) -> Draft:
    """A new role, empty or as a copy of another one."""
    copied = id_of(request.args.get("copy") or request.form.get("copy"))
    if not copied:
        return Draft("", RoleKind.DEALER, Rights(), Rights())
    source = stored(actor, copied)
    may = {p.pair for p in role_rules.catalogue(actor)}
    group = is_group(actor)
    rights = Rights(
        frozenset(source.wanted.grants & may),
        frozenset(s for s in source.wanted.scopes if group or s[1] is not Scope.GROUP),
    )
    return Draft(f"{source.label[:60]} 副本", RoleKind.DEALER, rights, Rights())


def ticks() -> dict[str, list[str]]:
    """What is ticked in the submitted form, as the role's rule takes it."""
    opened = [
        f"{name.removeprefix('scope.')}:{value}"
        for name, values in request.form.to_dict(flat=False).items()
        if name.startswith("scope.")
        for value in values
    ]
    return {"grants": request.form.getlist("permission"), "scopes": opened}


def typed(actor: Actor, draft: Draft) -> Draft:
    """The draft with what was typed and ticked; raises `Invalid` for what this person cannot give."""
    draft.label = " ".join(request.form.get("label", "").split())[:64]
    if draft.role is None and is_group(actor) and request.form.get("kind") == RoleKind.GROUP.value:
        draft.kind = RoleKind.GROUP
    given = role_rules.read(actor, **ticks())
    draft.wanted = role_rules.merged(actor, draft.stored, given)
    if not draft.label:
        raise Invalid({"label": "请填写角色名称"})
    return draft


def bring_back(role_id: int, rights: str, label: str) -> None:
    """Let the editor open once more with what was ticked before a preview."""
    session[_BACK] = [role_id, rights, label]


def brought_back(draft: Draft) -> Draft | None:
    """The draft with the ticks it had before a preview, once; None where there are none to come back."""
    role_id, rights, label = session.get(_BACK) or (None, "", "")
    if role_id != (draft.role.id if draft.role is not None else 0):
        return None
    del session[_BACK]
    wanted = unpack(rights)
    return None if wanted is None else replace(draft, wanted=wanted, label=label)


@dataclass(frozen=True)
class Base:
    """What a form of the editor began with, as it comes back with it."""

    label: str
    rights: Rights


def base_of(draft: Draft) -> list[tuple[str, str]]:
    """The hidden fields that say what the form begins with."""
    return [("base", pack(draft.stored)), ("base_label", draft.role.label if draft.role is not None else "")]


def base(now: Draft) -> Base:
    """What the submitted form began with; for a damaged one what is stored now."""
    rights = unpack(request.form.get("base", ""))
    return Base(request.form.get("base_label", "")[:64] or now.label, rights or now.stored)


def reconciled(began: Base, mine: Draft, now: Draft) -> Draft:
    """Both people's changes together: a tick is a yes or no, so whoever turned it wanted the same. A name both
    have changed is mine, to be looked at."""
    grants = now.stored.grants - (began.rights.grants - mine.wanted.grants)
    scopes = now.stored.scopes - (began.rights.scopes - mine.wanted.scopes)
    wanted = Rights(
        grants | (mine.wanted.grants - began.rights.grants),
        scopes | (mine.wanted.scopes - began.rights.scopes),
    )
    return replace(now, wanted=wanted, label=now.label if mine.label == began.label else mine.label)
