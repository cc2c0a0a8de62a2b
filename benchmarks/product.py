"""The product as it is measured: the real application with a menu of eighty entries."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import func, select

import config
from app.engine import chrome
from app.engine.database import db
from app.engine.paging import encode
from app.engine.security import sign_in
from models.customers.tables import Customer
from models.identity.tables import Employee, Store

MENU = 80
RIGHT = ("can_list", "Customers")


def make_product() -> Flask:
    """The application of this process's environment; its menu is padded to `MENU` entries."""
    from app.factory import create_app

    app = create_app(config.settings(os.environ))
    missing = MENU - len(chrome.entries())
    for n in range(max(0, missing)):
        chrome.add_entry(
            chrome.Entry(
                f"更多{n // 12 + 1}", f"bench{n}", f"页面{n + 1}", f"/bench/{n}", "file", 900 + n, RIGHT
            )
        )
    return app


def cookie(app: Flask, username: str) -> str:
    """The session cookie of somebody who has signed in."""
    with app.app_context():
        user_id = db.session().scalar(select(Employee.id).where(Employee.username == username))
        signed = sign_in(user_id) if user_id is not None else None
        db.session.remove()
    if signed is None:
        raise SystemExit(f"测量用的数据库中没有账号 {username}")
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = signed.get_id(), True
    name = app.config["SESSION_COOKIE_NAME"]
    found = client.get_cookie(name)
    assert found is not None
    return f"{name}={found.value}"


@dataclass(frozen=True)
class Case:
    """One request that is measured: who asks for what, and which goal it belongs to."""

    key: str
    label: str
    username: str
    address: str


def cases(app: Flask) -> list[Case]:
    """Every list request of the table, with places and values that exist in the data."""
    with app.app_context():
        session = db.session()
        home = select(Employee.dealer_id).where(Employee.username == "admin").scalar_subquery()
        listed: Any = (
            select(Customer.id, Customer.created_at, Customer.phone)
            .where(Customer.dealer_id == home)
            .order_by(Customer.created_at.desc(), Customer.id.desc())
            .limit(1)
        )
        amount = session.scalar(select(func.max(Customer.id))) or 0
        depth = min(999, amount // 200)
        deep = session.execute(listed.offset(20 * depth - 1)).one()
        middle = session.execute(listed.offset(min(40_000, amount // 4))).one()
        newest = session.execute(listed).one()
        store = session.scalar(select(Store.id).where(Store.code == "D001-02"))
        level = session.scalar(select(Customer.level).where(Customer.level.is_not(None)).limit(1))
        db.session.remove()
    base = "/customers/"
    after = encode(deep.created_at, deep.id)
    dates = f"created_at.from={middle.created_at.date()}&created_at.to={newest.created_at.date()}"
    return [
        Case("first", "第一页（管理员）", "admin", base),
        Case("deep", f"第 {depth + 1} 页", "admin", f"{base}?after={after}&page={depth + 1}"),
        Case("last", "最后一页", "admin", f"{base}?last=1&page=9999"),
        Case("filters", "门店＋级别＋日期", "admin", f"{base}?store_id={store}&level={level}&{dates}"),
        Case("phone", "完整手机号码", "admin", f"{base}?phone={middle.phone}"),
        Case("search_phone", "关键字：完整手机号码", "admin", f"{base}?q={middle.phone}"),
        Case("name", "两字姓名", "admin", f"{base}?q=张伟"),
        Case("part", "常见两字（女士）", "admin", f"{base}?q=女士"),
        Case("mine", "导购：我的客户", "consultant1", f"{base}?scope=mine"),
        Case("related", "导购：我关联的客户", "consultant1", f"{base}?scope=related"),
        Case("designer", "设计师：我关联的客户", "designer1", f"{base}?scope=related"),
        Case("store", "店长：本店客户", "manager1", f"{base}?scope=store"),
        Case("clerk", "文员（号码加密）：全部客户", "clerk1", f"{base}?scope=dealer"),
    ]
