"""The product's own messages in the words of administrators."""

from __future__ import annotations

from sqlalchemy import Boolean, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped

from app.engine.choices import Entry, declare_entries
from app.engine.database import Model
from app.engine.fields import Pk, column
from models.base import OF_GROUP, Audited, Dated, Steering, Versioned, once_for_all
from models.notifications.sentences import LONGEST, sentences

SENTENCES = "notice.sentences"
"""The list of what messages there are."""


class NoticeWords(Steering, Dated, Versioned, Audited, Model):
    """One of the product's messages in other words; without dealer they are the group's, and stand until a dealer
    has its own."""

    __tablename__ = "notice_words"
    __table_args__ = (UniqueConstraint("dealer_id", "sentence"), once_for_all("notice_words", "sentence"))

    id: Mapped[Pk]
    sentence: Mapped[str] = column("通知", String(48), dictionary=SENTENCES, wide=True)
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), blank=OF_GROUP)
    one: Mapped[str] = column(
        "单条文字", String(LONGEST), wide=True, hint="一次只涉及一条记录时，接收人看到的文字"
    )
    many: Mapped[str | None] = column(
        "多条文字",
        String(LONGEST),
        wide=True,
        hint="一次涉及多条记录时合并为一条通知；早晚汇总没有此项，请留空",
    )
    active: Mapped[bool] = column(
        "启用", Boolean, default=True, wide=True, hint="停用后使用系统默认文字，商场停用时集团的文字也不使用"
    )


declare_entries(SENTENCES, lambda: tuple(Entry(s.key, s.title) for s in sentences()))
