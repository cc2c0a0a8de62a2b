"""The page of one record, its related tables, and small reads beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup
from sqlalchemy import Select, String, bindparam, delete, insert, literal, select
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import JSON

from app.engine import asides, chrome, layouts, ownership, pages, plans, timeline
from app.engine.actions import NotFound
from app.engine.audit import Audited
from app.engine.buttons import action_link, offered_actions
from app.engine.cells import DASH, html, locked
from app.engine.conditional import meets, source_of
from app.engine.database import Model, db, writing
from app.engine.faces import faced
from app.engine.fields import FieldSpec, Pk, describe, with_companions
from app.engine.guards import Hidden, gate, hidden, own
from app.engine.listing import Query
from app.engine.presenting import role
from app.engine.projecting import linked, projected
from app.engine.resource import Alike, Related, Resource, Told, has_resource, resource_of
from app.engine.resource import resource as named
from app.engine.scopes import Actor, visible, within_dealer

RecordLink = Callable[[Actor, type[Resource], int], pages.Link | None]
_links: list[RecordLink] = []
LONG = 28
"""A text wider than that many Latin letters takes a row of its own."""


def provide_link(link: RecordLink) -> None:
    """Let a domain put a link of its own among what can be done with a record, once, at import; None for records
    and people it is not for."""
    _links.append(link)


class ColumnChoice(Model):
    """Which columns of a list one person wants to see, and in which order."""

    __tablename__ = "column_choices"

    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(index=True)
    resource: Mapped[str] = mapped_column(String(64))
    names: Mapped[list[str]] = mapped_column(JSON)


def chosen_columns(session: Session, actor: Actor, resource: type[Resource]) -> list[str]:
    """The person's own columns, or an empty list for the declared ones."""

    def ask() -> list[str]:
        values = {"user_id": actor.id, "resource": resource.name}
        row = plans.run(session, ("columns",), _choice, values).first()
        return row[0] if row is not None else []

    kept: list[str] = chrome.remembered(("columns", actor.id, resource.name), ask)
    return kept


def _choice() -> Select[Any]:
    return select(ColumnChoice.names).where(
        ColumnChoice.user_id == bindparam("user_id"), ColumnChoice.resource == bindparam("resource")
    )


def choose_columns(actor: Actor, resource: type[Resource], names: list[str]) -> None:
    """Keep the choice; an empty one goes back to the declared columns."""
    session = db.session()
    with writing(session):
        session.execute(
            delete(ColumnChoice).where(
                ColumnChoice.user_id == actor.id, ColumnChoice.resource == resource.name
            )
        )
        if names:
            session.execute(
                insert(ColumnChoice).values(user_id=actor.id, resource=resource.name, names=names)
            )
        session.commit()


def matching(session: Session, query: Query, limit: int) -> list[int]:
    """The ids of everything a list's filters match."""
    statement = select(query.resource.pk()).where(query.condition).limit(limit)
    return list(session.scalars(statement, query.params))


def labels(session: Session, resource: type[Resource], ids: Sequence[int], actor: Actor) -> dict[int, str]:
    """Names of records in the person's scope, for messages and headings."""
    code = resource.code if resource.code is not None else literal("")
    statement = select(resource.pk(), resource.title, code).where(
        resource.pk().in_(ids), visible(resource, actor)
    )
    return {
        record_id: " ".join(str(p) for p in (title, number) if p)
        for record_id, title, number in session.execute(statement, actor.params)
    }


