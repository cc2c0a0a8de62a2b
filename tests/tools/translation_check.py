"""The Chinese catalogue compiles, misses nothing, and its compiled form is the current one."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import flask_appbuilder
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "translations" / "zh" / "LC_MESSAGES"


def findings() -> list[str]:
    """What is wrong with the catalogue, in sentences."""
    source, compiled = FOLDER / "messages.po", FOLDER / "messages.mo"
    if not source.exists():
        return [f"{source.relative_to(ROOT)} does not exist"]
    with source.open("rb") as file:
        catalogue = read_po(file, locale="zh", abort_invalid=True)
    found = [f"not translated: {entry.id!r}" for entry in catalogue if entry.id and not _whole(entry.string)]
    found += [f"unsure: {entry.id!r}" for entry in catalogue if entry.id and entry.fuzzy]
    for entry in catalogue:
        found += [f"{entry.id!r}: {error}" for error in entry.check(catalogue)]
    ours = {entry.id for entry in catalogue}
    found += [f"the framework's string is missing: {text!r}" for text in untranslated() if text not in ours]
    fresh = io.BytesIO()
    write_mo(fresh, catalogue)
    if not compiled.exists() or compiled.read_bytes() != fresh.getvalue():
        found.append(
            "messages.mo is not made from messages.po: python -m tests.tools.translation_check --write"
        )
    return found


def untranslated() -> list[str]:
    """What the framework says in English because its own Chinese catalogue does not know it."""
    package = Path(flask_appbuilder.__file__).parent
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
    keywords = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
    found = extract_from_dir(str(package), method_map=methods, keywords=keywords)
    asked = {text for _file, _line, text, _comments, _context in found if isinstance(text, str) and text}
    with (package / "translations" / "zh" / "LC_MESSAGES" / "messages.mo").open("rb") as file:
        known = {entry.id for entry in read_mo(file) if entry.string}
    return sorted(asked - known)


def _whole(string: str | tuple[str, ...] | list[str]) -> bool:
    return all(string) if isinstance(string, (tuple, list)) else bool(string)


def write() -> None:
    """Compile the catalogue."""
    with (FOLDER / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale="zh", abort_invalid=True)
    with (FOLDER / "messages.mo").open("wb") as file:
        write_mo(file, catalogue)


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    lines = findings()
    print("\n".join(lines) or "complete")
    sys.exit(1 if lines else 0)
