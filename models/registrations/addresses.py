"""Addresses of leads: as they read, and as they are compared (E-19, E-28)."""

from __future__ import annotations

import unicodedata

_LONGEST = 240


def joined(city: str | None, district: str | None, community: str | None, room: str | None) -> str:
    """The parts as one text. The stored value of a district begins with its city."""
    area = (district or "").removeprefix(city or "")
    return "".join((city or "", area, community or "", room or ""))[:_LONGEST]


def address_key(city: str | None, community: str | None, room: str | None) -> str:
    """What two spellings of one home have in common: no spaces, one width, small letters.

    The district is left out: one of the two may have been filed without it.
    """
    text = unicodedata.normalize("NFKC", f"{city or ''}|{community or ''}|{room or ''}").casefold()
    return "".join(c for c in text if not c.isspace())[:_LONGEST]
