"""谁能看到: the roles of a dealer beside one list or one field of it, each with its switch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import or_, select

from app.engine import chrome, history
from app.engine.actions import Act, Forbidden, NotFound, Refusal, Stale
from app.engine.changes import field_of
from app.engine.database import db, id_of, utcnow
from app.engine.deeds import deed
from app.engine.fields import FieldSpec
from app.engine.guards import Guard
from app.engine.listing import number
from app.engine.pages import Difference, Option
from app.engine.resource import Resource
from app.engine.resource import resource as named
from app.engine.rolepages import Effect, Reacher, ReachPage
from app.engine.scopes import Actor, Scope, visible
from app.engine.security import entrance, require_actor
from models.identity import reach
from models.identity.asides import WHO, who
from models.identity.delegation import manages_roles
from models.identity.reach import Held, Reach, Wish
from models.identity.resources import Roles
from models.identity.roles import RoleKind, StaffRole
from models.identity.rules import is_group
from models.identity.tables import Dealer

_TAKEN_BACK = "reach"
"""Where the session keeps what the last change replaced."""
_SEES = {True: "能看到", False: "看不到"}


@dataclass(frozen=True)
class Asked:
    """What the page is about: a list, or a guarded field of it, in one dealer."""

    resource: type[Resource]
    spec: FieldSpec | None
    guard: Guard | None
    dealer_id: int | None


class RoleReachView(BaseView):  # type: ignore[misc]
    """谁能看到."""

    route_base = "/roles"

    @expose("/who", methods=["GET", "POST"])
    def who(self) -> ResponseReturnValue:
        """The roles with their switches; saved for all of them together."""
        actor = require_actor()
        if not manages_roles(actor):
            raise Forbidden(f"编辑{Roles.label}")
        asked = _asked(actor)
        if request.method == "GET":
            return _page(actor, asked)
        act = Act(actor, utcnow(), db.session(), entrance(), "update")
        wishes = _wishes()
        try:
            with deed(act):
                changed = reach.apply(act, asked.resource, asked.guard, wishes)
        except (Forbidden, NotFound):
            raise
        except Stale:
            return _page(actor, asked, {w.role_id: w for w in wishes}, late=True), 409
        except Refusal as refusal:
            return _page(actor, asked, {w.role_id: w for w in wishes}, refusal.message), 400
        session.pop(_TAKEN_BACK, None)
        if request.form.get("step") == "undo":
            flash("已撤销，角色恢复为修改前的设置", "good")
        elif not changed:
            flash("没有改动", "good")
        else:
            names = "、".join(c.label for c in changed)
            flash(f"已保存：{names}，对方下一次点击即生效", "good")
            session[_TAKEN_BACK] = {
                "list": asked.resource.name,
                "field": asked.spec.name if asked.spec is not None else "",
                "roles": [[c.role_id, c.version, _packed(c.before)] for c in changed],
            }
        return redirect(_address(asked))


def _asked(actor: Actor) -> Asked:
    given = request.values
    resource = named(given.get("list", ""))
    if resource is None or not resource.columns or not actor.can("can_list", resource.view_name()):
        raise NotFound
    dealer_id = actor.dealer_id
    if dealer_id is None:
        dealer_id = id_of(given.get("dealer")) or db.session.scalar(select(Dealer.id).order_by(Dealer.id))
    name = given.get("field", "")
    spec = field_of(resource.name, name, dealer_id) if name else None
    if name and spec is None:
        raise NotFound
    return Asked(resource, spec, spec.guard if spec is not None else None, dealer_id)


def _address(asked: Asked) -> str:
    address = who(asked.resource, asked.spec.name if asked.spec is not None else "")
    own = require_actor().dealer_id
    return address if own is not None or asked.dealer_id is None else f"{address}&dealer={asked.dealer_id}"


def _packed(held: Held) -> str:
    return f"{int(held.page)}|{','.join(sorted(s.value for s in held.scopes))}|{int(held.ticked)}"


def _unpacked(text: str) -> Held | None:
    page, scopes, ticked = (*text.split("|"), "", "")[:3]
    known = {s.value: s for s in Scope}
    names = [n for n in scopes.split(",") if n]
    if any(n not in known for n in names):
        return None
    return Held(page == "1", frozenset(known[n] for n in names), ticked == "1")


def _wishes() -> list[Wish]:
    """What was changed on the form: a role left as it was shown is none of this person's business."""
    form, found = request.form, []
    for role_id in dict.fromkeys(map(id_of, form.getlist("role")[:500])):
        version = number(form.get(f"version.{role_id}", ""), 0)
        before = form.get(f"before.{role_id}")
        if before is not None:
            found.append(Wish(role_id, version, exact=_unpacked(before)))
            continue
        wanted, was = form.get(f"reach.{role_id}", ""), form.get(f"was.{role_id}", "")
        chosen = next((r for r in Reach if r.value == wanted and wanted != was), None)
        sees, saw = form.get(f"reads.{role_id}") == "1", form.get(f"read.{role_id}")
        turned = saw is not None and sees is not (saw == "1")
        if chosen is not None or turned:
            found.append(Wish(role_id, version, chosen, reads=sees if turned else None))
    return [w for w in found if w.role_id]


