"""The manager's dashboard: new customers, stages, sources, follow-ups and money of a period."""

from __future__ import annotations

from app.engine.dashboards import Dashboard, Tile, declare
from models.customers.resources import Customers
from models.follow_ups.resources import FollowUps, Tasks
from models.orders.resources import Receipts

MANAGER = declare(
    Dashboard(
        "manager",
        "经理看板",
        Tile(Customers, "total", "新增客户"),
        Tile(Customers, "ordered", "成交客户"),
        Tile(Customers, "created"),
        Tile(Customers, "stage"),
        Tile(Customers, "source"),
        Tile(Customers, "owner", "新增客户排行"),
        Tile(Customers, "source_stage"),
        Tile(Receipts, "net"),
        Tile(Receipts, "refunded"),
        Tile(Receipts, "paid"),
        Tile(FollowUps, "total"),
        Tile(FollowUps, "kind"),
        Tile(FollowUps, "writer"),
        Tile(Tasks, "overdue", "逾期任务"),
    ),
    group="经营",
    icon="dashboard",
    order=195,
)
