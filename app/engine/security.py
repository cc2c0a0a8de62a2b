"""Who is signed in: the framework's security manager on top of the product's actors.

One light query per request reads whether the person is still active and the epoch of all rights; the
actor itself is kept per process until the epoch moves, so a changed role acts at the next click (A-22).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from flask import g, has_request_context
from flask_appbuilder.security.sqla.manager import SecurityManager as FrameworkSecurityManager
from flask_login import UserMixin, current_user
from sqlalchemy import update
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash

from app.engine.database import db, utcnow
from app.engine.scopes import Actor

MAX_FAILURES = 5
LOCK_MINUTES = 15
_MAX_ACTORS = 5000


@dataclass(frozen=True, slots=True)
class Stamp:
    """What one request must know afresh: is the account usable, which session and rights are current."""

    active: bool
    session_version: int
    epoch: int


class Identity(Protocol):
    """What the identity domain provides to the engine."""

    def stamp(self, session: Session, user_id: int) -> Stamp | None:
        """The account's stamp in one query, or None."""

    def load(self, session: Session, user_id: int) -> Actor | None:
        """The actor with permissions and scopes, or None for unusable accounts."""


_identity: list[Identity] = []
_actors: OrderedDict[int, Actor] = OrderedDict()


def provide_identity(identity: Identity) -> None:
    """Install the identity domain; called once at import of that domain."""
    _identity[:] = [identity]


class SignedIn(UserMixin):  # type: ignore[misc]
    """The signed-in person as Flask-Login keeps it: the id with the session's version, and the actor."""

    def __init__(self, user_id: int, session_version: int, actor: Actor) -> None:
        self.id = user_id
        self.session_version = session_version
        self.actor = actor

    def get_id(self) -> str:
        """The session's key; a password change raises the version and so ends older sessions."""
        return f"{self.id}-{self.session_version}"


def actor_of(session: Session, user_id: int, epoch: int) -> Actor | None:
    """The actor of that account at that epoch, from this process's cache or freshly loaded."""
    known = _actors.get(user_id)
    if known is not None and known.epoch == epoch:
        return known
    actor = _identity[0].load(session, user_id)
    if actor is None:
        _actors.pop(user_id, None)
        return None
    _actors[user_id] = actor
    while len(_actors) > _MAX_ACTORS:
        _actors.popitem(last=False)
    return actor


def forget_actors() -> None:
    """Empty the cache, for tests that replace the database."""
    _actors.clear()


def sign_in(user_id: int, session_version: int | None = None) -> SignedIn | None:
    """The account as signed-in person when it is active and the session is the current one."""
    stamp = _identity[0].stamp(db.session(), user_id)
    if stamp is None or not stamp.active:
        return None
    if session_version is not None and session_version != stamp.session_version:
        return None
    actor = actor_of(db.session(), user_id, stamp.epoch)
    return None if actor is None else SignedIn(user_id, stamp.session_version, actor)


def current_actor() -> Actor | None:
    """The actor of this request (session or token), or None when nobody is signed in."""
    if not has_request_context():
        return None
    actor: Actor | None = getattr(g, "actor", None)
    if actor is None and current_user and current_user.is_authenticated:
        actor = g.actor = current_user.actor
    return actor


def require_actor() -> Actor:
    """The signed-in actor; views behind the login use this."""
    actor = current_actor()
    if actor is None:
        raise PermissionError("nobody is signed in")
    return actor


class SecurityManager(FrameworkSecurityManager):  # type: ignore[misc]
    """Users, roles and permission tables are the framework's; rights come from the actor."""

    def register_views(self) -> None:
        """None of the framework's pages: the product draws its own (`views/`)."""

    def load_user(self, pk: str) -> SignedIn | None:
        """Flask-Login's loader: ``id-version`` from the session cookie."""
        user_id, _, version = str(pk).partition("-")
        if not (user_id.isdigit() and version.isdigit()):
            return None
        return sign_in(int(user_id), int(version))

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
            stamp = _identity[0].stamp(db.session(), int(identity))
            return {"sv": stamp.session_version if stamp else -1}

        return manager

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """The framework's question, answered from the actor: no query."""
        actor = current_actor()
        return actor is not None and actor.can(permission_name, view_name)

    def auth_user_db(self, username: str, password: str) -> SignedIn | None:
        """Check name and password; five failures lock the account for a quarter of an hour."""
        model = self.user_model
        table = model.__table__
        session = db.session()
        row = session.execute(table.select().where(table.c.username == (username or "").strip())).first()
        now = utcnow()
        if row is None or not row.active or not row.password:
            check_password_hash(_FAKE_HASH, password or "")
            return None
        if row.locked_until is not None and row.locked_until > now:
            return None
        right = check_password_hash(row.password, password or "")
        failures = 0 if right else (row.fail_login_count or 0) + 1
        values: dict[str, Any] = {"fail_login_count": failures}
        if right:
            values |= {"last_login": now, "login_count": (row.login_count or 0) + 1, "locked_until": None}
        elif failures >= MAX_FAILURES:
            values |= {"fail_login_count": 0, "locked_until": now + timedelta(minutes=LOCK_MINUTES)}
        session.rollback()
        statement = update(table).where(table.c.id == row.id).values(**values)
        session.execute(statement, execution_options={"audited": True})  # statistics, kept nowhere
        session.commit()
        return sign_in(row.id) if right else None


_FAKE_HASH = (
    "scrypt:32768:8:1$wiDa0ruWlIPhp9LM$6e409d093e62ad54df2af895d0e125b05ff6cf64148350189ffc4bcc71286edf"
    "1b8ad94a442c00f890224bf2b32153d0750c89ee9401e62f9dcee5399065e4e5"
)
