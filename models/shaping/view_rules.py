"""Making, changing and sharing views. What is personal everybody does who sees the list; what others are to
see needs 管理视图."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from app.engine import filters, listing, rowcolours, savedviews
from app.engine.actions import Act, Forbidden, Invalid, NotFound, Refusal, Stale
from app.engine.configuring import FOR_ALL
from app.engine.faces import faced
from app.engine.fields import FieldSpec, describe
from app.engine.guards import CALLABLE, may_filter, without_numbers
from app.engine.resource import Resource, resource, resource_of
from app.engine.scopes import Actor
from models.identity.for_all import (
    field_of_one_dealer,
    filter_of_one_dealer,
    keep_for_all,
    option_of_one_dealer,
    refusal,
    settle_owner,
)
from models.identity.roles import StaffRole
from models.identity.tables import Store
from models.shaping.view_queries import manages, may_share, views_for
from models.shaping.view_tables import Audience, SavedView, ViewState, place_of

MOST = 50
"""So many views of one list for the same people at most."""
LONGEST = 400
_NARROWEST, _WIDEST = 48, 1000
"""Pixels of a column."""


def list_of(actor: Actor, name: str) -> type[Resource]:
    """The list of that name as this person has it, with added fields; raises `NotFound` or `Forbidden`."""
    found = resource(name)
    if found is None or not found.columns:
        raise NotFound
    if not actor.can("can_list", found.view_name()):
        raise Forbidden(found.titled(), seeing=True)
    return faced(found, actor.dealer_id)


def conditions(
    act: Act, found: type[Resource], args: Mapping[str, Sequence[str]]
) -> tuple[dict[str, list[str]], list[str]]:
    """The conditions and columns of an address, cleaned by the code that reads addresses; raises `Invalid`
    with its sentences."""
    dialect = act.session.get_bind().dialect.name
    query = listing.parse(found, act.actor, args, act.now, dialect)
    wrong = [*query.errors, *query.notices]
    wrong += [f"您不能按“{f.spec.label}”保存视图" for f in query.filters if not may_filter(f.spec, act.actor)]
    if wrong:
        raise Invalid({"": "；".join(wrong)})
    wanted = {name for f in query.filters if not f.default for name in f.names}
    kept = {k: [v for v in args[k] if v][: filters.MAX_VALUES] for k in wanted if any(args.get(k, ()))}
    for name in sorted(savedviews.STEERS):
        value = listing.first(args, name)
        if value and _understood(query, name, value):
            kept[name] = [value]
    shown = [s.name for s in listing.columns(found, act.actor, args.get(savedviews.COLUMNS, ()))]
    return kept, shown


def _understood(query: listing.Query, name: str, value: str) -> bool:
    if name == "window":
        days = filters.window_days(query.resource, query.args)
        return query.resource.window is not None and value in ("all", str(days))
    return value == "all" if name == "include" else True


def make(
    act: Act,
    found: type[Resource],
    name: str,
    args: Mapping[str, Sequence[str]],
    words: str,
    widths: Mapping[str, int] | None = None,
) -> SavedView:
    """A personal view of the list as it stands."""
    kept, shown = conditions(act, found, args)
    view = SavedView(
        resource=found.name, name=_name(name), audience=Audience.PERSON, owner_id=act.actor.id,
        dealer_id=act.actor.dealer_id, args=kept, columns=shown, colours=[], widths=_widths(widths or {}, shown),
        summary=_said(words),
    )  # fmt: skip
    return _add(act, view)


def copy(act: Act, view: SavedView, name: str = "") -> SavedView:
    """A personal view with the same contents, under a name that is free; the bounds of the maker hold."""
    found = list_of(act.actor, view.resource)
    shown = savedviews.SavedView(
        view.id,
        view.resource,
        view.name,
        "",
        view.owner_id == act.actor.id,
        False,
        view.version,
        args=view.args,
    )
    kept, _ = savedviews.for_person(found, act.actor, shown)
    made = SavedView(
        resource=view.resource, name=name or _free(act, view), audience=Audience.PERSON, owner_id=act.actor.id,
        dealer_id=act.actor.dealer_id, args=kept, columns=list(view.columns), colours=list(view.colours),
        widths=dict(view.widths or {}),
        summary=view.summary if kept == view.args else "",
    )  # fmt: skip
    return _add(act, made)


def _add(act: Act, view: SavedView) -> SavedView:
    view.state, view.is_default = ViewState.ACTIVE, bool(view.is_default)
    view.place = place_of(view)
    _check_place(act, view)
    act.session.add(view)
    act.session.flush()
    return view


def find(act: Act, view_id: int, *, lock: bool = False) -> SavedView:
    """A view that is for this person, or that he manages; raises `NotFound` for any other one."""
    statement = select(SavedView).where(SavedView.id == view_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    view = act.session.scalar(statement)
    if view is None or not (_seen(act.actor, view) or may_change(act.actor, view)):
        raise NotFound
    list_of(act.actor, view.resource)
    return view


def _seen(actor: Actor, view: SavedView) -> bool:
    return any(v.id == view.id for v in views_for(actor, view.resource))


def may_change(actor: Actor, view: SavedView) -> bool:
    """Personal views are their owner's; shared ones of the dealer's whoever manages views."""
    if view.audience is Audience.PERSON:
        return view.owner_id == actor.id
    return manages(actor, view.dealer_id)


def to_change(act: Act, view_id: int, version: int | None, state: ViewState = ViewState.ACTIVE) -> SavedView:
    """The view, locked, for somebody who may change it; raises `Stale` where somebody else did meanwhile."""
    view = find(act, view_id, lock=True)
    if not may_change(act.actor, view):
        raise Forbidden("管理视图")
    if view.state is not state:
        raise NotFound
    if version is not None and view.version != version:
        raise Stale
    return view


def keep_conditions(
    act: Act,
    view: SavedView,
    args: Mapping[str, Sequence[str]],
    words: str,
    widths: Mapping[str, int] | None = None,
) -> list[str]:
    """Save the list as it stands as the view's new contents; without ``widths`` its columns keep theirs. Returns the
    columns that a view of the group goes without."""
    found = list_of(act.actor, view.resource)
    kept, shown = conditions(act, found, args)
    _check_numbers(view.audience, kept)
    view.args, view.columns, view.summary = kept, shown, _said(words)
    view.widths = _widths(view.widths or {} if widths is None else widths, shown)
    return _keep_for_all(act, found, view)


def change(act: Act, view: SavedView, values: Mapping[str, Any]) -> list[str]:
    """Name, for whom, default, window and colours, as the form gives them. Returns the columns that a view of the group
    goes without."""
    found = list_of(act.actor, view.resource)
    view.name = _name(values["name"])
    view.colours = colours(found, act.actor, values)
    args = {k: list(v) for k, v in view.args.items() if k != "window"}
    window = values.get("window") or ""
    view.args = {**args, **({"window": [window]} if window and found.window is not None else {})}
    _settle_audience(act, view, values)
    left_out = _keep_for_all(act, found, view)
    view.is_default = bool(values.get("is_default"))
    view.place = place_of(view)
    _check_place(act, view)
    if view.is_default:
        _only_default(act, view)
    act.session.flush()
    return left_out


def _settle_audience(act: Act, view: SavedView, values: Mapping[str, Any]) -> None:
    audience = values.get("audience") or view.audience
    if audience is not Audience.PERSON and not may_share(act.actor):
        raise Forbidden("管理视图")
    _check_numbers(audience, view.args)
    role_id, store_id = values.get("role_id"), values.get("store_id")
    if audience is Audience.ROLE:
        role = act.session.get(StaffRole, int(role_id)) if role_id else None
        if role is None or role.dealer_id not in (None, act.actor.dealer_id):
            raise Invalid({"role_id": "请选择角色"})
    if audience is Audience.STORE:
        store = act.session.get(Store, int(store_id)) if store_id else None
        if store is None or store.dealer_id != act.actor.dealer_id:
            raise Invalid({"store_id": "请选择门店"})
    if audience is Audience.PERSON:
        view.owner_id = act.actor.id if view.audience is not Audience.PERSON else view.owner_id
        view.dealer_id = act.actor.dealer_id
    elif view.audience is Audience.PERSON:
        view.dealer_id = None
        settle_owner(view, act, values)
    view.audience = audience
    view.role_id = int(role_id) if audience is Audience.ROLE and role_id else None
    view.store_id = int(store_id) if audience is Audience.STORE and store_id else None


def _keep_for_all(act: Act, found: type[Resource], view: SavedView) -> list[str]:
    """Raise `Invalid` where a view of the group would filter, sort or colour by what only one dealer has. Columns that
    only one has it goes without, because a list keeps those that it shows by itself too; returns their names."""
    if view.dealer_id is not None or view.audience is Audience.PERSON:
        return []
    own = act.actor.dealer_id
    foreign = {n for n in view.columns if field_of_one_dealer(found.name, n, own)}
    view.columns = [n for n in view.columns if n not in foreign]
    view.widths = {n: px for n, px in (view.widths or {}).items() if n not in foreign}
    keep_for_all(act, view, {})
    known = {f.spec.name: f.spec for f in filters.declared(found, act.actor)}
    said = filter_of_one_dealer(act.session, known, view.args, own)
    said = said or _colour_of_one_dealer(found, act.actor, view)
    if said:
        raise Invalid({FOR_ALL: refusal(said, resource_of(SavedView).label)})
    return [s.label for s in found.added if s.name in foreign]


def _colour_of_one_dealer(found: type[Resource], actor: Actor, view: SavedView) -> str:
    known = {spec.name: spec for spec in coloured(found, actor)}
    named = ((known[name], value) for name, value, _ in view.colours if name in known)
    return next(filter(None, (option_of_one_dealer(s, [v], actor.dealer_id) for s, v in named)), "")


def _check_numbers(audience: Audience, args: Mapping[str, Sequence[str]]) -> None:
    """A number by which somebody is called is no matter for others, whoever may read it himself."""
    if audience is not Audience.PERSON and CALLABLE.search("".join(args.get("q", ()))):
        raise Refusal("共享的视图不能按电话号码等长数字查找，请先去掉关键字")


def remove(act: Act, view: SavedView) -> None:
    """Take it from the lists; it can be brought back."""
    view.state = ViewState.REMOVED
    act.session.flush()


def restore(act: Act, view: SavedView) -> None:
    """Bring a deleted one back, under a free name when its own was given away meanwhile."""
    if _taken(act, view, view.name):
        view.name = _free(act, view)
    _check_place(act, view)
    if view.is_default and _others_default(act, view):
        view.is_default = False
    view.state = ViewState.ACTIVE
    act.session.flush()


def colours(found: type[Resource], actor: Actor, values: Mapping[str, Any]) -> list[list[str]]:
    """The colours of rows out of the form: pairs of a field's value and a tone."""
    known = {o for spec in coloured(found, actor) for o in values_of(spec, actor)}
    made: list[list[str]] = []
    for n in range(1, rowcolours.MOST + 1):
        value, tone = values.get(f"colour{n}") or "", values.get(f"tone{n}") or ""
        if not value:
            continue
        if value not in known:
            raise Invalid({f"colour{n}": "请从列表中选择"})
        if not tone:
            raise Invalid({f"tone{n}": "请选择颜色"})
        name, _, wanted = value.partition("=")
        if any(c[:2] == [name, wanted] for c in made):
            raise Invalid({f"colour{n}": "此条件已有颜色"})
        made.append([name, wanted, str(getattr(tone, "value", tone))])
    return made


