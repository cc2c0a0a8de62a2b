"""E-17…E-27, E-30…E-38, E-60, E-61: the window of a lead, new, copied and changed."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from app.engine.actions import NotFound, Refusal
from app.engine.audit import AuditEntry, acting
from app.engine.database import db, utcnow
from app.engine.localtime import local
from app.engine.perform import create, remove
from app.engine.resource import resource
from models.identity import presets
from models.registrations.tables import (
    Assignment,
    AuditStatus,
    Measuring,
    MeasuringState,
    PartnerDesigner,
    Progress,
    Registration,
    RegistrationTrack,
)
from models.settings.rules import set_parameters
from tests.customers.world import grant
from tests.plugins.people import Login
from tests.registrations.world import Channel, leads
from tests.spec.reading import page, rows, said, text, typed

FORM = (
    "客户姓名", "市/县", "区", "小区", "楼号及房间号", "联系手机号", "联系电话", "客户来源", "订货类型", "会员卡号",
    "预估金额", "建档日期", "家装公司", "家装设计师", "家装设计师电话", "推荐客户姓名", "推荐客户手机号",
    "推荐客户会员卡号", "内部员工推荐", "客户跟进状态", "下次跟进时间", "报备网点", "报备人(业务员)", "报备时间",
    "客户预算描述",
)  # fmt: skip
"""F1…F24; the district is a part of the address's F2."""
SOURCES = {
    "网销客户": ((), ()),
    "自然客户": ((), ()),
    "业务员": ((), ()),
    "家装公司推荐": (("company",), ("designer", "designer_phone")),
    "家装设计师推荐": (("designer", "designer_phone"), ("company",)),
    "老客户推荐": (("referrer_name", "referrer_phone"), ("referrer_card",)),
    "内部员工推荐": (("staff_referrer_id",), ()),
}
"""What each source needs and what else it opens."""
BY_SOURCE = {
    "company": "家装公司", "designer": "家装设计师", "designer_phone": "家装设计师电话", "referrer_name": "推荐客户姓名",
    "referrer_phone": "推荐客户手机号", "referrer_card": "推荐客户会员卡号", "staff_referrer_id": "内部员工推荐",
}  # fmt: skip


def block(shown: str, name: str) -> str:
    """The part of a page that shows one input."""
    return shown.partition(f'data-field="{name}"')[2].partition("data-field=")[0]


def filled(channel: Channel) -> dict[str, str]:
    """Something in each field that follows the source."""
    return {
        "company": "匠心装饰", "designer": "沈青", "designer_phone": "19900000002", "referrer_name": "王五",
        "referrer_phone": "19900000003", "referrer_card": "M1", "staff_referrer_id": str(channel.people["seller"].id),
    }  # fmt: skip


def save(client: Any, values: dict[str, Any], address: str = "/registrations/new") -> Any:
    """Send the form."""
    return client.post(address, data=values)


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """It is that time for whoever opens or sends the form."""
    for name in ("app.engine.formviews", "app.engine.perform", "models.registrations.rules"):
        monkeypatch.setattr(f"{name}.utcnow", lambda: moment)


# ----- the window


@pytest.mark.spec("E-17", "E-18")
def test_the_window_has_all_fields_in_order_its_title_and_the_hint(channel: Channel, login: Login) -> None:
    shown = page(login("worker1"), "/registrations/new")
    assert "<h1>客户报备 -&gt; 增加报备客户</h1>" in shown
    labels = [text(f).lstrip("* ") for f in re.findall(r'class="lab"[^>]*>(.*?)</(?:span|label)>', shown)]
    assert tuple(labels) == FORM
    hint = shown.index("根据填写的地址和手机号判断报备是否有效")
    assert hint < shown.index('data-field="name"')
    assert "小区必须填写正确" in shown and "客户电话" in shown[hint : hint + 80]


