"""Scope and gate hold in a shared view: what somebody may not filter by or read is not in it for him."""

from __future__ import annotations

from app.engine.guards import CUSTOMER_PHONE
from tests.customers.world import World
from tests.plugins.people import Login
from tests.shaping.views import body, change, kept, make, share, table

PHONE = "13912345678"


def shared(world: World, login: Login, name: str, **now: object) -> int:
    """A view of the administrator's for everybody of the dealer."""
    boss = login("boss")
    answer = make(boss, name, **now)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    assert share(boss, kept(name)).status_code == 302
    return kept(name).id


def test_a_filter_by_a_masked_number_is_dropped_and_not_told(world: World, login: Login) -> None:
    world.customer(name="甲女士", phone=PHONE, by="seller")
    world.customer(name="乙先生", by="seller")
    view = shared(world, login, "按电话", phone=PHONE, cols=["name", "phone"])
    clear = body(login("seller"), f"/customers/?saved_view={view}")
    assert "甲女士" in table(clear) and "乙先生" not in table(clear)
    change(world, "consultant", more=[CUSTOMER_PHONE.permission])
    text = body(login("seller"), f"/customers/?saved_view={view}")
    assert "甲女士" in table(text) and "乙先生" in table(text), "dropped, so it tells nothing"
    assert PHONE not in text and "13912345678" not in text
    assert "139****5678" in table(text), "the column is what it is on any list"
    assert "中有1个条件已不存在或您无权使用，未应用" in text
    copied = login("seller").post(f"/list_views/{view}/copy")
    assert copied.status_code == 302 and "phone" not in kept("按电话 2").args


def test_the_api_and_the_file_drop_it_too(world: World, login: Login) -> None:
    world.customer(name="甲女士", phone=PHONE, by="seller")
    view = shared(world, login, "按电话", phone=PHONE)
    change(world, "consultant", more=[CUSTOMER_PHONE.permission, ("can_export", "Customers")])
    client = login("seller")
    found = client.get(f"/api/v1/customers?saved_view={view}")
    assert found.status_code == 200 and PHONE not in found.get_data(as_text=True)
    assert "未应用" in found.get_json()["notices"][0]
    file = client.post(f"/customers/export?saved_view={view}", data={"format": "csv"})
    assert PHONE not in file.get_data(as_text=True)


def test_a_number_in_the_keyword_is_not_shared(world: World, login: Login) -> None:
    boss = login("boss")
    make(boss, "号码", q=PHONE)
    answer = share(boss, kept("号码"))
    assert answer.status_code == 400 and "共享的视图不能按电话号码" in answer.get_data(as_text=True)


def test_a_masked_number_is_not_kept(world: World, login: Login) -> None:
    """It may be looked up, but a view with it would not hold for its own maker."""
    change(world, "consultant", more=[CUSTOMER_PHONE.permission])
    answer = make(login("seller"), "号码", phone=PHONE)
    assert answer.status_code == 400 and "您不能按“手机号码”保存视图" in answer.get_data(as_text=True)


def test_scope_holds(world: World, login: Login) -> None:
    """A view widens nothing: its scope is one of the person's own, or it falls back with a sentence."""
    world.customer(name="别人的客户", by="seller2")
    view = shared(world, login, "全商场", scope="dealer", window="all")
    change(world, "consultant")
    text = body(login("seller"), f"/customers/?saved_view={view}")
    assert "别人的客户" not in table(text)
    assert "或您无权查看" in text


def test_a_list_one_may_not_see_has_no_views(world: World, login: Login) -> None:
    view = shared(world, login, "日志", resource="audit_entries")
    client = login("seller")
    assert client.get(f"/audit_entries/?saved_view={view}").status_code == 403
    assert make(client, "偷看", resource="audit_entries").status_code == 403
    assert client.post(f"/list_views/{view}/copy").status_code == 403


def test_a_view_of_another_dealer_is_not_there(world: World, login: Login) -> None:
    view = shared(world, login, "甲商场的", level="A")
    outsider = login("outsider")
    for path in ("/customers/?saved_view={}", "/list_views/{}", "/customers/charts?saved_view={}"):
        assert outsider.get(path.format(view)).status_code in (403, 404), path
    assert outsider.get(f"/customers/?saved_view={view}").status_code == 404
    standing = body(outsider, f"/customers/?on_view={view}")
    assert "甲商场的" not in standing
