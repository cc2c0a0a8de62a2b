"""The screens of what is sold: brands, categories and what belongs to which business line."""

from __future__ import annotations

from app.engine.resource import Group, Menu, Related, Resource
from app.engine.scopes import Scopes
from models.identity import rules
from models.identity.menu_groups import BASICS
from models.identity.tables import Brand, BrandCategory, BusinessLine, Category, OperatingRight


class Brands(Resource, model=Brand):
    """品牌."""

    label = "品牌"
    icon = "badge"
    menu = Menu(BASICS, icon="badge", order=911)
    scopes = Scopes(dealer=Brand.dealer_id, open=True, shared=True)
    pick_active = Brand.active
    title = Brand.name
    columns = (Brand.name, Brand.active, Brand.dealer_id, Brand.created_at)
    filters = (Brand.active,)
    search = (Brand.name,)
    sorts = (Brand.created_at,)
    detail = (Group("品牌", Brand.name, Brand.active, Brand.dealer_id),)
    form = (Group("品牌", Brand.name, Brand.active),)
    create = staticmethod(rules.create_own)
    update = staticmethod(rules.update_own)
    remove = staticmethod(rules.remove_own)


class Categories(Resource, model=Category):
    """品类."""

    label = "品类"
    icon = "category"
    menu = Menu(BASICS, icon="category", order=912)
    scopes = Scopes(dealer=Category.dealer_id, open=True, shared=True)
    pick_active = Category.active
    title = Category.name
    columns = (Category.name, Category.active, Category.dealer_id, Category.created_at)
    filters = (Category.active,)
    search = (Category.name,)
    sorts = (Category.created_at,)
    detail = (Group("品类", Category.name, Category.active, Category.dealer_id),)
    form = (Group("品类", Category.name, Category.active),)
    create = staticmethod(rules.create_own)
    update = staticmethod(rules.update_own)
    remove = staticmethod(rules.remove_own)


class BusinessLines(Resource, model=BusinessLine):
    """事业线."""

    label = "事业线"
    icon = "sitemap"
    menu = Menu(BASICS, icon="sitemap", order=914)
    scopes = Scopes(dealer=BusinessLine.dealer_id, open=True, shared=True)
    pick_active = BusinessLine.active
    title = BusinessLine.name
    columns = (BusinessLine.name, BusinessLine.active, BusinessLine.dealer_id, BusinessLine.created_at)
    filters = (BusinessLine.active,)
    search = (BusinessLine.name,)
    sorts = (BusinessLine.created_at,)
    detail = (
        Group("事业线", BusinessLine.name, BusinessLine.active, BusinessLine.dealer_id),
        Related(BrandCategory.business_line_id, "品牌品类"),
    )
    form = (Group("事业线", BusinessLine.name, BusinessLine.active),)
    create = staticmethod(rules.create_own)
    update = staticmethod(rules.update_own)
    remove = staticmethod(rules.remove_own)


class BrandCategories(Resource, model=BrandCategory):
    """品牌品类: what service orders are about."""

    label = "品牌品类"
    icon = "versions"
    menu = Menu(BASICS, icon="versions", order=913)
    scopes = Scopes(dealer=BrandCategory.dealer_id, open=True, shared=True)
    pick_active = BrandCategory.active
    title = BrandCategory.name
    columns = (
        BrandCategory.name,
        BrandCategory.brand_id,
        BrandCategory.category_id,
        BrandCategory.business_line_id,
        BrandCategory.active,
        BrandCategory.created_at,
    )
    filters = (
        BrandCategory.brand_id,
        BrandCategory.category_id,
        BrandCategory.business_line_id,
        BrandCategory.active,
    )
    search = (BrandCategory.name,)
    sorts = (BrandCategory.created_at,)
    detail = (
        Group(
            "品牌品类",
            BrandCategory.name,
            BrandCategory.brand_id,
            BrandCategory.category_id,
            BrandCategory.business_line_id,
            BrandCategory.active,
        ),
        Related(OperatingRight.brand_category_id, "经营权限"),
    )
    form = (
        Group(
            "品牌品类",
            BrandCategory.brand_id,
            BrandCategory.category_id,
            BrandCategory.name,
            BrandCategory.business_line_id,
            BrandCategory.active,
        ),
    )
    create = staticmethod(rules.create_brand_category)
    update = staticmethod(rules.update_brand_category)
    remove = staticmethod(rules.remove_own)