@pytest.mark.spec("E-19")
def test_the_address_is_entered_in_parts_and_shown_as_one(channel: Channel, login: Login) -> None:
    client = login("worker1")
    shown = page(client, "/registrations/new")
    assert 'placeholder="请输入小区"' in block(shown, "community")
    assert "小区/弄" in block(shown, "community")
    assert 'placeholder="请输入楼号及房间号"' in block(shown, "room")
    assert re.search(r'value="杭州市"[^>]* selected', block(shown, "city"))
    values = channel.form(community="星湖小区", room="3栋502", district="杭州市西湖区")
    assert save(client, values).status_code == 302
    assert "杭州市西湖区星湖小区3栋502" in rows(page(client, "/registrations/"))[0]
    for part in ("杭州", "西湖区", "星湖", "3栋502"):
        assert len(rows(page(client, f"/registrations/?address={part}"))) == 1, part
    assert rows(page(client, "/registrations/?address=月湖")) == []


@pytest.mark.spec("E-24")
def test_what_is_known_is_prefilled(channel: Channel, login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, datetime(2030, 6, 2, 1, 30))
    shown = page(login("worker1"), "/registrations/new")
    assert typed(shown, "next_tracking_on") == "2030-06-05"
    assert re.search(r'value="待跟踪"[^>]* selected', block(shown, "tracking_state"))
    assert "林一" in text(block(shown, "registrant_id"))
    assert "甲商场1店" in text(block(shown, "outlet_id"))
    for name in ("created_at", "registered_at"):
        assert "2030-06-02 09:30" in text(block(shown, name)), name
    for name in ("created_at", "registered_at", "registrant_id", "outlet_id"):
        assert f'name="{name}"' not in shown, name


