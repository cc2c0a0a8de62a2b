"""Files of leads: like the form, within the quota, and back again (E-39…E-46)."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.engine import jobs, outbox
from app.engine.audit import AuditEntry, acting
from app.engine.database import db, utcnow
from app.engine.imports.tables import ImportState
from app.engine.localtime import local
from models.registrations import quota
from models.registrations.tables import AuditStatus, Progress
from models.shaping.approval_tables import ApprovalFlow
from tests.customers.world import World, words
from tests.imports.conftest import Importer, table
from tests.registrations.filed import (
    HEADINGS,
    amount,
    at_once,
    file,
    leads,
    line,
    marks,
    set_parameters,
)

Make = Callable[[str], Importer]
Login = Callable[[str], FlaskClient]
PHONE = "19900000001"
OTHER_FORMAT = "文件格式不正确，请下载模板"


def sheet(world: World, count: int, **given: Any) -> list[list[Any]]:
    """A file with so many lines."""
    return [list(HEADINGS), *(line(world, **given) for _ in range(count))]


@pytest.mark.spec("E-39")
def test_three_rows_are_three_leads_more(world: World, importer: Make) -> None:
    mine = importer("chief")
    run = mine.bring_in(sheet(world, 3, source="网销客户"), "名单.xlsx")
    assert run.state == ImportState.DONE
    found = leads()
    assert len(found) == 3
    assert "成功3条" in mine.page(run) or run.counts == {"new": 3}
    lead = found[0]
    chief = world.people["chief"]
    assert (lead.registrant_id, lead.outlet_id, lead.dealer_id) == (chief.id, world.stores[0].id, world.a.id)
    assert (lead.progress, lead.audit_status) == (Progress.REGISTERED, AuditStatus.PENDING)
    assert (lead.tracking_state, lead.track_count, lead.duplicate) == ("待跟踪", 0, False)
    assert lead.next_tracking_on == local(lead.registered_at).date() + timedelta(days=3)
    today = f"{local(utcnow()):%Y%m%d}"
    assert [one.code for one in found] == [f"KH{today}{n:04d}" for n in (1, 2, 3)]


@pytest.mark.spec("E-39")
def test_a_line_becomes_what_the_form_would_make_of_it(world: World, importer: Make, login: Login) -> None:
    typed = file(world, "chief", community="星湖 小区", district="杭州市西湖区", budget="橱柜")
    headings = (*HEADINGS, "区", "客户预算描述")
    cells = [*line(world, community="星湖 小区"), "西湖区", "橱柜"]
    run = importer("chief").bring_in([list(headings), cells])
    assert run.counts == {"new": 1}, run.reason
    brought = leads()[1]
    assert brought.address == typed.address.replace(typed.room, brought.room)
    assert brought.address_key == typed.address_key.replace(typed.room, brought.room)
    entries = select(AuditEntry).where(AuditEntry.resource == "registrations").order_by(AuditEntry.id)
    by_form, by_file = db.session.scalars(entries).all()
    same = {k: v for k, v in by_form.changes["fields"].items() if v[1]}
    assert by_file.changes["fields"].keys() == same.keys()
    for name in ("registrant_id", "outlet_id", "dealer_id", "progress", "source", "district"):
        assert by_file.changes["fields"][name] == same[name]
    assert by_file.record_label == f"{brought.name} {brought.code}"
    assert login("chief").get(f"/registrations/{brought.id}").status_code == 200


@pytest.mark.spec("E-40")
def test_the_first_window_asks_for_the_source_of_the_whole_file(world: World, login: Login) -> None:
    client = login("chief")
    first = client.get("/registrations/import").get_data(as_text=True)
    assert "确定" in first and "取消" in first and "客户来源" in first and 'type="file"' not in first
    answer = client.post("/registrations/import/begin", data={"source": "网销客户"})
    assert answer.status_code == 302
    second = client.get(answer.headers["Location"]).get_data(as_text=True)
    assert 'type="file"' in second and '<option value="网销客户" selected' in second
    wrong = client.post("/registrations/import/begin", data={"source": "没有的来源"})
    assert wrong.status_code == 400 and 'type="file"' not in wrong.get_data(as_text=True)
    assert amount() == 0


@pytest.mark.spec("E-40", "E-42")
def test_a_source_for_the_whole_file(world: World, importer: Make) -> None:
    rows = [[cell for n, cell in enumerate(row) if n != 5] for row in sheet(world, 2)]
    run = importer("chief").bring_in(rows, source="网销客户")
    assert run.counts == {"new": 2}, run.reason
    assert {lead.source for lead in leads()} == {"网销客户"}


@pytest.mark.spec("E-41")
def test_the_template_has_the_labels_of_the_form(world: World, login: Login, importer: Make) -> None:
    answer = login("chief").get("/registrations/import/template")
    rows = table(answer.get_data())
    headings = [str(cell).rstrip("*") for cell in rows[0]]
    wanted = [
        "客户姓名", "市/县", "区", "小区", "楼号及房间号", "联系手机号", "联系电话", "客户来源", "订货类型", "会员卡号",
        "预估金额", "家装公司", "家装设计师", "家装设计师电话", "推荐客户姓名", "推荐客户手机号", "推荐客户会员卡号",
        "内部员工推荐", "客户预算描述",
    ]  # fmt: skip
    assert sorted(headings) == sorted(wanted)
    assert rows[1][0].startswith("示例：") and "19900000000" in rows[1]
    book = openpyxl.load_workbook(io.BytesIO(answer.get_data()))
    book.worksheets[0].append([dict(zip(HEADINGS, line(world), strict=True)).get(h, None) for h in headings])
    filled = io.BytesIO()
    book.save(filled)
    run = importer("chief").bring_in(filled.getvalue())
    assert run.counts == {"new": 1}, run.reason


@pytest.mark.spec("E-42")
def test_the_import_window(world: World, login: Login) -> None:
    client = login("chief")
    page = words(client.get("/registrations/import?begun=1").get_data(as_text=True))
    for shown in ("下载模板", "浏览", "导入excel文件", "1,000行、5MB"):
        assert shown in page
    answer = client.post("/registrations/import", data={})
    assert answer.status_code == 400
    assert "请选择文件" in answer.get_data(as_text=True)


@pytest.mark.spec("E-42")
def test_an_xls_file(world: World, importer: Make) -> None:
    content = (Path(__file__).parents[1] / "imports" / "files" / "old.xls").read_bytes()
    run = importer("chief").upload(content, "名单.xls")
    assert (run.state, run.reason) == (ImportState.FAILED, OTHER_FORMAT)


@pytest.mark.spec("E-42")
def test_the_bounds_are_settings(world: World, importer: Make) -> None:
    set_parameters(world, import_rows=2)
    mine = importer("chief")
    run = mine.upload(sheet(world, 3))
    assert run.state == ImportState.FAILED and "超过 2 行" in (run.reason or "")
    set_parameters(world, import_rows=1000, import_megabytes=1)
    answer = mine.send(bytes(1024 * 1024 + 1))
    assert answer.status_code == 400
    assert "文件超过1MB" in words(answer.get_data(as_text=True))
    assert amount() == 0


@pytest.mark.spec("E-43")
@pytest.mark.parametrize(
    "headings", [("姓名", "电话"), (*HEADINGS[:-1], "来源"), HEADINGS[1:], (*HEADINGS, "别的")]
)
def test_other_headings_are_refused(world: World, importer: Make, headings: tuple[str, ...]) -> None:
    mine = importer("chief")
    run = mine.upload([list(headings), line(world)[: len(headings)]])
    assert (run.state, run.reason) == (ImportState.FAILED, OTHER_FORMAT)
    assert OTHER_FORMAT in mine.page(run)
    assert amount() == 0


@pytest.mark.spec("E-44")
def test_a_faulty_row_is_reported_the_good_ones_are_in(world: World, importer: Make) -> None:
    mine = importer("chief")
    rows = sheet(world, 3)
    rows += [line(world, phone="1990000")]
    run = mine.bring_in(rows)
    assert run.counts == {"new": 3, "wrong": 1}
    assert amount() == 3
    assert "第5行：手机号格式不正确" in mine.page(run)
    report = mine.problems(run)
    assert report[1][-1] == "第5行：手机号格式不正确"


@pytest.mark.spec("E-45")
def test_a_file_beyond_the_quota_is_refused_whole(world: World, importer: Make) -> None:
    set_parameters(world, daily_limit=2)
    mine = importer("chief")
    assert "今日剩余容量：2条" in words(mine.client.get("/registrations/import").get_data(as_text=True))
    run = mine.upload(sheet(world, 3))
    assert (run.state, run.reason) == (ImportState.FAILED, "今日剩余报备容量2条")
    assert "今日剩余报备容量2条" in mine.page(run)
    assert amount() == 0
    assert mine.bring_in(sheet(world, 2)).counts == {"new": 2}
    assert quota.left(db.session(), world.people["chief"].id, world.a.id, utcnow()) == 0


@pytest.mark.spec("E-45")
def test_what_was_filed_meanwhile_counts_at_the_start(world: World, importer: Make) -> None:
    set_parameters(world, daily_limit=2)
    mine = importer("chief")
    run = mine.upload(sheet(world, 2))
    assert run.state == ImportState.READY
    file(world, "chief")
    run = mine.press(run, "start")
    assert (run.state, run.reason) == (ImportState.FAILED, "今日剩余报备容量1条")
    assert amount() == 1


@pytest.mark.spec("E-45")
def test_faulty_rows_take_no_slots(world: World, importer: Make) -> None:
    set_parameters(world, daily_limit=2)
    rows = [*sheet(world, 2), line(world, phone="1990000")]
    assert importer("chief").bring_in(rows).counts == {"new": 2, "wrong": 1}


@pytest.mark.spec("E-28")
def test_duplicates_of_a_file_are_marked_and_not_refused(world: World, importer: Make) -> None:
    file(world, "worker1", phone=PHONE, name="钱女士")
    twice = world.next_phone()
    rows = [list(HEADINGS), *(line(world, phone=p) for p in (PHONE, twice, twice, world.next_phone()))]
    mine = importer("chief")
    run = mine.upload(rows)
    assert run.effects == ["3 条可能已被报备，将标记为重报"]
    assert "钱女士" not in mine.page(run)
    run = mine.press(run, "start")
    assert run.counts == {"new": 4}, run.reason
    assert marks() == [True, True, True, True, False]


def test_taking_a_file_back(world: World, importer: Make) -> None:
    set_parameters(world, daily_limit=2)
    file(world, "worker1", phone=PHONE)
    mine = importer("chief")
    run = mine.bring_in([list(HEADINGS), line(world, phone=PHONE), line(world)])
    assert marks() == [True, True, False]
    world.change(leads()[2], "chief", name="改过")
    run = mine.press(run, "undo")
    assert run.state == ImportState.UNDONE
    assert marks() == [False, False]
    assert quota.left(db.session(), world.people["chief"].id, world.a.id, utcnow()) == 1


@pytest.mark.sqlite_only
def test_taking_a_file_back_deletes_nothing_past_an_approval(world: World, importer: Make) -> None:
    mine = importer("chief")
    run = mine.bring_in([list(HEADINGS), line(world, name="大客户"), line(world)])
    session = db.session()
    with acting(session):
        named = {
            "of": "registrations/delete",
            "where": {"all": [{"field": "name", "is": "is", "value": ["大客户"]}]},
        }
        session.add(
            ApprovalFlow(
                name="删除审批", subject="registrations", deed="registrations/delete", condition=named,
                steps=[{"who": "role:admin", "named": "商场系统管理员"}], active=True, sort=1, dealer_id=world.a.id,
            )
        )  # fmt: skip
        session.commit()
    run = mine.press(run, "undo")
    assert run.reason == "已删除 1 条新增，已还原 0 条更新；1 条未撤销，原因见明细"
    assert [lead.name for lead in leads()] == ["大客户"]
    assert "需要审批（删除审批），请用“删除”提交" in mine.page(run)


def test_somebody_without_an_outlet_brings_nothing_in(app: Flask, world: World, importer: Make) -> None:
    mine = importer("boss")
    rows = sheet(world, 1)
    boss = world.people["boss"]
    assert boss.store_id is not None
    world.change(boss, "boss", stores=[])
    run = mine.upload(rows)
    assert run.state == ImportState.FAILED and "任职门店" in (run.reason or "")


@pytest.mark.spec("E-46")
def test_the_export_holds_what_the_query_found(world: World, login: Login) -> None:
    for n in range(45):
        file(world, "worker1", name=f"李{n}")
    file(world, "worker1", name="王一", source="网销客户")
    file(world, "worker2", name="别人")
    answer = login("worker1").post("/registrations/export?source=自然客户", data={"format": "xlsx"})
    assert answer.status_code == 200
    rows = table(answer.get_data())
    headings = [
        "审核状态", "报备进度", "客户姓名", "手机", "电话", "报备类型", "地址", "最后跟进时间", "跟踪状态",
        "最后跟踪内容", "渠道来源", "家装公司",
    ]  # fmt: skip
    assert rows[0] == headings
    body = [row for row in rows[1:] if row[2] and str(row[2]).startswith("李")]
    assert len(body) == 45 and not [row for row in rows if "别人" in row or "王一" in row]
    place = headings.index("手机")
    assert all(isinstance(row[place], str) and len(row[place]) == 11 for row in body)
    kept = select(AuditEntry).where(AuditEntry.resource == "registrations", AuditEntry.action == "export")
    assert len(db.session.scalars(kept).all()) == 1


@pytest.mark.spec("E-44")
def test_fields_follow_the_source_as_in_the_form(world: World, importer: Make) -> None:
    headings = (*HEADINGS, "家装公司", "推荐客户手机号")
    rows = [
        [*line(world, source="家装公司推荐"), "样例装饰", ""],
        [*line(world, source="家装公司推荐"), "", ""],
        [*line(world, source="自然客户"), "样例装饰", "不是号码"],
        [*line(world, source="老客户推荐"), "样例装饰", "1990000"],
    ]
    mine = importer("chief")
    run = mine.bring_in([list(headings), *rows])
    assert run.counts == {"new": 2, "wrong": 2}, mine.page(run)
    assert [(lead.source, lead.company) for lead in leads()] == [
        ("家装公司推荐", "样例装饰"), ("自然客户", None),
    ]  # fmt: skip
    said = mine.page(run)
    assert "第3行：家装公司：请输入家装公司" in said or "第3行：请输入家装公司" in said
    assert "第5行：推荐客户手机号“1990000”：手机号格式不正确；" in said and "请输入推荐客户姓名" in said


@pytest.mark.spec("E-45", "E-59")
def test_of_two_files_at_once_one_fits(app: Flask, world: World, importer: Make) -> None:
    set_parameters(world, daily_limit=3)
    mine = importer("chief")
    ids = [mine.upload(sheet(world, 2)).id for _ in range(2)]
    for import_id in ids:
        assert mine.client.post(f"/imports/{import_id}/start").status_code == 302
    waiting = select(outbox.ROWS.c.id).where(outbox.ROWS.c.kind == jobs.KIND, outbox.ROWS.c.done_at.is_(None))
    rows = list(db.session.scalars(waiting))
    assert len(rows) == 2
    assert at_once(app, *(partial(carry_out, row) for row in rows)) == ["", ""]
    ends = {(run.state, run.reason) for run in map(mine.get, ids)}
    assert ends == {(ImportState.DONE, None), (ImportState.FAILED, "今日剩余报备容量1条")}
    assert amount() == 2


def carry_out(row_id: int) -> None:
    """Do what one row of the queue asks for, as a worker of its own."""
    outbox.deliver(db.session(), row_id)


@pytest.mark.sqlite_only
def test_a_file_cannot_wait_for_approval(world: World, importer: Make) -> None:
    session = db.session()
    with acting(session):
        session.add(
            ApprovalFlow(
                name="登记审批", subject="registrations", deed="registrations/create", dealer_id=world.a.id,
                steps=[{"who": "superior"}],
            )
        )  # fmt: skip
        session.commit()
    mine = importer("chief")
    run = mine.bring_in(sheet(world, 1), "名单.xlsx")
    assert leads() == [] and "需要审批，不能用文件导入，请逐条提交" in str(mine.problems(run))
