"""What messages are about. Upper domains declare their own; a summary is grouped by them (A-37, A-38)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """A matter people are told of. ``instant`` pushes it at once (实时提醒), ``hourly`` lists it in the
    summary of its hour (整点提醒)."""

    key: str
    label: str
    icon: str
    instant: bool = True
    hourly: bool = True


_topics: dict[str, Topic] = {}


def declare(topic: Topic) -> Topic:
    """Make a topic known, once, at import; a `ValueError` names a key that means something else already."""
    known = _topics.setdefault(topic.key, topic)
    if known != topic:
        raise ValueError(f"topic {topic.key} is declared twice")
    return topic


def topics() -> tuple[Topic, ...]:
    """All topics in the order of declaration, which is that of the groups of a summary."""
    return tuple(_topics.values())


def label(key: str) -> str:
    """The topic in words; an undeclared one is its own word."""
    known = _topics.get(key)
    return known.label if known else key


def icon(key: str) -> str:
    """Its icon."""
    known = _topics.get(key)
    return known.icon if known else "bell"


WAITING = declare(Topic("todo", "待办任务", "calendar-due", instant=False, hourly=False))
NEW_TASK = declare(Topic("task.new", "新任务", "calendar-plus", instant=False))
TASK_CHANGE = declare(Topic("task.change", "任务变更", "calendar-repeat"))
APPLICATION = declare(Topic("application", "申请", "clipboard-text"))
FINANCE = declare(Topic("finance", "财务", "cash"))
LEAD = declare(Topic("lead", "线上引流", "user-plus"))
LIVE = declare(Topic("live", "直播", "video"))
CUSTOMER = declare(Topic("customer", "建档与归属", "user-share", hourly=False))
ORDER = declare(Topic("order", "订单", "clipboard-list", hourly=False))
SHIPPING = declare(Topic("shipping", "送货安装验收", "truck", hourly=False))
JOB = declare(Topic("job", "任务中心", "progress", hourly=False))