@pytest.mark.spec("E-24")
def test_the_days_until_the_next_contact_are_a_setting(
    channel: Channel, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = db.session()
    with acting(session) as act:
        set_parameters(act, channel.a.id, {"registration.follow_up_days": 7})
        session.commit()
    at(monkeypatch, datetime(2030, 6, 2, 1, 30))
    assert typed(page(login("worker1"), "/registrations/new"), "next_tracking_on") == "2030-06-09"


@pytest.mark.spec("E-04", "E-24")
def test_what_is_only_shown_is_never_taken_from_the_request(channel: Channel, login: Login) -> None:
    forged = {
        "registrant_id": channel.people["worker2"].id, "outlet_id": channel.stores[1].id,
        "registered_at": "2020-01-01T00:00", "created_at": "2020-01-01T00:00",
    }  # fmt: skip
    assert save(login("worker1"), channel.form() | forged).status_code == 302
    lead = leads()[0]
    assert lead.registrant_id == channel.people["worker1"].id
    assert lead.outlet_id == channel.stores[0].id
    assert utcnow() - lead.registered_at < timedelta(minutes=5)
    assert utcnow() - lead.created_at < timedelta(minutes=5)


@pytest.mark.spec("E-24")
def test_a_manager_files_for_the_people_whose_leads_are_his(channel: Channel, login: Login) -> None:
    channel.grant_leads("chief", "worker1")
    client = login("chief")
    assert 'name="registrant_id' in page(client, "/registrations/new")
    mine = {"registrant_id": channel.people["worker1"].id}
    assert save(client, channel.form() | mine).status_code == 302
    assert leads()[0].registrant_id == channel.people["worker1"].id
    other = save(client, channel.form() | {"registrant_id": channel.people["worker2"].id})
    assert other.status_code == 400 and "只能为您管理的业务员报备" in other.text
    assert len(leads()) == 1


# ----- fields by source


@pytest.mark.spec("E-21")
@pytest.mark.parametrize("source", SOURCES)
def test_the_source_opens_its_fields_and_the_others_hold_nothing(
    channel: Channel, login: Login, source: str
) -> None:
    needed, optional = SOURCES[source]
    values = channel.form(source=source) | filled(channel)
    shown = save(login("worker1"), values | {"name": ""}).text
    for name in BY_SOURCE:
        part = block(shown, name)
        assert ("data-closed" in part.partition(">")[0]) is (name not in needed + optional), name
        assert ("data-required" in part.partition(">")[0]) is (name in needed), name
    assert save(login("worker1"), values).status_code == 302
    kept = {name for name in BY_SOURCE if getattr(leads()[0], name) not in (None, "")}
    assert kept == {*needed, *optional}


@pytest.mark.spec("E-21")
def test_changing_the_source_empties_what_closes(channel: Channel, login: Login) -> None:
    lead = channel.lead(source="家装公司推荐", company="匠心装饰")
    client = login("worker1")
    values = channel.form(source="自然客户", company="匠心装饰", version=lead.version)
    assert save(client, values, f"/registrations/{lead.id}/edit").status_code == 302
    assert leads()[0].company is None


@pytest.mark.spec("E-21", "E-22")
def test_the_api_judges_by_the_same_conditions(channel: Channel, login: Login) -> None:
    client = login("worker1")
    values = channel.form(source="家装公司推荐")
    refused = client.post("/api/v1/registrations", json=values)
    assert refused.status_code == 400 and refused.json["errors"] == {"company": "请输入家装公司"}
    made = client.post(
        "/api/v1/registrations", json=values | {"company": "匠心装饰", "referrer_name": "王五"}
    )
    assert made.status_code == 201
    lead = leads()[0]
    assert (lead.company, lead.referrer_name) == ("匠心装饰", None)
    address = f"/api/v1/registrations/{lead.id}"
    closed = client.patch(address, json={"version": lead.version, "source": "老客户推荐"})
    assert closed.status_code == 400
    assert closed.json["errors"] == {
        "referrer_name": "请输入推荐客户姓名",
        "referrer_phone": "请输入推荐客户手机号",
    }
    changed = client.patch(address, json={"version": lead.version, "source": "自然客户"})
    assert changed.status_code == 200 and leads()[0].company is None


@pytest.mark.spec("E-22")
def test_every_missing_field_is_named_and_nothing_is_saved(channel: Channel, login: Login) -> None:
    client = login("worker1")
    for source, (needed, _) in SOURCES.items():
        answer = save(client, channel.form(source=source))
        assert answer.status_code == (400 if needed else 302), source
        for name in needed:
            wanted = f"请选择{BY_SOURCE[name]}" if name == "staff_referrer_id" else f"请输入{BY_SOURCE[name]}"
            assert wanted in said(answer.text, name)
    assert len(leads()) == 3
    answer = save(client, {"source": "家装公司推荐"})
    for name, words in (
        ("name", "请输入客户姓名"), ("community", "请输入小区"), ("room", "请输入楼号及房间号"),
        ("phone", "请输入联系手机号"), ("company", "请输入家装公司"), ("city", "请选择市/县"),
    ):  # fmt: skip
        assert said(answer.text, name) == words
    assert len(leads()) == 3


@pytest.mark.spec("E-27")
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("phone", "1990000", "手机号格式不正确"),
        ("phone", "29900000001", "手机号格式不正确"),
        ("telephone", "电话", "电话格式不正确"),
        ("telephone", "123", "电话格式不正确"),
        ("designer_phone", "1990000", "手机号格式不正确"),
        ("referrer_phone", "199000000011", "手机号格式不正确"),
        ("estimated_amount", "-1", "不能小于0"),
        ("estimated_amount", "很多", "请输入金额，例如 1000 或 1000.50"),
        ("next_tracking_on", "2020-01-01", "不能早于今天"),
    ],
)
def test_numbers_amounts_and_dates_are_checked(
    channel: Channel, login: Login, name: str, value: str, words: str
) -> None:
    source = {"designer_phone": "家装设计师推荐", "referrer_phone": "老客户推荐"}.get(name, "自然客户")
    answer = save(login("worker1"), channel.form(source=source) | filled(channel) | {name: value})
    assert answer.status_code == 400 and said(answer.text, name) == words
    assert typed(answer.text, name) == value and leads() == []


@pytest.mark.spec("E-27")
def test_good_numbers_of_every_kind_are_taken(channel: Channel, login: Login) -> None:
    client = login("worker1")
    for number in ("0571-88880000", "19900000001", "400 800 1234", "（0571）88880000-12"):
        assert save(client, channel.form(telephone=number, estimated_amount="1,000.50")).status_code == 302
    assert leads()[0].telephone == "0571-88880000" and leads()[0].estimated_amount == Decimal("1000.50")
    today = local(utcnow()).date().isoformat()
    assert save(client, channel.form(next_tracking_on=today)).status_code == 302


