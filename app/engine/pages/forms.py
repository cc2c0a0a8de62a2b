"""Forms, dialogs and what came of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.engine.pages.parts import FieldSection, Item


@dataclass(slots=True)
class Difference:
    """One line of a conflict: what I typed beside what somebody saved meanwhile."""

    label: str
    mine: str
    theirs: str
    by: str = ""
    name: str = ""
    """The field, where the other one's value of it can be taken alone."""


@dataclass(slots=True)
class Dialog:
    """A question the server puts before it goes on; buttons submit ``name=value`` with the form. ``links`` run
    parallel to ``rows``: the page of the record in that row, or empty."""

    heading: str
    text: str
    buttons: list[DialogButton]
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


@dataclass(slots=True)
class DialogButton:
    """A submit button (``name``/``value``) or, with ``url``, a link."""

    label: str
    name: str = ""
    value: str = ""
    url: str = ""
    primary: bool = False
    tone: str = ""


@dataclass(slots=True)
class FormPage:
    """A form to create, edit or act; everything typed is in it again after an error. ``facts`` are what one
    wants to know of the one record it is about; a ``fresh`` one begins at its first empty input. ``notes`` stand
    above the fields. Without a word on its button there is nothing to send."""

    title: str
    url: str
    sections: list[FieldSection]
    submit: str
    cancel_url: str
    hidden: list[tuple[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialog: Dialog | None = None
    conflict: list[Difference] = field(default_factory=list)
    theirs_url: str = ""
    """Where the other one's version is, when not at the form's own address."""
    intro: str = ""
    subjects: list[str] = field(default_factory=list)
    draft_key: str = ""
    resource: str = ""
    tone: str = ""
    more_submits: list[DialogButton] = field(default_factory=list)
    cancel_label: str = "取消"
    facts: list[Item] = field(default_factory=list)
    fresh: bool = False
    notes: list[str] = field(default_factory=list)
    standing: str = ""
    """What bounds the person just now."""
    adding_url: str = ""
    """Where one adds a field of one's own to the form."""
    layout_url: str = ""
    """Where one arranges the form for others."""
    script: str = ""

    @property
    def uploads(self) -> bool:
        """Whether files come with it."""
        return any(f.accept for section in self.sections for f in section.fields)

    @property
    def aided(self) -> bool:
        """Whether a field has a button of its own."""
        return any(f.aid or f.rows for section in self.sections for f in section.fields)


@dataclass(slots=True)
class Told:
    """What is shown on the answer itself and kept nowhere: a password that was made up."""

    title: str
    said: list[str]
    told: list[str]
    back_url: str


@dataclass(slots=True)
class Refused:
    """A record that a batch left alone, why, and its page where this person may open it."""

    label: str
    reason: str
    url: str = ""


@dataclass(slots=True)
class Outcome:
    """Result of a batch for the screen: how many done, how many were so already, and who was refused why.
    ``again`` is the same form for those alone, sent to ``again_url``; ``undo_url`` leads to taking it back."""

    title: str
    done: int
    refused: list[Refused]
    back_url: str
    unchanged: int = 0
    warnings: list[str] = field(default_factory=list)
    again_url: str = ""
    again: list[tuple[str, str]] = field(default_factory=list)
    undo_url: str = ""
    undo_label: str = "撤销本次批量修改"
