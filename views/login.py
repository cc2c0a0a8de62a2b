"""The way in and out."""

from __future__ import annotations

from flask import current_app, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_login import login_user

from app.engine import pages, throttle
from app.engine.security import current_actor, sign_out
from views import replay

WRONG = "账号或密码不正确；连续5次错误将锁定15分钟"


class LoginView(BaseView):  # type: ignore[misc]
    """Login and logout."""

    route_base = ""

    @expose("/login", methods=["GET", "POST"])
    @expose("/login/", methods=["GET", "POST"])
    def login(self) -> ResponseReturnValue:
        """Check name and password; then to where the person wanted to go."""
        if request.method == "GET":
            if current_actor() is not None:
                return redirect(_local(request.args.get("next", "")))
            return self._page(pages.LoginPage(next=_local(request.args.get("next", ""))))
        throttle.spend("login", current_app.config["AUTH_RATE_LIMIT"], request.remote_addr)
        return self._enter()

    def _enter(self) -> ResponseReturnValue:
        username = request.form.get("username", "").strip()[:128]
        packed = request.form.get("_replay", "")
        signed = current_app.appbuilder.sm.auth_user_db(username, request.form.get("password", "")[:256])
        if signed is None:
            page = pages.LoginPage(
                username=username,
                error=WRONG,
                next=_local(request.form.get("next", "")),
                hidden=[("_replay", packed)] if packed else [],
            )
            return self._page(page), 401
        theme_kept = session.get("w", 0)
        session.clear()
        session["w"] = theme_kept
        session.permanent = True
        login_user(signed)
        kept = replay.unpack(packed) if packed else None
        if kept is not None:
            intro = "您已重新登录。登录失效前填写的内容都在，点击“继续提交”即可保存。"
            return replay.submit_again(*kept, "继续提交", intro)
        return redirect(_local(request.form.get("next", "")))

    def _page(self, page: pages.LoginPage) -> str:
        return render_template("login.html", title="登录", page=page)

    @expose("/logout", methods=["POST"])
    def logout(self) -> ResponseReturnValue:
        """End this session, and no other of the person."""
        sign_out()
        session.clear()
        return redirect("/login")


def _local(target: str) -> str:
    """A path of this product; anything else is the home page."""
    good = target.startswith("/") and not target.startswith(("//", "/\\")) and "\\" not in target
    return target if good and not any(ord(c) < 32 for c in target) else "/"
