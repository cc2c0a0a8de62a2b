"""Tables as files, written row by row: a workbook (xlsx) or comma separated values, in constant memory.

A writer turns values into cells (`text`, `word`, `number`, `money`, `day`, `moment`); a row is a list of them.
Every cell has its type: what begins like a formula is a text and is never reckoned
(`docs/decisions/0044-exports.md`).
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, Protocol
from xml.sax.saxutils import escape as _escape

MAX_ROWS = 1_048_000
"""Rows of a worksheet (2 ** 20), less the heading and what stands below the table."""
LONGEST = 32_767  # characters that a cell of a workbook may hold
_WORDS = 20_000  # different words a workbook keeps once; further ones stand in their cells
_LEVEL = 1  # of compression: twice as fast as the usual one, a quarter larger


@dataclass(frozen=True, slots=True)
class Heading:
    """A column: its label, and how wide it is shown, in Latin letters."""

    label: str
    width: int = 14


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself: the name of its table, who had it made, when (time in China)."""

    title: str
    by: str
    at: datetime


class Writer(Protocol):
    """A file being written. `close` puts ``note`` below the table, after an empty row."""

    def text(self, value: str) -> str:
        """A cell with words, as they are."""

    def word(self, value: str) -> str:
        """A cell with words that come again and again."""

    def number(self, value: Any) -> str:
        """A cell with a number."""

    def money(self, value: Decimal) -> str:
        """A cell with an amount."""

    def day(self, value: date) -> str:
        """A cell with a day."""

    def moment(self, value: datetime) -> str:
        """A cell with a time in China."""

    def rows(self, rows: Iterable[Sequence[str]]) -> None:
        """Write rows of cells; an empty text is an empty cell."""

    def close(self, note: str) -> None:
        """Finish the file."""


# ----- workbook

_UNUSUAL = re.compile("[&<>\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]|^ | $|_x")
_NEVER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CODED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_ZERO = datetime(1899, 12, 30)
_DAY_ZERO = date(1899, 12, 30).toordinal()
_SECONDS = 86_400.0
_HEAD, _MONEY, _DAY, _MOMENT, _TEXT, _NOTE = range(1, 7)
"""Styles of cells, by their places in `_STYLES`. Words are of the format "text": they stay words even when
somebody types Enter in their cell."""


def _plain(value: Any) -> str:
    """A number as it is written."""
    return f"{value:f}" if isinstance(value, Decimal) else str(int(value))


def _xml(value: str) -> str:
    """A text inside ``<t>``, its tag included."""
    if not _UNUSUAL.search(value) and len(value) <= LONGEST:
        return f"<t>{value}</t>"
    value = _CODED.sub("_x005F_", _NEVER.sub("", value))[:LONGEST]
    return f'<t xml:space="preserve">{_escape(value)}</t>'


