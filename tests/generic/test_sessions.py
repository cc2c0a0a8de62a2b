"""Signing in and out, forms that outlive a session, and two people at one record."""

from __future__ import annotations

import html
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep
from typing import Any

import pytest
from flask import Flask
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import text

from app.engine.database import db
from tests.generic.world import HERE, MASKED, PASSWORD, SEES, World
from tests.plugins.databases import settings_for_tests

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
WORKERS = 12
ORIGIN = {"Origin": "http://localhost"}


def hidden(page: str) -> list[tuple[str, str]]:
    """The hidden fields of a page's form."""
    return [(name, html.unescape(value)) for name, value in _HIDDEN.findall(page)]


def enter(client: Any, username: str = SEES, password: str = PASSWORD, **more: str) -> Any:
    """Sign in through the form."""
    return client.post("/login", data={"username": username, "password": password, **more})


# ----- the session


def test_form_outlives_the_session(app: Flask, client: Any) -> None:
    """Everything typed is there after signing in again, and nothing is saved before the person says so."""
    typed = {"name": "存着的<客户>", "phone": "13812345678", "remark": "第一行\n第二行", "_once": "kept"}
    expired = client.post("/customers/new", data=typed, headers=ORIGIN)
    assert expired.status_code == 401
    page = expired.get_data(as_text=True)
    assert "您填写的内容已保留" in page
    packed = dict(hidden(page))["_replay"]
    again = enter(client, _replay=packed)
    assert again.status_code == 200
    kept = hidden(again.get_data(as_text=True))
    assert {k: v for k, v in kept if k in typed} == typed
    count = text("SELECT count(*) FROM customers WHERE phone = '13812345678'")
    assert db.session.scalar(count) == 0
    saved = client.post("/customers/new", data=dict(kept))
    assert saved.status_code == 302
    assert db.session.scalar(count) == 1


def test_password_never_travels_with_a_kept_form(app: Flask, client: Any) -> None:
    """A session that ends while a password is changed: the words are not written into the page."""
    secrets = {
        "old": "Old-secret-1",
        "new": "New-secret-1",
        "repeat": "New-secret-1",
        "initial_password": "Ini-secret-1",
    }
    for path in ("/profile/password", "/employees/new", "/employees/action/reset_password"):
        page = client.post(path, data=secrets, headers=ORIGIN).get_data(as_text=True)
        packed = dict(hidden(page)).get("_replay", "")
        again = enter(client, _replay=packed).get_data(as_text=True)
        client.post("/logout")
        for secret in secrets.values():
            assert secret not in page
            assert secret not in again


@pytest.mark.parametrize("origin", [{}, {"Origin": "http://elsewhere.example"}, {"Origin": "null"}])
def test_form_of_a_stranger_is_not_kept(app: Flask, client: Any, origin: dict[str, str]) -> None:
    answer = client.post("/customers/new", data={"name": "外来"}, headers=origin)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login")


def test_kept_form_cannot_be_forged(app: Flask, client: Any) -> None:
    answer = enter(client, _replay="eyJwYXRoIjoiL2N1c3RvbWVycy9uZXcifQ.forged")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/%0d%0aX: y",
        "\\\\evil",
    ],
)
def test_login_leads_to_this_product_only(app: Flask, client: Any, target: str) -> None:
    answer = enter(client, next=target)
    assert answer.status_code == 302
    where = answer.headers["Location"]
    assert where.startswith("/")
    assert not where.startswith(("//", "/\\"))
    assert "\n" not in where


def test_login_leads_back_to_where_one_wanted(app: Flask, client: Any) -> None:
    wanted = "/customers/?scope=dealer&window=all"
    sent = client.get(wanted)
    page = client.get(sent.headers["Location"]).get_data(as_text=True)
    assert enter(client, next=dict(hidden(page))["next"]).headers["Location"] == wanted


