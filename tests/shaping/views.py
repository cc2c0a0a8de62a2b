"""Steps of tests of saved views."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from app.engine.database import db, utcnow
from models.identity import presets, role_rules
from models.identity.rights import bump_epoch
from models.shaping.view_tables import SavedView
from tests.customers.world import World


def make(client: FlaskClient, name: str, resource: str = "customers", **now: Any) -> Any:
    """Keep a list as a view, as its form sends it."""
    sent: dict[str, Any] = {"resource": resource, "name": name}
    sent |= {f"now.{k.replace('__', '.')}": v for k, v in now.items()}
    return client.post("/list_views/", data=sent)


def kept(name: str) -> SavedView:
    """The view of that name as it is stored."""
    db.session.expire_all()
    return db.session.scalars(select(SavedView).where(SavedView.name == name).order_by(SavedView.id)).first()


def share(client: FlaskClient, view: SavedView, **values: Any) -> Any:
    """Save the form of a view."""
    sent = {"name": view.name, "version": str(view.version), "audience": "dealer"} | values
    return client.post(f"/list_views/{view.id}", data=sent)


def body(client: FlaskClient, path: str, status: int = 200) -> str:
    """The page at that address."""
    answer = client.get(path)
    assert answer.status_code == status, answer.status_code
    return str(answer.get_data(as_text=True))


def table(text: str) -> str:
    """The rows of a list's page."""
    return text.partition("<tbody>")[2].partition("</tbody>")[0]


def give(world: World, role: str, *pairs: tuple[str, str]) -> None:
    """Let a preset role of the first dealer grant more."""
    change(world, role, more=pairs)


def change(world: World, role: str, more: Any = (), less: Any = ()) -> None:
    """Change what a preset role of the first dealer grants."""
    from app.engine.audit import acting

    with acting(db.session()):
        target = presets.preset_role(db.session(), world.a.id, role)
        held = role_rules.rights_of(db.session(), target.id)
        grants = (held.grants | frozenset(more)) - frozenset(less)
        role_rules.give(db.session(), target, role_rules.Rights(grants, held.scopes))
        bump_epoch(db.session())
        db.session.commit()


__all__ = ["body", "change", "give", "kept", "make", "share", "table", "utcnow"]
