"""Assigning leads to showrooms, one order type once per lead, and taking them back (E-62…E-66, E-70)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.engine.audit import AuditEntry
from app.engine.clock import schedules, tick
from app.engine.database import db, utcnow
from models.identity.tables import StoreKind
from models.registrations.settings import SAME_TYPE
from models.registrations.tables import Assignment, AuditStatus, Progress, Registration
from tests.customers.world import words
from tests.plugins.people import Login
from tests.registrations.showrooms import (
    CABINET,
    DOOR,
    OTHER_WARDROBE,
    WARDROBE,
    Showrooms,
    at_once,
    refused,
    standing,
)

USED = "该订货类型已指派"
LOCKED = "非报备状态，不能修改"


def live(lead_id: int) -> int:
    """How many assignments of the lead count."""
    mine = (Assignment.registration_id == lead_id, Assignment.withdrawn_at.is_(None))
    return db.session.scalar(select(func.count()).select_from(Assignment).where(*mine)) or 0


@pytest.mark.spec("E-62")
def test_a_lead_that_nobody_assigns_stays_as_it_was_filed(
    showrooms: Showrooms, login: Login, run_outbox: Callable[..., None]
) -> None:
    lead = showrooms.lead(now=utcnow() - timedelta(days=400))
    seen = dict.fromkeys(schedules(), utcnow() - timedelta(days=2))
    tick(db.session(), utcnow(), seen)
    run_outbox(utcnow())
    assert standing(lead) == (Progress.REGISTERED, AuditStatus.PENDING)
    page = words(login("worker").get("/registrations/").get_data(as_text=True))
    assert "章若" in page and "未审核报备章若" in page


@pytest.mark.spec("E-63", "E-66")
def test_the_form_names_showroom_and_order_type(showrooms: Showrooms, login: Login) -> None:
    lead = showrooms.lead(brand_category_id=showrooms.types[CABINET].id)
    client = login("boss")
    form = client.get(f"/registrations/action/assign?id={lead.id}").get_data(as_text=True)
    assert f'<option value="{showrooms.types[CABINET].id}" selected' in form
    data = {
        "id": lead.id, "showroom": showrooms.east.id, "brand_category": showrooms.types[CABINET].id,
        "remark": "周末到店",
    }  # fmt: skip
    assert client.post("/registrations/action/assign", data=data).status_code == 302
    made = db.session.scalars(select(Assignment)).one()
    assert (made.store_id, made.brand_category_id, made.remark) == (
        showrooms.east.id, showrooms.types[CABINET].id, "周末到店"
    )  # fmt: skip
    assert (made.registrant_id, made.outlet_id, made.registered_at) == (
        lead.registrant_id, lead.outlet_id, lead.registered_at
    )  # fmt: skip
    assert (made.name, made.phone, made.address) == (lead.name, lead.phone, lead.address)
    assert standing(lead) == (Progress.ASSIGNED, AuditStatus.PENDING)
    assert "未审核指派章若" in words(client.get("/registrations/").get_data(as_text=True))


@pytest.mark.spec("E-63")
def test_without_a_choice_it_is_the_leads_own_type(showrooms: Showrooms) -> None:
    leads = [showrooms.lead(brand_category_id=showrooms.types[t].id) for t in (CABINET, DOOR)]
    bare = showrooms.lead()
    report = showrooms.world.act("assign", [*leads, bare], "boss", showroom=showrooms.east.id)
    assert report.done == 2 and [r.reason for r in report.refused] == ["请选择订货类型"]
    kinds = db.session.scalars(select(Assignment.brand_category_id).order_by(Assignment.id)).all()
    assert kinds == [showrooms.types[CABINET].id, showrooms.types[DOOR].id]


def test_only_open_stores_of_the_dealer_get_leads(showrooms: Showrooms) -> None:
    world, lead = showrooms.world, showrooms.lead()
    closed = world.make("stores", "boss", code="TA18", name="旧展厅", kind=StoreKind.SHOWROOM, active=False)
    for store in (world.stores[2], closed):
        said = refused(showrooms.assign, lead, store)
        assert said == "请选择本商场营业中的展厅"
    assert standing(lead)[0] == Progress.REGISTERED


def test_whoever_lacks_the_permission_assigns_nothing(showrooms: Showrooms, login: Login) -> None:
    lead = showrooms.lead()
    data = {"id": lead.id, "showroom": showrooms.east.id, "brand_category": showrooms.types[CABINET].id}
    assert login("worker").post("/registrations/action/assign", data=data).status_code == 403
    assert live(lead.id) == 0


@pytest.mark.spec("E-64", "E-61")
def test_one_lead_goes_to_several_showrooms(showrooms: Showrooms) -> None:
    lead = showrooms.lead()
    first = showrooms.assign(lead, showrooms.east, CABINET)
    second = showrooms.assign(lead, showrooms.west, WARDROBE)
    assert first.id != second.id and live(lead.id) == 2
    assert db.session.scalar(select(func.count()).select_from(Registration)) == 1


@pytest.mark.spec("E-65")
def test_an_order_type_is_assigned_once(showrooms: Showrooms, login: Login) -> None:
    lead = showrooms.lead()
    showrooms.assign(lead, showrooms.east, WARDROBE)
    client = login("boss")
    form = client.get(f"/registrations/action/assign?id={lead.id}").get_data(as_text=True)
    assert "甲牌橱柜" in form and "甲牌木门" in form
    assert "甲牌衣柜" not in form and "乙牌衣柜" not in form
    data = {
        "id": lead.id,
        "showroom": showrooms.west.id,
        "brand_category": showrooms.types[OTHER_WARDROBE].id,
    }
    answer = client.post("/registrations/action/assign", data=data)
    assert answer.status_code == 400 and USED in answer.get_data(as_text=True) and live(lead.id) == 1
    data["brand_category"] = showrooms.types[CABINET].id
    assert client.post("/registrations/action/assign", data=data).status_code == 302 and live(lead.id) == 2


@pytest.mark.spec("E-65")
def test_a_used_type_is_not_preset(showrooms: Showrooms, login: Login) -> None:
    lead = showrooms.lead(brand_category_id=showrooms.types[WARDROBE].id)
    showrooms.assign(lead, of=OTHER_WARDROBE)
    form = login("boss").get(f"/registrations/action/assign?id={lead.id}").get_data(as_text=True)
    assert f'<option value="{showrooms.types[WARDROBE].id}" selected' not in form


@pytest.mark.spec("E-02")
def test_the_picker_says_nothing_of_leads_out_of_reach(showrooms: Showrooms, login: Login) -> None:
    own, foreign = showrooms.lead("double"), showrooms.lead()
    for lead in (own, foreign):
        showrooms.assign(lead, of=WARDROBE)
    url = "/registrations/action/assign/pick/brand_category?new=1&q=衣柜&of="
    client = login("double")
    assert [r["label"] for r in client.get(f"{url}{own.id}").json["results"]] == []
    found = [r["label"] for r in client.get(f"{url}{foreign.id}").json["results"]]
    assert sorted(found) == ["乙牌衣柜", "甲牌衣柜"]


@pytest.mark.spec("E-65")
def test_a_setting_narrows_the_ban_to_brand_and_category(showrooms: Showrooms) -> None:
    lead = showrooms.lead()
    showrooms.set(SAME_TYPE, "brand_category")
    showrooms.assign(lead, of=WARDROBE)
    assert refused(showrooms.assign, lead, showrooms.west, WARDROBE) == USED
    showrooms.assign(lead, showrooms.west, OTHER_WARDROBE)
    assert live(lead.id) == 2


@pytest.mark.spec("E-65")
def test_what_was_assigned_under_another_setting_counts_by_its_real_type(showrooms: Showrooms) -> None:
    first, second = showrooms.lead(), showrooms.lead()
    showrooms.assign(first, of=WARDROBE)
    showrooms.set(SAME_TYPE, "brand_category")
    assert refused(showrooms.assign, first, showrooms.west, WARDROBE) == USED
    showrooms.assign(second, of=WARDROBE)
    showrooms.set(SAME_TYPE, "category")
    assert refused(showrooms.assign, second, showrooms.west, OTHER_WARDROBE) == USED
    assert (live(first.id), live(second.id)) == (1, 1)


@pytest.mark.spec("E-70")
def test_the_only_assignment_is_taken_back(showrooms: Showrooms, login: Login) -> None:
    lead = showrooms.lead()
    assignment = showrooms.assign(lead, of=WARDROBE)
    client = login("boss")
    url = "/registration_assignments/action/withdraw"
    assert client.post(url, data={"id": assignment.id, "reason": " "}).status_code == 400
    assert client.post(url, data={"id": assignment.id, "reason": "派错展厅"}).status_code == 302
    assert standing(lead) == (Progress.REGISTERED, AuditStatus.PENDING)
    assert "未审核报备章若" in words(client.get("/registrations/").get_data(as_text=True))
    showrooms.world.change(lead, "worker", room="3栋520")
    db.session.refresh(assignment)
    assert assignment.withdrawn_by_id == showrooms.world.people["boss"].id
    page = words(client.get(f"/registration_assignments/{assignment.id}").get_data(as_text=True))
    assert "已撤回" in page and "派错展厅" in page
    entry = select(AuditEntry).where(
        AuditEntry.resource == "registration_assignments", AuditEntry.action == "withdraw"
    )
    kept = db.session.scalars(entry).one()
    assert kept.changes["fields"]["withdraw_reason"][1] == "派错展厅"
    showrooms.assign(lead, showrooms.west, OTHER_WARDROBE)
    assert live(lead.id) == 1


@pytest.mark.spec("E-70")
def test_one_of_two_is_taken_back(showrooms: Showrooms) -> None:
    lead = showrooms.lead()
    first, second = showrooms.assign(lead, of=CABINET), showrooms.assign(lead, showrooms.west, WARDROBE)
    showrooms.world.act("withdraw", first, "boss", reason="重复")
    assert standing(lead)[0] == Progress.ASSIGNED
    assert refused(showrooms.world.act, "withdraw", first, "boss", reason="再撤") == "该指派已撤回"
    showrooms.judge(second, AuditStatus.FAILED)
    assert refused(showrooms.world.act, "withdraw", second, "boss", reason="撤") == "该指派已审核，不能撤回"
    assert standing(lead) == (Progress.ASSIGNED, AuditStatus.FAILED)


@pytest.mark.spec("E-31")
def test_a_lead_that_was_taken_back_can_be_deleted(showrooms: Showrooms, login: Login) -> None:
    lead = showrooms.lead()
    showrooms.world.act("withdraw", showrooms.assign(lead), "boss", reason="派错展厅")
    assert login("boss").post(f"/registrations/{lead.id}/delete").status_code == 302
    assert db.session.scalar(select(func.count()).select_from(Registration)) == 0
    assert db.session.scalar(select(func.count()).select_from(Assignment)) == 0


@pytest.mark.spec("E-37", "E-38")
def test_a_form_that_was_open_is_refused_in_words(showrooms: Showrooms, login: Login) -> None:
    """The lead's version stays, so that its own rule speaks and not the check of versions."""
    lead = showrooms.lead()
    client = login("worker")
    assert client.get(f"/registrations/{lead.id}/edit").status_code == 200
    version = lead.version
    showrooms.assign(lead)
    data = {"name": "改名", "city": "杭州市", "community": "星湖小区", "room": "9栋", "phone": lead.phone}
    data |= {"source": "自然客户", "version": version}
    answer = client.post(f"/registrations/{lead.id}/edit", data=data)
    assert answer.status_code == 400 and LOCKED in answer.get_data(as_text=True)
    db.session.refresh(lead)
    assert (lead.name, lead.room) == ("章若", "3栋502")


