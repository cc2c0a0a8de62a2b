"""Redis down for the whole of a working day: nobody's click fails, and everything arrives afterwards, once
(real web, clock and worker processes, over HTTP)."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.engine import outbox
from app.engine.audit import AuditEntry
from app.engine.database import db, utcnow
from app.engine.imports.tables import ImportRun, ImportState
from app.engine.jobs import JobState
from app.engine.localtime import local
from app.redis_embedded import EmbeddedRedis, free_port
from models.announcements.tables import Announcement
from models.customers.tables import Customer
from models.follow_ups.tables import FollowUp, SmsMessage
from models.notifications.tables import DeliveryState, NoticeDelivery, NoticeKind, Notification
from tests.customers.trade import many
from tests.customers.world import PASSWORD, World, words
from tests.exports.files import entries, jobs, notices, rows, setting
from tests.imports.conftest import Importer, xlsx
from tests.notifications.conftest import MailServer
from tests.notifications.conftest import choose as choose
from tests.notifications.conftest import mail_server as mail_server
from tests.ops.clicks import Clicker
from tests.ops.test_supervisor import until
from tests.plugins.databases import SECRETS

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
PEOPLE = ("boss", "keeper", "seller", "seller2", "drawer", "typist")
HEADING = ["客户姓名", "手机号码"]


@pytest.fixture
def world(trade: World) -> World:
    """The small trade."""
    return trade


class Served:
    """The product as it is served: each process by itself, and a Redis that comes and goes."""

    def __init__(self, app: Flask, folder: Path) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.redis = EmbeddedRedis(folder / "redis")
        self.started: list[subprocess.Popen[bytes]] = []
        self.environ = {
            "PATH": "/usr/bin:/bin",
            "DATA_DIR": str(app.config["DATA_DIR"]),
            "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
            "REDIS_URL": self.redis.url,
            "PORT": str(self.port),
            "DEMO": "0",
            "SMTP_URL": app.config["SMTP_URL"],
            "MAIL_FROM": app.config["MAIL_FROM"],
            "SECRET_KEY": SECRETS["SECRET_KEY"],
        }

    def start(self, command: str) -> None:
        """One of ``web``, ``clock``, ``worker``."""
        process = subprocess.Popen([sys.executable, "run.py", command], cwd=ROOT, env=self.environ)
        self.started.append(process)

    def answers(self) -> bool:
        """Whether the first page would come."""
        with suppress(URLError, ConnectionError), urlopen(f"{self.base}/healthz", timeout=5):
            return True
        return False

    def stop(self) -> None:
        """Everything, politely."""
        for process in reversed(self.started):
            process.terminate()
        for process in self.started:
            process.wait(timeout=30)
        self.redis.stop()


@pytest.fixture
def served(app: Flask, mail_server: MailServer, tmp_path: Path, restorer: Any) -> Iterator[Served]:
    """Web and clock, and no Redis."""
    found = Served(app, tmp_path)
    yield found
    found.stop()
    restorer.touch_all()


def once(model: Any, *where: Any) -> Any:
    """The one row there is."""
    return db.session.scalars(select(model).where(*where)).one()


def waiting() -> int:
    """What the outbox still has to do now."""
    db.session.rollback()
    table = outbox.ROWS.c
    due = table.done_at.is_(None), table.parked_at.is_(None), table.available_at <= utcnow()
    return db.session.scalar(select(func.count()).where(*due)) or 0


def test_a_working_day_without_redis(
    world: World,
    served: Served,
    mail_server: MailServer,
    choose: Callable[..., None],
    login: Any,
    run_outbox: Callable[..., None],
) -> None:
    for who in PEOPLE:
        choose(who, instant=["email"], strong=["email"])
    setting(world, "export.at_once", 0)
    many(world, 8, "seller2")
    theirs = [world.customer().id for _ in range(4)]
    ready = Importer(login("typist"), run_outbox).upload(xlsx([HEADING, ["早到", "13711110000"]])).id
    run_outbox()
    mail_server.messages.clear()
    before = set(db.session.scalars(select(Notification.id)))
    db.session.rollback()

    served.start("web")
    served.start("clock")
    until(served.answers, 60)
    at = {who: Clicker(served.base).sign_in(who, PASSWORD) for who in PEOPLE}
    due = _remind(at["seller"], theirs[3])
    upload = _work(world, at, theirs, ready)
    clerk = at["typist"]
    assert "排队中" in words(clerk.get(upload)) and '"degraded"' in clerk.get("/readyz")
    assert waiting() > 6
    assert not mail_server.messages

    served.redis.start()
    served.start("worker")
    until(lambda: '"ready"' in clerk.get(f"{upload}/progress"), 40)
    clerk.post(f"{upload}/start")
    until(lambda: utcnow() > due + timedelta(seconds=2), 90)
    until(lambda: _strong() and not waiting(), 60)
    served.stop()
    db.session.expire_all()
    _everything_arrived(world, login, before, theirs, mail_server)


def _work(world: World, at: dict[str, Clicker], theirs: list[int], ready: int) -> str:
    """What people do on that day; the address of the file that the clerk brought."""
    seller, keeper, boss, clerk = (at[who] for who in ("seller", "keeper", "boss", "typist"))
    people = {name: person.id for name, person in world.people.items()}
    assert "张大爷" in seller.post("/customers/new", name="张大爷", phone="13600000001")
    seller.post("/customers/action/write_follow_up", id=theirs[0], text="上门量尺")
    seller.post("/customers/action/send_sms", id=theirs[0], text="明天见")
    keeper.post("/customers/action/reassign", id=theirs[0], owner=people["drawer"])
    keeper.post("/customers/action/change_salesperson", id=theirs[1:], salesperson=people["seller2"])
    assert "完成后可在任务中心下载" in words(keeper.post("/customers/export?scope=store", format="xlsx"))
    assert "排队中" in words(keeper.get("/jobs/"))
    boss.post(
        "/customers/handover/", kind="staying", person=people["seller2"], to=people["keeper"], step="submit",
        all=1,
    )  # fmt: skip
    boss.post("/announcements/new", title="周五盘点", body="请提前整理样品")
    assert "周五盘点" in seller.get("/")
    assert "Redis暂时无法连接" in words(boss.get("/queue/"))
    assert "排队中" in words(clerk.post(f"/imports/{ready}/start"))
    file = ("新客.csv", "客户姓名,手机号码\n晚到,13711110001\n".encode())
    clerk.post("/customers/import", file=file)
    upload = clerk.place
    clerk.post(f"{upload}/start")
    for person in at.values():
        for page in ("/", "/customers/", "/jobs/", "/notifications/", "/notifications/unread"):
            person.get(page)
    return upload


def _remind(seller: Clicker, customer: int) -> datetime:
    """A reminder for the next minute, which passes while Redis is away, or just afterwards; when it is."""
    due = (utcnow() + timedelta(seconds=65)).replace(second=0, microsecond=0)
    moment = local(due).strftime("%Y-%m-%dT%H:%M")
    said = seller.post(
        "/customers/action/write_follow_up", id=customer, text="约好了", next_follow_up_at=moment
    )
    assert "约好了" in said or seller.place.startswith("/customers")
    return due


def _strong() -> bool:
    db.session.rollback()
    return bool(db.session.scalar(select(func.count()).where(Notification.kind == NoticeKind.STRONG)))


def _everything_arrived(
    world: World, login: Any, before: set[int], theirs: list[int], mails: MailServer
) -> None:
    """Every message, file, import and reminder, once."""
    people = {name: person.id for name, person in world.people.items()}
    assert once(Customer, Customer.name == "张大爷").owner_id == people["seller"]
    for name in ("早到", "晚到"):
        found = once(Customer, Customer.name == name)
        mine = AuditEntry.resource == "customers", AuditEntry.record_id == found.id
        assert db.session.scalar(select(func.count()).where(*mine)) == 1
    assert {i.state for i in db.session.scalars(select(ImportRun))} == {ImportState.DONE}
    assert once(FollowUp, FollowUp.text == "上门量尺").customer_id == theirs[0]
    assert once(SmsMessage).reference
    assert db.session.get_one(Customer, theirs[0]).owner_id == people["drawer"]
    salespeople = select(Customer.salesperson_id).where(Customer.id.in_(theirs[1:]))
    assert set(db.session.scalars(salespeople)) == {people["seller2"]}
    handed = select(func.count()).where(Customer.owner_id == people["keeper"])
    assert db.session.scalar(handed) == 8
    assert once(Announcement).title == "周五盘点"
    assert {j.state for j in jobs()} == {JobState.DONE}
    (export,) = [j for j in jobs() if j.kind == "export"]
    exported = rows(login("keeper").get(f"/jobs/{export.id}/file").data)
    assert len(exported) == 1 + export.total == 1 + int(export.counts["rows"])
    assert len(entries()) == 1
    _told_once(world, before, mails)


def _told_once(world: World, before: set[int], mails: MailServer) -> None:
    new = [n for n in db.session.scalars(select(Notification)) if n.id not in before]
    per_matter = Counter((n.user_id, n.kind, n.key or n.id) for n in new)
    assert set(per_matter.values()) == {1}
    titles = {name: [n.title for n in notices(name, world) if n.id not in before] for name in PEOPLE}
    assert [n.user_id for n in new if n.kind == NoticeKind.STRONG] == [world.people["seller"].id]
    assert titles == {
        "boss": [],
        "keeper": ["总管将8位客户交给您", "公告：周五盘点", "导出客户 13 行：已完成"],
        "seller": ["店长甲将您的客户张女士转给了设计师甲", "公告：周五盘点", "约定跟进：张女士"],
        "seller2": ["店长甲请您担任3位客户的业务员", "总管将您的8位客户转给了店长甲", "公告：周五盘点"],
        "drawer": ["店长甲将客户张女士交给您", "公告：周五盘点"],
        "typist": [
            "公告：周五盘点", "导入客户：客户.xlsx：已完成", "检查导入文件：新客.csv：已完成", "导入客户：新客.csv：已完成",
        ],
    }  # fmt: skip
    instant = [n for n in new if n.kind in (NoticeKind.INSTANT, NoticeKind.STRONG)]
    left = list(
        db.session.scalars(select(NoticeDelivery).where(NoticeDelivery.notification_id.not_in(before)))
    )
    assert Counter(d.notification_id for d in left) == Counter(n.id for n in instant)
    assert {d.state for d in left} == {DeliveryState.SENT}
    numbers = [line for mail in mails.messages for line in mail.splitlines() if "Message-ID" in line]
    assert len(set(numbers)) == len(numbers) == len(left)
