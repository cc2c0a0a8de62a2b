"""Layouts over HTTP: who sees which, what hiding means, and what the editor does and refuses."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from app.engine.database import db
from app.engine.layouts import Part, Spot
from models.customers.tables import Customer
from models.identity import presets
from models.identity.roles import RoleAssignment
from models.shaping.layout_tables import PageLayout
from tests.customers.world import World, words
from tests.identity.test_rights import Counter
from tests.plugins.people import Login
from tests.shaping.fields import act
from tests.shaping.layouts import EDITOR, changed, hiding, lay, plan_of, sent, shown_in
from tests.shaping.test_custom_fields import add

pytestmark = pytest.mark.sqlite_only
NEW = "/customers/new"


def body(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def test_order_titles_sections_and_widths_are_those_of_the_layout_for_the_own_dealer_only(
    world: World, login: Login
) -> None:
    plan = plan_of(world)
    first, rest = plan[0], plan[1:]
    moved = next(s for part in rest for s in part.spots if s.name == "remark")
    first = replace(first, title="谁", spots=(Spot("remark", "full"), *reversed(first.spots)))
    rest = tuple(replace(p, spots=tuple(s for s in p.spots if s is not moved)) for p in rest)
    sections = (*rest, Part("+1", "第一步", (Spot("level", "full"),)), first)
    before = body(login("outsider").get(NEW))
    answer = login("boss").post(EDITOR, data=sent(sections), follow_redirects=True)
    assert "的布局已保存" in words(body(answer))
    page = body(login("seller").get(NEW))
    names = shown_in(page)
    assert names.index("level") < names.index("remark") < names.index("source") < names.index("name")
    assert "<h2" in page and ">第一步</h2>" in page and ">谁</h2>" in page and ">客户</h2>" not in page
    assert ">其他</h2>" not in page  # a section without fields is not there
    assert re.search(r'class="fld wide" data-field="level"', page)
    assert shown_in(body(login("outsider").get(NEW))) == shown_in(before)


def test_a_field_can_be_half_a_row_though_it_is_declared_wide(world: World, login: Login) -> None:
    assert re.search(r'class="fld wide" data-field="remark"', body(login("seller").get(NEW)))
    plan = changed(plan_of(world), {"remark": Spot("remark", "half")})
    assert login("boss").post(EDITOR, data=sent(plan)).status_code == 302
    page = body(login("seller").get(NEW))
    assert re.search(r'class="fld" data-field="remark"', page)
    assert re.search(r'class="fld wide" data-field="address"', page)


def test_a_hidden_field_keeps_its_default_and_what_leads_to_the_form(world: World, login: Login) -> None:
    lay(world, hiding(plan_of(world), "level", "remark", "community"))
    client = login("seller")
    page = body(client.get(f"{NEW}?level=A"))
    assert "level" not in shown_in(page) and "remark" not in shown_in(page)
    assert re.findall(r'<input type="hidden" name="level" value="([^"]*)"', page) == ["A"]
    assert 'name="remark"' not in page
    typed = {"name": "王先生", "phone": "13711110000", "level": "A"}
    assert client.post(NEW, data=typed).status_code == 302
    made = db.session.scalars(select(Customer).where(Customer.name == "王先生")).one()
    assert made.level == "A"


def test_a_hidden_field_keeps_its_value_when_the_record_is_saved(world: World, login: Login) -> None:
    customer = world.customer(remark="老客户介绍", level="B")
    lay(world, hiding(plan_of(world, "edit"), "remark", "level", "phones"), "edit")
    client = login("seller")
    url = f"/customers/{customer.id}/edit"
    page = body(client.get(url))
    assert "老客户介绍" not in page and 'name="remark"' not in page and 'name="phones"' not in page
    typed = {"name": "改名了", "phone": customer.phone, "version": str(customer.version)}
    assert client.post(url, data=typed).status_code == 302
    db.session.expire_all()
    assert (customer.name, customer.remark, customer.level) == ("改名了", "老客户介绍", "B")


def test_a_form_opened_before_the_field_was_hidden_still_saves_it(world: World, login: Login) -> None:
    customer = world.customer(remark="旧")
    lay(world, hiding(plan_of(world, "edit"), "remark"), "edit")
    typed = {"name": customer.name, "phone": customer.phone, "remark": "新", "version": str(customer.version)}
    assert login("seller").post(f"/customers/{customer.id}/edit", data=typed).status_code == 302
    db.session.expire_all()
    assert customer.remark == "新"


def test_a_hidden_field_that_is_wrong_is_shown_with_its_sentence(world: World, login: Login) -> None:
    lay(world, hiding(plan_of(world), "level"))
    page = login("seller").post(NEW, data={"name": "甲", "phone": "13711110000", "level": "不存在"})
    assert page.status_code == 400
    assert "level" in shown_in(body(page)) and "请从列表中选择" in body(page)


def test_hiding_is_no_right(world: World, login: Login) -> None:
    customer = world.customer(remark="只在接口里")
    lay(world, hiding(plan_of(world, "detail"), "remark"), "detail")
    lay(world, hiding(plan_of(world, "edit"), "remark"), "edit")
    client = login("seller")
    assert "只在接口里" not in body(client.get(f"/customers/{customer.id}"))
    assert "只在接口里" not in body(client.get(f"/customers/{customer.id}/panel"))
    assert client.get(f"/api/v1/customers/{customer.id}").get_json()["result"]["remark"] == "只在接口里"


def test_whoever_has_a_role_with_a_layout_sees_that_one_else_the_dealers_else_the_groups(
    world: World, login: Login
) -> None:
    session = db.session()
    consultant = presets.preset_role(session, world.a.id, "consultant").id
    plan = plan_of(world)
    lay(world, hiding(plan, "gender"))
    lay(world, hiding(plan, "kind"), role=consultant)
    with_role, without = (shown_in(body(login(who).get(NEW))) for who in ("seller", "keeper"))
    index = body(login("boss").get("/layouts/"))
    assert f'page=new&amp;role={consultant}" aria-label="客户 新建表单 导购"' in index
    assert "gender" in with_role and "kind" not in with_role
    assert "gender" not in without and "kind" in without
    clerk = presets.preset_role(session, world.a.id, "clerk").id
    from app.engine.audit import acting

    lay(world, hiding(plan, "remark"), role=clerk)
    with acting(session):
        session.add(RoleAssignment(user_id=world.people["seller"].id, role_id=clerk))
        session.commit()
    first = min(consultant, clerk)
    names = shown_in(body(login("seller").get(NEW)))
    assert ("kind" if first == consultant else "remark") not in names
    assert ("remark" if first == consultant else "kind") in names


def test_a_role_is_previewed_with_its_layout(world: World, login: Login) -> None:
    consultant = presets.preset_role(db.session(), world.a.id, "consultant").id
    lay(world, hiding(plan_of(world), "gender"), role=consultant)
    client = login("boss")
    assert "gender" in shown_in(body(client.get(NEW)))
    assert client.post(f"/roles/{consultant}/preview").status_code == 302
    page = body(client.get(NEW))
    assert "正在以" in page and "gender" not in shown_in(page)


def test_the_groups_layout_is_a_preset_for_dealers_without_one(world: World, login: Login) -> None:
    plan = plan_of(world)
    admin = login("admin")
    assert admin.post(EDITOR, data=sent(hiding(plan, "gender")) | {"of": "group"}).status_code == 302
    assert "gender" not in shown_in(body(login("seller").get(NEW)))
    assert "gender" not in shown_in(body(login("outsider").get(NEW)))
    lay(world, hiding(plan, "kind"))
    names = shown_in(body(login("seller").get(NEW)))
    assert "gender" in names and "kind" not in names
    editor = words(body(login("boss").get(f"{EDITOR}?resource=customers&page=new")))
    assert "集团预置布局，2处不同" in editor and "“称谓”恢复显示" in editor and "“客户类型”隐藏" in editor


def test_a_dealer_lays_out_only_its_own_pages(world: World, login: Login) -> None:
    client = login("boss")
    answer = client.post(EDITOR, data=sent(hiding(plan_of(world), "gender")) | {"of": "group"})
    assert answer.status_code == 403
    other = presets.preset_role(db.session(), world.b.id, "consultant").id
    assert client.get(f"{EDITOR}?resource=customers&page=new&role={other}").status_code == 404
    assert client.post(EDITOR, data=sent(plan_of(world), role=str(other))).status_code == 404
    assert db.session.scalars(select(PageLayout)).all() == []


def test_only_administrators_find_and_use_the_editor(world: World, login: Login) -> None:
    customer = world.customer()
    pages = (NEW, f"/customers/{customer.id}/edit", f"/customers/{customer.id}")
    for who in ("seller", "keeper"):
        client = login(who)
        assert all("调整布局" not in body(client.get(url)) for url in pages)
        assert client.get("/layouts/").status_code == 403
        assert client.get(f"{EDITOR}?resource=customers&page=new").status_code == 403
        assert client.post(EDITOR, data=sent(plan_of(world))).status_code == 403
    client = login("boss")
    for url in pages:
        link = re.search(r'href="(/layouts/edit[^"]*)"[^>]*>(?:<i[^>]*></i>)?调整布局', body(client.get(url)))
        assert link is not None, url
        assert client.get(link.group(1).replace("&amp;", "&")).status_code == 200
    assert "客户" in body(client.get("/layouts/"))


def test_what_cannot_be_laid_out_is_not_there(world: World, login: Login) -> None:
    client = login("boss")
    for asked in (
        "resource=nothing&page=new", "resource=customers&page=nothing", "resource=clerk&page=detail",
        "resource=roles&page=new", "resource=clock_rules&page=edit", "resource=layouts&page=edit",
        "resource=follow_ups&page=new", "",
    ):  # fmt: skip
        assert client.get(f"{EDITOR}?{asked}").status_code == 404, asked


def test_a_required_field_is_not_hidden_and_nothing_is_kept(world: World, login: Login) -> None:
    client = login("boss")
    wrong = hiding(plan_of(world), "name", "source_category")
    for do, status in (("save", 400), ("preview", 200)):
        answer = client.post(EDITOR, data=sent(wrong, do=do))
        said = words(body(answer))
        assert answer.status_code == status
        assert "“客户姓名”是必填项，不能隐藏" in said and "“客户来源”随“来源大类”变化" in said
    assert db.session.scalars(select(PageLayout)).all() == []


def test_titles_are_checked_in_words(world: World, login: Login) -> None:
    plan, client = plan_of(world), login("boss")
    same = (replace(plan[0], title="地址"), *plan[1:])
    assert "已有同名的分组：地址" in words(body(client.post(EDITOR, data=sent(same))))
    long = (replace(plan[0], title="长" * 21), *plan[1:])
    answer = client.post(EDITOR, data=sent(long))
    assert answer.status_code == 400 and "分组名称最多20个字" in body(answer) and "长" * 21 in body(answer)
    for title in ("   ", ""):
        blank = (*plan, Part("+1", title, ()))
        assert "请填写分组名称" in body(client.post(EDITOR, data=sent(blank)))
    hostile = (replace(plan[0], title='<b>"x'), *plan[1:])
    assert client.post(EDITOR, data=sent(hostile)).status_code == 302
    page = body(login("seller").get(NEW))
    assert "<b>&#34;x" not in page and "&lt;b&gt;&#34;x" in page


def test_steps_without_a_script_change_the_draft_and_keep_nothing(world: World, login: Login) -> None:
    client, plan = login("boss"), plan_of(world)

    def order(page: str) -> list[str]:
        return re.findall(r'name="at" value="([^"]+)"', page)

    start = order(body(client.get(f"{EDITOR}?resource=customers&page=new")))
    down = body(client.post(EDITOR, data=sent(plan, do="down:name")))
    assert order(down)[:3] == [start[0], start[2], start[1]]
    assert "“客户姓名”移到“手机号码”之后" in words(down) and 'value="down:name" data-step="1"' in down
    assert re.search(r'value="down:name"[^>]*autofocus', down)
    section = body(client.post(EDITOR, data=sent(plan, do="up:#地址")))
    assert order(section)[0] == "#地址"
    added = body(client.post(EDITOR, data=sent(plan, do="add")))
    assert order(added)[-1] == "#+1" and 'value="新分组"' in added
    dropped = body(client.post(EDITOR, data=sent((*plan, Part("+1", "临时", (Spot("x"),))), do="drop:#+1")))
    assert order(dropped) == start
    assert client.post(EDITOR, data=sent(plan, do="fly:name")).status_code == 404
    assert db.session.scalars(select(PageLayout)).all() == []


def test_the_preview_shows_the_draft_and_nothing_the_person_may_not_see(world: World, login: Login) -> None:
    customer = world.customer(name="样例客户", remark="预览得到")
    draft = hiding(plan_of(world, "detail"), "kind")
    page = body(login("boss").post(EDITOR, data=sent(draft, "detail", do="preview", record=str(customer.id))))
    side = page.split("data-side")[-1]
    assert "样例客户" in side and "预览得到" in side and 'data-name="kind"' not in side
    assert "“客户类型”隐藏" in words(side)
    fragment = body(
        login("boss").post(EDITOR, data=sent(draft, "detail", do="preview"), headers={"X-Zk-Layout": "1"})
    )
    assert "对比默认" in fragment and "<html" not in fragment and 'name="at"' not in fragment
    assert db.session.scalars(select(PageLayout)).all() == []


def test_back_to_the_default(world: World, login: Login) -> None:
    client, plan = login("boss"), plan_of(world)
    client.post(EDITOR, data=sent(hiding(plan, "gender")))
    page = body(client.get(f"{EDITOR}?resource=customers&page=new"))
    assert "恢复默认" in page and "1处不同" in words(page)
    answer = client.post(EDITOR, data=sent(plan, do="reset", version="1"), follow_redirects=True)
    assert "已恢复默认布局" in words(body(answer)) and "与默认一致" in body(answer)
    assert "gender" in shown_in(body(login("seller").get(NEW)))
    assert db.session.scalars(select(PageLayout)).all() == []
    twice = client.post(EDITOR, data=sent(plan, do="reset"))
    assert twice.status_code == 400 and "已是默认" in body(twice)


def test_a_layout_like_the_default_is_not_kept(world: World, login: Login) -> None:
    client, plan = login("boss"), plan_of(world)
    client.post(EDITOR, data=sent(hiding(plan, "gender")))
    client.post(EDITOR, data=sent(plan, version="1"))
    assert db.session.scalars(select(PageLayout)).all() == []


def test_a_custom_field_stands_where_it_was_put_until_it_goes(world: World, login: Login) -> None:
    field = add(world, "装修阶段", "text")
    plan = plan_of(world)
    assert plan[-1].title == "更多信息" and [s.name for s in plan[-1].spots] == [field.slot]
    first = replace(plan[0], spots=(Spot(field.slot), *plan[0].spots))
    lay(world, (first, *plan[1:-1]))
    page = body(login("seller").get(NEW))
    assert shown_in(page)[0] == field.slot and "更多信息" not in page
    later = add(world, "昵称", "text")
    assert shown_in(body(login("seller").get(NEW)))[-1] == later.slot
    act(world, "remove_field", field)
    page = body(login("seller").get(NEW))
    assert field.slot not in shown_in(page) and shown_in(page)[0] == "name"


def test_a_field_that_became_required_is_shown_though_it_was_hidden(world: World, login: Login) -> None:
    field = add(world, "装修阶段", "text")
    lay(world, hiding(plan_of(world), field.slot))
    assert field.slot not in shown_in(body(login("seller").get(NEW)))
    world.change(field, "boss", required=True)
    assert field.slot in shown_in(body(login("seller").get(NEW)))


def test_a_layout_costs_no_statement(world: World, login: Login) -> None:
    customer = world.customer()
    client = login("seller")
    url = f"/customers/{customer.id}"

    def cost() -> int:
        client.get(url)
        with Counter() as counted:
            assert client.get(url).status_code == 200
        return len(counted.seen)

    before = cost()
    lay(world, changed(plan_of(world, "detail"), {"kind": Spot("kind", "full")}), "detail")
    assert cost() == before