# ----- drawing


def _page(
    actor: Actor,
    asked: Asked,
    chosen: dict[int, Wish] | None = None,
    error: str = "",
    *,
    late: bool = False,
) -> str:
    rows = db.session()
    roles = rows.scalars(
        select(StaffRole)
        .where(visible(Roles, actor), StaffRole.label != "")
        .where(or_(StaffRole.dealer_id == asked.dealer_id, StaffRole.dealer_id.is_(None)))
        .order_by(StaffRole.dealer_id.is_(None), StaffRole.id),
        actor.params,
    ).all()
    ids = [r.id for r in roles]
    held = reach.held_by(rows, ids, asked.resource, asked.guard)
    people = reach.people_by_role(rows, ids, asked.dealer_id)
    wishes = chosen or {}
    shown = ReachPage(
        f"谁能看到{asked.spec.label}" if asked.spec is not None else f"谁能看到{asked.resource.label}",
        WHO,
        asked.resource.name,
        asked.resource.titled(),
        f"/{asked.resource.name}/",
        field=asked.spec.name if asked.spec is not None else "",
        column=_column(asked),
        note=_note(asked),
        error=error,
        roles=[
            _line(actor, asked, role, held, people, wishes.get(role.id)) for role in roles
        ],
        other_url=who(asked.resource) if asked.spec is not None else "",
        dealers=_dealers(actor, asked),
        dealer=str(asked.dealer_id or ""),
        undo=_undo(asked),
    )  # fmt: skip
    if late:
        shown.conflict, shown.theirs_url = _both(asked, shown.roles, wishes), _address(asked)
        shown.error = "" if shown.conflict else Stale().message
    return chrome.page("who.html", key=asked.resource.name, title=shown.title, page=shown)


def _both(asked: Asked, lines: Sequence[Reacher], wishes: dict[int, Wish]) -> list[Difference]:
    """What this person wished for roles that somebody else has changed meanwhile, beside what they hold now."""
    found = []
    for line in lines:
        wish = wishes.get(line.id)
        if wish is None or wish.version == line.version:
            continue
        if asked.guard is not None and wish.reads is not None:
            mine, theirs = (_SEES[seen] for seen in (wish.reads, line.read))
        elif wish.reach is not None:
            mine, theirs = wish.reach.label, Reach.of(line.now).label
        else:
            continue
        found.append(Difference(line.label, mine, theirs, history.last_writer(Roles.name, line.id)))
    return found


def _column(asked: Asked) -> str:
    if asked.spec is None:
        return "能看到的记录"
    return f"能看到{asked.spec.label}"


