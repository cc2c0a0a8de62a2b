"""D-12: a list as a file, exactly as its person sees it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import openpyxl
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.engine.database import db, utcnow
from app.engine.jobs import JobState
from app.engine.localtime import local
from models.customers.tables import Customer
from tests.customers.world import World, grant, words
from tests.exports.files import csv_rows, entries, jobs, many, note, notices, rows, setting

BASE = "/customers/export"


def fetch(client: Any, query: str = "", address: str = BASE, **form: str) -> bytes:
    """The file that the form on a list gives."""
    answer = client.post(f"{address}?{query}", data={"columns": "shown", "format": "xlsx", **form})
    assert answer.status_code == 200, words(answer.get_data(as_text=True))
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    return bytes(answer.data)


@pytest.mark.spec("D-12")
def test_45_rows_give_a_heading_45_rows_and_an_entry(world: World, login: Any) -> None:
    """The table ends at its first empty row; below it stands whose file it is."""
    many(world, 45, level="A")
    many(world, 30, by="seller2", level="B")
    client = login("keeper")
    shown = client.get("/customers/?scope=store&level=A").get_data(as_text=True)
    assert "45条记录" in shown
    content = fetch(client, "scope=store&level=A")
    table = rows(content)
    assert len(table) == 1 + 45
    assert table[0][:4] == ["服务号", "客户姓名", "标签", "手机号码"]
    assert [row[1] for row in table[1:]] == [f"客户{n:05d}" for n in range(45)]
    (entry,) = entries()
    assert (entry.actor_name, entry.record_label, entry.resource) == ("店长甲", "导出 45 行", "customers")
    assert "意向级别：A" in entry.changes["note"]
    assert "店长甲" in note(content)
    assert "共 45 行" in note(content)
    log = words(login("boss").get("/audit_entries/").get_data(as_text=True))
    assert "导出45行" in log
    assert "意向级别：A" in log


@pytest.mark.parametrize("odd", ["%01", "%EF%BF%BE", "%1F&amp;", "%3C%26%22"])
def test_whatever_was_searched_for_the_file_can_be_opened(world: World, login: Any, odd: str) -> None:
    """The words of the filter stand below the table and in the footer of printed pages."""
    content = fetch(login("keeper"), f"scope=store&q=x{odd}y")
    assert "共 0 行" in note(content)
    assert openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].oddFooter.left.text


def test_all_pages_in_the_lists_order_with_empty_places_last(world: World, login: Any) -> None:
    many(world, 58)
    now = utcnow()
    for n in (3, 1, 2):
        world.customer(name=f"有日期{n}")
        last = db.session.scalars(select(Customer).order_by(Customer.id.desc()).limit(1)).one()
        change = (
            update(Customer).where(Customer.id == last.id).values(next_follow_up_at=now + timedelta(days=n))
        )
        db.session.execute(change, execution_options={"audited": True})
        db.session.commit()
    client = login("keeper")
    for sort, first in (("next_follow_up_at", [1, 2, 3]), ("-next_follow_up_at", [3, 2, 1])):
        query = f"scope=store&sort={sort}&per_page=20"
        table = rows(fetch(client, f"{query}&page=3"))
        assert len(table) == 1 + 61
        assert [r[1] for r in table[1:4]] == [f"有日期{n}" for n in first]
        shown = []
        for page in (1, 2, 3, 4):
            text = client.get(f"/customers/?{query}&page={page}").get_data(as_text=True)
            shown += re.findall(r"客户\d{5}|有日期\d", re.sub(r"<title>.*?</title>", "", text))
        assert list(dict.fromkeys(shown)) == [r[1] for r in table[1:]]


def test_values_have_their_types(world: World, login: Any) -> None:
    customer = world.customer(name="=1+1", phone="13712345678", level="A", remark="+8613")
    tags = [world.tag("急"), world.tag("贵")]
    world.act("tag", customer, by="boss", tags=[t.id for t in tags])
    client = login("keeper")
    content = fetch(client, "scope=dealer", columns="all")
    head, row = rows(content)
    shown = dict(zip(head, row, strict=True))
    assert shown["手机号码"] == "13712345678"
    assert shown["客户姓名"] == "=1+1"
    assert shown["标签"] == "急、贵"
    assert shown["导购"] == "导购甲"
    assert shown["阶段"] == "跟进中"
    assert shown["意向级别"] == "A"
    assert shown["创建时间"].replace(microsecond=0) == local(customer.created_at).replace(microsecond=0)
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert {c.data_type for r in sheet.iter_rows() for c in r} <= {"s", "n", "d"}
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref.startswith("A1:")
    assert sheet.column_dimensions["A"].width > 8


def test_amounts_are_numbers(world: World, login: Any) -> None:
    world.receive(world.customer(), "12345.60")
    content = fetch(login("keeper"), "scope=dealer", "/receipts/export")
    head, row = rows(content)
    assert Decimal(str(dict(zip(head, row, strict=True))["金额"])) == Decimal("12345.6")


@pytest.mark.parametrize("word", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1"])
def test_no_text_of_a_csv_is_reckoned(world: World, login: Any, word: str) -> None:
    customer = world.customer(name="甲")
    change = update(Customer).where(Customer.id == customer.id).values(name=word)
    db.session.execute(change, execution_options={"audited": True})
    db.session.commit()
    _, row = csv_rows(fetch(login("keeper"), "scope=dealer", format="csv"))
    assert row[1] == f"'{word}"


def test_own_columns_in_own_order_or_all(world: World, login: Any) -> None:
    many(world, 3)
    client = login("keeper")
    client.post("/customers/columns", data={"column": ["phone", "created_at", "name"]})
    assert rows(fetch(client, "scope=store"))[0] == ["手机号码", "创建时间", "客户姓名"]
    every = rows(fetch(client, "scope=store", columns="all"))[0]
    assert every[:3] == ["手机号码", "创建时间", "客户姓名"]
    assert {"标签", "社区", "客户来源"} & set(every)
    assert len(every) == len(set(every)) > 20


@pytest.mark.spec("D-10")
def test_an_empty_list_gives_headings_only(world: World, login: Any) -> None:
    """D-10: export then gives a file with headings only."""
    assert len(rows(fetch(login("keeper"), "phone=13999999999"))) == 1
    assert [e.record_label for e in entries()] == ["导出 0 行"]


@pytest.mark.spec("D-14")
def test_only_what_the_person_sees(world: World, login: Any) -> None:
    many(world, 5)
    many(world, 4, by="seller2")
    grant(world, "consultant", ("can_export", "Customers"))
    for query in ("", "scope=dealer", "scope=mine", "view=following&scope=group"):
        assert {r[1] for r in rows(fetch(login("seller2"), query))[1:]} <= {f"客户{n:05d}" for n in range(4)}
        assert len(rows(fetch(login("seller2"), query))) == 1 + 4


@pytest.mark.spec("A-92")
def test_a_masked_person_gets_masks(world: World, login: Any) -> None:
    world.customer(phone="13700000001")
    world.customer()
    grant(world, "clerk", ("can_export", "Customers"))
    client = login("typist")
    for kind in ("xlsx", "csv"):
        content = fetch(client, "scope=dealer&phone=13700000001", columns="all", format=kind)
        head, row = rows(content) if kind == "xlsx" else csv_rows(content)
        assert dict(zip(head, row, strict=True))["手机号码"] == "137****0001"
    assert "13700000001" not in str([(e.record_label, e.changes) for e in entries()])
    assert "137****0001" in entries()[-1].changes["note"]


@pytest.mark.parametrize("number", ["13700000001", "137 0000 0001", "137-0000-0001", "１３７００００００01"])
@pytest.mark.parametrize("name", ["q", "phone"])
def test_a_number_that_was_asked_for_stands_in_no_log(
    world: World, login: Any, name: str, number: str
) -> None:
    world.customer(phone="13700000001")
    world.customer()
    content = fetch(login("keeper"), urlencode({"scope": "store", name: number}))
    assert len(rows(content)) == 2
    for said in (note(content), entries()[-1].changes["note"]):
        assert "137****0001" in said
        assert number not in said


@pytest.mark.parametrize("who", ["seller", "drawer", "typist"])
def test_without_the_permission_words(world: World, login: Any, who: str) -> None:
    many(world, 1)
    client = login(who)
    assert "data-export" not in client.get("/customers/").get_data(as_text=True)
    answer = client.post(BASE, data={})
    assert answer.status_code == 403
    assert "您没有「导出客户」的权限" in answer.get_data(as_text=True)
    assert entries() == []


def test_a_filter_that_is_not_understood_exports_nothing(world: World, login: Any) -> None:
    many(world, 2)
    answer = login("keeper").post(f"{BASE}?created_at.from=yesterday", data={})
    assert answer.status_code == 400
    assert "未导出" in answer.get_data(as_text=True)
    assert entries() == []


def test_the_form_needs_its_token(world: World, login: Any, csrf: None) -> None:
    assert login("keeper").post(BASE, data={}).status_code == 400


def test_a_large_one_becomes_a_job(world: World, login: Any, run_outbox: Callable[..., None]) -> None:
    many(world, 130)
    setting(world, "export.at_once", 100)
    client = login("keeper")
    answer = client.post(f"{BASE}?scope=store", data={"format": "xlsx"})
    assert answer.status_code == 302
    said = client.get(answer.headers["Location"]).get_data(as_text=True)
    assert "在后台进行，完成后可在任务中心下载" in said
    (job,) = jobs()
    assert f"/jobs/{job.id}" in said
    assert (job.state, job.total, job.title) == (JobState.WAITING, 130, "导出客户 130 行")
    run_outbox()
    (job,) = jobs()
    assert (job.state, job.result, job.done) == (JobState.DONE, "共 130 行", 130)
    content = client.get(f"/jobs/{job.id}/file").data
    assert len(rows(content)) == 1 + 130
    assert [e.record_label for e in entries()] == ["导出 130 行"]
    assert entries()[0].actor_name == "店长甲"
    assert [n.title for n in notices("keeper", world)] == ["导出客户 130 行：已完成"]
    run_outbox()
    assert len(entries()) == 1


def test_only_five_at_a_time(world: World, login: Any) -> None:
    many(world, 3)
    setting(world, "export.at_once", 0)
    client = login("keeper")
    answers = [client.post(f"{BASE}?scope=store", data={}) for _ in range(6)]
    assert [a.status_code for a in answers] == [302] * 5 + [400]
    assert "您已有 5 个导出任务未完成" in answers[-1].get_data(as_text=True)


def test_rows_beyond_a_worksheet(world: World, login: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.engine import exporting

    many(world, 12)
    monkeypatch.setattr(exporting, "MAX_ROWS", 10)
    client = login("keeper")
    answer = client.post(f"{BASE}?scope=store", data={"format": "xlsx"})
    assert answer.status_code == 400
    assert "请缩小范围或改用 CSV" in answer.get_data(as_text=True)
    assert len(csv_rows(fetch(client, "scope=store", format="csv"))) == 13


def test_what_others_write_meanwhile_neither_doubles_nor_loses_a_row(
    world: World, login: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two pieces others delete, add and reorder: the file shows one state."""
    from app.engine import exporting

    many(world, 30)
    monkeypatch.setattr(exporting, "CHUNK", 7)
    table, moved = exporting._Table.rows, []

    def disturbed(self: Any, ids: list[int]) -> Any:
        found = list(table(self, ids))
        with Session(db.engine) as other:
            other.execute(
                update(Customer.__table__)
                .where(Customer.id.in_(ids))
                .values(created_at=utcnow(), name="改了"),
                execution_options={"audited": True},
            )
            other.commit()
        moved.append(len(ids))
        return found

    monkeypatch.setattr(exporting._Table, "rows", disturbed)
    names = [r[1] for r in rows(fetch(login("keeper"), "scope=store"))[1:]]
    assert moved == [7, 7, 7, 7, 2]
    assert names == [f"客户{n:05d}" for n in range(30)]
