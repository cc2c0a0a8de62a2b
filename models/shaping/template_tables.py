"""Templates: what is printed of a record, and what is written to a customer, in the words of administrators."""

from __future__ import annotations

from sqlalchemy import Boolean, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped

from app.engine.audit import Audited as Kept
from app.engine.choices import Choice, Entry, Tone, declare_entries
from app.engine.database import Model
from app.engine.fields import Pk, column
from app.engine.permissions import group_of, place_of
from app.engine.resource import Resource, resources
from models.base import OF_GROUP, Audited, Dated, Steering, Versioned, once_for_all
from models.identity.menu_groups import BRIEFS, MANAGEMENT

TEMPLATED = "templated"
"""The list of what templates can be about."""
LONGEST = 2000
"""As much of a text as the history keeps, so that every change can be taken back."""
NO_WORK = MANAGEMENT | {"其他"}
"""The menu groups of settings and organisation, of whose records nothing is printed."""


class TemplateKind(Choice):
    """What becomes of a template."""

    PRINT = "print", "打印模板", Tone.INFO
    SMS = "sms", "短信模板", Tone.ACTIVE
    MESSAGE = "message", "消息模板", Tone.GOOD


class Template(Steering, Dated, Versioned, Audited, Model):
    """One template; without dealer it is the group's, and stands until a dealer has one of the same name."""

    __tablename__ = "text_templates"
    __table_args__ = (
        UniqueConstraint("dealer_id", "kind", "resource", "name"),
        once_for_all("text_templates", "kind", "resource", "name"),
    )

    id: Mapped[Pk]
    kind: Mapped[TemplateKind] = column("模板类型", choices=TemplateKind, default=TemplateKind.PRINT)
    resource: Mapped[str] = column(
        "适用对象", String(64), dictionary=TEMPLATED, default="customers", hint="短信和消息只能发给客户"
    )
    name: Mapped[str] = column("模板名称", String(30))
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), blank=OF_GROUP)
    head: Mapped[str | None] = column(
        "页眉", String(1000), kind="textarea", shown_when="kind=print", hint="纸的开头，如门店名称"
    )
    body: Mapped[str] = column(
        "正文", String(LONGEST), kind="textarea", wide=True, placeholder="请填写模板正文"
    )
    foot: Mapped[str | None] = column(
        "页脚", String(1000), kind="textarea", shown_when="kind=print", hint="签字、说明等"
    )
    sort: Mapped[int] = column("顺序", Integer, default=100, minimum=0, maximum=9999, hint="较小的排在前面")
    active: Mapped[bool] = column("启用", Boolean, default=True)


def templated(resource: type[Resource]) -> bool:
    """Whether templates can be about such records: the history keeps what was printed of them."""
    works = group_of(resource) not in NO_WORK and resource.name != BRIEFS
    return works and bool(resource.detail) and issubclass(resource.model, Kept)


declare_entries(
    TEMPLATED,
    lambda: tuple(Entry(r.name, r.label) for r in sorted(resources(), key=place_of) if templated(r)),
)
