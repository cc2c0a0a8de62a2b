"""Saved views as they are kept, and whom a change of one concerns."""

from __future__ import annotations

import time

from sqlalchemy import JSON, Boolean, ForeignKey, Index, String, case, event, text, update
from sqlalchemy import inspect as state_of
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.engine.choices import Choice, Entry, Tone, declare_entries
from app.engine.database import Model
from app.engine.fields import Pk, column
from app.engine.resource import resources
from models.base import OF_GROUP, Audited, Dated, Versioned
from models.identity.rights import bump_epoch
from models.identity.tables import Employee

LISTS = "lists"
"""The dictionary of all lists, by the names of their resources."""


class Audience(Choice):
    """For whom a view is, the nearest first: of several defaults the nearest opens."""

    PERSON = "person", "仅自己", Tone.MUTED
    ROLE = "role", "角色", Tone.INFO
    STORE = "store", "门店", Tone.ACTIVE
    DEALER = "dealer", "全部人员", Tone.GOOD


class ViewState(Choice):
    """Whether a view is in use; a deleted one can be taken back."""

    ACTIVE = "active", "使用中", Tone.GOOD
    REMOVED = "removed", "已删除", Tone.MUTED


class SavedView(Dated, Versioned, Audited, Model):
    """Columns with their widths, conditions, order and colours of one list under a name.

    ``place`` says for whom in one word (`place_of`), so that a name stands once there. A shared view steers
    what others see: changing one moves the rights epoch. A personal one moves its owner's own version only.
    """

    __tablename__ = "saved_views"
    __table_args__ = (
        Index(
            "uq_saved_views_name", "resource", "place", "name", unique=True,
            sqlite_where=text("state = 'active'"), postgresql_where=text("state = 'active'"),
        ),
        Index("ix_saved_views_owner_id_audience", "owner_id", "audience"),
    )  # fmt: skip

    id: Mapped[Pk]
    resource: Mapped[str] = column("列表", String(64), dictionary=LISTS)
    name: Mapped[str] = column("视图名称", String(20))
    audience: Mapped[Audience] = column("适用于", choices=Audience, default=Audience.PERSON)
    place: Mapped[str] = mapped_column(String(24))
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), blank=OF_GROUP)
    owner_id: Mapped[int] = column("创建人", ForeignKey("ab_user.id"))
    role_id: Mapped[int | None] = column(
        "适用角色", ForeignKey("ab_role.id", ondelete="CASCADE"), index=True, blank="—"
    )
    store_id: Mapped[int | None] = column(
        "适用门店", ForeignKey("stores.id", ondelete="CASCADE"), index=True, blank="—"
    )
    args: Mapped[dict[str, list[str]]] = mapped_column(JSON)
    columns: Mapped[list[str]] = mapped_column(JSON)
    colours: Mapped[list[list[str]]] = mapped_column(JSON)
    widths: Mapped[dict[str, int]] = mapped_column(JSON, default=dict, server_default="{}")
    summary: Mapped[str] = column("内容", String(400), default="", wide=True)
    is_default: Mapped[bool] = column("默认打开", Boolean, default=False)
    state: Mapped[ViewState] = column("状态", choices=ViewState, default=ViewState.ACTIVE)


def place_of(view: SavedView) -> str:
    """For whom a view is, in one word."""
    match view.audience:
        case Audience.PERSON:
            return f"p{view.owner_id}"
        case Audience.ROLE:
            return f"r{view.role_id}@{view.dealer_id or ''}"
        case Audience.STORE:
            return f"s{view.store_id}"
        case _:
            return f"d{view.dealer_id or ''}"


declare_entries(LISTS, lambda: tuple(Entry(r.name, r.titled()) for r in resources() if r.columns))


@event.listens_for(Session, "before_flush")
def _concern(session: Session, _context: object, _instances: object) -> None:
    """No rule can forget it: whatever changes of a view, those see at their next click whom it is for."""
    touched = [v for v in (*session.new, *session.deleted, *session.dirty) if isinstance(v, SavedView)]
    owners = {v.owner_id for v in touched if Audience.PERSON in _audiences(v)}
    if owners:
        moment, value = time.time_ns() // 1000, _PEOPLE.c.views_version
        later = case(
            (value >= moment, value + 1), else_=moment
        )  # no two states share a value, as with epochs
        mine = update(_PEOPLE).where(_PEOPLE.c.id.in_(owners))
        session.connection().execute(mine.values(views_version=later))
    if any(_audiences(v) - {Audience.PERSON} for v in touched):
        bump_epoch(session)


def _audiences(view: SavedView) -> set[Audience]:
    """For whom a view is and was."""
    return {view.audience, *(a for a in state_of(view).attrs.audience.history.deleted if a is not None)}


_PEOPLE = Employee.__table__
