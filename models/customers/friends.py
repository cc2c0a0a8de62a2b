"""好友关系: who is a customer's friend in the work-chat. It follows a new consultant a day later (A-51)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import DateTime, ForeignKey, Index, insert, select, text, update
from sqlalchemy.orm import Mapped

from app.engine.actions import Act
from app.engine.choices import Choice, Tone
from app.engine.clock import Every, scheduled
from app.engine.database import Model
from app.engine.events import Happening, subscribe
from app.engine.fields import CreatedAt, Pk, column
from app.engine.outbox import Delivery
from models.customers.tables import Contact, Customer

DELAY = timedelta(hours=24)
"""Between the change of the file and that of the friend relation."""
NOTE = "好友关系在提交24小时后生效，客户档案立即变更"


class FriendState(Choice):
    """Whether the work-chat has followed yet."""

    PENDING = "pending", "待生效", Tone.WARN
    EFFECTIVE = "effective", "已生效", Tone.GOOD
    CANCELLED = "cancelled", "已取消", Tone.MUTED


_PENDING = text("state = 'pending'")


class FriendRelation(Model):
    """One change of a customer's friend in the work-chat: from whom, to whom, and when it takes effect."""

    __tablename__ = "friend_relations"
    __table_args__ = (
        Index("ix_friend_relations_pending", "due_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
    )

    id: Mapped[Pk]
    customer_id: Mapped[int] = column("客户", ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    former_id: Mapped[int | None] = column("原员工", ForeignKey("ab_user.id"))
    employee_id: Mapped[int] = column("新员工", ForeignKey("ab_user.id"))
    state: Mapped[FriendState] = column("好友关系", choices=FriendState, default=FriendState.PENDING)
    created_at: Mapped[CreatedAt] = column("提交时间", DateTime)
    due_at: Mapped[datetime] = column("生效时间", DateTime)
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))


@subscribe("customer.reassigned", gathered=True)
def _follow(act: Act, found: Sequence[Happening]) -> None:
    """The relation follows the new consultant after `DELAY`."""
    _change(act, [(h.record, h.facts["old"], h.facts["new"]) for h in found])


@subscribe("customers.restored", gathered=True)
def _return(act: Act, found: Sequence[Happening]) -> None:
    """What was taken back before it took effect never does; later it takes another day."""
    changed = [(h.record, h.facts["changes"].get("owner_id")) for h in found]
    _change(act, [(customer, *pair) for customer, pair in changed if pair is not None])


def _change(act: Act, changes: Sequence[tuple[Customer, int | None, int | None]]) -> None:
    """Set-based: a change that still waits gives way to the new one, which begins with whoever is the friend
    until then; back to that one nothing is left to wait for."""
    ids = [customer.id for customer, *_ in changes]
    waiting = FriendRelation.customer_id.in_(ids), FriendRelation.state == FriendState.PENDING
    friends = dict(
        act.session.execute(select(FriendRelation.customer_id, FriendRelation.former_id).where(*waiting))
        .tuples()
        .all()
    )
    if friends:
        act.session.execute(update(FriendRelation).where(*waiting).values(state=FriendState.CANCELLED))
    rows = [
        {
            "customer_id": customer.id,
            "former_id": friends.get(customer.id, old),
            "employee_id": new,
            "state": FriendState.PENDING,
            "created_at": act.now,
            "due_at": act.now + DELAY,
            "dealer_id": customer.dealer_id,
        }
        for customer, old, new in changes
        if new is not None and friends.get(customer.id, old) not in (None, new)
    ]
    if rows:
        act.session.execute(insert(FriendRelation), rows)


@subscribe("customer.reassigned", gathered=True)
def _take_contacts(act: Act, found: Sequence[Happening]) -> None:
    """Linked contacts that the former consultant looked after go along with their customer's file."""
    moved = {h.record.id: h.facts for h in found if h.facts["old"]}
    mine = Contact.customer_id.in_(moved), Contact.employee_id.in_({f["old"] for f in moved.values()})
    wanted = select(Contact).where(*mine).order_by(Contact.id).with_for_update(key_share=True)
    for contact in act.session.scalars(wanted).all() if moved else ():
        facts = moved[contact.customer_id or 0]
        if contact.employee_id == facts["old"]:
            contact.employee_id = facts["new"]


@scheduled("friends.effective", Every(5), label="好友关系生效")
def take_effect(delivery: Delivery) -> None:
    """Every five minutes: what was due at that moment is in effect (A-51)."""
    slot = datetime.fromisoformat(delivery.payload["slot"])
    delivery.session.execute(
        update(FriendRelation)
        .where(FriendRelation.state == FriendState.PENDING, FriendRelation.due_at <= slot)
        .values(state=FriendState.EFFECTIVE)
    )
