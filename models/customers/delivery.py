"""What of the customer domain is carried out after a commit."""

from __future__ import annotations

from app.engine import outbox
from app.engine.outbox import Delivery
from models.customers.handover import RUN
from models.customers.handover_run import piece


@outbox.handler(RUN, seconds=600, outside=True, label="客户交接")
def carry_on(delivery: Delivery) -> None:
    """Whatever of a handover is left to do; its pieces commit, so that a killed worker goes on where it was."""
    while piece(delivery.session, delivery.payload["handover"], delivery.now, "job"):
        pass
