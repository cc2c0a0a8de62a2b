"""A form's token is used up once."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.engine import once
from app.engine.database import db, writing


def test_a_token_is_seen_after_it_was_used(app: Flask) -> None:
    session = db.session()
    assert once.seen(session, "t-1", 7) is None
    with writing(session):
        once.remember(session, "t-1", 7, "/customers/1")
        session.commit()
    assert once.seen(session, "t-1", 7) == "/customers/1"


def test_no_token_is_never_seen(app: Flask) -> None:
    session = db.session()
    with writing(session):
        once.remember(session, "", 7, "/x")
        session.commit()
    assert once.seen(session, "", 7) is None


def test_two_at_the_same_moment_cannot_both_use_it(app: Flask) -> None:
    session = db.session()
    with writing(session):
        once.remember(session, "t-2", 7, "/x")
        once.remember(session, "t-2", 7, "/y")
        with pytest.raises(IntegrityError):
            session.commit()
        session.rollback()
    assert once.seen(session, "t-2", 7) is None


def test_the_same_token_of_two_people_is_two(app: Flask) -> None:
    """What one person sends tells nothing of another and stops nobody."""
    session = db.session()
    with writing(session):
        once.remember(session, "t-3", 7, "/x")
        once.remember(session, "t-3", 8, "/y")
        session.commit()
    assert [once.seen(session, "t-3", user) for user in (7, 8, 9)] == ["/x", "/y", None]
