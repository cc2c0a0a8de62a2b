"""The words of messages of one epoch, read once per process and change."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.identity.per_epoch import PerEpoch
from models.notifications.sentences import provide_words
from models.shaping.notice_tables import NoticeWords


@dataclass(frozen=True, slots=True)
class Known:
    """Other words for a sentence, as they stand."""

    id: int
    dealer_id: int | None
    one: str
    many: str
    active: bool
    version: int


def _load(session: Session) -> dict[tuple[str, int | None], Known]:
    names = ("id", "dealer_id", "one", "many", "active", "version", "sentence")
    rows = session.execute(select(*(getattr(NoticeWords, n) for n in names)))
    return {
        (row.sentence, row.dealer_id): Known(
            row.id, row.dealer_id, row.one, row.many or "", row.active, row.version
        )
        for row in rows
    }


_all = PerEpoch(_load)


def in_place(session: Session, key: str, dealer_id: int | None) -> Known | None:
    """What stands in for the declared words among people of that dealer: its own, else the group's; also when it
    is switched off."""
    found = _all(session)
    own = found.get((key, dealer_id)) if dealer_id is not None else None
    return own or found.get((key, None))


def _words(session: Session, key: str, dealer_id: int | None) -> tuple[str, str] | None:
    found = in_place(session, key, dealer_id)
    return (found.one, found.many) if found is not None and found.active else None


provide_words(_words)
