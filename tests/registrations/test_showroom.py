"""What a showroom gets, sees, corrects and is told (E-69, E-71)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.engine.audit import acting
from app.engine.database import db
from models.identity import presets
from models.identity.roles import RoleAssignment
from models.notifications.tables import Notification
from models.registrations.tables import Assignment, AuditStatus
from tests.customers.world import PASSWORD, words
from tests.plugins.people import Login
from tests.registrations.showrooms import CABINET, OTHER_WARDROBE, WARDROBE, Showrooms, refused

LIST = "/registration_assignments/"


def mask(showrooms: Showrooms, username: str) -> None:
    """Give that person a further role that hides customers' numbers."""
    with acting(db.session()):
        clerk = presets.preset_role(db.session(), showrooms.world.a.id, "clerk")
        db.session.add(RoleAssignment(user_id=showrooms.world.people[username].id, role_id=clerk.id))
        db.session.commit()


def page(client: Any, url: str) -> str:
    """What that page says."""
    return words(client.get(url).get_data(as_text=True))


@pytest.mark.spec("E-69")
def test_the_showroom_corrects_its_copy_alone(showrooms: Showrooms, login: Login) -> None:
    lead = showrooms.lead(telephone="0571-88880000", designer=None)
    assignment = showrooms.assign(lead)
    client = login("seller")
    assert client.get(f"{LIST}{assignment.id}/edit").status_code == 200
    data = {
        "name": "章若女士", "phone": "13700001111", "telephone": "", "city": "杭州市", "district": "",
        "community": "星湖小区", "room": "3栋520", "brand_category_id": showrooms.types[CABINET].id,
        "company": "巧筑装饰", "designer": "沈青", "version": assignment.version,
    }  # fmt: skip
    assert client.post(f"{LIST}{assignment.id}/edit", data=data).status_code == 302
    db.session.refresh(assignment)
    db.session.refresh(lead)
    assert (assignment.name, assignment.room, assignment.phone) == ("章若女士", "3栋520", "13700001111")
    assert (assignment.company, assignment.designer, assignment.telephone) == ("巧筑装饰", "沈青", None)
    assert assignment.address == "杭州市星湖小区3栋520"
    assert (lead.name, lead.room, lead.telephone) == ("章若", "3栋502", "0571-88880000")
    assert (lead.company, lead.address) == (None, "杭州市星湖小区3栋502")


@pytest.mark.spec("E-69", "E-65")
def test_a_corrected_order_type_is_used_once_too(showrooms: Showrooms) -> None:
    lead, world = showrooms.lead(), showrooms.world
    cabinet = showrooms.assign(lead, of=CABINET)
    wardrobe = showrooms.assign(lead, showrooms.west, WARDROBE)
    other = showrooms.types[OTHER_WARDROBE].id
    assert refused(world.change, cabinet, "seller", brand_category_id=other) == "该订货类型已指派"
    world.change(wardrobe, "westie", brand_category_id=other)
    db.session.refresh(wardrobe)
    assert wardrobe.brand_category_id == other
    world.act("withdraw", cabinet, "boss", reason="不做橱柜")
    showrooms.assign(lead, showrooms.east, CABINET)


@pytest.mark.spec("E-69")
def test_a_judged_copy_stays_as_it_was_judged(showrooms: Showrooms, login: Login) -> None:
    assignment = showrooms.assign(showrooms.lead())
    showrooms.judge(assignment, AuditStatus.PASSED)
    said = refused(showrooms.world.change, assignment, "seller", room="1栋")
    assert said == "该指派已审核，修改会影响审核依据，不能修改"
    db.session.refresh(assignment)
    assert assignment.room == "3栋502"


@pytest.mark.spec("E-69")
def test_who_filed_the_lead_changes_no_copy(showrooms: Showrooms) -> None:
    """Neither from afar nor as one of the showroom: it is what his claim is compared with."""
    far = showrooms.assign(showrooms.lead("double"), showrooms.east)
    near = showrooms.assign(showrooms.lead("double"), showrooms.west)
    for assignment in (far, near):
        said = refused(showrooms.world.change, assignment, "double", room="1栋")
        assert said == "展厅资料用于审核对比，报备人不能修改"
    showrooms.world.change(near, "westie", room="2栋")
    other = showrooms.assign(showrooms.lead())
    assert refused(showrooms.world.change, other, "worker", room="1栋") == "无权限：编辑指派"


@pytest.mark.spec("E-71", "E-03")
def test_a_manager_by_grant_looks_on(showrooms: Showrooms, login: Login) -> None:
    world = showrooms.world
    assignment = showrooms.assign(showrooms.lead())
    assert "章若" not in page(login("double"), f"{LIST}?scope=granted")
    people = world.people
    world.make(
        "registration_grants", "boss", manager_id=people["double"].id, registrant_id=people["worker"].id
    )
    assert "章若" in page(login("double"), f"{LIST}?scope=granted")
    assert refused(world.change, assignment, "double", room="1栋") == "只有该展厅的人员可以操作"
    assert refused(showrooms.pay, assignment, "double") == "只有该展厅的人员可以操作"


