"""Shared views as configuration: for whom they are, and the list as they show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import savedviews
from app.engine.actions import Act, Forbidden, Invalid, Refusal
from app.engine.choices import Tone
from app.engine.configured.addresses import Portable, stem
from app.engine.configured.values import Names, said
from app.engine.configuring import Mark, Named, Naming, Part, Writer, configurable
from app.engine.fields import entry
from app.engine.scopes import SYSTEM
from app.engine.typed import Wrong
from models.identity.roles import StaffRole
from models.identity.tables import Store
from models.shaping import view_rules
from models.shaping.view_queries import MANAGE
from models.shaping.view_tables import Audience, SavedView, ViewState
from models.shaping.views import SavedViews

CONDITIONS = entry("conditions", "条件", "texts")
COLUMNS = entry("columns", "列", "texts")
COLOURS = entry("colours", "行颜色", "texts")
_WHOM = {"role_id": (Audience.ROLE, StaffRole), "store_id": (Audience.STORE, Store)}
_TEXTS = ("name", "audience", "summary")


def _read(session: Session, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    names = ("id", "dealer_id", "resource", "args", "columns", "colours")
    rows = session.execute(select(*(getattr(SavedView, n) for n in names)).where(SavedView.id.in_(ids)))
    return {row.id: _out(row, Names(session, SYSTEM, row.dealer_id)) for row in rows}


def _out(row: Any, names: Names) -> dict[str, Any]:
    try:
        place = Portable(row.resource, names)
    except Wrong:
        return {CONDITIONS.name: [], COLUMNS.name: [], COLOURS.name: []}
    colours = [(place.name_out(field), value, tone) for field, value, tone in row.colours or ()]
    return {
        CONDITIONS.name: place.args_out(row.args or {}),
        COLUMNS.name: place.names_out(row.columns or ()),
        COLOURS.name: [list(c) for c in colours if c[0] is not None],
    }


def _words(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """That they are others; what they are stands in the summary."""
    changed = [s.label for s in (CONDITIONS, COLUMNS, COLOURS) if old.get(s.name) != new.get(s.name)]
    return [f"{'、'.join(changed)}：已调整"] if old and changed else []


def put(act: Act, owner: int | None, record: Any, flat: Mapping[str, Any]) -> None:
    """Make a view or change one, by the rules of its form and of lists."""
    names = Names(act.session, act.actor, owner)
    for name in _TEXTS:
        if flat.get(name) is not None and not isinstance(flat[name], str):
            raise Invalid({name: "格式不正确"})
    if record is not None and not view_rules.may_change(act.actor, record):
        raise Forbidden("管理视图")
    view = record if record is not None else _new(act, owner, flat)
    now = _read(act.session, [record.id])[record.id] if record is not None else {}
    with act.session.no_autoflush:
        try:
            place = Portable(view.resource, names)
            shown = {
                **now,
                **{s.name: flat[s.name] for s in (CONDITIONS, COLUMNS, COLOURS) if s.name in flat},
            }
            args = place.args_in(shown.get(CONDITIONS.name, []))
            wanted = place.names_in(shown.get(COLUMNS.name, []))
            colours = _colours(place, shown.get(COLOURS.name, []))
        except Wrong as wrong:
            raise Invalid({CONDITIONS.name: wrong.message}) from None
        found = view_rules.list_of(act.actor, view.resource)
        kept, columns = view_rules.conditions(act, found, {**args, savedviews.COLUMNS: wanted})
        if CONDITIONS.name in flat or record is None:
            view.args = kept
        if COLUMNS.name in flat or record is None:
            view.columns = columns
        view.summary = str(flat.get("summary") or view.summary or "")[: view_rules.LONGEST]
        window = (view.args.get("window") or [""])[0]
        values = {
            **_whom(view, flat, names),
            **colours,
            "name": flat.get("name", view.name),
            "window": window,
        }
        default = flat.get("is_default", view.is_default)
        if not isinstance(default, bool):
            raise Invalid({"is_default": "应为 true 或 false"})
        view_rules.change(act, view, {**values, "is_default": default})
    act.session.add(view)
    act.session.flush()


def _new(act: Act, owner: int | None, flat: Mapping[str, Any]) -> SavedView:
    if flat.get("audience") in (None, Audience.PERSON.value):
        raise Invalid({"audience": "配置文件只含共享的视图，请填写 role、store 或 dealer"})
    return SavedView(
        resource=str(flat["resource"]), name=str(flat.get("name") or ""), audience=Audience.DEALER,
        owner_id=act.actor.id, dealer_id=owner, args={}, columns=[], colours=[], summary="",
        state=ViewState.ACTIVE, is_default=False,
    )  # fmt: skip


def _whom(view: SavedView, flat: Mapping[str, Any], names: Names) -> dict[str, Any]:
    audience = flat.get("audience", view.audience.value)
    if audience not in {a.value for a in Audience}:
        raise Invalid({"audience": "请从列表中选择"})
    found: dict[str, Any] = {"audience": Audience.of(audience)}
    for name, (needed, model) in _WHOM.items():
        if found["audience"] is not needed:
            continue
        number = getattr(view, name)
        if flat.get(name) is not None:
            number = names.find(model, flat[name])
            if number is None:
                raise Invalid({name: f"本系统中没有“{said(flat[name])}”"})
        found[name] = number
    return found


def _colours(place: Portable, listed: Any) -> dict[str, str]:
    """The colours of rows as the form of a view says them."""
    if not isinstance(listed, list):
        raise Invalid({COLOURS.name: "应为行颜色的列表"})
    found: dict[str, str] = {}
    for n, one in enumerate(listed, 1):
        good = isinstance(one, list) and len(one) == 3 and all(isinstance(v, str) for v in one)
        if not good or one[2] not in {t.value for t in Tone}:
            raise Invalid({COLOURS.name: f"第{n}个行颜色应为字段、值、颜色三项"})
        found |= {f"colour{n}": f"{place.name_in(one[0])}={one[1]}", f"tone{n}": one[2]}
    return found


def drop(act: Act, record: Any) -> None:
    """It leaves the lists."""
    view_rules.remove(act, record)


def back(act: Act, record: Any) -> None:
    """It is in the lists again."""
    if not view_rules.may_change(act.actor, record):
        raise Refusal("只能恢复本商场的视图")
    view_rules.restore(act, record)


def _asked(view: SavedView, args: Any) -> Iterator[Named]:
    sorted_by = (one.removeprefix("-") for one in args.get("sort", ()))
    return (Named(view.resource, name) for name in (*map(stem, args), *sorted_by))


def _shown(view: SavedView, columns: Any) -> Iterator[Named]:
    return (Named(view.resource, name) for name in columns)


def _coloured(view: SavedView, colours: Any) -> Iterator[Named]:
    return (Named(view.resource, colour[0]) for colour in colours)


configurable(
    SavedViews,
    key=(SavedView.resource, SavedView.name, SavedView.audience, SavedView.role_id, SavedView.store_id),
    content=(SavedView.is_default, SavedView.summary),
    part=Part(
        (CONDITIONS, COLUMNS, COLOURS),
        _read,
        _words,
        follows=(SavedView.args, SavedView.columns, SavedView.colours),
        ordered=True,
    ),
    personal=Mark(SavedView.audience, Audience.PERSON),
    there=Mark(SavedView.state, ViewState.ACTIVE),
    writer=Writer(put, drop, back, MANAGE),
    names={
        SavedView.args.key: Naming(_asked, CONDITIONS.label),
        SavedView.columns.key: Naming(_shown, COLUMNS.label),
        SavedView.colours.key: Naming(_coloured, COLOURS.label),
    },
    without="不再按它筛选、排序和显示",
)
