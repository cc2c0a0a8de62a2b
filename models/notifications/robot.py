"""Robots of work chats: one HTTP POST of JSON per message."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from models.notifications import outward
from models.notifications.channels import Letter, NotAccepted, Sent, provide
from models.notifications.tables import NoticeChannel

_LONGEST = 1800  # characters; robots take about 2048 bytes of text
_BUSY = frozenset({-1, 45009, 130101})  # "try again" and "too many messages" of usual robots
_PLACE = "机器人地址"


def wrong_address(text: Any) -> str:
    """What is wrong with a robot's address as a setting, in words; empty for a usable one and for none."""
    return outward.wrong_address(text, _PLACE)


class RobotSender:
    """Posts to the robot whose address the person or the dealer has set."""

    def send(self, letter: Letter, number: int, now: datetime) -> Sent:
        """Usual robots know no sender's number: what was answered with an error was not shown, and what was
        answered well is never sent again."""
        wrong = wrong_address(letter.address)
        if wrong:
            raise NotAccepted(wrong)
        answer = _post(urlsplit(letter.address), {"msgtype": "text", "text": {"content": _words(letter)}})
        code = answer.get("errcode", answer.get("code", 0))
        if code in _BUSY:
            raise ConnectionError(f"机器人暂时不接收（{code}）")
        if code:
            raise NotAccepted(f"机器人拒绝了消息（{code}）")
        return Sent(str(answer.get("msgid") or f"robot-{number}")[:64])


def _words(letter: Letter) -> str:
    head = f"@{letter.name} {letter.title}" if letter.shared else letter.title
    return "\n".join(p for p in (head, letter.text, letter.url) if p)[:_LONGEST]


def _post(address: SplitResult, body: dict[str, Any]) -> dict[str, Any]:
    """Post JSON and read JSON; raises `NotAccepted` for what no repetition mends."""
    said = outward.post(address, json.dumps(body, ensure_ascii=False).encode(), _PLACE)
    try:
        found = json.loads(said or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


provide(NoticeChannel.ROBOT, RobotSender())
