"""Rows by which administrators steer the customer domain, and the presets they start from (A-47)."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.actions import Act, Invalid, Refusal
from models.customers import policy_effects
from models.customers.policy import DuplicateRule, Effect, Entrance, SameWithin, Told
from models.customers.track import TrackAct, TrackPoints

POINTS: Mapping[TrackAct, int] = {
    TrackAct.ADD_FRIEND: 10, TrackAct.CHAT: 2, TrackAct.BOOKMARK: 5, TrackAct.SIGN_UP: 15,
    TrackAct.BUY_COUPON: 20, TrackAct.VISIT: 15, TrackAct.BROWSE: 1, TrackAct.STAFF_CHAT: 2,
    TrackAct.MESSAGE: 1, TrackAct.SMS: 1, TrackAct.CALL: 3, TrackAct.WRITTEN: 2, TrackAct.FILED: 5,
    TrackAct.SERVICE_ORDER: 10, TrackAct.RECEIPT: 30, TrackAct.REFUND: 0, TrackAct.MEASURE: 20,
    TrackAct.CONTRACT: 40, TrackAct.TRANSMIT: 30, TrackAct.PRINTED: 0,
}  # fmt: skip


def create_row(row: Any, act: Act, values: dict[str, Any]) -> Any:
    """Add a dealer's own row beside the default of the group; one per subject."""
    row.dealer_id = act.actor.dealer_id
    key = type(row).act if isinstance(row, TrackPoints) else type(row).entrance
    own = type(row).dealer_id == row.dealer_id
    if row.dealer_id is None:
        own = type(row).dealer_id.is_(None)
    with act.session.no_autoflush:
        taken = act.session.scalars(select(type(row).id).where(key == getattr(row, key.key), own)).first()
    if taken is not None:
        raise Invalid({key.key: "已有此项设置，请直接修改"})
    if isinstance(row, DuplicateRule):
        policy_effects.judge(act, policy_effects.held(act.session, row), _as_saved(row, {}), row.dealer_id)
    return row


def _as_saved(row: DuplicateRule, values: Mapping[str, Any]) -> SimpleNamespace:
    """The rule as it will stand: a new one takes the defaults of its columns when it is stored."""
    usual = {"within": SameWithin.DEALER, "effect": Effect.INSIST}
    return SimpleNamespace(**{n: values.get(n) or getattr(row, n) or usual[n] for n in usual})


def edit_row(row: Any, act: Act, values: dict[str, Any]) -> None:
    """Change an own row; a change of points holds for new track items only (A-47)."""
    if row.dealer_id is None and act.actor.dealer_id is not None:
        raise Refusal("集团默认值不能修改，请新增本商场的设置")
    if isinstance(row, DuplicateRule):
        policy_effects.judge(act, row, _as_saved(row, values), row.dealer_id)


def remove_row(row: Any, act: Act) -> None:
    """Go back to the default of the group."""
    if row.dealer_id is None:
        raise Refusal("集团默认值不能删除")
    if isinstance(row, DuplicateRule):
        policy_effects.judge(act, row, policy_effects.held(act.session, row), row.dealer_id)


def install(session: Session) -> None:
    """Store the group's default points and duplicate policy where they are missing; idempotent."""
    known = set(session.scalars(select(TrackPoints.act).where(TrackPoints.dealer_id.is_(None))))
    session.add_all(TrackPoints(act=a, points=n) for a, n in POINTS.items() if a not in known)
    entrances = set(session.scalars(select(DuplicateRule.entrance).where(DuplicateRule.dealer_id.is_(None))))
    session.add_all(
        DuplicateRule(entrance=e, within=SameWithin.DEALER, effect=Effect.INSIST, told=Told.OWNER)
        for e in Entrance
        if e not in entrances
    )
