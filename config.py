"""Settings: every one comes from the environment and has a default with which the product works.

Only the outermost layer reads this module (`run.py`, `app.factory`, `app.cli`, `app.supervisor`).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from limits import parse_many
from redis.connection import parse_url as parse_redis_url
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parent
_PASSWORD_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # without letters that look alike


SHORTEST_KEY = 16
_DATABASE_PATIENCE = 5  # seconds a server may take to answer a connection


class BadSetting(ValueError):
    """An environment variable holds something unusable; the text says which, in Chinese."""


def new_password() -> str:
    """A random password that satisfies the product's own complexity rule."""
    letters = "".join(secrets.choice(_PASSWORD_ALPHABET) for _ in range(10))
    return f"Zk-{letters}-{secrets.randbelow(90) + 10}K"


_SECRETS = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "ADMIN_PASSWORD": new_password,
    "DEMO_PASSWORD": new_password,
}


def secret_path(name: str, data_dir: Path) -> Path:
    """Where a generated secret is kept: readable by the owner only."""
    return data_dir / "secrets" / name.lower()


def secret(name: str, data_dir: Path, environ: Mapping[str, str]) -> str:
    """The secret from the environment, else the one generated into ``data_dir`` (created when absent).

    Several processes may start at the same time: the first to create the file wins, all read it.
    """
    given = environ.get(name, "")
    if given:
        return given
    path = secret_path(name, data_dir)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        fresh.write_text(_SECRETS[name](), encoding="utf-8")
        fresh.chmod(0o600)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first; its value is the one that counts
        finally:
            fresh.unlink()
    return path.read_text(encoding="utf-8").strip()


def weak(name: str, given: str) -> str:
    """What makes a secret that somebody chose too simple, in words; empty when nothing does."""
    if name == "SECRET_KEY":
        return "" if len(given) >= SHORTEST_KEY else f"至少应有 {SHORTEST_KEY} 个字符"
    from models.identity.passwords import weakness

    return weakness(given)


def warnings(environ: Mapping[str, str]) -> list[str]:
    """Secrets of the environment that are too simple, for the terminal: a trial may go on with them."""
    found = ((name, weak(name, environ[name])) for name in _SECRETS if environ.get(name))
    return [f"提醒：环境变量 {name} 过于简单（{words}），正式使用前请更换" for name, words in found if words]


