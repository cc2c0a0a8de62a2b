"""Who is signed in: the framework's security manager on top of the product's actors.

One light query per request reads whether the person is still active and the epoch of all rights; the
actor itself is kept per process until the epoch moves, so a changed role acts at the next click (A-22).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from flask import current_app, g, has_request_context, request, session
from flask.sessions import SecureCookieSessionInterface
from flask_appbuilder.security.sqla.manager import SecurityManager as FrameworkSecurityManager
from flask_login import UserMixin, current_user, logout_user
from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash

from app.engine.database import db, id_of, utcnow, writing
from app.engine.recent import Recent
from app.engine.scopes import Actor

MAX_FAILURES = 5
LOCK_MINUTES = 15
_MAX_ACTORS = 5000


@dataclass(frozen=True, slots=True)
class Stamp:
    """What one request must know afresh: is the account usable and the session not ended, which version of
    sessions, which rights and which version of the person's own arrangements are current."""

    active: bool
    session_version: int
    epoch: int
    own: int = 0


class Identity(Protocol):
    """What the identity domain provides to the engine."""

    def stamp(self, session: Session, user_id: int, login: str) -> Stamp | None:
        """The account's stamp in one query, or None; ``login`` is the key of the session."""

    def load(self, session: Session, user_id: int) -> Actor | None:
        """The actor with permissions and scopes, or None for unusable accounts."""

    def end(self, session: Session, login: str, until: datetime) -> None:
        """Remember until then that the session has ended; the caller commits."""


Preview = Callable[[Actor, Any], Actor | None]
_identity: list[Identity] = []
_previews: list[Preview] = []
PREVIEW = "preview"
"""Where the session keeps the role through which its person looks at the product."""
_actors: Recent[int, Actor] = Recent(_MAX_ACTORS)


def provide_identity(identity: Identity) -> None:
    """Install the identity domain; called once at import of that domain."""
    _identity[:] = [identity]


def provide_preview(seen: Preview) -> None:
    """Install what makes of a person and of what the session keeps the actor of a preview, or None when that
    is no longer understood; called once at import of the identity domain."""
    _previews[:] = [seen]


class SignedIn(UserMixin):  # type: ignore[misc]
    """The signed-in person as Flask-Login keeps it: the id with the session's version and key, and the
    actor."""

    def __init__(self, user_id: int, session_version: int, login: str, actor: Actor) -> None:
        self.id = user_id
        self.session_version = session_version
        self.login = login
        self.actor = actor

    def get_id(self) -> str:
        """What the cookie holds: a password change raises the version and so ends all older sessions,
        signing out ends the one of that key."""
        return f"{self.id}-{self.session_version}-{self.login}"


def actor_of(session: Session, user_id: int, epoch: int) -> Actor | None:
    """The actor of that account at that epoch, from this process's cache or freshly loaded."""
    known = _actors.recall(user_id)
    if known is not None and known.epoch == epoch:
        return known
    actor = _identity[0].load(session, user_id)
    if actor is None:
        _actors.pop(user_id, None)
        return None
    return _actors.keep(user_id, actor)


def afresh(session: Session, actor: Actor) -> Actor:
    """The same person with the rights that the running transaction has given by now."""
    stamp = None if actor.system else _identity[0].stamp(session, actor.id, "")
    if stamp is None or stamp.epoch == actor.epoch:
        return actor
    found = _identity[0].load(session, actor.id)
    if found is None:
        return actor
    return replace(actor, permissions=found.permissions, scopes=found.scopes, epoch=found.epoch)


def forget_actors() -> None:
    """Empty the cache, for tests that replace the database."""
    _actors.clear()


def sign_in(user_id: int, session_version: int | None = None, login: str = "") -> SignedIn | None:
    """The account as signed-in person when it is active and the session has not ended; without the key of
    one a new session begins."""
    stamp = _identity[0].stamp(db.session(), user_id, login)
    if stamp is None or not stamp.active:
        return None
    if session_version is not None and session_version != stamp.session_version:
        return None
    actor = actor_of(db.session(), user_id, stamp.epoch)
    if actor is None:
        return None
    if has_request_context():
        g.own_version = stamp.own
    return SignedIn(user_id, stamp.session_version, login or secrets.token_hex(8), actor)


def own_version() -> int | None:
    """The version of the own arrangements of whoever sent this request; None outside of one."""
    found: int | None = getattr(g, "own_version", None) if has_request_context() else None
    return found


def sign_out() -> None:
    """End the session for good: its cookie opens nothing any more, wherever it is kept."""
    signed, rows = current_user, db.session()
    if isinstance(signed._get_current_object(), SignedIn):
        with writing(rows):
            _identity[0].end(rows, signed.login, utcnow() + current_app.permanent_session_lifetime)
            rows.commit()
    logout_user()


def current_actor() -> Actor | None:
    """The actor of this request (session or token), or None when nobody is signed in."""
    if not has_request_context():
        return None
    actor: Actor | None = getattr(g, "actor", None)
    if actor is None and current_user and current_user.is_authenticated:
        actor = g.actor = _previewed(current_user.actor)
    return actor


def _previewed(actor: Actor) -> Actor:
    """The person, or the person as somebody with the previewed role alone."""
    kept = session.get(PREVIEW)
    return (_previews[0](actor, kept) if kept and _previews else None) or actor


