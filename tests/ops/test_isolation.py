"""The tests' own ground: what one test writes, the next does not see."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from app.engine.database import db


def users() -> list[tuple[str, str]]:
    """All accounts with a name that a test can change."""
    return [
        tuple(row) for row in db.session.execute(text("SELECT username, last_name FROM ab_user ORDER BY id"))
    ]


@pytest.mark.parametrize("time", ["first", "second"])
def test_changes_are_gone(app: Flask, time: str) -> None:
    assert db.session.scalar(text("SELECT count(*) FROM outbox")) == 0
    assert ("admin", "改过") not in users()
    db.session.execute(text("UPDATE ab_user SET last_name = '改过'"))
    db.session.execute(
        text(
            "INSERT INTO outbox (kind, payload, created_at, available_at, attempts)"
            " VALUES ('x', '{}', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, 0)"
        )
    )
    db.session.commit()
    assert ("admin", "改过") in users()