def test_background_calls_get_words_not_a_login_page(app: Flask, client: Any) -> None:
    answer = client.get("/customers/check/phone?value=1", headers={"X-Requested-With": "fetch"})
    assert answer.status_code == 401
    assert "登录已失效" in answer.get_json()["message"]


# ----- passwords


def test_wrong_password_tells_nothing(app: Flask, client: Any) -> None:
    """An unknown name and a wrong password look the same."""
    unknown = enter(client, "nobody-of-that-name")
    wrong = enter(client, SEES, "wrong")
    assert unknown.status_code == wrong.status_code == 401
    strip = re.compile(r'value="[^"]*"')
    assert strip.sub("", unknown.get_data(as_text=True)) == strip.sub("", wrong.get_data(as_text=True))


@pytest.mark.parametrize("entrance", ["page", "api"])
def test_five_failures_lock_the_account(app: Flask, client: Any, entrance: str) -> None:
    def attempt(password: str) -> Any:
        if entrance == "page":
            return enter(client, SEES, password)
        return client.post("/api/v1/security/login", json={"username": SEES, "password": password})

    for _ in range(5):
        assert attempt("wrong").status_code == 401
    assert attempt(PASSWORD).status_code == 401, "locked, although the password is right"
    db.session.execute(
        text("UPDATE ab_user SET locked_until = '2020-01-01 00:00:00' WHERE username = :n"), {"n": SEES}
    )
    db.session.commit()
    assert attempt(PASSWORD).status_code in (200, 302)


@pytest.mark.parametrize("entrance", ["login", "own password"])
def test_attempts_at_the_same_moment_are_no_way_round_the_lock(
    app: Flask, world: World, client: Any, monkeypatch: pytest.MonkeyPatch, entrance: str
) -> None:
    """However many arrive together, five passwords are compared."""
    from app.engine import security

    compared, together = [], Barrier(WORKERS)

    def compare(stored: str, given: str) -> bool:
        compared.append(given)
        sleep(0.05)
        return stored != security._FAKE_HASH and given == PASSWORD

    def attempt(number: int) -> Any:
        with app.app_context():
            together.wait(timeout=30)
            manager = app.appbuilder.sm  # type: ignore[attr-defined]
            if entrance == "login":
                return manager.auth_user_db(SEES, f"wrong{number}")
            return manager.confirms(world.people[SEES], f"wrong{number}") or None

    monkeypatch.setattr(security, "check_password_hash", compare)
    with ThreadPoolExecutor(WORKERS) as pool:
        assert list(pool.map(attempt, range(WORKERS))) == [None] * WORKERS
    assert len(compared) == 5
    assert enter(client).status_code == 401, "locked, although the password is right"


def test_wrong_passwords_on_the_own_page_lock_the_account_as_well(
    app: Flask, client: Any, login: Any
) -> None:
    mine, fresh = login(SEES), "Another-2025-Long"
    for _ in range(5):
        answer = mine.post("/profile/password", data={"old": "wrong", "new": fresh, "repeat": fresh})
        assert answer.status_code == 400 and "原密码不正确" in answer.get_data(as_text=True)
    assert (
        mine.post("/profile/password", data={"old": PASSWORD, "new": fresh, "repeat": fresh}).status_code
        == 400
    )
    assert enter(client, SEES, PASSWORD).status_code == 401
    assert enter(client, SEES, fresh).status_code == 401


