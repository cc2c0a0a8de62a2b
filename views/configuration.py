"""管理 → 配置变更: what administrators have changed, taking it back, and the configuration as a file."""

from __future__ import annotations

import base64
import binascii
import io
import zlib
from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import select

from app.engine import audit, chrome, history
from app.engine.actions import Act, Forbidden, NotFound, Refusal
from app.engine.audit import AuditLog
from app.engine.configured import difference, files, past, state
from app.engine.configured.files import BadFile, File, Mistake
from app.engine.configured.pages import ChangeLine, ChangesPage, DifferenceKind, ImportPage, UndoPage
from app.engine.configuring import CONFIGURE
from app.engine.database import PK, db, id_of, utcnow
from app.engine.deeds import deed
from app.engine.localtime import local
from app.engine.pages import Link, Option
from app.engine.scopes import Actor, Scope, scopes_of, visible
from app.engine.security import entrance, require_actor
from app.engine.viewbase import download
from models.identity.menu_groups import SHAPING
from models.identity.resources import Dealers
from models.identity.tables import Dealer
from models.shaping.presets import Preset, preset, presets

URL, KEY, TITLE = "/configuration", "configuration", "配置变更"
GROUP = "group"
LISTED = 200
"""So many entries of one kind are shown of a difference."""
_SINCE, _UNTIL = "since", "until"


class ConfigurationView(BaseView):  # type: ignore[misc]
    """The changes of the configuration, and its files."""

    route_base = URL

    @expose("/", methods=["GET"])
    def changes(self) -> ResponseReturnValue:
        """Every change, newest first."""
        return _changes(_allowed())

    @expose(f"/{PK}/undo", methods=["GET", "POST"])
    def undo(self, pk: int) -> ResponseReturnValue:
        """What taking it back does; then done."""
        actor, session = _allowed(), db.session()
        whole = request.values.get("whole") == "1"
        first = past.one(session, actor, pk)
        found = past.batch(session, actor, first) if whole else [first]
        if request.method == "GET":
            return _undo_page(actor, first, found, whole)
        try:
            past.undo(session, found, actor, source=entrance())
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            return _undo_page(actor, first, found, whole, refusal), refusal.status
        flash(
            f"已撤销 {len(found)} 项变更" if whole else f"已撤销：{first.kind.label}“{first.title}”", "good"
        )
        return redirect(f"{URL}/")

    @expose("/export", methods=["POST"])
    def export(self) -> ResponseReturnValue:
        """The configuration of the group or of a dealer as a file."""
        actor, session = _allowed(), db.session()
        owner, label = _owner(actor)
        kinds = state.require_kinds(actor)
        text = difference.export(session, difference.acting_for(actor, owner, kinds), owner)
        act = Act(actor, utcnow(), session, entrance(), "export")
        with deed(act):
            audit.enter(act, AuditLog, "export", "配置文件", f"导出{label}的配置")
        stamp = local(act.now).strftime("%Y%m%d-%H%M")
        return download(io.BytesIO(text.encode()), f"知客配置-{label}-{stamp}.json")

    @expose("/import", methods=["GET", "POST"])
    def bring_in(self) -> ResponseReturnValue:
        """A file, what it would change, and changing it."""
        actor = _allowed()
        chosen = preset(request.values.get("preset", ""))
        step = request.form.get("step", "")
        if request.method == "GET" and chosen is None:
            return _import_page(actor, ImportPage("导入配置", _owners(actor)))
        try:
            text = chosen.text if chosen is not None else _text()
            return _import(actor, text, chosen, carry=step == "import")
        except BadFile as bad:
            page = ImportPage(_import_title(chosen), _owners(actor), mistakes=bad.sentences)
            return _import_page(actor, page), 400


def _allowed() -> Actor:
    actor = require_actor()
    if not actor.can(*CONFIGURE):
        raise Forbidden(TITLE, seeing=True)
    return actor


# ----- whose configuration


