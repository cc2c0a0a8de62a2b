"""Messages on their way out, and the forgetting of old ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http.client import HTTPException
from smtplib import SMTPException

from app.engine import clock, outbox
from app.engine.database import writing
from models.notifications import deliveries, inbox
from models.notifications.channels import NotAccepted


def _parked(delivery: outbox.Delivery, reason: str) -> None:
    """The last attempt failed, or the worker died at each of them."""
    number = deliveries.number_of(delivery.payload, delivery.id)
    deliveries.failed(delivery.session, int(delivery.payload["id"]), delivery.attempt, number, reason)


@outbox.handler(deliveries.KIND, seconds=120, outside=True, on_parked=_parked, label="投递消息")
def deliver(delivery: outbox.Delivery) -> Callable[[], None] | None:
    """Hand one message to its channel, under a number that is the same at every attempt. A failure stands on
    the page of deliveries at once; the outbox repeats it with growing pauses."""
    session, pk = delivery.session, int(delivery.payload["id"])
    number = deliveries.number_of(delivery.payload, delivery.id)
    try:
        found = deliveries.parcel(session, pk)
        session.rollback()
        if found is None:
            return None
        answer = found.sender.send(found.letter, number, delivery.now)
    except NotAccepted as refused:
        session.rollback()
        reason = str(refused)
        return lambda: deliveries.failed(session, pk, delivery.attempt, number, reason)
    except (OSError, HTTPException, SMTPException) as error:
        with writing(session):
            deliveries.tried(session, pk, delivery.attempt, _in_words(error))
            session.commit()
        raise
    return lambda: deliveries.sent(session, pk, delivery.attempt, number, answer, delivery.now)


def _in_words(error: Exception) -> str:
    said = str(error)
    return said if any("一" <= c <= "鿿" for c in said) else f"对方没有应答（{type(error).__name__}）"


@clock.scheduled("notices.prune", clock.At("03:20"), label="清理过期消息")
def prune(delivery: outbox.Delivery) -> None:
    """Forget messages older than half a year, a piece at a time."""
    slot = datetime.fromisoformat(delivery.payload["slot"])
    if inbox.prune(delivery.session, now=slot):
        outbox.put(delivery.session, "notices.prune", delivery.payload, now=delivery.now)
