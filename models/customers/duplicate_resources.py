"""The screen of entries that met a file."""

from __future__ import annotations

from app.engine.resource import Between, Group, Menu, Resource, Window
from app.engine.scopes import Scopes
from models.customers.absorbing import DuplicateEntry


class DuplicateEntries(Resource, model=DuplicateEntry):
    """重复登记: entries that made no new file because their number was on file (D-23, D-24)."""

    label = "重复登记"
    unit = "条登记"
    icon = "copy"
    menu = Menu("获客", icon="copy", order=130)
    scopes = Scopes(
        mine=DuplicateEntry.filer_id, store=DuplicateEntry.store_id, dealer=DuplicateEntry.dealer_id
    )
    title = DuplicateEntry.name
    columns = (
        DuplicateEntry.created_at,
        DuplicateEntry.name,
        DuplicateEntry.phone,
        DuplicateEntry.customer_id,
        DuplicateEntry.met,
        DuplicateEntry.entrance,
        DuplicateEntry.filer_id,
        DuplicateEntry.store_id,
    )
    filters = (
        DuplicateEntry.met,
        DuplicateEntry.entrance,
        DuplicateEntry.phone,
        DuplicateEntry.filer_id,
        DuplicateEntry.store_id,
        Between(DuplicateEntry.created_at),
    )
    exact = (DuplicateEntry.phone,)
    search_hint = "完整手机号码"
    sorts = (DuplicateEntry.created_at,)
    window = Window(DuplicateEntry.created_at, days=180)
    badges = (DuplicateEntry.met,)
    detail = (Group("登记", *columns),)