def values_of(
    session: Session, resource: type[Resource], pk: int, actor: Actor, specs: Sequence[FieldSpec]
) -> tuple[dict[str, Any], dict[str, int], int]:
    """The gated values of one record in scope by field name, the ids its references point to, and its
    version; raises `NotFound`."""
    chosen, joins = projected(resource, actor, specs)
    refs = [s for s in specs if s.kind == "ref" and s.attribute is not None and hidden(s, actor) is None]
    version = getattr(resource.model, "version", None)
    statement = select(
        version if version is not None else literal(0), *chosen, *(own(s, s.attribute, actor) for s in refs)
    )
    statement = statement.select_from(resource.model)
    for other, on in joins:
        statement = statement.outerjoin(other, on)
    statement = statement.where(resource.pk() == pk, visible(resource, actor))
    row = session.execute(statement, actor.params).first()
    if row is None:
        raise NotFound
    taken = iter(row[1:])
    found: dict[str, Any] = {}
    for spec in specs:
        if spec.attribute is not None:
            found[spec.name] = gate(spec, next(taken), actor, projected=True)
        else:
            found[spec.name] = linked(session, spec, [pk], actor).get(pk, ())
    pointed = {spec.name: value for spec, value in zip(refs, taken, strict=True) if value is not None}
    return found, pointed, row[0]


def _linked_name(spec: FieldSpec, shown: Markup, target_id: int | None, actor: Actor) -> Markup:
    """A reference as a link, for people who may open the pages it leads to."""
    if target_id is None or not has_resource(spec.target):
        return shown
    target = resource_of(spec.target)
    if not target.detail or not actor.can("can_list", target.view_name()):
        return shown
    return Markup('<a class="link" href="/{}/{}">{}</a>').format(target.name, target_id, shown)


def _subject(session: Session, resource: type[Resource], values: Mapping[str, Any], actor: Actor) -> str:
    """The address of the record this one is about, for people who may open it."""
    if resource.about is None:
        return ""
    name, pk = (values[describe(source).name] for source in resource.about)
    target = named(name)
    if target is None or not target.detail or not actor.can("can_list", target.view_name()):
        return ""
    known = select(target.pk()).where(target.pk() == pk, visible(target, actor))
    return "" if session.scalar(known, actor.params) is None else f"/{name}/{pk}"


def _callable(spec: FieldSpec, value: Any) -> Markup | None:
    """Phones as links that call them, as far as the person may see them whole."""
    if spec.kind not in ("phone", "phones") or not value:
        return None
    numbers = value if spec.kind == "phones" else (value,)
    return Markup("　").join(
        locked(n) if isinstance(n, Hidden) else Markup('<a class="link" href="tel:{0}">{0}</a>').format(n)
        for n in numbers
    )


def _width(value: str) -> int:
    """How wide the text stands: a Chinese character takes the room of two letters."""
    return sum(1 if c < "\u2e80" else 2 for c in value)


def _is_there(spec: FieldSpec, values: Mapping[str, Any]) -> bool:
    """Whether the field says something of this record: one that its form would not ask for and that holds nothing
    does not. Where the field that decides is not on the page or not for the reader, it is shown."""
    decides = source_of(spec.shown_when)
    if values[spec.name] or decides not in values or isinstance(values[decides], Hidden):
        return True
    return meets(spec.shown_when, lambda name: [values[name]])


def _item(
    source: Any,
    values: Mapping[str, Any],
    pointed: Mapping[str, int],
    actor: Actor,
    now: datetime,
    leads_to: str = "",
) -> pages.Item:
    """A label with its value; an empty one is never wide. ``leads_to`` is where the value itself leads."""
    spec = describe(source)
    guard = hidden(spec, actor)
    value = values[spec.name]
    others = [values[name] for name in spec.beside]
    shown = _callable(spec, value) or html(spec, value, actor.dealer_id, actor.epoch, now, others)
    if spec.kind == "textarea" and isinstance(value, str) and "\n" in value:
        shown = Markup('<span class="lines">{}</span>').format(shown)
    if spec.kind == "ref":
        shown = _linked_name(spec, shown, pointed.get(spec.name), actor)
    elif leads_to:
        shown = Markup('<a class="link" href="{}">{}</a>').format(leads_to, shown)
    long = spec.kind == "text" and isinstance(value, str) and _width(value) > LONG
    wide = (spec.wide or long) and shown != DASH
    return pages.Item(spec.label, shown, guard.label if guard else "", wide, spec.name)


