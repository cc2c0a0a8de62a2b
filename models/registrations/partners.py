"""The directory of partners' designers, by whose recommendation customers come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped

from app.engine.actions import Act, Refusal
from app.engine.database import Model
from app.engine.fields import Phone, Pk, column
from app.engine.guards import CUSTOMER_PHONE
from app.engine.resource import resource_of
from app.engine.scopes import visible
from models.base import Audited, Dated, Versioned

NOT_FOUND = "未找到设计师电话"


class PartnerDesigner(Audited, Versioned, Dated, Model):
    """A designer of a home-decoration company who recommends customers; 提取 finds the phone here (E-23)."""

    __tablename__ = "partner_designers"

    id: Mapped[Pk]
    name: Mapped[str] = column("家装设计师", String(64), index=True)
    company: Mapped[str | None] = column("家装公司", String(64))
    phone: Mapped[Phone] = column("电话", guard=CUSTOMER_PHONE, wrong="手机号格式不正确")
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))


def phones_of(values: Mapping[str, str], act: Act) -> Sequence[tuple[str, str]]:
    """The numbers on file of designers of that name, of that company when one is given (E-23)."""
    if not values["designer"]:
        raise Refusal("请先输入家装设计师")
    named = PartnerDesigner.name == values["designer"]
    statement = select(PartnerDesigner).where(named, visible(resource_of(PartnerDesigner), act.actor))
    if values["company"]:
        statement = statement.where(PartnerDesigner.company == values["company"])
    found = act.session.scalars(statement.order_by(PartnerDesigner.id), act.actor.params).all()
    if not found:
        raise Refusal(NOT_FOUND)
    return [(d.phone, " · ".join(filter(None, (d.name, d.company)))) for d in found]
