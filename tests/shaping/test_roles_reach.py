"""谁能看到: hiding a field from a role and narrowing its rows from the list itself, and taking it back."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.engine.audit import AuditEntry
from app.engine.database import db
from app.engine.perform import update
from app.engine.scopes import Scope
from models.identity import reach, role_rules
from models.identity.reach import Held, Reach
from models.identity.resources import Employees
from tests.customers.world import World, grant
from tests.identity.editor import edit, role
from tests.plugins.people import Login

MASK = ("guard_customer_phone", "Guards")
PRICE = ("guard_settlement_price", "Guards")
WHO = "/roles/who"
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


def form(client: FlaskClient, about: str, *, undo: bool = False) -> dict[str, Any]:
    """What the page's form submits when nothing is touched, or the form that takes the change back."""
    page = client.get(f"{WHO}?{about}").get_data(as_text=True)
    parts = re.findall(r'<form [^>]*method="post" action="/roles/who".*?</form>', page, re.S)
    part = next(p for p in parts if ('value="undo"' in p) is undo)
    found: dict[str, Any] = {"role": []}
    for name, value in _HIDDEN.findall(part):
        if name == "role":
            found["role"].append(value)
        else:
            found[name] = html.unescape(value)
    found |= dict(re.findall(r'name="((?:reach|reads)\.\d+)" value="(\w+)"[^>]* checked', part))
    return found | ({"step": "undo"} if undo else {})


def rights(target: Any) -> role_rules.Rights:
    """What the role grants now."""
    return role_rules.rights_of(db.session(), target.id)


def test_a_phone_is_hidden_from_a_role_and_shown_again(world: World, login: Login) -> None:
    boss, target = login("boss"), role(world.a.id, "consultant")
    before = rights(target)
    sent = form(boss, "list=customers&field=phone")
    assert sent.pop(f"reads.{target.id}") == "1"
    assert boss.post(WHO, data=sent).status_code == 302
    assert world.actor("seller").can(*MASK)
    assert not world.actor("keeper").can(*MASK)
    assert rights(target).grants == before.grants | {MASK}
    back = form(boss, "list=customers&field=phone", undo=True)
    answer = boss.post(WHO, data=back, follow_redirects=True).get_data(as_text=True)
    assert "已撤销" in answer and 'value="undo"' not in answer
    assert rights(target) == before


def test_only_own_rows_and_back_to_exactly_what_was(world: World, login: Login) -> None:
    boss, target = login("boss"), role(world.a.id, "manager")
    other = world.customer("seller2", name="别人的客户")
    before = rights(target)
    keeper = login("keeper")
    assert keeper.get(f"/customers/{other.id}").status_code == 200
    sent = form(boss, "list=customers")
    assert sent[f"reach.{target.id}"] == "dealer"
    assert boss.post(WHO, data=sent | {f"reach.{target.id}": "own"}).status_code == 302
    assert keeper.get(f"/customers/{other.id}").status_code == 404
    assert world.actor("keeper").scopes["customers"] == {Scope.MINE, Scope.OWNED, Scope.RELATED}
    assert boss.post(WHO, data=form(boss, "list=customers", undo=True)).status_code == 302
    assert rights(target) == before
    assert keeper.get(f"/customers/{other.id}").status_code == 200


def test_a_list_is_closed_and_opened_with_the_scopes_it_had(world: World, login: Login) -> None:
    boss, target = login("boss"), role(world.a.id, "consultant")
    before = rights(target)
    sent = form(boss, "list=customers")
    boss.post(WHO, data=sent | {f"reach.{target.id}": "none"})
    assert login("seller").get("/customers/").status_code == 403
    again = form(boss, "list=customers")
    assert again[f"reach.{target.id}"] == "none"
    boss.post(WHO, data=again | {f"reach.{target.id}": "own"})
    assert rights(target) == before


def test_a_granted_field_is_given_to_a_role(world: World, login: Login) -> None:
    boss, target = login("boss"), role(world.a.id, "manager")
    sent = form(boss, "list=factory_orders&field=settlement_price")
    assert f"reads.{target.id}" not in sent
    boss.post(WHO, data=sent | {f"reads.{target.id}": "1"})
    assert world.actor("keeper").can(*PRICE) and not world.actor("seller").can(*PRICE)


def test_the_history_of_the_role_says_it_in_words(world: World, login: Login) -> None:
    boss, target = login("boss"), role(world.a.id, "consultant")
    sent = form(boss, "list=customers&field=phone")
    sent.pop(f"reads.{target.id}")
    boss.post(WHO, data=sent)
    page = boss.get(f"/roles/{target.id}/history").get_data(as_text=True)
    assert "客户电话显示加密（限制性）" in page and "总管" in page


def test_what_somebody_else_changed_meanwhile_is_kept(world: World, login: Login) -> None:
    """Another role changed meanwhile does not matter; the same one is refused, with the choice kept."""
    boss, target = login("boss"), role(world.a.id, "consultant")
    sent = form(boss, "list=customers")
    edit(login("boss"), role(world.a.id, "designer"), add=["can_set_tags@System"])
    assert boss.post(WHO, data=sent | {f"reach.{target.id}": "store"}).status_code == 302
    late = boss.post(WHO, data=sent | {f"reach.{target.id}": "dealer"})
    page = late.get_data(as_text=True)
    assert late.status_code == 409 and "数据已被他人修改" in page
    both = page.partition('<section class="card0 conflict"')[2].partition("</section>")[0]
    assert '<td class="mine">全部</td><td class="theirs">本店 <small class="mute">总管</small>' in both
    assert "用我的" in both and 'href="/roles/who?list=customers"' in both
    assert f'name="reach.{target.id}" value="dealer" checked' in page
    assert Scope.DEALER not in world.actor("seller").scopes["customers"]


