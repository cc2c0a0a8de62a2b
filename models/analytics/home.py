"""What stands on everybody's home page: the waiting work, and the own numbers of this month."""

from __future__ import annotations

from app.engine.dashboards import Tile
from app.engine.home import Waiting, provide_own, provide_waiting
from models.customers.contact_resources import Contacts
from models.customers.resources import Customers
from models.follow_ups.resources import FollowUps, Tasks
from models.orders.resources import Receipts
from models.registrations.resources import Registrations

provide_waiting(
    Waiting(Tasks, "waiting", "待办任务", "checklist"),
    Waiting(Tasks, "today", "今日待跟进", "calendar-due", "info"),
    Waiting(Tasks, "overdue", "已逾期", "clock-exclamation", "bad"),
    Waiting(Customers, "urgent", "急需跟进客户", "flame", "warn"),
    Waiting(Contacts, "waiting", "未跟进潜客", "address-book"),
    Waiting(Registrations, "overdue", "跟踪逾期的线索", "clock-exclamation", "bad", "can_add"),
    Waiting(Registrations, "untracked", "未跟踪的线索", "message-plus", "warn", "can_add"),
)
provide_own(
    Tile(Customers, "total", "新增客户"),
    Tile(FollowUps, "total", "跟进次数"),
    Tile(Receipts, "net", "收款净额"),
)