def _owners(actor: Actor) -> list[Option]:
    """Whose configuration this person may take out and bring in: the own dealer's, and of the group all. A preset
    is for a dealer."""
    found = []
    group = all(Scope.GROUP in scopes_of(k.resource, actor) for k in state.readable(actor))
    if group:
        statement = select(Dealer.id, Dealer.name).where(visible(Dealers, actor)).order_by(Dealer.id)
        found = [Option(str(i), name) for i, name in db.session().execute(statement, actor.params)]
    elif actor.dealer_id is not None:
        found = [Option(str(actor.dealer_id), actor.dealer_name)]
    if group and preset(request.values.get("preset", "")) is None:
        found.append(Option(GROUP, "集团预置"))
    asked = request.values.get("owner", "") or str(actor.dealer_id or GROUP)
    for option in found:
        option.selected = option.value == asked
    return found


def _owner(actor: Actor) -> tuple[int | None, str]:
    """The chosen one; raises `NotFound` for one out of reach."""
    chosen = next((o for o in _owners(actor) if o.selected), None)
    if chosen is None:
        raise NotFound
    return (None if chosen.value == GROUP else int(chosen.value)), chosen.label


# ----- the changes


def _changes(actor: Actor) -> str:
    session, error = db.session(), ""
    try:
        since, until = (_day(request.args.get(name, "")) for name in (_SINCE, _UNTIL))
    except ValueError:
        since = until = None
        error = "时间请按 2026-01-31 的格式填写"
    kind, person = request.args.get("kind", ""), request.args.get("person", "").strip()[:64]
    before = id_of(request.args.get("before")) or None
    setup = request.args.get("setup") == "1"
    asked = past.Asked(kind, person, since, until, before, setup=setup)
    found = past.changes(session, actor, asked, past.SHOWN + 1)
    kept = {"kind": kind, "person": person, _SINCE: _said(since), _UNTIL: _said(until)}
    kept["setup"] = "1" if setup else ""
    query = {n: v for n, v in kept.items() if v}
    shown = found[: past.SHOWN]
    page = ChangesPage(
        TITLE,
        [_line(c, "" if c.begun_with else f"{URL}/{c.entry.id}/undo") for c in shown],
        [Option(k.name, k.label, selected=k.name == kind) for k in state.readable(actor)],
        person,
        kept[_SINCE],
        kept[_UNTIL],
        _owners(actor),
        [
            Link(p.title, f"{URL}/import?{urlencode({'preset': p.name})}", p.icon, name=p.about)
            for p in presets()
        ],
        error=error,
        newer=f"{URL}/?{urlencode(query)}" if before else "",
        older=f"{URL}/?{urlencode({**query, 'before': shown[-1].entry.id})}"
        if len(found) > past.SHOWN
        else "",
        asked=bool(query),
        setup=setup,
    )
    return chrome.page("configuration.html", key=KEY, title=TITLE, page=page)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _said(day: date | None) -> str:
    return day.isoformat() if day is not None else ""


def _line(change: past.Change, undo_url: str = "") -> ChangeLine:
    entry = change.entry
    fresh = change.did == past.CREATED
    page = f"{entry.record_id}" if change.kind.resource.detail else ""  # else all have one page
    url = f"/{entry.resource}/{page}"
    return ChangeLine(
        history.moment(entry.at),
        entry.actor_name,
        entry.action_label,
        change.kind.label,
        change.title,
        entry.source.label,
        change.lines,
        fresh,
        url if change.did != past.REMOVED else "",
        undo_url,
    )


def _undo_page(
    actor: Actor,
    first: past.Change,
    found: Sequence[past.Change],
    whole: bool,
    refusal: Refusal | None = None,
) -> str:
    session = db.session()
    reasons = [refusal.message] if refusal is not None else []
    if refusal is None and not whole:
        why = past.refusal(session, first, actor)
        reasons = [why] if why else []
    amount = len(past.batch(session, actor, first)) if not whole else len(found)
    url = f"{URL}/{first.entry.id}/undo"
    page = UndoPage(
        f"撤销 {len(found)} 项变更" if whole else f"撤销：{first.kind.label}“{first.title}”",
        url,
        [_line(c) for c in found[: past.SHOWN]],
        [c.back for c in found[: past.SHOWN]],
        reasons,
        f"{url}?whole=1" if not whole and amount > 1 else "",
        amount if not whole else len(found),
    )
    return chrome.page("configuration_undo.html", key=KEY, title="撤销变更", page=page)


