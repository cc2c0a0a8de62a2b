"""When the surroundings fail, commands and pages say so in one sentence."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app import cli, errors, failures, schema
from app.engine.actions import Refusal
from app.engine.database import db
from app.factory import create_app
from jobs import schedule
from models.customers import load
from tests.plugins.databases import SECRETS, settings_for_tests

ROOT = Path(__file__).resolve().parents[2]
NOBODY = "postgresql+psycopg://u:p@127.0.0.1:1/x"
FILED = "客户姓名,手机号码\n张一,13800000001\n"


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Any]:
    """``run("load", "x.csv", DATABASE_URL=…)``: the status and what was said."""
    monkeypatch.chdir(tmp_path)

    def command(*args: str, **environ: str) -> tuple[int, str]:
        for name, value in {"DATA_DIR": str(tmp_path / "data"), **SECRETS, **environ}.items():
            monkeypatch.setenv(name, value)
        before = os.umask(0o077)
        try:
            cli.main(args)
            status = 0
        except SystemExit as ended:
            status = int(ended.code or 0)
        finally:
            os.umask(before)
        said = capsys.readouterr()
        return status, said.out + said.err

    return command


@pytest.mark.parametrize(
    "args",
    [["load", "x.csv"], ["user", "add", "neu", "--name", "新人", "--role", "导购"], ["clock"], ["web"]],
)
def test_before_init_a_command_says_so(run: Callable[..., Any], tmp_path: Path, args: list[str]) -> None:
    (tmp_path / "x.csv").write_text(FILED, encoding="utf-8")
    assert run(*args) == (1, "数据库尚未初始化，请先运行 python run.py init\n")


def test_declarations_are_checked_without_tables(run: Callable[..., Any]) -> None:
    assert run("check") == (0, "检查通过\n")


@pytest.mark.parametrize("args", [["load", "x.csv"], ["init"], ["check"], ["web"]])
@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"DATABASE_URL": NOBODY}, "数据库暂时无法连接"),
        ({"DATABASE_URL": "postgresql://u:p@h:port/x"}, "环境变量 DATABASE_URL 的格式不正确"),
        ({"REDIS_URL": "redis://h:port/0"}, "环境变量 REDIS_URL 的格式不正确"),
        ({"SMTP_URL": "mail.example.com"}, "环境变量 SMTP_URL 的格式不正确"),
        ({"SMTP_URL": "smtp://mail.example.com", "MAIL_FROM": "x"}, "环境变量 MAIL_FROM 应为"),
        ({"SITE_URL": "crm.example.com"}, "环境变量 SITE_URL 应为"),
        ({"DATA_DIR": "/dev/null/x"}, "数据目录 /dev/null/x 无法使用"),
        ({"DATABASE_URL": "sqlite:////nowhere/at/all.db"}, "无法打开数据库文件"),
        ({"DATABASE_URL": "sqlite:///{}/x.csv"}, "不是数据库"),
    ],
)
def test_no_traceback_for_what_surrounds_us(
    run: Callable[..., Any], tmp_path: Path, args: list[str], environ: dict[str, str], sentence: str
) -> None:
    (tmp_path / "x.csv").write_text(FILED * 200, encoding="utf-8")
    status, said = run(*args, **{k: v.format(tmp_path) for k, v in environ.items()})
    assert status == 1 and sentence in said and said.count("\n") == 1


def test_a_newer_schema_is_left_alone(app: Flask) -> None:
    db.session.execute(text("UPDATE alembic_version SET version_num = 'newer'"))
    db.session.commit()
    with pytest.raises(Refusal, match="由更新版本的知客建立"):
        schema.require(db.engine, schema.State.EMPTY, schema.State.BEHIND)


def test_a_schema_left_behind_is_named(app: Flask) -> None:
    db.session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    db.session.commit()
    assert schema.state(db.engine) is schema.State.BEHIND
    with pytest.raises(Refusal, match="数据库需要升级"):
        schema.require(db.engine)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x"), "磁盘空间已满"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "没有权限读写 /x"),
        (OperationalError("", {}, sqlite3.OperationalError("database or disk is full")), "磁盘空间已满"),
        (OperationalError("", {}, sqlite3.OperationalError("attempt to write a readonly database")), "只读"),
        (ValueError("a fault of the program"), ""),
    ],
)
def test_failures_in_words(error: Exception, sentence: str) -> None:
    said = failures.in_words(error)
    assert sentence in said and bool(said) is bool(sentence)


def test_a_server_that_starts_with_us_is_waited_for(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    away = create_app(settings_for_tests(NOBODY, Path(app.config["DATA_DIR"])))
    monkeypatch.setattr(schema.time, "sleep", lambda _: None)
    said: list[str] = []
    with away.app_context(), pytest.raises(OperationalError):
        schema.wait(db.engine, 0.5, said.append)
    assert len(said) == 1 and "数据库暂时无法连接" in said[0]


def test_what_commands_write_is_private(run: Callable[..., Any], tmp_path: Path) -> None:
    assert run("init")[0] == 0
    data = tmp_path / "data"
    assert data.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in data.rglob("*"))
    (tmp_path / "x.csv").write_text("客户姓名,手机号码\n张一,1\n张二,13800000002\n", encoding="utf-8")
    status, said = run("load", "x.csv")
    assert status == 1
    assert "第 2 行未导入：手机号码“1”" in said and "共 2 行，导入 1 行，未导入 1 行" in said
    assert "未导入的行已写入 x-未导入.csv" in said
    assert (tmp_path / "x-未导入.csv").stat().st_mode & 0o077 == 0
    status, said = run("load", "x.csv", "--from", "3", "--report", str(tmp_path / "no" / "r.csv"))
    assert status == 1 and "未能写出未导入的行：找不到" in said
    status, said = run("demo", "--customers", "5")
    assert status == 1 and "另设 DATA_DIR 或 DATABASE_URL" in said


def test_a_file_nobody_can_read_is_named(run: Callable[..., Any], tmp_path: Path) -> None:
    status, said = run("load", str(tmp_path))
    assert status == 1 and "找不到文件" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_load_told_to_stop_says_how_to_go_on(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    run("init")
    (tmp_path / "x.csv").write_text(FILED + "张二,13800000002\n", encoding="utf-8")
    file = load._Loader.file

    def file_and_stop(*args: Any) -> Any:
        os.kill(os.getpid(), number)
        return file(*args)

    monkeypatch.setattr(load, "PIECE", 1)
    monkeypatch.setattr(load._Loader, "file", file_and_stop)
    status, said = run("load", "x.csv")
    assert status == 1 and "已导入 1 行，停在第 3 行，可再次运行同一文件，加 --from 3 即从该行继续" in said
    status, said = run("load", "x.csv", "--from", "3")
    assert (status, said) == (0, "共 1 行，导入 1 行，未导入 0 行\n")


# ----- an outage while the product runs


@pytest.mark.sqlite_only
def test_without_its_database_every_address_says_503_and_the_log_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    visitor = create_app(settings_for_tests(NOBODY, tmp_path)).test_client()
    errors._last_said[0] = float("-inf")
    login = {"username": "admin", "password": "x"}
    page = visitor.post("/login/", data=login)
    assert page.status_code == 503 and "数据库暂时无法连接" in page.text
    for _ in range(2):
        answer = visitor.post("/api/v1/security/login", json=login)
        assert answer.status_code == 503 and answer.json["message"] == "数据库暂时无法连接"
    assert capsys.readouterr().out.count("the database cannot be reached") == 1


def test_the_clock_tells_of_an_outage_once_and_of_its_end(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away = OperationalError("", {}, sqlite3.OperationalError("unable to open database file"))
    answers = iter([away, away, None, None])
    steps = iter([False] * 4 + [True])

    def tick(_self: Any, _now: Any) -> list[str]:
        error = next(answers)
        if error is not None:
            raise error
        return []

    monkeypatch.setattr(schedule.Clock, "tick", tick)
    monkeypatch.setattr(schedule.Wake, "wait", lambda *_: next(steps))
    monkeypatch.setattr(schedule.signal, "signal", lambda *_: None)
    with caplog.at_level(logging.WARNING):
        schedule.run(app)
    assert [record.message for record in caplog.records] == [
        "数据库暂时无法连接，时钟每 5 秒重试",
        "数据库已恢复，时钟继续",
    ]


# ----- a large demo that is stopped


def _as_from_a_terminal() -> None:
    """Shells start what they put into the background deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_large_demo_that_is_stopped_leaves_nobody_behind(tmp_path: Path, number: signal.Signals) -> None:
    environ = {"PATH": "/usr/bin:/bin", "DATA_DIR": str(tmp_path), "DEMO": "0"}
    command = [sys.executable, "run.py", "demo", "--customers", "200000"]
    demo = subprocess.Popen(
        command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True, preexec_fn=_as_from_a_terminal
    )
    deadline = time.monotonic() + 60
    while not (children := psutil.Process(demo.pid).children()) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(demo.pid, number)
    assert demo.stderr is not None
    said = demo.stderr.read()
    assert demo.wait(timeout=30) != 0
    _, alive = psutil.wait_procs(children, timeout=15)
    assert children and not alive
    assert said.strip() == ("已取消" if number is signal.SIGINT else "")