@pytest.mark.spec("E-27", "E-36")
def test_a_date_that_has_passed_meanwhile_may_stay(channel: Channel, login: Login) -> None:
    lead = channel.set(channel.lead(), next_tracking_on=date(2020, 1, 1))
    values = channel.form(room="9栋", version=lead.version)
    address = f"/registrations/{lead.id}/edit"
    assert save(login("worker1"), values | {"next_tracking_on": "2020-01-02"}, address).status_code == 400
    assert save(login("worker1"), values | {"next_tracking_on": "2020-01-01"}, address).status_code == 302


# ----- buttons beside fields


def aid(client: Any, name: str, values: dict[str, Any], address: str = "/registrations/new") -> Any:
    """What the page's script is told by the button of that field."""
    answer = client.post(address, data=values | {"_aid": name}, headers={"X-Zk-Aid": "1"})
    assert answer.status_code == 200 and len(leads()) == len(leads())
    return answer.json


def designer(channel: Channel, name: str, company: str | None, phone: str, dealer: Any = None) -> None:
    """Put a partner's designer on file."""
    session = db.session()
    with acting(session):
        home = dealer or channel.a
        session.add(PartnerDesigner(name=name, company=company, phone=phone, dealer_id=home.id))
        session.commit()


@pytest.mark.spec("E-23")
def test_a_designers_phone_is_fetched(channel: Channel, login: Login) -> None:
    designer(channel, "沈青", "匠心装饰", "19900000002")
    designer(channel, "外人", "匠心装饰", "19900000009", channel.b)
    client, values = login("worker1"), channel.form(source="家装设计师推荐")
    found = aid(client, "designer_phone", values | {"designer": "沈青"})
    assert found == {"options": [{"value": "19900000002", "label": "沈青 · 匠心装饰"}], "message": ""}
    for nobody in ({"designer": "无名"}, {"designer": "沈青", "company": "别家"}, {"designer": "外人"}):
        assert aid(client, "designer_phone", values | nobody) == {
            "options": [],
            "message": "未找到设计师电话",
        }
    designer(channel, "沈青", "优家装饰", "19900000004")
    several = aid(client, "designer_phone", values | {"designer": "沈青"})
    assert [o["label"] for o in several["options"]] == ["沈青 · 匠心装饰", "沈青 · 优家装饰"]
    one = aid(client, "designer_phone", values | {"designer": "沈青", "company": "优家装饰"})
    assert [o["value"] for o in one["options"]] == ["19900000004"]
    assert leads() == []


@pytest.mark.spec("E-20", "E-23")
def test_without_scripts_the_buttons_return_the_form_filled_in(channel: Channel, login: Login) -> None:
    designer(channel, "沈青", "匠心装饰", "19900000002")
    client = login("worker1")
    values = channel.form(source="家装设计师推荐", designer="沈青", phone="19900000001", telephone="123")
    copied = client.post("/registrations/new", data=values | {"_aid": "telephone"}).text
    assert typed(copied, "telephone") == "19900000001" and typed(copied, "name") == "张女士"
    fetched = client.post("/registrations/new", data=values | {"_aid": "designer_phone"}).text
    assert typed(fetched, "designer_phone") == "19900000002"
    nobody = client.post("/registrations/new", data=values | {"_aid": "designer_phone", "designer": "无名"})
    assert said(nobody.text, "designer_phone") == "未找到设计师电话"
    assert client.post("/registrations/new", data=values | {"_aid": "name"}).status_code == 404
    assert leads() == []