def test_all_roles_or_none(world: World, login: Login) -> None:
    boss = login("boss")
    first, second = role(world.a.id, "consultant"), role(world.a.id, "designer")
    sent = form(boss, "list=customers")
    edit(login("boss"), second, add=["can_set_tags@System"])
    changed = {f"reach.{first.id}": "store", f"reach.{second.id}": "store"}
    assert boss.post(WHO, data=sent | changed).status_code == 409
    assert Scope.STORE not in world.actor("seller").scopes["customers"]


def test_roles_of_the_group_and_of_others_stay_out_of_reach(world: World, login: Login) -> None:
    boss = login("boss")
    theirs, contact = role(world.b.id, "consultant"), role(None, "service_contact")
    page = boss.get(f"{WHO}?list=customers").get_data(as_text=True)
    assert f'name="reach.{theirs.id}"' not in page
    assert re.search(rf'name="reach\.{contact.id}"[^>]* disabled', page) and "由集团维护" in page
    sent = form(boss, "list=customers")
    for target, status in ((theirs, 404), (contact, 400)):
        before = rights(target)
        forged = {
            "role": [str(target.id)], f"version.{target.id}": str(target.version),
            f"was.{target.id}": "own", f"reach.{target.id}": "dealer",
        }  # fmt: skip
        assert boss.post(WHO, data=sent | forged).status_code == status
        forged = {"role": [str(target.id)], f"version.{target.id}": "1", f"before.{target.id}": "1|dealer|0"}
        assert boss.post(WHO, data=sent | forged).status_code in (400, 404, 409)
        assert rights(target) == before


@pytest.mark.parametrize(
    "about", ["", "list=nothing", "list=customers&field=nothing", "list=dealers", "list=%00"]
)
def test_nonsense_is_not_found(world: World, login: Login, about: str) -> None:
    assert login("boss").get(f"{WHO}?{about}").status_code == 404


def test_nobody_else_opens_it_or_finds_the_way(world: World, login: Login) -> None:
    customer = world.customer("seller")
    grant(world, "manager", ("can_list", "Roles"))
    for who in ("seller", "keeper"):
        client = login(who)
        assert client.get(f"{WHO}?list=customers").status_code == 403
        assert client.post(WHO, data={"list": "customers"}).status_code == 403
        for address in ("/customers/", f"/customers/{customer.id}"):
            assert WHO not in client.get(address).get_data(as_text=True)
    boss = login("boss")
    assert f"{WHO}?list=customers&amp;field=phone" in boss.get("/customers/").get_data(as_text=True)
    page = boss.get(f"/customers/{customer.id}").get_data(as_text=True)
    assert f"{WHO}?list=customers&amp;field=phone" in page and f'{WHO}?list=customers"' in page


def test_an_unguarded_field_says_that_the_rows_decide(world: World, login: Login) -> None:
    page = login("boss").get(f"{WHO}?list=customers&field=name").get_data(as_text=True)
    assert "没有单独的权限" in page and 'name="reach.' in page


def test_people_with_another_role_do_not_count(world: World, login: Login) -> None:
    """A tick of another role hides already, and a wider scope of another role stays (A-90, A-114)."""
    ids = [role(world.a.id, key).id for key in ("consultant", "clerk")]
    update(Employees, world.people["seller"].id, {"roles": ids}, world.actor("boss"))
    page = login("boss").get(f"{WHO}?list=customers&field=phone").get_data(as_text=True)
    assert "1 人将看不到完整的手机号码，1 人因其他角色不变" in page
    page = login("boss").get(f"{WHO}?list=customers").get_data(as_text=True)
    assert "1 人将看到本店的客户，1 人因其他角色不变" in page


def test_how_far_a_role_reaches_follows_from_page_and_scopes(world: World) -> None:
    from models.customers.resources import Customers

    for held, wanted in (
        (Held(), Reach.NONE),
        (Held(False, frozenset({Scope.DEALER})), Reach.NONE),
        (Held(True), Reach.NONE),
        (Held(True, frozenset({Scope.MINE})), Reach.OWN),
        (Held(True, frozenset({Scope.MINE, Scope.DEPARTMENT})), Reach.STORE),
        (Held(True, frozenset({Scope.STORE, Scope.GROUP})), Reach.DEALER),
    ):
        assert reach.reach_of(Customers, held) is wanted
    assert reach.reach_of(Employees, Held(True)) is Reach.DEALER
    assert reach.choices(Employees, world.actor("boss")) == [Reach.NONE, Reach.DEALER]
    assert reach.choices(Customers, world.actor("boss")) == list(Reach)


def test_saving_untouched_changes_nothing(world: World, login: Login) -> None:
    boss = login("boss")
    count = select(AuditEntry.id).where(AuditEntry.resource == "roles")
    before = len(db.session.scalars(count).all())
    for about in ("list=customers", "list=customers&field=phone", "list=employees"):
        assert boss.post(WHO, data=form(boss, about)).status_code == 302
    assert len(db.session.scalars(count).all()) == before
