"""Jobs, money and factory orders of a customer."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Date, DateTime, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from app.engine.choices import Choice, Tone
from app.engine.database import Model
from app.engine.fields import Money, Phone, Pk, column
from app.engine.guards import CUSTOMER_PHONE, SETTLEMENT_PRICE
from app.engine.slots import Extended
from models.base import Audited, Dated, Versioned
from models.identity.tables import CONSULTANTS, DESIGNERS


class OrderState(Choice):
    """How a job stands."""

    OPEN = "open", "进行中", Tone.ACTIVE
    DONE = "done", "已完成", Tone.GOOD
    LOST = "lost", "失单", Tone.BAD


class ServiceOrder(Audited, Versioned, Dated, Extended, Model):
    """One job of one customer for one brand-category (服务单); a customer may have several (A-07)."""

    __tablename__ = "service_orders"
    __table_args__ = (
        UniqueConstraint("code", "dealer_id"),
        # One open job per category, whatever comes at the same moment.
        Index(
            "uq_service_orders_open",
            "customer_id",
            "brand_category_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[Pk]
    code: Mapped[str] = column("服务单号", String(32), numbered="service_order")
    customer_id: Mapped[int] = column("客户", ForeignKey("customers.id"), index=True)
    customer_phone: Mapped[Phone] = column("客户手机", index=True, guard=CUSTOMER_PHONE)
    brand_category_id: Mapped[int] = column("品牌品类", ForeignKey("brand_categories.id"))
    state: Mapped[OrderState] = column("服务单状态", choices=OrderState, default=OrderState.OPEN)
    lost_reason: Mapped[str | None] = column("失单原因", String(200))
    lost_at: Mapped[datetime | None] = column("失单时间", DateTime)
    remark: Mapped[str | None] = column("备注", Text)
    filer_id: Mapped[int | None] = column("创建人", ForeignKey("ab_user.id"))
    owner_id: Mapped[int | None] = column("导购", ForeignKey("ab_user.id"), prefers=CONSULTANTS)
    designer_id: Mapped[int | None] = column("设计师", ForeignKey("ab_user.id"), prefers=DESIGNERS)
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    store_id: Mapped[int] = column("所属组织（门店）", ForeignKey("stores.id"))


class ReceiptKind(Choice):
    """Which way money went."""

    RECEIPT = "receipt", "收款", Tone.GOOD
    REFUND = "refund", "退款", Tone.WARN


class ReceiptState(Choice):
    """Whether an entry counts; entries are never edited, only voided (A-119)."""

    VALID = "valid", "有效", Tone.GOOD
    VOID = "void", "已作废", Tone.MUTED


class Receipt(Audited, Versioned, Dated, Model):
    """Money received from a customer or paid back (A-119); the amount is always positive."""

    __tablename__ = "receipts"
    __table_args__ = (UniqueConstraint("code", "dealer_id"),)

    id: Mapped[Pk]
    code: Mapped[str] = column("收款单号", String(32), numbered="receipt")
    kind: Mapped[ReceiptKind] = column("收支类型", choices=ReceiptKind, default=ReceiptKind.RECEIPT)
    amount: Mapped[Money] = column("金额", signed=lambda: Receipt.kind == ReceiptKind.RECEIPT)
    paid_on: Mapped[date] = column("收款日期", Date, today=True)
    subject: Mapped[str | None] = column("款项", dictionary="receipt.subject")
    method: Mapped[str | None] = column("支付方式", dictionary="receipt.method")
    voucher_no: Mapped[str | None] = column("收据编号", String(40))
    state: Mapped[ReceiptState] = column("状态", choices=ReceiptState, default=ReceiptState.VALID)
    void_reason: Mapped[str | None] = column("作废原因", String(200))
    remark: Mapped[str | None] = column("备注", Text)
    customer_id: Mapped[int] = column("客户", ForeignKey("customers.id"), index=True)
    service_order_id: Mapped[int | None] = column(
        "服务单", ForeignKey("service_orders.id"), index=True, parent="customer_id", sole=True
    )
    writer_id: Mapped[int | None] = column("经办人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    store_id: Mapped[int] = column("所属组织（门店）", ForeignKey("stores.id"))

    @property
    def signed(self) -> Decimal:
        """What the entry adds to the net received amount."""
        if self.state == ReceiptState.VOID:
            return Decimal(0)
        return self.amount if self.kind == ReceiptKind.RECEIPT else -self.amount


class FactoryState(Choice):
    """How a factory order stands."""

    WAITING = "waiting", "待下单", Tone.WARN
    PLACED = "placed", "已下单", Tone.GOOD
    RETURNED = "returned", "已退单", Tone.MUTED


class FactoryOrder(Audited, Versioned, Dated, Extended, Model):
    """An order at the factory for one job; it is transmitted once (传单)."""

    __tablename__ = "factory_orders"
    __table_args__ = (UniqueConstraint("self_no", "dealer_id"),)

    id: Mapped[Pk]
    self_no: Mapped[str] = column("工厂订单自编号", String(32), numbered="factory_order")
    order_no: Mapped[str | None] = column("订单号", String(40), index=True)
    contract_no: Mapped[str | None] = column("合同号", String(40), index=True)
    service_order_id: Mapped[int] = column(
        "服务单", ForeignKey("service_orders.id"), index=True, parent="customer_id", sole=True
    )
    customer_id: Mapped[int] = column(
        "客户", ForeignKey("customers.id"), index=True, required=False, hint="选择后只列出该客户的服务单"
    )
    customer_phone: Mapped[Phone] = column("客户手机", index=True, guard=CUSTOMER_PHONE)
    brand_category_id: Mapped[int] = column("品牌品类", ForeignKey("brand_categories.id"))
    state: Mapped[FactoryState] = column("订单状态", choices=FactoryState, default=FactoryState.WAITING)
    transmitted_at: Mapped[datetime | None] = column("传单时间", DateTime)
    settlement_price: Mapped[Money | None] = column("结算价", guard=SETTLEMENT_PRICE)
    remark: Mapped[str | None] = column("备注", Text)
    filer_id: Mapped[int | None] = column("下单人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int] = column("所属商场", ForeignKey("dealers.id"))
    store_id: Mapped[int] = column("所属组织（门店）", ForeignKey("stores.id"))


class StepKind(Choice):
    """Whether a step is about making or moving."""

    PROGRESS = "progress", "订单进度", Tone.ACTIVE
    LOGISTICS = "logistics", "物流进度", Tone.INFO


class OrderStep(Dated, Model):
    """One stage an order has reached; stages are data, not code."""

    __tablename__ = "order_steps"
    __table_args__ = (Index("ix_order_steps_order", "factory_order_id", "at", "id"),)

    id: Mapped[Pk]
    factory_order_id: Mapped[int] = column("工厂订单", ForeignKey("factory_orders.id", ondelete="CASCADE"))
    kind: Mapped[StepKind] = column("进度类型", choices=StepKind, default=StepKind.PROGRESS)
    name: Mapped[str] = column("节点", String(40))
    at: Mapped[datetime] = column("时间", DateTime)
    note: Mapped[str | None] = column("说明", String(200))
