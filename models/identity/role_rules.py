"""What may happen to roles, and what a change of a role means in words (A-22, A-87, A-90, A-114, A-115)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_appbuilder.security.sqla.models import Permission, PermissionView, ViewMenu
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from app.engine import audit
from app.engine.actions import Act, Invalid, Refusal
from app.engine.configured import uses
from app.engine.configuring import EXACT
from app.engine.fields import entry
from app.engine.permissions import PermissionDef, all_permissions, permissions_in_force
from app.engine.resource import Resource, resource_of, resources
from app.engine.scopes import Actor, Scope, offered
from models.identity import role_names
from models.identity.accounts import administrators
from models.identity.delegation import beyond
from models.identity.rights import Rights as Rights
from models.identity.rights import bump_epoch
from models.identity.rights import rights_of as rights_of
from models.identity.role_names import key_of as key_of
from models.identity.roles import RoleAssignment, RoleGrant, RoleKind, RoleScope, StaffRole
from models.identity.rules import is_group, own_dealer
from models.identity.tables import Employee

GRANTS = entry("grants", "权限", "texts", multiple=True, hint="形如 can_edit@Customers", wide=True)
SCOPES = entry("scopes", "数据范围", "texts", multiple=True, hint="形如 customers:store", wide=True)
GROUP_ONLY = frozenset({"dealers"})
"""Resources whose permissions only the group hands out."""

Pair = tuple[str, str]


@dataclass(frozen=True)
class Change:
    """One line of the difference between two states of a role; ``sign`` is ``+``, ``-`` or empty."""

    sign: str
    text: str
    old: str = ""
    new: str = ""


def catalogue(actor: Actor) -> tuple[PermissionDef, ...]:
    """The permissions this person may hand out."""
    group = is_group(actor)
    return tuple(
        p
        for p in permissions_in_force()
        if (group or p.resource_name not in GROUP_ONLY) and p.dealer in (None, actor.dealer_id)
    )


def scopes_to_give(resource: type[Resource], actor: Actor) -> tuple[Scope, ...]:
    """The scopes this person may open on a resource, in their order."""
    known = offered(resource)
    return tuple(s for s in Scope if s in known and (s is not Scope.GROUP or is_group(actor)))


def read(actor: Actor, grants: Iterable[str], scopes: Iterable[str]) -> Rights:
    """Rights from what a form or the API sends; raises `Invalid` for what this person cannot give."""
    may = {key_of(p.pair): p.pair for p in catalogue(actor)}
    unknown = [g for g in grants if g not in may]
    if unknown:
        raise Invalid({"grants": f"没有此权限或不能授予：{unknown[0][:60]}"})
    by_name = {r.name: r for r in resources()}
    opened = set()
    for text in scopes:
        name, _, value = text.partition(":")
        found = by_name.get(name)
        scope = next((s for s in Scope if s.value == value), None)
        if found is None or scope is None or scope not in scopes_to_give(found, actor):
            raise Invalid({"scopes": f"没有此数据范围或不能授予：{text[:60]}"})
        opened.add((name, scope))
    return Rights(frozenset(may[g] for g in grants), frozenset(opened))


def merged(actor: Actor, old: Rights, wanted: Rights) -> Rights:
    """The wanted rights, with those left as they are that this person cannot hand out."""
    may = {p.pair for p in catalogue(actor)}
    group = is_group(actor)
    kept = {g for g in old.grants if g not in may}
    beyond = {s for s in old.scopes if s[1] is Scope.GROUP and not group}
    return Rights(wanted.grants | kept, wanted.scopes | beyond)


def beyond_declared(held: Rights, wanted: Rights) -> Rights:
    """The wanted rights, with those held that no declaration of this program speaks of."""
    pairs, names = {p.pair for p in all_permissions()}, {r.name for r in resources()}
    return Rights(
        wanted.grants | {g for g in held.grants if g not in pairs},
        wanted.scopes | {s for s in held.scopes if s[0] not in names},
    )


def difference(old: Rights, new: Rights, session: Session | None = None) -> list[Change]:
    """What a change means, in the order of the tree: added and taken rights, then changed scopes."""
    labels = {r.name: r.label for r in resources()}
    found = []
    for p in permissions_in_force(session):
        if (p.pair in old.grants) == (p.pair in new.grants):
            continue
        place = labels.get(p.resource_name, p.group)
        words = f"{place} · {p.label}" + ("（限制性）" if p.restricting else "")
        found.append(Change("+" if p.pair in new.grants else "-", words))
    for name, label in labels.items():
        before, after = _scope_words(old, name), _scope_words(new, name)
        if before != after:
            found.append(
                Change(
                    "", f"{label} · 数据范围 {before} → {after}", f"{label}：{before}", f"{label}：{after}"
                )
            )
    return found


def _scope_words(rights: Rights, name: str) -> str:
    opened = {s for r, s in rights.scopes if r == name}
    return "、".join(s.label for s in Scope if s in opened) or "无"


def people_with(session: Session, role_id: int) -> int:
    """How many active people have the role."""
    statement = (
        select(func.count())
        .select_from(RoleAssignment)
        .join(Employee, Employee.id == RoleAssignment.user_id)
        .where(RoleAssignment.role_id == role_id, Employee.active.is_(True))
    )
    return session.scalar(statement) or 0


def give(session: Session, role: StaffRole, rights: Rights) -> list[Change]:
    """Make the role grant exactly these rights; returns what changed. Needs the permissions' rows."""
    old = rights_of(session, role.id)
    taken = old.grants - rights.grants
    if taken:
        ids = [i for pair, i in _permission_views(session, taken).items() if pair in taken]
        session.execute(
            delete(RoleGrant).where(RoleGrant.role_id == role.id, RoleGrant.permission_view_id.in_(ids))
        )
    added = rights.grants - old.grants
    if added:
        known = _permission_views(session, added)
        session.add_all(
            RoleGrant(role_id=role.id, permission_view_id=known[p]) for p in sorted(added) if p in known
        )
    for name, scope in old.scopes - rights.scopes:
        session.execute(
            delete(RoleScope).where(
                RoleScope.role_id == role.id, RoleScope.resource == name, RoleScope.scope == scope
            )
        )
    session.add_all(
        RoleScope(role_id=role.id, resource=name, scope=scope)
        for name, scope in sorted(rights.scopes - old.scopes)
    )
    if old != rights:
        bump_epoch(session)
    session.flush()
    return difference(old, rights, session)


