"""What a list and its rows offer to do: buttons, the toolbar, the menu of a row, the functions for many
records."""

from __future__ import annotations

from dataclasses import replace

from flask import current_app
from markupsafe import Markup

from app.engine import chrome
from app.engine.actions import Action
from app.engine.addresses import DOING, PAGING, address
from app.engine.listing import Args, Query, first
from app.engine.pages import Link
from app.engine.resource import Resource, Tool
from app.engine.scopes import Actor


def of_list(resource: type[Resource], actor: Actor, base: str, query: Query) -> list[Link]:
    """What stands above the list: its charts, its import, a new record, for those who may."""
    found = []
    if resource.charts and actor.can("can_chart", resource.view_name()):
        found.append(Link("图表", _charts(f"{base}charts", query), "chart-bar", keep=True))
    if resource.toolbar:
        return found
    if resource.template is not None and actor.can("can_import", resource.view_name()):
        found.append(Link("导入", f"{base}import", "upload"))
    if resource.form and actor.can("can_add", resource.view_name()):
        label = resource.create_label or f"新增{resource.label}"
        found.append(Link(label, f"{base}new", "plus", primary=True))
    return found


def _charts(base: str, query: Query) -> str:
    """The charts of the list as it stands. A list just opened says nothing about the scope meant, so
    its charts open as wide as the person may see."""
    narrowed = any(name not in (*PAGING, "sort", "per_page") for name in query.args)
    scope = query.scope.value if narrowed and query.scope is not None else ""
    return address(base, query.args, scope=scope)


def batch(resource: type[Resource], actor: Actor, args: Args) -> tuple[list[Link], list[Link], Link | None]:
    """The buttons for ticked rows, those of them that stand in the menu of batch functions, and the one the
    ticks of this list are for (A-48), which then stands alone. None where the person may use none of them."""
    links = [action_link(resource, a, actor) for a in offered_actions(resource, actor) if a.batch]
    if not any(b.enabled for b in links):
        links = []
    doing = next((b for b in links if b.enabled and b.name == first(args, DOING)), None)
    if doing is not None:
        return [doing], [], doing
    places = {name: n for n, name in enumerate(resource.batch_menu)}
    many = sorted((b for b in links if b.name in places), key=lambda b: places[b.name])
    return [b for b in links if b.name not in places], many, None


def batch_menu(resource: type[Resource], actor: Actor, query: Query) -> list[Link]:
    """The functions this person may use on many records, in the order of the declaration (A-48). Each leads to
    its own page, or to the list whose ticks are for it."""
    named = {a.name: a for a in resource.actions if a.allowed(resource, actor)}
    return [
        Link(
            a.label, a.page or address(f"/{resource.name}/", query.args, **{DOING: a.name}), a.icon,
            name=a.name, tone=a.tone,
        )
        for a in (named[name] for name in resource.batch_menu if name in named)
    ]  # fmt: skip


def offered_actions(resource: type[Resource], actor: Actor) -> list[Action]:
    """The actions whose buttons this person sees: the permitted ones, and those that stay visible grey."""
    there = (a for a in resource.actions if a.switched is None or a.switched(actor))
    return [a for a in there if a.greyed or a.allowed(resource, actor)]


def row_menu(resource: type[Resource], actor: Actor) -> Markup:
    """What a row offers, drawn once for a while: it is the same on every page of a list."""

    def draw() -> Markup:
        items = _row_links(resource, actor)
        template = current_app.jinja_env.get_template("_rowmenu.html")
        return Markup(template.render(items=items, numbered=bool(resource.row_menu)) if items else "")

    drawn: Markup = chrome.remembered(("rowmenu", resource.name, actor.id, actor.epoch), draw)
    return drawn


def of_row(resource: type[Resource], tool: Tool) -> bool:
    """Whether the function is about a row, not about the list."""
    return tool.name not in _OF_LIST


