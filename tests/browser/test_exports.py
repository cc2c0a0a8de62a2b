"""A list leaves as a file, and the bar of a job that goes on moves by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect
from python_calamine import CalamineWorkbook
from sqlalchemy import update

from app.engine import jobs
from app.engine.database import db, utcnow, writing
from app.engine.jobs import Job, JobState
from tests.browser.world import World

pytestmark = pytest.mark.browser


@pytest.mark.spec("D-12")
def test_the_button_gives_what_is_on_screen(page_as: Any, world: World) -> None:
    page = page_as("manager1")
    page.goto("/customers/?level=A&scope=dealer")
    page.locator(".out > summary").click()
    with page.expect_download() as file:
        page.locator(".out").get_by_role("button", name="导出").click()
    table = CalamineWorkbook.from_path(str(file.value.path())).get_sheet_by_index(0).to_python()
    shown = page.locator("table.rows th[data-col]").all_inner_texts()
    assert table[0] == [text.strip() for text in shown]
    assert {row[1] for row in table[1:3]} == {"张晓云", "陈国栋"}
    assert not any(table[3])


def test_the_bar_moves_and_the_end_shows(page_as: Any, world: World) -> None:
    session = db.session()
    with writing(session):
        made = jobs.start(session, world.actor("manager1"), "export", "导出客户", {}, utcnow(), total=200)
        session.commit()
    put = progress(made.id)
    put(state=JobState.RUNNING, done=20)
    page = page_as("manager1")
    page.goto("/jobs/")
    expect(page.locator(".prog")).to_contain_text("10%")
    put(done=120)
    expect(page.locator(".prog")).to_contain_text("60%")
    put(state=JobState.FAILED, result="筛选条件有误", finished_at=utcnow())
    expect(page.locator("table.rows")).to_contain_text("筛选条件有误")
    expect(page.locator(".prog")).to_have_count(0)


def progress(job_id: int) -> Callable[..., None]:
    """``put(done=…)``: how far the job is, as its worker would write it."""

    def put(**values: Any) -> None:
        db.session.execute(update(Job).where(Job.id == job_id).values(**values))
        db.session.commit()

    return put
