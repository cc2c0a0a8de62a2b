"""基础设置 → 数据字典: one page per dictionary, where its options are named, coloured, ordered, added and merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import flash, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from markupsafe import Markup

from app.engine import chrome
from app.engine.actions import Act, Forbidden, Invalid, NotFound, Refusal, Stale
from app.engine.colliding import THEIRS, UNTOUCHED
from app.engine.configuring import FOR_ALL
from app.engine.database import db, id_of, utcnow
from app.engine.deeds import deed
from app.engine.listing import number
from app.engine.pages import Difference, Link, Option
from app.engine.pages.dictionaries import DictionaryPage, OptionRow, OptionSection
from app.engine.perform import require
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor
from models.identity.for_all import LABEL as FOR_ALL_LABEL
from models.identity.rules import is_group
from models.settings import uses
from models.settings.catalogue import DictionaryDef, dictionaries
from models.settings.resources import Dictionaries
from models.settings.tables import EntryTone
from models.shaping import merging, options, taking_back
from models.shaping.option_edits import Edit, Wish
from models.shaping.option_sides import FIELDS, ORDER, Collided, Side, opened_with, resolved, take
from views import dictionary_merging
from views.dictionary_merging import URL, address

LABEL = "数据字典"
OTHERS = "其他"
EVERYWHERE = "全部上级"


class DictionariesView(BaseView):  # type: ignore[misc]
    """The editor; its permissions are those of the resource `Dictionaries`."""

    route_base = "/dictionaries"

    @expose("/", methods=["GET", "POST"])
    def page(self) -> ResponseReturnValue:
        """The options of a dictionary (``?name=``), and one submit for all that was changed in them."""
        actor = _allowed()
        known = _known(request.args.get("name", ""))
        if request.method == "GET":
            return _page(actor, known)
        require(actor, ("can_edit", Dictionaries.view_name()), f"编辑{Dictionaries.label}")
        edit, lines = _edit(actor, known), request.form.get("lines", "")
        if THEIRS in request.form:
            return _taken(actor, known, edit, lines)
        act = Act(actor, utcnow(), db.session(), entrance(), "update")
        try:
            with deed(act):
                changed = options.save(act, known.name, edit)
                if lines.strip() or request.form.get("do") == "add":
                    under, general = request.form.get("under", ""), bool(request.form.get(FOR_ALL))
                    changed += len(options.add(act, known.name, lines, under, for_all=general or None))
        except Forbidden:
            raise
        except Collided as both:
            return _page(actor, known, both.edit, lines=lines, sides=both.sides), 409
        except Stale as stale:
            return _page(actor, known, edit, [stale.message], lines=lines), 409
        except Invalid as wrong:
            return _page(actor, known, edit, errors=wrong.errors, lines=lines), 400
        except Refusal as refusal:
            return _page(actor, known, edit, [refusal.message], lines=lines), 400
        if changed:
            _said(f"已保存，{changed} 项有改动，立即生效", act.deed_id)
        else:
            flash("没有改动", "good")
        return redirect(address(known.name, parent=request.args.get("parent", "")))

    @expose("/uses", methods=["GET"])
    def uses(self) -> ResponseReturnValue:
        """How often each option is used, for the page that is shown already."""
        actor = _allowed()
        known = _known(request.args.get("name", ""))
        found = uses.counts(db.session(), uses.Reach(known.name, actor.dealer_id))
        values = {row.value for row in options.rows(db.session(), known.name, actor.dealer_id)}
        return jsonify({"uses": {value: found.word(value) for value in values}})

    @expose("/undo", methods=["POST"])
    def undo(self) -> ResponseReturnValue:
        """Take back what was just saved."""
        actor = _allowed()
        act = Act(actor, utcnow(), db.session(), entrance(), "撤销修改")
        try:
            with deed(act):
                name = taking_back.take_back(act, request.form.get("deed", ""))
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            flash(refusal.message, "bad")
            return redirect(request.referrer or URL)
        flash("已撤销", "good")
        return redirect(address(name))

    @expose("/merge", methods=["GET", "POST"])
    def merge(self) -> ResponseReturnValue:
        """Choose what an option is merged into, see what it touches, begin."""
        actor = _allowed()
        given = request.form if request.method == "POST" else request.args
        known = _known(given.get("name", ""))
        old, new = id_of(given.get("from")), id_of(given.get("into"))
        if request.method == "GET":
            return dictionary_merging.before(actor, known, old, new)
        act = Act(actor, utcnow(), db.session(), entrance(), merging.LABEL)
        try:
            with deed(act):
                job = merging.submit(act, known.name, old, new)
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            return dictionary_merging.before(actor, known, old, new, [refusal.message]), refusal.status
        return redirect(merging.PAGE.format(merge=job.id))

    @expose("/merged", methods=["GET", "POST"])
    def merged(self) -> ResponseReturnValue:
        """What has come of a merge, and the way back."""
        actor = _allowed()
        job_id = id_of(request.args.get("job"))
        if request.method == "POST":
            act = Act(actor, utcnow(), db.session(), entrance(), merging.BACK)
            try:
                with deed(act):
                    merging.give_back(act, job_id)
            except (Forbidden, NotFound):
                raise
            except Refusal as refusal:
                flash(refusal.message, "bad")
            return redirect(merging.PAGE.format(merge=job_id))
        return dictionary_merging.after(actor, job_id)


def _allowed() -> Actor:
    actor = require_actor()
    if not actor.can("can_list", Dictionaries.view_name()):
        raise Forbidden(LABEL, seeing=True)
    return actor


def _known(name: str) -> DictionaryDef:
    """The dictionary of that name, the first one for none."""
    return options.declared(name) if name else dictionaries()[0]


def _said(words: str, deed_id: str) -> None:
    """What was done, with the way back."""
    button = Markup(' <button class="link" form="undo" name="deed" value="{}">撤销</button>').format(deed_id)
    flash(Markup("{}{}").format(words, button), "good")


def _edit(actor: Actor, known: DictionaryDef) -> Edit:
    """What the page says of its options."""
    form = request.form
    wishes = {}
    for row_id in (i for i in map(id_of, form.getlist("option")) if i):
        tone = next((t for t in EntryTone if t.value == form.get(f"tone.{row_id}")), EntryTone.PLAIN)
        wishes[row_id] = Wish(
            " ".join(form.get(f"label.{row_id}", "").split()),
            tone,
            bool(form.get(f"active.{row_id}")),
            number(form.get(f"version.{row_id}", ""), 0),
            form.get(f"parent.{row_id}"),
            form.get(f"was.{row_id}", ""),
        )
    step = (id_of(form.get("up")), -1) if form.get("up") else (id_of(form.get("down")), 1)
    began = [i for i in map(id_of, form.get("began", "").split(",")) if i]
    edit = Edit(wishes, list(wishes), step, id_of(form.get("remove")), began)
    session = db.session()
    return resolved(session, known.name, options.rows(session, known.name, actor.dealer_id), edit)


def _taken(actor: Actor, known: DictionaryDef, edit: Edit, lines: str) -> str:
    """The same once more, with the other one's version of something."""
    found = {row.id: row for row in options.rows(db.session(), known.name, actor.dealer_id)}
    edit, left = take(found, edit, request.form.getlist(THEIRS), request.form.getlist("_side"))
    return _page(actor, known, edit, lines=lines, sides=left)