@pytest.mark.spec("E-20", "E-23")
def test_the_buttons_serve_whoever_sees_no_number_without_telling_it(channel: Channel, login: Login) -> None:
    designer(channel, "沈青", "匠心装饰", "19900000002")
    lead = channel.lead(phone="19912345678", telephone="0571-88880000", source="家装设计师推荐", designer="旧人",
                        designer_phone="19900000007")  # fmt: skip
    client, address = login("typist"), f"/registrations/{lead.id}/edit"
    shown = page(client, address)
    assert "19912345678" not in shown and typed(shown, "phone") == "199****5678"
    values = channel.form(
        source="家装设计师推荐", designer="沈青", phone="199****5678", telephone="199****5678",
        designer_phone="199****0007", version=lead.version,
    )  # fmt: skip
    fetched = aid(client, "designer_phone", values, address)
    assert fetched["options"] == [{"value": "199****0002", "label": "沈青 · 匠心装饰"}]
    values["designer_phone"] = "199****0002"
    assert save(client, values, address).status_code == 302
    again = leads()[0]
    assert (again.phone, again.telephone, again.designer_phone) == (
        "19912345678",
        "19912345678",
        "19900000002",
    )
    made_up = values | {"designer_phone": "188****1234", "version": again.version}
    refused = save(client, made_up, address)
    assert refused.status_code == 400 and said(refused.text, "designer_phone") == "手机号格式不正确"


# ----- saving


@pytest.mark.spec("E-25", "E-10")
def test_saving_puts_the_lead_on_record_once(channel: Channel, login: Login) -> None:
    client = login("worker1")
    values = channel.form() | {"_once": "the-same-click"}
    first, second = save(client, values), save(client, values)
    assert (first.status_code, second.status_code) == (302, 302)
    assert first.headers["Location"] == second.headers["Location"]
    (row,) = rows(page(client, "/registrations/"))
    assert "未审核" in row and "报备" in row
    assert (leads()[0].progress, leads()[0].audit_status) == (Progress.REGISTERED, AuditStatus.PENDING)
    assert len(rows(page(client, "/registrations/?audit_status=pending"))) == 1


@pytest.mark.spec("E-25")
def test_nobody_without_an_outlet_files(channel: Channel, login: Login) -> None:
    session = db.session()
    with acting(session):
        channel.people["worker1"].store_id = None
        session.commit()
    presets.bump_epoch(session)
    session.commit()
    answer = save(login("worker1"), channel.form())
    assert answer.status_code == 400 and "您还没有任职门店，不能报备" in answer.text
    assert leads() == []


@pytest.mark.spec("E-30")
def test_every_lead_has_a_code_that_counts_the_day(channel: Channel) -> None:
    morning = datetime(2030, 1, 16, 1)
    for _ in range(27):
        last = channel.lead(now=morning)
    assert last.code == "KH203001160027"
    remove(resource("registrations"), last.id, channel.actor("worker1"))
    assert channel.lead(now=morning).code == "KH203001160028"
    assert channel.lead(now=datetime(2030, 1, 16, 16)).code == "KH203001170001"


# ----- quick filing