def _permission_views(session: Session, pairs: Iterable[Pair]) -> dict[Pair, int]:
    wanted = set(pairs)
    rows = session.execute(
        select(PermissionView.id, Permission.name, ViewMenu.name)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
        .where(ViewMenu.name.in_({v for _, v in wanted}))
    )
    return {(p, v): i for i, p, v in rows if (p, v) in wanted}


# ----- what the role resource calls


def create_role(role: Any, act: Act, values: Mapping[str, Any]) -> None:
    """A new role of the own dealer, or of the group when the group makes it."""
    role.kind = role.kind or RoleKind.DEALER
    if role.kind is RoleKind.GROUP:
        if not is_group(act.actor):
            raise Refusal("集团控制型角色只能由集团新增", "kind")
        role.dealer_id = None
    else:
        own_dealer(role, act)
        role.assignable = True
    _check_label(role, act, role.label)
    role.name = f"{role.dealer_id or 'group'}:{secrets.token_hex(8)}"
    if "grants" in values or "scopes" in values:
        act.session.add(role)
        act.session.flush()
        _set_rights(role, act, values)


def update_role(role: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Change a role's name and rights; acts at the next click of everybody who has it (A-22).

    Roles of the group are the group's (A-115). A dealer keeps somebody who may change roles, and nobody
    takes that right from himself.
    """
    _keep_group_roles(role, act)
    if values.get("kind", role.kind) is not role.kind:
        raise Invalid({"kind": "角色类型不能修改"})
    if values.get("assignable") is False and not is_group(act.actor):
        raise Invalid({"assignable": "只能由集团修改"})
    if "label" in values:
        _check_label(role, act, values["label"])
    if "grants" in values or "scopes" in values:
        changed = _set_rights(role, act, values)
        if changed:
            flag_modified(role, "name")  # the rights are part of the role: its version moves with them


def remove_role(role: Any, act: Act) -> None:
    """Refused while people have it, or an approval waits for its word: nobody would be asked any more."""
    _keep_group_roles(role, act)
    held = act.session.scalar(select(func.count()).where(RoleAssignment.role_id == role.id))
    if held:
        raise Refusal(f"该角色已分配给{held}名员工，请先为他们改换角色")
    of = resource_of(StaffRole).name
    found = uses.uses(act.session, uses.Sought(of, role.name.partition(":")[2], role.dealer_id))
    named = uses.hindrance(found, uses.lines(act.session, found, act.actor), "此角色")
    if named:
        raise Refusal(named)
    _note_exactly(act.session, role, rights_of(act.session, role.id), Rights())
    act.session.execute(delete(RoleScope).where(RoleScope.role_id == role.id))
    act.session.execute(delete(RoleGrant).where(RoleGrant.role_id == role.id))


def _keep_group_roles(role: StaffRole, act: Act) -> None:
    if (role.kind is RoleKind.GROUP or role.dealer_id is None) and not is_group(act.actor):
        raise Refusal("集团控制型角色由集团维护，商场只能查看")


def _check_label(role: Any, act: Act, label: str) -> None:
    if not label or not label.strip():
        raise Invalid({"label": "请填写此项"})
    same = StaffRole.dealer_id.is_(None) if role.dealer_id is None else StaffRole.dealer_id == role.dealer_id
    with act.session.no_autoflush:
        taken = act.session.scalar(
            select(StaffRole.id).where(StaffRole.label == label.strip(), same, StaffRole.id != (role.id or 0))
        )
    if taken is not None:
        raise Invalid({"label": f"角色名称“{label}”已存在"})


def _set_rights(role: StaffRole, act: Act, values: Mapping[str, Any]) -> bool:
    old = rights_of(act.session, role.id)
    given = read(act.actor, values.get("grants", ()), values.get("scopes", ()))
    wanted = merged(
        act.actor,
        old,
        Rights(
            given.grants if "grants" in values else old.grants,
            given.scopes if "scopes" in values else old.scopes,
        ),
    )
    more = beyond(act.actor, Rights(wanted.grants - old.grants, wanted.scopes - old.scopes))
    if more:
        raise Refusal(f"不能授予自己没有的权限：{more}")
    before = administrators(act.session, role.dealer_id) if role.dealer_id else set()
    changes = give(act.session, role, wanted)
    after = administrators(act.session, role.dealer_id) if role.dealer_id else set()
    if before and not after:
        raise Refusal("保存后本商场将没有任何人能管理角色，请先为其他员工授权")
    if act.actor.id in before - after:
        raise Refusal("不能移除自己管理角色的权限，请由其他管理员操作")
    note(act.session, role, changes, old, wanted)
    return wanted != old


def note(session: Session, role: StaffRole, changes: list[Change], old: Rights, new: Rights) -> None:
    """Keep in the history what was added and taken, in words (A-116), and exactly, so that it can be taken
    back."""
    for name, gone, come in (
        ("grants", [c.text for c in changes if c.sign == "-"], [c.text for c in changes if c.sign == "+"]),
        ("scopes", [c.old for c in changes if not c.sign], [c.new for c in changes if not c.sign]),
    ):
        if gone or come:
            audit.note(session, role, name, gone, come)
    _note_exactly(session, role, old, new)


def _note_exactly(session: Session, role: StaffRole, old: Rights, new: Rights) -> None:
    before, after = as_texts(old, session), as_texts(new, session)
    for name in before:
        if before[name] != after[name]:
            audit.note(session, role, f"{EXACT}{name}", before[name], after[name])


# ----- a role as an entry of the configuration


def as_texts(rights: Rights, session: Session | None = None) -> dict[str, list[str]]:
    """Rights as a form or a file says them, as far as this program declares them."""
    known = {p.pair for p in permissions_in_force(session)}
    by_name = {r.name: r for r in resources()}
    opened = [(n, s) for n, s in rights.scopes if n in by_name and s in offered(by_name[n])]
    return {
        GRANTS.name: sorted(key_of(g) for g in rights.grants if g in known),
        SCOPES.name: sorted(f"{name}:{scope.value}" for name, scope in opened),
    }


def of_texts(texts: Mapping[str, Any]) -> Rights:
    """The rights behind such texts, as far as there are such permissions and scopes."""
    known = {key_of(p.pair): p.pair for p in permissions_in_force()}
    scopes = {s.value: s for s in Scope}
    opened = [str(t).partition(":") for t in texts.get(SCOPES.name) or ()]
    return Rights(
        frozenset(known[g] for g in texts.get(GRANTS.name) or () if g in known),
        frozenset((name, scopes[value]) for name, _, value in opened if value in scopes),
    )


def texts_of(session: Session, role_ids: Iterable[int]) -> dict[int, dict[str, list[str]]]:
    """The rights of these roles in that form."""
    return {role_id: as_texts(rights_of(session, role_id), session) for role_id in role_ids}


def in_words(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What a change of rights in that form means."""
    said = [f"{c.sign} {c.text}".strip() for c in difference(of_texts(old), of_texts(new))]
    return [*said, *role_names.in_words(old.get(GRANTS.name) or (), new.get(GRANTS.name) or ())]


def fit(act: Act, role: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Such values without the rights that the role holds already and this person cannot hand out: they stay."""
    if role is None:
        return values
    held = as_texts(rights_of(act.session, role.id))
    group = is_group(act.actor)
    may = {key_of(p.pair) for p in catalogue(act.actor)}
    kept = dict(values)
    if GRANTS.name in kept:
        kept[GRANTS.name] = [g for g in kept[GRANTS.name] if g in may or g not in held[GRANTS.name]]
    if SCOPES.name in kept and not group:
        beyond = {s for s in held[SCOPES.name] if s.endswith(f":{Scope.GROUP.value}")}
        kept[SCOPES.name] = [s for s in kept[SCOPES.name] if s not in beyond]
    return kept