# ----- drawing


def _page(
    actor: Actor,
    known: DictionaryDef,
    edit: Edit | None = None,
    said: list[str] | None = None,
    *,
    errors: dict[str, str] | None = None,
    lines: str = "",
    sides: Sequence[Side] | None = None,
) -> str:
    session = db.session()
    wrong = dict(errors or {})
    found = options.rows(session, known.name, actor.dealer_id)
    above = options.parents(session, known.name, actor.dealer_id)
    chosen = request.args.get("parent", "")
    may_edit = actor.can("can_edit", Dictionaries.view_name())
    reach = uses.Reach(known.name, actor.dealer_id)
    counted = uses.counts(session, reach) if request.args.get("uses") else None
    shown = DictionaryPage(
        known.label,
        known.name,
        address(known.name, parent=chosen),
        _groups(known.name),
        [],
        "、".join(use.label for use in uses.columns_of(known.name)),
        len(found),
        _readonly(actor, may_edit=may_edit),
        actor.can("can_add", Dictionaries.view_name()),
        [Option("", EVERYWHERE), *(Option(p.value, p.label, selected=p.value == chosen) for p in above)]
        if known.parent
        else [],
        options.declared(known.parent).label if known.parent else "",
        chosen,
        lines,
        wrong.pop("lines", ""),
        [*(said or []), *(sentence for name, sentence in wrong.items() if not name.startswith("label."))],
        address(known.name, parent=chosen, uses="1"),
        counted is not None,
        dictionary_merging.latest(actor, known.name),
        f"/{Dictionaries.name}/?dictionary={known.name}&scope=dealer",
        f"{URL}undo",
        unsaved=edit is not None,
        for_all=_choice(actor),
    )
    if sides is not None:
        shown.conflict = _both(known, found, above, sides)
    opened = edit if sides is None else None
    sections = options.by_parent(found, above)
    names = {p.value: p.label for p in above}
    presets = options.behind(session, known.name)
    for parent, rows in sections.items():
        if chosen and parent != chosen:
            continue
        title = "" if not known.parent else names.get(parent, parent) if parent else "任何上级下都可选"
        left = _as_left(rows, edit)
        drawn = [_row(actor, known, row, above, presets, edit, wrong, opened) for row in left]
        for row in drawn:
            row.uses = counted.word(row.value) if counted is not None else ""
        drawn[0].first = drawn[-1].last = True
        shown.sections.append(OptionSection(title, drawn))
    listed = {row.id for section in shown.sections for row in section.rows}
    began = opened.began if opened is not None and opened.began else [r.id for r in found if r.id in listed]
    shown.began = ",".join(map(str, began))
    return chrome.page("dictionary.html", key=Dictionaries.name, title=LABEL, page=shown)


