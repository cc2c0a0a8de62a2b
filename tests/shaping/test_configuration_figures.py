"""What shaping costs and how fast it holds: no statement of a request more, and two seconds to every process."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask import Flask

from app.engine.database import db
from app.engine.guards import CUSTOMER_PHONE
from app.engine.perform import update
from models.identity import role_rules
from models.identity.presets import preset_role
from models.identity.resources import Roles
from tests.customers.world import World
from tests.generic.test_queries import LIST_LIMIT, counted
from tests.plugins.people import Login
from tests.shaping.shapes import furnish_shapes

ROOT = Path(__file__).resolve().parents[2]
PHONE = "13800000471"
WITHIN = 2.0
ANOTHER = """
import sys, time
from pathlib import Path
from app.factory import create_app
from tests.plugins.databases import settings_for_tests
app = create_app(settings_for_tests(sys.argv[1], Path(sys.argv[2])))
client = app.test_client()
with client.session_transaction() as session:
    session["_user_id"], session["_fresh"] = sys.argv[3], True
def shown():
    page = client.get("/customers/?window=all").get_data(as_text=True)
    assert "周敏" in page
    return sys.argv[4] in page
assert shown()
print("ready", flush=True)
sys.stdin.readline()
while shown():
    time.sleep(0.02)
print(time.time(), flush=True)
"""


@pytest.mark.usefixtures("boss_b")
def test_a_request_asks_the_database_nothing_for_its_configuration(world: World, login: Login) -> None:
    world.customer("seller", name="周敏", phone=PHONE)
    client = login("seller")
    addresses = ("/customers/?window=all&on_view=-", "/customers/new", "/tasks/")

    def asked() -> list[int]:
        found = []
        for address in addresses:
            client.get(address)
            client.get(address)
            with counted() as seen:
                assert client.get(address).status_code == 200
            found.append(len(seen))
        return found

    before = asked()
    furnish_shapes(world)
    after = asked()
    assert after == before and after[0] <= LIST_LIMIT


def test_a_role_that_is_changed_holds_in_another_process_within_two_seconds(
    app: Flask, world: World, login: Login, database_url: str, tmp_path: Path
) -> None:
    world.customer("seller", name="周敏", phone=PHONE)
    db.session.commit()
    with login("seller").session_transaction() as session:
        signed = str(session["_user_id"])
    command = [sys.executable, "-c", ANOTHER, database_url, str(tmp_path), signed, PHONE]
    other = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdin is not None and other.stdout is not None
    try:
        assert other.stdout.readline().strip() == "ready"
        role = preset_role(db.session(), world.a.id, "consultant")
        held = role_rules.as_texts(role_rules.rights_of(db.session(), role.id))
        grants = [*held["grants"], "@".join(CUSTOMER_PHONE.permission)]
        update(Roles, role.id, {"grants": grants}, world.actor("boss"))
        changed = time.time()
        other.stdin.write("go\n")
        other.stdin.flush()
        assert float(other.stdout.readline()) - changed <= WITHIN
    finally:
        other.kill()
        other.wait()
