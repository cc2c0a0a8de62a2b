"""Who uses the product in a test: signed-in clients and actors."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, has_app_context
from flask.testing import FlaskClient

Login = Callable[..., FlaskClient]


class Visitor(FlaskClient):
    """A browser without a screen.

    Each request runs outside the test's own application context, as it would on a server; what the test's
    session has pending is committed before it, and read anew after it.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send one request."""
        from app.engine.database import db

        if not has_app_context():  # following a redirect of such a request
            return super().open(*args, **kwargs)
        db.session.commit()
        answer = contextvars.Context().run(super().open, *args, **kwargs)
        db.session.rollback()
        db.session.expire_all()
        return answer


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Somebody who is not signed in."""
    app.test_client_class = Visitor
    return app.test_client()


@pytest.fixture
def login(app: Flask) -> Login:
    """``login("consultant1")``: a new client signed in as that person, without walking through the form."""

    def sign_in(username: str) -> FlaskClient:
        app.test_client_class = Visitor
        visitor = app.test_client()
        signed = _signed(username)
        with visitor.session_transaction() as session:
            session["_user_id"] = signed.get_id()
            session["_fresh"] = True
        return visitor

    return sign_in


@pytest.fixture
def actor(app: Flask) -> Callable[[str], Any]:
    """``actor("consultant1")``: that person as rules and `perform` see him or her."""

    return lambda username: _signed(username).actor


def _signed(username: str) -> Any:
    from sqlalchemy import text

    from app.engine.database import db
    from app.engine.security import sign_in

    db.session.commit()
    found = db.session.scalar(text("SELECT id FROM ab_user WHERE username = :name"), {"name": username})
    assert found is not None, f"no account {username}"
    signed = sign_in(found)
    assert signed is not None, f"{username} cannot sign in"
    return signed


@pytest.fixture
def csrf(app: Flask) -> None:
    """Forms need their token in this test, as they do outside tests."""
    app.config["WTF_CSRF_ENABLED"] = True
