"""The ways out to a person's phone: a port with one built-in gateway that ends in the outbox page.

A real gateway (HTTP SMS service, work-chat, telephone system) implements `Gateway` and is installed with
`use()`. Accepting is asked inside the transaction and must be quick; delivery follows after the commit.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from models.follow_ups.tables import Channel, SmsMessage


class NotAccepted(Exception):
    """The gateway does not take the message; the text says why."""


class Gateway(Protocol):
    """What the product asks of a way out."""

    def accept(self, message: SmsMessage) -> None:
        """Raise `NotAccepted` when the message cannot be taken: then nothing counts as follow-up (A-29)."""

    def deliver(self, message: SmsMessage, number: int, now: datetime) -> str:
        """Send it, once per ``number`` however often it is called; returns the gateway's own reference.
        No transaction is open meanwhile, so it may take its time. `NotAccepted` is final, any other error
        means another try."""


class OutboxPage:
    """The built-in gateway: whatever is accepted can be read on the page 短信发件箱."""

    def accept(self, message: SmsMessage) -> None:
        """Take anything that has a number."""
        if not message.phone:
            raise NotAccepted("没有可用的手机号码")

    def deliver(self, message: SmsMessage, number: int, now: datetime) -> str:
        """The page shows it already."""
        return f"local-{number}"


_gateways: dict[Channel, Gateway] = {}
_built_in = OutboxPage()


def use(channel: Channel, gateway: Gateway | None) -> None:
    """Install a channel's gateway; None goes back to the built-in one."""
    if gateway is None:
        _gateways.pop(channel, None)
    else:
        _gateways[channel] = gateway


def gateway(channel: Channel) -> Gateway:
    """Who takes messages of that channel."""
    return _gateways.get(channel, _built_in)


def not_connected(channel: Channel) -> str:
    """What is said of a channel that no service stands behind; empty where one does."""
    if channel in _gateways:
        return ""
    return f"未接入{channel.label}服务：内容只记录在短信发件箱，不会发到客户的手机"
