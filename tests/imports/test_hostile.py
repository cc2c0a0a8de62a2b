"""What somebody sends by hand: odd names of files, steps out of turn, names of others as formulas."""

from __future__ import annotations

import io
from collections.abc import Callable

import openpyxl
import pytest
from sqlalchemy import func, select

from app.engine.audit import acting
from app.engine.database import db
from app.engine.files import LONGEST
from app.engine.imports import drafts, runs
from app.engine.imports.tables import ImportRun, ImportState, RememberedMapping
from app.engine.jobs import Job, Work
from app.engine.scopes import Scope
from models.customers.tables import Customer
from models.identity import role_rules
from models.identity.presets import preset_role
from models.identity.tables import Employee
from tests.customers.world import World, words
from tests.imports.conftest import Importer, xlsx

HEAD = ["客户姓名", "手机号码"]
SHEET = [HEAD, ["张一", "13700000001"]]
Make = Callable[..., Importer]


def last_job() -> Job:
    db.session.rollback()
    return db.session.scalars(select(Job).order_by(Job.id.desc())).first()  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"a\0b\x01.csv", "ab.csv"),
        ("‮客户.csv".encode(), "客户.csv"),
        (b"../../etc/x.csv", "x.csv"),
        (b"C:\\\\Users\\\\x.csv", "x.csv"),
    ],
)
def test_of_a_files_name_is_kept_what_can_be_read(
    world: World, importer: Make, raw: bytes, kept: str
) -> None:
    """A browser's own words, which no declared field reads: PostgreSQL takes no zero byte."""
    mine = importer()
    part = b'--B\r\nContent-Disposition: form-data; name="file"; filename="' + raw + b'"\r\n\r\n'
    body = part + "客户姓名,手机号码\r\n张一,13700000001\r\n".encode() + b"\r\n--B--\r\n"
    answer = mine.client.post("/customers/import", data=body, content_type="multipart/form-data; boundary=B")
    assert answer.status_code == 302
    mine.run()
    run = db.session.scalars(select(ImportRun)).one()
    assert (run.file_name, run.state) == (kept, ImportState.READY)


def test_the_longest_name_of_a_file_ends_well(world: World, importer: Make) -> None:
    """The name of the report is longer than that of the file; it is cut, and the job comes to its end."""
    run = importer().bring_in([*SHEET, ["张二", "137"]], "长" * 300 + ".xlsx")
    assert run.state == ImportState.DONE
    assert len(run.file_name) == LONGEST
    found = last_job().file_name
    assert found is not None and len(found) == LONGEST and found.endswith(".xlsx")


def test_a_report_of_what_was_never_read(world: World, importer: Make) -> None:
    mine = importer()
    assert mine.send(xlsx(SHEET)).status_code == 302
    reading = db.session.scalars(select(ImportRun)).one().id
    broken = mine.upload(b"PK\x03\x04x").id
    assert mine.get(broken).state == ImportState.FAILED
    mine.send(xlsx([HEAD, ["张三", "13700000003"]]))
    waiting = db.session.scalars(select(ImportRun).order_by(ImportRun.id.desc())).first()
    for import_id in (waiting.id, broken):
        answer = mine.client.get(f"/imports/{import_id}/problems")
        assert answer.status_code == 400
        assert "没有失败明细可以下载" in words(answer.get_data(as_text=True))
    assert mine.client.get(f"/imports/{reading}/problems").status_code == 200


@pytest.mark.parametrize("state", [ImportState.READY, ImportState.MAPPING])
def test_what_is_kept_no_longer_is_not_started(world: World, importer: Make, state: ImportState) -> None:
    mine = importer()
    run = mine.upload(SHEET)
    run.file, run.lines, run.state = None, None, state
    db.session.commit()
    import_id = run.id
    button = "start" if state is ImportState.READY else "mapping"
    answer = mine.client.post(f"/imports/{import_id}/{button}", data={"field": ["name", "phone"]})
    assert answer.status_code == 302
    assert "文件已过保留期，请重新上传" in mine.page(mine.get(import_id))
    assert mine.get(import_id).state is state