def facts(
    session: Session, resource: type[Resource], pk: int, actor: Actor, now: datetime
) -> list[pages.Item]:
    """What one wants to know of a record before acting on it; raises `NotFound` outside the scope."""
    specs = [describe(f) for f in resource.facts]
    if not specs:
        return []
    wanted, _ = with_companions(specs)
    values, pointed, _ = values_of(session, resource, pk, actor, wanted)
    return [_item(s, values, pointed, actor, now) for s in specs]


def detail_page(
    session: Session,
    resource: type[Resource],
    pk: int,
    actor: Actor,
    now: datetime,
    *,
    kind: str = "",
    before: str = "",
    laid: layouts.Arranged | None = None,
) -> pages.DetailPage:
    """One record as its page shows it, or as it would with these sections; raises `NotFound` outside the
    scope."""
    base = f"/{resource.name}/"
    laid = laid or layouts.arranged(resource, layouts.DETAIL, actor)
    specs: dict[str, FieldSpec] = {}
    head = [
        resource.title,
        resource.code,
        resource.tags,
        *resource.badges,
        *resource.subtitle,
        *resource.facts,
    ]
    for source in (*[h for h in head if h is not None], *(f for g in laid.groups for f in g.fields)):
        spec = describe(source)
        specs.setdefault(spec.name, spec)
    for source in resource.about or ():
        specs.setdefault(describe(source).name, describe(source))
    wanted, _ = with_companions(list(specs.values()))
    values, pointed, version = values_of(session, resource, pk, actor, wanted)

    titled = describe(resource.title)
    subject = _subject(session, resource, values, actor)

    def item(source: Any) -> pages.Item:
        leads_to = subject if describe(source) is titled else ""
        shown = _item(source, values, pointed, actor, now, leads_to)
        shown.who_url = asides.of_field(actor, resource, describe(source))
        return shown

    def placed(source: Any) -> pages.Item:
        shown = item(source)
        shown.wide = laid.wide.get(shown.name, shown.wide)
        return shown

    title = str(values[titled.name] or f"#{pk}")
    code = str(values[describe(resource.code).name] or "") if resource.code is not None else ""
    head_facts = [item(f) for f in resource.facts if f not in resource.badges]
    actions = []
    shown = offered_actions(resource, actor)
    record = session.get(resource.model, pk) if any(a.when or a.whom for a in shown) else None
    for action in shown:
        mine = action.whom is None or action.whom(record, actor)
        if action.single and mine and (action.when is None or action.when(record)):
            actions.append(action_link(resource, action, actor, f"?id={pk}"))
    edit = None
    if resource.groups(True) and actor.can("can_edit", resource.view_name()):
        edit = pages.Link("编辑", f"{base}{pk}/edit", "pencil")
    if resource.remove is not None and actor.can("can_delete", resource.view_name()):
        actions.append(
            pages.Link("删除", f"{base}{pk}/delete", "trash", tone="r", has_form=False, name="delete",
                       confirm=resource.remove_confirm or f"确认删除“{title}”？")
        )  # fmt: skip
    if resource.copies and not resource.toolbar and actor.can("can_add", resource.view_name()):
        actions.append(pages.Link("复制新建", f"{base}new?copy={pk}", "copy"))
    links = [link for source in _links if (link := source(actor, resource, pk)) is not None]
    actions += [link for link in links if not link.beside]
    kept = issubclass(resource.model, Audited)
    return pages.DetailPage(
        resource.name, chrome.titled(resource, actor), resource.icon, title,
        [item(c) for c in (*((resource.code,) if resource.code is not None else ()), *resource.subtitle)],
        [item(c).html for c in resource.badges],
        item(resource.tags).html if resource.tags is not None and values[resource.tags.name] else Markup(""),
        actions, [pages.Section(g.title, [placed(f) for f in fields]) for g in laid.groups
                  if (fields := [f for f in g.fields if _is_there(describe(f), values)])],
        _tables(session, resource, pk, actor, now),
        timeline.of(session, resource, pk, actor, now, kind, f"{base}{pk}", before) if resource.timeline else None,
        f"{base}{pk}", base, edit, code=code, facts=head_facts, initial="" if titled.numbered else title[:1],
        history_url=f"{base}{pk}/history" if kept else "", id=pk, version=version, script=resource.script,
        clock=ownership.of(session, resource, pk, actor, now),
        asides=[*asides.of_record(actor, resource, pk), *_arranging(resource, actor, pk)],
        beside=[link for link in links if link.beside],
    )  # fmt: skip


