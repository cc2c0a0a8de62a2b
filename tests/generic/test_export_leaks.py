"""Export files as a way out: role × guarded field × kind of file, of every list, at once and as a job."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from app.engine import exports
from app.engine.audit import acting
from app.engine.database import db
from app.engine.exports import FORMATS, Limits
from app.engine.fields import FieldSpec, describe
from app.engine.imports.tables import ImportRun
from app.engine.jobs import Job, JobState
from app.engine.resource import Resource, resources
from app.engine.scopes import Scope
from models.identity import role_rules
from models.identity.rights import bump_epoch
from models.identity.roles import StaffRole
from models.identity.tables import Employee
from tests.generic.leaks import found_in
from tests.generic.test_guards import GUARDED, secrets
from tests.generic.world import AWAY, FOREIGN, HERE, MASKED, NOBODY, OWN, SEES, STORE, World, guarded

WIDE = "window=all&include=all"
LISTED = [pytest.param(r, id=r.name) for r in resources() if r.columns and r.name != "dealers"]


def said(content: bytes, kind: str) -> str:
    """Everything in a file, unpacked."""
    if kind == "csv":
        return content.decode("utf-8-sig")
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        return "\n".join(parts.read(name).decode() for name in parts.namelist())


def table(content: bytes, kind: str) -> list[list[Any]]:
    """The rows of a file with their heading."""
    if kind == "csv":
        read: list[list[Any]] = [list(row) for row in csv.reader(io.StringIO(content.decode("utf-8-sig")))]
    else:
        read = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    return read[: next(n for n, row in enumerate(read) if not any(v != "" for v in row))]


def fetch(client: Any, resource: type[Resource], kind: str, query: str = WIDE) -> bytes:
    """All columns of the list as a file."""
    names = [s.name for s in guarded(resource)]
    client.post(f"/{resource.name}/columns", data={"column": names})
    form = {"columns": "all", "format": kind, "column": names}
    answer = client.post(f"/{resource.name}/export?{query}", data=form)
    assert answer.status_code == 200, resource.name
    return bytes(answer.data)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("resource", LISTED)
def test_no_guarded_value_in_a_masked_persons_file(
    app: Flask, world: World, clients: Any, resource: type[Resource], kind: str
) -> None:
    client = clients(MASKED)
    for query in (WIDE, f"{WIDE}&scope=dealer", f"{WIDE}&sort=phone", f"{WIDE}&q=KF"):
        assert found_in(said(fetch(client, resource, kind, query), kind), secrets(world)) == []


def listed(resource: type[Resource]) -> set[str]:
    """The names of the columns that a list may show at all."""
    return {describe(c).name for c in (*resource.columns, *resource.more_columns)}


SHOWN = [
    p for p in GUARDED if p.values[1].kind in ("phone", "phones") and p.values[1].name in listed(p.values[0])
]


@pytest.mark.sqlite_only
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(("resource", "spec"), SHOWN)
def test_the_person_with_the_right_gets_it(
    app: Flask, world: World, clients: Any, resource: type[Resource], spec: FieldSpec, kind: str
) -> None:
    """The control: the test above can fail."""
    content = said(fetch(clients(SEES), resource, kind, f"{WIDE}&scope=dealer"), kind)
    assert world.secrets[resource.name, spec.name, HERE] in content


@pytest.mark.parametrize("resource", [p for p in LISTED if p.id != "parameters"])  # its page is no list
def test_the_file_has_the_rows_of_the_list(
    app: Flask, world: World, clients: Any, resource: type[Resource]
) -> None:
    """For every kind of rights: as many rows as the list shows, in every view."""
    for person in (SEES, MASKED, OWN, STORE, FOREIGN):
        client = clients(person)
        for query in (WIDE, *(f"{WIDE}&view={v.name}" for v in resource.views)):
            page = client.get(f"/{resource.name}/?{query}&per_page=100").get_data(as_text=True)
            shown = page.count('<td class="k">')
            rows = len(table(fetch(client, resource, "csv", query), "csv")) - 1
            if shown == 100 or resource.name == "audit_entries":  # a full page; each export adds an entry
                assert rows >= shown, (person, query)
            else:
                assert rows == shown, (person, query)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("resource", LISTED)
def test_nobody_else_gets_a_file(app: Flask, world: World, clients: Any, resource: type[Resource]) -> None:
    answer = clients(NOBODY).post(f"/{resource.name}/export?{WIDE}", data={})
    assert answer.status_code == 403
    assert "权限" in answer.get_data(as_text=True)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("resource", [p for p in LISTED if guarded(p.values[0])])
def test_a_job_writes_what_its_person_may_read(
    app: Flask,
    world: World,
    clients: Any,
    resource: type[Resource],
    run_outbox: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exports, "_limits", [lambda _session, _dealer: Limits(at_once=-1)])
    client = clients(MASKED)
    phone = world.secrets["customers", "phone", HERE]
    for query in (f"{WIDE}&scope=dealer", f"{WIDE}&q={phone}", f"{WIDE}&phone={phone}"):
        answer = client.post(f"/{resource.name}/export?{query}", data={"columns": "all"})
        assert answer.status_code == 302
        run_outbox()
        job = db.session.query(Job).order_by(Job.id.desc()).first()
        assert job.state == JobState.DONE, job.result
        content = client.get(f"/jobs/{job.id}/file").data
        assert found_in(said(content, "xlsx"), secrets(world)) == []
        for person in (MASKED, SEES):
            for page in ("/jobs/?window=all", f"/jobs/{job.id}", f"/api/v1/jobs/{job.id}", "/audit_entries/"):
                assert found_in(clients(person).get(page).get_data(as_text=True), [phone]) == [], page
        assert clients(SEES).get(f"/jobs/{job.id}/file").status_code == 403


def go_to(world: World, place: str) -> None:
    """`SEES` works at the other dealer from now on, with the widest rights of there."""
    session = db.session()
    with acting(session):
        person = session.get_one(Employee, world.people[SEES])
        person.dealer_id, person.store_id, person.department_id = (
            world.dealers[place], world.stores[place], None,
        )  # fmt: skip
        role = session.scalars(select(StaffRole).where(StaffRole.name == f"generic:{FOREIGN}")).one()
        old = role_rules.rights_of(session, role.id)
        wide = role_rules.Rights(old.grants, old.scopes | {("jobs", Scope.MINE)})
        role_rules.give(session, role, wide)
        person.roles = [role]
        bump_epoch(session)
        session.commit()


def test_no_file_follows_to_another_dealer(
    app: Flask,
    world: World,
    login: Any,
    run_outbox: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither a list nor the report of an import, which names what is on file."""
    monkeypatch.setattr(exports, "_limits", [lambda _session, _dealer: Limits(at_once=-1)])
    client = login(SEES)
    client.post(f"/customers/export?{WIDE}&scope=dealer", data={"columns": "all"})
    phone = world.secrets["customers", "phone", HERE]
    data = {"file": (io.BytesIO(f"客户姓名,手机号码\n甲,{phone}\n乙,18900000001".encode()), "名单.csv")}
    client.post("/customers/import", data=data, content_type="multipart/form-data")
    run_outbox()
    run = db.session.scalars(select(ImportRun)).one().id
    client.post(f"/imports/{run}/start")
    run_outbox()
    done = select(Job.id).where(Job.kind.in_(("export", "import.apply"))).order_by(Job.id)
    files = [f"/jobs/{job}/file" for job in db.session.scalars(done)]
    pages = [f"/imports/{run}", f"/imports/{run}/problems", f"/imports/{run}/progress"]
    assert [client.get(path).status_code for path in (*files, *pages)] == [200] * 5
    go_to(world, AWAY)
    moved = login(SEES)
    assert [moved.get(path).status_code for path in files] == [404] * 2
    assert [moved.get(path).status_code for path in pages] == [404] * 3
    assert [moved.post(f"/imports/{run}/{b}").status_code for b in ("start", "stop", "undo")] == [404] * 3
    assert "名单.csv" not in moved.get("/customers/import").get_data(as_text=True)