def _as_left(rows: list[Any], edit: Edit | None) -> list[Any]:
    """The rows in the order in which a refused page left them."""
    order = {row_id: n for n, row_id in enumerate(edit.order)} if edit is not None else {}
    return sorted(rows, key=lambda row: order.get(row.id, len(order)))


def _both(
    known: DictionaryDef, found: Sequence[Any], above: Sequence[Any], sides: Sequence[Side]
) -> list[Difference]:
    """What the two have made differently, for the page."""
    by_id, names = {row.id: row for row in found}, {p.value: p.label for p in above}
    shown = []
    for side in sides:
        row = by_id.get(side.about) if isinstance(side.about, int) else None
        mine, theirs = side.mine, side.theirs
        if side.field == "parent":
            mine, theirs = names.get(mine, mine), names.get(theirs, theirs)
        what = FIELDS.get(side.field, "")
        if side.field == "parent" and known.parent:
            what += options.declared(known.parent).label
        title = names.get(side.title, side.title)
        label = " · ".join(filter(None, (title, what or ("顺序" if side.field == ORDER else ""))))
        by = options.written_by(row) if row is not None and theirs != UNTOUCHED else ""
        shown.append(Difference(label, mine, theirs, by, side.name))
    return shown


def _readonly(actor: Actor, *, may_edit: bool) -> str:
    if not may_edit:
        return "您可以查看数据字典，但不能修改。"
    if actor.dealer_id is None and not is_group(actor, Dictionaries.name):
        return "当前账号不属于任何商场，不能修改字典。"
    return ""


def _choice(actor: Actor) -> Option | None:
    """Whether further options are to be everybody's, for those who decide for one dealer and for all."""
    if actor.dealer_id is None or not is_group(actor, Dictionaries.name):
        return None
    return Option("1", FOR_ALL_LABEL, selected=bool(request.form.get(FOR_ALL)))


def _groups(name: str) -> list[tuple[str, list[Link]]]:
    """All dictionaries under their headings."""
    found: dict[str, list[Link]] = {}
    for known in dictionaries():
        link = Link(known.label, address(known.name), active=known.name == name)
        found.setdefault(known.group or OTHERS, []).append(link)
    return list(found.items())


def _row(
    actor: Actor,
    known: DictionaryDef,
    row: Any,
    above: list[Any],
    presets: set[tuple[str, str]],
    edit: Edit | None,
    wrong: dict[str, str],
    opened: Edit | None,
) -> OptionRow:
    """An option as it is or as it was typed; a page that shows others' versions is opened anew."""
    wish = edit.wishes.get(row.id) if edit is not None else None
    own = row.dealer_id == actor.dealer_id
    stands_in = options.stands_in(row, presets)
    began = opened.wishes.get(row.id) if opened is not None else None
    tone = wish.tone if wish is not None else row.tone
    parent = wish.parent if wish is not None and wish.parent is not None else row.parent or ""
    hangs = [Option("", "任何上级", selected=not parent)]
    hangs += [Option(p.value, p.label, selected=p.value == parent) for p in above]
    merge = urlencode({"name": known.name, "from": row.id})
    deletable = own and actor.can("can_delete", Dictionaries.view_name())
    return OptionRow(
        row.id,
        row.value,
        wish.label if wish is not None else row.label,
        tone.tone.value,
        wish.active if wish is not None else row.active,
        began.version if began is not None else row.version,
        began.was if began is not None else opened_with(row),
        "" if row.dealer_id is None else "本商场修改" if stands_in else "本商场",
        [Option(t.value, t.label, t.tone.value, selected=t is tone) for t in EntryTone],
        hangs if known.parent and own and not stands_in else [],
        error=wrong.get(f"label.{row.id}", ""),
        merge_url=f"{URL}merge?{merge}",
        remove="" if not deletable else "恢复预置" if stands_in else "删除",
        confirm=f"“{row.label}”恢复为集团预置项？" if stands_in else f"删除“{row.label}”？",
    )


VIEWS = [DictionariesView]
