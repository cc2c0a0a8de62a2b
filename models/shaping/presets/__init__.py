"""Configurations for a trade, as files like any other: applied with the difference shown first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PLACE = Path(__file__).resolve().parent
_ICONS = {"furnishing": "home-2", "cars": "car", "calls": "headset"}


@dataclass(frozen=True)
class Preset:
    """A file of the package: its name, what it is called, what it is for."""

    name: str
    title: str
    about: str
    icon: str
    text: str


@cache
def presets() -> tuple[Preset, ...]:
    """Every preset, in their order."""
    return tuple(_read(name, icon) for name, icon in _ICONS.items())


def preset(name: str) -> Preset | None:
    """The preset of that name, or None."""
    return next((p for p in presets() if p.name == name), None)


def _read(name: str, icon: str) -> Preset:
    text = (_PLACE / f"{name}.json").read_text(encoding="utf-8")
    body = json.loads(text)
    return Preset(name, body["title"], body["about"], icon, text)
