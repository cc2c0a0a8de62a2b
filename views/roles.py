"""The role editor: the rights of one role as a tree, with the difference shown before it is saved."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.engine import chrome, perform
from app.engine.actions import Forbidden, Invalid, NotFound, Refusal, Stale
from app.engine.database import PK, db, id_of
from app.engine.listing import number
from app.engine.pages import Link, Option
from app.engine.permissions import FIELDS, FRAME, PermissionDef, all_permissions
from app.engine.resource import Resource, resources
from app.engine.rolepages import RoleChange, RoleEditor, RoleGroup, RolePage, RolePermission
from app.engine.scopes import Actor, Scope, visible
from app.engine.security import entrance, require_actor
from models.identity import role_rules
from models.identity.admin_resources import GOODS
from models.identity.resources import ORGANISATION, Roles
from models.identity.rights import Rights, role_ids_with
from models.identity.roles import RoleAssignment, RoleKind, StaffRole
from models.identity.rules import is_group
from models.identity.tables import Dealer, Employee

LABEL = "商场角色管理"
URL = "/roles"
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


class RoleEditorView(BaseView):  # type: ignore[misc]
    """商场角色管理 → 编辑 (A-22, A-88, A-90, A-114, A-115)."""

    route_base = URL

    @expose("/new", methods=["GET", "POST"])
    def new(self) -> ResponseReturnValue:
        """A new role, empty or as a copy of another one (``?copy=``)."""
        actor = _allowed("can_add", "新增角色")
        draft = _blank(actor)
        if request.method == "GET":
            return _page(actor, draft)
        try:
            draft = _typed(actor, draft)
            if request.form.get("step") != "save":
                return _page(actor, draft, previewed=True)
            values: dict[str, Any] = {"label": draft.label, **_ticks()}
            if is_group(actor):
                values["kind"] = draft.kind
            role, _ = perform.create(
                Roles, values, actor, source=entrance(), token=request.form.get("_once", "")[:64]
            )
        except perform.AlreadyDone as done:
            return redirect(done.url)
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            return _page(actor, draft, errors=_sentences(refusal)), 400
        flash(f"已保存：{role.label}", "good")
        return redirect(f"{URL}/{role.id}")

    @expose(f"/{PK}/panel", methods=["GET"])
    def panel(self, pk: int) -> ResponseReturnValue:
        """Too much for a side sheet: the page itself."""
        _stored(_allowed("can_list", LABEL), pk)
        return redirect(f"{URL}/{pk}")

    @expose(f"/{PK}", methods=["GET", "POST"])
    @expose(f"/{PK}/edit", methods=["GET", "POST"])
    def edit(self, pk: int) -> ResponseReturnValue:
        """A role is its tree: there is no other page of it. Read-only without the permission, and for roles
        of the group."""
        actor = _allowed("can_list", LABEL)
        draft = _stored(actor, pk)
        reason = _readonly(actor, draft)
        if request.method == "GET":
            return _page(actor, draft, readonly=reason)
        if reason:
            raise Forbidden(f"编辑{Roles.label}")
        version = number(request.form.get("version", ""), 0)
        try:
            draft = _typed(actor, draft)
            if version != draft.version:
                raise Stale
            if request.form.get("step") != "save":
                return _page(actor, draft, previewed=True)
            perform.update(
                Roles, pk, {"label": draft.label, **_ticks()}, actor, version=version, source=entrance()
            )
        except Stale as stale:
            return _page(
                actor, _typed(actor, _stored(actor, pk)), previewed=True, errors=[stale.message]
            ), 409
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            return _page(actor, draft, errors=_sentences(refusal)), 400
        flash(f"已保存：{draft.label}，立即生效", "good")
        return redirect(f"{URL}/{pk}")


def _allowed(permission: str, label: str) -> Actor:
    actor = require_actor()
    if not actor.can(permission, Roles.view_name()):
        raise Forbidden(label, seeing=permission == "can_list")
    return actor


def _readonly(actor: Actor, draft: Draft) -> str:
    if not actor.can("can_edit", Roles.view_name()):
        return "您可以查看此角色，但不能修改。"
    return READONLY_GROUP if draft.kind is RoleKind.GROUP and not is_group(actor) else ""


def _sentences(refusal: Refusal) -> list[str]:
    return list(refusal.errors.values()) if isinstance(refusal, Invalid) else [refusal.message]


def _stored(actor: Actor, pk: int) -> Draft:
    session = db.session()
    role: StaffRole = perform.find(session, Roles, pk, actor)
    rights = role_rules.rights_of(session, pk)
    return Draft(role.label, role.kind, rights, rights, role, role.version)


def _blank(actor: Actor) -> Draft:
    copied = id_of(request.args.get("copy") or request.form.get("copy"))
    if not copied:
        return Draft("", RoleKind.DEALER, Rights(), Rights())
    source = _stored(actor, copied)
    may = {p.pair for p in role_rules.catalogue(actor)}
    group = is_group(actor)
    rights = Rights(
        frozenset(source.wanted.grants & may),
        frozenset(s for s in source.wanted.scopes if group or s[1] is not Scope.GROUP),
    )
    return Draft(f"{source.label[:60]} 副本", RoleKind.DEALER, rights, Rights())


def _ticks() -> dict[str, list[str]]:
    """What is ticked in the submitted form, as the role's rule takes it."""
    opened = [
        f"{name.removeprefix('scope.')}:{value}"
        for name, values in request.form.to_dict(flat=False).items()
        if name.startswith("scope.")
        for value in values
    ]
    return {"grants": request.form.getlist("permission"), "scopes": opened}


