"""Bringing a database to the state the product needs: migrations, permissions, presets. Idempotent."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, current_app
from flask_migrate import Migrate, upgrade
from sqlalchemy import select, text

from app.engine import audit, forms, names
from app.engine.actions import Act, Invalid, Refusal
from app.engine.database import alone, db, utcnow, writing
from app.engine.deeds import deed
from app.engine.fields import describe
from app.engine.scopes import SYSTEM, Actor
from app.engine.security import sign_in

MIGRATIONS = str(Path(__file__).resolve().parent.parent / "migrations")
_SPACE = -2


def with_migrations(app: Flask) -> Migrate:
    """Let the application migrate; only what does so loads what it needs for it."""
    return Migrate(app, db, directory=MIGRATIONS)


def initialise(app: Flask) -> None:
    """Migrate, write missing permissions, install presets and the first administrator. Two that start
    together do it one after the other."""
    with_migrations(app)
    upgrade(directory=MIGRATIONS)
    session = db.session()
    with writing(session):
        alone(session, _SPACE, "init")
        for statement in audit.ddl(db.engine.dialect.name):
            session.execute(text(statement))
        names.repair(session.connection())
        session.commit()
    install()
    db.session.remove()


def install() -> None:
    """Permissions, presets and, in an empty database, the first dealer with its administrator."""
    from models.clock_rules import presets as clock_presets
    from models.customers import settings as customer_settings
    from models.identity import presets
    from models.identity.tables import Dealer, Store
    from models.settings import rules as settings_rules
    from models.shaping import template_presets

    session = db.session()
    with deed(Act(SYSTEM, utcnow(), session, "setup", "init")):
        alone(session, _SPACE, "init")
        presets.install(session)
        settings_rules.install(session)
        customer_settings.install(session)
        clock_presets.install(session)
        template_presets.install(session)
        if session.scalar(select(Dealer.id).limit(1)) is None:
            dealer = presets.make_dealer(session, "示范商场", "D001", "杭州")
            stores = session.scalars(select(Store).where(Store.dealer_id == dealer.id)).all()
            presets.add_person(
                session,
                dealer_id=dealer.id,
                username="admin",
                name="管理员",
                password=current_app.config["ADMIN_PASSWORD"],
                roles=[
                    presets.preset_role(session, dealer.id, "admin"),
                    presets.preset_role(session, None, "group_admin"),
                ],
                stores=stores,
                position="系统管理员",
            )


def actor_of(username: str) -> Actor:
    """The actor of an account by name; a `Refusal` names an unknown one."""
    from models.identity.tables import Employee

    user_id = db.session().scalar(select(Employee.id).where(Employee.username == username))
    signed = sign_in(user_id) if user_id is not None else None
    if signed is None:
        raise Refusal(f"没有可用的账号 {username}")
    return signed.actor


def add_user(*, username: str, name: str, roles: tuple[str, ...], store: str | None, password: str) -> None:
    """A new account from the command line; a `Refusal` names what is wrong.

    ``roles`` are labels of roles of the store's dealer, ``store`` its code; without a store the account
    belongs to the first dealer.
    """
    from models.identity import accounts, passwords, presets
    from models.identity.roles import StaffRole
    from models.identity.tables import Dealer, Employee, Store

    session = db.session()
    act = Act(SYSTEM, utcnow(), session, "job", "add_user")
    typed = [describe(Employee.username), describe(Employee.name)]
    with deed(act):
        try:
            texts = {"username": [username], "name": [name]}
            cleaned = forms.clean(typed, texts, forms.Context(session, SYSTEM, act.now))
            accounts.check_username(Employee(), act, cleaned["username"])
        except Invalid as wrong:
            labels = {s.name: s.label for s in typed}
            raise Refusal("；".join(f"{labels[n]}：{said}" for n, said in wrong.errors.items())) from None
        username, name = cleaned["username"], cleaned["name"]
        place = session.scalar(select(Store).where(Store.code == store)) if store else None
        if store and place is None:
            raise Refusal(f"没有编码为 {store} 的门店")
        dealer_id = (
            place.dealer_id if place else session.scalar(select(Dealer.id).order_by(Dealer.id).limit(1))
        )
        offered = session.scalars(
            select(StaffRole).where((StaffRole.dealer_id == dealer_id) | StaffRole.dealer_id.is_(None))
        ).all()
        by_label = {r.label: r for r in offered}
        unknown = [label for label in roles if label not in by_label]
        if unknown:
            raise Refusal(f"没有角色 {'、'.join(unknown)}；可用的角色：{'、'.join(by_label)}")
        weak = passwords.weakness(password, username)
        if weak:
            raise Refusal(weak)
        presets.add_person(
            session,
            dealer_id=dealer_id,
            username=username,
            name=name,
            password=password,
            roles=[by_label[label] for label in roles],
            stores=[place] if place else [],
        )
