"""What channel registration costs over a million leads: its pages, the check while a number is typed, the
statistics of a year, and a partner's file of 20,000 leads.

``python -m benchmarks.registrations pages URL ROUNDS`` measures requests like `pages`, ``… import`` one import like
`imports`; both print JSON. What is imported is taken back at the end.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import xlsxwriter
from flask import Flask
from sqlalchemy import func, select

from app.engine.actions import Act
from app.engine.choices import dictionary
from app.engine.database import db, utcnow
from app.engine.deeds import deed
from app.engine.localtime import local
from app.engine.scopes import Actor
from benchmarks import imports
from benchmarks.floor import make_floor
from benchmarks.pages import FLOOR, Backend, Request, interleaved
from benchmarks.product import Case, make_product
from benchmarks.report import Row, import_rows
from models.registrations import statistics
from models.registrations.settings import DAILY_LIMIT, IMPORT_ROWS
from models.registrations.tables import Registration
from models.settings import rules

FILE = 20_000
HEADINGS = (
    "客户姓名", "市/县", "小区", "楼号及房间号", "联系手机号", "客户来源", "家装公司", "预估金额", "客户预算描述",
)  # fmt: skip
PAGE, LOOK_UP = 1.2, 2.0
"""A page beside the first page of customers, and one that looks for something."""
STATISTICS = 300.0
IMPORT_RATE = 5_000
_FIRST_PHONE = 17_000_000_000


def cases(app: Flask) -> list[Case]:
    """The requests, with a number that exists in the data."""
    with app.app_context():
        phone = db.session.scalar(select(Registration.phone).order_by(Registration.id).limit(1))
        db.session.remove()
    today = local(utcnow()).date()
    year = urlencode({statistics.START: today - timedelta(days=365), statistics.END: today})
    return [
        Case("first", "第一页（管理员）", "admin", "/customers/"),
        Case("leads", "渠道报备第一页（管理员）", "admin", "/registrations/"),
        Case("mine", "渠道报备第一页（业务员）", "channel1", "/registrations/?scope=mine"),
        Case("audit", "渠道报备审核", "admin", "/registration-audit/"),
        Case("standing", "我的报备", "channel1", "/registration-standing/"),
        Case("check", "输入手机号时的重报检查", "admin", f"/registrations/check/phone?value={phone}"),
        Case("year", "客户报备统计，一年", "admin", f"/registration-statistics/?{year}"),
    ]


def measure(url: str, rounds: int) -> dict[str, Any]:
    """Medians by case, the number of leads with them."""
    product = make_product()
    bare, engine = make_floor(url)
    with product.app_context():
        _settle()
        backend = Backend(db.engine)
        amount = db.session.scalar(select(func.count()).select_from(Registration))
        db.session.remove()
    requests = [Request(bare, FLOOR, Backend(engine))]
    requests += [Request(product, case, backend) for case in cases(product)]
    return {**interleaved(requests, rounds), "amount": amount}


def _settle() -> None:
    """PostgreSQL reads an index alone once the rows have been vacuumed, as it does by itself some minutes after
    a load."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM registrations, registration_assignments")


def page_rows(figures: Mapping[str, Any]) -> list[Row]:
    """The lines of the table about requests."""
    first = figures["first"]["cpu"]
    found = []
    for key, goal in (
        ("leads", PAGE),
        ("mine", PAGE),
        ("audit", LOOK_UP),
        ("standing", None),
        ("check", LOOK_UP),
    ):
        cost = figures[key]["cpu"]
        ratio = cost / first
        said = "" if goal is None else f"≤ {goal:g} × 第一页"
        label = f"{figures['amount']} 条报备：{figures[key]['label']}"
        found.append(
            Row(
                label,
                f"{cost:.2f} ms",
                f"{ratio:.2f} × 第一页",
                said,
                None if goal is None else ratio <= goal,
            )
        )
    passed = figures["year"]["passed"]
    label = f"{figures['amount']} 条报备：{figures['year']['label']}"
    found.append(Row(label, f"{passed:.0f} ms", "", f"≤ {STATISTICS:.0f} ms", passed <= STATISTICS))
    return found


def file_rows(figures: Mapping[str, Any]) -> list[Row]:
    """The lines of the table about the import."""
    return import_rows(figures, "报备", IMPORT_RATE)


def _file(path: Path, actor: Actor) -> None:
    """A partner's file: numbers nobody has registered yet. The limits of a file and of a day are lifted."""
    session = db.session()
    with deed(Act(actor, utcnow(), session, "job", "update")) as act:
        rules.set_parameters(act, actor.dealer_id, {IMPORT_ROWS: FILE, DAILY_LIMIT: 0})
    rng = random.Random(11)
    last = session.scalar(select(func.max(Registration.phone)).where(Registration.phone.like("17%"))) or "0"
    first = max(_FIRST_PHONE, int(last) + 1)
    sources = [e.label for e in dictionary("registration.source", actor.dealer_id) if e.active]
    company = next(s for s in sources if s.startswith("家装公司"))
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADINGS)
        for n in range(FILE):
            room = f"{rng.randint(1, 60)}栋{rng.randint(1, 30)}0{rng.randint(1, 4)}"
            sheet.write_row(n + 1, 0, [
                f"客户{n + 1}", "杭州市", f"合作小区{rng.randint(1, 400)}", room, str(first + n), company,
                "安居装饰", "20000", "想做橱柜和衣柜",
            ])  # fmt: skip


def main(argv: list[str]) -> int:
    """``pages URL ROUNDS`` or ``import``."""
    if argv[0] == "pages":
        print(json.dumps(measure(argv[1], int(argv[2])), ensure_ascii=False))
    else:
        print(json.dumps(imports.measured("registrations", FILE, len(HEADINGS), _file)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