def coloured(found: type[Resource], actor: Actor) -> list[FieldSpec]:
    """The fields whose values may colour a row of that list."""
    specs = [describe(c) for c in (*found.columns, *found.more_columns)]
    return [s for s in specs if s.kind in rowcolours.KINDS and not s.multiple and may_filter(s, actor)]


def values_of(spec: FieldSpec, actor: Actor) -> list[str]:
    """The values of a field that a colour may stand for, as the form writes them."""
    if spec.kind == "bool":
        found = ["1", "0"]
    elif spec.kind == "choice":
        found = [e.value for e in spec.entries(actor.dealer_id)]
    else:
        found = list(rowcolours.PERIODS)
    return [f"{spec.name}={v}" for v in (*found, filters.EMPTY)]


def _name(text: str) -> str:
    name = " ".join((text or "").split())
    longest = SavedView.name.type.length
    if not name:
        raise Invalid({"name": "请填写视图名称"})
    if len(name) > longest:
        raise Invalid({"name": f"视图名称最多{longest}个字"})
    return name


def _widths(given: Mapping[str, int], shown: Sequence[str]) -> dict[str, int]:
    """The widths of the columns that the view shows, within reason."""
    return {n: min(max(given[n], _NARROWEST), _WIDEST) for n in shown if n in given}


