"""What each preset role may do, until an administrator changes the role and it is his.

Written against permissions, not against screens: a template says which pages and which actions, and the
registry knows the rest. Actions that nobody here names belong to the administrator alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.engine.permissions import PermissionDef, all_permissions
from app.engine.resource import Resource, resources
from app.engine.scopes import PERSONAL, Scope, offered
from models.identity.menu_groups import BRIEFS, MANAGEMENT
from models.identity.role_rules import GROUP_ONLY, Rights

OWN_ONLY = frozenset({"jobs", BRIEFS, "approval_requests"})
"""Resources whose rows are their person's own, whatever else a role sees."""
_OWN = frozenset({Scope.MINE, Scope.RELATED})

_DEALER = frozenset({Scope.DEALER})
_STORE = frozenset({Scope.STORE})
_READ = frozenset({"can_list"})
_WORK = frozenset({"can_list", "can_add", "can_edit"})
_FILES = frozenset({"can_import"})
_SELL = frozenset(
    {
        "can_link_contact",
        "can_unlink",
        "can_unlink_contacts",
        "can_complete",
        "can_lose",
        "can_call",
        "can_write_follow_up",
        "can_send_sms",
        "can_send_message",
        "can_cancel",
        "can_continue_service",
        "can_invalidate",
        "can_finish",
        "can_transmit",
        "can_add_step",
        "can_statistics",
        "can_deposit",
        "can_refund_deposit",
    }
)
_MANAGE = frozenset(
    {
        "can_chart",
        "can_export",
        "can_export_statistics",
        "can_reassign",
        "can_change_designer",
        "can_change_salesperson",
        "can_clear_salesperson",
        "can_hand_over",
        "can_hand_over_departed",
        "can_reopen",
        "can_return_order",
        "can_void",
        "can_void_deposit",
    }
)
CHANNEL = "渠道报备"
"""The menu group of leads that channel workers bring in."""
_LEADS = frozenset(
    {
        "can_delete",
        "can_export",
        "can_import",
        "can_track",
        "can_send_lead_sms",
        "can_dispatch",
        "can_cancel_measuring",
        "can_statistics",
        "can_export_statistics",
    }
)
"""What a channel worker does with leads besides filing and changing them."""
_MEASURED = frozenset({"can_complete_measuring", "can_cancel_measuring"})
_LEAD_MANAGER = (
    _LEADS
    | _MEASURED
    | {
        "can_assign",
        "can_withdraw",
        "can_judge",
        "can_chart",
    }
)
PRINT = ("can_print", "Templates")
"""Printing stands with the templates among the settings, and belongs to everybody who works with records."""
_SHOWROOM = frozenset({"registration_assignments"})
"""What a showroom gets of leads: those that were assigned to it, and nothing of the others."""


@dataclass(frozen=True)
class Template:
    """A role as it begins: ``may`` picks permissions, ``sees`` the scopes it opens where they exist."""

    key: str
    label: str
    may: Callable[[PermissionDef], bool]
    sees: frozenset[Scope]
    managed: frozenset[Scope] = frozenset()
    """Scopes on the pages of organisation and settings."""
    leads: bool = False
    """Whether it looks after the others' work, and so sees what is else everybody's own."""
    assigned: frozenset[Scope] | None = None
    """Scopes on what is assigned to showrooms, where they differ from the others."""

    def rights(self) -> Rights:
        """Its permissions and scopes, of everything that is declared now."""
        given = [p for p in all_permissions() if self.may(p) or _is_asked(p)]
        grants = frozenset(p.pair for p in given)
        pages = {p.resource_name for p in given}
        scopes = frozenset(
            (r.name, scope) for r in resources() if r.name in pages for scope in self._sees(r) & offered(r)
        )
        return Rights(grants, scopes)

    def _sees(self, resource: type[Resource]) -> frozenset[Scope]:
        if resource.name in OWN_ONLY and not self.leads:
            return _OWN
        if resource.name in _SHOWROOM and self.assigned is not None:
            return self.assigned
        return self.managed if _is_management(resource.name) else self.sees


def _is_management(name: str) -> bool:
    return name in {p.resource_name for p in all_permissions() if p.group in MANAGEMENT}


