"""Rights as a short text, for a session's cookie and for a form that must remember what it began with.

Each declared permission and scope is one bit, in the order of the declarations; a mark in front says which
declarations these were, so that a text of another version of the program is not misread.
"""

from __future__ import annotations

import base64
import binascii
from zlib import crc32

from app.engine.permissions import permissions_in_force
from app.engine.resource import resources
from app.engine.scopes import Scope
from models.identity.rights import Rights

_LONGEST = 4000


def pack(rights: Rights) -> str:
    """The declared ones among these rights as text."""
    pairs, opened = _order()
    bits = [p in rights.grants for p in pairs] + [s in rights.scopes for s in opened]
    number = sum(1 << n for n, on in enumerate(bits) if on)
    body = number.to_bytes(-(-len(bits) // 8), "little")
    return base64.urlsafe_b64encode(_mark().to_bytes(4, "little") + body).decode("ascii").rstrip("=")


def unpack(text: str) -> Rights | None:
    """The rights behind the text; None for one that is damaged or of other declarations."""
    if not text or len(text) > _LONGEST or not text.isascii():
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    pairs, opened = _order()
    if len(raw) != 4 + -(-(len(pairs) + len(opened)) // 8) or int.from_bytes(raw[:4], "little") != _mark():
        return None
    number = int.from_bytes(raw[4:], "little")
    on = [bool(number >> n & 1) for n in range(len(pairs) + len(opened))]
    return Rights(
        frozenset(p for p, held in zip(pairs, on, strict=False) if held),
        frozenset(s for s, held in zip(opened, on[len(pairs) :], strict=True) if held),
    )


def _order() -> tuple[list[tuple[str, str]], list[tuple[str, Scope]]]:
    return [p.pair for p in permissions_in_force()], [(r.name, s) for r in resources() for s in Scope]


def _mark() -> int:
    return crc32(repr(_order()).encode())
