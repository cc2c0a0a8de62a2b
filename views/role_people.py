"""角色人员: who has a role, with a search for those who shall get it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import or_, select

from app.engine import chrome
from app.engine.actions import Act, Forbidden, NotFound, Refusal
from app.engine.database import PK, db, id_of, utcnow
from app.engine.deeds import deed
from app.engine.rolepages import RoleFace, RoleMember, RolePeople
from app.engine.scopes import Actor, visible
from app.engine.security import entrance
from models.identity import contacts, role_people
from models.identity.asides import why
from models.identity.resources import Employees, Roles
from models.identity.roles import RoleAssignment, StaffRole
from models.identity.rules import is_group
from models.identity.tables import Employee, Position, Store
from views.role_drafts import LABEL, URL, allowed, stored

_SHOWN = 200


class RolePeopleView(BaseView):  # type: ignore[misc]
    """Give a role to several people, and relieve others of it (A-114)."""

    route_base = URL

    @expose(f"/{PK}/people", methods=["GET", "POST"])
    def people(self, pk: int) -> ResponseReturnValue:
        """The list with its two buttons; nothing of it is done by halves."""
        actor = allowed("can_list", LABEL)
        if not actor.can("can_list", Employees.view_name()):
            raise Forbidden(Employees.titled(), seeing=True)
        draft = stored(actor, pk)
        role: Any = draft.role
        if request.method == "GET":
            return _page(actor, role)
        if _reason(actor, role):
            raise Forbidden(f"编辑{Employees.label}")
        act = Act(actor, utcnow(), db.session(), entrance(), "update")
        adding = [i for i in map(id_of, request.form.getlist("add")) if i]
        removing = [i for i in map(id_of, request.form.getlist("remove")) if i]
        try:
            if not (adding or removing):
                raise Refusal("请先勾选人员")
            with deed(act):
                changed = role_people.change(act, role, adding, removing)
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            return _page(actor, role, [refusal.message]), refusal.status
        said = f"已为 {changed} 人{'分配' if adding else '移除'}角色“{role.label}”，对方下一次点击即生效"
        flash(said if changed else "没有改动", "good")
        return redirect(f"{URL}/{pk}/people")


def _reason(actor: Actor, role: StaffRole) -> str:
    """Why the person may only look; empty for those who may change it."""
    if not actor.can("can_edit", Employees.view_name()):
        return "您可以查看拥有此角色的人员，但不能修改。"
    return "" if role.assignable or is_group(actor) else "此角色只能由集团分配。"


def _page(actor: Actor, role: StaffRole, errors: list[str] | None = None) -> str:
    q = request.values.get("q", "").strip()[:64]
    held = select(RoleAssignment.user_id).where(RoleAssignment.role_id == role.id)
    members, more = _found(actor, Employee.id.in_(held))
    shown = RolePeople(
        f"{role.label}的人员",
        f"{URL}/{role.id}/people",
        role.label,
        f"{URL}/{role.id}",
        q=q,
        members=members,
        reason=_reason(actor, role),
        errors=errors or [],
        more=f"仅显示前{_SHOWN}人，其余请在组织人员管理中查看" if more else "",
    )
    if not shown.reason:
        named = (
            or_(Employee.name.contains(q, autoescape=True), Employee.username.contains(q, autoescape=True))
            if q
            else None
        )
        others = [Employee.id.not_in(held), Employee.active.is_(True)]
        if role.dealer_id is not None:
            others.append(Employee.dealer_id == role.dealer_id)
        shown.others, _ = _found(actor, *others, *([named] if named is not None else []))
    if contacts.is_contact_role(role):
        shown.shows, (shown.faces, shown.nobody) = True, _faces(actor)
    return chrome.page("role_people.html", key=Roles.name, title=shown.title, page=shown)


def _faces(actor: Actor) -> tuple[list[RoleFace], str]:
    """Whom consumers see: those of the own dealer, for the group those of every dealer."""
    session = db.session()
    if actor.dealer_id is not None and not actor.beyond_dealer:
        mine = contacts.after_sales_contacts(session, actor.dealer_id)
        return ([_face("", mine)], "") if mine else ([], contacts.NOBODY)
    found = contacts.contacts_everywhere(session)
    without = sum(1 for people in found.values() if not people)
    nobody = f"{without} 家商场没有对接人，其消费者看到：{contacts.NOBODY}" if without else ""
    return [_face(name, people) for name, people in found.items() if people], nobody


def _face(of: str, people: Sequence[contacts.ServiceContact]) -> RoleFace:
    return RoleFace(of, [(p.name, p.number, f"/employees/{p.id}") for p in people])


def _found(actor: Actor, *where: Any) -> tuple[list[RoleMember], bool]:
    rows = db.session.execute(
        select(Employee.id, Employee.name, Employee.username, Employee.active, Position.name, Store.name)
        .outerjoin(Position, Position.id == Employee.position_id)
        .outerjoin(Store, Store.id == Employee.store_id)
        .where(visible(Employees, actor), *where)
        .order_by(Employee.id)
        .limit(_SHOWN + 1),
        actor.params,
    ).all()
    people = [
        RoleMember(
            i,
            name or login,
            " · ".join(p for p in (login, position, store, "" if active else "已停用") if p),
            f"/employees/{i}",
            why(person=i),
        )
        for i, name, login, active, position, store in rows[:_SHOWN]
    ]
    return people, len(rows) > _SHOWN


VIEWS = [RolePeopleView]
