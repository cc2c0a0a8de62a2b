"""The wizard that hands a person's customers over: who, which customers, to whom, what it comes to (A-49)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from app.engine import chrome, detail, listing, presenting
from app.engine.actions import Act, NotFound, Refusal
from app.engine.addresses import arguments
from app.engine.database import db, id_of, utcnow
from app.engine.deeds import AlreadyDone, deed, only_once
from app.engine.pages import HandoverPage, Load, Option, Refused, Step, Successor
from app.engine.scopes import Actor, scopes_of
from app.engine.security import entrance, require_actor
from models.customers import friends, handover
from models.customers.admin_resources import Handovers
from models.customers.handover_tables import HandoverKind
from models.customers.resources import Customers
from models.identity.tables import Employee
from views import handover_result

URL = f"{handover.PAGE}/"
LISTED = 200
"""Customers shown to tick; more are reached by a narrower filter, or taken all at once."""
HELD = 200
"""Customers shown that stay because they need approval."""
STEPS = {"who": "交接人", "customers": "客户", "people": "接手人", "preview": "预览"}
_COLUMNS = ("code", "name", "phone", "level", "stage", "store_id", "last_follow_up_text", "next_follow_up_at")
_OWN = ("kind", "person", "step", "ids", "all", "id", "to", "words", "csrf_token", "_once")


@dataclass
class Draft:
    """What the person has said so far."""

    actor: Actor
    kind: HandoverKind
    person: Employee | None = None
    ids: list[int] = field(default_factory=list)
    everything: bool = False
    to: list[int] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the next step is told."""
        found = [("kind", self.kind.value)]
        if self.person is not None:
            found.append(("person", str(self.person.id)))
        if self.everything:
            found.append(("all", "1"))
        elif self.ids:
            found.append(("ids", ",".join(map(str, self.ids))))
        return found


class HandoverView(BaseView):  # type: ignore[misc]
    """离职继承 and 在职继承."""

    route_base = handover.PAGE

    @expose("/", methods=["GET"])
    @expose("/<kind>", methods=["GET"])
    def choose(self, kind: str = "") -> ResponseReturnValue:
        """The first two steps, which only look: who hands over, and which customers."""
        draft = _draft(require_actor(), kind or request.args.get("kind", ""))
        _from_the_list(draft)
        if draft.person is None:
            return _who(draft)
        if draft.ids or draft.everything:
            return _people(draft)
        return _customers(draft)

    @expose("/", methods=["POST"])
    def go_on(self) -> ResponseReturnValue:
        """The later steps; nothing is changed before the last of them is submitted."""
        draft = _draft(require_actor(), request.form.get("kind", ""))
        if draft.person is None:
            return _who(draft), 400
        if not _count_customers(draft):
            return _customers(draft), 400
        step = request.form.get("step", "")
        if step in ("customers", "search"):
            return _people(draft)
        try:
            given = handover.spread(draft.ids, draft.to, draft.counts)
            refusal = handover.lock_out_refusal(draft.actor, draft.person)
            if draft.kind is HandoverKind.DEPARTED and refusal:
                raise Refusal(refusal)
            if step != "submit":
                return _preview(draft, given)
            return _submit(draft, given)
        except AlreadyDone as done:
            return redirect(done.url)
        except NotFound:
            raise
        except Refusal as refusal:
            draft.errors.append(refusal.message)
            return _people(draft), refusal.status


def _draft(actor: Actor, kind: str) -> Draft:
    """What was sent, understood; raises `Forbidden` without the right to hand over in that way."""
    offered = handover.kinds(actor)
    wanted = (
        next((k for k in HandoverKind if k.value == kind), None) or (offered or [HandoverKind.STAYING])[0]
    )
    handover.require_kind(actor, wanted)
    given = request.form if request.method == "POST" else request.args
    draft = Draft(actor, wanted)
    person_id = id_of(given.get("person"))
    if person_id:
        draft.person = handover.giver(db.session(), actor, person_id)
    draft.everything = given.get("all") == "1" and draft.person is not None
    typed = [*given.get("ids", "").split(","), *given.getlist("id")]
    draft.ids = list(dict.fromkeys(i for i in map(id_of, typed) if i))[: handover.MOST]
    draft.to = list(dict.fromkeys(i for i in map(id_of, given.getlist("to")) if i))[
        : handover.MOST_SUCCESSORS
    ]
    for one in draft.to:
        typed_count = given.get(f"count.{one}", "").strip()
        if typed_count.isascii() and typed_count.isdigit() and len(typed_count) < 7:
            draft.counts[one] = int(typed_count)
    return draft


