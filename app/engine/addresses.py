"""The addresses of lists: what they may carry, and the same list asked for otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote_plus

from app.engine.listing import Args

PAGING = ("page", "after", "before", "last")
DOING = "do"
"""The parameter of a list that names the function its ticks are for (A-48)."""


def address(base: str, args: Args, drop: Sequence[str] = (), **put: str) -> str:
    """The list's address with some parameters changed; paging starts anew."""
    gone = {*PAGING, *drop, *put}
    pairs = [(k, v) for k, values in args.items() if k not in gone for v in values if v]
    pairs += [(k, v) for k, v in put.items() if v]
    return f"{base}?{'&'.join(_encoded(k, v) for k, v in pairs)}" if pairs else base


@lru_cache(maxsize=2048)
def _encoded(name: str, value: str) -> str:
    """A parameter as it stands in an address: a page repeats its own in forty links."""
    return f"{quote_plus(name)}={quote_plus(value)}"


def arguments(pairs: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The address's parameters, bounded in number and length; no database takes a zero byte."""
    return {
        k.replace("\0", ""): [v[:200].replace("\0", "") for v in list(values)[:60]]
        for k, values in list(pairs.items())[:80]
    }
