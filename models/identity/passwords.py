"""Passwords: how strong they must be, how one is made up, how they are kept."""

from __future__ import annotations

import secrets
import string

from flask import current_app, has_app_context
from werkzeug.security import check_password_hash, generate_password_hash

SHORTEST = 10
LONGEST = 128
_SIGNS = "!@#$%*-_+=?"
_EASY_TO_READ = "".join(c for c in string.ascii_letters + string.digits if c not in "0O1lI")


def weakness(password: str, username: str = "") -> str:
    """The sentence that says what a password lacks; empty when it is strong enough."""
    if len(password) < SHORTEST:
        return f"密码至少{SHORTEST}位"
    if len(password) > LONGEST:
        return f"密码最多{LONGEST}位"
    if any(c.isspace() for c in password):
        return "密码不能包含空格"
    kinds = (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
    if not all(any(kind(c) for c in password) for kind in kinds):
        return "密码须同时包含大写字母、小写字母、数字和符号"
    if username and username.lower() in password.lower():
        return "密码不能包含登录名"
    return ""


def made_up() -> str:
    """A random strong password without letters that are easily confused."""
    body = [secrets.choice(_EASY_TO_READ) for _ in range(10)]
    body += [secrets.choice(s) for s in ("ABCDEFGHJKMN", "abcdefghjkmn", "23456789", _SIGNS)]
    secrets.SystemRandom().shuffle(body)
    return "".join(body)


def hashed(password: str) -> str:
    """The salted hash to store, made by the method the installation chose."""
    method = current_app.config.get("FAB_PASSWORD_HASH_METHOD") if has_app_context() else None
    return generate_password_hash(password, method or "scrypt")


def matches(stored: str | None, password: str) -> bool:
    """Whether the password belongs to the stored hash."""
    return bool(stored) and check_password_hash(stored or "", password)
