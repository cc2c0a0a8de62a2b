"""Files of customers, from the template to the way back (D-19…D-25, the user's day, step 1)."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select, update

from app.engine.audit import AuditEntry, acting
from app.engine.database import db, utcnow
from app.engine.imports.tables import ImportState
from app.engine.localtime import local
from models.customers.absorbing import DuplicateEntry, Met
from models.customers.policy import Effect
from models.customers.tables import Contact, Customer, CustomerPhone, Stage
from models.customers.track import TrackAct, TrackEvent
from models.follow_ups.tables import WAITING, Task
from models.notifications.tables import Notification
from tests.customers.world import World, words
from tests.imports.conftest import Importer, table

HEAD = ["客户姓名", "手机号码"]
Make = Callable[..., Importer]


def customers() -> list[Customer]:
    return list(db.session.scalars(select(Customer).order_by(Customer.id)))


@pytest.mark.spec("D-19")
def test_three_new_phones_are_three_customers(world: World, importer: Make) -> None:
    mine = importer()
    run = mine.bring_in([HEAD, ["张一", "13700000001"], ["张二", 13700000002], ["张三", "137 0000 0003"]])
    assert run.state == ImportState.DONE
    assert [c.phone for c in customers()] == ["13700000001", "13700000002", "13700000003"]
    assert "新增3" in mine.page(run)


def test_they_are_what_the_form_makes(world: World, importer: Make) -> None:
    seller = world.people["seller2"]
    typed = world.customer(
        by="typist", name="张女士", phone="13700000001", phones=["13700000009"], owner_id=seller.id, level="A"
    )
    first = typed.id
    importer().bring_in(
        [
            ["客户姓名*", "手机号码", "其他号码", "导购", "意向级别"],
            ["李女士", "13700000002", "13700000008", seller.name, "A"],
        ]
    )
    typed, filed = customers()
    assert typed.id == first
    alike = (
        "stage",
        "level",
        "owner_id",
        "filer_id",
        "store_id",
        "dealer_id",
        "department_id",
        "activity_score",
    )
    assert {n: getattr(filed, n) for n in alike} == {n: getattr(typed, n) for n in alike}
    assert filed.code.startswith("KF") and filed.code != typed.code
    numbers = select(CustomerPhone.phone, CustomerPhone.tail, CustomerPhone.position)
    rows = [tuple(r) for r in db.session.execute(numbers.where(CustomerPhone.customer_id == filed.id))]
    assert rows == [("13700000002", "0002", 0), ("13700000008", "0008", 1)]
    tracks = db.session.scalars(select(TrackEvent.act).where(TrackEvent.customer_id == filed.id)).all()
    assert list(tracks) == [TrackAct.FILED]

    def history(record: Customer) -> dict[str, Any]:
        entry = db.session.scalars(
            select(AuditEntry).where(AuditEntry.resource == "customers", AuditEntry.record_id == record.id)
        ).one()
        return {**entry.changes["fields"], "dealer": entry.dealer_id, "label": entry.record_label[:3]}

    one, other = history(typed), history(filed)
    for name in ("name", "phone", "code", "phones", "label"):
        one.pop(name), other.pop(name)
    assert set(one) - set(other) <= {
        "followed",
        "activity_score",
        "net_received",
        "has_transmitted_order",
        "contact_count",
    }
    assert {n: v for n, v in one.items() if n in other} == other


def test_names_are_found_by_their_parts(world: World, importer: Make) -> None:
    mine = importer()
    mine.bring_in([HEAD, ["欧阳娜娜", "13700000001"], ["司马相如", "13700000002"]])
    for part in ("阳娜", "相如", "张三"):
        page = mine.client.get(f"/customers/?scope=dealer&q={part}").get_data(as_text=True)
        assert ("欧阳娜娜" in page) is (part == "阳娜")
        assert ("司马相如" in page) is (part == "相如")


@pytest.mark.spec("D-20")
def test_the_chosen_source_holds_for_the_whole_file(world: World, importer: Make) -> None:
    mine = importer()
    page = mine.client.get("/customers/import").get_data(as_text=True)
    assert 'name="source"' in page
    chosen = "其他网络"
    assert f'<option value="{chosen}"' in page
    template = mine.client.get(f"/customers/import/template?source={chosen}").get_data()
    rows = table(template)
    assert "客户来源" not in [str(h).strip("*") for h in rows[0]]
    filled = _fill(template, {"客户姓名": "张一", "手机号码": "13700000001"})
    mine.bring_in(filled, source=chosen)
    assert [c.source for c in customers()] == [chosen]
    other = importer(resource="contacts")
    wrong = other.upload(filled)
    assert wrong.state == ImportState.FAILED
    assert str(wrong.reason).startswith("模板格式不正确")


@pytest.mark.spec("D-21")
def test_history_keeps_its_dates(world: World, importer: Make) -> None:
    mine = importer("boss")
    template = mine.client.get("/customers/import/template").get_data()
    lines = [
        {
            "客户姓名": f"客户{n}",
            "手机号码": f"137000000{n:02d}",
            "创建时间": f"2025-03-{n % 28 + 1:02d} 10:30",
        }
        for n in range(50)
    ]
    run = mine.bring_in(_fill(template, *lines))
    assert run.counts == {"new": 50}
    dates = {c.phone: local(c.created_at).strftime("%Y-%m-%d %H:%M") for c in customers()}
    assert dates == {line["手机号码"]: line["创建时间"] for line in lines}
    future = mine.upload([[*HEAD, "创建时间"], ["张一", "13911111111", "2099-01-01"]])
    assert mine.problems(future)[1][-1] == "创建时间：不能晚于现在"


@pytest.mark.spec("D-22")
def test_the_template_is_a_heading_row_and_an_example(world: World, importer: Make) -> None:
    mine = importer()
    template = mine.client.get("/customers/import/template").get_data()
    rows = table(template)
    assert [str(h) for h in rows[0]][:2] == ["客户姓名*", "手机号码"]
    assert str(rows[1][0]).startswith("示例：")
    run = mine.bring_in(_fill(template, {"客户姓名": "张一", "手机号码": "13700000001"}))
    assert run.counts == {"new": 1}
    lacking = mine.upload([["手机号码", "备注"], ["13700000002", "x"]])
    assert lacking.state == ImportState.FAILED
    assert lacking.reason == "模板格式不正确：缺少表头 客户姓名"


@pytest.mark.spec("D-23")
def test_a_known_phone_is_called_today_and_makes_no_second_file(
    world: World, importer: Make, policy: Callable[[Effect], None]
) -> None:
    policy(Effect.ABSORB)
    known = world.customer(phone="13700000001")
    in_five_days = utcnow() + timedelta(days=5)
    world.act("write_follow_up", known, text="约好再谈", next_follow_up_at=in_five_days)
    run = importer().bring_in([HEAD, ["张女士", "13700000001"]])
    assert run.counts == {"absorbed": 1}
    assert [c.id for c in customers()] == [known.id]
    task = db.session.scalars(select(Task).where(Task.customer_id == known.id, Task.state.in_(WAITING))).one()
    assert local(task.due_at).date() == local(utcnow()).date()
    assert local(db.session.get_one(Customer, known.id).next_follow_up_at).date() == local(utcnow()).date()


@pytest.mark.spec("D-24")
def test_the_same_file_three_times_in_a_day_makes_one_task(
    world: World, importer: Make, policy: Callable[[Effect], None]
) -> None:
    policy(Effect.ABSORB)
    lost = world.customer(phone="13700000002", level="C")
    _set_stage(lost, Stage.LOST)
    mine = importer()
    sheet = [HEAD, ["张一", "13700000001"], ["张一", "13700000001"], ["李二", "13700000002"]]
    mine.bring_in(sheet)
    again = customers()
    assert next((c.phone, c.level, c.owner_id, c.stage) for c in again) == (
        "13700000002",
        "H",
        None,
        Stage.FOLLOWING,
    )
    for _ in range(2):
        mine.bring_in(sheet)
    assert len(customers()) == 2
    for customer in customers():
        tasks = db.session.scalars(
            select(Task).where(Task.customer_id == customer.id, Task.state.in_(WAITING))
        )
        assert len(tasks.all()) == 1
    entries = db.session.scalars(select(DuplicateEntry.met).order_by(DuplicateEntry.id)).all()
    assert entries.count(Met.LOST) == 1
    assert len(entries) == 5  # once in the first file, twice in each of the two further ones


@pytest.mark.spec("D-24")
def test_owner_and_level_of_a_known_customer_stay(
    world: World, importer: Make, policy: Callable[[Effect], None]
) -> None:
    policy(Effect.ABSORB)
    known = world.customer(phone="13700000001", level="B")
    owner = known.owner_id
    importer().bring_in(
        [[*HEAD, "意向级别", "导购"], ["别名", "13700000001", "D", world.people["seller2"].name]]
    )
    found = db.session.get_one(Customer, known.id)
    assert (found.name, found.level, found.owner_id) == ("张女士", "B", owner)


@pytest.mark.spec("D-25")
def test_ten_rows_seven_good_two_known_one_bad(world: World, importer: Make) -> None:
    for n in (1, 2):
        world.customer(phone=f"1380000000{n}")
    good = [[f"新{n}", f"1370000000{n}"] for n in range(7)]
    sheet = [HEAD, *good, ["旧一", "13800000001"], ["旧二", "13800000002"], ["坏", "123"]]
    mine = importer("boss")
    run = mine.bring_in(sheet)
    assert run.counts == {"new": 7, "duplicate": 2, "wrong": 1}
    assert "新增7重复2失败1没有导入的行" in mine.page(run)
    (note,) = db.session.scalars(select(Notification).where(Notification.title.startswith("导入客户")))
    assert note.text == "成功 7 条，重复 2 条，失败 1 条"
    sheets = mine.sheets(run)
    assert sheets["失败明细"] == [[*HEAD, "失败原因"], ["坏", "123", "手机号码“123”：请输入正确的手机号码"]]
    assert [row[0] for row in sheets["重复明细"]] == ["客户姓名", "旧一", "旧二"]
    assert list(sheets) == ["失败明细", "重复明细"]


def test_the_corrected_problems_come_in(world: World, importer: Make) -> None:
    mine = importer()
    run = mine.bring_in([HEAD, ["张一", "123"], ["张二", "13700000002"]])
    rows = mine.problems(run)
    rows[1][1] = "13700000001"
    assert mine.bring_in(rows).counts == {"new": 1}
    assert [c.phone for c in customers()] == ["13700000002", "13700000001"]


def test_nothing_is_written_before_the_start(world: World, importer: Make) -> None:
    mine = importer()
    run = mine.upload([HEAD, ["张一", "13700000001"]])
    assert run.state == ImportState.READY
    assert customers() == []
    recent = words(mine.client.get("/customers/import").get_data(as_text=True))
    assert "将新增1条；重复0条；有误0条" in recent and "成功1条" not in recent
    assert mine.press(run, "stop").state == ImportState.CANCELLED
    assert mine.press(run, "start").state == ImportState.CANCELLED
    assert customers() == []
    page = mine.page(run)
    assert "新增1" not in page and "撤销导入" not in page


def test_of_one_stopped_half_way_the_page_counts_what_is_in(
    world: World, importer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.engine.imports import runs
    from app.engine.jobs import JOBS

    monkeypatch.setattr(runs, "PIECE", 2)
    real = runs._file

    def stopped(work: Any, run: Any, filing: Any, drafts: Any, pieces: int, total: int) -> None:
        if pieces == 2:
            stop = update(JOBS).where(JOBS.c.id == work.id).values(stopping=True)
            work.session.execute(stop)
            work.session.commit()
        real(work, run, filing, drafts, pieces, total)

    monkeypatch.setattr(runs, "_file", stopped)
    mine = importer()
    run = mine.upload([HEAD, *([f"客户{n}", f"1370000000{n}"] for n in range(5)), ["坏", "1"]])
    run = mine.press(run, "start")
    assert run.state == ImportState.CANCELLED and len(customers()) == 2
    page = mine.page(run)
    assert "新增2重复0失败1" in page and "撤销导入" in page
    run = mine.press(run, "undo")
    assert run.reason == "已删除 2 条新增，已还原 0 条更新" and "新增2重复0失败1" in mine.page(run)


def test_people_without_a_number_become_contacts(world: World, importer: Make) -> None:
    run = importer().bring_in([HEAD, ["没有号码", ""], ["有号码", "13700000001"]])
    assert run.counts == {"new": 2}
    assert db.session.scalars(select(Contact.name)).all() == ["没有号码"]


def test_tags_are_put_on(world: World, importer: Make) -> None:
    world.tag("重点")
    importer("boss").bring_in([[*HEAD, "标签"], ["张一", "13700000001", "重点"], ["李二", "", "重点"]])
    found = importer("boss").client.get("/customers/?scope=dealer").get_data(as_text=True)
    assert "重点" in found
    without = importer("typist").upload([[*HEAD, "标签"], ["张三", "13700000003", "重点"]])
    assert without.state == ImportState.MAPPING


def test_names_of_another_dealer_are_not_found(world: World, importer: Make) -> None:
    sheet = [
        [*HEAD, "导购", "所属组织（门店）"],
        ["张一", "13700000001", world.people["outsider"].name, ""],
        ["张二", "13700000002", "", next(s.name for s in world.stores if s.dealer_id == world.b.id)],
    ]
    mine = importer()
    run = mine.upload(sheet)
    assert run.counts == {"wrong": 2}
    assert all("没有找到" in row[-1] for row in mine.problems(run)[1:])


def test_a_choice_nobody_knows_is_named_with_what_may_stand_there(world: World, importer: Make) -> None:
    mine = importer()
    run = mine.upload([[*HEAD, "意向级别"], ["张一", "13700000001", "特级"]])
    assert mine.problems(run)[1][-1] == "意向级别“特级”：可填 H、A、B、C、D"


def test_known_ones_are_updated_by_the_chosen_column(world: World, importer: Make) -> None:
    known = world.customer(phone="13700000001", level="B", remark="旧")
    mine = importer("boss")
    sheet = [
        [*HEAD, "意向级别", "备注"],
        ["张女士", "13700000001", "A", ""],
        ["新人", "13700000002", "C", "新"],
    ]
    run = mine.bring_in(sheet, mode="both", key="phone")
    assert run.counts == {"updated": 1, "new": 1}
    found = db.session.get_one(Customer, known.id)
    assert (found.level, found.remark) == ("A", "旧")
    assert mine.bring_in(sheet, mode="both", key="phone").counts == {"unchanged": 2}
    only = mine.upload([[*HEAD, "意向级别"], ["无", "13700000077", "A"]], mode="update", key="phone")
    assert only.counts == {"wrong": 1}


def test_headings_of_ones_own_are_remembered(world: World, importer: Make) -> None:
    mine = importer()
    sheet = [["姓名", "电话", "多余"], ["张一", "13700000001", "x"]]
    run = mine.upload(sheet)
    assert run.state == ImportState.MAPPING
    assert "有的表头没有认出" in mine.page(run)
    run = mine.press(run, "mapping", field=["name", "phone", ""])
    assert run.state == ImportState.READY
    mine.press(run, "start")
    sheet[1][1] = "13700000002"
    assert mine.bring_in(sheet).counts == {"new": 1}
    assert len(customers()) == 2


def test_a_mapping_without_what_is_needed_is_refused(world: World, importer: Make) -> None:
    mine = importer()
    run = mine.upload([["姓名", "电话"], ["张一", "13700000001"]])
    assert mine.press(run, "mapping", field=["", "phone"]).state == ImportState.MAPPING
    assert mine.press(run, "mapping", field=["phone", "phone"]).state == ImportState.MAPPING
    page = mine.client.get(f"/imports/{run.id}").get_data(as_text=True)
    assert "重复出现" in page


def test_somebody_filed_it_between_check_and_start(world: World, importer: Make) -> None:
    mine = importer("boss")
    run = mine.upload([HEAD, ["张一", "13700000001"], ["张二", "13700000002"]])
    world.customer(phone="13700000001")
    run = mine.press(run, "start")
    assert run.counts == {"new": 1, "duplicate": 1}
    assert "13700000001 已建档" in mine.problems(run)[1][-1]


def _fill(template: bytes, *lines: dict[str, Any]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(template))
    sheet = book.worksheets[0]
    places = {str(c.value).strip("*"): c.column for c in sheet[1]}
    for row, line in enumerate(lines, 3):
        for name, value in line.items():
            sheet.cell(row, places[name], value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _set_stage(customer: Customer, stage: Stage) -> None:
    with acting(db.session()):
        db.session.get_one(Customer, customer.id).stage = stage
        db.session.commit()


def test_the_consultants_hear_of_their_new_customers_once_and_the_importer_of_the_result(
    world: World, importer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many pieces the file was brought in by; what waits for the importer is said as well."""
    from app.engine.imports import runs

    monkeypatch.setattr(runs, "PIECE", 2)
    owner, head = world.people["seller2"].id, ["客户姓名", "手机号码", "导购"]
    importer().bring_in([head, *([f"客户{n}", f"1370000000{n}", "导购乙"] for n in range(5))])
    told = list(db.session.scalars(select(Notification).order_by(Notification.id)))
    heard = {m.user_id: m.title for m in told if m.topic == "customer"}
    assert heard == {owner: "文员甲导入了5位客户，请跟进"}
    assert len(next(m for m in told if m.topic == "customer").items or ()) == 5
    assert [(m.title, m.text) for m in told if m.user_id == world.people["typist"].id] == [
        ("检查导入文件：客户.xlsx：已完成", "将新增 5 条；重复 0 条；有误 0 条。请打开后确认开始"),
        ("导入客户：客户.xlsx：已完成", "成功 5 条，重复 0 条，失败 0 条"),
    ]
    page = importer().client.get("/notifications/").get_data(as_text=True)
    assert "实时提醒任务中心·" in words(page)
