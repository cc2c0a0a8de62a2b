"""How the layout editor is drawn: the draft, what it has otherwise than the default, and how it would look."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import render_template, request
from markupsafe import Markup
from sqlalchemy import select

from app.engine import chrome, detail, drawing, forms, history, layouts, pages, perform, picking
from app.engine.actions import Act, Invalid, NotFound
from app.engine.audit import AuditEntry
from app.engine.cells import DASH
from app.engine.colliding import UNTOUCHED
from app.engine.configuring import CONFIGURE
from app.engine.database import db
from app.engine.fields import describe
from app.engine.layoutpages import LayoutEditor, LayoutIndex, LayoutPreview, LayoutRow, PartBlock, SpotLine
from app.engine.layouts import FULL, HALF, OWN, Arranged, Part, Plan
from app.engine.pages import Difference, Link, Option
from app.engine.resource import Resource
from app.engine.scopes import Actor, visible
from models.identity.roles import StaffRole
from models.shaping import layout_rules
from models.shaping.layout_queries import EDIT, SELF, URL, Place, Snapshot, laid_out, pages_of, snapshot
from models.shaping.layout_resources import PageLayouts
from models.shaping.layout_sides import Side
from models.shaping.layout_tables import LayoutPage

TITLE = PageLayouts.titled()
OF_GROUP = "group"
BEGAN, SIDE = "began", "_side"
"""What the form remembers: the plan with which it was opened, and what is still to be chosen of two versions."""
FRAGMENT = "X-Zk-Layout"
"""The header by which the page's script asks for what stands beside the draft alone."""


@dataclass(frozen=True, eq=False)
class Subject:
    """What is laid out and for whom: ``below`` is what would hold without, ``plan`` what holds now, ``record_id``
    the record from whose page the person came."""

    resource: type[Resource]
    page: LayoutPage
    place: Place
    roles: list[StaffRole]
    below: Plan
    plan: Plan
    version: int
    record_id: int = 0

    @property
    def called(self) -> str:
        """Its name in reports."""
        return f"{self.resource.titled()} · {self.page.label}"

    @property
    def whom(self) -> str:
        """The name of the role it is for; empty for everybody."""
        return next((r.label for r in self.roles if r.id == self.place[1]), "")

    @property
    def labels(self) -> dict[str, str]:
        """What its fields are called."""
        return {s.name: s.label for s in layout_rules.specs_of(self.resource, self.page.value)}

    @property
    def wide(self) -> frozenset[str]:
        """The fields that take a row of their own as they are declared."""
        return wide_of(self.resource, self.page)

    def url(self, actor: Actor) -> str:
        """The editor's own address."""
        of = OF_GROUP if self.place[0] is None and actor.dealer_id is not None else ""
        return address(self.resource.name, self.page.value, of, self.place[1] or 0, self.record_id)

    def back_url(self, actor: Actor) -> str:
        """The page it is about, as far as it is known; else the editor."""
        base = f"/{self.resource.name}"
        if self.record_id and self.page is not LayoutPage.NEW:
            return f"{base}/{self.record_id}{'/edit' if self.page is LayoutPage.EDIT else ''}"
        if self.page is LayoutPage.NEW and actor.can("can_add", self.resource.view_name()):
            return f"{base}/new"
        return self.url(actor)

    def done_url(self, actor: Actor) -> str:
        """The same, where the person sees there what was saved."""
        return self.back_url(actor) if self.place == (actor.dealer_id, None) else self.url(actor)


def address(resource_name: str, page: str, of: str = "", role: int = 0, record: int = 0) -> str:
    """The editor of a form or page."""
    asked = {"resource": resource_name, "page": page, "of": of, "role": role, "record": record}
    return f"{URL}edit?{urlencode({k: v for k, v in asked.items() if v})}"


def wide_of(resource: type[Resource], page: LayoutPage) -> frozenset[str]:
    """The fields that take a row of their own as they are declared."""
    specs = layout_rules.specs_of(resource, page.value)
    lines = page is not LayoutPage.DETAIL
    return frozenset(
        s.name for s in specs if s.wide or (lines and (s.kind == "textarea" or forms.is_lines(s)))
    )


# ----- the editor