def logins(settings: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Who may sign in, for the terminal. A generated password is told once; later, where it is kept."""
    data = Path(settings["DATA_DIR"])
    shown = data / "secrets" / "shown"
    shown.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = []
    for name, who in (
        ("ADMIN_PASSWORD", "管理员 admin"),
        (
            "DEMO_PASSWORD",
            "演示账号 dealeradmin1（商场系统管理员）、manager1、consultant1、consultant2、designer1、clerk1、"
            "channel1、channelmanager1，"
            "另一商场 dealeradmin2d、manager2d、consultant2d、designer2d",
        ),
    ):
        if name == "DEMO_PASSWORD" and not settings["DEMO"]:
            continue
        if environ.get(name):
            lines.append(f"{who}：密码为环境变量 {name} 的值")
        elif (shown / name.lower()).exists():
            lines.append(f"{who}：密码见文件 {secret_path(name, data)}")
        else:
            lines.append(f"{who}：密码 {settings[name]}（只显示这一次，保存在 {secret_path(name, data)}）")
            (shown / name.lower()).touch()
    return lines


def whole_number(name: str, default: int, environ: Mapping[str, str], *, low: int, high: int) -> int:
    """A whole number from the environment within its bounds; raises `BadSetting`."""
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise BadSetting(f"环境变量 {name} 应为 {low} 到 {high} 之间的整数，现在是“{text}”")
    return int(text)


def switch(name: str, default: bool, environ: Mapping[str, str]) -> bool:
    """An on/off setting; raises `BadSetting` for anything that is neither."""
    text = environ.get(name, "").strip().lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise BadSetting(f"环境变量 {name} 应为 1 或 0，现在是“{text}”")


def data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of everything that is kept: database, secrets, files, the embedded Redis with its log."""
    given = (os.environ if environ is None else environ).get("DATA_DIR", "")
    return Path(given).expanduser().resolve() if given else ROOT / "var"


def _redis_url(data: Path, environ: Mapping[str, str]) -> str:
    """The given Redis, else the embedded one of a running `serve` on the same data, else none."""
    given = environ.get("REDIS_URL", "")
    if given:
        try:
            parse_redis_url(given)
        except ValueError:
            raise BadSetting(
                "环境变量 REDIS_URL 的格式不正确，应为 redis://用户:密码@主机:端口/编号"
            ) from None
        return given
    note = data / "run" / "redis.url"
    return note.read_text(encoding="utf-8").strip() if note.exists() else ""


def _database_url(data: Path, environ: Mapping[str, str]) -> str:
    url = environ.get("DATABASE_URL", "")
    for short in ("postgres://", "postgresql://"):
        if url.startswith(short):
            url = "postgresql+psycopg://" + url.removeprefix(short)
    if url and not url.startswith(("postgresql+psycopg://", "sqlite:///")):
        raise BadSetting("环境变量 DATABASE_URL 只支持 postgresql+psycopg:// 或 sqlite:/// 开头的地址")
    try:
        parsed = make_url(url) if url else None
    except (ArgumentError, ValueError):
        parsed = URL.create("")
    if parsed is not None and not parsed.database:
        raise BadSetting(
            "环境变量 DATABASE_URL 的格式不正确，应为 postgresql+psycopg://用户:密码@主机/库 或 sqlite:////路径"
        )
    return url or f"sqlite:///{data / 'zhike.db'}"


def _limit(name: str, default: str, environ: Mapping[str, str]) -> str:
    """How often something may be tried: a limit nobody can read would be none."""
    text = environ.get(name, "").strip() or default
    try:
        good = all(limit.amount > 0 for limit in parse_many(text))
    except ValueError:
        good = False
    if not good:
        raise BadSetting(
            f"环境变量 {name} 应为“次数 per 时间”，例如 20 per minute 或 100 per hour，现在是“{text}”"
        )
    return text


def _smtp_url(environ: Mapping[str, str]) -> str:
    """The mail server, or none; raises `BadSetting`."""
    url = environ.get("SMTP_URL", "").strip()
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise BadSetting("环境变量 SMTP_URL 的格式不正确，应为 smtp://用户:密码@主机:端口 或 smtps:// 开头")
    if "@" not in environ.get("MAIL_FROM", ""):
        raise BadSetting("设置了 SMTP_URL 时，环境变量 MAIL_FROM 应为发件人的邮箱地址")
    return url


def _site_url(environ: Mapping[str, str]) -> str:
    """Under which address people reach the product, for links in messages; or none. Raises `BadSetting`."""
    url = environ.get("SITE_URL", "").strip()
    if url and not (url.startswith(("http://", "https://")) and urlsplit(url).hostname):
        raise BadSetting("环境变量 SITE_URL 应为 http:// 或 https:// 开头的网址")
    return url


def _hosts(name: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(host.strip() for host in environ.get(name, "").split(",") if host.strip())


def _made(data: Path) -> None:
    """Have the data folder, for its owner only where it is new; raises `BadSetting`."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"数据目录 {data} 无法使用：{error.strerror or error}；请检查 DATA_DIR") from None
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        raise BadSetting(f"数据目录 {data} 无法使用：没有写入权限；请检查 DATA_DIR")


def settings(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Every setting of the application, ready for ``app.config``; raises `BadSetting`."""
    env = os.environ if environ is None else environ
    data = data_dir(env)
    _made(data)
    database = _database_url(data, env)
    redis_url = _redis_url(data, env)
    threads = whole_number("WEB_THREADS", 4, env, low=1, high=64)
    https = switch("COOKIE_SECURE", False, env)
    pool: dict[str, Any] = {"hide_parameters": True}  # errors are logged, numbers and hashes are not
    if not database.startswith("sqlite"):
        patience = {"connect_timeout": _DATABASE_PATIENCE}
        pool |= {"pool_size": threads + 2, "pool_pre_ping": True, "connect_args": patience}
    return {
        "DATA_DIR": data,
        "HOST": env.get("HOST", "") or "127.0.0.1",
        "PORT": whole_number("PORT", 8080, env, low=1, high=65535),
        "WEB_WORKERS": whole_number("WEB_WORKERS", 2, env, low=1, high=64),
        "WEB_THREADS": threads,
        "SECRET_KEY": secret("SECRET_KEY", data, env),
        "ADMIN_PASSWORD": secret("ADMIN_PASSWORD", data, env),
        "DEMO_PASSWORD": secret("DEMO_PASSWORD", data, env),
        "DEMO": switch("DEMO", True, env),
        "METRICS_TOKEN": env.get("METRICS_TOKEN", ""),
        # database: migrations own the schema, `init` owns the permissions
        "SQLALCHEMY_DATABASE_URI": database,
        "SQLALCHEMY_ENGINE_OPTIONS": pool,
        "FAB_CREATE_DB": False,
        "FAB_UPDATE_PERMS": False,
        # queue
        "REDIS_URL": redis_url,
        # people and sessions
        "AUTH_RATE_LIMITED": True,
        "AUTH_RATE_LIMIT": _limit("LOGIN_LIMIT", "20 per minute", env),
        "LOOKUP_LIMIT": _limit("LOOKUP_LIMIT", "60 per minute; 600 per hour", env),
        "RATELIMIT_ENABLED": True,
        "RATELIMIT_STORAGE_URI": redis_url or "memory://",
        "RATELIMIT_STORAGE_OPTIONS": {"socket_connect_timeout": 0.3, "socket_timeout": 0.5}
        if redis_url
        else {},
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": bool(redis_url),
        "RATELIMIT_SWALLOW_ERRORS": True,
        "FAB_PASSWORD_COMPLEXITY_ENABLED": True,
        "FAB_SAFE_REDIRECT_HOSTS": list(_hosts("SAFE_REDIRECT_HOSTS", env)),
        "FAB_ALLOW_GET_UNSAFE_MUTATIONS": False,
        "FAB_API_SHOW_STACKTRACE": False,
        "FAB_ADD_SECURITY_API": False,
        "WTF_CSRF_TIME_LIMIT": None,  # bound to the session, so a form left open over lunch still saves
        "SESSION_COOKIE_NAME": "zhike",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "REMEMBER_COOKIE_SECURE": https,
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": timedelta(
            hours=whole_number("SESSION_HOURS", 12, env, low=1, high=24 * 31)
        ),
        "MAX_CONTENT_LENGTH": 32 * 1024 * 1024,
        "PROXY_HOPS": whole_number("PROXY_HOPS", 0, env, low=0, high=5),
        # messages that leave the product: how they lead back, the mail server, robots inside the own network
        "SITE_URL": _site_url(env),
        "SMTP_URL": _smtp_url(env),
        "MAIL_FROM": env.get("MAIL_FROM", "").strip(),
        "ROBOT_HOSTS": _hosts("ROBOT_HOSTS", env),
        # language and time
        "BABEL_DEFAULT_LOCALE": "zh",
        "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
        "BABEL_TRANSLATION_DIRECTORIES": str(ROOT / "translations"),
        "LANGUAGES": {"zh": {"flag": "cn", "name": "中文"}},
        "APP_NAME": "知客",
        "TEMPLATES_AUTO_RELOAD": False,
        "JSON_AS_ASCII": False,
    }
