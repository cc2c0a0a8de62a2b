"""通知用语: every message of the product on one page, and what helps while one writes other words for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import select

from app.engine import chrome, detail, perform
from app.engine.actions import Act, Forbidden, NotFound
from app.engine.database import PK, db, id_of, utcnow
from app.engine.pages import Link, Option
from app.engine.resource import resource as named
from app.engine.scopes import Actor, visible
from app.engine.security import entrance, require_actor
from models.identity.rules import is_group
from models.notifications import sentences
from models.notifications.sentences import AMOUNT, Sentence
from models.shaping import notice_queries, notice_rules
from models.shaping.notice_resources import PAGE, NoticeTexts
from models.shaping.notice_tables import NoticeWords

PART = "X-Zk-Part"
"""The header of a script that wants a part of a page."""
NEWEST = 10
SEVERAL = "3"
"""So many records the sentence about several is looked at with."""
_LABELS = {"one": "单条文字", "many": "多条文字"}
_URL = f"/{NoticeTexts.name}"


@dataclass(slots=True)
class Row:
    """A message with the words in force. ``id`` and ``version`` are of the text that may be taken back."""

    label: str
    one: str
    many: str
    source: str
    own: bool
    links: list[Link]
    id: int = 0
    version: int = 0


@dataclass(slots=True)
class Look:
    """How a message reads: its texts filled in, or what is wrong with them; and the declared ones."""

    records: list[Option] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    built_in: list[tuple[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class NoticePageView(BaseView):  # type: ignore[misc]
    """The page of all messages."""

    route_base = PAGE.rstrip("/")

    @expose("/", methods=["GET"])
    def page(self) -> ResponseReturnValue:
        """All messages by what they are about, with the words in force for the own dealer."""
        actor = require_actor()
        if not actor.can("can_list", NoticeTexts.view_name()):
            raise Forbidden(NoticeTexts.label, seeing=True)
        said = sorted(sentences.sentences(), key=lambda s: _order(s.topic.key))
        groups = [
            (topic, [_row(actor, one) for one in some])
            for topic, some in groupby(said, key=lambda s: s.topic)
        ]
        return chrome.page("notice_words.html", key=NoticeTexts.name, title=NoticeTexts.label, groups=groups)


class NoticeWordsView(BaseView):  # type: ignore[misc]
    """Beside the forms: what may be named, and how it reads with a record."""

    route_base = _URL

    @expose("/new/placeholders", methods=["GET"])
    def placeholders_of_new(self) -> ResponseReturnValue:
        """What new words for this message may name; while none is chosen, what those for each of them may."""
        _writer("can_add")
        asked = request.args.get("sentence", "")
        return _placeholders(_sentence(asked)) if asked else _all_placeholders()

    @expose(f"/{PK}/edit/placeholders", methods=["GET"])
    def placeholders(self, pk: int) -> ResponseReturnValue:
        """What these words may name."""
        return _placeholders(_sentence(_found(pk, _writer("can_edit")).sentence))

    @expose("/new/preview", methods=["POST"])
    def look_at_new(self) -> ResponseReturnValue:
        """New words as they stand in the form, with a record."""
        actor, asked = _writer("can_add"), request.form.get("sentence", "")
        return _look(actor, _sentence(asked)) if asked else _looked(Look(errors=["请先选择通知"]))

    @expose(f"/{PK}/edit/preview", methods=["POST"])
    def look_at(self, pk: int) -> ResponseReturnValue:
        """The same of words that are there."""
        actor = _writer("can_edit")
        found = _found(pk, actor)
        return _look(actor, _sentence(found.sentence), found)


def _order(topic: str) -> int:
    """Messages of one topic stand together, in the order in which their topics come first."""
    return [s.topic.key for s in sentences.sentences()].index(topic)


def _row(actor: Actor, said: Sentence) -> Row:
    session = db.session()
    known = notice_queries.in_place(session, said.key, actor.dealer_id)
    one, many = sentences.words_of(session, said, actor.dealer_id)
    row = Row(said.label, one, many, "系统默认", own=False, links=[])
    if known is not None:
        whose = "集团" if known.dealer_id is None else "本商场"
        row.source = whose if known.active else f"系统默认（{whose}已停用）"
        row.own = known.active and known.dealer_id is not None
    view = NoticeTexts.view_name()
    mine = known is not None and (known.dealer_id is not None or is_group(actor, NoticeTexts.name))
    if known is not None and mine:
        row.id, row.version = known.id, known.version
        if actor.can("can_edit", view):
            row.links.append(Link("修改", f"{_URL}/{known.id}/edit", "pencil"))
        if actor.can("can_delete", view):
            row.links.append(
                Link("恢复默认", f"{_URL}/{known.id}/delete", "arrow-back-up", has_form=False,
                     confirm=NoticeTexts.remove_confirm)
            )  # fmt: skip
    elif actor.can("can_add", view):
        row.links.append(Link("修改", f"{_URL}/new?sentence={said.key}", "pencil"))
    return row


# ----- while one writes


def _writer(permission: str) -> Actor:
    actor = require_actor()
    if not actor.can(permission, NoticeTexts.view_name()):
        raise Forbidden(f"编辑{NoticeTexts.label}")
    return actor


def _sentence(key: str) -> Sentence:
    found = sentences.known(key)
    if found is None:
        raise NotFound
    return found


def _found(pk: int, actor: Actor) -> NoticeWords:
    found: NoticeWords = perform.find(db.session(), NoticeTexts, pk, actor)
    return found


def _placeholders(said: Sentence) -> ResponseReturnValue:
    own = [*said.places, *said.single]
    further = [name for name in sentences.offered(said, several=False) if name not in own]
    groups = [("单条文字", _marks(own))]
    if said.many:
        groups.append(("多条文字", _marks(sentences.offered(said, several=True))))
    about = named(said.about)
    reached = [(about.label, _marks(further))] if about is not None and further else []
    values: dict[str, Any] = {"groups": groups, "reached": reached, "tables": []}
    if PART in request.headers:
        return render_template("_placeholders.html", **values)
    title = f"{said.title}的占位符"
    return chrome.page("placeholders.html", key=NoticeTexts.name, title=title, **values)


def _all_placeholders() -> ResponseReturnValue:
    said = sorted(sentences.sentences(), key=lambda s: _order(s.topic.key))
    groups = [(one.label, _marks([*one.places, *one.single])) for one in said]
    return chrome.page(
        "placeholders.html", key=NoticeTexts.name, title="通知的占位符", groups=groups, reached=[], tables=[]
    )


def _marks(names: list[str]) -> list[tuple[str, str]]:
    return [(name, f"{{{{{name}}}}}") for name in names]


def _look(actor: Actor, said: Sentence, kept: NoticeWords | None = None) -> ResponseReturnValue:
    """``kept`` says what stands in a part that may only be looked at."""
    texts = {
        name: " ".join(request.form.get(name, getattr(kept, name, None) or "").split())[: sentences.LONGEST]
        for name in _LABELS
    }
    act = Act(actor, utcnow(), db.session(), entrance(), "preview")
    shown = Look(built_in=[(_LABELS["one"], said.one)])
    if said.many:
        shown.built_in.append((_LABELS["many"], said.many))
    record, values = _example(act, said, shown)
    shown.errors = [f"{_LABELS[name]}：{error}" for name, error in notice_rules.check(said, texts).items()]
    if not shown.errors:
        one = sentences.filled(said, texts["one"], said.one, values, record, act)
        shown.texts.append((_LABELS["one"], one[: sentences.LONGEST]))
        if texts["many"]:
            several = sentences.filled(said, texts["many"], said.many, {**values, AMOUNT: SEVERAL})
            shown.texts.append((_LABELS["many"], several))
    return _looked(shown)


def _looked(shown: Look) -> ResponseReturnValue:
    if PART in request.headers:
        return render_template("_notice_look.html", look=shown)
    return chrome.page("notice_look.html", key=NoticeTexts.name, title="通知预览", look=shown)


def _example(act: Act, said: Sentence, shown: Look) -> tuple[Any, dict[str, sentences.Value]]:
    """The chosen record, the newest one in scope without a choice, and what the places stand for with it."""
    values: dict[str, sentences.Value] = {**said.places, **said.single}
    if "操作人" in values:
        values["操作人"] = act.actor.name
    about = named(said.about)
    if about is None or not act.actor.can("can_list", about.view_name()):
        return None, values
    newest = select(about.pk()).where(visible(about, act.actor)).order_by(about.pk().desc())
    ids = list(act.session.scalars(newest.limit(NEWEST), act.actor.params))
    wanted = id_of(request.form.get("_record")) or 0
    labels = detail.labels(act.session, about, [*ids, wanted], act.actor)
    chosen = wanted if wanted in labels else next(iter(ids), 0)
    if not chosen:
        return None, values
    shown.records = [
        Option(str(pk), labels.get(pk) or f"#{pk}", selected=pk == chosen)
        for pk in dict.fromkeys([*ids, chosen])
    ]
    record = perform.find(act.session, about, chosen, act.actor)
    called = next(iter(said.single), "")
    if called:
        column = about.code if called == "单号" and about.code is not None else about.title
        values[called] = str(getattr(record, column.key) or values[called])
    return record, values


VIEWS = [NoticePageView, NoticeWordsView]