class Workbook:
    """An xlsx file with one sheet: a frozen heading row with filters, and the table below it."""

    def __init__(self, file: IO[bytes], about: About, headings: Sequence[Heading]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        self._about, self._headings = about, headings
        self._words: dict[str, int] = {}
        self._columns = [column_name(n) for n in range(len(headings))]
        self._template = "".join(f'<c r="{name}#"%s' for name in self._columns)
        self._row = 0
        self._sheet = self._zip.open("xl/worksheets/sheet1.xml", "w", force_zip64=True)
        self._sheet.write(self._opening().encode())
        self._put([self._styled(h.label, _HEAD) for h in headings], ' ht="20" customHeight="1"')

    def text(self, value: str) -> str:
        """Words in their own cell."""
        return self._styled(value, _TEXT) if value else ""

    def word(self, value: str) -> str:
        """Words kept once in the file."""
        if not value:
            return ""
        known = self._words.get(value)
        if known is None:
            if len(self._words) >= _WORDS:
                return self.text(value)
            known = self._words[value] = len(self._words)
        return f' s="{_TEXT}" t="s"><v>{known}</v></c>'

    def number(self, value: Any) -> str:
        """A number."""
        return f"><v>{_plain(value)}</v></c>"

    def money(self, value: Decimal) -> str:
        """An amount with two places."""
        return f' s="{_MONEY}"><v>{value}</v></c>'

    def day(self, value: date) -> str:
        """A real date."""
        return f' s="{_DAY}"><v>{value.toordinal() - _DAY_ZERO}</v></c>'

    def moment(self, value: datetime) -> str:
        """A real date with its time."""
        past = value - _ZERO
        return f' s="{_MOMENT}"><v>{past.days + past.seconds / _SECONDS:.8f}</v></c>'

    def rows(self, rows: Iterable[Sequence[str]]) -> None:
        """Write rows of cells."""
        template, at, found = self._template, self._row, []
        for row in rows:
            at += 1
            number = str(at)
            cells = [cell or "/>" for cell in row]
            found.append(f'<row r="{number}">{template.replace("#", number)}</row>' % tuple(cells))
        self._row = at
        self._sheet.write("".join(found).encode())

    def close(self, note: str) -> None:
        """The note, the filters' range, and what a workbook consists of besides its sheet."""
        last, end = max(self._row, 1), self._columns[-1]
        self._row += 1
        self._put([self._styled(note, _NOTE)], "")
        printed = _escape(_NEVER.sub("", note)[:120].replace("&", "&&"))
        self._sheet.write(_END.format(reach=f"A1:{end}{last}", note=printed).encode())
        self._sheet.close()
        about, sheet = self._about, _sheet_name(self._about.title)
        quoted = _escape(sheet.replace("'", "''"))
        book = _BOOK.format(name=_escape(sheet, {'"': "&quot;"}), quoted=quoted, span=f"$A$1:${end}${last}")
        made = f"{about.at:%Y-%m-%dT%H:%M:%S}+08:00"
        core = _CORE.format(by=_escape(_NEVER.sub("", about.by)), title=_escape(sheet), at=made)
        words = "".join(f"<si>{_xml(word)}</si>" for word in self._words)
        for name, xml in (
            ("xl/workbook.xml", book),
            ("xl/sharedStrings.xml", _STRINGS.format(words=words)),
            ("xl/styles.xml", _STYLES),
            ("xl/_rels/workbook.xml.rels", _BOOK_RELS),
            ("docProps/core.xml", core),
            ("_rels/.rels", _RELS),
            ("[Content_Types].xml", _TYPES),
        ):
            self._zip.writestr(name, _XML + xml)
        self._zip.close()

    def _put(self, cells: Iterable[str], attributes: str) -> None:
        self._row += 1
        placed = (f'<c r="{name}{self._row}"{cell}' for name, cell in zip(self._columns, cells, strict=False))
        self._sheet.write(f'<row r="{self._row}"{attributes}>{"".join(placed)}</row>'.encode())

    def _styled(self, value: str, style: int) -> str:
        return f' s="{style}" t="inlineStr"><is>{_xml(value)}</is></c>'

    def _opening(self) -> str:
        wide = (
            f'<col min="{n}" max="{n}" width="{h.width}" customWidth="1"/>'
            for n, h in enumerate(self._headings, 1)
        )
        return _XML + _BEGIN.format(columns="".join(wide))


def column_name(number: int) -> str:
    """The letters of a column, counted from 0: A … Z, AA …"""
    name = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name


def _sheet_name(title: str) -> str:
    return re.sub(r"[\[\]:*?/\\]", " ", _NEVER.sub("", title)).strip("' ")[:31] or "数据"


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_BEGIN = (
    f"<worksheet {_MAIN}>"
    '<sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    "</sheetView></sheetViews><cols>{columns}</cols><sheetData>"
)
_END = (
    '</sheetData><autoFilter ref="{reach}"/>'
    '<pageSetup paperSize="9" orientation="landscape"/>'
    "<headerFooter><oddFooter>&amp;L{note}&amp;R&amp;P / &amp;N</oddFooter></headerFooter></worksheet>"
)
_BOOK = (
    f'<workbook {_MAIN} xmlns:r="{_OFFICE}"><bookViews><workbookView/></bookViews>'
    '<sheets><sheet name="{name}" sheetId="1" r:id="rId1"/></sheets><definedNames>'
    '<definedName name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">\'{quoted}\'!{span}</definedName>'
    '<definedName name="_xlnm.Print_Titles" localSheetId="0">\'{quoted}\'!$1:$1</definedName>'
    "</definedNames></workbook>"
)
_STRINGS = f"<sst {_MAIN}>{{words}}</sst>"
_FORMATS = ("General", "General", "#,##0.00", "yyyy-mm-dd", "yyyy-mm-dd hh:mm", "@", "@")
_FONT = '<font>{}<sz val="10.5"/>{}<name val="等线"/></font>'
_STYLES = (
    f"<styleSheet {_MAIN}><numFmts>"
    + "".join(f'<numFmt numFmtId="{164 + n}" formatCode="{f}"/>' for n, f in enumerate(_FORMATS))
    + '</numFmts><fonts count="3">'
    + _FONT.format("", "")
    + _FONT.format("<b/>", "")
    + _FONT.format("", '<color rgb="FF8A8F98"/>')
    + '</fonts><fills count="3"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill><fill><patternFill patternType="solid">'
    '<fgColor rgb="FFF1F3F5"/></patternFill></fill></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs>'
    + "".join(
        f'<xf numFmtId="{164 + n}" fontId="{({_HEAD: 1, _NOTE: 2}).get(n, 0)}" '
        f'fillId="{2 if n == _HEAD else 0}" applyNumberFormat="1" applyFont="1" applyFill="1"/>'
        for n in range(len(_FORMATS))
    )
    + '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_BOOK_RELS = (
    f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    f'<Relationship Id="rId3" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
)
_RELS = (
    f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    f'<Relationship Id="rId2" Type="{_PACKAGE}/relationships/metadata/core-properties" '
    'Target="docProps/core.xml"/></Relationships>'
)
_TYPES = (
    f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>'
    f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_KIND}.sharedStrings+xml"/>'
    '<Override PartName="/docProps/core.xml" '
    'ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>'
)
_CORE = (
    f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>{title}</dc:title>'
    '<dc:creator>{by}</dc:creator><dcterms:created xsi:type="dcterms:W3CDTF">{at}</dcterms:created>'
    "</cp:coreProperties>"
)


