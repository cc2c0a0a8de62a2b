"""The role editor: the rights of one role as a tree, with the difference shown before it is saved."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.engine import chrome, history, perform
from app.engine.actions import Forbidden, Invalid, NotFound, Refusal, Stale
from app.engine.database import PK, db
from app.engine.listing import number
from app.engine.pages import Link, Option
from app.engine.permissions import FIELDS, FRAME, PermissionDef, permissions_in_force
from app.engine.resource import Resource, resources
from app.engine.rolepages import RoleChange, RoleConflict, RoleEditor, RoleGroup, RolePage, RolePermission
from app.engine.scopes import Actor, visible
from app.engine.security import entrance
from models.identity import role_rules
from models.identity.resources import Roles
from models.identity.rights import role_ids_with
from models.identity.roles import RoleAssignment, RoleKind, StaffRole
from models.identity.rules import is_group
from models.identity.tables import Dealer, Employee
from views.role_drafts import (
    LABEL,
    URL,
    Draft,
    allowed,
    base,
    base_of,
    blank,
    brought_back,
    readonly_because,
    reconciled,
    stored,
    ticks,
    typed,
)


class RoleEditorView(BaseView):  # type: ignore[misc]
    """商场角色管理 → 编辑 (A-22, A-88, A-90, A-114, A-115)."""

    route_base = URL

    @expose("/new", methods=["GET", "POST"])
    def new(self) -> ResponseReturnValue:
        """A new role, empty or as a copy of another one (``?copy=``)."""
        actor = allowed("can_add", "新增角色")
        draft = blank(actor)
        if request.method == "GET":
            back = brought_back(draft)
            return _page(actor, back or draft, previewed=back is not None)
        try:
            draft = typed(actor, draft)
            if request.form.get("step") != "save":
                return _page(actor, draft, previewed=True)
            values: dict[str, Any] = {"label": draft.label, **ticks()}
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
        stored(allowed("can_list", LABEL), pk)
        return redirect(f"{URL}/{pk}")

    @expose(f"/{PK}", methods=["GET", "POST"])
    @expose(f"/{PK}/edit", methods=["GET", "POST"])
    def edit(self, pk: int) -> ResponseReturnValue:
        """A role is its tree: there is no other page of it. Read-only without the permission, and for roles
        of the group."""
        actor = allowed("can_list", LABEL)
        draft = stored(actor, pk)
        reason = readonly_because(actor, draft)
        if request.method == "GET":
            back = None if reason else brought_back(draft)
            return _page(actor, back or draft, readonly=reason, previewed=back is not None)
        if reason:
            raise Forbidden(f"编辑{Roles.label}")
        version = number(request.form.get("version", ""), 0)
        try:
            draft = typed(actor, draft)
            if version != draft.version:
                raise Stale
            if request.form.get("step") != "save":
                return _page(actor, draft, previewed=True)
            perform.update(
                Roles, pk, {"label": draft.label, **ticks()}, actor, version=version, source=entrance()
            )
        except Stale:
            return _both(actor, pk), 409
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            return _page(actor, draft, errors=_sentences(refusal)), 400
        flash(f"已保存：{draft.label}，立即生效", "good")
        return redirect(f"{URL}/{pk}")


def _sentences(refusal: Refusal) -> list[str]:
    return list(refusal.errors.values()) if isinstance(refusal, Invalid) else [refusal.message]


# ----- drawing


def _both(actor: Actor, pk: int) -> str:
    """Somebody else saved meanwhile: both changes side by side, and ticked what is to be saved of both."""
    now, mine = stored(actor, pk), typed(actor, stored(actor, pk))
    began = base(now)
    whose = history.last_writer(Roles.name, pk)
    theirs = [RoleChange(c.sign, c.text) for c in role_rules.difference(began.rights, now.stored)]
    yours = [RoleChange(c.sign, c.text) for c in role_rules.difference(began.rights, mine.wanted)]
    for lines, label in ((theirs, now.label), (yours, mine.label)):
        if label != began.label:
            lines.insert(0, RoleChange("", f"角色名称 {began.label} → {label}"))
    conflict = RoleConflict(f"{whose or '其他人'}已保存的改动", theirs, yours)
    return _page(
        actor, reconciled(began, mine, now), previewed=True, errors=[Stale().message], conflict=conflict
    )


def _page(
    actor: Actor,
    draft: Draft,
    *,
    previewed: bool = False,
    readonly: str = "",
    errors: Iterable[str] = (),
    conflict: RoleConflict | None = None,
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
        conflict=conflict,
        hidden=base_of(draft),
        find=request.values.get("find", "").strip()[:64],
        preview_url=f"{URL}/{draft.role.id if draft.role is not None else 'new'}/preview",
    )
    shown.hide_others()
    if previewed and draft.role is not None and draft.label != draft.role.label:
        shown.changes.insert(0, RoleChange("", f"角色名称 {draft.role.label} → {draft.label}"))
    if draft.role is None:
        shown.hidden.append(("_once", request.form.get("_once", "")[:64] or secrets.token_urlsafe(16)))
        if is_group(actor):
            shown.kinds = [Option(k.value, k.label, selected=k is draft.kind) for k in RoleKind]
    elif actor.can("can_add", Roles.view_name()):
        shown.actions.append(Link("复制", f"{URL}/new?copy={draft.role.id}", "copy"))
    if draft.role is not None:
        shown.actions.append(Link("人员", f"{URL}/{draft.role.id}/people", "users"))
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
    return RolePage(name, resource.titled(), ticks, scopes, words)


def _effects(session: Session, draft: Draft, people: int) -> list[str]:
    """Whom the change reaches, in sentences (A-22: everybody with the role, at once)."""
    if draft.role is None or not people:
        return []
    found = [f"{people} 名员工，保存后下一次点击即生效"]
    for p in permissions_in_force():
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


VIEWS = [RoleEditorView]