def editor(
    act: Act,
    subject: Subject,
    plan: Plan,
    version: int,
    *,
    errors: Mapping[str, str] | None = None,
    focus: str = "",
    judged: bool = False,
    sides: Sequence[Side] = (),
) -> str:
    """The draft. A ``judged`` one says at once what could not be kept; ``sides`` are what somebody has made of the
    same layout meanwhile, and from then on the page counts as opened with that."""
    wrong = dict(errors or {})
    if judged:
        try:
            layout_rules.checked(subject.resource, subject.page.value, plan)
        except Invalid as found:
            wrong = dict(found.errors)
    resolved = layouts.resolved(layouts.declared(subject.resource, subject.page.value), plan)
    labels, actor = subject.labels, act.actor
    owner, role_id = subject.place
    of = OF_GROUP if owner is None and actor.dealer_id is not None else ""
    shown = LayoutEditor(
        subject.called,
        f"{URL}edit",
        _blocks(subject, resolved, wrong),
        [
            ("resource", subject.resource.name), ("page", subject.page.value), ("of", of),
            ("role", str(role_id or "")), ("record", str(subject.record_id or "")),
        ],
        [("version", str(version)), (BEGAN, _began(subject, version)), *((SIDE, s.name) for s in sides if s.name)],
        layouts.differences(subject.below, resolved, labels),
        _preview(act, subject, plan),
        _pages(subject, of),
        _owners(subject, actor),
        [Option(str(r.id), r.label, selected=r.id == role_id) for r in subject.roles],
        _called_below(act, subject),
        subject.back_url(actor),
        layout_rules.LONGEST,
        kept=subject.version > 0,
        changed=resolved != subject.plan,
        intro=_intro(subject),
        focus=focus,
        errors=list(dict.fromkeys(wrong.values())),
        conflict=_both(act, subject, sides),
        theirs_url=subject.url(actor),
    )  # fmt: skip
    if FRAGMENT in request.headers:
        return render_template("_layout_side.html", page=shown)
    return chrome.page("layout.html", key=SELF, title=f"{TITLE} · {subject.called}", page=shown)


def _began(subject: Subject, version: int) -> str:
    """The plan with which the page was opened: the one that holds, unless somebody has changed it since."""
    if version != subject.version:
        return request.form.get(BEGAN, "")
    below = layouts.declared(subject.resource, subject.page.value)
    return json.dumps(layouts.to_json(subject.plan, below), ensure_ascii=False, separators=(",", ":"))


def _both(act: Act, subject: Subject, sides: Sequence[Side]) -> list[Difference]:
    kept = snapshot(act.session).find(subject.resource.name, subject.page.value, subject.place)
    by = history.last_writer(SELF, kept.id) if sides and kept is not None else ""
    return [Difference(s.label, s.mine, s.theirs, by if s.theirs != UNTOUCHED else "", s.name) for s in sides]


def _blocks(subject: Subject, plan: Plan, errors: Mapping[str, str]) -> list[PartBlock]:
    titles = {part.key: part.title for part in layouts.declared(subject.resource, subject.page.value)}
    specs = {s.name: s for s in layout_rules.specs_of(subject.resource, subject.page.value)}
    added = {s.name for s in subject.resource.added}
    asks = subject.page is not LayoutPage.DETAIL
    wide = subject.wide

    def line(spot: layouts.Spot) -> SpotLine:
        spec = specs[spot.name]
        must = asks and bool(spec.required or spec.needed_when)
        marks = ["必填" if spec.required else "按条件必填"] if must else []
        marks += ["自定义"] if spot.name in added else []
        full = spot.width == FULL or (spot.width != HALF and spot.name in wide)
        keeps = layouts.must_stay(spec) if must and not spot.hidden else ""
        return SpotLine(spot.name, spec.label, full, spot.hidden, keeps, marks, errors.get(spot.name, ""))

    def block(part: Part) -> PartBlock:
        was = titles.get(part.key, part.title)
        return PartBlock(
            part.key, part.title, [line(s) for s in part.spots], part.key.startswith(OWN),
            was if was != part.title else "", errors.get(f"#{part.key}", ""),
        )  # fmt: skip

    return [block(part) for part in plan]


def _intro(subject: Subject) -> str:
    seen = f"角色“{subject.whom}”的人员" if subject.whom else "没有单独布局的角色"
    where = "所有商场" if subject.place[0] is None else "本商场"
    note = "隐藏只影响显示，不影响权限；表单中隐藏的字段保留原值和默认值。"
    return f"保存后，{where}{seen}按此布局显示。{note}"


def _called_below(act: Act, subject: Subject) -> str:
    """What the default is that the draft is compared with."""
    below = snapshot(act.session).below(subject.resource.name, subject.page.value, subject.place)
    if below is None:
        return "系统默认"
    own = subject.place[0] is not None and subject.place[1] is not None
    kept = snapshot(act.session).find(subject.resource.name, subject.page.value, (subject.place[0], None))
    return "本商场全部人员的布局" if own and kept is below else "集团预置布局"


def _pages(subject: Subject, of: str) -> list[Link]:
    base = subject.resource.base
    role_id, record = subject.place[1] or 0, subject.record_id
    return [
        Link(p.label, address(base.name, p.value, of, role_id, record), active=p is subject.page)
        for p in pages_of(base)
    ]


def _owners(subject: Subject, actor: Actor) -> list[Link]:
    if actor.dealer_id is None or not layout_rules.may_lay_out(actor, None):
        return []
    name, page, record = subject.resource.name, subject.page.value, subject.record_id
    mine = subject.place[0] is not None
    return [
        Link("本商场", address(name, page, record=record), active=mine),
        Link("集团预置", address(name, page, OF_GROUP, record=record), active=not mine),
    ]


