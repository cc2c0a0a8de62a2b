"""权限说明: for a person and a list, record, action or field, which role decides it and how."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import func, or_, select

from app.engine import chrome, perform
from app.engine.actions import Forbidden, NotFound
from app.engine.changes import spec_of
from app.engine.database import db, id_of
from app.engine.faces import faced
from app.engine.fields import FieldSpec, describe
from app.engine.pages import Option
from app.engine.permissions import PermissionDef, all_permissions
from app.engine.resource import Group, Resource, resources
from app.engine.resource import resource as named
from app.engine.rolepages import WhyLine, WhyPage
from app.engine.scopes import Actor, visible
from app.engine.security import require_actor
from models.identity import role_rules, why
from models.identity.asides import SEES_ROLES, WHY
from models.identity.menu_groups import ORGANISATION
from models.identity.resources import Employees
from models.identity.rights import load_actor
from models.identity.tables import Employee

TITLE = "权限说明"
_OFFERED = 200
"""So many people are suggested while typing; others are found by their full name."""
_FIELD = "field:"

chrome.add_entry(chrome.Entry(ORGANISATION, "why", TITLE, WHY, "help", 908, SEES_ROLES))


@dataclass
class Asked:
    """What was asked, as far as it was understood; ``errors`` say what was not."""

    person: Actor | None = None
    typed: str = ""
    shown: type[Resource] | None = None
    record: str = ""
    record_id: int = 0
    what: str = ""
    permission: PermissionDef | None = None
    spec: FieldSpec | None = None
    errors: list[str] = field(default_factory=list)


class WhyView(BaseView):  # type: ignore[misc]
    """组织权限管理 → 权限说明."""

    route_base = "/why"

    @expose("/", methods=["GET"])
    def page(self) -> ResponseReturnValue:
        """The question as a form, and its answer step by step."""
        actor = require_actor()
        if not actor.can(*SEES_ROLES):
            raise Forbidden(TITLE, seeing=True)
        asked = _asked(actor)
        shown = WhyPage(
            TITLE,
            WHY,
            person=asked.typed,
            people=_suggested(actor),
            lists=_lists(asked),
            record=asked.record,
            what=_what(asked),
            errors=asked.errors,
        )
        if asked.person is not None and not asked.errors:
            _answer(shown, asked)
        return chrome.page("why.html", key="why", title=TITLE, page=shown)


# ----- the question


def _asked(actor: Actor) -> Asked:
    given = request.args
    found = Asked(typed=given.get("person", "").strip()[:128])
    if found.typed:
        _find_person(actor, found)
    name = given.get("list", "")
    known = named(name) if name else None
    found.shown = faced(known, actor.dealer_id) if known is not None else None
    if name and (found.shown is None or not found.shown.columns):
        found.shown = None
        found.errors.append("没有这个列表")
    found.record = given.get("record", "").strip()[:64]
    if found.record and found.shown is not None:
        _find_record(actor, found, found.shown)
    elif found.record:
        found.errors.append("请选择记录所在的列表")
    found.what = given.get("what", "")[:128]
    if found.what and found.shown is not None:
        _find_what(found, found.shown)
    return found


def _find_person(actor: Actor, asked: Asked) -> None:
    """By number, login name, or full name; only people of the own dealer."""
    name, _, login = asked.typed.partition("（")
    words = login.rstrip("）").strip() or name.strip()
    by_number = Employee.id == id_of(words) if id_of(words) else Employee.username == words
    rows = db.session.execute(
        select(Employee.id, Employee.name, Employee.username)
        .where(visible(Employees, actor), or_(by_number, Employee.username == words, Employee.name == words))
        .order_by(Employee.id)
        .limit(3),
        actor.params,
    ).all()
    if not rows:
        asked.errors.append("没有找到这个人，请输入本商场员工的姓名或登录名")
    elif len(rows) > 1:
        asked.errors.append(f"有几个人叫“{words}”，请输入登录名：{'、'.join(r.username for r in rows)}")
    else:
        asked.typed = f"{rows[0].name or rows[0].username}（{rows[0].username}）"
        asked.person = load_actor(db.session(), rows[0].id)
        if asked.person is None:
            asked.errors.append("该账号已停用，不能登录，因此什么也看不到")


def _find_record(actor: Actor, asked: Asked, shown: type[Resource]) -> None:
    """By number, or by the code that people read; what the one who asks cannot see is not explained."""
    record_id = id_of(asked.record)
    if shown.code is not None and not record_id:
        by_code = select(shown.pk()).where(shown.code == asked.record, visible(shown, actor)).limit(1)
        record_id = db.session.scalar(by_code, actor.params) or 0
    try:
        if not actor.can("can_list", shown.view_name()):
            raise NotFound
        perform.find(db.session(), shown, record_id, actor)
    except NotFound as missing:
        asked.errors.append(missing.message)
    else:
        asked.record_id = record_id


def _find_what(asked: Asked, shown: type[Resource]) -> None:
    if asked.what.startswith(_FIELD):
        asked.spec = next((s for s in _fields(shown) if s.name == asked.what.removeprefix(_FIELD)), None)
    else:
        asked.permission = next((p for p in _of(shown) if role_rules.key_of(p.pair) == asked.what), None)
    if asked.spec is None and asked.permission is None:
        asked.what = ""


def _fields(shown: type[Resource]) -> list[FieldSpec]:
    sources = [*shown.columns, *(f for g in shown.detail if isinstance(g, Group) for f in g.fields)]
    found = (s if s in shown.added else spec_of(shown.name, s.name) for s in map(describe, sources))
    return list({s.name: s for s in found if s is not None}.values())


def _of(shown: type[Resource]) -> list[PermissionDef]:
    """The permissions that decide about this list: its own, and those of its actions elsewhere."""
    elsewhere = {a.permission_on(shown) for a in shown.actions}
    return [p for p in all_permissions() if p.resource_name == shown.name or p.pair in elsewhere]


# ----- the answer


def _answer(page: WhyPage, asked: Asked) -> None:
    session, person = db.session(), asked.person
    assert person is not None
    roles = why.roles_of(session, person.id)
    page.roles = [Option(f"/roles/{r.id}", r.label) for r in roles]
    page.who = person.called
    if not roles:
        page.lines.append(WhyLine(False, "此人没有任何有效的角色"))
    steps: list[tuple[str, why.Answer]] = []
    if asked.shown is not None:
        steps.append(("列表", why.page(session, person, roles, asked.shown)))
        if asked.record_id:
            steps.append(("记录", why.record(session, person, roles, asked.shown, asked.record_id)))
        else:
            steps.append(("数据范围", why.rows(session, person, roles, asked.shown)))
    if asked.permission is not None and asked.permission.permission != "can_list":
        steps.append(("操作", why.permission(session, person, roles, asked.permission)))
    if asked.spec is not None:
        steps.append(("字段", why.field_of(session, person, roles, asked.spec)))
    page.lines += [
        WhyLine(a.yes, a.text, step, [Option(f"/roles/{r.id}", r.label) for r in a.roles])
        for step, a in steps
    ]
    if steps:
        page.yes = all(a.yes for _, a in steps)
        page.verdict = _verdict(asked, person.called, page.yes)


def _verdict(asked: Asked, who: str, yes: bool) -> str:
    shown = asked.shown
    assert shown is not None
    place = f"这条{shown.label}" if asked.record_id else shown.label
    may = "可以" if yes else "不能"
    if asked.spec is not None:
        return f"{who}{may}看到{place}的{asked.spec.label}"
    if asked.permission is not None and asked.permission.permission != "can_list":
        return f"{who}{may}对{place}执行“{asked.permission.label}”"
    return f"{who}{may}看到{place}"


# ----- drawing


def _suggested(actor: Actor) -> list[str]:
    rows = db.session.execute(
        select(Employee.name, Employee.username)
        .where(visible(Employees, actor), Employee.active.is_(True))
        .order_by(func.lower(Employee.username))
        .limit(_OFFERED),
        actor.params,
    )
    return [f"{name or username}（{username}）" for name, username in rows]


def _lists(asked: Asked) -> list[Option]:
    shown = [r for r in resources() if r.columns]
    return [Option(r.name, r.titled(), selected=r is asked.shown) for r in shown]


def _what(asked: Asked) -> list[Option]:
    if asked.shown is None:
        return []
    found = [
        Option(key, p.label, selected=key == asked.what, group="操作")
        for p in _of(asked.shown)
        for key in [role_rules.key_of(p.pair)]
    ]
    for spec in _fields(asked.shown):
        key = f"{_FIELD}{spec.name}"
        found.append(Option(key, spec.label, selected=key == asked.what, group="字段"))
    return found


VIEWS = [WhyView]
