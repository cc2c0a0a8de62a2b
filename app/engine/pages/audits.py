"""Judging claims: two lines per entry, what differs between them, and who else claims the customer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from markupsafe import Markup

from app.engine.pages.parts import Field, Option


@dataclass(slots=True)
class AuditPair:
    """One field as it was registered and as the showroom holds it."""

    name: str
    label: str
    filed: Markup
    held: Markup
    differs: bool = False


class ClaimLine(NamedTuple):
    """One of several claims of a customer; ``this`` is the one that is judged."""

    registrant: str
    at: str
    url: str
    progress: Markup
    status: Markup
    tracks: int
    last_text: str
    this: bool


@dataclass(slots=True)
class AuditEntry:
    """One claim to judge. ``verdict`` and ``remark`` are what was typed, or what was decided before; without
    ``url`` nothing can be decided, and ``note`` says why not."""

    id: int
    title: str
    version: int
    progress: Markup
    result: Markup
    pairs: list[AuditPair]
    filed_by: str
    filed_at: str
    showroom: str
    url: str = ""
    submit: str = ""
    verdict: str = ""
    remark: str = ""
    auditor: str = ""
    judged_at: str = ""
    note: str = ""
    again_url: str = ""
    cancel_url: str = ""
    error: str = ""
    wrong: str = ""
    """The input the ``error`` is about: ``verdict``, ``remark`` or none."""
    said: str = ""
    claims: list[ClaimLine] = field(default_factory=list)
    hidden_claims: bool = False


@dataclass(slots=True)
class AuditPage:
    """Claims to judge, with the conditions that chose them."""

    title: str
    url: str
    texts: list[Field]
    verdicts: list[Option]
    paid: bool
    differing: bool
    verdict_options: list[Option]
    entries: list[AuditEntry] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    previous_url: str = ""
    next_url: str = ""
    first_url: str = ""
