"""What the code itself must not contain: scopes by hand, queries in views, values past the escaping."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VIEWS = sorted((ROOT / "views").glob("*.py"))
SOURCES = sorted(p for part in ("app", "models", "views", "jobs") for p in (ROOT / part).rglob("*.py"))
TEMPLATES = sorted((ROOT / "app" / "templates").rglob("*.html"))
SCOPED = re.compile(r"\b(?:Customer|Contact|ServiceOrder|FactoryOrder|Receipt|FollowUp|Task|SmsMessage)\b")
"""Records that belong to people and stores; views reach them through the engine alone."""


def ids(paths: list[Path]) -> list[str]:
    """Readable names of files."""
    return [str(p.relative_to(ROOT)) for p in paths]


@pytest.mark.sqlite_only
@pytest.mark.parametrize("path", VIEWS, ids=ids(VIEWS))
def test_views_reach_scoped_records_through_the_engine(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert "session.query" not in source
    assert not SCOPED.findall(source), "a view names a scoped model: ask listing, reading or perform"
    assert not re.search(
        r"\.(owner|filer|writer|employee|designer|store|department)_id\s*==\s*(actor|me)\b", source
    ), "a scope written by hand"


@pytest.mark.sqlite_only
@pytest.mark.parametrize("path", TEMPLATES, ids=ids(TEMPLATES))
def test_templates_escape_every_value(path: Path) -> None:
    """`|safe` is for literals of the template alone."""
    source = path.read_text(encoding="utf-8")
    for found in re.finditer(r"(\S+)\s*\|\s*safe", source):
        assert found.group(1).endswith(("'", '"')), found.group(0)
    assert "autoescape false" not in source


@pytest.mark.sqlite_only
def test_no_legacy_queries_and_no_lazy_loads() -> None:
    wrong = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "query" and "session" in ast.dump(node.value):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} session.query")
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("relationship", "backref")
            ):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.func.id}")
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} bare except")
    assert wrong == []


@pytest.mark.sqlite_only
def test_markup_is_made_of_literals_alone() -> None:
    """`Markup(...)` around anything but a literal would let a value past the escaping."""
    allowed = {
        "app/engine/chrome.py",  # the menu, rendered by an escaping template
        "app/engine/buttons.py",  # the menu of a row, rendered by an escaping template
        "app/engine/presenting.py",  # a row, joined from cells that are Markup already
    }
    wrong = []
    for path in SOURCES:
        name = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Markup"
            ):
                continue
            literal = all(isinstance(a, ast.Constant) for a in node.args)
            if not literal and name not in allowed:
                wrong.append(f"{name}:{node.lineno}")
    assert wrong == []


@pytest.mark.sqlite_only
def test_files_leave_by_one_door() -> None:
    """`download` says that no cache keeps them; Flask's own answer would let a browser keep phones."""
    senders = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if re.search(r"\bsend_file\b|\bsend_from_directory\b", path.read_text(encoding="utf-8"))
    ]
    assert senders == ["app/engine/viewbase.py"]


@pytest.mark.sqlite_only
def test_rules_and_the_engine_never_commit_by_themselves() -> None:
    """Only the boundary commits: `perform`, jobs, commands and a person's own settings."""
    wrong = [
        f"{path.relative_to(ROOT)}"
        for path in (ROOT / "models").rglob("*.py")
        if re.search(r"\.commit\(\)", path.read_text(encoding="utf-8")) and "demo" not in path.parts
    ]
    assert wrong == []
