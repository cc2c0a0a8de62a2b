"""渠道报备审核: claims judged by comparing what was registered with what the showroom found (E-74…E-82)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from markupsafe import Markup

from app.engine import cells, chrome, forms, listing, pages, paging, perform
from app.engine.actions import Action, Forbidden, Invalid, NotFound, Refusal, Stale
from app.engine.addresses import address, arguments
from app.engine.database import PK, db, utcnow
from app.engine.fields import FieldSpec
from app.engine.guards import may_filter
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor
from models.registrations import audit_list, auditing, comparing
from models.registrations.audit_list import CONDITIONS, LEAD, STATE, Asked, Claim, Entry
from models.registrations.resources import Assignments, Registrations
from models.registrations.tables import AuditStatus

KEY = "registration-audit"
URL = f"/{KEY}/"
TITLE = "渠道报备审核"
SEEING = auditing.judge.permission_on(Assignments)
STATUSES = {AuditStatus.PENDING: "未审核", AuditStatus.PASSED: "审核成功", AuditStatus.FAILED: "审核失败"}
CHANGED = "展厅资料刚被修改，请核对后再审核"
_ROW = "X-Zk-Row"
"""Sent by the page's script, which puts the answer in the place of the one entry."""

chrome.add_entry(chrome.Entry("渠道报备", KEY, TITLE, URL, "clipboard-check", 301, SEEING))


@dataclass(frozen=True)
class Typed:
    """What was sent for one entry and what is wrong with it, or what came of it."""

    pk: int
    again: bool
    verdict: str = ""
    remark: str = ""
    error: str = ""
    wrong: str = ""
    said: str = ""


class RegistrationAuditView(BaseView):  # type: ignore[misc]
    """The claims that wait for a verdict, and the verdict."""

    route_base = f"/{KEY}"

    @expose("/", methods=["GET"])
    def show(self) -> ResponseReturnValue:
        """The entries that are asked for."""
        return _page(_actor())

    @expose(f"/{PK}/judge", methods=["POST"])
    def judge(self, pk: int) -> ResponseReturnValue:
        """Give a verdict, or change one; what was typed stays where it is refused."""
        actor = _actor()
        again = request.form.get("again") == "1"
        verdict, remark = request.form.get("verdict", ""), request.form.get("remark", "")
        try:
            said = _carry_out(actor, auditing.judge_again if again else auditing.judge, pk)
        except (Forbidden, NotFound):
            raise
        except Invalid as wrong:
            name = next(iter(wrong.errors))
            typed = Typed(pk, again, verdict, remark, wrong.errors[name], name)
            return _answer(actor, typed, wrong.status)
        except Stale as stale:
            return _answer(actor, Typed(pk, again, verdict, remark, _meanwhile(actor, pk)), stale.status)
        except Refusal as refusal:
            return _answer(actor, Typed(pk, again, verdict, remark, refusal.message), refusal.status)
        if _ROW in request.headers:
            return _answer(actor, Typed(pk, False, said=said), 200)
        flash(said, "good")
        return redirect(_here(_arguments()))


def _actor() -> Actor:
    actor = require_actor()
    if not actor.can(*SEEING):
        raise Forbidden(TITLE, seeing=True)
    return actor


def _carry_out(actor: Actor, action: Action, pk: int) -> str:
    session = db.session()
    context = forms.Context(session, actor, utcnow(), subjects=(pk,))
    values = forms.clean(action.fields, request.form.to_dict(flat=False), context)
    version = listing.number(request.form.get("version", ""), 0) or None
    report = perform.perform(action, [pk], actor, values, source=entrance(), version=version)
    result = AuditStatus.of(values["verdict"])
    label = report.results[0].label
    return f"{label}：无变化" if report.unchanged else f"已审核{label}：{result.label}"


def _meanwhile(actor: Actor, pk: int) -> str:
    """Why the entry is not the one that was looked at any more."""
    found = _one(actor, pk)
    verdict = found.state["verdict"]
    if verdict == AuditStatus.PENDING:
        return CHANGED
    return auditing.already(found.state["auditor_id"] or "", verdict)


def _one(actor: Actor, pk: int) -> Entry:
    """The entry whatever is asked for; raises `NotFound` out of scope."""
    session = db.session()
    asked = Asked(paid=False, verdicts=frozenset(AuditStatus))
    found = audit_list.page(session, audit_list.query(session, actor, asked, {}, utcnow(), only=pk)).entries
    if not found:
        raise NotFound
    return found[0]


# ----- what is asked


def _arguments() -> dict[str, list[str]]:
    return arguments(request.args.to_dict(flat=False))


def _here(args: listing.Args, **put: str) -> str:
    """This page of the entries, with no verdict being changed unless ``put`` names one."""
    place = {name: listing.first(args, name) for name in ("after", "before")}
    return address(URL, args, ("again",), **{**place, **put})


def _asked(args: listing.Args) -> Asked:
    """The conditions of the address; nothing is asked before the first 查询."""
    words = {name: listing.first(args, name) for name in CONDITIONS}
    if "asked" not in args:
        return Asked(words=words)
    chosen = frozenset(v for v in AuditStatus if v.value in args.get("verdict", ()))
    return Asked("paid" in args, chosen, "differing" in args, words)


# ----- what is shown


