"""The parts of telling that work by themselves: summaries, senders, the bell; and what files came to."""

from __future__ import annotations

from app.engine.actions import Act
from app.engine.events import subscribe
from app.engine.resource import Resource
from models.notifications import hourly, inbox, mail, robot, telling
from models.notifications.rules import notify
from models.notifications.tables import NoticeKind
from models.notifications.topics import IMPORT

__all__ = ["hourly", "inbox", "mail", "robot", "telling"]


@subscribe("imported")
def _imported(act: Act, resource: type[Resource], import_id: int, deed_id: str, said: str) -> None:
    """Whoever brought a file in learns what came of it, once: it may have taken a while."""
    notify(
        act.session, users=[act.actor.id], kind=NoticeKind.INSTANT, topic=IMPORT.key,
        title=f"{resource.label}导入已完成：{said}", now=act.now, dealer_id=act.actor.dealer_id,
        key=f"import:{import_id}",
    )  # fmt: skip
