"""Merging two options: looked at first, every record follows, and all of it can be taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.engine.approving import deed_named
from app.engine.audit import AuditEntry, acting
from app.engine.choices import dictionary
from app.engine.conditionwords import parse
from app.engine.database import db, utcnow
from app.engine.jobs import Job, JobState
from app.engine.perform import create
from app.engine.resource import resource
from models.clock_rules.tables import ClockRule, Direction, Unit
from models.customers.tables import Customer
from models.shaping import merging
from models.shaping.approval_tables import ApprovalFlow
from tests.customers.world import World
from tests.plugins.people import Login
from tests.shaping.editor import URL, show

KIND = "customer.kind"
Outbox = Callable[..., None]


def begin(client: Any, name: str, old: str, new: str) -> Any:
    """Merge the options of these names; the answer to the last click."""
    shown = show(client, name)
    form = {"name": name, "from": shown.id(old), "into": shown.id(new)}
    return client.post("/dictionaries/merge", data=form)


def preview(client: Any, name: str, old: str, new: str) -> str:
    """What is said before."""
    shown = show(client, name)
    form = {"name": name, "from": shown.id(old), "into": shown.id(new)}
    return client.get("/dictionaries/merge", query_string=form).get_data(as_text=True)


def kinds(dealer_id: int) -> dict[str | None, int]:
    """How many customers of the dealer have which kind."""
    statement = select(Customer.kind, func.count()).where(Customer.dealer_id == dealer_id)
    return dict(db.session.execute(statement.group_by(Customer.kind)).tuples().all())


def test_a_merge_is_looked_at_changes_every_record_and_is_taken_back(
    world: World, login: Login, run_outbox: Outbox
) -> None:
    client = login("boss")
    ours = [world.customer(kind="潜在客户" if n else "意向客户") for n in range(4)]
    theirs = world.customer(by="outsider", kind="潜在客户")
    page = preview(client, KIND, "潜在客户", "意向客户")
    assert "客户 · 客户类型" in page and "<dd>3</dd>" in page
    answer = begin(client, KIND, "潜在客户", "意向客户")
    assert answer.status_code == 302
    assert "潜在客户" not in [e.label for e in dictionary(KIND, world.a.id) if e.active]
    assert "潜在客户" in [e.label for e in dictionary(KIND, world.b.id) if e.active]
    assert kinds(world.a.id) == {"潜在客户": 3, "意向客户": 1}
    run_outbox()
    assert kinds(world.a.id) == {"意向客户": 4}
    assert db.session.get(Customer, theirs.id).kind == "潜在客户"
    page = client.get(answer.location).get_data(as_text=True)
    assert "3 位客户已由“潜在客户”改为“意向客户”" in page
    seen = client.get(f"/customers/{ours[1].id}/history").get_data(as_text=True)
    assert "合并字典项" in seen and "总管" in seen and "潜在客户" in seen
    assert "并入" in show(client, KIND).page

    assert client.post(answer.location).status_code == 302
    run_outbox()
    assert kinds(world.a.id) == {"潜在客户": 3, "意向客户": 1}
    assert "潜在客户" in [e.label for e in dictionary(KIND, world.a.id) if e.active]
    assert "已改回“潜在客户”" in client.get(answer.location).get_data(as_text=True)
    assert "此合并已撤销" in client.post(answer.location, follow_redirects=True).get_data(as_text=True)


def test_what_somebody_changed_since_stays_and_is_named(
    world: World, login: Login, run_outbox: Outbox
) -> None:
    client = login("boss")
    first, second = world.customer(kind="潜在客户"), world.customer(name="陈先生", kind="潜在客户")
    answer = begin(client, KIND, "潜在客户", "意向客户")
    run_outbox()
    world.change(db.session.get(Customer, second.id), kind="需求客户")
    client.post(answer.location)
    run_outbox()
    page = client.get(answer.location).get_data(as_text=True)
    assert "1 条此后又被修改，未撤销" in page and "陈先生" in page and "已由导购甲再次修改" in page
    assert db.session.get(Customer, first.id).kind == "潜在客户"
    assert db.session.get(Customer, second.id).kind == "需求客户"


def test_a_killed_job_goes_on_where_it_was(
    world: World, login: Login, run_outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "PIECE", 4)
    for _ in range(10):
        world.customer(kind="潜在客户")
    begin(login("boss"), KIND, "潜在客户", "意向客户")
    real, calls = merging._change, 0

    def killed(*args: Any) -> int:
        nonlocal calls
        calls += 1
        done = real(*args)
        if calls == 2:
            raise MemoryError("killed")
        return done

    monkeypatch.setattr(merging, "_change", killed)
    run_outbox()
    assert kinds(world.a.id) == {"潜在客户": 6, "意向客户": 4}, "the broken piece left nothing behind"
    run_outbox(utcnow() + timedelta(days=1))
    assert kinds(world.a.id) == {"意向客户": 10}
    job = db.session.scalars(select(Job).where(Job.kind == merging.MERGE)).one()
    assert job.state == JobState.DONE and job.counts["lists"] == {"customers": 10}
    logged = select(func.count()).where(
        AuditEntry.action == merging.LABEL, AuditEntry.resource == "customers"
    )
    assert db.session.scalar(logged) == 10


def test_what_came_in_meanwhile_is_found_by_the_last_look(
    world: World, login: Login, run_outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [world.customer(kind="潜在客户") for _ in range(3)]
    late = world.customer()
    begin(login("boss"), KIND, "潜在客户", "意向客户")
    real = merging._change

    def meanwhile(*args: Any) -> int:
        done = real(*args)
        if late.kind is None:
            late.kind = "潜在客户"
            args[0].session.execute(
                update(Customer).where(Customer.id == late.id).values(kind="潜在客户"),
                execution_options={"audited": True},
            )
        return done

    monkeypatch.setattr(merging, "_change", meanwhile)
    monkeypatch.setattr(merging, "PIECE", 2)
    run_outbox()
    assert kinds(world.a.id) == {"意向客户": len(made) + 1}


def test_a_condition_of_the_dealer_follows_and_one_of_the_group_stands_in_the_way(
    world: World, login: Login, run_outbox: Outbox
) -> None:
    customers = resource("customers")

    def rule(name: str, dealer_id: int | None) -> ClockRule:
        words = "客户类型 属于 潜在客户、意向客户"
        made = ClockRule(
            name=name, subject="customers", start="created_at", amount=3, unit=Unit.DAYS, effect="remind",
            direction=Direction.AFTER, at="08:00", dealer_id=dealer_id, active=False,
            condition=parse(customers, words, world.actor("boss"), db.session()).to_json(),
        )  # fmt: skip
        with acting(db.session()):
            db.session.add(made)
            db.session.commit()
        return made

    client = login("boss")
    own = rule("本商场规则", world.a.id)
    assert "时间规则“本商场规则”的条件改用“意向客户”" in preview(client, KIND, "潜在客户", "意向客户")
    answer = begin(client, KIND, "潜在客户", "意向客户")
    assert db.session.get(ClockRule, own.id).condition["where"]["all"][0]["value"] == ["意向客户"]
    run_outbox()
    client.post(answer.location)
    run_outbox()
    assert db.session.get(ClockRule, own.id).condition["where"]["all"][0]["value"] == ["潜在客户", "意向客户"]
    rule("集团规则一", None)
    answer = begin(client, KIND, "潜在客户", "意向客户")
    assert answer.status_code == 400
    assert "时间规则“集团规则一”由集团维护" in answer.get_data(as_text=True)
    assert "潜在客户" in [e.label for e in dictionary(KIND, world.a.id) if e.active]


def test_the_condition_of_an_approval_follows_too(world: World, login: Login) -> None:
    """One that compared with an option nobody has any more would let everything pass."""
    words = "客户类型 属于 潜在客户、意向客户"
    about = deed_named("customers/invalidate")
    condition = parse(about, words, world.actor("boss"), db.session()).to_json()
    values = {
        "name": "作废审批",
        "subject": "customers",
        "deed": "customers/invalidate",
        "condition": condition,
    }
    steps = [{"who": "role:admin", "named": "商场系统管理员"}]
    boss = world.actor("boss")
    flow, _ = create(resource("approval_flows"), {**values, "steps": steps, "active": True, "sort": 1}, boss)
    client = login("boss")
    assert "审批流程“作废审批”的条件改用“意向客户”" in preview(client, KIND, "潜在客户", "意向客户")
    begin(client, KIND, "潜在客户", "意向客户")
    kept = db.session.get(ApprovalFlow, flow.id).condition
    assert (kept["of"], kept["where"]["all"][0]["value"]) == ("customers/invalidate", ["意向客户"])


@pytest.mark.parametrize(
    ("name", "old", "new", "sentence"),
    [
        ("customer.level", "H", "A", "系统使用此项：战败客户再次登记时以此级别重新跟进"),
        ("registration.source", "家装公司推荐", "网销客户", "只在选择此项时填写"),
        ("registration.tracking", "待跟踪", "跟进", "的初始值"),
        ("customer.source", "自然到店", "官网留言", "不在“自然到店”的所属上级下"),
    ],
)
def test_what_stands_in_the_way_is_said_and_nothing_begins(
    world: World, login: Login, name: str, old: str, new: str, sentence: str
) -> None:
    client = login("boss")
    assert sentence in preview(client, name, old, new)
    answer = begin(client, name, old, new)
    assert answer.status_code == 400 and sentence in answer.get_data(as_text=True)
    assert db.session.scalar(select(func.count()).select_from(Job)) == 0


def test_what_hangs_under_the_option_moves_to_the_other(
    world: World, login: Login, run_outbox: Outbox
) -> None:
    client = login("boss")
    show(client, "customer.source").send(do="add", lines="朋友圈", under="线上")
    customer = world.customer(source_category="线上", source="电商平台")
    assert "客户来源中 5 项改属“渠道”" in preview(client, "customer.source_category", "线上", "渠道")
    answer = begin(client, "customer.source_category", "线上", "渠道")
    run_outbox()
    db.session.expire_all()
    found = db.session.get(Customer, customer.id)
    assert (found.source_category, found.source) == ("渠道", "电商平台")
    under = {e.value for e in dictionary("customer.source", world.a.id) if e.parent == "渠道"}
    assert {"电商平台", "朋友圈", "小区拓展"} <= under
    world.change(found, "boss", name="改名")  # the pair fits as it stands
    client.post(answer.location)
    run_outbox()
    found = db.session.get(Customer, customer.id)
    assert found.source_category == "线上"
    parents = {e.value: e.parent for e in dictionary("customer.source", world.a.id)}
    assert parents["朋友圈"] == "线上" and parents["电商平台"] == "线上"


def test_two_merges_of_one_dictionary_do_not_run_together(
    world: World, login: Login, run_outbox: Outbox
) -> None:
    client = login("boss")
    begin(client, KIND, "潜在客户", "意向客户")
    answer = begin(client, KIND, "需求客户", "意向客户")
    assert answer.status_code == 400 and "有合并正在进行" in answer.get_data(as_text=True)
    run_outbox()
    assert begin(client, KIND, "需求客户", "意向客户").status_code == 302


def test_a_merge_of_another_dealer_is_out_of_reach(world: World, login: Login, run_outbox: Outbox) -> None:
    answer = begin(login("boss"), KIND, "潜在客户", "意向客户")
    run_outbox()
    admin = login("admin")
    assert admin.get(answer.location).status_code == 404
    assert admin.post(answer.location).status_code == 404
    assert login("seller").get(answer.location).status_code == 403
    assert login("seller").get(f"{URL[:-1]}/merge?name={KIND}&from=1").status_code == 403


def test_a_stale_form_is_refused_after_a_merge(world: World, login: Login, run_outbox: Outbox) -> None:
    customer = world.customer(kind="潜在客户")
    page = login("seller").get(f"/customers/{customer.id}/edit").get_data(as_text=True)
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    begin(login("boss"), KIND, "潜在客户", "意向客户")
    run_outbox()
    answer = login("seller").post(
        f"/customers/{customer.id}/edit",
        data={"name": "张女士", "phone": customer.phone, "kind": "潜在客户", "version": version},
    )
    assert answer.status_code in (400, 409)
    db.session.expire_all()
    assert db.session.get(Customer, customer.id).kind == "意向客户"
