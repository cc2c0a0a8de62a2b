"""Looking at the product through a role: reading only, until it is ended.

Whose rights these are says the identity domain (`security.provide_preview`); here stands what a preview
never does, whatever the entrance.
"""

from __future__ import annotations

from flask import g, request, session

from app.engine.actions import Previewing
from app.engine.security import PREVIEW, current_actor

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
END = "/preview/end"
_WAYS_OUT = frozenset({END, "/logout"})


def stay_reading() -> None:
    """Raise `Previewing` while somebody previews."""
    actor = current_actor()
    if actor is not None and actor.preview:
        raise Previewing(actor.preview)


def guard_request() -> None:
    """Before each request: in a preview nothing but the ways out of it may be submitted."""
    if request.method not in _READS and request.path not in _WAYS_OUT and PREVIEW in session:
        stay_reading()


def end() -> dict[str, object]:
    """End the session's preview; returns what was kept of it."""
    kept: dict[str, object] = session.pop(PREVIEW, None) or {}
    g.pop("actor", None)
    return kept
