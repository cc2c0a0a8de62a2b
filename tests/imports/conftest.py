"""The small trade, and a person who brings files in as in the browser."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient

from app.engine.database import db
from app.engine.imports.tables import ImportRun, ImportState
from models.customers.policy import DuplicateRule, Effect, Entrance
from tests.customers.world import World, words

Table = Sequence[Sequence[Any]]


@pytest.fixture
def world(trade: World) -> World:
    """Two dealers with stores and people; gone after the test."""
    return trade


def xlsx(rows: Table, **sheets: Table) -> bytes:
    """A workbook with these rows on its first sheet."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    for name, more in sheets.items():
        sheet = book.create_sheet(name)
        for row in more:
            sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def table(content: bytes) -> list[list[Any]]:
    """What stands on the first sheet of a workbook."""
    return next(iter(tables(content).values()))


def tables(content: bytes) -> dict[str, list[list[Any]]]:
    """What stands on each sheet of a workbook, in its order."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}


@dataclass
class Importer:
    """One person's browser on the pages of imports; ``run`` carries out what waits for a worker."""

    client: FlaskClient
    run: Callable[[], None]
    resource: str = "customers"

    def send(self, content: bytes, name: str = "客户.xlsx", **fields: str) -> Any:
        """Submit the upload form."""
        data = {"file": (io.BytesIO(content), name), **fields}
        return self.client.post(f"/{self.resource}/import", data=data, content_type="multipart/form-data")

    def upload(self, content: bytes | Table, name: str = "客户.xlsx", **fields: str) -> ImportRun:
        """Upload a file and let it be checked."""
        answer = self.send(content if isinstance(content, bytes) else xlsx(content), name, **fields)
        assert answer.status_code == 302, words(answer.get_data(as_text=True))
        found = re.search(r"/imports/(\d+)", answer.headers["Location"])
        assert found is not None
        self.run()
        return self.get(int(found.group(1)))

    def get(self, import_id: int) -> ImportRun:
        """The import as it is now."""
        db.session.rollback()
        db.session.expire_all()
        return db.session.get_one(ImportRun, import_id)

    def press(self, run: ImportRun, button: str, **fields: Any) -> ImportRun:
        """Press a button of its page and let it be carried out."""
        import_id = run.id
        answer = self.client.post(f"/imports/{import_id}/{button}", data=fields)
        assert answer.status_code == 302
        self.run()
        return self.get(import_id)

    def bring_in(self, content: bytes | Table, name: str = "客户.xlsx", **fields: str) -> ImportRun:
        """Upload, check, start."""
        run = self.upload(content, name, **fields)
        assert run.state == ImportState.READY, run.reason
        return self.press(run, "start")

    def page(self, run: ImportRun) -> str:
        """What its page says."""
        return words(self.client.get(f"/imports/{run.id}").get_data(as_text=True))

    def problems(self, run: ImportRun) -> list[list[Any]]:
        """The lines that were not brought in, of the workbook's first sheet."""
        return next(iter(self.sheets(run).values()))

    def sheets(self, run: ImportRun) -> dict[str, list[list[Any]]]:
        """The workbook of the lines that were not brought in."""
        answer = self.client.get(f"/imports/{run.id}/problems")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        return tables(answer.get_data())


@pytest.fixture
def importer(
    world: World, login: Callable[[str], FlaskClient], run_outbox: Callable[..., None]
) -> Callable[..., Importer]:
    """``importer("typist")``: that person's pages of imports."""
    return lambda who="typist", resource="customers": Importer(login(who), run_outbox, resource)


@pytest.fixture
def policy(world: World) -> Callable[[Effect], None]:
    """``policy(Effect.ABSORB)``: what the dealer does with known numbers at every entrance."""
    from app.engine.audit import acting

    def use(effect: Effect) -> None:
        with acting(db.session()):
            for entrance in Entrance:
                db.session.add(DuplicateRule(entrance=entrance, effect=effect, dealer_id=world.a.id))
            db.session.commit()

    return use
