"""Judged lines on their way from the check to the deed: cleaned values, one JSON line per piece.

What was read and resolved once is not read again; where rights or settings have changed since, the check is
made anew (`stamp`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.engine.changes import plain
from app.engine.fields import FieldSpec
from app.engine.imports.drafts import Draft
from app.engine.imports.naming import Place
from app.engine.imports.tables import Verdict

_BACK: Mapping[str, Callable[[Any], Any]] = {
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "money": Decimal,
    "number": Decimal,
}


class Stage:
    """Writes and reads the pieces of one import; ``specs`` are the fields that the file fills."""

    def __init__(self, path: Path, specs: Mapping[str, FieldSpec]) -> None:
        self.path = path
        self.back: dict[str, Callable[[Any], Any]] = {}
        for name, spec in specs.items():
            convert = spec.choices.of if spec.choices is not None else _BACK.get(spec.kind)
            if convert is not None:
                self.back[name] = convert

    def write(self, pieces: Iterator[Sequence[Draft]]) -> None:
        """Keep the good lines of each piece."""
        with self.path.open("w", encoding="utf-8") as file:
            for piece in pieces:
                kept = [self._written(draft) for draft in piece if draft.good]
                json.dump(kept, file, ensure_ascii=False, separators=(",", ":"))
                file.write("\n")

    def _written(self, draft: Draft) -> list[Any]:
        values = {
            name: plain(value) if name in self.back else value
            for name, value in draft.values.items()
            if value is not None
        }
        place = draft.place
        return [
            draft.number,
            draft.verdict.value,
            draft.target,
            draft.reason,
            place.dealer_id,
            place.store_id,
            values,
        ]

    def pieces(self, since: int = 0) -> Iterator[list[Draft]]:
        """The pieces from number ``since`` on."""
        places: dict[tuple[int | None, int | None], Place] = {}
        with self.path.open(encoding="utf-8") as file:
            for number, line in enumerate(file):
                if number >= since:
                    yield [self._read(found, places) for found in json.loads(line)]

    def _read(self, found: list[Any], places: dict[tuple[int | None, int | None], Place]) -> Draft:
        number, verdict, target, reason, dealer_id, store_id, values = found
        key = (dealer_id, store_id)
        place = places.get(key) or places.setdefault(key, Place(dealer_id, store_id))
        for name, convert in self.back.items():
            if name in values:
                values[name] = convert(values[name])
        return Draft(number, values, place, {}, Verdict.of(verdict), reason, target)


def ahead(pieces: Iterator[list[Draft]]) -> Iterator[list[Draft]]:
    """The pieces, each read while the one before it is brought in: the database works beside this process."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = pool.submit(next, pieces, None)
            yield piece