def _answer(actor: Actor, typed: Typed, status: int) -> ResponseReturnValue:
    """The page again, or for its script the one entry."""
    if _ROW not in request.headers:
        return _page(actor, typed), status
    shown = _entry(actor, _one(actor, typed.pk), typed, _arguments())
    return render_template("_audit_entry.html", e=shown, options=_verdicts()), status


def _page(actor: Actor, typed: Typed | None = None) -> str:
    session, args = db.session(), _arguments()
    asked = _asked(args)
    query = audit_list.query(session, actor, asked, args, utcnow())
    found = audit_list.page(session, query)
    again = listing.number(listing.first(args, "again"), 0)
    if typed is None and again and _may_change(actor):
        typed = Typed(again, True)
    errors = list(query.errors)
    if typed is not None and typed.error and typed.pk not in {e.id for e in found.entries}:
        errors.append(typed.error)
    shown = pages.AuditPage(
        TITLE, URL, _texts(actor, asked),
        [pages.Option(v.value, label, selected=v in asked.verdicts) for v, label in STATUSES.items()],
        asked.paid, asked.differing, _verdicts(),
        [_entry(actor, e, typed if typed and typed.pk == e.id else None, args) for e in found.entries],
        [spec.label for spec in comparing.corrected()], errors,
    )  # fmt: skip
    if found.previous:
        shown.first_url = address(URL, args, ("again",))
        shown.previous_url = address(URL, args, ("again",), before=paging.encode(*found.previous))
    if found.next:
        shown.next_url = address(URL, args, ("again",), after=paging.encode(*found.next))
    return chrome.page("registration_audit.html", key=KEY, title=TITLE, page=shown)


def _may_change(actor: Actor) -> bool:
    return actor.can(*auditing.judge_again.permission_on(Assignments))


def _texts(actor: Actor, asked: Asked) -> list[pages.Field]:
    whole = "" if may_filter(LEAD["phone"], actor) else "完整手机号码"
    return [
        pages.Field(
            name, label, "text", asked.words.get(name, ""), placeholder=whole if name == "phone" else ""
        )
        for name, label in CONDITIONS.items()
    ]


def _verdicts() -> list[pages.Option]:
    return [pages.Option(e.value, e.label) for e in auditing.VERDICTS]


def _entry(actor: Actor, entry: Entry, typed: Typed | None, args: listing.Args) -> pages.AuditEntry:
    state, held, filed = entry.state, entry.held, entry.filed
    done = state["verdict"] != AuditStatus.PENDING
    shown = pages.AuditEntry(
        entry.id, f"{held['name']} {held['brand_category_id'] or ''}".strip(), entry.version,
        _html(actor, STATE["progress"], state),
        _html(actor, STATE["verdict"], state) if done else Markup("-"),
        [
            pages.AuditPair(
                held_as.name, held_as.label, _html(actor, filed_as, filed),
                _html(actor, held_as, held), held_as.name in entry.differs,
            )
            for filed_as, held_as in zip(comparing.registered(), comparing.corrected(), strict=True)
        ],
        filed["registrant_id"] or "", _said(LEAD["registered_at"], filed), state["store_id"] or "",
        remark=state["audit_remark"] or "", auditor=state["auditor_id"] or "",
        judged_at=_said(STATE["judged_at"], state),
    )  # fmt: skip
    again = done and typed is not None and typed.again
    if entry.own:
        shown.note = auditing.OWN
    elif not done or again:
        shown.url = _here(args).replace(URL, f"{URL}{entry.id}/judge", 1)
        shown.submit = (auditing.judge_again if again else auditing.judge).label
        shown.verdict = state["verdict"].value if again else ""
        shown.cancel_url = f"{_here(args)}#e{entry.id}" if again else ""
    elif _may_change(actor):
        shown.again_url = f"{_here(args, again=str(entry.id))}#e{entry.id}"
    if typed is not None:
        shown.error, shown.wrong, shown.said = typed.error, typed.wrong, typed.said
        if typed.error and shown.url:
            shown.verdict, shown.remark = typed.verdict, typed.remark
    if entry.claims is not None:
        shown.claims = _claims(actor, entry.claims.shown, entry.lead_id)
        shown.hidden_claims = entry.claims.hidden
    return shown


def _claims(actor: Actor, claims: Sequence[Claim], lead_id: int) -> list[pages.ClaimLine]:
    opens = actor.can("can_list", Registrations.view_name())
    shown = cache(lambda name, value: _html(actor, LEAD[name], {name: value}))
    return [
        pages.ClaimLine(
            claim.registrant, cells.text(LEAD["registered_at"], claim.at),
            f"/{Registrations.name}/{claim.id}" if opens else "",
            shown("progress", claim.progress), shown("audit_status", claim.audit_status),
            claim.tracks, claim.last_text, claim.id == lead_id,
        )
        for claim in claims
    ]  # fmt: skip


def _html(actor: Actor, spec: FieldSpec, values: Mapping[str, Any]) -> Markup:
    beside = [values[name] for name in spec.beside]
    return cells.html(spec, values[spec.name], actor.dealer_id, actor.epoch, utcnow(), beside)


def _said(spec: FieldSpec, values: Mapping[str, Any]) -> str:
    return cells.text(spec, values[spec.name])


VIEWS = [RegistrationAuditView]
