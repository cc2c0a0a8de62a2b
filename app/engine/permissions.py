"""All permissions the product knows, derived from the declarations, and their rows in the framework.

The role editor reads `all_permissions`; `sync` writes what is missing in a handful of statements and
never deletes what it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask_appbuilder.security.sqla.models import Permission, PermissionView, ViewMenu
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.database import insert_for
from app.engine.guards import GUARD_VIEW, Added, Guard, added_guards, all_guards
from app.engine.resource import Resource, resources

LAST = 10_000
"""Where what has no place in the menu stands."""
FRAME = "系统主框架"
FIELDS = "字段权限"
OTHERS = "其他"


@dataclass(frozen=True, slots=True)
class PermissionDef:
    """One tick of the role editor. ``resource_name`` is empty for those of the whole system;
    ``restricting`` takes something away (A-90)."""

    permission: str
    view: str
    label: str
    resource_name: str = ""
    group: str = FRAME
    restricting: bool = False
    guard: Guard | None = None
    dealer: int | None = None
    """The dealer whose administrators made the guard; None for everybody's."""

    @property
    def pair(self) -> tuple[str, str]:
        """As `Actor.permissions` holds it."""
        return (self.permission, self.view)


def all_permissions() -> tuple[PermissionDef, ...]:
    """Every declared permission once, in the order of the resources, guards last (A-22, A-88, A-90)."""
    declared: Any = tuple(resources())
    return _permissions(declared, sum(len(r.actions) for r in declared))


def permissions_in_force(session: Session | None = None) -> tuple[PermissionDef, ...]:
    """The declared ones, and those of the guards that administrators added."""
    return (*all_permissions(), *map(_of_added, added_guards(session)))


@cache
def _permissions(_declared: tuple[Any, ...], _actions: int) -> tuple[PermissionDef, ...]:
    found: dict[tuple[str, str], PermissionDef] = {}
    for declared in (*_of_resources(), *_of_guards()):
        found.setdefault(declared.pair, declared)
    return tuple(found.values())


def place_of(resource: type[Resource]) -> int:
    """Where a resource stands in the product's menu, a child with its parent; those without a place come last."""
    if resource.menu is not None:
        return resource.menu.order
    if resource.scopes.through is not None:
        return place_of(resource.parent())
    return LAST


def group_of(resource: type[Resource]) -> str:
    """The menu group under which a resource's permissions stand; children stand with their parent."""
    if resource.menu is not None:
        return resource.menu.group
    if resource.scopes.through is not None:
        return group_of(resource.parent())
    return OTHERS


def _of_resources() -> Iterator[PermissionDef]:
    own_views = {r.view_name() for r in resources()}
    for resource in resources():
        group = group_of(resource)
        for permission, label in _basic(resource):
            yield PermissionDef(permission, resource.view_name(), label, resource.name, group)
        for action in resource.actions:
            permission, view = action.permission_on(resource)
            if view == GUARD_VIEW:
                continue
            label = action.permission_label or action.label
            if view in own_views:
                owner = next(r for r in resources() if r.view_name() == view)
                yield PermissionDef(permission, view, label, owner.name, group_of(owner))
            else:
                yield PermissionDef(permission, view, label)


def _basic(resource: type[Resource]) -> Iterator[tuple[str, str]]:
    yield "can_list", "查看列表与详情"
    if resource.groups(editing=False):
        yield "can_add", resource.create_label or f"新增{resource.label}"
    if resource.groups(editing=True):
        yield "can_edit", "编辑"
    if resource.remove is not None:
        yield "can_delete", "删除"
    if resource.charts:
        yield "can_chart", "查看统计图表"
    if resource.template is not None:
        yield "can_import", "批量导入"
    if resource.columns:
        yield "can_export", "导出"
    yield from resource.permissions


def _of_guards() -> Iterator[PermissionDef]:
    for guard in all_guards():
        permission, view = guard.permission
        yield PermissionDef(permission, view, guard.label, "", FIELDS, guard.restricting, guard)


def _of_added(added: Added) -> PermissionDef:
    permission, view = added.guard.permission
    return PermissionDef(
        permission, view, added.guard.label, "", FIELDS, added.guard.restricting, added.guard, added.dealer
    )


def sync(session: Session) -> frozenset[tuple[str, str]]:
    """Write the permissions that the framework's tables lack; returns the pairs that are new.

    Idempotent, in at most eight statements; the caller commits.
    """
    return write(session, [declared.pair for declared in all_permissions()])


def write(session: Session, wanted: Sequence[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """The same for these pairs."""
    permissions = _ids(session, Permission, {permission for permission, _ in wanted})
    views = _ids(session, ViewMenu, {view for _, view in wanted})
    table: Any = PermissionView.__table__
    present = {
        (row.permission_id, row.view_menu_id)
        for row in session.execute(select(table.c.permission_id, table.c.view_menu_id))
    }
    missing = [p for p in wanted if (permissions[p[0]], views[p[1]]) not in present]
    rows = [{"permission_id": permissions[name], "view_menu_id": views[view]} for name, view in missing]
    _insert(session, PermissionView, rows)
    return frozenset(missing)


def _ids(session: Session, model: Any, names: set[str]) -> dict[str, int]:
    """Ids by name, after adding the names that are missing."""
    table = model.__table__
    statement = select(table.c.name, table.c.id).where(table.c.name.in_(sorted(names)))
    found = {row.name: row.id for row in session.execute(statement)}
    missing = sorted(names - found.keys())
    if missing:
        _insert(session, model, [{"name": name} for name in missing])
        found = {row.name: row.id for row in session.execute(statement)}
    return found


def _insert(session: Session, model: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert_for(session, model.__table__).on_conflict_do_nothing(), rows)
