"""A dealer's own file of customers: read, checked and filed line by line as the form does it.

The later import takes over the inside; what holds here already is that a line passes exactly the form's
checks, the duplicate policy and `perform`, and that every refused line is named with its reason.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.engine import forms, perform
from app.engine.actions import Act, NotFound, Refusal, new_deed_id
from app.engine.database import db, utcnow
from app.engine.fields import FieldSpec, describe
from app.engine.resource import resource_of
from app.engine.scopes import Actor
from models.customers import tags
from models.customers.resources import Customers
from models.customers.tables import CUSTOMER_TAGS, Contact, Customer

SEPARATORS = "、，,；;|/\n"
"""Between several values in one cell."""

_LARGEST = 64 * 1024 * 1024
csv.field_size_limit(_LARGEST)  # an oversized cell is its line's fault, and refused with the line
_SHOWN = 40  # characters of a cell that a reason repeats
_FORGET = 200  # lines after which the session lets go of what it has seen
_ENCODINGS = ("utf-8-sig", "gb18030")
_TAGS = "标签"


@dataclass(frozen=True)
class Line:
    """A line of the file that was not filed, and why."""

    number: int
    reason: str


@dataclass
class LoadReport:
    """What became of a file: lines with content, filed ones, and each refused one."""

    total: int = 0
    created: int = 0
    refused: list[Line] = field(default_factory=list)


def load_file(path: Path, actor: Actor) -> LoadReport:
    """File every line of a CSV file; each is a transaction of its own, so the good ones stay. In the
    history all lines bear the id of one deed.

    Lines without a phone become contacts as in the form (A-08). Raises `Refusal`, with nothing filed, when
    the file itself cannot be used: not CSV anywhere in it, unknown or missing headings, no permission.
    """
    perform.require(actor, ("can_add", Customers.view_name()), f"新增{Customers.label}")
    lines = list(_lines(_text(path)))
    if not lines:
        raise Refusal("文件是空的")
    loader = _Loader(actor, _columns(lines[0][1]))
    report = LoadReport()
    for number, cells in lines[1:]:
        report.total += 1
        try:
            loader.file(cells)
            report.created += 1
        except Refusal as refusal:
            report.refused.append(Line(number, loader.explain(refusal)))
        if report.total % _FORGET == 0:
            db.session.expunge_all()
    return report


def form_fields() -> dict[str, FieldSpec]:
    """The headings a file may have: the fields of the form, and the tags."""
    specs = [*forms.editable(Customers, editing=False), describe(CUSTOMER_TAGS)]
    return {spec.label: spec for spec in specs}


# ----- the file


def _text(path: Path) -> str:
    if path.stat().st_size > _LARGEST:
        raise Refusal(f"文件超过 {_LARGEST // 1024 // 1024} MB，请分成几个文件")
    raw = path.read_bytes()
    if raw[:2] in (b"PK", b"\xd0\xcf"):
        raise Refusal("这是电子表格文件，请另存为 CSV 文件后再导入")
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raw = raw.decode("utf-16", errors="replace").encode()
    for encoding in _ENCODINGS:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise Refusal("无法识别文件编码，请将文件另存为 UTF-8 或 GBK 编码的 CSV 文件")


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines with content, each with the number at which it begins."""
    first = text.partition("\n")[0]
    separator = max(",\t;", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        where = f"从第 {begins} 行起不是正确的 CSV 格式，请检查引号是否成对"
        raise Refusal(f"{where}；没有导入任何一行") from error


def _columns(heading: Sequence[str]) -> list[FieldSpec]:
    """The fields in the order of the file."""
    known = form_fields()
    found: list[FieldSpec] = []
    unknown: list[str] = []
    for cell in heading:
        label = cell.strip().strip("*＊ ")
        spec = known.get(label)
        if spec is None:
            unknown.append(label or "（空）")
        else:
            found.append(spec)
    usable = f"可用的表头：{'、'.join(known)}"
    if unknown:
        raise Refusal(f"无法识别表头 {'、'.join(unknown)}；{usable}")
    twice = sorted({spec.label for spec in found if found.count(spec) > 1})
    if twice:
        raise Refusal(f"表头 {'、'.join(twice)} 重复出现")
    missing = [label for label, spec in known.items() if spec.required and spec not in found]
    if missing:
        raise Refusal(f"缺少表头 {'、'.join(missing)}；{usable}")
    return found


# ----- a line


class _Loader:
    """Files lines of one file for one person; names found once are remembered."""

    def __init__(self, actor: Actor, columns: Sequence[FieldSpec]) -> None:
        self.actor, self.columns = actor, columns
        self.specs = forms.editable(Customers, editing=False)
        self.labels = {spec.name: spec.label for spec in self.specs}
        self.known: dict[tuple[str, str], str] = {}
        self.deed_id = new_deed_id()
        if any(spec.label == _TAGS for spec in columns):
            perform.require(actor, tags.SET_TAGS, tags.tag_customer.permission_label)

    def file(self, cells: Sequence[str]) -> None:
        """One line as one deed; raises `Refusal` with nothing written."""
        context = forms.Context(db.session(), self.actor, utcnow())
        texts, chosen = self._texts(cells, context)
        values = forms.clean(self.specs, texts, context)
        act = Act(self.actor, context.now, context.session, "load", "load", deed_id=self.deed_id)
        with perform.deed(act):
            record, _ = perform.create(Customers, values, self.actor, source="load", now=context.now)
            if chosen:
                self._tag(record, chosen)

    def _tag(self, record: Customer | Contact, chosen: list[int]) -> None:
        action = tags.tag_contact if isinstance(record, Contact) else tags.tag_customer
        try:
            perform.perform(action, [record.id], self.actor, {"tags": chosen}, source="load")
        except NotFound as unseen:
            raise Refusal(f"{_TAGS}：无权限查看该门店的客户，不能打标签") from unseen

    def explain(self, refusal: Refusal) -> str:
        """The reason with the headings it is about; nobody is there to answer a question, so asking is
        refusing (A-02)."""
        errors: Mapping[str, str] = getattr(refusal, "errors", {})
        if not errors:
            return refusal.message
        return "；".join(
            words if self.labels.get(name, name) in words else f"{self.labels.get(name, name)}：{words}"
            for name, words in errors.items()
        )

    def _texts(self, cells: Sequence[str], context: forms.Context) -> tuple[dict[str, list[str]], list[int]]:
        """The line as the form would submit it, and the tags."""
        if any(cell.strip() for cell in cells[len(self.columns) :]):
            raise Refusal(f"内容多于表头：共 {len(cells)} 列，表头只有 {len(self.columns)} 列")
        texts: dict[str, list[str]] = {}
        chosen: list[int] = []
        for spec, cell in zip(self.columns, cells, strict=False):
            given = _several(cell) if spec.multiple else [cell.strip()]
            given = [text for text in given if text]
            if spec.target is not None:
                given = [self._id(spec, text, context) for text in given]
            if spec.label == _TAGS:
                chosen = [int(text) for text in given]
            else:
                texts[spec.name] = given
        return texts, chosen

    def _id(self, spec: FieldSpec, text: str, context: forms.Context) -> str:
        """The id of the record with this name among those the person may pick."""
        known = self.known.get((spec.name, text))
        if known is None:
            title = resource_of(spec.target).title
            statement = forms.pickable(spec, self.actor).where(title == text).limit(2)
            found = context.session.execute(statement, self.actor.params).all()
            if not found:
                raise Refusal(f"{spec.label}：没有找到“{text[:_SHOWN]}”")
            if len(found) > 1:
                raise Refusal(f"{spec.label}：有多个名为“{text[:_SHOWN]}”的记录")
            known = str(found[0][0])
            if spec.target not in (Customer, Contact):
                self.known[spec.name, text] = known
        return known


def _several(cell: str) -> list[str]:
    for separator in SEPARATORS[1:]:
        cell = cell.replace(separator, SEPARATORS[0])
    return [part.strip() for part in cell.split(SEPARATORS[0])]