def require_actor() -> Actor:
    """The signed-in actor; views behind the login use this."""
    actor = current_actor()
    if actor is None:
        raise PermissionError("nobody is signed in")
    return actor


_PASSING = "zhike.passing"


def passing() -> None:
    """This request was sent by a page on its own: it is no sign of a person, and keeps no session alive."""
    request.environ[_PASSING] = True


class Sessions(SecureCookieSessionInterface):
    """Sessions in signed cookies, which last from the last request of a person."""

    def should_set_cookie(self, app: Any, session: Any) -> bool:
        """Whether the answer carries the cookie again, and with it a later end."""
        if (
            _PASSING in request.environ or request.endpoint == "static"
        ):  # static files are kept, also by proxies
            return bool(session.modified)
        return bool(super().should_set_cookie(app, session))


_IN_THE_HAND = re.compile("Mobi|Android|iPhone|iPad|HarmonyOS|MicroMessenger")


def entrance() -> str:
    """By which way a page's request came in, for the history (D-15): from a phone or tablet, or else."""
    return "mobile" if _IN_THE_HAND.search(request.user_agent.string) else "web"


class SecurityManager(FrameworkSecurityManager):  # type: ignore[misc]
    """Users, roles and permission tables are the framework's; rights come from the actor."""

    def register_views(self) -> None:
        """None of the framework's pages: the product draws its own (`views/`)."""

    def load_user(self, pk: str) -> SignedIn | None:
        """Flask-Login's loader: ``id-version-key`` from the session cookie."""
        user_id, version, login = (*str(pk).split("-", 2), "", "")[:3]
        if not (id_of(user_id) and id_of(version) and login):
            return None
        return sign_in(id_of(user_id), id_of(version), login)

    def load_user_jwt(self, _header: dict[str, Any], data: dict[str, Any]) -> SignedIn | None:
        """The bearer of a token; tokens issued before a password change are void."""
        signed = sign_in(int(data["sub"]), data.get("sv"))
        if signed is not None:
            g.user = signed
            g.actor = signed.actor
        return signed

    def create_jwt_manager(self, app: Any) -> Any:
        """The framework's manager, with the session version inside each token."""
        manager = super().create_jwt_manager(app)

        @manager.additional_claims_loader
        def _claims(identity: str) -> dict[str, int]:
            stamp = _identity[0].stamp(db.session(), int(identity), "")
            return {"sv": stamp.session_version if stamp else -1}

        return manager

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """The framework's question, answered from the actor: no query."""
        actor = current_actor()
        return actor is not None and actor.can(permission_name, view_name)

    def auth_user_db(self, username: str, password: str) -> SignedIn | None:
        """Check name and password; five failures lock the account for a quarter of an hour."""
        table = self.user_model.__table__
        found = select(table.c.id, table.c.active, table.c.password)
        row = db.session().execute(found.where(table.c.username == (username or "").strip())).first()
        if row is None or not row.active or not row.password:
            check_password_hash(_FAKE_HASH, password or "")
            return None
        if not self._tried(row.id, row.password, password or ""):
            return None
        login_count = func.coalesce(table.c.login_count, 0) + 1
        self._note(row.id, last_login=utcnow(), login_count=login_count)
        return sign_in(row.id)

    def confirms(self, user_id: int, password: str) -> bool:
        """Whether somebody signed in knows the own password; wrong ones count like those of a login."""
        table = self.user_model.__table__
        stored = db.session().scalar(select(table.c.password).where(table.c.id == user_id)) or ""
        return bool(stored) and self._tried(user_id, stored, password)

    def _tried(self, user_id: int, stored: str, password: str) -> bool:
        """Compare a password. The attempt is counted before, in one statement, so that of many at the same
        moment no more than `MAX_FAILURES` are compared at all."""
        table, now = self.user_model.__table__, utcnow()
        free = or_(table.c.locked_until.is_(None), table.c.locked_until <= now)
        count = func.coalesce(table.c.fail_login_count, 0) + 1
        attempt = self._note(user_id, free, fail_login_count=count)
        if attempt is None:
            return False
        right = attempt <= MAX_FAILURES and check_password_hash(stored, password)
        if right:
            self._note(user_id, fail_login_count=0, locked_until=None)
        elif attempt >= MAX_FAILURES:
            self._note(user_id, fail_login_count=0, locked_until=now + timedelta(minutes=LOCK_MINUTES))
        return right

    def _note(self, user_id: int, *conditions: Any, **values: Any) -> int | None:
        """Write statistics of signing in, which the history does not keep; returns the failures so far, or
        None when a condition does not hold."""
        table, session = self.user_model.__table__, db.session()
        statement = update(table).where(table.c.id == user_id, *conditions).values(**values)
        with writing(session):
            failures: int | None = session.scalar(
                statement.returning(table.c.fail_login_count), execution_options={"audited": True}
            )
            session.commit()
        return failures


_FAKE_HASH = (
    "scrypt:32768:8:1$wiDa0ruWlIPhp9LM$6e409d093e62ad54df2af895d0e125b05ff6cf64148350189ffc4bcc71286edf"
    "1b8ad94a442c00f890224bf2b32153d0750c89ee9401e62f9dcee5399065e4e5"
)