@pytest.mark.spec("E-60", "E-61")
def test_quick_filing_copies_the_customer_and_nothing_of_the_claim(
    channel: Channel, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = channel.lead(
        now=datetime(2030, 1, 2, 3), name="沈女士", telephone="0571-88880000", source="家装公司推荐",
        company="匠心装饰", budget="二十万", tracking_state="继续跟踪",
    )  # fmt: skip
    channel.set(old, progress=Progress.DEPOSIT, audit_status=AuditStatus.PASSED, track_count=3,
                last_tracking_text="已到店", next_tracking_on=date(2030, 1, 9))  # fmt: skip
    client = login("worker1")
    at(monkeypatch, datetime(2030, 6, 2, 1, 30))
    shown = page(client, f"/registrations/new?copy={old.id}")
    assert "客户报备 -&gt; 增加报备客户" in shown
    for name, value in (
        ("name", "沈女士"), ("phone", old.phone), ("telephone", "0571-88880000"), ("community", "星湖小区"),
        ("room", "3栋502"), ("company", "匠心装饰"), ("next_tracking_on", "2030-06-05"),
    ):  # fmt: skip
        assert typed(shown, name) == value
    assert "2030-06-02 09:30" in text(block(shown, "registered_at"))
    assert re.search(r'value="待跟踪"[^>]* selected', block(shown, "tracking_state"))
    values = channel.form(name="沈女士", phone=old.phone, source="家装公司推荐", company="匠心装饰")
    assert save(client, values | {"copy": old.id}).status_code == 302
    fresh = leads()[-1]
    assert fresh.code == "KH203006020001" and fresh.registered_at == datetime(2030, 6, 2, 1, 30)
    assert (fresh.progress, fresh.audit_status) == (Progress.REGISTERED, AuditStatus.PENDING)
    assert (fresh.track_count, fresh.last_tracking_text) == (0, None)
    assert len(leads()) == 2


@pytest.mark.spec("E-60", "E-02")
def test_only_what_one_sees_can_be_copied(channel: Channel, login: Login) -> None:
    lead = channel.lead("worker2")
    assert login("worker1").get(f"/registrations/new?copy={lead.id}").status_code == 404
    assert save(login("worker1"), channel.form() | {"copy": lead.id}).status_code == 404


@pytest.mark.spec("E-60")
def test_quick_filing_takes_masked_numbers_over_unseen(channel: Channel, login: Login) -> None:
    old = channel.lead(phone="19912345678", telephone="0571-88880000")
    client = login("typist")
    shown = page(client, f"/registrations/new?copy={old.id}")
    assert "19912345678" not in shown and "88880000" not in shown
    values = channel.form(phone=typed(shown, "phone"), telephone=typed(shown, "telephone"))
    assert save(client, values | {"copy": old.id}).status_code == 302
    assert (leads()[-1].phone, leads()[-1].telephone) == ("19912345678", "0571-88880000")
    assert save(client, values).status_code == 400, "a mask alone names no number"


@pytest.mark.spec("E-61")
def test_one_lead_takes_several_order_types(channel: Channel, login: Login) -> None:
    lead = channel.lead()
    for place, kind in ((0, 0), (1, 1)):
        assign(channel, lead, store=place, kind=kind)
    shown = text(page(login("worker1"), f"/registrations/{lead.id}"))
    assert "甲牌橱柜" in shown and "甲牌衣柜" in shown
    assert len(leads()) == 1


def assign(channel: Channel, lead: Registration, store: int = 0, kind: int = 0, **values: Any) -> Assignment:
    """Put a lead's assignment to a showroom on record."""
    session = db.session()
    with acting(session):
        same = ("name", "city", "district", "community", "room", "phone", "registrant_id", "outlet_id",
                "registered_at", "dealer_id")  # fmt: skip
        copied = {name: getattr(lead, name) for name in same}
        found = Assignment(
            registration_id=lead.id, brand_category_id=channel.categories[kind].id, used_type=str(kind),
            store_id=channel.stores[store].id, **copied, **values,
        )  # fmt: skip
        session.add(found)
        session.commit()
    return found


# ----- changing and deleting


@pytest.mark.spec("E-34", "E-36")
def test_a_fresh_lead_is_changed_and_stays_whose_it_was(channel: Channel, login: Login) -> None:
    lead = channel.lead(now=datetime(2030, 1, 2, 3))
    before = (lead.code, lead.registrant_id, lead.outlet_id, lead.registered_at, lead.created_at)
    client = login("worker1")
    shown = page(client, f"/registrations/{lead.id}/edit")
    assert typed(shown, "room") == "3栋502" and typed(shown, "phone") == lead.phone
    assert "2030-01-02 11:00" in text(block(shown, "registered_at"))
    values = channel.form(phone=lead.phone, room="3栋520", version=lead.version,
                          registrant_id=channel.people["worker2"].id, registered_at="2020-01-01T00:00")  # fmt: skip
    assert save(client, values, f"/registrations/{lead.id}/edit").status_code == 302
    again = leads()[0]
    assert again.address == "杭州市星湖小区3栋520" and "3栋520" in again.address_key
    assert (again.code, again.registrant_id, again.outlet_id, again.registered_at, again.created_at) == before
    history = text(page(client, f"/registrations/{lead.id}/history"))
    assert "3栋502" in history and "3栋520" in history


@pytest.mark.spec("E-36")
def test_a_manager_changes_a_lead_without_taking_it_over(channel: Channel, login: Login) -> None:
    channel.grant_leads("chief", "worker1")
    lead = channel.lead()
    assert 'name="registrant_id' not in page(login("chief"), f"/registrations/{lead.id}/edit")
    values = channel.form(phone=lead.phone, room="9栋", version=lead.version)
    assert save(login("chief"), values, f"/registrations/{lead.id}/edit").status_code == 302
    assert (leads()[0].room, leads()[0].registrant_id) == ("9栋", channel.people["worker1"].id)


STATES = (
    (Progress.ASSIGNED, AuditStatus.PENDING),
    (Progress.DEPOSIT, AuditStatus.PENDING),
    (Progress.REGISTERED, AuditStatus.PASSED),
    (Progress.REGISTERED, AuditStatus.FAILED),
)


@pytest.mark.spec("E-37")
@pytest.mark.parametrize(("progress", "audited"), STATES)
def test_a_lead_somebody_works_with_is_only_shown(
    channel: Channel, login: Login, progress: Progress, audited: AuditStatus
) -> None:
    lead = channel.set(channel.lead(), progress=progress, audit_status=audited)
    client, address = login("worker1"), f"/registrations/{lead.id}/edit"
    shown = page(client, address)
    assert "非报备状态，不能修改" in shown and "3栋502" in text(block(shown, "room"))
    for name in ("name", "city", "phone", "source", "budget", "next_tracking_on", "brand_category_id"):
        assert not re.search(rf'name="{name}(__text)?"', shown), name
    assert "data-main" not in shown
    refused = save(client, channel.form(room="9栋", version=lead.version), address)
    assert refused.status_code == 400 and "非报备状态，不能修改" in refused.text
    sent = {"version": lead.version, "room": "9栋"}
    asked = client.patch(f"/api/v1/registrations/{lead.id}", json=sent)
    assert asked.status_code == 400 and asked.json["message"] == "非报备状态，不能修改"
    assert leads()[0].room == "3栋502"


@pytest.mark.spec("E-38")
def test_the_state_is_looked_at_again_when_it_is_saved(channel: Channel, login: Login) -> None:
    lead = channel.lead()
    client, version = login("worker1"), lead.version
    page(client, f"/registrations/{lead.id}/edit")
    channel.set(lead, progress=Progress.ASSIGNED)
    refused = save(client, channel.form(room="9栋", version=version), f"/registrations/{lead.id}/edit")
    assert refused.status_code == 400
    assert "非报备状态，不能修改" in refused.text and "已被他人修改" not in refused.text
    assert typed(refused.text, "room") == "9栋" and leads()[0].room == "3栋502"


@pytest.mark.spec("E-31")
def test_a_fresh_lead_is_deleted_and_the_log_says_what_it_was(channel: Channel, login: Login) -> None:
    lead = channel.lead(name="沈女士")
    client, number, code = login("worker1"), lead.id, lead.code
    asked = page(client, f"/registrations/selected/delete?id={number}")
    assert "确定删除该客户线索？" in asked and len(leads()) == 1
    assert client.post(f"/registrations/{number}/delete").status_code == 302
    assert leads() == [] and rows(page(client, "/registrations/")) == []
    kept = db.session.scalars(
        select(AuditEntry).where(AuditEntry.resource == "registrations", AuditEntry.action == "delete")
    ).one()
    assert kept.record_label == f"沈女士 {code}" and kept.actor_name == "林一"
    log = text(page(login("boss"), "/audit_entries/"))
    assert "3栋502" in log and "星湖小区" in log
    assert client.get(f"/registrations/{number}").status_code == 404


@pytest.mark.spec("E-31")
def test_traces_of_a_withdrawn_assignment_do_not_keep_a_lead(channel: Channel) -> None:
    lead = channel.lead()
    assign(channel, lead, withdrawn_at=utcnow(), withdraw_reason="选错展厅")
    session = db.session()
    with acting(session):
        session.add(RegistrationTrack(registration_id=lead.id, at=utcnow(), state="跟进", text="在谈",
                                      dealer_id=lead.dealer_id))  # fmt: skip
        session.commit()
    remove(resource("registrations"), lead.id, channel.actor("worker1"))
    assert leads() == []
    assert db.session.scalar(select(Assignment.id)) is None
    gone = select(AuditEntry).where(
        AuditEntry.resource == "registration_assignments", AuditEntry.action == "delete"
    )
    assert "选错展厅" in str(db.session.scalars(gone).one().changes)


@pytest.mark.spec("E-31")
def test_a_lead_to_which_a_designer_is_on_the_way_stays(channel: Channel) -> None:
    lead = channel.lead()
    session = db.session()
    with acting(session):
        one = Measuring(
            registration_id=lead.id, designer_id=channel.people["drawer"].id, planned_at=utcnow(), name=lead.name,
            phone=lead.phone, address=lead.address, dealer_id=lead.dealer_id, store_id=lead.outlet_id,
        )  # fmt: skip
        session.add(one)
        session.commit()
    with pytest.raises(Refusal, match="该客户线索已派遣设计师量房，请先取消派遣"):
        remove(resource("registrations"), lead.id, channel.actor("worker1"))
    with acting(session):
        one.state = MeasuringState.CANCELLED
        session.commit()
    remove(resource("registrations"), lead.id, channel.actor("worker1"))
    assert leads() == []


@pytest.mark.parametrize(
    ("progress", "audited", "words"),
    [
        pytest.param(Progress.ASSIGNED, AuditStatus.PENDING, "该客户线索已指派，不能删除",
                     marks=pytest.mark.spec("E-32", "E-38")),
        pytest.param(Progress.DEPOSIT, AuditStatus.PENDING, "该客户线索已指派，不能删除",
                     marks=pytest.mark.spec("E-32")),
        pytest.param(Progress.DEPOSIT, AuditStatus.PASSED, "该客户线索已审核，不能删除",
                     marks=pytest.mark.spec("E-33", "E-38")),
        pytest.param(Progress.ASSIGNED, AuditStatus.FAILED, "该客户线索已审核，不能删除",
                     marks=pytest.mark.spec("E-33")),
    ],
)  # fmt: skip
def test_a_lead_somebody_works_with_is_not_deleted(
    channel: Channel, login: Login, progress: Progress, audited: AuditStatus, words: str
) -> None:
    lead = channel.set(channel.lead(), progress=progress, audit_status=audited)
    client = login("worker1")
    answer = client.post(f"/registrations/{lead.id}/delete", follow_redirects=True)
    assert words in answer.text and len(leads()) == 1
    told = client.delete(f"/api/v1/registrations/{lead.id}", json={})
    assert told.status_code == 400 and told.json["message"] == words
    assert len(leads()) == 1


@pytest.mark.spec("E-26")
def test_cancel_leads_back_without_a_record(channel: Channel, login: Login) -> None:
    shown = page(login("worker1"), "/registrations/new")
    assert re.search(r'<a class="btn2" href="/registrations/" data-leave>取消</a>', shown)
    assert leads() == []


@pytest.mark.spec("E-02")
def test_a_colleagues_lead_is_neither_changed_nor_deleted(channel: Channel, login: Login) -> None:
    lead = channel.lead("worker2")
    client = login("worker1")
    assert client.get(f"/registrations/{lead.id}/edit").status_code == 404
    assert save(client, channel.form(version=1), f"/registrations/{lead.id}/edit").status_code == 404
    assert client.post(f"/registrations/{lead.id}/delete").status_code == 404
    assert client.get(f"/registrations/selected/edit?id={lead.id}").status_code == 404
    with pytest.raises(NotFound):
        remove(resource("registrations"), lead.id, channel.actor("worker1"))


@pytest.mark.spec("E-01")
def test_the_departments_roles_open_the_module_and_others_do_not(channel: Channel, login: Login) -> None:
    for who in ("worker1", "chief", "typist", "boss"):
        assert login(who).get("/registrations/new").status_code == 200, who
    for who in ("seller", "drawer", "keeper"):
        assert login(who).get("/registrations/new").status_code == 403, who
    grant(channel, "consultant", ("can_list", "Registrations"))
    assert login("seller").get("/registrations/").status_code == 200


@pytest.mark.spec("E-04")
def test_whoever_files_a_lead_is_its_registrant(channel: Channel) -> None:
    record, _ = create(resource("registrations"), channel.form(), channel.actor("worker1"))
    assert record.registrant_id == channel.people["worker1"].id
