"""Who may bring files in, whose imports are seen, and that looking changes nothing."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.engine import files, outbox
from app.engine.audit import acting
from app.engine.database import db
from app.engine.imports.tables import ImportRun, ImportState
from app.engine.resource import resource
from models.customers.importing import CUSTOMERS
from models.customers.tables import Customer
from models.identity import role_rules
from models.identity.presets import preset_role
from models.identity.tables import Employee
from models.notifications.tables import Notification
from tests.customers.world import World, words
from tests.imports.conftest import Importer, xlsx

HEAD = ["客户姓名", "手机号码"]
SHEET = [HEAD, ["张一", "13700000001"]]
Make = Callable[..., Importer]


def test_without_the_permission_nothing_is_offered_or_taken(world: World, importer: Make) -> None:
    mine = importer("seller")
    assert "/customers/import" not in mine.client.get("/customers/").get_data(as_text=True)
    for answer in (
        mine.client.get("/customers/import"),
        mine.client.get("/customers/import/template"),
        mine.send(xlsx(SHEET)),
    ):
        assert answer.status_code == 403
        assert "没有「导入客户」的权限" in words(answer.get_data(as_text=True))
    assert db.session.scalar(select(func.count()).select_from(ImportRun)) == 0


def _take_away_the_right(world: World) -> None:
    """Clerks bring in no files any more."""
    with acting(db.session()):
        role = preset_role(db.session(), world.a.id, "clerk")
        old = role_rules.rights_of(db.session(), role.id)
        left = old.grants - {("can_import", "Customers")}
        role_rules.give(db.session(), role, role_rules.Rights(frozenset(left), old.scopes))
        db.session.commit()


def test_a_right_taken_away_meanwhile_stops_the_start(world: World, importer: Make) -> None:
    mine = importer()
    run = mine.upload(SHEET)
    _take_away_the_right(world)
    assert mine.client.post(f"/imports/{run.id}/start").status_code == 403
    assert db.session.scalar(select(func.count()).select_from(Customer)) == 0


def test_a_report_is_not_fetched_without_the_right(world: World, importer: Make) -> None:
    mine = importer()
    run = mine.bring_in([*SHEET, ["张二", "137"]])
    fetched = (f"/imports/{run.id}", f"/imports/{run.id}/problems", f"/jobs/{run.job_id}/file")
    assert [mine.client.get(path).status_code for path in fetched] == [200] * 3
    _take_away_the_right(world)
    assert [mine.client.get(path).status_code for path in fetched] == [403] * 3


def test_an_import_is_seen_by_its_person_alone(world: World, importer: Make) -> None:
    run = importer().upload(SHEET)
    for who in ("boss", "outsider", "keeper"):
        other = importer(who).client
        for path in ("", "/progress", "/problems"):
            assert other.get(f"/imports/{run.id}{path}").status_code == 404
        for button in ("mapping", "start", "stop", "undo"):
            assert other.post(f"/imports/{run.id}/{button}").status_code == 404
    assert importer().get(run.id).state == ImportState.READY


def test_the_job_centre_leads_to_it(world: World, importer: Make) -> None:
    mine = importer()
    run = mine.upload(SHEET)
    assert "客户.xlsx" in mine.client.get(f"/jobs/{run.job_id}").get_data(as_text=True)
    answer = mine.client.get(f"/jobs/{run.job_id}/open")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/imports/{run.id}")
    assert importer("outsider").client.get(f"/jobs/{run.job_id}/open").status_code == 404
    of_others = importer("boss").client.get(f"/jobs/{run.job_id}/open")
    assert of_others.headers["Location"] == f"/jobs/{run.job_id}"


def test_the_message_about_its_check_leads_to_the_way_to_start_it(world: World, importer: Make) -> None:
    mine = importer()
    run = mine.upload(SHEET)
    message = db.session.scalars(select(Notification)).one()
    page = mine.client.get(f"/notifications/{message.id}", follow_redirects=True)
    assert page.request.path == f"/imports/{run.id}" and "开始导入" in page.get_data(as_text=True)


def test_an_import_stopped_in_the_job_centre_is_given_up(world: World, importer: Make) -> None:
    mine = importer()
    mine.send(xlsx(SHEET))
    run = db.session.scalars(select(ImportRun)).one()
    mine.client.post("/jobs/action/cancel", data={"id": run.job_id})
    mine.run()
    assert mine.get(run.id).state == ImportState.CANCELLED


def test_looking_changes_nothing(world: World, importer: Make) -> None:
    mine = importer()
    run = mine.upload(SHEET)
    for button in ("mapping", "start", "stop", "undo"):
        assert mine.client.get(f"/imports/{run.id}/{button}").status_code == 405
    for path in ("", "/progress"):
        assert mine.client.get(f"/imports/{run.id}{path}").status_code == 200
    assert mine.get(run.id).state == ImportState.READY


@pytest.mark.usefixtures("csrf")
def test_every_button_needs_the_forms_token(world: World, importer: Make) -> None:
    answer = importer().send(xlsx(SHEET))
    assert answer.status_code == 400
    assert db.session.scalar(select(func.count()).select_from(ImportRun)) == 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("客户.xlsm", b"PK", "宏"),
        ("客户.pdf", b"%PDF", "请上传xlsx、xls或csv文件"),
        ("客户.xlsx", b"", "文件是空的"),
        ("", b"", "请选择要上传的文件"),
    ],
)
def test_wrong_uploads_are_said_on_the_form(
    world: World, importer: Make, name: str, content: bytes, said: str
) -> None:
    mine = importer()
    data = {"file": (io.BytesIO(content), name), "mode": "both", "key": "phone"}
    answer = mine.client.post("/customers/import", data=data, content_type="multipart/form-data")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert said in words(page)
    assert 'value="both" checked' in page
    assert db.session.scalar(select(func.count()).select_from(ImportRun)) == 0


def test_a_file_too_large(world: World, importer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = replace(CUSTOMERS, largest=0)
    monkeypatch.setattr(resource("customers"), "template", tiny)
    answer = importer().send(xlsx(SHEET))
    assert answer.status_code == 400
    assert "文件超过" in words(answer.get_data(as_text=True))


def test_the_same_file_at_once_is_taken_once(app: Flask, world: World, importer: Make) -> None:
    mine = importer()
    content = xlsx(SHEET)
    runs = [mine.upload(content).id, mine.upload(content).id]
    for import_id in runs:
        mine.client.post(f"/imports/{import_id}/start")
    states = [mine.get(i).state for i in runs]
    assert states == [ImportState.RUNNING, ImportState.READY]
    assert mine.send(content).status_code == 400
    mine.run()
    assert db.session.scalar(select(func.count()).select_from(Customer)) == 1
    assert "同一个文件已于" in mine.page(mine.get(runs[1]))


def test_a_file_kept_no_longer_goes_after_the_rows_have_let_go_of_it(
    world: World, importer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleted before the commit, it would still be offered where that fails."""
    mine = importer()
    run = mine.bring_in([*SHEET, ["", "13700000002"]])
    place = files.path(run.file or "")
    open_then = []

    def remove(name: str) -> None:
        open_then.append(db.session().in_transaction())
        files.path(name).unlink(missing_ok=True)

    monkeypatch.setattr(files, "remove", remove)
    assert run.expires_at is not None and place.exists()
    outbox.put(db.session(), "imports.prune", {"slot": (run.expires_at + timedelta(days=1)).isoformat()})
    mine.run()
    assert open_then == [False] * 3
    assert not place.exists() and mine.get(run.id).file is None
    answer = mine.client.get(f"/imports/{run.id}/problems")
    assert "文件已过保留期" in answer.get_data(as_text=True)


def test_whoever_changed_the_store_uploads_anew(world: World, importer: Make) -> None:
    mine = importer()
    run = mine.upload(SHEET)
    other = next(s for s in world.stores if s.dealer_id == world.a.id and s.id != run.store_id)
    with acting(db.session()):
        db.session.get_one(Employee, run.user_id).store_id = other.id
        db.session.commit()
    run = mine.press(run, "start")
    assert (run.state, run.reason) == (ImportState.FAILED, "您已切换门店，请重新上传文件")
    assert db.session.scalar(select(func.count()).select_from(Customer)) == 0


def test_a_masked_number_of_somebody_else_is_never_shown(world: World, importer: Make) -> None:
    """Whoever reads no numbers learns that one is on file, as the form tells, and no other number."""
    world.customer(phone="13800000011", phones=["13800000022"])
    mine = importer("typist")
    run = mine.bring_in([HEAD, ["张一", "13800000022"]])
    said = mine.page(run) + str(mine.problems(run))
    assert "13800000022 已建档" in str(mine.problems(run))
    assert "13800000011" not in said