def undo_url(act: Act) -> str:
    """Where the deed is taken back, for those who see the changes of the configuration."""
    if not act.actor.can(*CONFIGURE):
        return ""
    entry = select(AuditEntry.id).where(AuditEntry.deed_id == act.deed_id, AuditEntry.resource == SELF)
    found = act.session.scalar(entry.limit(1))
    return f"/configuration/{found}/undo" if found else ""


# ----- how it would look


def _preview(act: Act, subject: Subject, plan: Plan) -> LayoutPreview:
    """The form or page with the draft, as the person who lays it out may see it."""
    laid = layouts.laid(subject.resource, subject.page.value, plan)
    pk = _example(act, subject)
    if subject.page is LayoutPage.DETAIL:
        if not pk:
            return LayoutPreview(detail=_empty(subject, laid), note="还没有可供预览的记录")
        shown = detail.detail_page(act.session, subject.resource, pk, act.actor, act.now, laid=laid)
        return LayoutPreview(detail=shown, note=f"以“{shown.title}”为例")
    record = perform.find(act.session, subject.resource, pk, act.actor) if pk else None
    if subject.page is LayoutPage.NEW:
        record = None
    if record is not None:
        dealers = picking.dealers_of_record(record)
    else:
        dealers = picking.dealers_of_new(act.session, subject.resource, {}, act.actor)
    context = forms.Context(act.session, act.actor, act.now, record, dealers=dealers)
    drawer = drawing.Drawer(f"/{subject.resource.name}", record=record)
    form = drawing.form_page(laid.groups, context, drawer, title="", url="", cancel_url="", wide=laid.wide)
    note = f"以“{perform.label_of(subject.resource, record)}”为例" if record is not None else ""
    return LayoutPreview(sections=form.sections, note=note)


def _example(act: Act, subject: Subject) -> int:
    """The record the person came from, else the newest one in sight; 0 without any."""
    if subject.page is LayoutPage.NEW:
        return 0
    found = subject.resource
    if subject.record_id:
        try:
            return int(perform.find(act.session, found, subject.record_id, act.actor).id)
        except NotFound:
            pass
    newest = select(found.pk()).where(visible(found, act.actor)).order_by(found.pk().desc()).limit(1)
    return act.session.scalar(newest, act.actor.params) or 0


def _empty(subject: Subject, laid: Arranged) -> pages.DetailPage:
    """A record's page without a record."""

    def item(source: Any) -> pages.Item:
        spec = describe(source)
        return pages.Item(spec.label, DASH, wide=laid.wide.get(spec.name, spec.wide), name=spec.name)

    sections = [pages.Section(g.title, [item(f) for f in g.fields]) for g in laid.groups]
    found = subject.resource
    return pages.DetailPage(
        found.name, found.label, found.icon, "", [], [], Markup(""), [], sections, [], None, "", ""
    )


# ----- what can be laid out


def index(actor: Actor, owner: int | None) -> str:
    """All lists, and for whom what of them has been laid out."""
    known = snapshot(db.session())
    roles = dict(tuple(r) for r in db.session().execute(select(StaffRole.id, StaffRole.label)))
    of = OF_GROUP if owner is None and actor.dealer_id is not None else ""
    may = actor.can(*EDIT) and layout_rules.may_lay_out(actor, owner)

    def cell(found: type[Resource], page: LayoutPage) -> tuple[Link | None, list[Link]]:
        if page not in pages_of(found):
            return None, []
        said = _whom(known, found.name, page.value, owner, roles, of if may else None)
        return Link(page.label, address(found.name, page.value, of) if may else ""), said

    rows = [
        LayoutRow(found.titled(), found.icon, [cell(found, page) for page in LayoutPage])
        for found in laid_out(actor)
    ]
    owners = []
    if actor.dealer_id is not None and layout_rules.may_lay_out(actor, None):
        owners = [
            Link("本商场", URL, active=owner is not None),
            Link("集团预置", f"{URL}?of={OF_GROUP}", active=owner is None),
        ]
    intro = (
        "集团预置对所有商场生效，商场自己的布局优先。"
        if owner is None
        else "先看本人角色的布局，没有则按本商场、集团、系统默认依次取用；有多个角色时取最早建立的角色。"
    )
    shown = LayoutIndex(TITLE, [p.label for p in LayoutPage], rows, owners, intro)
    return chrome.page("layouts.html", key=SELF, title=TITLE, page=shown)


def _whom(
    known: Snapshot,
    name: str,
    page: str,
    owner: int | None,
    roles: Mapping[int, str],
    of: str | None,
) -> list[Link]:
    """For whom that owner has laid it out, with where that is changed unless ``of`` says that it may not be; what
    the group has done for everybody is said too."""
    places = known.kept.get((name, page), {})

    def url(role_id: int | None) -> str:
        return address(name, page, of, role_id or 0) if of is not None else ""

    said = [Link("全部人员", url(None))] if (owner, None) in places else []
    said += [Link(roles.get(r, ""), url(r)) for d, r in places if r is not None and d == owner]
    if owner is not None and (None, None) in places and (owner, None) not in places:
        said.append(Link("集团预置", ""))
    return said
