"""A dealer's own file of customers from the command line: the import's own checks and deeds, with the refused
lines beside the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from app.engine import perform
from app.engine.actions import Act, Refusal, new_deed_id
from app.engine.database import db, forget_many, utcnow
from app.engine.deeds import deed
from app.engine.fields import FieldSpec
from app.engine.imports import columns
from app.engine.imports.drafts import Draft, Parser
from app.engine.imports.filing import Options
from app.engine.imports.tables import Verdict
from app.engine.scopes import Actor
from models.customers import csvfile, tags
from models.customers.csvfile import Sheet
from models.customers.filing import CustomerFiling
from models.customers.resources import Customers
from models.customers.tables import CUSTOMER_TAGS

PIECE = 200
"""Lines that are one transaction, and after which one may stop."""
PROGRESS = 1000  # lines after which it is said how far the file is


@dataclass(frozen=True)
class Line:
    """A line of the file that was not filed, and why."""

    number: int
    reason: str


@dataclass
class LoadReport:
    """What became of a file: lines with content that were looked at, filed ones, and each refused one.

    ``stopped_at`` is the first line that was not looked at when it did not come to the end, ``broken``
    what the database said then.
    """

    sheet: Sheet
    total: int = 0
    created: int = 0
    refused: list[Line] = field(default_factory=list)
    stopped_at: int = 0
    broken: SQLAlchemyError | None = None

    def write(self, path: Path) -> None:
        """The refused lines as a file that can be corrected and loaded."""
        csvfile.write(path, self.sheet, {line.number: line.reason for line in self.refused})


def load_file(
    path: Path,
    actor: Actor,
    *,
    since: int = 0,
    echo: Callable[[str], Any] = lambda _: None,
    stopping: Callable[[], bool] = lambda: False,
) -> LoadReport:
    """File the lines of a CSV file from number ``since`` on, in pieces that are a transaction each, so the good
    ones stay. In the history all lines bear the id of one deed. ``echo`` is told how it goes, ``stopping``
    asked before every piece.

    Lines without a phone become contacts as in the form (A-08). Raises `Refusal`, with nothing filed, when
    the file itself cannot be used: not CSV anywhere in it, unknown or missing headings, no permission.
    """
    perform.require(actor, ("can_add", Customers.view_name()), f"新增{Customers.label}")
    known = {spec.label: spec for spec in columns.offered(Customers, actor)}
    sheet = csvfile.read(path, known)
    if CUSTOMER_TAGS.label in sheet.heading:
        perform.require(actor, tags.SET_TAGS, tags.tag_customer.permission_label)
    loader = _Loader(actor, _columns(sheet.heading, known))
    if not sheet.lines:
        raise Refusal("文件只有表头，没有数据行")
    report = LoadReport(sheet)
    for piece in _pieces(sheet, since):
        if stopping():
            report.stopped_at = piece[0][0]
            break
        try:
            drafts = loader.file(piece)
        except SQLAlchemyError as error:
            db.session.rollback()
            report.stopped_at, report.broken = piece[0][0], error
            break
        before = report.total
        report.total += len(drafts)
        for draft in drafts:
            if draft.verdict in (Verdict.NEW, Verdict.ABSORBED):
                report.created += 1
            else:
                report.refused.append(Line(draft.number, draft.reason))
                echo(f"第 {draft.number} 行未导入：{draft.reason}")
        if report.total // PROGRESS > before // PROGRESS:
            echo(f"已处理 {report.total} 行，共 {len(sheet.lines)} 行")
    return report


def _pieces(sheet: Sheet, since: int) -> Iterator[Sequence[tuple[int, list[str]]]]:
    rest = (line for line in sheet.lines if line[0] >= since)
    while piece := list(islice(rest, PIECE)):
        yield piece


def _columns(heading: Sequence[str], known: dict[str, FieldSpec]) -> list[FieldSpec | None]:
    """The fields in the order of the file; None stands for a column that is passed over."""
    passed_over = {"", csvfile.REASON}
    usable = f"可用的表头：{'、'.join(known)}"
    unknown = [label for label in heading if label not in known and label not in passed_over]
    if unknown:
        raise Refusal(f"无法识别表头 {'、'.join(unknown)}；{usable}")
    twice = sorted({label for label in heading if label in known and heading.count(label) > 1})
    if twice:
        raise Refusal(f"表头 {'、'.join(twice)} 重复出现")
    missing = [label for label, spec in known.items() if spec.required and label not in heading]
    if missing:
        raise Refusal(f"缺少表头 {'、'.join(missing)}；{usable}")
    return [known.get(label) for label in heading]


class _Loader:
    """Judges and files the lines of one file for one person."""

    def __init__(self, actor: Actor, found: Sequence[FieldSpec | None]) -> None:
        session, now = db.session(), utcnow()
        specs = {spec.name: spec for spec in found if spec is not None}
        self.actor, self.deed_id = actor, new_deed_id()
        self.parser = Parser(session, Customers, found, actor, {}, now)
        self.filing = CustomerFiling(session, Customers, actor, Options(), specs, now)

    def file(self, piece: Sequence[tuple[int, list[str]]]) -> list[Draft]:
        """The lines with their verdicts; the good ones are filed."""
        drafts = [self.parser.draft(number, cells) for number, cells in piece]
        self.filing.judge(drafts)
        act = Act(self.actor, utcnow(), db.session(), "load", "load", deed_id=self.deed_id)
        with deed(act):
            self.filing.file(act, drafts)
        forget_many(db.session())
        return drafts
