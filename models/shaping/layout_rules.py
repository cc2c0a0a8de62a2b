"""Laying out forms and pages: what may be stored, and for whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from app.engine import faces, layouts
from app.engine.actions import Act, Forbidden, Invalid, NotFound, Refusal, Stale
from app.engine.configured.addresses import Portable
from app.engine.configured.values import Names
from app.engine.configuring import Named, Naming, Spoken
from app.engine.fields import FieldSpec, describe
from app.engine.guards import derived
from app.engine.layouts import DETAIL, OWN, Plan
from app.engine.resource import Resource, resource
from app.engine.scopes import Actor
from app.engine.typed import Wrong
from models.identity.roles import StaffRole
from models.identity.rules import is_group
from models.shaping import layout_queries
from models.shaping.layout_queries import SELF, Place
from models.shaping.layout_tables import LayoutPage, PageLayout, place_of

LONGEST = 20
MOST = 30
"""So many sections at most."""
_SUMMARY = PageLayout.summary.type.length


def may_lay_out(actor: Actor, dealer_id: int | None) -> bool:
    """Whether that owner's pages are this person's to lay out: the own dealer's, or everybody's for the group."""
    return is_group(actor, SELF) if dealer_id is None else dealer_id == actor.dealer_id


def page_of(actor: Actor, name: str, page: str, dealer_id: int | None) -> tuple[type[Resource], LayoutPage]:
    """The list, as that dealer has it, and what of it is laid out; raises `NotFound` or `Forbidden`."""
    found = resource(name)
    wanted = next((p for p in LayoutPage if p.value == page), None)
    if found is None or wanted not in layout_queries.pages_of(found):
        raise NotFound
    if not actor.can("can_list", found.view_name()):
        raise Forbidden(found.titled(), seeing=True)
    return faces.faced(found, dealer_id), wanted


def roles_to_lay_out(act: Act, dealer_id: int | None) -> list[StaffRole]:
    """The roles that can have a layout: the owner's, and the group's."""
    of = StaffRole.dealer_id.is_(None) | (StaffRole.dealer_id == dealer_id)
    statement = select(StaffRole).where(of, StaffRole.label != "")
    return list(act.session.scalars(statement.order_by(StaffRole.dealer_id.is_(None), StaffRole.id)))


def specs_of(found: type[Resource], page: str) -> list[FieldSpec]:
    """The fields that can be laid out."""
    sources = (s for group in layouts.groups_of(found, page) for s in group.fields)
    return [s for s in map(describe, sources) if s.kind != "hidden"]


def default_of(found: type[Resource], page: str, known: layout_queries.Snapshot, place: Place) -> Plan:
    """What would stand there without a layout of that owner and role."""
    below = known.below(found.name, page, place)
    plan = layouts.declared(found, page)
    return layouts.resolved(plan, below.layout.parts) if below is not None else plan


def checked(found: type[Resource], page: str, plan: Plan) -> Plan:
    """The plan as it can be kept; raises `Invalid` with a sentence beside each section and field that is wrong.
    Fields that are not there any more are passed over."""
    kept = layouts.resolved(layouts.declared(found, page), plan)
    kept = tuple(replace(part, title=" ".join(part.title.split())) for part in kept)
    errors: dict[str, str] = {}
    titles: dict[str, str] = {}
    for part in kept:
        if not part.title and part.key:
            errors[f"#{part.key}"] = "请填写分组名称"
        elif len(part.title) > LONGEST:
            errors[f"#{part.key}"] = f"分组名称最多{LONGEST}个字"
        elif part.title in titles:
            errors[f"#{part.key}"] = f"已有同名的分组：{part.title}"
        titles[part.title] = part.key
    if len(kept) > MOST:
        errors[""] = f"最多{MOST}个分组"
    specs = specs_of(found, page)
    hidden = [s.name for part in kept for s in part.spots if s.hidden]
    if page != DETAIL:
        errors |= layouts.needed(specs, hidden)
    if specs and len(hidden) == len(specs):
        errors[""] = "至少显示一个字段"
    if errors:
        raise Invalid(errors)
    return kept


def save(
    act: Act,
    found: type[Resource],
    page: LayoutPage,
    place: Place,
    plan: Plan,
    version: int | None = None,
) -> PageLayout | None:
    """Keep the layout; one that is as it would be without is not kept. ``version`` is that of the layout the
    person began with, 0 where there was none; raises `Stale` when it is another one by now."""
    _check_owner(act, place)
    row = _row(act, found, page, place)
    if version is not None and version != (row.version if row is not None else 0):
        raise Stale
    kept = checked(found, page.value, plan)
    below = default_of(found, page.value, layout_queries.load(act.session), place)
    if kept == below:
        if row is not None:
            act.session.delete(row)
            act.session.flush()
        return None
    labels = {s.name: s.label for s in specs_of(found, page.value)}
    if row is None:
        dealer_id, role_id = place
        row = PageLayout(
            resource=found.name, page=page, dealer_id=dealer_id, role_id=role_id, place=place_of(*place),
            name=_name(act, found, page, role_id),
        )  # fmt: skip
        act.session.add(row)
    row.parts = layouts.to_json(kept, layouts.declared(found, page.value))
    row.summary = "；".join(layouts.differences(below, kept, labels))[:_SUMMARY]
    act.session.flush()
    return row


def reset(
    act: Act, found: type[Resource], page: LayoutPage, place: Place, version: int | None = None
) -> None:
    """Go back to what holds without the layout."""
    _check_owner(act, place)
    row = _row(act, found, page, place)
    if row is None:
        raise Refusal("此页面没有单独的布局，已是默认")
    if version is not None and version != row.version:
        raise Stale
    act.session.delete(row)
    act.session.flush()


def _row(act: Act, found: type[Resource], page: LayoutPage, place: Place) -> PageLayout | None:
    statement = select(PageLayout).where(
        PageLayout.resource == found.name, PageLayout.page == page, PageLayout.place == place_of(*place)
    )
    return act.session.scalar(statement.with_for_update().execution_options(populate_existing=True))


def _check_owner(act: Act, place: Place) -> None:
    dealer_id, role_id = place
    if not may_lay_out(act.actor, dealer_id):
        raise Refusal("集团预置的布局只能由集团修改" if dealer_id is None else "只能调整本商场的布局")
    if role_id is not None and role_id not in {r.id for r in roles_to_lay_out(act, dealer_id)}:
        raise Refusal("所选角色已不存在，请重新选择")


def _name(act: Act, found: type[Resource], page: LayoutPage, role_id: int | None) -> str:
    role = act.session.get(StaffRole, role_id) if role_id is not None else None
    parts = (found.titled(), page.label, *([role.label] if role is not None else []))
    return " · ".join(parts)[: PageLayout.name.type.length]


# ----- as entries of the configuration


def keep_layout(act: Act, dealer_id: int | None, row: PageLayout | None, flat: Mapping[str, Any]) -> None:
    """Store a layout as a file or the history gives it; raises `Invalid` for one that cannot be."""
    given = flat if row is None else {**flat, "resource": row.resource, "page": row.page}
    page = getattr(given.get("page"), "value", given.get("page"))
    try:
        found, wanted = page_of(act.actor, str(given.get("resource")), str(page), dealer_id)
    except NotFound:
        raise Invalid({"resource": "没有此页面"}) from None
    role_id = row.role_id if row is not None else _role(act, dealer_id, flat.get("role_id"))
    try:
        plan = layouts.from_json(flat.get("parts"))
        if save(act, found, wanted, (dealer_id, role_id), plan) is None:
            raise Invalid({"parts": "与默认布局相同"})
    except ValueError:
        raise Invalid({"parts": "格式不正确"}) from None
    except Invalid as wrong:
        raise Invalid({"parts": "；".join(wrong.errors.values())}) from wrong


def _role(act: Act, dealer_id: int | None, given: Any) -> int | None:
    if given is None:
        return None
    known = {r.id for r in roles_to_lay_out(act, dealer_id)}
    found = (
        given if isinstance(given, int) else Names(act.session, act.actor, dealer_id).find(StaffRole, given)
    )
    if found not in known:
        raise Invalid({"role_id": "本系统中没有此角色"})
    return found


def _parts_out(value: Any, of: str, names: Names) -> Any:
    """The sections with their fields as a file names them; an added one that is no more is left out."""
    place = Portable(of, names)
    return [
        {**part, "fields": [{**s, "name": n} for s in part["fields"] if (n := place.name_out(s["name"]))]}
        for part in value
    ]


def _parts_in(value: Any, of: str, names: Names) -> Any:
    try:
        layouts.from_json(value)
    except ValueError:
        raise Wrong("格式不正确") from None
    place = Portable(of, names)
    return [
        {**part, "fields": [{**s, "name": place.name_in(s["name"])} for s in part.get("fields", ())]}
        for part in value
    ]


SPOKEN = {PageLayout.parts.key: Spoken(_parts_out, _parts_in, PageLayout.resource.key)}


def _named(row: PageLayout, parts: Any) -> Iterator[Named]:
    """The fields that were put elsewhere, hidden or given a width: a layout keeps all fields of its page."""
    about = resource(row.resource)
    if about is None:
        return
    below = layouts.declared(faces.faced(about, row.dealer_id), row.page.value)
    home = {spot.name: part.key for part in below for spot in part.spots}
    for part in layouts.from_json(parts):
        for spot in part.spots:
            if spot.hidden or spot.width or home.get(spot.name) != part.key:
                yield Named(row.resource, spot.name)


NAMES = {PageLayout.parts.key: Naming(_named)}


def drop_layout(act: Act, row: PageLayout) -> None:
    """Go back to what holds without the layout."""
    _check_owner(act, (row.dealer_id, None))
    act.session.delete(row)


def _words(value: Any, _actor: Actor | None) -> str:
    """The sections of a stored layout, or one of them, with the number of fields in each."""
    try:
        plan = layouts.from_json([value] if isinstance(value, Mapping) else value)
    except ValueError:
        return ""
    said = []
    for part in plan:
        hidden = sum(s.hidden for s in part.spots)
        shown = f"{len(part.spots) - hidden}项" + (f"，隐藏{hidden}项" if hidden else "")
        said.append(f"{part.title or part.key.removeprefix(OWN)}（{shown}）")
    return "、".join(said)


derived["layout_parts"] = _words