def _said(words: str) -> str:
    return without_numbers(words)[:LONGEST]


def _check_place(act: Act, view: SavedView) -> None:
    if _taken(act, view, view.name):
        raise Invalid({"name": f"视图“{view.name}”已存在，请换一个名称"})
    with act.session.no_autoflush:
        many = act.session.scalar(select(func.count()).where(*_beside(view))) or 0
    if many >= MOST:
        raise Refusal(f"此列表最多保存{MOST}个视图，请先删除不用的视图")


def _beside(view: SavedView) -> list[Any]:
    return [
        SavedView.resource == view.resource, SavedView.place == view.place, SavedView.id != (view.id or 0),
        SavedView.state == ViewState.ACTIVE,
    ]  # fmt: skip


def _taken(act: Act, view: SavedView, name: str) -> bool:
    same = func.lower(SavedView.name) == name.lower()
    with act.session.no_autoflush:
        return act.session.scalar(select(SavedView.id).where(*_beside(view), same).limit(1)) is not None


def _free(act: Act, view: SavedView) -> str:
    """The view's name with a number behind it that is not used yet."""
    mine = SavedView(resource=view.resource, owner_id=act.actor.id, audience=Audience.PERSON)
    mine.place = f"p{act.actor.id}" if view.state is ViewState.ACTIVE else view.place
    longest = SavedView.name.type.length
    for n in range(2, MOST + 2):
        name = f"{view.name[: longest - 3]} {n}"
        if not _taken(act, mine, name):
            return name
    return view.name


def _only_default(act: Act, view: SavedView) -> None:
    """Of the views for the same people one opens by itself."""
    for other in _others_default(act, view):
        other.is_default = False


def _others_default(act: Act, view: SavedView) -> list[SavedView]:
    with act.session.no_autoflush:
        return list(
            act.session.scalars(select(SavedView).where(*_beside(view), SavedView.is_default.is_(True)))
        )
