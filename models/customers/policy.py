"""The duplicate policy: what happens when a phone is on file already, as rows (unified model)."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped

from app.engine.choices import Choice, Tone
from app.engine.database import Model
from app.engine.fields import Pk, column
from models.base import OF_GROUP, Audited, Dated, Versioned, once_for_all


class Entrance(Choice):
    """The way by which a phone comes in."""

    FORM = "form", "表单"
    API = "api", "接口"
    IMPORT = "import", "导入"


class SameWithin(Choice):
    """Among whose customers a phone counts as the same."""

    DEALER = "dealer", "本商场"
    STORE = "store", "本门店"


class Effect(Choice):
    """What happens then."""

    INSIST = "insist", "提示后可继续建档", Tone.WARN
    REFUSE = "refuse", "不允许建档", Tone.BAD
    ABSORB = "absorb", "不重复建档，安排当日回访", Tone.ACTIVE
    WARN = "warn", "仅提醒", Tone.INFO


class Told(Choice):
    """What the person learns about the file that is there."""

    NOTHING = "nothing", "仅提示已存在"
    OWNER = "owner", "姓名、门店、导购与状态"


class DuplicateRule(Audited, Versioned, Dated, Model):
    """One row of the duplicate policy; a dealer's own row goes before the one without dealer."""

    __tablename__ = "duplicate_rules"
    __table_args__ = (UniqueConstraint("entrance", "dealer_id"), once_for_all("duplicate_rules", "entrance"))

    id: Mapped[Pk]
    entrance: Mapped[Entrance] = column("入口", choices=Entrance)
    within: Mapped[SameWithin] = column("查重范围", choices=SameWithin, default=SameWithin.DEALER)
    effect: Mapped[Effect] = column("处理方式", choices=Effect, default=Effect.INSIST)
    told: Mapped[Told] = column("提示内容", choices=Told, default=Told.OWNER)
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), blank=OF_GROUP)
