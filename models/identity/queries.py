"""Looking things up across the organisation."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.identity.tables import Channel, OperatingRight, Store


def channel_of(session: Session, store_id: int, brand_category_id: int) -> Channel | None:
    """The 招商渠道 under which a store sells a brand-category, read from the operating rights of its
    physical store (A-110, A-111); None where it has no right to sell it."""
    return session.scalar(
        select(OperatingRight.channel)
        .join(Store, Store.physical_store_id == OperatingRight.physical_store_id)
        .where(Store.id == store_id, OperatingRight.brand_category_id == brand_category_id)
    )


def is_whole_house(session: Session, store_id: int, brand_category_id: int) -> bool | None:
    """Whether the store sells it as whole-house (整装, A模式) rather than retail (常规); None unknown."""
    channel = channel_of(session, store_id, brand_category_id)
    return None if channel is None else not channel.is_retail
