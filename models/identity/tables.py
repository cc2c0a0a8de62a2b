"""The organisation: dealers, stores, departments, brands, people and memberships."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from flask_appbuilder.security.sqla.models import User
from sqlalchemy import BigInteger, Boolean, DateTime, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.engine.choices import Choice, Tone
from app.engine.database import Model
from app.engine.fields import Links, Meta, PhoneType, Pk, column
from models.base import OF_GROUP, Audited, Dated, Steering, Versioned, once_for_all


class StoreKind(Choice):
    """What a store is for its dealer."""

    SHOP = "shop", "门店", Tone.INFO
    SHOWROOM = "showroom", "展厅", Tone.ACTIVE
    OUTLET = "outlet", "报备网点", Tone.MUTED
    CAR_SHOP = "car_shop", "4S店", Tone.GOOD


class Channel(Choice):
    """招商渠道 of an operating right; decides between retail and whole-house (A-110)."""

    REGULAR = "regular", "常规", Tone.INFO
    WHOLE_HOUSE = "whole_house", "整装", Tone.ACTIVE
    A_MODE = "a_mode", "A模式", Tone.GOOD

    @property
    def is_retail(self) -> bool:
        """常规 is retail; 整装 and A模式 are whole-house (A-110)."""
        return self is Channel.REGULAR


class Dealer(Steering, Dated, Versioned, Audited, Model):
    """商场 or 4S group: the tenant. Nothing of one dealer is seen from another."""

    __tablename__ = "dealers"

    id: Mapped[Pk]
    code: Mapped[str] = column("商场编号", String(16), unique=True)
    name: Mapped[str] = column("商场名称", String(64), unique=True)
    city: Mapped[str | None] = column("所在城市", String(32))
    active: Mapped[bool] = column("启用", Boolean, default=True)


class PhysicalStore(Dated, Versioned, Audited, Model):
    """A place with a contract: what it may sell and through which channel (A-111)."""

    __tablename__ = "physical_stores"
    __table_args__ = (UniqueConstraint("dealer_id", "code"),)

    id: Mapped[Pk]
    code: Mapped[str] = column("实体门店编号", String(24))
    name: Mapped[str] = column("实体门店名称", String(64), index=True)
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    city: Mapped[str | None] = column("城市", String(32))
    address: Mapped[str | None] = column("地址", String(200), wide=True)


class Store(Steering, Dated, Versioned, Audited, Model):
    """A selling unit people belong to; its customers are the rows of the scope 本店."""

    __tablename__ = "stores"
    __table_args__ = (UniqueConstraint("dealer_id", "code"),)

    id: Mapped[Pk]
    code: Mapped[str] = column("店代码", String(24), hint="大写字母和数字，例如 HX000001")
    name: Mapped[str] = column("门店名称", String(64), index=True)
    kind: Mapped[StoreKind] = column("门店类型", choices=StoreKind, default=StoreKind.SHOP)
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    city: Mapped[str | None] = column("城市", String(32))
    address: Mapped[str | None] = column("地址", String(200), wide=True)
    physical_store_id: Mapped[int | None] = column(
        "关联实体门店", ForeignKey("physical_stores.id"), index=True
    )
    active: Mapped[bool] = column("营业中", Boolean, default=True)


class Department(Steering, Dated, Versioned, Audited, Model):
    """A department of the dealer or of one of its stores."""

    __tablename__ = "departments"

    id: Mapped[Pk]
    name: Mapped[str] = column("部门名称", String(64), index=True)
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    store_id: Mapped[int | None] = column("所属门店", ForeignKey("stores.id"), index=True)
    parent_id: Mapped[int | None] = column("上级部门", ForeignKey("departments.id"), index=True)
    sort: Mapped[int] = column("排序", Integer, default=100)


class Position(Steering, Dated, Versioned, Audited, Model):
    """What somebody does, as written in the page header (D-01); without dealer it is everybody's."""

    __tablename__ = "positions"
    __table_args__ = (UniqueConstraint("dealer_id", "name"), once_for_all("positions", "name"))

    id: Mapped[Pk]
    name: Mapped[str] = column("岗位名称", String(32))
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), blank=OF_GROUP)
    sort: Mapped[int] = column("排序", Integer, default=100)


CONSULTANTS = ("导购", "销售顾问", "店长")
DESIGNERS = ("设计师",)
SALESPEOPLE = ("业务员", "渠道")
"""What the positions of those are called who fit these duties, best first; part of a name is enough."""


class Brand(Dated, Versioned, Audited, Model):
    """A brand the dealer sells."""

    __tablename__ = "brands"
    __table_args__ = (UniqueConstraint("dealer_id", "name"),)

    id: Mapped[Pk]
    name: Mapped[str] = column("品牌名称", String(32))
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), blank=OF_GROUP)
    active: Mapped[bool] = column("启用", Boolean, default=True)


