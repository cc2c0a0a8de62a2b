"""The templates every dealer starts with; the group changes them, a dealer replaces them by one of the same name."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.audit import AuditEntry
from models.shaping.template_tables import Template, TemplateKind

_SIGNED = """---
打印：{{操作人}} {{现在}}"""
_CUSTOMER = """## 基本信息
服务号：{{服务号}} | 客户姓名：{{客户姓名}} | 手机号码：{{手机号码}}
客户来源：{{客户来源}} | 意向级别：{{意向级别}} | 阶段：{{阶段}}
地址：{{城市}} {{小区}} {{详细地址}}
## 归属
门店：{{所属组织（门店）}} | 导购：{{导购}} | 设计师：{{设计师}}
## 服务单
{{服务单：服务单号、品牌品类、服务单状态、创建时间}}
## 收款
{{收款：收款单号、收支类型、收款日期、款项、金额、状态}}
备注：{{备注}}"""
_ORDER = """服务单号：{{服务单号}} | 客户：{{客户}} | 客户手机：{{客户手机}}
品牌品类：{{品牌品类}} | 导购：{{导购}} | 设计师：{{设计师}}
## 工厂订单
{{工厂订单：工厂订单自编号、订单号、合同号、品牌品类、订单状态}}
## 收款
{{收款：收款单号、收支类型、收款日期、款项、支付方式、金额、状态}}
备注：{{备注}}"""
_HEAD = """# {{操作人门店}} 客户资料单"""
_ORDER_HEAD = """# {{操作人门店}} 服务单"""
_ORDER_FOOT = """客户签字：____________ | 经办人签字：____________ | 日期：____________
---
打印：{{操作人}} {{现在}}"""

PRESETS = (
    (TemplateKind.PRINT, "customers", "客户资料单", _HEAD, _CUSTOMER, _SIGNED),
    (TemplateKind.PRINT, "service_orders", "服务单", _ORDER_HEAD, _ORDER, _ORDER_FOOT),
    (
        TemplateKind.SMS, "customers", "到店邀请", None,
        "{{客户姓名}}您好，我是{{操作人门店}}的{{操作人}}，新品样板已到店，诚邀您来店看样，期待您的光临。", None,
    ),
    (
        TemplateKind.MESSAGE, "customers", "跟进问候", None,
        "{{客户姓名}}您好，我是{{操作人门店}}的{{操作人}}，您的装修进展如何？有任何需要请随时与我联系。", None,
    ),
)  # fmt: skip


def install(session: Session) -> None:
    """Store the group's templates that never were there; one that the group has changed, renamed or deleted stays
    as it is. The history knows."""
    rows = select(Template.kind, Template.resource, Template.name).where(Template.dealer_id.is_(None))
    known = {tuple(row) for row in session.execute(rows)}
    labels = select(AuditEntry.record_label).where(
        AuditEntry.resource == Template.__tablename__, AuditEntry.dealer_id.is_(None)
    )
    once = set(session.scalars(labels.distinct()))
    session.add_all(
        Template(
            kind=kind, resource=resource, name=name, head=head, body=body, foot=foot, sort=(n + 1) * 10,
            active=True,
        )
        for n, (kind, resource, name, head, body, foot) in enumerate(PRESETS)
        if (kind, resource, name) not in known and name not in once
    )  # fmt: skip