def test_the_leads_history_says_how_it_went_on(showrooms: Showrooms, login: Login) -> None:
    lead = showrooms.lead()
    showrooms.assign(lead)
    page = words(login("boss").get(f"/registrations/{lead.id}/history").get_data(as_text=True))
    assert "客户线索分配到展厅" in page and "报备进度" in page


@pytest.mark.spec("E-82")
def test_the_leads_audit_follows_from_its_live_assignments(showrooms: Showrooms) -> None:
    lead = showrooms.lead()
    first, second = showrooms.assign(lead, of=CABINET), showrooms.assign(lead, showrooms.west, WARDROBE)
    open_ = showrooms.assign(lead, showrooms.west, DOOR)
    showrooms.judge(first, AuditStatus.FAILED)
    assert standing(lead)[1] == AuditStatus.PENDING
    showrooms.judge(second, AuditStatus.FAILED)
    assert standing(lead)[1] == AuditStatus.PENDING
    showrooms.world.act("withdraw", open_, "boss", reason="不做木门")
    assert standing(lead)[1] == AuditStatus.FAILED
    showrooms.judge(second, AuditStatus.PASSED)
    assert standing(lead)[1] == AuditStatus.PASSED


# ----- at the same moment


@pytest.mark.spec("E-65")
def test_of_two_at_once_with_one_type_one_is_assigned(app: Flask, showrooms: Showrooms, login: Login) -> None:
    lead = showrooms.lead()
    pk = lead.id
    calls = []
    for n, of in enumerate((WARDROBE, OTHER_WARDROBE) * 3):
        store = (showrooms.east, showrooms.west)[n % 2]
        data = {"id": pk, "showroom": store.id, "brand_category": showrooms.types[of].id}
        calls.append(("boss", "/registrations/action/assign", data))
    codes = at_once(app, login, calls)
    assert sorted(codes) == [302, *[400] * 5] and live(pk) == 1


@pytest.mark.spec("E-38")
@pytest.mark.parametrize("other", ["edit", "delete"])
def test_assigning_while_the_lead_is_changed_or_deleted(
    app: Flask, showrooms: Showrooms, login: Login, other: str
) -> None:
    """Whichever comes first: an assigned lead is as it was copied, a deleted one is not assigned."""
    for round_ in range(4):
        lead = showrooms.lead()
        pk, phone = lead.id, lead.phone
        data = {"id": pk, "showroom": showrooms.east.id, "brand_category": showrooms.types[CABINET].id}
        change = {"name": f"改名{round_}", "city": "杭州市", "community": "星湖小区", "room": "1栋"}
        change |= {"phone": phone, "source": "自然客户"}
        calls = [
            ("boss", "/registrations/action/assign", data),
            ("boss", f"/registrations/{pk}/{other}", change if other == "edit" else {}),
        ]
        at_once(app, login, calls)
        stands = db.session.get(Registration, pk)
        made = db.session.scalars(select(Assignment).where(Assignment.registration_id == pk)).all()
        if other == "edit":
            assert stands is not None and [a.name for a in made] == [stands.name]
        else:
            assert len(made) == (1 if stands is not None else 0)
