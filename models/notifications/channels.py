"""The ways out: a port per channel. An upper domain may provide one (SMS stands with its gateway)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from models.notifications.tables import NoticeChannel

LOCAL = "local"
"""How references begin where no outside service is set up and the page 消息投递 is where a message ends."""


class NotAccepted(Exception):
    """The message cannot be delivered, now or later; the text says why, without addresses or secrets."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as it leaves: for whom, where to, what. ``url`` opens it in the product, where its
    address is known."""

    name: str
    address: str
    title: str
    text: str
    url: str = ""
    shared: bool = False
    """The address is one that others read too, so the message says for whom it is."""
    dealer_id: int | None = None
    store_id: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What the other side said; ``keep`` runs in the transaction that notes it."""

    reference: str
    keep: Callable[[Session], None] | None = None


class Sender(Protocol):
    """Who carries messages out by one channel."""

    def send(self, letter: Letter, number: int, now: datetime) -> Sent:
        """Deliver once per ``number``, however often it is called; no transaction is open meanwhile.
        `NotAccepted` is final, any other error means another try."""


_senders: dict[NoticeChannel, Sender] = {}


def provide(channel: NoticeChannel, sender: Sender) -> None:
    """Install the sender of a channel."""
    _senders[channel] = sender


def sender(channel: NoticeChannel) -> Sender:
    """Who carries out that channel; a `KeyError` names one nobody does."""
    return _senders[channel]