def _note(asked: Asked) -> str:
    if asked.spec is None:
        return "同时拥有几个角色的员工，看到各角色范围之和。"
    if asked.guard is None:
        return f"“{asked.spec.label}”没有单独的权限：能看到记录的人都能看到它。可在此设置各角色能看到的记录。"
    if asked.guard.restricting:
        return f"开关对应限制性权限“{asked.guard.label}”：员工的任一角色被限制，就看不到完整的{asked.spec.label}。"
    return f"开关对应权限“{asked.guard.label}”：员工的任一角色有此权限，就能看到{asked.spec.label}。"


def _line(
    actor: Actor,
    asked: Asked,
    role: StaffRole,
    held: dict[int, Held],
    people: dict[int, set[int]],
    wish: Wish | None,
) -> Reacher:
    mine = held[role.id]
    now = reach.reach_of(asked.resource, mine)
    wanted = wish.reach if wish is not None and wish.reach is not None else now
    line = Reacher(
        role.id, role.label, f"/roles/{role.id}", role.version, len(people.get(role.id, ())),
        locked="由集团维护" if role.kind is RoleKind.GROUP and not is_group(actor) else "",
    )  # fmt: skip
    if asked.guard is not None:
        line.read = reach.reads(asked.guard, mine)
        line.reads = wish.reads if wish is not None and wish.reads is not None else line.read
        moved = reach.moved_by_field(asked.guard, role.id, held, people)
        line.effects = [Effect("", _said(moved, line.people, not line.read, asked))]
        return line
    line.now = now.value
    line.was = (
        "、".join(asked.resource.scope_label(s) for s in Scope if s in mine.scopes) if mine.page else ""
    )
    line.options = [
        Option(r.value, r.label, selected=r is wanted) for r in reach.choices(asked.resource, actor)
    ]
    if now.value not in {o.value for o in line.options}:
        line.options.append(Option(now.value, now.label, selected=True))
    label = asked.resource.label
    words = {
        Reach.NONE: f"看不到{label}", Reach.OWN: f"只看到自己的{label}", Reach.STORE: f"看到本店的{label}",
        Reach.DEALER: f"看到全部{label}",
    }  # fmt: skip
    for option in line.options:
        if option.value != now.value:
            wished = Reach.of(option.value)
            moved = reach.moved_by_reach(asked.resource, role.id, wished, held, people)
            line.effects.append(Effect(option.value, _moved(moved, line.people, words[wished])))
    return line


def _moved(moved: int, people: int, words: str) -> str:
    rest = f"，{people - moved} 人因其他角色不变" if people > moved else ""
    return f"{moved} 人将{words}{rest}" if moved else f"没有员工受影响{rest.replace('，', '：')}"


def _said(moved: int, people: int, sees: bool, asked: Asked) -> str:
    label = asked.spec.label if asked.spec is not None else ""
    return _moved(moved, people, f"{'可以看到' if sees else '看不到完整的'}{label}")


def _dealers(actor: Actor, asked: Asked) -> Sequence[Option]:
    """The group chooses whose roles it looks at."""
    if actor.dealer_id is not None:
        return []
    found = db.session.execute(select(Dealer.id, Dealer.name).order_by(Dealer.id))
    return [Option(str(i), name, selected=i == asked.dealer_id) for i, name in found]


def _undo(asked: Asked) -> list[tuple[str, str]]:
    """The hidden fields of the form that takes the last change of this list back."""
    kept: dict[str, Any] = session.get(_TAKEN_BACK) or {}
    field = asked.spec.name if asked.spec is not None else ""
    if kept.get("list") != asked.resource.name or kept.get("field") != field:
        return []
    found = []
    for role_id, version, before in kept["roles"]:
        found += [("role", str(role_id)), (f"version.{role_id}", str(version)), (f"before.{role_id}", before)]
    return found


VIEWS = [RoleReachView]
