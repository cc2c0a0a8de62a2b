"""The commands: wrong use is answered in Chinese, secrets are made once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

import config
from app import cli, spec_coverage
from models.demo.organisation import NAMED

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("args", "status", "sentence"),
    [
        (["frobnicate"], 2, "没有命令 'frobnicate'"),
        (["demo", "--customer", "5"], 2, "没有选项 --customer，是否想用 --customers？"),
        (["demo", "--customers"], 2, "选项 --customers 的用法不正确"),
        (["demo", "--customers", "many"], 2, "应为 1 到 5000000 之间的整数，而不是“many”"),
        (["demo", "--customers", "0"], 2, "应为 1 到 5000000 之间的整数"),
        (["demo", "5"], 2, "多余的参数：5"),
        (["load"], 2, "缺少参数 文件.csv"),
        (["load", "nowhere.csv"], 1, "找不到文件 nowhere.csv"),
        (["user", "add"], 2, "缺少参数 账号"),
        (["user", "add", "neu"], 2, "缺少参数 --name"),
    ],
)
def test_wrong_use_is_explained(
    args: list[str], status: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(args)
    said = capsys.readouterr()
    assert ended.value.code == status
    assert sentence in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "eighty", "环境变量 PORT 应为 1 到 65535 之间的整数，现在是“eighty”"),
        ("PORT", "８０", "环境变量 PORT 应为"),
        ("DEMO", "maybe", "环境变量 DEMO 应为 1 或 0，现在是“maybe”"),
        ("DATABASE_URL", "mysql://x", "环境变量 DATABASE_URL 只支持"),
        ("DATABASE_URL", "postgresql://u:p@h:port/x", "环境变量 DATABASE_URL 的格式不正确"),
        ("DATABASE_URL", "sqlite:///", "环境变量 DATABASE_URL 的格式不正确"),
        ("REDIS_URL", "localhost", "环境变量 REDIS_URL 的格式不正确"),
        ("LOGIN_LIMIT", "twenty", "环境变量 LOGIN_LIMIT 应为“次数 per 时间”"),
        ("LOGIN_LIMIT", "0 per minute", "环境变量 LOGIN_LIMIT 应为"),
    ],
)
def test_a_bad_setting_is_explained(name: str, value: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(config.BadSetting, match=sentence):
        config.settings({"DATA_DIR": str(tmp_path), name: value})


def test_secrets_that_are_too_simple_are_told_and_taken(tmp_path: Path) -> None:
    chosen = {"ADMIN_PASSWORD": "1", "DEMO_PASSWORD": "demo-2026-zk", "SECRET_KEY": "short"}
    assert config.settings({"DATA_DIR": str(tmp_path), **chosen})["ADMIN_PASSWORD"] == "1"
    assert config.warnings(chosen) == [
        "提醒：环境变量 SECRET_KEY 过于简单（至少应有 16 个字符），正式使用前请更换",
        "提醒：环境变量 ADMIN_PASSWORD 过于简单（密码至少10位），正式使用前请更换",
        "提醒：环境变量 DEMO_PASSWORD 过于简单（密码须同时包含大写字母、小写字母、数字和符号），正式使用前请更换",
    ]
    assert config.warnings({"ADMIN_PASSWORD": "Zk-2026-abcd", "SECRET_KEY": "k" * 16}) == []


@pytest.mark.parametrize("folder", ["/proc/x", "/dev/null/x"])
def test_a_folder_that_cannot_be_made_is_named(folder: str, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setenv("DATA_DIR", folder)
    with pytest.raises(SystemExit) as ended:
        cli.main(["serve"])
    assert ended.value.code == 1
    assert f"数据目录 {folder} 无法使用" in capsys.readouterr().err


def test_a_database_error_shows_no_values(app: Flask) -> None:
    """They may be phones and hashes, and errors are logged."""
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    from app.engine.database import db

    with pytest.raises(SQLAlchemyError) as broken:
        db.session.execute(text("INSERT INTO nowhere VALUES (:phone)"), {"phone": "13800000001"})
    assert "13800000001" not in str(broken.value)
    db.session.rollback()


@pytest.mark.parametrize(
    ("username", "name", "sentence"),
    [
        ("a b<x>", "新人", "登录名：登录名至少2位，只能使用字母"),
        ("new.person", "长" * 65, "姓名：不能超过64个字"),
        ("x" * 300, "新人", "登录名：不能超过128个字"),
        ("ADMIN", "新人", "登录名“ADMIN”已存在"),
        ("admin", "新人", "登录名“admin”已存在"),
        ("new.person", "\u200b\u200b", "姓名：请填写姓名"),
    ],
)
def test_an_account_by_command_is_checked_like_one_of_the_form(
    app: Flask, username: str, name: str, sentence: str
) -> None:
    from app.engine.actions import Refusal
    from app.setup import add_user

    with pytest.raises(Refusal, match=sentence):
        add_user(username=username, name=name, roles=("导购",), store=None, password="Rain&Tea2024")


def test_secrets_are_generated_once_and_kept_private(tmp_path: Path) -> None:
    first = config.settings({"DATA_DIR": str(tmp_path)})
    second = config.settings({"DATA_DIR": str(tmp_path)})
    for name in ("SECRET_KEY", "ADMIN_PASSWORD", "DEMO_PASSWORD"):
        assert first[name] == second[name]
        assert len(first[name]) >= 12
        assert config.secret_path(name, tmp_path).stat().st_mode & 0o077 == 0
    given = config.settings({"DATA_DIR": str(tmp_path), "SECRET_KEY": "chosen-by-ourselves"})
    assert given["SECRET_KEY"] == "chosen-by-ourselves"


def test_every_account_people_are_told_about_is_told(tmp_path: Path) -> None:
    told = " ".join(config.logins(config.settings({"DATA_DIR": str(tmp_path)}), {}))
    guide = (config.ROOT / "docs" / "guide" / "README.md").read_text(encoding="utf-8")
    for username in (name for names in NAMED.values() for name in names):
        assert username in told and f"`{username}`" in guide


def test_a_generated_password_is_told_once(tmp_path: Path) -> None:
    settings = config.settings({"DATA_DIR": str(tmp_path)})
    assert settings["ADMIN_PASSWORD"] in " ".join(config.logins(settings, {}))
    again = " ".join(config.logins(settings, {}))
    assert settings["ADMIN_PASSWORD"] not in again
    assert "密码见文件" in again
    assert "环境变量 ADMIN_PASSWORD" in " ".join(config.logins(settings, {"ADMIN_PASSWORD": "given"}))


def test_common_database_addresses_are_understood(tmp_path: Path) -> None:
    settings = config.settings({"DATA_DIR": str(tmp_path), "DATABASE_URL": "postgres://u:p@db/zhike"})
    assert settings["SQLALCHEMY_DATABASE_URI"] == "postgresql+psycopg://u:p@db/zhike"


def test_coverage_of_spec_lists_all_rows(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["coverage-of-spec", "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 670
    assert set(rows["A-01"]) == {"tests", "passing"}
    assert [sum(row[0] == letter for row in rows) for letter in "ABCDE"] == [119, 71, 143, 243, 94]
    cli.main(["coverage-of-spec"])
    assert "目录 D：共 243 行" in capsys.readouterr().out


def test_coverage_before_any_run_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.setattr(config, "ROOT", tmp_path)
    cli.main(["coverage-of-spec", "--json"])
    said = capsys.readouterr()
    assert "尚未运行测试" in said.err and len(json.loads(said.out)) == 670


def test_a_catalogue_with_a_missing_row_is_noticed(tmp_path: Path) -> None:
    for path in (ROOT / "docs" / "spec").glob("source-*.md"):
        (tmp_path / path.name).write_text(
            path.read_text(encoding="utf-8").replace("| A-17 ", "| "), encoding="utf-8"
        )
    with pytest.raises(ValueError, match="catalogue A has 118 rows instead of 119"):
        spec_coverage.rows(tmp_path)


def test_the_run_records_which_rows_it_proves(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "spec").symlink_to(ROOT / "docs" / "spec")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = spec\ntestpaths = .\n")
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "@pytest.mark.spec('A-01', 'B-02')\n"
        "def test_good(): assert True\n"
        "@pytest.mark.spec('A-01')\n"
        "def test_also_good(): assert True\n"
        "@pytest.mark.spec('B-02')\n"
        "def test_bad(): assert False\n"
        "@pytest.mark.spec('C-03')\n"
        "def test_later(): pytest.skip()\n"
    )
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.plugins.spec", "-n", "2"]
    subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, check=False)
    recorded = json.loads((tmp_path / "var" / "spec-results.json").read_text())
    assert recorded == {
        "A-01": {"tests": 2, "passing": True},
        "B-02": {"tests": 2, "passing": False},
        "C-03": {"tests": 0, "passing": False},
    }


def test_an_unknown_row_is_refused(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "spec").symlink_to(ROOT / "docs" / "spec")
    (tmp_path / "test_it.py").write_text(
        "import pytest\n@pytest.mark.spec('A-999')\ndef test_it(): assert 1\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.plugins.spec"]
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode != 0
    assert "names unknown rows: A-999" in ran.stdout + ran.stderr