# ----- comma separated values

_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r]")


class Csv:
    """A csv file in UTF-8 with its mark, so that spreadsheets read Chinese. What would be reckoned as a formula
    gets an apostrophe in front."""

    def __init__(self, file: IO[bytes], about: About, headings: Sequence[Heading]) -> None:
        self._out = io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
        self._csv = csv.writer(self._out)
        self._csv.writerow([self.text(h.label) for h in headings])

    def text(self, value: str) -> str:
        """Words that no spreadsheet takes for a formula."""
        value = _NEVER.sub("", value)
        return f"'{value}" if _FORMULA.match(value) else value

    word = text

    def number(self, value: Any) -> str:
        """A number."""
        return _plain(value)

    def money(self, value: Decimal) -> str:
        """An amount."""
        return str(value)

    def day(self, value: date) -> str:
        """``2026-11-26``."""
        return value.isoformat()

    def moment(self, value: datetime) -> str:
        """``2026-11-26 09:12:30``."""
        return value.isoformat(" ", "seconds")

    def rows(self, rows: Iterable[Sequence[str]]) -> None:
        """Write rows of cells."""
        self._csv.writerows(rows)

    def close(self, note: str) -> None:
        """The note, after an empty row."""
        self._csv.writerows([[], [self.text(note)]])
        self._out.detach()


WRITERS: dict[str, type[Workbook] | type[Csv]] = {"xlsx": Workbook, "csv": Csv}
"""Who writes a kind of file, by the end of its name."""
