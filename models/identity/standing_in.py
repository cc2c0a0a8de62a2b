"""What stands in a dealer for something of the group: an own entry that says so, switched off where the dealer does
without. One click makes it, another takes it away again; what it says instead is changed like any other entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, object_session

from app.engine.actions import Act, Action, Invalid, Refusal, action
from app.engine.resource import resource_of
from app.engine.scopes import Actor
from models.identity.rules import is_group, unique


def own_of(session: Session, row: Any, dealer_id: int | None, *where: ColumnElement[bool]) -> Any:
    """What stands in for it in that dealer; None for nothing."""
    model = type(row)
    mine = (model.replaces_id == row.id, model.dealer_id == dealer_id, *where)
    with session.no_autoflush:
        return session.scalar(select(model).where(*mine).order_by(model.id).limit(1))


def switches(
    model: Any,
    *,
    permission: tuple[str, str],
    permission_label: str,
    copied: Callable[[], Sequence[str]],
    where: Sequence[ColumnElement[bool]] = (),
    allowed: Callable[[Any], bool] = lambda _row: True,
    named_once: bool = False,
) -> tuple[Action, Action]:
    """The actions 在本商场停用 and 在本商场恢复 of a model with ``replaces_id``. ``copied`` are the columns that an
    own entry takes over, ``where`` marks those that hold for the whole dealer, and ``allowed(row)`` is whether the group
    lets a dealer do without, and ``named_once`` whether a dealer has a name but once."""

    def is_dealers(actor: Actor) -> bool:
        return actor.dealer_id is not None and not is_group(actor, resource_of(model).name)

    def own(row: Any, actor: Actor) -> Any:
        session = object_session(row)
        assert session is not None
        return own_of(session, row, actor.dealer_id, *where)

    def may_leave(row: Any, actor: Actor) -> bool:
        there = own(row, actor) if is_dealers(actor) and row.active and allowed(row) else row
        return there is None or (there is not row and there.active)

    def may_return(row: Any, actor: Actor) -> bool:
        there = own(row, actor) if is_dealers(actor) else None
        return there is not None and not there.active

    def check(row: Any, act: Act) -> None:
        if not is_dealers(act.actor):
            raise Refusal("集团人员请直接停用或启用")
        if row.dealer_id is not None:
            raise Refusal(f"“{row.name}”是本商场的，请直接停用或启用")

    def check_name(there: Any, act: Act) -> None:
        try:
            unique(act, there, model.name, there.name, model.dealer_id == there.dealer_id)
        except Invalid:
            raise Refusal(f"本商场已有同名的“{there.name}”，请先修改它的名称，再停用集团的") from None

    @action(
        "在本商场停用", on=model, name="leave", icon="player-pause", permission=permission,
        permission_label=permission_label, when=lambda row: row.dealer_id is None, whom=may_leave, switched=is_dealers,
        confirm="停用后，集团的这一项在本商场不再执行，其他商场不变；随时可以恢复。确认停用？",
    )  # fmt: skip
    def leave(row: Any, act: Act) -> str:
        """Do without one of the group's: an own one stands in for it and is off."""
        check(row, act)
        if not allowed(row):
            raise Refusal(f"集团不允许商场停用“{row.name}”")
        there = own(row, act.actor)
        if there is not None and not there.active:
            raise Refusal(f"“{row.name}”在本商场已停用")
        if there is None:
            values = {name: getattr(row, name) for name in copied()}
            there = model(**values, dealer_id=act.actor.dealer_id, replaces_id=row.id)
            if named_once:
                check_name(there, act)
            act.session.add(there)
        there.active = False
        act.session.flush()
        return f"“{row.name}”在本商场已停用"

    @action(
        "在本商场恢复", on=model, name="come_back", icon="player-play", permission=permission,
        permission_label=permission_label, when=lambda row: row.dealer_id is None, whom=may_return, switched=is_dealers,
        confirm="恢复后，本商场重新执行集团的这一项；本商场停用的替代项随之删除。确认恢复？",
    )  # fmt: skip
    def come_back(row: Any, act: Act) -> str:
        """Have the group's hold again: what stood in for it goes."""
        check(row, act)
        there = own(row, act.actor)
        if there is None:
            raise Refusal(f"“{row.name}”在本商场没有停用")
        if there.active:
            raise Refusal(f"本商场以“{there.name}”替代“{row.name}”，要恢复集团的，请停用或删除它")
        act.session.delete(there)
        act.session.flush()
        return f"“{row.name}”在本商场已恢复"

    return leave, come_back
