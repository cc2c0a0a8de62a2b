"""What a person reads when something is not to be had: always words, never a traceback, never a lost form."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from typing import Any

import structlog
from flask import Flask, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from app.engine import asides, chrome, pages
from app.engine.actions import Forbidden, NotFound, Previewing, Refusal, Stale, TooMany
from app.engine.database import db, is_away
from app.engine.security import current_actor
from views.replay import login_again, replayable, submit_again, typed

log = structlog.get_logger()

_WORDS = {
    400: ("请求有误", "页面提交的内容无法识别，请返回检查后重试。"),
    403: ("无权限", "您没有使用此功能的权限，请联系商场系统管理员。"),
    404: ("记录不存在或无权限查看", "它可能已被删除，或不在您的数据范围内。请检查地址，或从列表中查找。"),
    405: ("此地址不支持这种操作", "请从页面上的按钮操作。"),
    409: ("数据已被他人修改，请刷新后重试", "请返回刷新后，再次提交您的修改。"),
    413: ("内容过大", "提交的内容超过上限，请减少后重试。"),
    429: ("操作过于频繁", "请稍候一分钟再试。"),
    503: ("数据库暂时无法连接", "您的数据没有改变。请稍后重试，若仍出现请联系管理员。"),
    500: ("系统出错了", "问题已被记录，您的数据没有改变。请稍后重试，若仍出现请联系管理员。"),
}
_FOR_PROGRAMS = {405: "可用的地址与方法见 /api/v1/openapi.json"}
_QUIET_FOR = 60.0  # seconds between two lines of the log about the same outage


def install(app: Flask) -> None:
    """Every error of every kind ends here."""
    app.register_error_handler(NotFound, lambda e: _answer(404))
    app.register_error_handler(Forbidden, lambda e: _answer(403, text=e.sentence))
    app.register_error_handler(Previewing, lambda e: _answer(403, "预览时不能操作", f"{e.message}。"))
    app.register_error_handler(Stale, lambda e: _answer(409))
    app.register_error_handler(TooMany, lambda e: _answer(429))
    app.register_error_handler(Refusal, lambda e: _answer(400, e.message, "请返回后重试。"))
    app.register_error_handler(PermissionError, _signed_out)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(SQLAlchemyError, _broken)
    app.register_error_handler(Exception, _broken)


def _wants_json() -> bool:
    return request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json"


def _answer(code: int, heading: str = "", text: str = "", reference: str = "") -> ResponseReturnValue:
    words = _WORDS.get(code, _WORDS[500 if code >= 500 else 400])
    heading, text = heading or words[0], text or words[1]
    if _wants_json():
        text = _FOR_PROGRAMS.get(code, text)
        return jsonify({"message": heading, "detail": text, "reference": reference}), code
    framed = code < 500 and current_actor() is not None
    page = pages.ErrorPage(code, heading, text, reference=reference, framed=framed)
    actor = current_actor() if framed else None
    if code == 403 and actor is not None:
        page.actions = [pages.Link("回到首页", "/", primary=True), *asides.of_refusal(actor, request.path)]
    if framed:
        return chrome.page("error.html", title=heading, page=page), code
    return render_template("error.html", title=heading, page=page), code


def _signed_out(_error: Any) -> ResponseReturnValue:
    """Nobody is signed in: to the login, and back here afterwards; what was typed is kept."""
    if _wants_json() or request.headers.get("X-Requested-With"):
        return jsonify({"message": "登录已失效，请重新登录"}), 401
    if request.method == "POST" and replayable():
        return login_again("登录已失效，请重新登录；您填写的内容已保留。"), 401
    target = request.full_path.rstrip("?") if request.method == "GET" else ""
    return redirect(f"/login?next={_quoted(target)}" if target not in ("", "/") else "/login")


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="/")


def _csrf(_error: CSRFError) -> ResponseReturnValue:
    if current_actor() is None and not request.path.startswith(("/login", "/api/")):
        return _signed_out(_error)
    in_page = request.method == "POST" and not request.path.startswith(("/login", "/logout", "/api/"))
    if in_page and replayable() and not request.headers.get("X-Requested-With"):
        intro = (
            "您在打开此页之后重新登录过，操作还没有执行。填写的内容都在，确认是您本人的操作后点击“继续提交”。"
        )
        return submit_again(request.path, typed(), "页面已过期", intro), 400
    text = "页面停留过久或来源无法确认，操作没有执行。请返回上一页，刷新后重新提交。"
    return _answer(400, "页面已过期", text)


def _http(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if code < 400:
        return error
    return _answer(code if code in _WORDS or code >= 500 else 400)


def _broken(error: Exception) -> ResponseReturnValue:
    """Ours to mend: logged with a number that the person can pass on; the transaction is rolled back."""
    if is_away(error):
        return _away(error)
    db.session.rollback()
    reference = secrets.token_hex(4).upper()
    log.exception("request failed", reference=reference, path=request.path, error=type(error).__name__)
    return _answer(500, reference=reference)


_last_said = [-_QUIET_FOR]


def _away(error: Exception) -> ResponseReturnValue:
    """Nothing of ours to mend: every request fails alike, so the log says it once in a while only."""
    with suppress(SQLAlchemyError):
        db.session.rollback()
    now = time.monotonic()
    if now - _last_said[0] >= _QUIET_FOR:
        _last_said[0] = now
        log.error("the database cannot be reached", error=type(error).__name__)
    return _answer(503)