class Category(Dated, Versioned, Audited, Model):
    """品类: what kind of goods, such as 橱柜 or 衣柜."""

    __tablename__ = "categories"
    __table_args__ = (UniqueConstraint("dealer_id", "name"),)

    id: Mapped[Pk]
    name: Mapped[str] = column("品类名称", String(32))
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), blank=OF_GROUP)
    active: Mapped[bool] = column("启用", Boolean, default=True)


class BusinessLine(Dated, Versioned, Audited, Model):
    """事业线: the branch of the business that brand-categories belong to."""

    __tablename__ = "business_lines"
    __table_args__ = (UniqueConstraint("dealer_id", "name"),)

    id: Mapped[Pk]
    name: Mapped[str] = column("事业线名称", String(32))
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), blank=OF_GROUP)
    active: Mapped[bool] = column("启用", Boolean, default=True)


class BrandCategory(Dated, Versioned, Audited, Model):
    """品牌品类: one category of one brand, what a service order is about."""

    __tablename__ = "brand_categories"
    __table_args__ = (UniqueConstraint("dealer_id", "brand_id", "category_id"),)

    id: Mapped[Pk]
    name: Mapped[str] = column("品牌品类", String(64), required=False, hint="不填写时由品牌和品类组成")
    brand_id: Mapped[int] = column("品牌", ForeignKey("brands.id"), index=True)
    category_id: Mapped[int] = column("品类", ForeignKey("categories.id"), index=True)
    business_line_id: Mapped[int | None] = column("事业线", ForeignKey("business_lines.id"), index=True)
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), blank=OF_GROUP)
    active: Mapped[bool] = column("启用", Boolean, default=True)


class OperatingRight(Dated, Versioned, Audited, Model):
    """经营权限: one brand-category a physical store may sell, with its channel (A-111)."""

    __tablename__ = "operating_rights"
    __table_args__ = (UniqueConstraint("physical_store_id", "brand_category_id"),)

    id: Mapped[Pk]
    physical_store_id: Mapped[int] = column("实体门店", ForeignKey("physical_stores.id"))
    brand_category_id: Mapped[int] = column("品牌品类", ForeignKey("brand_categories.id"), index=True)
    name: Mapped[str] = column("经营权限", String(64), server_default="")
    channel: Mapped[Channel] = column("招商渠道", choices=Channel, default=Channel.REGULAR)
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))


class Employee(Steering, Dated, Versioned, Audited, User):  # type: ignore[misc]
    """A person with an account. The phone is neither unique nor the login name (A-104)."""

    __quiet__: ClassVar[frozenset[str]] = frozenset(
        {"last_login", "login_count", "fail_login_count", "locked_until", "updated_at"}
    )

    name: Mapped[str] = column("姓名", String(64), index=True, server_default="", required=True)
    phone: Mapped[str | None] = column("联系电话", PhoneType(), index=True)
    alternative_phone: Mapped[str | None] = column(
        "备用联系方式",
        PhoneType(),
        placeholder="手机号码，或带区号的固定电话",
        hint="消费者看到的售服对接人电话，例如 020-12345678；不填写时为联系电话",
    )
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id", use_alter=True))
    store_id: Mapped[int | None] = column("当前门店", ForeignKey("stores.id", use_alter=True), index=True)
    department_id: Mapped[int | None] = column(
        "部门", ForeignKey("departments.id", use_alter=True), index=True
    )
    position_id: Mapped[int | None] = column("岗位", ForeignKey("positions.id", use_alter=True))
    backup_contact_id: Mapped[int | None] = column("备用联系人", ForeignKey("ab_user.id"))
    session_version: Mapped[int] = mapped_column(default=1, server_default="1")
    views_version: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    locked_until: Mapped[datetime | None]
    departed_at: Mapped[datetime | None] = column("停用时间", DateTime)

    def __repr__(self) -> str:
        return f"<Employee {self.id}>"


class Membership(Steering, Dated, Audited, Model):
    """One person's place in one store; a person with several switches between them (D-03)."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("user_id", "store_id"),)

    id: Mapped[Pk]
    user_id: Mapped[int] = column("员工", ForeignKey("ab_user.id", ondelete="CASCADE"))
    store_id: Mapped[int] = column("门店", ForeignKey("stores.id"), index=True)
    department_id: Mapped[int | None] = column("部门", ForeignKey("departments.id"))
    position_id: Mapped[int | None] = column("岗位", ForeignKey("positions.id"))
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"), index=True)


STORES_OF = Links(
    "stores",
    "任职门店",
    left=Membership.user_id,
    right=Membership.store_id,
    copies=((Membership.dealer_id, Employee.dealer_id),),
)

for _name, _label in (
    ("username", "登录名"),
    ("active", "启用"),
    ("email", "电子邮箱"),
    ("last_login", "最近登录"),
    ("login_count", "登录次数"),
):
    User.__table__.c[_name].info["zk"] = Meta(_label)
