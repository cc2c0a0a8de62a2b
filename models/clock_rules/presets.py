"""The rules every dealer starts with, declared by the domains they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.clock_rules.tables import ClockRule, Repeat


@dataclass(frozen=True, slots=True)
class Preset:
    """A rule of the group; ``where`` are requirements that must all hold, as conditions are stored."""

    code: str
    name: str
    subject: str
    start: str
    where: Sequence[Mapping[str, Any]]
    effect: str
    amount: int = 0
    at: str | None = None
    daily: bool = False
    silenced_by: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


_presets: dict[str, Preset] = {}


def declare_presets(*presets: Preset) -> None:
    """Have these rules installed."""
    _presets.update({preset.code: preset for preset in presets})


def install(session: Session) -> None:
    """Store the group's rules where they are missing; idempotent. One that the group has changed or switched
    off stays as it is."""
    known = set(session.scalars(select(ClockRule.code).where(ClockRule.code.is_not(None))))
    session.add_all(
        ClockRule(
            code=p.code, name=p.name, subject=p.subject, start=p.start, amount=p.amount, at=p.at,
            condition={"of": p.subject, "where": {"all": [dict(part) for part in p.where]}},
            repeat=Repeat.DAYS if p.daily else Repeat.NONE, effect=p.effect, parameters=dict(p.parameters),
            silenced_by=p.silenced_by, sort=(n + 1) * 10,
        )
        for n, p in enumerate(_presets.values())
        if p.code not in known
    )  # fmt: skip
