"""Stores, physical stores with their operating rights, brands, departments, dealers (A-110…A-112, D-14)."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.engine.actions import Forbidden, Invalid, NotFound, Refusal
from app.engine.database import db
from app.engine.perform import create, remove, update
from app.engine.resource import resource
from models.identity import presets, role_rules
from models.identity.admin_resources import BrandCategories, Brands
from models.identity.queries import channel_of, is_whole_house
from models.identity.resources import (
    Dealers,
    Departments,
    OperatingRights,
    PhysicalStores,
    Positions,
    Stores,
)
from models.identity.roles import StaffRole
from models.identity.tables import Channel, Dealer, OperatingRight, Position, Store, StoreKind
from tests.customers.world import World
from tests.plugins.people import Login


def amounts() -> list[int | None]:
    """How many rows the presets made."""
    return [
        db.session.scalar(select(func.count()).select_from(model))
        for model in (Dealer, Store, Position, StaffRole)
    ]


def place(world: World, code: str = "ST1", by: str = "boss") -> int:
    """A physical store of the dealer."""
    made, _ = create(PhysicalStores, {"code": code, "name": "城北家居广场店"}, world.actor(by))
    return made.id


def test_retail_or_whole_house_is_read_per_store_and_brand_category(world: World) -> None:
    boss = world.actor("boss")
    physical = place(world)
    cabinet, wardrobe, door = (c.id for c in world.categories)
    for category, channel in (
        (cabinet, Channel.REGULAR),
        (wardrobe, Channel.WHOLE_HOUSE),
        (door, Channel.A_MODE),
    ):
        create(
            OperatingRights,
            {"physical_store_id": physical, "brand_category_id": category, "channel": channel},
            boss,
        )
    store = world.stores[0].id
    session = db.session()
    assert channel_of(session, store, cabinet) is None
    update(Stores, store, {"physical_store_id": physical}, boss)
    assert channel_of(session, store, cabinet) is Channel.REGULAR
    assert [is_whole_house(session, store, c) for c in (cabinet, wardrobe, door)] == [False, True, True]
    assert is_whole_house(session, world.stores[1].id, cabinet) is None


@pytest.mark.spec("A-112")
def test_the_channel_is_found_by_walking_from_the_stores_name(world: World, login: Login) -> None:
    boss = world.actor("boss")
    physical = place(world)
    create(
        OperatingRights,
        {
            "physical_store_id": physical,
            "brand_category_id": world.categories[1].id,
            "channel": Channel.A_MODE,
        },
        boss,
    )
    update(Stores, world.stores[0].id, {"physical_store_id": physical}, boss)
    world.customer("seller")
    client = login("boss")
    assert "甲商场1店" in client.get("/customers/").get_data(as_text=True)
    assert "TA11" in client.get("/stores/?q=甲商场1店").get_data(as_text=True)
    assert "城北家居广场店" in client.get(f"/stores/{world.stores[0].id}").get_data(as_text=True)
    page = client.get(f"/physical_stores/{physical}").get_data(as_text=True)
    assert "甲牌衣柜" in page and "A模式" in page


def test_one_right_per_brand_category(world: World) -> None:
    boss = world.actor("boss")
    values = {"physical_store_id": place(world), "brand_category_id": world.categories[0].id}
    made, _ = create(OperatingRights, values, boss)
    assert (made.name, made.dealer_id) == ("甲牌橱柜", world.a.id)
    with pytest.raises(Invalid, match="已有此品牌品类"):
        create(OperatingRights, values, boss)
    remove(OperatingRights, made.id, boss)
    assert db.session.scalar(select(OperatingRight.id)) is None


def test_store_codes_are_unique_in_their_dealer(world: World) -> None:
    boss = world.actor("boss")
    with pytest.raises(Invalid, match="店代码“TA11”已存在"):
        create(Stores, {"code": "TA11", "name": "又一店"}, boss)
    with pytest.raises(Invalid, match="大写字母"):
        create(Stores, {"code": "店1", "name": "又一店"}, boss)
    made, _ = create(Stores, {"code": "TB11", "name": "又一店", "kind": StoreKind.SHOWROOM}, boss)
    assert made.dealer_id == world.a.id
    with pytest.raises(Invalid):
        update(Stores, made.id, {"code": "TA11"}, boss)


def test_a_store_with_people_is_not_closed(world: World) -> None:
    boss = world.actor("boss")
    with pytest.raises(Refusal, match="名在职员工"):
        update(Stores, world.stores[0].id, {"active": False}, boss)
    update(Stores, world.stores[1].id, {"active": False}, boss)


@pytest.mark.spec("D-14")
def test_the_organisation_of_another_dealer_is_out_of_reach(world: World, login: Login) -> None:
    boss = world.actor("boss")
    client = login("boss")
    for address in (f"/stores/{world.stores[2].id}", f"/stores/{world.stores[2].id}/edit"):
        assert client.get(address).status_code == 404
    assert "乙商场" not in client.get("/stores/").get_data(as_text=True)
    with pytest.raises(NotFound):
        update(Stores, world.stores[2].id, {"name": "改名"}, boss)
    picked = client.get("/employees/pick/stores?q=").get_data(as_text=True)
    assert "甲商场1店" in picked and "乙商场1店" not in picked
    with pytest.raises(Forbidden):
        create(Stores, {"code": "X1", "name": "又一店"}, world.actor("seller"))


def test_departments_do_not_stand_below_themselves(world: World) -> None:
    boss = world.actor("boss")
    upper, _ = create(Departments, {"name": "销售部"}, boss)
    lower, _ = create(Departments, {"name": "一组", "parent_id": upper.id}, boss)
    for parent in (upper.id, lower.id):
        with pytest.raises(Invalid, match="上级部门"):
            update(Departments, upper.id, {"parent_id": parent}, boss)
    remove(Departments, lower.id, boss)


def test_presets_of_the_group_are_changed_by_the_group_alone(world: World) -> None:
    preset = db.session.scalars(select(Position).where(Position.dealer_id.is_(None))).first()
    assert preset is not None
    with pytest.raises(Refusal, match="集团预置"):
        update(Positions, preset.id, {"name": "改名"}, world.actor("boss"))
    with pytest.raises(Refusal, match="集团预置"):
        remove(Positions, preset.id, world.actor("boss"))
    with pytest.raises(Invalid, match="已存在"):
        create(Positions, {"name": preset.name}, world.actor("boss"))
    own, _ = create(Positions, {"name": "驻店管家"}, world.actor("boss"))
    assert own.dealer_id == world.a.id
    update(Positions, preset.id, {"sort": 5}, world.actor("admin"))


def test_a_brand_category_is_named_after_its_parts_and_exists_once(world: World) -> None:
    boss = world.actor("boss")
    brand, _ = create(Brands, {"name": "乙牌"}, boss)
    values = {"brand_id": brand.id, "category_id": world.categories[0].category_id}
    made, _ = create(BrandCategories, values, boss)
    assert made.name == "乙牌橱柜·测"
    with pytest.raises(Invalid, match="已有此品类"):
        create(BrandCategories, values, boss)


def test_the_group_opens_a_dealer_with_roles_and_a_first_store(world: World, login: Login) -> None:
    made, _ = create(Dealers, {"code": "D009", "name": "丙商场"}, world.actor("admin"))
    stores = db.session.scalars(select(Store).where(Store.dealer_id == made.id)).all()
    assert [(s.code, s.name) for s in stores] == [("D009-01", "总店")]
    labels = set(db.session.scalars(select(StaffRole.label).where(StaffRole.dealer_id == made.id)))
    assert labels == {"商场系统管理员", "店长", "导购", "设计师", "渠道文员", "渠道业务员", "渠道经理"}
    with pytest.raises(Invalid, match="已存在"):
        create(Dealers, {"code": "D009", "name": "丁商场"}, world.actor("admin"))
    assert login("boss").get("/dealers/").status_code == 403


def test_installing_again_changes_nothing_and_brings_new_rights_to_administrators(world: World) -> None:
    session = db.session()
    admin = presets.preset_role(session, world.a.id, "admin")
    counts = amounts()
    whole = role_rules.rights_of(session, admin.id)
    role_rules.give(session, admin, role_rules.Rights(whole.grants - {("can_list", "Tags")}, whole.scopes))
    presets.install(session)
    session.commit()
    assert amounts() == counts
    assert role_rules.rights_of(session, admin.id) == whole


def test_what_is_in_use_says_by_what(world: World, login: Login) -> None:
    boss = world.actor("boss")
    brand, _ = create(resource("brands"), {"name": "自有牌"}, boss)
    category, _ = create(resource("categories"), {"name": "自有类"}, boss)
    pair, _ = create(resource("brand_categories"), {"brand_id": brand.id, "category_id": category.id}, boss)
    world.customer(interests=[pair.id])
    with pytest.raises(Refusal, match="“自有牌”正被品牌品类使用，不能删除"):
        remove(resource("brands"), brand.id, boss)
    with pytest.raises(Refusal, match="“自有牌自有类”正被客户使用，不能删除"):
        remove(resource("brand_categories"), pair.id, boss)
    page = login("boss").post(f"/brands/{brand.id}/delete", follow_redirects=True).get_data(as_text=True)
    assert "正被品牌品类使用" in page and "自有牌" in page
