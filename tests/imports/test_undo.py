"""撤销导入 takes back what nobody has worked on since, and says what it left."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
from sqlalchemy import func, select

from app.engine import files
from app.engine.audit import AuditEntry
from app.engine.database import db, utcnow
from app.engine.faces import faced
from app.engine.imports.tables import ImportState
from app.engine.jobs import Job
from app.engine.resource import resource
from models.customers.policy import Effect
from models.customers.tables import Contact, Customer, CustomerPhone, CustomerTag
from models.customers.track import TrackEvent
from models.follow_ups.tables import WAITING, Task
from tests.customers.trade import many
from tests.customers.world import World
from tests.imports.conftest import Importer
from tests.shaping.fields import add

HEAD = ["客户姓名", "手机号码", "意向级别", "备注"]
Make = Callable[..., Importer]


def amount(model: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_what_it_made_is_gone_with_all_that_hung_on_it(world: World, importer: Make) -> None:
    world.tag("重点")
    mine = importer("boss")
    sheet = [
        [*HEAD, "标签"],
        *[[f"客户{n}", f"137000000{n:02d}", "A", "", "重点"] for n in range(20)],
        ["无号", "", "", "", ""],
    ]
    run = mine.bring_in(sheet)
    assert (amount(Customer), amount(Contact), amount(CustomerTag)) == (20, 1, 20)
    run = mine.press(run, "undo")
    assert run.state == ImportState.UNDONE
    assert run.reason == "已删除 21 条新增，已还原 0 条更新"
    assert [amount(m) for m in (Customer, Contact, CustomerPhone, CustomerTag, TrackEvent)] == [0] * 5
    actions = db.session.scalars(select(AuditEntry.action_label).where(AuditEntry.resource == "customers"))
    assert sorted(actions) == ["导入"] * 20 + ["撤销导入"] * 20
    found = mine.client.get("/customers/?scope=dealer&window=all&q=客户").get_data(as_text=True)
    assert "客户1<" not in found


def test_whoever_was_worked_on_stays_and_is_named(world: World, importer: Make) -> None:
    mine = importer("boss")
    run = mine.bring_in([HEAD, *[[f"客户{n}", f"1370000000{n}", "A", ""] for n in range(4)]])
    first, second, third, _ = db.session.scalars(select(Customer).order_by(Customer.id)).all()
    world.act("write_follow_up", first, by="boss", text="已联系")
    world.change(second, by="boss", level="B")
    world.contact(by="boss", name="潜客")
    world.act("link_contact", db.session.scalars(select(Contact)).one(), by="boss", customer=third.id)
    kept = {first.id, second.id, third.id}
    run = mine.press(run, "undo")
    assert run.reason == "已删除 1 条新增，已还原 0 条更新；3 条未撤销，原因见明细"
    assert set(db.session.scalars(select(Customer.id))) == kept
    job = db.session.get_one(Job, run.job_id)
    book = openpyxl.load_workbook(io.BytesIO(files.path(str(job.file)).read_bytes()))
    rows = list(book.active.iter_rows(min_row=2, values_only=True))
    assert {reason for _, reason in rows} == {"导入后已有人处理"}
    assert {str(label)[:3] for label, _ in rows} == {"客户0", "客户1", "客户2"}
    page = mine.client.get(f"/imports/{run.id}").get_data(as_text=True)
    assert "没有撤销的记录" in page and f'href="/jobs/{job.id}/file"' in page
    assert all(f"<td>{label}</td>" in page for label, _ in rows)


def test_updates_get_their_old_values_back(world: World, importer: Make) -> None:
    one = world.customer(phone="13700000001", level="B", remark="旧话")
    other = world.customer(phone="13700000002", level="C", remark="旧话")
    ids = (one.id, other.id)
    mine = importer("boss")
    run = mine.bring_in(
        [HEAD, ["张女士", "13700000001", "A", "新话"], ["张女士", "13700000002", "A", "新话"]],
        mode="update",
        key="phone",
    )
    assert run.counts == {"updated": 2}
    world.change(db.session.get_one(Customer, ids[1]), by="boss", remark="后来的话")
    run = mine.press(run, "undo")
    assert run.reason == "已删除 0 条新增，已还原 1 条更新；1 条未撤销，原因见明细"
    found = [db.session.get_one(Customer, i) for i in ids]
    assert [(c.level, c.remark) for c in found] == [("B", "旧话"), ("A", "后来的话")]


def test_with_added_fields_it_takes_back_as_much(world: World, importer: Make) -> None:
    """A dealer's own fields change neither what the import made nor what it gave other values."""
    add(world, "装修阶段", "text")
    add(world, "面积", "number")
    add(world, "空间", "choices", options="客厅\n卧室\n书房")
    add(world, "交房日", "date")
    head = ["客户姓名", "手机号码", "装修阶段", "面积", "空间", "交房日"]
    mine = importer("boss")
    mine.bring_in([head, ["甲", "13700000001", "水电", "88.5", "客厅、书房", "2026-12-01"]])
    (one,) = db.session.scalars(select(Customer))
    before = _added(world, one.id)
    assert before["装修阶段"] == "水电" and before["空间"] == ["客厅", "书房"]
    run = mine.bring_in(
        [
            head,
            ["甲", "13700000001", "木工", "90", "卧室", "2027-01-01"],
            ["乙", "13700000002", "木工", "", "", ""],
        ],
        mode="both",
        key="phone",
    )
    assert run.counts == {"updated": 1, "new": 1} and _added(world, one.id)["装修阶段"] == "木工"
    assert mine.press(run, "undo").reason == "已删除 1 条新增，已还原 1 条更新"
    assert db.session.scalars(select(Customer.id)).all() == [one.id]
    assert _added(world, one.id) == before