def _is_asked(p: PermissionDef) -> bool:
    """Whatever one does may have to be approved, and whoever works here may be asked to."""
    return p.resource_name == "approval_requests" and p.permission in _READ


def _for_work(p: PermissionDef) -> bool:
    return bool(p.resource_name) and p.group not in MANAGEMENT and p.resource_name != BRIEFS


def _in_shop(p: PermissionDef) -> bool:
    """The work of a shop's people: of leads only those assigned to their showroom."""
    return _for_work(p) and (p.group != CHANNEL or p.resource_name in _SHOWROOM)


def _admin(p: PermissionDef) -> bool:
    """Everything of the own dealer, settlement prices included (A-87, A-113)."""
    return not p.restricting and p.resource_name not in GROUP_ONLY


def _manager(p: PermissionDef) -> bool:
    if p.view == "System" or p.pair == PRINT:
        return True
    if p.resource_name == BRIEFS:
        return p.permission != "can_export"
    if p.resource_name == "employees":
        return p.permission in _READ
    if p.resource_name == "measurings":
        return p.permission in _READ | _MEASURED
    return _in_shop(p) and p.permission in _WORK | _SELL | _MANAGE | _FILES


def _consultant(p: PermissionDef) -> bool:
    """Sells: files, edits and follows up what is his own. Tagging is granted later, if at all (A-21)."""
    return p.pair == PRINT or (_in_shop(p) and p.permission in _WORK | _SELL and p.view != "Tags")


def _designer(p: PermissionDef) -> bool:
    if p.resource_name == "measurings":
        return p.permission in _READ | _MEASURED
    if p.pair == PRINT:
        return True
    return _for_work(p) and p.group != CHANNEL and p.permission in _WORK | _SELL and p.view != "Tags"


def _clerk(p: PermissionDef) -> bool:
    """Enters and looks up for the whole dealer without seeing a phone (A-90)."""
    if p.restricting:
        return p.permission == "guard_customer_phone"
    if p.resource_name in _SHOWROOM:
        return p.permission in _READ
    if p.pair == PRINT:
        return True
    return _for_work(p) and p.permission in _WORK | _FILES | {"can_track"} and p.view != "Tags"


def _service_contact(p: PermissionDef) -> bool:
    return _in_shop(p) and p.permission in _READ | {"can_call", "can_write_follow_up", "can_complete"}


def _channel_worker(p: PermissionDef) -> bool:
    """Brings in leads and tracks them, and sees what became of them: his own alone (E-02)."""
    return p.group == CHANNEL and p.permission in (_READ if p.resource_name in _SHOWROOM else _WORK | _LEADS)


def _channel_manager(p: PermissionDef) -> bool:
    """Works with own leads and those of the people granted to him (E-03), hands them to showrooms and judges."""
    held = _READ if p.resource_name in _SHOWROOM else _WORK
    return p.group == CHANNEL and p.permission in held | _LEAD_MANAGER


def _group_admin(p: PermissionDef) -> bool:
    return not p.restricting


DEALER_ROLES = (
    Template("admin", "商场系统管理员", _admin, frozenset({Scope.DEALER}), managed=_DEALER, leads=True),
    Template(
        "manager", "店长", _manager, PERSONAL | {Scope.STORE, Scope.DEALER}, managed=_DEALER, assigned=_STORE
    ),
    Template("consultant", "导购", _consultant, PERSONAL, assigned=_STORE),
    Template("designer", "设计师", _designer, frozenset({Scope.MINE, Scope.RELATED}), assigned=_STORE),
    Template("clerk", "渠道文员", _clerk, _DEALER),
    Template("channel_worker", "渠道业务员", _channel_worker, frozenset({Scope.MINE})),
    Template("channel_manager", "渠道经理", _channel_manager, frozenset({Scope.MINE, Scope.GRANTED})),
)
GROUP_ROLES = (
    Template(
        "group_admin",
        "集团系统管理员",
        _group_admin,
        frozenset({Scope.GROUP}),
        managed=frozenset({Scope.GROUP}),
        leads=True,
    ),
    Template("service_contact", "售服对接人", _service_contact, PERSONAL | {Scope.STORE}),
)
