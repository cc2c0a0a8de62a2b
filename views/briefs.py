"""订阅简报: asking for a dashboard's numbers, and leaving again by one click."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from app.engine import chrome, drawing, forms, perform
from app.engine.actions import Act, Forbidden, Invalid, NotFound, Refusal
from app.engine.choices import Entry
from app.engine.database import PK, db, utcnow
from app.engine.deeds import deed
from app.engine.fields import FieldSpec, describe, entry
from app.engine.resource import Group
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor
from models.shaping import brief_rules, brief_writing
from models.shaping.brief_resources import ROLES, TIMES, Briefs
from models.shaping.brief_tables import Brief
from views.notifications import URL as MESSAGES

BASE = f"/{Briefs.name}"
TITLE = "订阅简报"


class BriefView(BaseView):  # type: ignore[misc]
    """Beside the generated pages of subscriptions."""

    route_base = BASE

    @expose("/new", methods=["GET", "POST"])
    def new(self) -> ResponseReturnValue:
        """When a dashboard's numbers shall come, and to whom."""
        actor, session = require_actor(), db.session()
        if not actor.can("can_add", Briefs.view_name()):
            raise Forbidden(TITLE)
        known = brief_writing.offered(session, actor)
        if not known:
            raise Forbidden("看板", seeing=True)
        board = entry(
            "board", "看板", required=True, options=tuple(Entry(key, d.label) for key, d in known.items())
        )
        context = forms.Context(session, actor, utcnow())
        if request.method == "GET":
            wanted = request.args.get("board", "")
            return _form(context, board, preset={"board": wanted if wanted in known else next(iter(known))})
        texts = request.form.to_dict(flat=False)
        try:
            values = forms.clean([board, *_specs(actor)], texts, context)
            made, _ = perform.create(
                Briefs, values, actor, source=entrance(), token=request.form.get("_once", "")[:64]
            )
        except perform.AlreadyDone as done:
            return redirect(done.url)
        except Invalid as wrong:
            return _form(context, board, texts=texts, errors=wrong.errors), 400
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            return _form(context, board, texts=texts, errors={refusal.field: refusal.message}), refusal.status
        flash(f"已订阅“{made.name}”简报，{made.cadence.label} {made.at} 发送", "good")
        return redirect(f"{BASE}/{made.id}")

    @expose(f"/{PK}/leave", methods=["POST"])
    def leave(self, pk: int) -> ResponseReturnValue:
        """退订, in one click, also for somebody who has no right to the page of subscriptions."""
        return _done("退订简报", pk, brief_rules.leave)

    @expose(f"/{PK}/join", methods=["POST"])
    def join(self, pk: int) -> ResponseReturnValue:
        """The way back."""
        return _done("重新订阅简报", pk, brief_rules.come_back)


def _done(title: str, pk: int, rule: Callable[[Act, int], str]) -> ResponseReturnValue:
    act = Act(require_actor(), utcnow(), db.session(), entrance(), title)
    with deed(act):
        said = rule(act, pk)
    flash(said, "good")
    return redirect(MESSAGES)


def _specs(actor: Actor) -> list[FieldSpec]:
    """The inputs besides the dashboard; whoever subscribes for himself alone is not asked for whom."""
    mine = [] if brief_rules.may_share(actor) else ["recipients", "roles"]
    return [s for s in map(describe, (*TIMES, Brief.recipients, ROLES)) if s.name not in mine]


def _form(
    context: forms.Context,
    board: FieldSpec,
    *,
    texts: Mapping[str, list[str]] | None = None,
    errors: Mapping[str, str] | None = None,
    preset: Mapping[str, Any] | None = None,
) -> str:
    times, whom = _specs(context.actor)[: len(TIMES)], _specs(context.actor)[len(TIMES) :]
    starts = {s.name: s.default for s in (*times, *whom) if s.default is not None}
    drawer = drawing.Drawer(BASE, texts, errors, None, {**starts, **(preset or {})})
    groups = [Group("简报", board, *times), *([Group("接收", *whom)] if whom else [])]
    shown = drawing.form_page(
        groups, context, drawer, title=TITLE, url=f"{BASE}/new", cancel_url=f"{BASE}/", submit="订阅"
    )
    shown.notes = [
        "简报发到提醒消息，也按您在提醒设置中为“定时提醒”选择的渠道发出；每个人收到的都是自己有权看到的数字。"
    ]
    return chrome.page("form.html", key=Briefs.name, title=TITLE, page=shown)


VIEWS = [BriefView]
