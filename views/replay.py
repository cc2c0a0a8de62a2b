"""A form submitted after the session ended: what was typed survives the new login."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app, render_template, request
from itsdangerous import BadData, URLSafeTimedSerializer

from app.engine import pages

MAX_AGE = 3600
MAX_SIZE = 200_000
_NEVER = {"csrf_token", "password", "old_password", "new_password", "_replay"}


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="zhike-replay")


def replayable() -> bool:
    """Only our own pages' forms are kept: the browser names their origin, and it must be ours."""
    origin = request.headers.get("Origin", "")
    return (
        bool(origin) and urlsplit(origin).netloc == request.host and (request.content_length or 0) < MAX_SIZE
    )


def login_again(notice: str) -> str:
    """The login page with the typed form inside, signed."""
    typed = [(k, v) for k, values in request.form.lists() if k not in _NEVER for v in values]
    packed = _signer().dumps({"path": request.path, "form": typed})
    assert isinstance(packed, str)
    page = pages.LoginPage(notice=notice, hidden=[("_replay", packed)])
    return render_template("login.html", title="登录", page=page)


def unpack(packed: str) -> tuple[str, list[tuple[str, str]]] | None:
    """The path and fields of the kept form, or None when it is not ours or too old."""
    try:
        kept = _signer().loads(packed, max_age=MAX_AGE)
    except BadData:
        return None
    return kept["path"], [(str(k), str(v)) for k, v in kept["form"]]
