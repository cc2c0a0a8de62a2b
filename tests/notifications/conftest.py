"""The same small trade as for people, and other systems that messages go out to."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.customers.conftest import world as world


@dataclass
class Robot:
    """A work chat's robot: what was posted to it, and what it answers next."""

    url: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    raw: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)


@contextmanager
def serving(server: Any) -> Iterator[int]:
    """A server in a thread of its own; its port."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


@pytest.fixture
def robot(app: Any) -> Iterator[Robot]:
    """A robot on this machine, which the settings allow."""
    found = Robot()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.posts.append(json.loads(body))
            found.paths.append(self.path)
            found.raw.append((dict(self.headers), body))
            status, said = found.answers.pop(0) if found.answers else (200, {"errcode": 0})
            self.send_response(status)
            if status in (301, 302):
                self.send_header("Location", f"{found.url}/elsewhere")
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        app.config["ROBOT_HOSTS"] = ("127.0.0.1",)
        found.url = f"http://127.0.0.1:{port}"
        yield found


@dataclass
class MailServer:
    """A mail server: the messages it took, and how it answers to recipients."""

    url: str = ""
    messages: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    rcpt: list[str] = field(default_factory=list)


@pytest.fixture
def mail_server(app: Any) -> Iterator[MailServer]:
    """A mail server on this machine that the settings name."""
    found = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 test")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb in ("EHLO", "HELO"):
                    self.say("250 test")
                elif verb == "RCPT":
                    found.recipients.append(line)
                    self.say(found.rcpt.pop(0) if found.rcpt else "250 ok")
                elif verb == "DATA":
                    self.say("354 go")
                    lines = []
                    while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                        lines.append(text)
                    found.messages.append("\n".join(lines))
                    self.say("250 taken")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        found.url = f"smtp://127.0.0.1:{port}"
        app.config |= {"SMTP_URL": found.url, "MAIL_FROM": "知客 <notice@example.com>"}
        yield found


Choose = Callable[..., None]


@pytest.fixture
def choose(world: Any, login: Any) -> Choose:
    """``choose("seller", instant=["robot"], quiet_from="22:00")``: that person's own settings, by the form."""

    def save(username: str, status: int = 302, **fields: Any) -> Any:
        kinds = ("default", "strong", "daily", "hourly", "instant")
        data = {f"channels_{k}" if k in kinds else k: v for k, v in fields.items()}
        answer = login(username).post("/profile/notices", data={"mode": "own"} | data)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer

    return save
