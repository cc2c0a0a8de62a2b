"""What a guarded value may not leave behind in any byte of an answer."""

from __future__ import annotations

import base64
import html
import json
import re
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_plus

from flask import Flask

_CURSOR = re.compile(r"(?:after|before)[\"']?\s*[=:]\s*[\"']?([A-Za-z0-9_\-]{8,})")
WINDOW = 5
"""Of a masked number three and four digits may be read; five in a row hold one of the hidden."""


def everything(app: Flask, answer: Any) -> str:
    """All that left with an answer, decoded: body, headers, the session cookie, cursors."""
    body = answer.get_data(as_text=True)
    parts = [body, html.unescape(body), unquote_plus(body), _plain_json(body)]
    parts += [f"{k}: {unquote_plus(v)}" for k, v in answer.headers.items() if k != "Content-Length"]
    for cookie in answer.headers.getlist("Set-Cookie"):
        parts.append(_session(app, cookie))
    parts += [_decoded(text) for text in _CURSOR.findall(html.unescape(body))]
    return "\n".join(parts)


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
        return ""
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    assert serializer is not None
    return repr(serializer.loads(value))


def _decoded(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("utf-8", "replace")
    except ValueError:
        return ""


def traces(secret: Any) -> list[str]:
    """The texts that would betray the secret."""
    if isinstance(secret, Decimal):
        whole = f"{secret:.2f}"
        return [whole, f"{secret:,.2f}", whole.split(".")[0], f"{secret:,.0f}", f"{secret * 100:.0f}"]
    digits = str(secret)
    return [digits[i : i + WINDOW] for i in range(len(digits) - WINDOW + 1)]


def found_in(text: str, secrets: Any) -> list[str]:
    """Which secrets left a trace, with what stands around it."""
    found = []
    for secret in secrets:
        for trace in traces(secret):
            at = text.find(trace)
            if at >= 0:
                found.append(f"{secret} by {trace!r}: …{text[max(0, at - 60) : at + 40]}…")
                break
    return found
