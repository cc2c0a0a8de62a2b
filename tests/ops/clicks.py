"""Somebody in front of a running product: signs in by the form, clicks, and expects a normal answer."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.request
from collections.abc import Iterable
from typing import Any

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_BORDER = "----zhike"
Field = str | int | tuple[str, bytes] | Iterable[Any]


class Clicker:
    """A person's browser at ``base``; an answer that is no success or redirect fails the test."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.place = ""
        """The address of the last page."""
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)
        self._token = ""

    def sign_in(self, username: str, password: str) -> Clicker:
        """By the form, as everybody does."""
        self.get("/login/")
        self.post("/login", username=username, password=password)
        assert "/login" not in self.place
        self.get("/")
        return self

    def get(self, path: str) -> str:
        """What a page says; the token of its forms serves for what is submitted next."""
        return self._open(path).decode()

    def fetch(self, path: str) -> bytes:
        """A file."""
        return self._open(path)

    def post(self, path: str, **fields: Field) -> str:
        """Submit a form; a pair of name and content is a file, a list several values of one field."""
        parts = []
        for name, given in {"csrf_token": self._token, **fields}.items():
            values = given if isinstance(given, list) else [given]
            parts += [_part(name, value) for value in values]
        body = b"\r\n".join([*parts, f"--{_BORDER}--\r\n".encode()])
        return self._open(path, body).decode()

    def _open(self, path: str, body: bytes | None = None) -> bytes:
        headers = {"Content-Type": f"multipart/form-data; boundary={_BORDER}"} if body else {}
        request = urllib.request.Request(self.base + path, body, headers)
        with self._opener.open(request, timeout=30) as answer:
            content: bytes = answer.read()
            self.place = answer.geturl().removeprefix(self.base)
        found = _TOKEN.search(content.decode(errors="replace"))
        self._token = found.group(1) if found is not None else self._token
        return content


def _part(name: str, value: Any) -> bytes:
    named, content = (
        (f'; filename="{value[0]}"', value[1]) if isinstance(value, tuple) else ("", str(value).encode())
    )
    return f'--{_BORDER}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + content