# ----- files


def _import_title(chosen: Preset | None) -> str:
    return f"套用预设：{chosen.title}" if chosen is not None else "导入配置"


def _text() -> str:
    """The text of the uploaded file, or of the one that was compared before."""
    packed = request.form.get("packed", "")
    if packed:
        try:
            unpacker = zlib.decompressobj()
            raw = unpacker.decompress(base64.b64decode(packed, validate=True), files.LARGEST + 1)
        except (binascii.Error, zlib.error, ValueError):
            raise BadFile([Mistake("文件内容已损坏，请重新上传")]) from None
    else:
        sent = request.files.get("file")
        raw = sent.stream.read(files.LARGEST + 1) if sent is not None else b""
    if not raw:
        raise BadFile([Mistake("请选择要导入的配置文件")])
    if len(raw) > files.LARGEST:
        raise BadFile([Mistake(f"文件不能超过{files.LARGEST // 1024 // 1024}MB")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadFile([Mistake("不是文本文件（UTF-8）")]) from None


def _import(actor: Actor, text: str, chosen: Preset | None, *, carry: bool) -> ResponseReturnValue:
    session = db.session()
    owner, label = _owner(actor)
    file = files.read(text, actor)
    placed = difference.acting_for(actor, owner, state.readable(actor))
    removes = request.form.get("removes", "" if carry else "1") == "1"
    found = difference.plan(session, file, placed, owner, removes=removes)
    whole = found if removes else difference.plan(session, file, placed, owner)
    page = _compared(found, placed, file, text, chosen, label, removes=removes)
    page.owners = _owners(actor)
    page.has_removes = any(s.sign == difference.REMOVE for s in whole.steps)
    if carry and request.form.get("seen") != whole.digest:
        page.note = "配置在您查看之后又有变动，下面是最新的差异，请核对后再次确认"
        page.seen = whole.digest
        return _import_page(actor, page), 409
    page.seen = whole.digest
    if not found.steps:
        return _import_page(actor, page)
    try:
        difference.carry_out(session, found, placed, dry=not carry)
    except BadFile as bad:
        page.mistakes = bad.sentences
        return _import_page(actor, page), 400
    if not carry:
        return _import_page(actor, page)
    flash(
        f"已{'套用预设' if chosen is not None else '导入'}，{len(found.steps)} 项配置有改动，立即生效", "good"
    )
    return redirect(f"{URL}/")


def _compared(
    found: difference.Plan,
    actor: Actor,
    file: File,
    text: str,
    chosen: Preset | None,
    label: str,
    *,
    removes: bool,
) -> ImportPage:
    session = db.session()
    kinds = []
    for compared in found.compared:
        counts = [(word, compared.amount(sign)) for sign, word in difference.SIGNS.items()]
        listed = [
            (difference.SIGNS[s.sign], s.sign, s.words, found.lines(s, session, actor))
            for s in compared.steps[:LISTED]
        ]
        more = max(0, len(compared.steps) - LISTED)
        kinds.append(DifferenceKind(compared.kind.label, [*counts, ("相同", compared.same)], listed, more))
    packed = "" if chosen is not None else base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    return ImportPage(
        _import_title(chosen),
        [],
        about=file.about,
        owner="" if found.owner is None else str(found.owner),
        owner_label=label,
        packed=packed,
        removes=removes,
        compared=True,
        kinds=kinds,
        amount=len(found.steps),
    )


def _import_page(actor: Actor, page: ImportPage) -> str:
    chosen = request.values.get("preset", "")
    return chrome.page(
        "configuration_import.html",
        key=KEY,
        title=page.title,
        page=page,
        preset=chosen if preset(chosen) else "",
    )


chrome.add_entry(chrome.Entry(SHAPING, KEY, TITLE, f"{URL}/", "arrow-back-up", 979, CONFIGURE))
VIEWS: list[Any] = [ConfigurationView]