def _typed(actor: Actor, draft: Draft) -> Draft:
    """The draft with what was typed and ticked; raises `Invalid` for what this person cannot give."""
    draft.label = " ".join(request.form.get("label", "").split())[:64]
    if draft.role is None and is_group(actor) and request.form.get("kind") == RoleKind.GROUP.value:
        draft.kind = RoleKind.GROUP
    ticks = _ticks()
    given = role_rules.read(actor, ticks["grants"], ticks["scopes"])
    draft.wanted = role_rules.merged(actor, draft.stored, given)
    if not draft.label:
        raise Invalid({"label": "请填写角色名称"})
    return draft


# ----- drawing


def _page(
    actor: Actor, draft: Draft, *, previewed: bool = False, readonly: str = "", errors: Iterable[str] = ()
) -> str:
    session = db.session()
    changes = role_rules.difference(draft.stored, draft.wanted) if previewed else []
    people = role_rules.people_with(session, draft.role.id) if draft.role is not None else 0
    shown = RoleEditor(
        LABEL if draft.role is not None else "新增角色",
        f"{URL}/{draft.role.id}" if draft.role is not None else f"{URL}/new",
        *_roles(session, actor, draft),
        draft.label,
        draft.kind.label,
        _tree(actor, draft),
        version=draft.version,
        people=f"{people} 人" if draft.role is not None else "",
        readonly=bool(readonly),
        readonly_reason=readonly,
        changes=[RoleChange(c.sign, c.text) for c in changes],
        effects=_effects(session, draft, people) if previewed else [],
        previewed=previewed,
        errors=list(errors),
        list_url=f"{URL}/",
    )
    if previewed and draft.role is not None and draft.label != draft.role.label:
        shown.changes.insert(0, RoleChange("", f"角色名称 {draft.role.label} → {draft.label}"))
    if draft.role is None:
        shown.hidden.append(("_once", request.form.get("_once", "")[:64] or secrets.token_urlsafe(16)))
        if is_group(actor):
            shown.kinds = [Option(k.value, k.label, selected=k is draft.kind) for k in RoleKind]
    elif actor.can("can_add", Roles.view_name()):
        shown.actions.append(Link("复制", f"{URL}/new?copy={draft.role.id}", "copy"))
    if draft.role is not None:
        shown.actions.append(Link("修改历史", f"{URL}/{draft.role.id}/history", "history"))
        if not readonly and actor.can("can_delete", Roles.view_name()):
            shown.remove = Link(
                "删除", f"{URL}/{draft.role.id}/delete", "trash", confirm=f"确认删除“{draft.label}”？"
            )
    return chrome.page("role.html", key=Roles.name, title=draft.label or shown.title, page=shown)


