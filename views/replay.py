"""A form submitted after the session ended: what was typed survives the new login."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

from flask import current_app, render_template, request
from itsdangerous import BadData, URLSafeTimedSerializer

from app.engine import chrome, pages
from app.engine.resource import fields_of, resources

MAX_AGE = 3600
MAX_SIZE = 200_000
_NEVER = frozenset({"csrf_token", "password", "old", "new", "repeat", "_replay"})


@cache
def _never_kept() -> frozenset[str]:
    """Names of inputs that are not written into a page: the token, and every password."""
    specs = [s for r in resources() for s in (*fields_of(r.groups(False)), *fields_of(r.groups(True)))]
    specs += [s for r in resources() for a in r.actions for s in a.fields]
    return _NEVER | {s.name for s in specs if s.kind == "password"}


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="zhike-replay")


def replayable() -> bool:
    """Only our own pages' forms are kept: the browser names their origin, and it must be ours."""
    origin = request.headers.get("Origin", "")
    return (
        bool(origin) and urlsplit(origin).netloc == request.host and (request.content_length or 0) < MAX_SIZE
    )


def typed() -> list[tuple[str, str]]:
    """What the submitted form holds, as far as it may be kept."""
    return [(k, v) for k, values in request.form.lists() if k not in _never_kept() for v in values]


def submit_again(path: str, fields: list[tuple[str, str]], title: str, intro: str) -> str:
    """A page that needs one click to submit the form with a token that is good now."""
    shown = pages.FormPage(title, path, [], "继续提交", "/", hidden=fields, intro=intro)
    return chrome.page("form.html", title=title, page=shown)


def login_again(notice: str) -> str:
    """The login page with the typed form inside, signed."""
    packed = _signer().dumps({"path": request.path, "form": typed()})
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