def _from_the_list(draft: Draft) -> None:
    """Customers ticked in the list before the function was chosen: their consultant hands them over."""
    args = request.args.to_dict(flat=False)
    if draft.person is None and args.get("all") == ["1"]:
        query = listing.parse(Customers, draft.actor, arguments(args), utcnow(), db.engine.dialect.name)
        draft.ids = detail.matching(db.session(), query, handover.MOST)
    if draft.person is not None or not draft.ids:
        return
    found = handover.owners(db.session(), draft.actor, draft.ids)
    if len(found) == 1:
        draft.person = handover.giver(db.session(), draft.actor, next(iter(found)))
        _count_customers(draft)
    elif found:
        draft.notes.append(f"所选客户属于{len(found)}位导购，一次交接一位，请选择交接人")
    else:
        draft.ids = []
        draft.errors.append("所选客户都没有导购，或已失效")


def _count_customers(draft: Draft) -> bool:
    """Keep of what was chosen the customers that the person can give; False when none is left."""
    assert draft.person is not None
    asked = len(draft.ids)
    try:
        wanted = None if draft.everything else draft.ids
        found = handover.theirs(db.session(), draft.actor, draft.person.id, wanted)
    except Refusal as refusal:
        draft.errors.append(refusal.message)
        return False
    if not found:
        draft.errors.append("请勾选要交接的客户，或使用一键处理")
    elif not draft.everything and len(found) < asked:
        draft.notes.append(f"其中{asked - len(found)}位不是{draft.person.name}的客户或已失效，不在本次交接中")
    draft.ids = found
    return bool(found)


# ----- the steps


def _page(draft: Draft, step: str) -> HandoverPage:
    names = list(STEPS)
    at = names.index(step)
    steps = [
        Step(f"{n + 1} {label}", "on" if n == at else "past" if n < at else "")
        for n, label in enumerate(STEPS.values())
    ]
    shown = HandoverPage(
        draft.kind.label, step, steps, URL, draft.hidden, draft.errors, draft.notes,
        history_url="/handovers/" if draft.actor.can("can_list", Handovers.view_name()) else "",
    )  # fmt: skip
    if draft.person is not None:
        shown.person = draft.person.name
    return shown


def _render(shown: HandoverPage) -> str:
    return chrome.page("handover.html", key=Customers.name, title=shown.title, page=shown)


def _who(draft: Draft) -> str:
    """Step 1: in which way, and who hands over."""
    shown = _page(draft, "who")
    shown.hidden = [(name, value) for name, value in draft.hidden if name != "kind"]
    shown.kinds = [Option(k.value, k.label, selected=k is draft.kind) for k in handover.kinds(draft.actor)]
    known = handover.owners(db.session(), draft.actor, draft.ids) if draft.ids else {}
    shown.people = [
        Option(str(pk), name if active else f"{name}（已停用）")
        for pk, name, active in handover.givers(db.session(), draft.actor)
        if not known or pk in known
    ]
    return _render(shown)


def _customers(draft: Draft) -> str:
    """Step 2: which of the person's customers, ticked in a filtered list or all of them (A-50)."""
    assert draft.person is not None
    session, actor = db.session(), draft.actor
    asked = arguments(request.args.to_dict(flat=False)) if request.method == "GET" else {}
    args = {name: values for name, values in asked.items() if name not in _OWN}
    args |= {"owner_id": [str(draft.person.id)], "window": ["all"]}
    query = listing.parse(Customers, actor, args, utcnow(), db.engine.dialect.name)
    query.scope, query.scopes, query.per_page = None, scopes_of(Customers, actor), LISTED
    rows = presenting.list_page(session, Customers, actor, query, _COLUMNS)
    rows.url, rows.clear_url = URL, _customers_url(draft)
    rows.hidden = [("kind", draft.kind.value), ("person", str(draft.person.id))]
    rows.filters = [f for f in rows.filters if f.name != "owner_id"]
    draft.ids, draft.everything = [], False
    shown = _page(draft, "customers")
    shown.previous_url = f"{URL}?kind={draft.kind.value}"
    shown.customers = rows
    shown.total = len(handover.theirs(session, actor, draft.person.id))
    return _render(shown)


