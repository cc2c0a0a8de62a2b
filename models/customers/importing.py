"""How files of customers and contacts look (D-19…D-22)."""

from __future__ import annotations

from app.engine.imports.filing import Filing
from app.engine.resource import ImportTemplate
from models.customers.filing import CustomerFiling
from models.customers.tables import Customer

CUSTOMERS = ImportTemplate(
    filing=CustomerFiling,
    more=(Customer.created_at,),
    left_out=("contact",),
    presets=(Customer.source_category, Customer.source),
    keys=(Customer.code, Customer.phone),
    example={
        "name": "张女士", "phone": "13800000000", "phones": "13900000000", "gender": "女士", "level": "B",
        "province": "浙江省", "city": "杭州市", "community": "翠苑花园", "address": "3 幢 2 单元 501",
        "remark": "想做全屋定制", "created_at": "2026-01-15 10:30",
    },
    notes=(
        "没有手机号码的行会存为潜客。",
        "手机号码已建档的行不会重复建档，处理方式按商场的查重规则。",
        "创建时间不填时为导入的时间；导入历史数据时请填写原来的日期。",
        "导购、设计师、业务员可以填姓名；有同名时请填登录名。",
        "一个文件最多 100,000 行、32 MB。",
    ),
)  # fmt: skip

CONTACTS = ImportTemplate(
    filing=Filing,
    example={"name": "李先生", "gender": "先生", "community": "翠苑花园", "remark": "展会留下姓名"},
    most=20_000,
)
