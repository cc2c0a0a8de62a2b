"""Templates with the values of a record in them, each as far as the person who prints or sends may read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import templating
from app.engine.actions import NotFound
from app.engine.cells import text as words
from app.engine.cells import told
from app.engine.detail import values_of
from app.engine.faces import faced
from app.engine.fields import FieldSpec, with_companions
from app.engine.guards import Hidden, gate
from app.engine.localtime import local
from app.engine.projecting import projected
from app.engine.resource import Resource, resource_of
from app.engine.scopes import Actor, within_dealer
from app.engine.templating import Kind, Line, Piece, Place, Rows, Slot

NOT_SHOWN = "＊＊＊"
MOST_ROWS = 200
"""So many rows of a table are printed; of more a sentence says so."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a filled sheet: words by cells, or a table with its headings and lines. ``numeric`` are the columns
    that stand at the right."""

    kind: str
    cells: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    numeric: frozenset[int] = frozenset()
    note: str = ""


@dataclass(slots=True)
class Filler:
    """The values that some texts name of one record, read at once; ``notices`` say what is missing and why."""

    session: Session
    resource: type[Resource]
    pk: int
    actor: Actor
    now: datetime
    notices: list[str] = field(default_factory=list)
    _known: dict[str, str] = field(default_factory=dict)
    _book: templating.Book = field(default_factory=templating.Book)

    @classmethod
    def of(
        cls,
        session: Session,
        resource: type[Resource],
        pk: int,
        actor: Actor,
        now: datetime,
        texts: Iterable[str],
    ) -> Filler:
        """Read what these texts name; raises `NotFound` for a record out of the person's scope."""
        made = cls(session, faced(resource, actor.dealer_id), pk, actor, now)
        made._book = templating.book(resource, actor.dealer_id, actor.epoch)
        made._read(dict.fromkeys(name for text in texts for name in templating.named(text)))
        return made

    def text(self, text: str) -> str:
        """A plain text, filled in."""
        return "\n".join(self._said(templating.pieces(raw)) for raw in text.splitlines())

    def sheet(self, text: str) -> list[Block]:
        """A text as the parts of a sheet."""
        return [self._block(line) for line in templating.lines(text)]

    # ----- single values

    def _read(self, names: Iterable[str]) -> None:
        here = local(self.now)
        actor = self.actor
        common = (
            f"{here:%Y-%m-%d}",
            f"{here:%Y-%m-%d %H:%M}",
            actor.name,
            actor.store_name,
            actor.dealer_name,
        )
        self._known |= dict(zip(templating.COMMON, common, strict=True))
        places = {}
        for name in names:
            place = None if name in self._known else self._book.find(name)
            if place is not None:
                places[name] = place
            elif name not in self._known:
                self._known[name] = ""
                self.notices.append(f"“{name}”已不存在，未填写")
        own = [p.spec if p.via is None else p.via for p in places.values()]
        values, pointed = self._of_record(self.resource, self.pk, own)
        further: dict[str, list[Place]] = {}
        for name, place in places.items():
            if place.via is None:
                self._known[name] = self._word(place.spec, values)
            else:
                further.setdefault(place.via.name, []).append(place)
        for through, some in further.items():
            self._read_through(through, some, values, pointed)
        for name, place in places.items():
            if place.via is not None:
                self._known[name] = self._known[place.token]

    def _of_record(
        self, resource: type[Resource], pk: int, specs: Sequence[FieldSpec]
    ) -> tuple[dict[str, Any], dict[str, int]]:
        once = list({s.name: s for s in specs}.values())
        wanted, _ = with_companions(once)
        values, pointed, _ = values_of(self.session, resource, pk, self.actor, wanted)
        return values, pointed

    def _read_through(
        self, through: str, places: Sequence[Place], values: Mapping[str, Any], pointed: Mapping[str, int]
    ) -> None:
        """The fields of the record that a reference leads to, for those who may open it."""
        via = places[0].via
        assert via is not None
        target = faced(resource_of(via.target), self.actor.dealer_id)
        pk = pointed.get(through)
        found: dict[str, Any] | None = {}
        if isinstance(values.get(through), Hidden) or not self.actor.can("can_list", target.view_name()):
            found = None
        elif pk is not None:
            try:
                found, _ = self._of_record(target, pk, [p.spec for p in places])
            except NotFound:
                found = None
        if found is None:
            self._notice(f"您无权查看“{via.label}”的资料，以{NOT_SHOWN}代替")
        for place in places:
            empty = NOT_SHOWN if found is None else ""
            self._known[place.token] = self._word(place.spec, found) if found else empty

    def _word(self, spec: FieldSpec, values: Mapping[str, Any]) -> str:
        return self._in_words(spec, values[spec.name], [values[name] for name in spec.beside])

    def _in_words(self, spec: FieldSpec, value: Any, beside: Sequence[Any]) -> str:
        """A gated value as it is read; what is hidden is its mask."""
        if isinstance(value, Hidden):
            how = "显示为掩码" if value.mask else f"以{NOT_SHOWN}代替"
            self._notice(f"“{spec.label}”按您的权限{how}（{value.guard.label}）")
            return value.mask or NOT_SHOWN
        if spec.shown is not None:
            others = [None if isinstance(v, Hidden) else v for v in beside]
            value = told(spec.shown(value, *others, now=self.now))
        if spec.links is not None:
            return "、".join(str(name) for name, _ in value)
        if value is None or value in ("", ()):
            return spec.blank
        if spec.kind in ("phones", "texts"):
            if any(isinstance(v, Hidden) for v in value):
                self._notice(f"“{spec.label}”按您的权限显示为掩码")
            return "、".join(str(v) for v in value)
        return words(spec, value, self.actor.dealer_id, self.actor.epoch)

    def _notice(self, said: str) -> None:
        if said not in self.notices:
            self.notices.append(said)

    def _said(self, cell: Sequence[Piece]) -> str:
        return "".join(self._known.get(p.name, "") if isinstance(p, Slot) else p for p in cell)

    # ----- lines and tables

    def _block(self, line: Line) -> Block:
        if line.kind is Kind.TABLE:
            return self._table(line)
        return Block(line.kind.value, tuple(self._said(cell) for cell in line.cells))

    def _table(self, line: Line) -> Block:
        rows = self._book.tables.get(line.table)
        if rows is None:
            self._notice(f"表格“{line.table}”已不存在，未打印")
            return Block(Kind.GAP.value)
        child = faced(resource_of(rows.related.by.class_), self.actor.dealer_id)
        names = line.columns or rows.usual
        gone = [name for name in names if name not in rows.columns]
        for name in gone:
            self._notice(f"“{line.table}”的列“{name}”已不存在，未打印")
        specs = [rows.columns[name] for name in names if name not in gone]
        headings = tuple(s.head for s in specs)
        numeric = frozenset(n for n, s in enumerate(specs) if s.kind in ("money", "number", "integer"))
        if not specs or not self.actor.can("can_list", child.view_name()):
            self._notice(f"您无权查看“{child.label}”，表格未打印")
            return Block(Kind.TABLE.value, headings=headings, note="无权查看")
        found = self._rows(rows, child, specs)
        note = f"仅列出前{MOST_ROWS}行" if len(found) > MOST_ROWS else "" if found else "无"
        return Block(Kind.TABLE.value, (), headings, tuple(found[:MOST_ROWS]), numeric, note)

    def _rows(self, rows: Rows, child: type[Resource], specs: Sequence[FieldSpec]) -> list[tuple[str, ...]]:
        """The records under this one, oldest first, as its page shows them."""
        wanted, beside = with_companions(specs)
        chosen, joins = projected(child, self.actor, wanted)
        statement = select(*chosen).select_from(child.model)
        for other, on in joins:
            statement = statement.outerjoin(other, on)
        mine = (rows.related.by == self.pk, within_dealer(child, self.actor))
        statement = statement.where(*mine).order_by(child.pk()).limit(MOST_ROWS + 1)
        found = []
        for row in self.session.execute(statement, self.actor.params):
            values = [gate(s, v, self.actor, projected=True) for s, v in zip(wanted, row, strict=True)]
            found.append(
                tuple(
                    self._in_words(spec, value, [values[n] for n in places])
                    for spec, value, places in zip(specs, values, beside, strict=False)
                )
            )
        return found
