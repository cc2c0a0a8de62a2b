"""Saved views: made from a list as it stands, opened, changed, shared, deleted (issue "Views and layouts")."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.engine.audit import AuditEntry
from app.engine.database import db, utcnow
from app.engine.localtime import local
from models.identity.roles import RightsEpoch
from models.shaping.view_tables import SavedView, ViewState
from tests.customers.world import World
from tests.plugins.people import Login
from tests.shaping.views import body, kept, make, share, table


def epoch() -> int:
    """The rights epoch as stored."""
    db.session.rollback()
    return db.session.scalar(select(RightsEpoch.value)) or 0


def test_a_view_keeps_conditions_columns_and_order(world: World, login: Login) -> None:
    world.customer(name="甲女士", level="A")
    world.customer(name="乙先生", level="B")
    client = login("seller")
    answer = make(client, "甲级客户", level="A", sort="activity_score", cols=["name", "level"])
    assert answer.status_code == 302
    view = kept("甲级客户")
    assert view.args["level"] == ["A"] and view.columns == ["name", "level"]
    text = body(client, f"/customers/?saved_view={view.id}")
    assert "甲女士" in table(text) and "乙先生" not in table(text)
    assert text.count("data-col=") == 2
    assert "甲级客户" in text and "与默认比较" in text and "减少列" in text


def test_a_relative_date_keeps_its_meaning(world: World, login: Login) -> None:
    """A view 本周 made today means the week of the day on which it is opened."""
    now = utcnow()
    world.customer(name="旧客户", now=now - timedelta(days=20))
    world.customer(name="今客户", now=now)
    client = login("seller")
    make(client, "今天的", created_at__in="today")
    text = body(client, f"/customers/?saved_view={kept('今天的').id}")
    assert "今客户" in table(text) and "旧客户" not in table(text)
    assert kept("今天的").args == {"created_at.in": ["today"]}
    assert "建档时间：今天" in text or "：今天" in text


def test_an_unknown_period_is_said(world: World, login: Login) -> None:
    text = body(login("seller"), "/customers/?created_at.in=decade")
    assert "“decade”不是有效的时间段" in text


def test_typed_days_count_more_than_a_period(world: World, login: Login) -> None:
    world.customer(name="今客户")
    text = body(
        login("seller"), "/customers/?created_at.in=today&created_at.from=2001-01-01&created_at.to=2001-01-02"
    )
    assert "今客户" not in table(text)


def test_the_window_of_a_view(world: World, login: Login) -> None:
    now = utcnow()
    world.customer(name="上月客户", now=now - timedelta(days=40))
    world.customer(name="今客户", now=now)
    client = login("seller")
    make(client, "近一周", window="7")
    text = body(client, f"/customers/?saved_view={kept('近一周').id}")
    assert "今客户" in table(text) and "上月客户" not in table(text) and "近 7 天" in text


def test_a_personal_view_moves_nobody_elses_epoch_and_shows_at_once(world: World, login: Login) -> None:
    seller, other = login("seller"), login("seller2")
    body(seller, "/customers/")
    before = epoch()
    make(seller, "我的视图", level="A")
    assert epoch() == before
    assert "我的视图" in body(seller, "/customers/")
    assert "我的视图" in body(login("seller"), "/customers/"), "also in another browser"
    assert "我的视图" not in body(other, "/customers/")
    assert "我的视图" not in body(seller, "/contacts/")


def test_somebody_elses_personal_view_is_not_there(world: World, login: Login) -> None:
    make(login("seller"), "私人", level="A")
    view = kept("私人")
    for who in ("seller2", "boss", "outsider"):
        client = login(who)
        body(client, f"/customers/?saved_view={view.id}", 404)
        assert share(client, view).status_code == 404
        assert client.post(f"/list_views/{view.id}/delete").status_code == 404
        assert client.post(f"/list_views/{view.id}/copy").status_code == 404


def test_a_shared_view_for_store_role_and_all(world: World, login: Login) -> None:
    boss = login("boss")
    store, role = world.people["seller"].store_id, _role(world)
    for name, values in (
        ("店里的", {"audience": "store", "store_id": str(store)}),
        ("导购的", {"audience": "role", "role_id": str(role)}),
        ("大家的", {"audience": "dealer"}),
    ):
        make(boss, name, level="A")
        assert share(boss, kept(name), **values).status_code == 302
    seen = body(login("seller"), "/customers/")
    assert all(name in seen for name in ("店里的", "导购的", "大家的"))
    typist = body(login("typist"), "/customers/")
    assert "大家的" in typist and "导购的" not in typist
    outsider = login("outsider")
    foreign = body(outsider, "/customers/")
    assert not any(name in foreign for name in ("店里的", "导购的", "大家的"))
    for name in ("店里的", "导购的", "大家的"):
        body(outsider, f"/customers/?saved_view={kept(name).id}", 404)
        assert outsider.get(f"/api/v1/customers?saved_view={kept(name).id}").status_code == 404


def _role(world: World) -> int:
    from models.identity import presets

    return int(presets.preset_role(db.session(), world.a.id, "consultant").id)


def test_sharing_needs_the_permission(world: World, login: Login) -> None:
    client = login("seller")
    make(client, "想共享", level="A")
    view = kept("想共享")
    assert "适用于" not in body(client, f"/list_views/{view.id}")
    share(client, view, audience="dealer")
    assert kept("想共享").audience.value == "person", "what is not asked for is not taken"
    make(login("boss"), "老板的", level="A")
    shared = kept("老板的")
    share(login("boss"), shared)
    assert share(client, kept("老板的")).status_code == 403
    assert client.post(f"/list_views/{shared.id}/delete").status_code == 403
    assert client.post(f"/list_views/{shared.id}/conditions", data={"now.level": "B"}).status_code == 403
    assert client.post(f"/list_views/{shared.id}/copy").status_code == 302
    assert kept("老板的 2").owner_id == world.people["seller"].id


def test_the_nearest_default_opens_the_list(world: World, login: Login) -> None:
    world.customer(name="甲女士", level="A")
    world.customer(name="乙先生", level="B")
    boss, seller = login("boss"), login("seller")
    make(boss, "全部乙级", level="B")
    share(boss, kept("全部乙级"), is_default="1")
    text = table(body(seller, "/customers/"))
    assert "乙先生" in text and "甲女士" not in text
    make(seller, "自己甲级", level="A")
    share(seller, kept("自己甲级"), is_default="1")
    text = table(body(seller, "/customers/"))
    assert "甲女士" in text and "乙先生" not in text
    both = table(body(seller, "/customers/?on_view=-"))
    assert "甲女士" in both and "乙先生" in both
    asked = table(body(seller, "/customers/?q=乙先生"))
    assert "乙先生" in asked, "what somebody asks for is no default's"


def test_one_default_for_the_same_people(world: World, login: Login) -> None:
    client = login("seller")
    for name in ("一", "二"):
        make(client, name, level="A")
        share(client, kept(name), is_default="1")
    assert not kept("一").is_default and kept("二").is_default


@pytest.mark.parametrize(
    ("name", "said"),
    [("", "请填写视图名称"), ("   ", "请填写视图名称"), ("长" * 21, "最多20个字"), ("已有", "“已有”已存在")],
)
def test_a_wrong_name_is_said_and_nothing_is_lost(world: World, login: Login, name: str, said: str) -> None:
    client = login("seller")
    make(client, "已有", level="A")
    answer = make(client, name, level="B", sort="activity_score")
    assert answer.status_code == 400
    text = answer.get_data(as_text=True)
    assert (
        said in text
        and 'name="now.level" value="B"' in text
        and 'name="now.sort" value="activity_score"' in text
    )
    assert db.session.scalars(select(SavedView.name)).all() == ["已有"]


def test_a_condition_that_is_none_is_refused(world: World, login: Login) -> None:
    answer = make(login("seller"), "错的", level="没有的")
    assert answer.status_code == 400 and "没有“没有的”这一项" in answer.get_data(as_text=True)
    assert make(login("seller"), "错的", resource="nothing").status_code == 404
    assert kept("错的") is None


def test_a_condition_that_is_gone_leaves_the_view_open(world: World, login: Login) -> None:
    world.customer(name="甲女士", level="A")
    client = login("seller")
    make(client, "旧的", level="A")
    view = kept("旧的")
    from app.engine.audit import acting

    with acting(db.session()):
        view.args = {"level": ["A"], "gone_field": ["1"], "sort": ["-gone"]}
        view.columns = ["name", "gone_column"]
        db.session.commit()
    text = body(client, f"/customers/?saved_view={view.id}")
    assert "甲女士" in table(text)
    assert "中有2个条件已不存在或您无权使用，未应用" in text


def test_saving_over_a_newer_version_is_a_conflict(world: World, login: Login) -> None:
    boss = login("boss")
    make(boss, "共同的", level="A")
    share(boss, kept("共同的"))
    stale = kept("共同的").version
    share(boss, kept("共同的"), name="改过的")
    view = kept("改过的")
    answer = boss.post(
        f"/list_views/{view.id}", data={"name": "我的名字", "version": str(stale), "audience": "dealer"}
    )
    assert answer.status_code == 409
    text = answer.get_data(as_text=True)
    assert "我的名字" in text and "改过的" in text
    late = boss.post(f"/list_views/{view.id}/conditions", data={"version": str(stale), "now.level": "B"})
    assert late.status_code == 409 and kept("改过的").args["level"] == ["A"]
    text = late.get_data(as_text=True)
    assert '<td class="mine">条件：意向级别：B</td><td class="theirs">条件：意向级别：A' in text
    assert f'href="/customers/?saved_view={view.id}"' in text
    again = {"version": str(view.version), "now.level": "B"}
    assert all(f'name="{n}" value="{v}"' in text for n, v in again.items())
    assert boss.post(f"/list_views/{view.id}/conditions", data=again).status_code == 302
    assert kept("改过的").args["level"] == ["B"]


def test_changes_of_the_list_are_saved_into_the_view(world: World, login: Login) -> None:
    client = login("seller")
    make(client, "变化的", level="A")
    view = kept("变化的")
    changed = body(client, f"/customers/?on_view={view.id}&level=B")
    assert 'data-widths="keep">' in changed and "还原" in changed
    same = body(client, f"/customers/?saved_view={view.id}")
    assert 'data-widths="keep" hidden' in same and "还原" not in same
    sent = {"version": str(view.version), "now.level": "B", "now.cols": ["name"]}
    assert client.post(f"/list_views/{view.id}/conditions", data=sent).status_code == 302
    assert kept("变化的").args == {"level": ["B"]} and kept("变化的").columns == ["name"]


def test_columns_on_a_view_change_the_address_alone(world: World, login: Login) -> None:
    client = login("seller")
    make(client, "列", level="A", cols=["name", "level"])
    view = kept("列")
    answer = client.post(f"/customers/columns?on_view={view.id}&level=A", data={"column": ["level", "name"]})
    assert f"on_view={view.id}" in answer.location and "cols=level&cols=name" in answer.location
    text = body(client, answer.location)
    assert text.index('data-col="level"') < text.index('data-col="name"') and "保存修改" in text
    assert 'data-col="stage"' in body(client, "/customers/"), "the person's own columns stay"


def test_deleting_is_taken_back(world: World, login: Login) -> None:
    client = login("seller")
    make(client, "可撤销", level="A")
    view = kept("可撤销")
    gone = client.post(f"/list_views/{view.id}/delete", data={"version": str(view.version)})
    assert gone.status_code == 302
    assert f"/list_views/{view.id}/restore" in body(client, "/customers/")
    body(client, f"/customers/?saved_view={view.id}", 404)
    assert "恢复" in body(client, f"/list_views/{view.id}/restore")
    assert client.post(f"/list_views/{view.id}/restore").status_code == 302
    body(client, f"/customers/?saved_view={view.id}")
    assert kept("可撤销").state is ViewState.ACTIVE


@pytest.mark.sqlite_only
def test_what_somebody_has_changed_meanwhile_is_not_deleted_unseen(world: World, login: Login) -> None:
    boss = login("boss")
    make(boss, "两人的", level="A")
    share(boss, kept("两人的"))
    opened = str(kept("两人的").version)
    share(boss, kept("两人的"), name="改过的")
    view = kept("改过的")
    changed = {"version": str(view.version), "now.level": "B"}
    assert boss.post(f"/list_views/{view.id}/conditions", data=changed).status_code == 302
    late = boss.post(f"/list_views/{view.id}/delete", data={"version": opened})
    text = late.get_data(as_text=True)
    assert late.status_code == 409 and kept("改过的").state is ViewState.ACTIVE
    both = re.findall(r'row">(.*?)</th><td class="mine">(.*?)</td><td class="theirs">([^<]*) <small', text)
    assert ("整个视图", "删除（请核对后再点一次）", "已修改") in both and (
        "视图名称",
        "打开时：两人的",
        "改过的",
    ) in both
    assert any("意向级别：A" in old and "意向级别：B" in now for _, old, now in both)
    assert f'href="/customers/?saved_view={view.id}"' in text
    now = str(kept("改过的").version)
    assert f'action="/list_views/{view.id}/delete"' in text and f'name="version" value="{now}"' in text
    assert boss.post(f"/list_views/{view.id}/delete", data={"version": now}).status_code == 302
    assert kept("改过的").state is ViewState.REMOVED


def test_a_deleted_name_is_free_and_the_restored_view_gets_another(world: World, login: Login) -> None:
    client = login("seller")
    make(client, "同名", level="A")
    old = kept("同名")
    client.post(f"/list_views/{old.id}/delete")
    assert make(client, "同名", level="B").status_code == 302
    client.post(f"/list_views/{old.id}/restore")
    assert db.session.get(SavedView, old.id, populate_existing=True).name == "同名 2"


def test_history_says_before_and_after(world: World, login: Login) -> None:
    client = login("seller")
    make(client, "历史", level="A")
    share(client, kept("历史"), name="历史新名")
    view = kept("历史新名")
    entries = db.session.scalars(
        select(AuditEntry).where(AuditEntry.resource == "saved_views", AuditEntry.record_id == view.id)
    ).all()
    assert [e.action for e in entries] == ["create", "update"]
    assert entries[1].changes["fields"]["name"] == ["历史", "历史新名"]


def test_row_colours(world: World, login: Login) -> None:
    world.customer(name="甲女士", level="A")
    world.customer(name="乙先生", level="B")
    client = login("seller")
    make(client, "颜色", cols=["name", "level", "created_at"])
    view = kept("颜色")
    answer = share(client, view, colour1="level=A", tone1="r", colour2="created_at=today", tone2="g")
    assert answer.status_code == 302
    text = table(body(client, f"/customers/?saved_view={view.id}"))
    rows = {name: row for row in text.split("</tr>") for name in ("甲女士", "乙先生") if name in row}
    assert 'data-edge="r"' in rows["甲女士"] and 'data-edge="g"' in rows["乙先生"]
    without = table(body(client, f"/customers/?on_view={view.id}&cols=name"))
    assert "data-edge" not in without, "judged from the page's own columns"
    assert share(client, kept("颜色"), colour1="phone=1", tone1="r").status_code == 400
    assert share(client, kept("颜色"), colour1="level=A", tone1="").status_code == 400


def test_file_and_selection_take_the_view(app: Flask, world: World, login: Login, actor: Any) -> None:
    world.customer(name="甲女士", level="A", by="boss")
    world.customer(name="乙先生", level="B", by="boss")
    boss = login("boss")
    make(boss, "只看甲级", level="A", cols=["name"])
    view = kept("只看甲级")
    file = boss.post(f"/customers/export?saved_view={view.id}", data={"format": "csv"}).get_data(as_text=True)
    assert "甲女士" in file and "乙先生" not in file
    assert len(file.strip().splitlines()[0].split(",")) == 1
    form = body(boss, f"/customers/action/lose?all=1&saved_view={view.id}")
    assert "甲女士" in form and "乙先生" not in form
    charts = body(boss, f"/customers/charts?saved_view={view.id}")
    assert "：A" in charts


def test_charts_pin_a_period_that_moves(world: World, login: Login) -> None:
    """A number and the rows behind it stay one, whenever the link is followed."""
    world.customer(name="甲女士", by="boss")
    text = body(login("boss"), "/customers/charts?created_at.in=month")
    assert "创建时间：本月" in text
    today = f"{local(utcnow()).date():%Y-%m}"
    assert f"created_at.from={today}-01" in text


def test_the_api_opens_a_view(world: World, login: Login) -> None:
    world.customer(name="甲女士", level="A")
    world.customer(name="乙先生", level="B")
    client = login("seller")
    make(client, "接口", level="A", cols=["name", "level"])
    view = kept("接口")
    found = client.get(f"/api/v1/customers?saved_view={view.id}").get_json()
    assert [r["name"] for r in found["result"]] == ["甲女士"] and found["notices"] == []
    assert "name" in found["result"][0] and "stage" not in found["result"][0]
    other = client.get(f"/api/v1/customers?saved_view={view.id}&level=B").get_json()
    assert [r["name"] for r in other["result"]] == ["乙先生"], "what is asked for goes before the view"
    assert client.get("/api/v1/customers?saved_view=99999").status_code == 404


def test_no_more_than_fifty(world: World, login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.shaping import view_rules

    monkeypatch.setattr(view_rules, "MOST", 2)
    client = login("seller")
    for n in range(2):
        assert make(client, f"视图{n}", level="A").status_code == 302
    answer = make(client, "多余", level="A")
    assert answer.status_code == 400 and "最多保存2个视图" in answer.get_data(as_text=True)
