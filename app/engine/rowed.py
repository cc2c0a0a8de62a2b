"""Lines of words that are picked, a row of inputs for each: what they say is the line that could as well be typed.

A kind typed as lines (`typed_as_lines`) may be drawn so. Its rows go up, down and away by buttons, which the
server answers and the page's script quickens; what was picked comes in as the lines it says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.engine.fields import FieldSpec

if TYPE_CHECKING:
    from app.engine.forms import Context, Texts

MOVE = "_row"
"""The name of the buttons: ``steps/add``, ``steps/2/up``."""
ADD, UP, DOWN, AWAY = "add", "up", "down", "away"
_LONGEST = 10
"""No row has a number of so many digits."""
Row = Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Rowed:
    """How the lines of a kind are picked: ``parts`` are the inputs of a row, choices and short texts, ``split`` what
    of a line stands in each of them, and ``join`` the line that a row says, empty for an empty one. ``unit`` is
    what one row is."""

    parts: Callable[[Context], Sequence[FieldSpec]]
    split: Callable[[str], Row]
    join: Callable[[Row], str]
    unit: str = "行"


_kinds: dict[str, Rowed] = {}


def picked_in_rows(kind: str, rowed: Rowed) -> None:
    """Have the lines of this kind picked in rows."""
    _kinds[kind] = rowed


def rowed_as(spec: FieldSpec) -> Rowed | None:
    """How the field is picked in rows; None for one that is not."""
    return _kinds.get(spec.kind)


def part_of(spec: FieldSpec, part: FieldSpec) -> str:
    """The name of an input in a row."""
    return f"{spec.name}.{part.name}"


def at_fault(said: str, unit: str, labels: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """The row, and the input in it, that a sentence is about: it names the row by its number (第2步), the input by
    what stands there in quotes or by its label. The first of all where it names neither."""
    named = re.search(rf"第(\d{{1,4}}){unit}", said)
    row = int(named[1]) - 1 if named is not None else 0
    if not 0 <= row < len(rows):
        return 0, 0
    quoted = [words for words in re.findall(r"“([^”]+)”", said) if words]
    for words in quoted:
        for at, value in enumerate(rows[row]):
            if value.startswith(words):
                return row, at
    return row, next((at for at, label in enumerate(labels) if label in said), 0)


def lines(spec: FieldSpec, texts: Texts, context: Context) -> list[str] | None:
    """The lines that the submitted rows say, an empty one for an empty row; None where no rows came."""
    rowed = rowed_as(spec)
    if rowed is None:
        return None
    parts = rowed.parts(context)
    given = {part.name: texts.get(part_of(spec, part)) for part in parts}
    if all(values is None for values in given.values()):
        return None
    many = max(len(values or ()) for values in given.values())
    filled = {name: [*(values or ()), *[""] * many][:many] for name, values in given.items()}
    return [rowed.join({name: " ".join(filled[name][n].split()) for name in filled}) for n in range(many)]


def received(specs: Sequence[FieldSpec], texts: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The submitted texts with the lines that were picked, after the button that was pressed."""
    found = dict(texts)
    name, _, move = (texts.get(MOVE) or ("",))[-1].partition("/")
    for spec in specs:
        said = lines(spec, texts, context)
        if said is not None:
            moved = _moved(said, move) if name == spec.name else [line for line in said if line]
            found[spec.name] = ["\n".join(moved)]
    return found


def _moved(said: list[str], move: str) -> list[str]:
    """The lines after a button; empty rows stay, because the page is shown once more."""
    place, _, way = move.rpartition("/")
    at = int(place) if place.isascii() and place.isdigit() and len(place) < _LONGEST else -1
    if way == ADD:
        return [*said, ""]
    if not 0 <= at < len(said):
        return said
    if way == AWAY:
        return said[:at] + said[at + 1 :]
    other = at - 1 if way == UP else at + 1
    if way in (UP, DOWN) and 0 <= other < len(said):
        said[at], said[other] = said[other], said[at]
    return said