def _roles(session: Session, actor: Actor, draft: Draft) -> tuple[list[Link], list[Link]]:
    """The roles at the left with how many active people have each: the dealer's, and the group's."""
    held = (
        select(RoleAssignment.role_id, func.count().label("people"))
        .join(Employee, Employee.id == RoleAssignment.user_id)
        .where(Employee.active.is_(True))
        .group_by(RoleAssignment.role_id)
    )
    if not is_group(actor):
        held = held.where(Employee.dealer_id == actor.dealer_id)
    counts = held.subquery()
    statement = (
        select(StaffRole.id, StaffRole.label, StaffRole.kind, counts.c.people, Dealer.name)
        .outerjoin(counts, counts.c.role_id == StaffRole.id)
        .outerjoin(Dealer, Dealer.id == StaffRole.dealer_id)
        .where(visible(Roles, actor), StaffRole.label != "")
        .order_by(StaffRole.dealer_id, StaffRole.id)
    )
    found: dict[RoleKind, list[Link]] = {kind: [] for kind in RoleKind}
    now = draft.role.id if draft.role is not None else None
    several = is_group(actor)  # roles of many dealers bear the same names
    for role_id, label, kind, people, dealer in session.execute(statement, actor.params):
        link = Link(label, f"{URL}/{role_id}", active=role_id == now, count=str(people or 0))
        link.key = (several and dealer) or ""
        found[kind].append(link)
    return found[RoleKind.DEALER], found[RoleKind.GROUP]


def _tree(actor: Actor, draft: Draft) -> list[RoleGroup]:
    """Menu groups, their pages, and each page's permissions with its row scopes; the frame first."""
    by_name = {r.name: r for r in resources()}
    pages: defaultdict[str, dict[str, list[PermissionDef]]] = defaultdict(dict)
    for permission in role_rules.catalogue(actor):
        place = permission.resource_name or permission.group
        pages[permission.group].setdefault(place, []).append(permission)
    order = {r.name: (r.menu.order if r.menu is not None else 10_000) for r in by_name.values()}

    def rank(group: str) -> tuple[int, int]:
        if group in (FRAME, FIELDS):
            return (0, 0 if group == FRAME else 1)
        return (1, min(order.get(name, 10_000) for name in pages[group]))

    return [
        RoleGroup(
            group,
            [
                _branch(by_name.get(name), name, permissions, actor, draft)
                for name, permissions in sorted(pages[group].items(), key=lambda p: order.get(p[0], 10_000))
            ],
        )
        for group in sorted(pages, key=rank)
    ]


def _branch(
    resource: type[Resource] | None,
    name: str,
    permissions: list[PermissionDef],
    actor: Actor,
    draft: Draft,
) -> RolePage:
    stored, wanted = draft.stored, draft.wanted
    ticks = [
        RolePermission(
            role_rules.key_of(p.pair),
            p.label,
            p.pair in wanted.grants,
            (p.pair in wanted.grants) != (p.pair in stored.grants),
            p.restricting,
            "field" if p.guard is not None else "action",
        )
        for p in permissions
    ]
    if resource is None:
        return RolePage(name, name, ticks)
    give = role_rules.scopes_to_give(resource, actor)
    before = [s for s in give if (name, s) in stored.scopes]
    now = [s for s in give if (name, s) in wanted.scopes]
    scopes = [Option(s.value, resource.scope_label(s), selected=s in now) for s in give]
    words = "" if before == now else "、".join(resource.scope_label(s) for s in before) or "—"
    return RolePage(name, resource.label, ticks, scopes, words)


def _effects(session: Session, draft: Draft, people: int) -> list[str]:
    """Whom the change reaches, in sentences (A-22: everybody with the role, at once)."""
    if draft.role is None or not people:
        return []
    found = [f"{people} 名员工，保存后下一次点击即生效"]
    for p in all_permissions():
        if p.guard is None or (p.pair in draft.wanted.grants) == (p.pair in draft.stored.grants):
            continue
        given = p.pair in draft.wanted.grants
        others = _without(session, draft.role.id, p.pair)
        if p.restricting:
            found.append(f"{others} 人将{'启用' if given else '解除'}“{p.label}”")
        else:
            found.append(f"{others} 人将{'可以' if given else '不能再'}“{p.label}”")
    return found


def _without(session: Session, role_id: int, pair: tuple[str, str]) -> int:
    """How many people of the role have that permission from no other role of theirs."""
    others = (
        select(RoleAssignment.user_id)
        .where(RoleAssignment.role_id != role_id)
        .where(RoleAssignment.role_id.in_(role_ids_with(*pair)))
    )
    statement = (
        select(func.count())
        .select_from(RoleAssignment)
        .join(Employee, Employee.id == RoleAssignment.user_id)
        .where(
            RoleAssignment.role_id == role_id,
            Employee.active.is_(True),
            RoleAssignment.user_id.not_in(others),
        )
    )
    return session.scalar(statement) or 0


chrome.group_icon(ORGANISATION, "sitemap")
chrome.group_icon(GOODS, "settings")
VIEWS = [RoleEditorView]
