"""Printing a record by a template, and what helps while one writes a template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import select

from app.engine import chrome, detail, perform, templating
from app.engine.actions import Act, Forbidden, NotFound
from app.engine.choices import Choice
from app.engine.database import PK, db, id_of, utcnow
from app.engine.faces import faced
from app.engine.fields import describe
from app.engine.filling import Block, Filler
from app.engine.pages import Option
from app.engine.resource import Resource
from app.engine.resource import resource as named
from app.engine.scopes import Actor, visible
from app.engine.security import entrance, require_actor
from models.shaping import template_queries, template_rules
from models.shaping.template_resources import Templates
from models.shaping.template_rules import PARTS
from models.shaping.template_tables import LONGEST, Template, TemplateKind, templated

PART = "X-Zk-Part"
"""The header of a script that wants a part of a page."""
NEWEST = 10
"""So many records are offered to look at a template with."""
TITLE = "打印"


@dataclass(slots=True)
class Sheet:
    """A record as it is printed: head, body and foot, and what is missing in it."""

    head: list[Block] = field(default_factory=list)
    body: list[Block] = field(default_factory=list)
    foot: list[Block] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    @property
    def parts(self) -> list[Block]:
        """Everything on it."""
        return [*self.head, *self.body, *self.foot]


@dataclass(slots=True)
class Look:
    """How a template looks with a record: a sheet, or the words of a message; what is wrong with it."""

    records: list[Option]
    sheet: Sheet | None = None
    text: str = ""
    length: str = ""
    errors: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


class PrintView(BaseView):  # type: ignore[misc]
    """打印: a sheet of paper; the browser prints it. Looking is no printing: pressing the button is."""

    route_base = template_queries.PAGE

    @expose(f"/<name>/{PK}", methods=["GET", "POST"])
    def sheet(self, name: str, pk: int) -> ResponseReturnValue:
        """The record by the chosen template; printing it is kept in its history and on its track."""
        actor, about = require_actor(), named(name)
        if about is None or not templated(about):
            raise NotFound
        if not template_queries.may_print(actor, about):
            raise Forbidden(TITLE)
        act = Act(actor, utcnow(), db.session(), entrance(), "print")
        template, every = template_rules.printable(act, about, id_of(request.values.get("template")) or 0)
        shown = _sheet(act, about, pk, template.texts)
        printed = request.method == "POST"
        if printed:
            template_rules.note_printed(act, about, pk, template)
        labels = detail.labels(act.session, about, [pk], actor)
        options = [Option(str(t.id), t.name, selected=t.id == template.id) for t in every]
        return chrome.page(
            "print.html", key=about.name, title=f"{template.name} {labels.get(pk, '')}".strip(), sheet=shown,
            chosen=template.id, options=options, url=f"{self.route_base}/{name}/{pk}", back=f"/{name}/{pk}",
            printed=printed,
        )  # fmt: skip


class TemplateView(BaseView):  # type: ignore[misc]
    """Beside the forms of templates: what may be named, and how it looks with a record."""

    route_base = f"/{Templates.name}"

    @expose("/new/placeholders", methods=["GET"])
    def placeholders_of_new(self) -> ResponseReturnValue:
        """What a new template about these records may name."""
        actor = _writer("can_add")
        return _placeholders(actor, _about(request.args.get("resource", "customers")))

    @expose(f"/{PK}/edit/placeholders", methods=["GET"])
    def placeholders(self, pk: int) -> ResponseReturnValue:
        """What this one may name."""
        actor = _writer("can_edit")
        return _placeholders(actor, _about(_found(pk, actor).resource))

    @expose("/new/preview", methods=["POST"])
    def look_at_new(self) -> ResponseReturnValue:
        """A template as it stands in the form, with a record."""
        actor = _writer("can_add")
        about = _about(request.form.get("resource", ""))
        kind = next((k for k in TemplateKind if k.value == request.form.get("kind")), TemplateKind.PRINT)
        return _look(actor, about, kind, actor.dealer_id)

    @expose(f"/{PK}/edit/preview", methods=["POST"])
    def look_at(self, pk: int) -> ResponseReturnValue:
        """The same of one that is there."""
        actor = _writer("can_edit")
        found = _found(pk, actor)
        return _look(actor, _about(found.resource), found.kind, found.dealer_id, found)


def _writer(permission: str) -> Actor:
    actor = require_actor()
    if not actor.can(permission, Templates.view_name()):
        raise Forbidden(f"编辑{Templates.label}")
    return actor


def _about(name: str) -> type[Resource]:
    found = named(name)
    if found is None or not templated(found):
        raise NotFound
    return found


def _found(pk: int, actor: Actor) -> Template:
    found: Template = perform.find(db.session(), Templates, pk, actor)
    return found


def _sheet(act: Act, about: type[Resource], pk: int, texts: Sequence[str]) -> Sheet:
    filler = Filler.of(act.session, about, pk, act.actor, act.now, texts)
    head, body, foot = (filler.sheet(text) for text in texts)
    return Sheet(head, body, foot, filler.notices)


# ----- while one writes


def _placeholders(actor: Actor, about: type[Resource]) -> ResponseReturnValue:
    known = templating.book(about, actor.dealer_id, actor.epoch)
    own = [p for p in known.places.values() if p.via is None]
    further = [p for p in known.places.values() if p.via is not None]
    groups = [("常用", [(name, _mark(name)) for name in templating.COMMON])]
    groups += _grouped(own)
    reached = _grouped(further)
    tables = [
        (name, f"{{{{{name}：{'、'.join(rows.usual[:5])}}}}}")
        for name, rows in known.tables.items()
        if rows.usual
    ]
    values: dict[str, Any] = {"groups": groups, "reached": reached, "tables": tables}
    if PART in request.headers:
        return render_template("_placeholders.html", **values)
    title = f"{about.label}的占位符"
    return chrome.page("placeholders.html", key=Templates.name, title=title, **values)


def _mark(token: str) -> str:
    return f"{{{{{token}}}}}"


def _grouped(places: Iterable[templating.Place]) -> list[tuple[str, list[tuple[str, str]]]]:
    by_group = groupby(sorted(places, key=lambda p: p.group), key=lambda p: p.group)
    found = {group: [(p.spec.label, _mark(p.token)) for p in some] for group, some in by_group}
    order = dict.fromkeys(p.group for p in places)
    return [(group, found[group]) for group in order]


def _look(
    actor: Actor, about: type[Resource], kind: Choice, dealer_id: int | None, kept: Template | None = None
) -> ResponseReturnValue:
    """``kept`` says what stands in a part that may only be looked at."""
    given = {part: request.form.get(part, getattr(kept, part, None) or "") for part in PARTS}
    texts = {part: text[:LONGEST] for part, text in given.items()}
    act = Act(actor, utcnow(), db.session(), entrance(), "preview")
    wanted = id_of(request.form.get("_record")) or 0
    shown = Look(_records(act, about, wanted))
    assert isinstance(kind, TemplateKind)
    shown.errors = _sentences(template_rules.check(about, dealer_id, kind, texts, actor.epoch))
    pk = next((int(o.value) for o in shown.records if o.selected), 0)
    if pk and not shown.errors:
        if kind is TemplateKind.PRINT:
            shown.sheet = _sheet(act, about, pk, [texts[part] for part in PARTS])
            shown.notices = shown.sheet.notices
        else:
            filler = Filler.of(act.session, about, pk, actor, act.now, [texts["body"]])
            shown.text, shown.notices = filler.text(texts["body"]).strip(), filler.notices
            length, parts = templating.segments(shown.text)
            shown.length = f"{length}字" + (f"，按{parts}条短信计费" if kind is TemplateKind.SMS else "")
    if PART in request.headers:
        return render_template("_template_look.html", look=shown, about=about)
    return chrome.page("template_look.html", key=Templates.name, title="模板预览", look=shown, about=about)


def _sentences(errors: Mapping[str, str]) -> list[str]:
    labels = {name: describe(getattr(Template, name)).label for name in PARTS}
    return [f"{labels[name]}{said}" if name in labels else said for name, said in errors.items()]


def _records(act: Act, about: type[Resource], wanted: int) -> list[Option]:
    """The newest records in scope, and the chosen one."""
    resource = faced(about, act.actor.dealer_id)
    newest = select(resource.pk()).where(visible(resource, act.actor)).order_by(resource.pk().desc())
    ids = list(act.session.scalars(newest.limit(NEWEST), act.actor.params))
    labels = detail.labels(act.session, resource, [*ids, wanted], act.actor)
    chosen = wanted if wanted in labels else next(iter(ids), 0)
    places = dict.fromkeys([*ids, chosen]) if chosen else {}
    return [Option(str(pk), labels.get(pk) or f"#{pk}", selected=pk == chosen) for pk in places]


VIEWS = [PrintView, TemplateView]