def toolbar(resource: type[Resource], actor: Actor) -> list[Link]:
    """The functions above the list; those about a row go to it by way of what is selected."""
    found = []
    for tool in resource.toolbar:
        link = tool_link(resource, tool, actor)
        if link is not None:
            link.row = of_row(resource, tool)
            found.append(link)
    return found


_OF_LIST = ("new", "import", "export")
_TOOLS = {
    "new": ("can_add", "new", "新增", "plus"),
    "copy": ("can_add", "new?copy={id}", "复制新建", "copy"),
    "edit": ("can_edit", "{id}/edit", "修改", "pencil"),
    "delete": ("can_delete", "{id}/delete", "删除", "trash"),
    "import": ("can_import", "import", "导入", "upload"),
    "export": ("can_export", "export", "导出", "download"),
}
"""The generated functions: the permission, the page below the list, the word and the icon."""


def tool_link(resource: type[Resource], tool: Tool, actor: Actor) -> Link | None:
    """A function as it is offered, with ``{id}`` in its address when it is about a row; None for one that this
    resource does not have. Without the right it is grey and says what is missing."""
    base = f"/{resource.name}/"
    action = next((a for a in resource.actions if a.name == tool.name), None)
    if action is not None and action.switched is not None and not action.switched(actor):
        return None
    if action is not None:
        if action.switched is not None and not action.switched(actor):
            return None
        link = action_link(resource, action, actor)
        return replace(link, label=tool.label or link.label, icon=tool.icon or link.icon)
    if tool.page:
        permission, path, label, icon = tool.permission, tool.page, tool.label, tool.icon
    elif tool.name in _TOOLS and _has(resource, tool.name):
        permission, path, label, icon = _TOOLS[tool.name]
    else:
        return None
    allowed = actor.can(permission, resource.view_name())
    label = tool.label or label
    deletes = tool.name == "delete"
    return Link(
        label, path if path.startswith("/") else base + path, tool.icon or icon, enabled=allowed,
        reason="" if allowed else f"没有权限：{label}", name=tool.name, has_form=not deletes,
        confirm=resource.remove_confirm or f"确认删除此{resource.label}？" if deletes else "",
        tone="r" if deletes else "", primary=tool.name == "new",
    )  # fmt: skip


def _has(resource: type[Resource], name: str) -> bool:
    """Whether the resource has that generated function."""
    return bool({
        "new": resource.form,
        "copy": resource.copies,
        "edit": resource.groups(True),
        "delete": resource.remove is not None,
        "import": resource.template is not None,
        "export": True,
    }[name])  # fmt: skip


def _row_links(resource: type[Resource], actor: Actor) -> list[Link]:
    """The declared menu; without one its page, its form, and the actions that make sense on nearly every
    row."""
    base = f"/{resource.name}/"
    if resource.row_menu:
        links = [tool_link(resource, tool, actor) for tool in resource.row_menu]
        return [replace(link, row=False) for link in links if link is not None]
    found = []
    if resource.detail:
        found.append(Link("打开整页", f"{base}{{id}}", "external-link", name="open"))
    if resource.groups(True) and actor.can("can_edit", resource.view_name()):
        found.append(Link("编辑", f"{base}{{id}}/edit", "pencil", name="edit"))
    offered = offered_actions(resource, actor)
    return found + [action_link(resource, a, actor) for a in offered if a.row or a.menu]


def action_link(resource: type[Resource], action: Action, actor: Actor, ids: str = "") -> Link:
    """A button for the action; without the permission it is grey and says what is missing."""
    allowed = action.allowed(resource, actor)
    return Link(
        action.label, f"{action.page or f'/{resource.name}/action/{action.name}'}{ids}", action.icon,
        enabled=allowed, reason="" if allowed else f"没有权限：{action.permission_label or action.label}",
        name=action.name, primary=action.primary, confirm=action.confirm,
        has_form=bool(action.fields) or action.before is not None, batch=action.batch, row=action.row,
        tone=action.tone,
    )  # fmt: skip
