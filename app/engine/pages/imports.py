"""Files on their way in: the upload, what will happen, what has happened."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.engine.pages.parts import Field, Link, Option
from app.engine.resource import UploadWords


@dataclass(slots=True)
class RecentImport:
    """An import of one's own, as a line."""

    file_name: str
    url: str
    at: str
    state: str
    tone: str
    said: str


@dataclass(slots=True)
class UploadPage:
    """Where a file is chosen, and what it is."""

    title: str
    name: str
    url: str
    template_url: str
    list_url: str
    presets: list[Field]
    modes: list[Option]
    keys: list[Option]
    notes: list[str]
    recent: list[RecentImport]
    limits: str
    insists: bool = False
    error: str = ""
    words: UploadWords = field(default_factory=UploadWords)
    asks: bool = True
    """Whether one may say what other headings mean."""
    standing: str = ""
    """What bounds the person just now."""


@dataclass(slots=True)
class Tally:
    """So many lines with one verdict."""

    label: str
    amount: str
    tone: str = ""


@dataclass(slots=True)
class Problem:
    """A line that is not brought in, and why."""

    line: str
    verdict: str
    tone: str
    reason: str


@dataclass(slots=True)
class Heading:
    """One column of the file: its heading, some of its content, and what it is taken for."""

    label: str
    samples: str
    options: list[Option]
    undecided: bool = False


@dataclass(slots=True)
class ImportPage:
    """One import: where it stands, what was found, and what one can do now."""

    title: str
    name: str
    url: str
    list_url: str
    state: str
    tone: str
    busy: bool
    percent: int
    progress: str
    file_name: str
    facts: list[tuple[str, str]]
    steps: list[tuple[str, str]]
    tallies: list[Tally] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    more_problems: str = ""
    problems_title: str = ""
    kept: list[tuple[str, str]] = field(default_factory=list)
    """Records that taking back left as they are, and why."""
    kept_file: str = ""
    headings: list[Heading] = field(default_factory=list)
    buttons: list[Link] = field(default_factory=list)
    reason: str = ""
    error: str = ""
