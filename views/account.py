"""The own account: profile, password, and the store one works in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import current_app, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_login import login_user
from markupsafe import Markup, escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import chrome, throttle
from app.engine.actions import Act, Invalid, Refusal
from app.engine.cells import DASH, tag
from app.engine.database import db, id_of, utcnow
from app.engine.deeds import deed, hold
from app.engine.localtime import local
from app.engine.pages import Field, FieldSection, FormPage, Item, Link, Option, ProfilePage, Section
from app.engine.scopes import Actor
from app.engine.security import entrance, require_actor, sign_in
from models.identity import accounts
from models.identity.passwords import LONGEST
from models.identity.roles import RoleAssignment, StaffRole
from models.identity.tables import Department, Employee, Membership, Store

WRONG_PASSWORD = "原密码不正确；连续5次错误将锁定15分钟"


class AccountView(BaseView):  # type: ignore[misc]
    """个人资料, 修改密码, 切换门店. Everybody signed in has these; no role takes them away."""

    route_base = "/profile"

    @expose("", methods=["GET"])
    @expose("/", methods=["GET"])
    def profile(self) -> ResponseReturnValue:
        """What the system knows about me."""
        actor = require_actor()
        session = db.session()
        shown = ProfilePage(
            actor.name,
            actor.name[:1] or "客",
            actor.header,
            _sections(session, actor),
            [
                Link("提醒设置", "/profile/notices", "bell-ringing"),
                Link("修改密码", "/profile/password", "key", primary=True),
            ],
        )
        if len(_places(session, actor)) > 1:
            shown.actions.insert(0, Link("切换门店", "/profile/store", "switch-horizontal"))
        return chrome.page("profile.html", key="profile", title="个人资料", page=shown)

    @expose("/password", methods=["GET", "POST"])
    def password(self) -> ResponseReturnValue:
        """A new password of one's own; other sessions end, this one goes on."""
        actor = require_actor()
        if request.method == "GET":
            return _password_page({})
        old, new = request.form.get("old", ""), request.form.get("new", "")
        if new != request.form.get("repeat", ""):
            return _password_page({"repeat": "两次输入的新密码不一致"}), 400
        throttle.spend("password", current_app.config["AUTH_RATE_LIMIT"], actor.id)
        if not current_app.appbuilder.sm.confirms(actor.id, old):
            return _password_page({"old": WRONG_PASSWORD}), 400
        try:
            _own(actor, "修改密码", lambda me, act: accounts.change_password(me, act, old, new))
        except Invalid as wrong:
            return _password_page(wrong.errors), 400
        signed = sign_in(actor.id)
        if signed is not None:
            login_user(signed)
        flash("密码已修改，其他设备上的登录已失效", "good")
        return redirect("/profile")

    @expose("/store", methods=["GET", "POST"])
    def store(self) -> ResponseReturnValue:
        """切换门店: from now on every list, number and rule is that of the chosen store (D-03)."""
        actor = require_actor()
        session = db.session()
        if request.method == "GET":
            return _store_page(session, actor)
        wanted = id_of(request.form.get("store"))
        try:
            store = _own(actor, "切换门店", lambda me, act: accounts.switch_store(me, act, wanted))
        except Refusal as refusal:
            return _store_page(session, actor, refusal.message), 400
        flash(f"已切换到 {store.code}: {store.name}", "good")
        return redirect("/")


def _own(actor: Actor, action: str, rule: Callable[[Any, Act], Any]) -> Any:
    """Let a rule change the person's own account, in one transaction with its history."""
    session = db.session()
    act = Act(actor, utcnow(), session, entrance(), action)
    with deed(act):
        return rule(hold(session, Employee, actor.id), act)


def _places(session: Session, actor: Actor) -> list[Any]:
    statement = (
        select(Store.id, Store.code, Store.name)
        .join(Membership, Membership.store_id == Store.id)
        .where(Membership.user_id == actor.id, Store.dealer_id == actor.dealer_id, Store.active.is_(True))
        .order_by(Store.code)
    )
    return list(session.execute(statement))


def _sections(session: Session, actor: Actor) -> list[Section]:
    me = session.get_one(Employee, actor.id)
    department = session.get(Department, me.department_id) if me.department_id else None
    backup = session.get(Employee, me.backup_contact_id) if me.backup_contact_id else None
    roles = session.scalars(
        select(StaffRole.label)
        .join(RoleAssignment, RoleAssignment.role_id == StaffRole.id)
        .where(RoleAssignment.user_id == actor.id)
        .order_by(StaffRole.id)
    )
    places = [f"{code}: {name}" for _, code, name in _places(session, actor)]
    last = local(me.last_login).strftime("%Y-%m-%d %H:%M") if me.last_login else ""
    return [
        Section(
            "账号",
            [
                _item("姓名", me.name),
                _item("登录名", me.username),
                _item("联系电话", me.phone),
                _item("最近登录", last),
            ],
        ),
        Section(
            "任职",
            [
                _item("所属商场", actor.dealer_name),
                _item("当前门店", f"{actor.store_code}: {actor.store_name}" if actor.store_code else ""),
                _item("部门", department.name if department else ""),
                _item("岗位", actor.position),
                _item("备用联系人", backup.name if backup else ""),
                Item("任职门店", Markup("").join(tag(p) for p in places) or DASH, wide=True),
                Item("角色", Markup("").join(tag(label) for label in roles) or DASH, wide=True),
            ],
        ),
    ]


def _item(label: str, value: str | None) -> Item:
    return Item(label, escape(value) if value else DASH)


def _password_page(errors: dict[str, str]) -> str:
    inputs = [
        Field(
            name,
            label,
            "password",
            required=True,
            maxlength=LONGEST,
            primary=first,
            error=errors.get(name, ""),
        )
        for name, label, first in (
            ("old", "原密码", True),
            ("new", "新密码", False),
            ("repeat", "再次输入新密码", False),
        )
    ]
    shown = FormPage("修改密码", "/profile/password", [FieldSection("", inputs)], "保存", "/profile")
    return chrome.page("password.html", key="profile", title="修改密码", page=shown)


def _store_page(session: Session, actor: Actor, error: str = "") -> str:
    options = [
        Option(str(i), f"{code}: {name}", selected=i == actor.store_id)
        for i, code, name in _places(session, actor)
    ]
    choice = Field("store", "门店", "choice", required=True, options=options, error=error)
    shown = FormPage(
        "切换门店", "/profile/store", [FieldSection("", [choice])], "切换", "/profile",
        intro="切换后，列表、数字和提醒都以所选门店为准。",
    )  # fmt: skip
    return chrome.page("form.html", key="profile", title="切换门店", page=shown)


VIEWS = [AccountView]
