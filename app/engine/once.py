"""One submit per click: a form's token is used up by the transaction that does what the form asks."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import String, Text, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.engine.database import Model, alone
from app.engine.fields import CreatedAt, Pk

_SPACE = -1
KEPT = timedelta(days=30)
"""How long a form that was carried out is recognised; far longer than anybody stays signed in."""


class Submission(Model):
    """A form that was carried out, and where its sender was led; unique per person and token: a token
    that somebody else sends is another one."""

    __tablename__ = "submissions"
    __table_args__ = (UniqueConstraint("user_id", "token"),)

    id: Mapped[Pk]
    token: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int]
    at: Mapped[CreatedAt] = mapped_column(index=True)
    url: Mapped[str] = mapped_column(Text)


def seen(session: Session, token: str, user_id: int) -> str | None:
    """Where the person's first submit of this token led, or None when the token is fresh.

    A second submit waits here for the first one to end; SQLite has one writer at a time anyhow.
    """
    if not token:
        return None
    alone(session, _SPACE, f"{user_id} {token}")
    return session.scalar(
        select(Submission.url).where(Submission.user_id == user_id, Submission.token == token)
    )


def remember(session: Session, token: str, user_id: int, url: str, now: datetime | None = None) -> None:
    """Use the token up in the open transaction; a second one at the same moment fails at the commit."""
    if token:
        row = Submission(token=token, user_id=user_id, url=url)
        if now is not None:
            row.at = now
        session.add(row)


def prune(session: Session, *, now: datetime) -> None:
    """Forget forms carried out more than `KEPT` ago; the caller commits."""
    session.execute(delete(Submission).where(Submission.at < now - KEPT))
