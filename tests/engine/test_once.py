"""A form's token is used up once."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.engine import once
from app.engine.database import db, writing


def test_a_token_is_seen_after_it_was_used(app: Flask) -> None:
    session = db.session()
    assert once.seen(session, "t-1") is None
    with writing(session):
        once.remember(session, "t-1", 7, "/customers/1")
        session.commit()
    assert once.seen(session, "t-1") == "/customers/1"


def test_no_token_is_never_seen(app: Flask) -> None:
    session = db.session()
    with writing(session):
        once.remember(session, "", 7, "/x")
        session.commit()
    assert once.seen(session, "") is None


def test_two_at_the_same_moment_cannot_both_use_it(app: Flask) -> None:
    session = db.session()
    with writing(session):
        once.remember(session, "t-2", 7, "/x")
        once.remember(session, "t-2", 8, "/y")
        with pytest.raises(IntegrityError):
            session.commit()
        session.rollback()
    assert once.seen(session, "t-2") is None
