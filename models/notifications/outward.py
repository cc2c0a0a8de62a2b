"""The way to addresses that people type: one HTTP POST, and never to where they could not go themselves.

Only https, no redirect is followed, the name is resolved once, and an address inside the own network is refused
unless its host stands in the setting ``ROBOT_HOSTS``. Proxies of the environment are not used.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flask import current_app

from models.notifications.channels import NotAccepted

TIMEOUT = 10.0  # seconds for each step of a connection
JSON = "application/json; charset=utf-8"
_ANSWER = 64 * 1024  # bytes of an answer that are looked at
_UNICAST = ipaddress.IPv6Network("2000::/3")  # what is given out to the world
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


def wrong_address(text: Any, place: str) -> str:
    """What is wrong with an address as a setting, in words; empty for a usable one and for none. ``place`` is
    what people call it."""
    if not text:
        return ""
    wrong = f"{place}应为 https:// 开头的完整地址"
    try:
        parts = urlsplit(str(text))
        port = parts.port
    except ValueError:
        return wrong
    plain = str(text).isascii() and str(text).isprintable() and " " not in str(text)
    if not parts.hostname or parts.username is not None or port == 0 or not plain:
        return wrong
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _known()):
        return wrong
    try:
        ipaddress.ip_address(parts.hostname)
    except ValueError:
        return ""
    return "" if _reachable(parts.hostname, parts.hostname) else f"{place}不能指向内部网络"


def _known() -> frozenset[str]:
    """Hosts that may be reached though they are inside the own network."""
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


def post(address: SplitResult, body: bytes, place: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Post JSON once and return what is answered; raises `NotAccepted` for what no repetition mends, and any
    other error for what may go better later."""
    connection = _connection(address, place)
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    try:
        connection.request("POST", path, body, {"Content-Type": JSON, **(headers or {})})
        answer = connection.getresponse()
        said = answer.read(_ANSWER)
    finally:
        connection.close()
    if 300 <= answer.status < 400:
        raise NotAccepted(f"{place}返回了跳转")
    if 400 <= answer.status < 500 and answer.status not in (408, 429):
        raise NotAccepted(f"{place}返回 {answer.status}")
    if answer.status >= 300:
        raise ConnectionError(f"{place}返回 {answer.status}")
    return said


def _connection(address: SplitResult, place: str) -> http.client.HTTPConnection:
    host = str(address.hostname)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # no name can be like that
        raise NotAccepted(wrong_address("-", place)) from None
    places = list(dict.fromkeys(str(i[4][0]) for i in found))
    if not all(_reachable(host, where) for where in places):
        raise NotAccepted(f"{place}不能指向内部网络")
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
