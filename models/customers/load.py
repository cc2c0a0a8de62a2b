"""A dealer's own file of customers: read, checked and filed line by line as the form does it.

The later import takes over the inside; what holds here already is that a line passes exactly the form's
checks, the duplicate policy and `perform`, and that every refused line is named with all its reasons.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from app.engine import forms, perform
from app.engine.actions import Act, NotFound, Refusal, new_deed_id
from app.engine.database import db, utcnow
from app.engine.fields import FieldSpec, describe, normalise_phone
from app.engine.imports import naming
from app.engine.imports.naming import Place, Unclear, quoted
from app.engine.scopes import Actor
from models.customers import csvfile, duplicates, tags
from models.customers.csvfile import Sheet
from models.customers.resources import Customers
from models.customers.tables import CUSTOMER_TAGS, Contact, Customer
from models.identity.tables import Store

SEPARATORS = "、，,；;|/\n"
"""Between several values in one cell."""

PROGRESS = 500  # lines after which it is said how far the file is
_FORGET = 200  # lines after which the session lets go of what it has seen
_TAGS = "标签"
_AS_NUMBER = re.compile(r"(\d{11})\.0*")  # how a table keeps a phone as a number
_SCIENTIFIC = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
_NOT_TEXT = "电话号码已被电子表格改成科学计数，请将该列设为文本后重新填写"


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
    """File every line of a CSV file from number ``since`` on; each is a transaction of its own, so the good
    ones stay. In the history all lines bear the id of one deed. ``echo`` is told how it goes, ``stopping``
    asked before every line.

    Lines without a phone become contacts as in the form (A-08). Raises `Refusal`, with nothing filed, when
    the file itself cannot be used: not CSV anywhere in it, unknown or missing headings, no permission.
    """
    perform.require(actor, ("can_add", Customers.view_name()), f"新增{Customers.label}")
    sheet = csvfile.read(path, form_fields())
    loader = _Loader(actor, _columns(sheet.heading))
    if not sheet.lines:
        raise Refusal("文件只有表头，没有数据行")
    report = LoadReport(sheet)
    for number, cells in sheet.lines:
        if number < since:
            continue
        if stopping():
            report.stopped_at = number
            break
        try:
            reason = loader.file(number, cells)
        except SQLAlchemyError as error:
            db.session.rollback()
            report.stopped_at, report.broken = number, error
            break
        report.total += 1
        if reason:
            report.refused.append(Line(number, reason))
            echo(f"第 {number} 行未导入：{reason}")
        else:
            report.created += 1
        if report.total % _FORGET == 0:
            db.session.expunge_all()
        if report.total % PROGRESS == 0:
            echo(f"已处理 {report.total} 行，共 {len(sheet.lines)} 行")
    return report


def form_fields() -> dict[str, FieldSpec]:
    """The headings a file may have: the fields of the form, and the tags."""
    specs = [*forms.editable(Customers, editing=False), describe(CUSTOMER_TAGS)]
    return {spec.label: spec for spec in specs}


def _columns(heading: Sequence[str]) -> list[FieldSpec | None]:
    """The fields in the order of the file; None stands for a column that is passed over."""
    known = form_fields()
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


# ----- a line


class _Loader:
    """Files lines of one file for one person; names found once are remembered."""

    def __init__(self, actor: Actor, columns: Sequence[FieldSpec | None]) -> None:
        self.actor, self.columns = actor, columns
        self.specs = forms.editable(Customers, editing=False)
        self.known: dict[tuple[str, str, Place], int] = {}
        self.filed: dict[str, int] = {}
        self.deed_id = new_deed_id()
        if any(spec is not None and spec.label == _TAGS for spec in columns):
            perform.require(actor, tags.SET_TAGS, tags.tag_customer.permission_label)

    def file(self, number: int, cells: Sequence[str]) -> str:
        """File one line as one deed; the reason why not, with nothing written, or an empty text."""
        context = forms.Context(db.session(), self.actor, utcnow())
        line = _Reading(self, cells, context)
        values: dict[str, Any] = {}
        try:
            values = forms.clean(self.specs, line.texts, context)
        except Refusal as refusal:
            line.wrong(refusal)
        if line.errors:
            return "；".join(line.errors.values())
        phones = duplicates.phones_of(values)
        act = Act(self.actor, context.now, context.session, "load", "load", deed_id=self.deed_id)
        try:
            with perform.deed(act):
                record, _ = perform.create(Customers, values, self.actor, source="load", now=context.now)
                if line.tags:
                    self._tag(record, line.tags)
        except Refusal as refusal:
            return self._repeated(phones, refusal, line) or line.words_of(refusal)
        if isinstance(record, Customer):
            self.filed |= dict.fromkeys(phones, number)
        return ""

    def _tag(self, record: Customer | Contact, chosen: list[int]) -> None:
        action = tags.tag_contact if isinstance(record, Contact) else tags.tag_customer
        try:
            perform.perform(action, [record.id], self.actor, {"tags": chosen}, source="load")
        except NotFound as unseen:
            raise Refusal(f"{_TAGS}：无权限查看该门店的客户，不能打标签") from unseen

    def _repeated(self, phones: Sequence[str], refusal: Refusal, line: _Reading) -> str:
        """Which number is on file, where and whose: nobody is there to answer a question, so asking is
        refusing (A-02)."""
        if not duplicates.is_about_one_on_file(refusal):
            return ""
        for phone in phones:
            if phone in self.filed:
                return f"手机号码 {phone} 与本文件第 {self.filed[phone]} 行重复"
        place = line.place
        return duplicates.told(db.session(), self.actor, phones, place.dealer_id, place.store_id, "load")

    def id_of(self, spec: FieldSpec, text: str, place: Place) -> int:
        """The record named in a cell; raises `Unclear`."""
        known = self.known.get((spec.name, text, place))
        if known is None:
            known = naming.find(db.session(), spec, text, self.actor, place)
            if spec.target not in (Customer, Contact):
                self.known[spec.name, text, place] = known
        return known


class _Reading:
    """One line as the form would submit it: ``texts`` by field, the ``tags``, and a sentence for
    everything that is wrong with it."""

    def __init__(self, loader: _Loader, cells: Sequence[str], context: forms.Context) -> None:
        self.loader, self.context = loader, context
        self.specs = {spec.name: spec for spec in (*loader.specs, describe(CUSTOMER_TAGS))}
        self.texts: dict[str, list[str]] = {}
        self.tags: list[int] = []
        self.errors: dict[str, str] = {}
        self.place = Place(loader.actor.dealer_id, loader.actor.store_id)
        self.given = {
            spec.name: _texts_of(spec, cell)
            for spec, cell in zip(loader.columns, cells, strict=False)
            if spec is not None
        }
        if any(cell.strip() for cell in cells[len(loader.columns) :]):
            counted = f"共 {len(cells)} 列，表头只有 {len(loader.columns)} 列"
            self.errors["cells"] = f"内容多于表头：{counted}"
        self._place()
        for name, given in self.given.items():
            self._read(self.specs[name], given)

    def _place(self) -> None:
        """Whose line it is: the store's that it names."""
        key = Customer.store_id.key
        for text in self.given.get(key, ())[:1]:
            try:
                found = self.loader.id_of(self.specs[key], text, self.place)
            except Unclear:
                return  # said when the field is read
            store = self.context.session.get(Store, found)
            if store is not None:
                self.place = Place(store.dealer_id, store.id)

    def _read(self, spec: FieldSpec, given: list[str]) -> None:
        try:
            if spec.target is not None:
                given = [str(self.loader.id_of(spec, text, self.place)) for text in given]
            elif spec.kind in ("choice", "choices"):
                parent = "".join(self.given.get(spec.parent, ())[:1])
                for text in given:
                    naming.choice(spec, text, self.place.dealer_id, parent)
            elif spec.kind in ("phone", "phones") and any(_SCIENTIFIC.fullmatch(text) for text in given):
                raise Unclear(f"{quoted(spec, '、'.join(given))}：{_NOT_TEXT}")
        except Unclear as unclear:
            self.errors[spec.name] = str(unclear)
            given = []
        if spec.label == _TAGS:
            self.tags = [int(text) for text in given]
        else:
            self.texts[spec.name] = given

    def wrong(self, refusal: Refusal) -> None:
        """Take in what the form's checks say about fields that have no sentence yet."""
        errors: Mapping[str, str] = getattr(refusal, "errors", {})
        for name, words in errors.items():
            # of a parent that could not be read, the child says nothing that helps
            if name not in self.errors and self.specs[name].parent not in self.errors:
                self.errors[name] = self._about(name, words)
        if not errors:
            self.errors[""] = refusal.message

    def words_of(self, refusal: Refusal) -> str:
        """What a rule says, with the headings it is about."""
        errors: Mapping[str, str] = getattr(refusal, "errors", {}) or {refusal.field: refusal.message}
        return "；".join(self._about(name, words) for name, words in errors.items())

    def _about(self, name: str, words: str) -> str:
        spec = self.specs.get(name)
        if spec is None:
            return words
        given = "、".join(self.given.get(name, ()))
        visible = "".join(c for c in given if c.isprintable()).strip()
        if not visible or len(given) > naming.CELL:
            return words if spec.label in words else f"{spec.label}：{words}"
        siblings = self._siblings(spec)
        return f"{quoted(spec, given)}：{words}{f'，{siblings}' if siblings else ''}"

    def _siblings(self, spec: FieldSpec) -> str:
        """What could stand in a field whose parent is another one's."""
        parent = "".join(self.given.get(spec.parent, ())[:1]) if spec.parent else ""
        if not parent:
            return ""
        entries = [e for e in spec.entries(self.place.dealer_id) if e.active and e.parent == parent]
        return naming.permitted(entries, "") if entries else ""


def _texts_of(spec: FieldSpec, cell: str) -> list[str]:
    given = list(_several(cell)) if spec.multiple else [cell.strip()]
    if spec.kind in ("phone", "phones"):
        given = [_plain_phone(text) for text in given]
    return [text for text in given if text]


def _several(cell: str) -> Iterator[str]:
    for separator in SEPARATORS[1:]:
        cell = cell.replace(separator, SEPARATORS[0])
    return (part.strip() for part in cell.split(SEPARATORS[0]))


def _plain_phone(text: str) -> str:
    """The number without what marked it as text or as a number of a table, and without what nobody sees."""
    text = "".join(c for c in text if c.isprintable()).strip().lstrip("'’‘`")
    number = _AS_NUMBER.fullmatch(normalise_phone(text))
    return number.group(1) if number else text