@pytest.mark.spec("E-71")
def test_a_showroom_sees_what_is_assigned_to_it(showrooms: Showrooms, login: Login) -> None:
    assignment = showrooms.assign(showrooms.lead(), showrooms.east)
    east, west = login("seller"), login("westie")
    assert "章若" in page(east, LIST) and east.get(f"{LIST}{assignment.id}").status_code == 200
    assert "章若" not in page(west, LIST) and west.get(f"{LIST}{assignment.id}").status_code == 404
    assert west.post(f"{LIST}{assignment.id}/edit", data={"room": "1栋"}).status_code == 404
    assert west.post(f"{LIST}action/deposit", data={"id": assignment.id}).status_code == 404
    assert login("outsider").get(f"{LIST}{assignment.id}").status_code == 404


@pytest.mark.spec("E-71", "E-70")
def test_what_was_withdrawn_is_gone_from_the_showroom(showrooms: Showrooms, login: Login) -> None:
    lead = showrooms.lead()
    assignment = showrooms.assign(lead)
    showrooms.world.act("withdraw", assignment, "boss", reason="派错展厅")
    seller = login("seller")
    assert "章若" not in page(seller, LIST) and seller.get(f"{LIST}{assignment.id}").status_code == 404
    for who in ("boss", "worker"):
        client = login(who)
        assert "已撤回" in page(client, f"/registrations/{lead.id}"), who
        assert "派错展厅" in page(client, f"{LIST}{assignment.id}"), who
    assert "章若" in page(login("boss"), f"{LIST}?view=withdrawn")
    assert "章若" not in page(login("boss"), f"{LIST}?view=assigned")
    assert refused(showrooms.world.change, assignment, "boss", room="1栋") == "该指派已撤回，不能修改"


@pytest.mark.spec("E-71")
def test_people_are_told(showrooms: Showrooms, login: Login) -> None:
    lead = showrooms.lead()
    assignment = showrooms.assign(lead)
    for who in ("seller", "seller2"):
        assert showrooms.told(who)[-1] == "总管将客户线索章若指派给甲商场1店，请跟进"
    assert showrooms.told("worker") == ["总管将您的客户线索章若指派到甲商场1店"]
    assert showrooms.told("westie") == [] == showrooms.told("worker2")
    mine = select(Notification.id).where(Notification.user_id == showrooms.world.people["seller"].id)
    note = db.session.scalars(mine.order_by(Notification.id.desc())).first()
    assert login("seller").get(f"/notifications/{note}").location == f"{LIST}{assignment.id}"
    showrooms.world.act("withdraw", assignment, "boss", reason="派错展厅")
    assert showrooms.told("seller")[-1] == "总管撤回了指派给甲商场1店的客户线索章若"
    assert showrooms.told("worker")[-1] == "总管撤回了甲商场1店对您的客户线索章若的指派"


@pytest.mark.spec("E-71")
def test_whoever_does_not_see_the_showrooms_leads_is_not_told(showrooms: Showrooms) -> None:
    """A channel worker with a desk there has the page, for his own leads alone."""
    world = showrooms.world
    with acting(db.session()):
        world.people["guest"] = presets.add_person(
            db.session(), dealer_id=world.a.id, username="guest", name="林四", password=PASSWORD,
            roles=[presets.preset_role(db.session(), world.a.id, "channel_worker")], stores=[showrooms.east],
        )  # fmt: skip
        db.session.commit()
    showrooms.assign(showrooms.lead())
    assert showrooms.told("guest") == [] and showrooms.told("seller") != []


@pytest.mark.spec("E-71")
def test_a_batch_is_one_message(showrooms: Showrooms) -> None:
    leads = [showrooms.lead(brand_category_id=showrooms.types[CABINET].id) for _ in range(3)]
    showrooms.world.act("assign", leads, "boss", showroom=showrooms.east.id)
    assert showrooms.told("seller")[-1] == "总管将3条客户线索指派给甲商场1店，请跟进"
    assert showrooms.told("worker") == ["总管将您的3条客户线索指派到甲商场1店"]


@pytest.mark.spec("E-71", "A-91")
def test_masked_people_read_no_number(showrooms: Showrooms, login: Login) -> None:
    lead = showrooms.lead(phone="13955550001", telephone="0571-88886666")
    assignment = showrooms.assign(lead)
    mask(showrooms, "seller")
    client = login("seller")
    places = (
        LIST, f"{LIST}{assignment.id}", f"{LIST}{assignment.id}/edit", f"{LIST}{assignment.id}/history",
        f"{LIST}action/deposit?id={assignment.id}", "/notifications/",
    )  # fmt: skip
    for place in places:
        answer = client.get(place)
        text = answer.get_data(as_text=True)
        assert answer.status_code == 200 and "13955550001" not in text and "88886666" not in text, place
    data = {
        "name": "章若女士", "phone": "139****0001", "telephone": "****", "city": "杭州市", "community": "星湖小区",
        "room": "3栋502", "brand_category_id": assignment.brand_category_id, "version": assignment.version,
    }  # fmt: skip
    client.post(f"{LIST}{assignment.id}/edit", data=data)
    kept = db.session.scalars(select(Assignment)).one()
    assert (kept.name, kept.phone) == ("章若女士", "13955550001")