@pytest.mark.sqlite_only
def test_the_own_password_is_tried_as_rarely_as_a_login(
    app: Flask, login: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter = app.appbuilder.sm.limiter  # type: ignore[attr-defined]
    monkeypatch.setattr(limiter, "enabled", True)
    monkeypatch.setattr(limiter, "_limiter", FixedWindowRateLimiter(MemoryStorage()))
    monkeypatch.setitem(app.config, "AUTH_RATE_LIMIT", "2 per minute")
    mine, wrong = login(SEES), {"old": "wrong", "new": "Another-2025-Long", "repeat": "Another-2025-Long"}
    assert [mine.post("/profile/password", data=wrong).status_code for _ in range(3)] == [400, 400, 429]


@pytest.mark.sqlite_only
def test_many_attempts_are_slowed_down(app: Flask, tmp_path: Any) -> None:
    """However many names are tried from one place."""
    from app.factory import create_app

    other = create_app(
        {**settings_for_tests(app.config["SQLALCHEMY_DATABASE_URI"], tmp_path), "RATELIMIT_ENABLED": True}
    )
    visitor = other.test_client()
    codes = [enter(visitor, f"name{n}", "wrong").status_code for n in range(30)]
    assert codes[0] == 401
    assert codes[-1] == 429
    called = visitor.post("/api/v1/security/login", json={"username": "x", "password": "y"})
    assert called.status_code in (401, 429)
    said = visitor.post("/login", data={"username": "x", "password": "y"}).get_data(as_text=True)
    assert "操作过于频繁" in said
    with other.app_context():
        db.engine.dispose()


def test_new_password_ends_other_sessions(app: Flask, login: Any) -> None:
    mine, other = login(SEES), login(SEES)
    assert other.get("/customers/").status_code == 200
    token = other.post("/api/v1/security/login", json={"username": SEES, "password": PASSWORD}).get_json()
    head = {"Authorization": f"Bearer {token['access_token']}"}
    assert app.test_client().get("/api/v1/customers", headers=head).status_code == 200
    fresh = "Another-2025-Long"
    changed = mine.post("/profile/password", data={"old": PASSWORD, "new": fresh, "repeat": fresh})
    assert changed.status_code == 302, changed.get_data(as_text=True)
    assert mine.get("/customers/").status_code == 200
    assert other.get("/customers/").status_code == 302
    assert app.test_client().get("/api/v1/customers", headers=head).status_code == 401


def test_closed_account_is_out_at_the_next_click(app: Flask, clients: Any, login: Any, world: World) -> None:
    victim = login(MASKED)
    assert victim.get("/customers/").status_code == 200
    done = clients(SEES).post("/employees/action/deactivate", data={"id": world.people[MASKED]})
    assert done.status_code in (200, 302)
    assert victim.get("/customers/").status_code == 302


def test_signing_out_ends_the_session(app: Flask, login: Any) -> None:
    client = login(SEES)
    assert client.get("/logout").status_code == 405
    name = app.config["SESSION_COOKIE_NAME"]
    cookie, other = client.get_cookie(name).value, login(SEES)
    assert client.post("/logout").status_code == 302
    assert client.get("/customers/").status_code == 302
    stolen = app.test_client()
    stolen.set_cookie(name, cookie)
    assert stolen.get("/customers/").status_code == 302, "the old cookie opens nothing"
    assert other.get("/customers/").status_code == 200, "another device stays signed in"


def test_ended_sessions_are_forgotten_when_their_cookies_are_too_old(app: Flask, login: Any) -> None:
    kept = text("SELECT count(*) FROM ended_sessions")
    login(SEES).post("/logout")
    login(SEES).post("/logout")
    assert db.session.scalar(kept) == 2
    db.session.execute(text("UPDATE ended_sessions SET until = '2020-01-01 00:00:00'"))
    db.session.commit()
    login(SEES).post("/logout")
    assert db.session.scalar(kept) == 1


def test_cookie_is_closed_to_scripts_and_other_sites(app: Flask, client: Any) -> None:
    cookie = enter(client).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_pages_are_kept_by_no_cache_and_framed_by_nobody(app: Flask, clients: Any) -> None:
    head = clients(SEES).get("/customers/").headers
    assert "no-store" in head["Cache-Control"]
    assert "frame-ancestors 'none'" in head["Content-Security-Policy"]
    assert "script-src 'self'" in head["Content-Security-Policy"]
    assert head["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["zhike.css?v=1", "vendor/tabler-icons-3.49.0.woff2"])
def test_static_files_are_kept_for_ever_and_hold_nobodys_session(clients: Any, path: str) -> None:
    answer = clients(SEES).get(f"/static/{path}")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers


# ----- two people, two clicks


@pytest.mark.spec("D-15", "A-116")
def test_stale_form_shows_both_sides(app: Flask, world: World, clients: Any) -> None:
    pk, path = world.records["customers", HERE], f"/customers/{world.records['customers', HERE]}/edit"
    mine, theirs = clients(SEES), clients("admin")
    opened = dict(hidden(mine.get(path).get_data(as_text=True)))
    first = theirs.post(
        path, data={"name": "对方的名字", "phone": "13711112222", "version": opened["version"]}
    )
    assert first.status_code == 302
    late = mine.post(path, data={"name": "我的名字", "phone": "13711112222", "version": opened["version"]})
    assert late.status_code == 409
    page = late.get_data(as_text=True)
    assert "数据已被他人修改，请刷新后重试" in page
    assert "我的名字" in page
    assert "对方的名字" in page
    assert "管理员" in page
    name = text("SELECT name FROM customers WHERE id = :id")
    assert db.session.scalar(name, {"id": pk}) == "对方的名字"
    insisted = mine.post(path, data={"name": "我的名字", "phone": "13711112222", **dict(hidden(page))})
    assert insisted.status_code == 302
    assert db.session.scalar(name, {"id": pk}) == "我的名字"


@pytest.mark.spec("D-15")
def test_stale_action_and_stale_call_are_refused(app: Flask, world: World, clients: Any) -> None:
    pk = world.records["customers", HERE]
    client = clients(SEES)
    old = client.get(f"/api/v1/customers/{pk}").get_json()["result"]["version"]
    changed = client.patch(f"/api/v1/customers/{pk}", json={"name": "新名", "version": old})
    assert changed.status_code == 200
    late = client.patch(f"/api/v1/customers/{pk}", json={"name": "旧名", "version": old})
    assert late.status_code == 409
    assert late.get_json()["message"] == "数据已被他人修改，请刷新后重试"
    data = {"id": pk, "version": old, "text": "晚了"}
    assert client.post("/customers/action/write_follow_up", data=data).status_code == 409
    call = client.post(
        "/api/v1/customers/actions/write_follow_up", json={"ids": [pk], "version": old, "text": "晚了"}
    )
    assert call.status_code == 409
    assert db.session.scalar(text("SELECT count(*) FROM follow_ups WHERE text = '晚了'")) == 0


def test_double_click_on_an_action_acts_once(app: Flask, world: World, clients: Any) -> None:
    pk, client = world.records["customers", HERE], clients(SEES)
    for _ in range(2):
        answer = client.post(
            "/customers/action/write_follow_up", data={"id": pk, "text": "一次", "_once": "click"}
        )
        assert answer.status_code in (302, 400)
    assert db.session.scalar(text("SELECT count(*) FROM follow_ups WHERE text = '一次'")) == 1


def test_changed_role_acts_at_the_next_click(app: Flask, world: World, clients: Any) -> None:
    """The phones of a role are hidden between two clicks of a person who is signed in."""
    from sqlalchemy import select

    from app.engine.actions import Act
    from app.engine.audit import acting
    from app.engine.database import utcnow, writing
    from app.engine.guards import CUSTOMER_PHONE
    from app.engine.scopes import SYSTEM
    from models.identity import role_rules
    from models.identity.roles import StaffRole

    client, phone = clients(SEES), world.secrets["customers", "phone", HERE]
    path = f"/customers/{world.records['customers', HERE]}"
    assert phone in client.get(path).get_data(as_text=True)
    session = db.session()
    with writing(session), acting(session, Act(SYSTEM, utcnow(), session, "job", "init")):
        role = session.scalars(select(StaffRole).where(StaffRole.name == f"generic:{SEES}")).one()
        rights = role_rules.rights_of(session, role.id)
        role_rules.give(
            session, role, role_rules.Rights(rights.grants | {CUSTOMER_PHONE.permission}, rights.scopes)
        )
        session.commit()
    assert phone not in client.get(path).get_data(as_text=True)