def test_a_failed_one_is_not_begun_again_by_its_headings(world: World, importer: Make) -> None:
    """What it has brought in would come in twice."""
    mine = importer()
    run = mine.bring_in([HEAD, ["潜客", ""], ["张一", "13700000001"]])
    run.state = ImportState.FAILED
    db.session.commit()
    run = mine.press(run, "mapping", field=["name", "phone"])
    assert run.state == ImportState.FAILED


def test_what_one_sees_no_longer_is_not_given_back(world: World, importer: Make) -> None:
    customer = world.customer(name="原名")
    code, customer_id = customer.code, customer.id
    mine = importer("keeper")
    run = mine.bring_in([["服务号", "客户姓名"], [code, "新名"]], mode="update", key="code")
    assert run.state == ImportState.DONE, run.reason
    with acting(db.session()):
        role = preset_role(db.session(), world.a.id, "manager")
        grants = role_rules.rights_of(db.session(), role.id).grants
        role_rules.give(db.session(), role, role_rules.Rights(grants, frozenset({("customers", Scope.MINE)})))
        db.session.commit()
    assert mine.client.get(f"/customers/{customer_id}").status_code == 404
    run = mine.press(run, "undo")
    assert run.reason == "已删除 0 条新增，已还原 0 条更新；1 条未撤销，原因见明细"
    assert db.session.get_one(Customer, customer_id).name == "新名"


def test_whoever_went_to_another_dealer_takes_nothing_back(world: World, importer: Make) -> None:
    mine = importer("boss")
    run = mine.bring_in(SHEET)
    mine.client.post(f"/imports/{run.id}/undo")
    with acting(db.session()):
        db.session.get_one(Employee, run.user_id).dealer_id = world.b.id
        db.session.get_one(Employee, run.user_id).store_id = world.stores[2].id
        db.session.commit()
    mine.run()
    assert last_job().result in ("您已不在导入时的商场，不能撤销", "无权限：导入客户")
    assert db.session.scalar(select(func.count()).select_from(Customer)) == 1


def test_a_name_that_looks_like_a_formula_is_a_name_in_the_template(world: World, importer: Make) -> None:
    with acting(db.session()):
        person = db.session.get_one(Employee, world.people["seller"].id)
        person.name = person.last_name = '=HYPERLINK("http://example.com","x")'
        db.session.commit()
    content = importer().client.get("/customers/import/template").data
    cells = [c for s in openpyxl.load_workbook(io.BytesIO(content)) for row in s.iter_rows() for c in row]
    assert [c for c in cells if str(c.value).startswith("=HYPERLINK")] != []
    assert [(c.parent.title, c.coordinate) for c in cells if c.data_type == "f"] == []


def test_a_heading_as_long_as_a_book_is_not_remembered(world: World, importer: Make) -> None:
    mine = importer()
    long = "长" * 30_000
    run = mine.upload([["姓名", "手机号码", long], ["张一", "13700000001", ""]])
    assert run.state == ImportState.MAPPING
    assert "长" * 60 in mine.page(run)
    assert "长" * 61 not in mine.page(run)
    run = mine.press(run, "mapping", field=["name", "phone", ""])
    assert run.state == ImportState.READY
    assert db.session.scalars(select(RememberedMapping.fields)).one() == {"姓名": "name", "手机号码": "phone"}


def test_names_nobody_has_are_read_with_signs_of_life(
    world: World, importer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of thousands of unknown names is looked for; meanwhile no other worker may take the place."""
    pulses: list[int] = []
    monkeypatch.setattr(runs, "_BREATH", 10)
    monkeypatch.setattr(Work, "pulse", lambda _work, done, _total=None: pulses.append(done))
    monkeypatch.setattr(drafts, "_GUESSED", 2)
    mine = importer()
    run = mine.upload([[*HEAD, "导购"], *[["张", f"137000001{n:02d}", f"第{n}位"] for n in range(30)]])
    assert run.counts == {"wrong": 30}
    assert [p for p in pulses if p % 10 == 0][:3] == [0, 10, 20]
    reasons = [row[3] for row in mine.problems(run)[1:]]
    assert all("没有找到" in r for r in reasons)
    assert [("可填" in r or "是否为" in r) for r in reasons] == [True] * 2 + [False] * 28