def _arranging(resource: type[Resource], actor: Actor, pk: int) -> list[pages.Link]:
    """Where the person arranges such pages for others."""
    url = layouts.editor_url(resource, layouts.DETAIL, actor, pk)
    return [pages.Link("调整布局", url, "layout")] if url else []


def _tables(
    session: Session, resource: type[Resource], pk: int, actor: Actor, now: datetime
) -> list[pages.Table]:
    """The tabs of a record's page, as far as the person may open what they show."""
    found = []
    for part in resource.detail:
        if isinstance(part, Alike):
            found.append(_alike(session, resource, part, pk, actor, now))
        elif isinstance(part, Told) and (told := part.table(session, pk, actor)) is not None:
            found.append(told)
        elif isinstance(part, Related) and actor.can("can_list", resource_of(part.by.class_).view_name()):
            found.append(table(session, part, pk, actor, now))
    return found


def table(session: Session, related: Related, pk: int, actor: Actor, now: datetime) -> pages.Table:
    """The records of this dealer that point here. Children follow the customer: the parent was seen, so
    they are."""
    child = faced(resource_of(related.by.class_), actor.dealer_id)
    sources = related.columns or tuple(c for c in child.columns if c is not related.by)
    where, order = (related.by == pk, within_dealer(child, actor)), (child.pk().desc(),)
    found = _table(session, child, related.label, sources, where, order, related.limit, actor, now)
    if related.creates and child.form and actor.can("can_add", child.view_name()):
        found.create_url = f"/{child.name}/new?{related.by.key}={pk}"
        found.create_label = child.create_label or f"新增{child.label}"
    return found


def _alike(
    session: Session, resource: type[Resource], part: Alike, pk: int, actor: Actor, now: datetime
) -> pages.Table:
    """The records about the same thing: each is seen for itself."""
    where = (part.same(pk), visible(resource, actor))
    found = _table(
        session, resource, part.label, part.columns, where, (*part.order, resource.pk()), part.limit, actor, now
    )  # fmt: skip
    found.key = f"{resource.name}-alike"
    return found


def _table(
    session: Session,
    child: type[Resource],
    label: str,
    sources: Sequence[Any],
    where: Sequence[Any],
    order: Sequence[Any],
    limit: int,
    actor: Actor,
    now: datetime,
) -> pages.Table:
    specs = [s for s in map(describe, sources) if s.attribute is not None]
    wanted, beside = with_companions(specs)
    chosen, joins = projected(child, actor, wanted)
    statement = select(child.pk(), *chosen).select_from(child.model)
    for other, on in joins:
        statement = statement.outerjoin(other, on)
    statement = statement.where(*where).order_by(*order).limit(limit)
    rows = []
    for number, row in enumerate(session.execute(statement, actor.params), 1):
        values = [gate(s, v, actor, projected=True) for s, v in zip(wanted, row[1:], strict=True)]
        cells = [
            html(spec, value, actor.dealer_id, actor.epoch, now, [values[n] for n in places])
            for spec, value, places in zip(specs, values, beside, strict=False)
        ]
        rows.append(pages.Row(row[0], f"/{child.name}/{row[0]}", cells, number=number))
    headings = [pages.Column(s.name, s.label, kind=s.kind, role=role(child, s)) for s in specs]
    return pages.Table(label or child.label, child.name, headings, rows)
