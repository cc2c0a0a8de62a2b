"""The whole product as a user starts it; web, Redis and worker killed at random points of one import: no line
twice, none lost, the import ends."""

from __future__ import annotations

import http.cookiejar
import json
import random
import re
import sqlite3
import time
import urllib.error
import urllib.request
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.ops.test_supervisor import Running, until

pytestmark = [pytest.mark.slow, pytest.mark.sqlite_only]
LINES = 40_000
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_BORDER = "----zhike"


class Browser:
    """Somebody at the running product, patient with a server that comes back."""

    def __init__(self, tree: Running) -> None:
        self.base = f"http://127.0.0.1:{tree.port}"
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar)

    def get(self, path: str) -> Any:
        """The page, as soon as it is answered."""
        return until(lambda: self._try(path), 60)

    def _try(self, path: str, body: bytes | None = None, kind: str = "") -> Any:
        headers = {"Content-Type": kind} if kind else {}
        with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            request = urllib.request.Request(self.base + path, body, headers)
            return self.opener.open(request, timeout=20)
        return None

    def post(self, page: str, path: str, **fields: str | tuple[str, bytes]) -> Any:
        """Submit a form whose token stands on that page."""
        token = _TOKEN.search(self.get(page).read().decode())
        assert token is not None
        parts = []
        for name, value in {"csrf_token": token.group(1), **fields}.items():
            named, content = (
                (f'; filename="{value[0]}"', value[1]) if isinstance(value, tuple) else ("", value.encode())
            )
            parts.append(
                f'--{_BORDER}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode()
                + content
            )
        body = b"\r\n".join([*parts, f"--{_BORDER}--\r\n".encode()])
        return self._try(path, body, f"multipart/form-data; boundary={_BORDER}")

    def state(self, import_id: str) -> dict[str, Any]:
        """How far the import is."""
        found: dict[str, Any] = json.loads(self.get(f"/imports/{import_id}/progress").read())
        return found


def kill(tree: Running, word: str) -> None:
    """The process whose command line has the word, at once and for good."""
    found = until(lambda: tree.child(word))
    with suppress(psutil.NoSuchProcess):
        found.kill()


def test_an_import_survives_them_all(tmp_path: Path) -> None:
    rng = random.Random(20261126)
    tree = Running(tmp_path / "var")
    try:
        until(tree.started, 120)
        browser = Browser(tree)
        password = (tmp_path / "var" / "secrets" / "admin_password").read_text().strip()
        signed = browser.post("/login/", "/login", username="admin", password=password)
        assert signed is not None
        lines = "\n".join(f"客户{n},137{n:08d}" for n in range(LINES))
        file = ("客户.csv", f"客户姓名,手机号码\n{lines}\n".encode())
        answer = browser.post("/customers/import", "/customers/import", file=file)
        import_id = re.findall(r"/imports/(\d+)", answer.geturl())[0]
        kill(tree, "web")
        until(lambda: browser.state(import_id)["state"] == "ready", 120)
        browser.post(f"/imports/{import_id}", f"/imports/{import_id}/start")
        for word in ("redis-server", "web", "long"):
            time.sleep(0.3 + rng.random())
            kill(tree, word)
        until(lambda: browser.state(import_id)["state"] == "done", 240)
    finally:
        tree.process.terminate()
        tree.wait()
    with closing(sqlite3.connect(tmp_path / "var" / "zhike.db")) as database:
        assert database.execute("SELECT count(*), count(DISTINCT phone) FROM customers").fetchone() == (
            LINES,
            LINES,
        )
        for table in ("customer_phones", "track_events"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (LINES,)
        history = "SELECT count(*) FROM audit_entries WHERE resource = 'customers'"
        assert database.execute(history).fetchone() == (LINES,)
