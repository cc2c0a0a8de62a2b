"""What a guarded value may not leave behind in any byte of an answer."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import zipfile
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_plus

from flask import Flask

_CURSOR = re.compile(r"(?:after|before)[\"']?\s*[=:]\s*[\"']?([A-Za-z0-9_\-]{8,})")
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MEANINGLESS = ("Content-Length", "Set-Cookie")  # a cookie is read decoded
# Of the session, and of pages: chance puts any five digits there.
_DRAWN_BY_LOT = ("csrf_token", "_id", "_user_id")
_BY_LOT = re.compile(r'(?<=:\d\d)\.\d{6}|name="_once" value="[^"]*"|(?<=\?v=)[0-9a-f]{10}')
_ALWAYS = re.compile(r'<rgbColor rgb="[0-9A-F]{8}" ?/>|defaultThemeVersion="\d+"')
"""What every spreadsheet lists, whatever it holds; some are five digits of somebody's number."""
WINDOW = 5
"""Of a masked number three and four digits may be read; five in a row hold one of the hidden."""


def everything(app: Flask, answer: Any) -> str:
    """All that left with an answer, decoded: body, headers, the session cookie, cursors."""
    body = workbook(answer.data) if answer.mimetype == WORKBOOK else answer.get_data(as_text=True)
    parts = [body, html.unescape(body), unquote_plus(body), _plain_json(body)]
    parts += [f"{k}: {unquote_plus(v)}" for k, v in answer.headers.items() if k not in _MEANINGLESS]
    for cookie in answer.headers.getlist("Set-Cookie"):
        parts.append(_session(app, cookie))
    parts += [_decoded(text) for text in _CURSOR.findall(html.unescape(body))]
    return _BY_LOT.sub("", "\n".join(parts))


def workbook(file: bytes) -> str:
    """All texts and numbers of a spreadsheet, its hidden corners included."""
    with zipfile.ZipFile(io.BytesIO(file)) as book:
        found = "\n".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    return _ALWAYS.sub("", found)


def _plain_json(body: str) -> str:
    if "\\u" not in body:
        return ""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        return ""


def _session(app: Flask, cookie: str) -> str:
    name, _, value = cookie.partition(";")[0].partition("=")
    if name != app.config["SESSION_COOKIE_NAME"] or not value:
        return cookie
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    assert serializer is not None
    return repr({k: v for k, v in serializer.loads(value).items() if k not in _DRAWN_BY_LOT})


def _decoded(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("utf-8", "replace")
    except ValueError:
        return ""


_DIGITS = re.compile(r"\d{5,}")


def found_in(text: str, secrets: Iterable[Any]) -> list[str]:
    """Which secrets left a trace, with what stands around it: five digits of a number in a row, or a
    price in any way of writing it."""
    runs = set(_DIGITS.findall(text))
    windows = {run[i : i + WINDOW] for run in runs for i in range(len(run) - WINDOW + 1)}
    found = []
    for secret in secrets:
        if isinstance(secret, Decimal):
            trace = next((w for w in _written(secret) if w in text), "")
        else:
            digits = str(secret)
            parts = (digits[i : i + WINDOW] for i in range(len(digits) - WINDOW + 1))
            trace = next((p for p in parts if p in windows), "")
        if trace:
            at = text.find(trace)
            found.append(f"{secret} by {trace!r}: …{text[max(0, at - 60) : at + 40]}…")
    return found


def _written(price: Decimal) -> tuple[str, ...]:
    whole = int(price)
    return (str(whole), f"{whole:,}", f"{price * 100:.0f}")
