"""What the pages of an import say and offer in each of its states."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from app.engine.actions import Refusal
from app.engine.imports import undo
from app.engine.imports.tables import ImportState
from tests.customers.world import World, words
from tests.imports.conftest import Importer

Make = Callable[..., Importer]
SHEET = [["客户姓名", "手机号码"], ["周女士", "13700000001"], ["吴先生", "1370"]]


def button(page: str, label: str) -> str:
    """The classes of the button or link with this label, "" where there is none."""
    found = re.search(rf'class="([^"]*)"[^>]*>(?:<i [^>]*></i>)?{label}<', page)
    return found.group(1) if found else ""


def test_a_file_that_could_not_be_read_leads_to_the_next_upload(world: World, importer: Make) -> None:
    mine = importer("boss")
    run = mine.upload(b"PK\x03\x04 broken", "客户.xlsx")
    assert run.state == ImportState.FAILED
    page = mine.client.get(f"/imports/{run.id}").text
    assert re.search(r'href="/customers/import"[^>]*>(<i [^>]*></i>)?重新上传<', page)
    assert "重新上传" not in mine.client.get(f"/imports/{mine.upload(SHEET).id}").text


def test_a_file_without_a_good_line_says_so_and_leads_to_the_next_upload(
    world: World, importer: Make
) -> None:
    mine = importer("boss")
    bad, good = mine.upload([SHEET[0], SHEET[2]]), mine.upload(SHEET)
    assert "没有可以导入的行，请改正后重新上传" in mine.page(bad)
    assert button(mine.client.get(f"/imports/{bad.id}").text, "重新上传") == "btn1"
    assert "没有可以导入的行" not in mine.page(good)


def test_before_the_start_results_are_expectations(world: World, importer: Make) -> None:
    mine = importer("boss")
    run = mine.upload(SHEET)
    assert "将新增1条" in words(mine.client.get("/customers/import").text)
    mine.press(run, "start")
    assert "预计" not in words(mine.client.get("/customers/import").text)


def test_taking_back_in_vain_is_said_on_the_page(
    world: World, importer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Refusal("数据与现有记录冲突，请检查后重试")

    mine = importer("boss")
    run = mine.bring_in(SHEET)
    assert "撤销没有完成" not in mine.page(run)
    monkeypatch.setattr(undo, "_take_back", refuse)
    run = mine.press(run, "undo")
    assert run.state == ImportState.DONE
    assert "撤销没有完成：数据与现有记录冲突，请检查后重试" in mine.page(run)


def test_stopping_and_taking_back_are_there_on_a_phone_too(world: World, importer: Make) -> None:
    mine = importer("boss")
    run = mine.upload(SHEET)
    assert "keep" in button(mine.client.get(f"/imports/{run.id}").text, "取消导入").split()
    run = mine.press(run, "start")
    assert "keep" in button(mine.client.get(f"/imports/{run.id}").text, "撤销导入").split()


def test_no_file_is_said_by_the_page_and_not_by_the_browser(world: World, importer: Make) -> None:
    mine = importer("boss")
    assert re.search(
        r"<form[^>]*multipart/form-data[^>]* novalidate", mine.client.get("/customers/import").text
    )
    answer = mine.client.post("/customers/import", data={"mode": "add"}, content_type="multipart/form-data")
    assert answer.status_code == 400 and "请选择要上传的文件" in words(answer.text)
