"""The history: complete, unchangeable, one entry per record and deed, read through the gate."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from app.engine.actions import Act
from app.engine.audit import AuditEntry, UnauditedError, acting, log
from app.engine.database import db, writing
from app.engine.guards import CUSTOMER_PHONE, SETTLEMENT_PRICE
from app.engine.history import history, last_writer, render_changes
from app.engine.scopes import SYSTEM
from models.customers.tables import Customer, Stage, Tag
from models.identity.tables import Store
from tests.customers.world import PHONE, World, grant
from tests.plugins.people import Login
from tests.settings.test_parameters import form

NOW = datetime(2026, 11, 22, 16, 30)


@pytest.fixture
def world(trade: World) -> World:
    """Two dealers with stores and people."""
    return trade


def entries(record: Any) -> list[AuditEntry]:
    """The entries of a record, oldest first."""
    db.session.rollback()
    statement = select(AuditEntry).where(
        AuditEntry.resource == type(record).__tablename__, AuditEntry.record_id == record.id
    )
    return list(db.session.scalars(statement.order_by(AuditEntry.id)))


def deed(world: World, action: str = "update") -> Act:
    """A deed of the administrator."""
    return Act(world.actor("boss"), NOW, db.session(), "web", action)


@pytest.mark.spec("A-116", "D-15")
def test_filing_and_changing_is_kept_with_actor_time_old_and_new(world: World) -> None:
    customer = world.customer(name="张女士", phone=PHONE, now=NOW)
    world.change(customer, by="keeper", name="张太太")
    filed, changed = entries(customer)
    assert (filed.action, filed.action_label, filed.actor_name, filed.source.value) == (
        "create", "新增", "导购甲", "web",
    )  # fmt: skip
    assert filed.at == NOW
    assert filed.dealer_id == world.a.id
    assert filed.kind_label == "客户"
    assert filed.changes["fields"]["name"] == [None, "张女士"]
    assert filed.changes["fields"]["owner_id"][3] == "导购甲"
    assert (changed.actor_name, changed.action_label) == ("店长甲", "编辑")
    assert changed.changes["fields"] == {"name": ["张女士", "张太太"]}
    assert changed.record_label.startswith("张太太 KF")
    assert last_writer("customers", customer.id) == "店长甲"


def test_one_entry_per_record_and_deed_holds_the_first_old_and_the_last_new(world: World) -> None:
    customer = world.customer(name="甲")
    other = world.customer(name="乙")
    before = len(entries(customer)), len(entries(other))
    with writing(db.session()), acting(db.session(), deed(world)):
        record = db.session.get_one(Customer, customer.id)
        for name in ("一", "二", "三"):
            record.name = name
            db.session.flush()
        second = db.session.get_one(Customer, other.id)
        second.name = "丙"
        db.session.flush()
        second.name = "乙"
        db.session.commit()
    assert len(entries(customer)) == before[0] + 1
    assert entries(customer)[-1].changes["fields"] == {"name": ["甲", "三"]}
    assert len(entries(other)) == before[1]


def test_what_a_savepoint_took_back_is_in_no_entry(world: World) -> None:
    customer = world.customer(name="甲")
    with writing(db.session()), acting(db.session(), deed(world)):
        record = db.session.get_one(Customer, customer.id)
        refused = db.session.begin_nested()
        record.name = "不行"
        db.session.flush()
        refused.rollback()
        kept = db.session.begin_nested()
        record.stage = Stage.LOST
        inner = db.session.begin_nested()
        record.community = "花园"
        inner.commit()
        kept.commit()
        db.session.commit()
    assert entries(customer)[-1].changes["fields"] == {
        "stage": ["following", "lost"],
        "community": [None, "花园"],
    }


def test_a_rolled_back_deed_leaves_nothing(world: World) -> None:
    customer = world.customer()
    before = len(entries(customer))
    with writing(db.session()), acting(db.session(), deed(world)):
        db.session.get_one(Customer, customer.id).name = "x"
        db.session.flush()
        db.session.rollback()
        db.session.commit()
    assert len(entries(customer)) == before


def test_an_audited_record_cannot_change_outside_a_deed(world: World) -> None:
    customer = world.customer()
    record = db.session.get_one(Customer, customer.id)
    record.name = "x"
    with pytest.raises(UnauditedError):
        db.session.flush()
    db.session.rollback()
    with pytest.raises(UnauditedError):
        db.session.execute(update(Customer).values(name="x"))
    with pytest.raises(UnauditedError):
        db.session.execute(delete(Customer))
    db.session.rollback()
    table: Any = Tag.__table__
    tag = {"name": "暗", "dealer_id": world.a.id}
    for statement in (insert(Tag), insert(table), update(table).values(name="x"), delete(table)):
        with pytest.raises(UnauditedError):
            db.session.execute(statement, [tag] if statement.is_insert else None)
        db.session.rollback()
    said = {"audited": True}
    db.session.execute(delete(table).where(table.c.name == "暗"), execution_options=said)
    db.session.rollback()
    db.session.add(Store(dealer_id=world.a.id, code="X", name="X"))
    with pytest.raises(UnauditedError):
        db.session.flush()
    db.session.rollback()


@pytest.mark.spec("D-15")
@pytest.mark.parametrize(
    ("agent", "source"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36", "网页"),
        (
            "Mozilla/5.0 (Linux; Android 14; PGT-AN20) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36",
            "手机",
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1",
            "手机",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 MicroMessenger/7.0.20 WindowsWechat", "手机"),
    ],
)
def test_the_history_tells_a_phone_from_a_desk(world: World, login: Any, agent: str, source: str) -> None:
    client = login("boss")
    client.environ_base["HTTP_USER_AGENT"] = agent
    client.post("/customers/new", data={"name": "张女士", "phone": PHONE})
    customer = db.session.scalars(select(Customer)).one()
    typed = {"name": "张太太", "phone": PHONE, "version": customer.version}
    assert client.post(f"/customers/{customer.id}/edit", data=typed).status_code == 302
    client.post("/customers/action/invalidate", data={"id": customer.id})
    client.post("/parameters/", data=form(number__customer__prefix="KX"))
    kept = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    mine = [(e.action, e.source.label) for e in kept if e.actor_name == "总管"]
    assert [action for action, _ in mine] == ["create", "update", "invalidate", "update"]
    assert {label for _, label in mine} == {source}


@pytest.mark.spec("D-15")
def test_the_history_is_unchangeable_for_program_and_database(world: World) -> None:
    customer = world.customer()
    entry = entries(customer)[0]
    entry.actor_name = "别人"
    with acting(db.session()), pytest.raises(UnauditedError):
        db.session.flush()
    db.session.rollback()
    db.session.delete(entries(customer)[0])
    with acting(db.session()), pytest.raises(UnauditedError):
        db.session.flush()
    db.session.rollback()
    for statement in ("UPDATE audit_entries SET actor_name = 'x'", "DELETE FROM audit_entries"):
        with pytest.raises(DBAPIError, match="不可修改"):
            db.session.execute(text(statement))
        db.session.rollback()


@pytest.mark.spec("A-89")
def test_something_that_no_column_shows_is_kept_too(world: World) -> None:
    customer = world.customer()
    act = deed(world, "look")
    with writing(db.session()), acting(db.session(), act):
        log(act, db.session.get_one(Customer, customer.id), "查看结算价")
        db.session.commit()
    last = entries(customer)[-1]
    assert (last.action_label, last.changes["fields"]) == ("查看结算价", {})


@pytest.mark.spec("A-92")
def test_the_reader_gets_masks_where_the_person_may_not_read(world: World) -> None:
    customer = world.customer(phone=PHONE)
    world.change(customer, phone="13900000009")
    changed = entries(customer)[-1]
    seen = render_changes(changed, world.actor("boss"))
    assert f"{PHONE} → 13900000009" in seen
    grant(world, "admin", CUSTOMER_PHONE.permission)
    masked = render_changes(changed.changes, world.actor("boss"))
    assert "138****0001 → 139****0009" in masked
    assert "13900000009" not in masked and PHONE not in masked
    shown = history("customers", customer.id, world.actor("boss"))
    assert PHONE not in str(shown) and "13900000009" not in str(shown)
    lines = {c.label: c for c in shown[0].changes}
    assert lines["手机号码"].locked == "客户电话显示加密"


@pytest.mark.spec("A-89")
def test_a_price_without_mask_is_only_said_to_have_changed(world: World) -> None:
    changes = {
        "resource": "factory_orders",
        "fields": {"settlement_price": ["98765.43", "12345.67"], "removed_field": ["a", "b"]},
    }
    assert world.actor("boss").can(*SETTLEMENT_PRICE.permission)
    for reader in (SYSTEM, world.actor("boss"), world.actor("seller")):
        said = render_changes(changes, reader)
        assert "已修改" in said
        assert "98765" not in said and "12,345" not in said
    assert "removed" not in render_changes(changes, SYSTEM)


def test_times_are_chinas_and_words_are_not_codes(world: World) -> None:
    customer = world.customer(now=NOW)
    with writing(db.session()), acting(db.session(), deed(world, "lose")):
        record = db.session.get_one(Customer, customer.id)
        record.stage = Stage.LOST
        record.next_follow_up_at = NOW + timedelta(days=1)
        record.net_received = Decimal("1000")
        record.owner_id = world.people["seller2"].id
        db.session.commit()
    newest = history("customers", customer.id, world.actor("boss"))[0]
    assert newest.at == "2026-11-23 00:30:00"
    lines = {c.label: (c.old, c.new) for c in newest.changes}
    assert lines["阶段"] == ("跟进中", "战败")
    assert lines["下次跟进时间"][1] == "2026-11-24 00:30:00"
    assert lines["已收净额"] == ("¥0.00", "¥1,000.00")
    assert lines["导购"] == ("导购甲", "导购乙")


@pytest.mark.spec("A-70")
def test_a_record_out_of_scope_has_no_history(world: World) -> None:
    customer = world.customer()
    assert history("customers", customer.id, world.actor("outsider")) == []
    assert history("customers", customer.id, world.actor("seller"))
    assert history("nothing", 1, world.actor("boss")) == []


def test_the_log_lists_the_own_dealer_only_and_through_the_gate(world: World, login: Any) -> None:
    world.customer(phone=PHONE)
    world.customer("outsider", name="别家客户", phone="13700000007")
    page = login("boss").get("/audit_entries/").get_data(as_text=True)
    assert PHONE in page and "别家客户" not in page
    grant(world, "admin", CUSTOMER_PHONE.permission)
    page = login("boss").get("/audit_entries/").get_data(as_text=True)
    assert PHONE not in page and "138****0001" in page


def test_a_long_history_is_read_page_by_page(
    world: World, login: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.engine import history as reading

    monkeypatch.setattr(reading, "SHOWN", 2)
    customer = world.customer(name="甲")
    for name in ("乙", "丙", "丁"):
        world.change(customer, name=name)
    first = reading.page("customers", customer.id, world.actor("seller"), "甲", f"/customers/{customer.id}")
    assert (len(first.entries), first.newer) == (2, "")
    client = login("seller")
    older = client.get(first.older)
    assert older.status_code == 200
    text = older.get_data(as_text=True)
    assert "较新的记录" in text and "较早的记录" not in text and "新增" in text
    for nonsense in ("x", "-1", "99999999999999999999"):
        assert client.get(f"/customers/{customer.id}/history?before={nonsense}").status_code == 200


@pytest.mark.spec("D-15")
def test_an_entry_tells_the_second_and_leads_to_its_record(world: World, login: Login) -> None:
    customer = world.customer(name="张女士", now=NOW)
    gone = world.contact(name="路人")
    (filed,), (left,) = entries(customer), entries(gone)
    address, unseen = f"/contacts/{gone.id}", left.id
    client = login("boss")
    page = client.get(f"/audit_entries/{filed.id}").get_data(as_text=True)
    assert "2026-11-23 00:30:00" in page and "/history" not in page
    assert f'<a class="link" href="/customers/{customer.id}">' in page
    assert "2026-11-23 00:30:00" in client.get(
        "/audit_entries/?at.from=2026-11-23&at.to=2026-11-23"
    ).get_data(as_text=True)
    with writing(db.session()):
        db.session.execute(text("DELETE FROM contacts WHERE id = :id"), {"id": gone.id})
        db.session.commit()
    page = client.get(f"/audit_entries/{unseen}").get_data(as_text=True)
    assert "路人" in page and f'href="{address}"' not in page


@pytest.mark.spec("D-15")
def test_a_first_entry_shows_what_was_filed_and_nothing_crossed_out(world: World, login: Login) -> None:
    customer = world.customer(name="张女士", now=NOW)
    world.change(customer, name="张太太")
    page = login("seller").get(f"/customers/{customer.id}/history").get_data(as_text=True)
    changed, filed = page.split("<article")[1:]
    assert '<td class="old">张女士</td><td class="new">张太太</td>' in changed
    assert '<td class="new">张女士</td>' in filed and "old" not in filed and "（空）" not in filed
    assert "客户姓名：张女士" in render_changes(entries(customer)[0], world.actor("boss"))


@pytest.mark.parametrize("kind", ["customers", "roles"])
def test_the_log_finds_a_record_by_its_code_or_a_name_without_one(
    world: World, login: Login, kind: str
) -> None:
    customer = world.customer(name="张 太太")
    grant(world, "admin", CUSTOMER_PHONE.permission)
    coded = entries(customer)[0]
    assert coded.record_key == customer.code and coded.record_label == f"张 太太 {customer.code}"
    entry = coded if kind == "customers" else db.session.scalars(
        select(AuditEntry).where(AuditEntry.resource == "roles", AuditEntry.dealer_id == coded.dealer_id)
    ).first()  # fmt: skip
    assert entry is not None and entry.record_key
    page = login("boss").get("/audit_entries/", query_string={"q": entry.record_key}).get_data(as_text=True)
    assert entry.record_label in page
    assert "没有" in login("boss").get("/audit_entries/?q=太太").get_data(as_text=True)
