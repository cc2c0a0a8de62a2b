"""The presets of trades, and the configuration on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select

from app import cli as commands
from app.engine.choices import dictionary
from app.engine.configured import difference, files
from app.engine.database import db
from models.clock_rules.tables import ClockRule
from models.settings.queries import snapshot
from models.shaping.presets import Preset, presets
from tests.customers.world import World, words
from tests.plugins.people import Login


@pytest.mark.parametrize("preset", presets(), ids=lambda p: p.name)
def test_a_preset_fits_this_version_and_a_second_time_changes_nothing(world: World, preset: Preset) -> None:
    actor, session = world.actor("boss"), db.session()
    file = files.read(preset.text, actor)
    found = difference.plan(session, file, actor, world.a.id)
    assert found.steps and not any(s.sign == difference.REMOVE for s in found.steps)
    difference.carry_out(session, found, actor)
    assert difference.plan(session, file, actor, world.a.id).steps == []
    levels = [e.label for e in dictionary("customer.level", world.a.id)]
    assert len(levels) == 5 and all("（" in label for label in levels)
    assert [e.label for e in snapshot(session).dictionary("customer.level", world.b.id)] == list("HABCD")
    rules = session.scalars(select(ClockRule.name).where(ClockRule.dealer_id == world.a.id)).all()
    assert any("H级" in name for name in rules)


def test_a_preset_is_offered_shown_and_applied(world: World, login: Login) -> None:
    client = login("boss")
    assert "汽车4S" in client.get("/configuration/").get_data(as_text=True)
    shown = client.get("/configuration/import?preset=cars").get_data(as_text=True)
    assert "套用预设：汽车4S" in words(shown) and "客户来源/到店/车展" in words(shown)
    seen = shown.split('name="seen" value="')[1].split('"')[0]
    sent = {"preset": "cars", "owner": str(world.a.id), "seen": seen, "step": "import"}
    done = client.post("/configuration/import", data=sent, follow_redirects=True)
    assert "已套用预设" in done.get_data(as_text=True)
    assert "车展" in [e.label for e in snapshot(db.session()).dictionary("customer.source", world.a.id)]
    again = client.get("/configuration/import?preset=cars").get_data(as_text=True)
    assert "与现有配置完全相同" in again
    assert client.get("/configuration/import?preset=nothing").status_code == 200


@pytest.fixture
def run(app: Flask, monkeypatch: pytest.MonkeyPatch) -> object:
    """``run("config", "export", …)``: the command in this test's application."""
    monkeypatch.setattr(commands, "_app", lambda **_: app)

    def invoke(*args: str) -> Result:
        db.session.commit()
        return CliRunner().invoke(commands.cli, list(args))

    return invoke


def test_the_commands_take_out_compare_and_bring_in(world: World, run, tmp_path: Path) -> None:
    path = tmp_path / "甲.json"
    assert run("config", "export", str(path), "--dealer", "TA").exit_code == 0
    same = run("config", "diff", str(path), "--dealer", "TA")
    assert same.exit_code == 0 and "新增 0，修改 0，删除 0" in same.output
    body = json.loads(path.read_text(encoding="utf-8"))
    body["kinds"]["tags"] = [{"name": "急装"}]
    path.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
    other = run("config", "diff", str(path), "--dealer", "TA")
    assert other.exit_code == 1 and "标签：新增 1" in other.output and "新增 急装" in other.output
    dry = run("config", "import", str(path), "--dealer", "TA", "--dry-run")
    assert dry.exit_code == 0 and "检查通过，将改动 1 项" in dry.output
    assert run("config", "diff", str(path), "--dealer", "TA").exit_code == 1
    done = run("config", "import", str(path), "--dealer", "TA")
    assert done.exit_code == 0 and "已导入，1 项配置有改动" in done.output
    assert "没有改动" in run("config", "import", str(path), "--dealer", "TA").output
    group = run("config", "export")
    assert json.loads(group.output)["of"] == "group"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("import", "{bad}", "--dealer", "TA"), "第2行，标签：缺少标签名称（name）"),
        (("import", "{bad}", "--dealer", "TA"), "不能导入，没有任何改动"),
        (("diff", "{none}"), "找不到文件"),
        (("export", "--dealer", "XX"), "没有编号为 XX 的商场"),
        (("export", "--as", "nobody"), "没有可用的账号"),
        (("export", "--as", "boss"), "集团预置的配置"),
    ],
)
def test_wrong_use_of_the_commands_is_said(
    world: World, run, tmp_path: Path, args: tuple[str, ...], sentence: str
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(
        '{"product": "知客", "format": 1, "of": "dealer",\n"kinds": {"tags": [{"name": "长"}, {"name": ""}]}}'
    )
    given = [a.format(bad=bad, none=tmp_path / "none.json") for a in args]
    found = run("config", *given)
    assert found.exit_code == 1
    assert sentence in found.output
