"""The files of the face: vendored as written down, every icon there, nothing fetched from elsewhere."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

import models
from app.engine import chrome
from app.engine.resource import resources

APP = Path(chrome.__file__).parents[1]
VENDOR = APP / "static/vendor"
OWN = [
    *sorted((APP / "templates").glob("*.html")),
    *sorted((APP / "static").glob("*.js")),
    *sorted((APP / "static").glob("*.css")),
]


def test_vendored_files_are_those_of_the_manifest() -> None:
    """Each vendored file stands in VENDOR.md with its checksum."""
    manifest = (VENDOR / "VENDOR.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `([^`]+)` .*\| `([0-9a-f]{64})` \|$", manifest, re.MULTILINE))
    served = {p.name for p in VENDOR.iterdir() if p.suffix in (".js", ".css", ".woff2")}
    assert set(listed) == served
    for name, digest in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_every_icon_is_in_the_subset() -> None:
    """An icon outside the subset would show nothing."""
    models.load()
    known = set(
        re.findall(r"^\.ti-([a-z0-9-]+)\{", (VENDOR / "icons.css").read_text(encoding="utf-8"), re.MULTILINE)
    )
    used = {r.icon for r in resources()} | {e.icon for e in chrome.entries()}
    used |= {a.icon for r in resources() for a in r.actions if a.icon}
    for path in OWN:
        used |= set(re.findall(r"\bti-([a-z][a-z0-9-]*[a-z0-9])\b(?!-\{)", path.read_text(encoding="utf-8")))
    assert used - known == set()


@pytest.mark.parametrize("path", OWN, ids=lambda p: p.name)
def test_pages_ask_no_other_host_and_carry_no_inline_script(path: Path) -> None:
    """The policy forbids both; a page that needs either would break in silence."""
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"""(?:src|href|action|url)\s*[=(]\s*["']?(?:https?:)?//""", text) == []
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", text) == []
    if path.suffix == ".html":
        assert re.findall(r"<[^>]+\son[a-z]+=", text) == []