def _added(world: World, record_id: int) -> dict[str, Any]:
    db.session.expire_all()
    record = db.session.get_one(Customer, record_id)
    return {s.label: getattr(record, s.name) for s in faced(resource("customers"), world.a.id).added}


def test_it_is_done_once(world: World, importer: Make) -> None:
    mine = importer("boss")
    run = mine.bring_in([HEAD, ["张一", "13700000001", "", ""]])
    run = mine.press(run, "undo")
    entries = amount(AuditEntry)
    assert mine.press(run, "undo").state == ImportState.UNDONE
    assert amount(AuditEntry) == entries


def test_what_comes_later_is_another_record(world: World, importer: Make) -> None:
    """Neither by a file nor by the form does a new customer get the key, and so the history, of a removed one;
    what the second file brought in is taken back like the first."""
    mine = importer("boss")
    first = mine.bring_in([HEAD, *[[f"旧{n}", f"1370000000{n}", "A", ""] for n in range(3)]])
    removed = set(db.session.scalars(select(Customer.id)))
    mine.press(first, "undo")
    typed = world.customer(by="boss", name="手填")
    second = mine.bring_in([HEAD, *[[f"新{n}", f"1380000000{n}", "A", ""] for n in range(3)]])
    assert not removed & set(db.session.scalars(select(Customer.id)))
    for record_id in db.session.scalars(select(Customer.id)):
        assert "旧" not in mine.client.get(f"/customers/{record_id}/history").get_data(as_text=True)
    assert mine.press(second, "undo").reason == "已删除 3 条新增，已还原 0 条更新"
    assert db.session.scalars(select(Customer.id)).all() == [typed.id]


def test_a_record_whose_filing_no_history_knows_is_not_taken_for_a_new_one(
    world: World, importer: Make
) -> None:
    """It came in by other means, so that the file's update is the first that is known of it."""
    (known,) = many(world, 1)
    mine = importer("boss")
    code = db.session.get_one(Customer, known).code
    run = mine.bring_in([["服务号", "意向级别"], [code, "A"]], mode="update", key="code")
    assert run.counts == {"updated": 1}
    assert mine.press(run, "undo").reason == "已删除 0 条新增，已还原 1 条更新"
    assert db.session.get_one(Customer, known).level is None


def test_the_next_follow_up_of_a_known_customer_is_as_before(
    world: World, importer: Make, policy: Callable[[Effect], None]
) -> None:
    policy(Effect.ABSORB)
    planned = world.customer(phone="13700000001")
    world.customer(phone="13700000002")
    later = utcnow().replace(microsecond=0) + timedelta(days=5)
    world.act("write_follow_up", planned, text="约好再谈", next_follow_up_at=later)
    mine = importer("boss")
    run = mine.upload([HEAD, ["张女士", "13700000001", "", ""], ["张女士", "13700000002", "", ""]])
    assert "重复，将安排回访2" in mine.page(run)
    mine.press(run, "start")
    found = select(Customer.next_follow_up_at).order_by(Customer.id)
    assert all(at < later for at in db.session.scalars(found))
    assert mine.press(run, "undo").state == ImportState.UNDONE
    assert db.session.scalars(found).all() == [later, None]
    assert db.session.scalars(select(Task.due_at).where(Task.state.in_(WAITING))).all() == [later]