def _customers_url(draft: Draft) -> str:
    assert draft.person is not None
    return f"{URL}?kind={draft.kind.value}&person={draft.person.id}"


def _people(draft: Draft) -> str:
    """Step 3: to whom, beside what each of them holds now."""
    assert draft.person is not None
    shown = _page(draft, "people")
    shown.previous_url = _customers_url(draft)
    shown.total, shown.headings = len(draft.ids), handover.labels()
    shown.words = request.form.get("words", "").strip()[:40]
    people = handover.successors(db.session(), draft.actor, draft.person, shown.words, draft.to)
    shown.successors = _successors(draft, people, {})
    return _render(shown)


def _preview(draft: Draft, given: dict[int, int]) -> str:
    """Step 4: what each successor holds before and after, and what goes along."""
    assert draft.person is not None
    people = handover.successors(db.session(), draft.actor, draft.person, "", draft.to)
    chosen = [p for p in people if p.id in draft.to]
    if len(chosen) < len(draft.to):
        raise Refusal("所选接手人不存在、已停用或不属于本商场，请重新选择")
    act = Act(draft.actor, utcnow(), db.session(), entrance(), draft.kind.label)
    held = handover.held(act, draft.kind, given, len(given))
    going = {customer: person for customer, person in given.items() if customer not in held}
    shown = _page(draft, "preview")
    shown.total, shown.headings = len(going), handover.labels()
    shown.successors = _successors(draft, chosen, going)
    shown.hidden += [("to", str(p)) for p in draft.to]
    shown.hidden += [(f"count.{p}", str(n)) for p, n in draft.counts.items()]
    shown.hidden.append(("_once", secrets.token_urlsafe(16)))
    if held:
        shown.notes.append(f"其中{len(held)}位需要审批，不在本次交接中，列在下方")
        shown.stays = _held(draft, held)
        shown.more_stay = len(held) - len(shown.stays)
    shown.notes += [friends.NOTE, "未完成的任务随客户转给接手人，已完成的任务保留原姓名"]
    if draft.kind is HandoverKind.DEPARTED and draft.person.active:
        shown.notes.append(f"提交后{draft.person.name}的账号立即停用，不能再登录，也不能再被选择")
    shown.confirm = (
        f"确认将{draft.person.name}的{len(going)}位客户交接给{'、'.join(p.name for p in chosen)}？"
    )
    return _render(shown)


def _held(draft: Draft, held: Mapping[int, str]) -> list[Refused]:
    """The customers that stay, by name."""
    names = detail.labels(db.session(), Customers, list(held)[:HELD], draft.actor)
    return [Refused(names[i], held[i], f"/customers/{i}") for i in held if i in names]


def _successors(draft: Draft, people: Sequence[Employee], given: dict[int, int]) -> list[Successor]:
    assert draft.person is not None
    session = db.session()
    balances = handover.balances(session, [p.id for p in people], draft.person.id, given)
    notes = handover.places(session, [p.id for p in people])
    return [
        Successor(
            p.id, p.name, notes.get(p.id, ""),
            [Load(balance.before[name], balance.gain.get(name, 0)) for name in handover.labels()],
            p.id in draft.to, str(draft.counts.get(p.id, "")),
        )
        for p, balance in zip(people, balances, strict=True)
    ]  # fmt: skip


def _submit(draft: Draft, given: dict[int, int]) -> ResponseReturnValue:
    """Put it down, do the first pieces at once, and show what came of them."""
    assert draft.person is not None
    session, token = db.session(), request.form.get("_once", "")[:64]
    act = Act(draft.actor, utcnow(), session, entrance(), draft.kind.label)
    with deed(act, token):
        only_once(session, token, draft.actor.id)
        made = handover.submit(act, draft.kind, draft.person.id, given, token)
    handover_result.carry_on(made.id)
    return redirect(f"/handovers/{made.id}")


VIEWS = [HandoverView, *handover_result.VIEWS]
