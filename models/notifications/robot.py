"""Robots of work chats: one HTTP POST of JSON per message.

The address is typed by people, so the server must not be led where they cannot go themselves: only https,
no redirect is followed, the name is resolved once, and an address inside the own network is refused unless
its host stands in the setting ``ROBOT_HOSTS``. Proxies of the environment are not used.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flask import current_app

from models.notifications.channels import Letter, NotAccepted, Sent, provide
from models.notifications.tables import NoticeChannel

TIMEOUT = 10.0  # seconds for each step of a connection
_ANSWER = 64 * 1024  # bytes of an answer that are looked at
_LONGEST = 1800  # characters; robots take about 2048 bytes of text
_UNICAST = ipaddress.IPv6Network("2000::/3")  # what is given out to the world
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
_BUSY = frozenset({-1, 45009, 130101})  # "try again" and "too many messages" of usual robots
WRONG = "机器人地址应为 https:// 开头的完整地址"


def wrong_address(text: Any) -> str:
    """What is wrong with an address as a setting, in words; empty for a usable one and for none."""
    if not text:
        return ""
    try:
        parts = urlsplit(str(text))
        port = parts.port
    except ValueError:
        return WRONG
    plain = str(text).isascii() and str(text).isprintable() and " " not in str(text)
    if not parts.hostname or parts.username is not None or port == 0 or not plain:
        return WRONG
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _known()):
        return WRONG
    try:
        ipaddress.ip_address(parts.hostname)
    except ValueError:
        return ""
    return "" if _reachable(parts.hostname, parts.hostname) else "机器人地址不能指向内部网络"


def _known() -> frozenset[str]:
    """Hosts that robots may stand on though they are inside the own network."""
    return frozenset(current_app.config.get("ROBOT_HOSTS", ()))


def _reachable(host: str, address: str) -> bool:
    if host in _known():
        return True
    found = _meant(ipaddress.ip_address(address.partition("%")[0]))
    if isinstance(found, ipaddress.IPv6Address) and (found not in _UNICAST or found.sixtofour is not None):
        return False
    return found.is_global and not found.is_multicast


def _meant(found: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Any:
    """The address that is reached in the end: behind some of the newer kind stands one of the older."""
    if isinstance(found, ipaddress.IPv6Address):
        if found in _TRANSLATED:
            return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        return found.ipv4_mapped or found
    return found


class RobotSender:
    """Posts to the robot whose address the person or the dealer has set."""

    def send(self, letter: Letter, number: int, now: datetime) -> Sent:
        """Usual robots know no sender's number: what was answered with an error was not shown, and what was
        answered well is never sent again."""
        wrong = wrong_address(letter.address)
        if wrong:
            raise NotAccepted(wrong)
        answer = _post(urlsplit(letter.address), {"msgtype": "text", "text": {"content": _words(letter)}})
        code = answer.get("errcode", answer.get("code", 0))
        if code in _BUSY:
            raise ConnectionError(f"机器人暂时不接收（{code}）")
        if code:
            raise NotAccepted(f"机器人拒绝了消息（{code}）")
        return Sent(str(answer.get("msgid") or f"robot-{number}")[:64])


def _words(letter: Letter) -> str:
    head = f"@{letter.name} {letter.title}" if letter.shared else letter.title
    return "\n".join(p for p in (head, letter.text, letter.url) if p)[:_LONGEST]


def _post(address: SplitResult, body: dict[str, Any]) -> dict[str, Any]:
    """Post JSON and read JSON; raises `NotAccepted` for what no repetition mends."""
    connection = _connection(address)
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    headers = {"Content-Type": "application/json; charset=utf-8"}
    try:
        connection.request("POST", path, json.dumps(body, ensure_ascii=False).encode(), headers)
        answer = connection.getresponse()
        said = answer.read(_ANSWER)
    finally:
        connection.close()
    if 300 <= answer.status < 400:
        raise NotAccepted("机器人地址返回了跳转")
    if 400 <= answer.status < 500 and answer.status not in (408, 429):
        raise NotAccepted(f"机器人地址返回 {answer.status}")
    if answer.status >= 300:
        raise ConnectionError(f"机器人地址返回 {answer.status}")
    try:
        found = json.loads(said or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _connection(address: SplitResult) -> http.client.HTTPConnection:
    host = str(address.hostname)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # no name can be like that
        raise NotAccepted(WRONG) from None
    places = list(dict.fromkeys(str(i[4][0]) for i in found))
    if not all(_reachable(host, place) for place in places):
        raise NotAccepted("机器人地址不能指向内部网络")
    return _Pinned(host, port, places[0], secure=address.scheme == "https")


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was looked at, whatever the name means a moment later."""

    def __init__(self, host: str, port: int, place: str, *, secure: bool) -> None:
        super().__init__(host, port, timeout=TIMEOUT)
        self._place, self._secure = place, secure

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.create_connection((self._place, self.port), TIMEOUT)
        if self._secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


provide(NoticeChannel.ROBOT, RobotSender())
