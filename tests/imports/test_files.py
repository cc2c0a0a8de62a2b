"""Files as people really have them: everything that cannot be used is said in a sentence, nothing half-done."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from openpyxl.workbook.protection import WorkbookProtection

from app.engine.actions import Refusal
from app.engine.imports import sheets
from app.engine.jobs import Cancelled
from tests.imports.conftest import xlsx

HEAD = ["客户姓名", "手机号码"]
MOST = 1000
pytestmark = pytest.mark.sqlite_only


def lines(folder: Path, content: bytes, name: str = "file.xlsx", most: int = MOST) -> list[list[str]]:
    """What the file is read as, without its headings."""
    source, target = folder / name, folder / "lines.csv"
    source.write_bytes(content)
    sheets.read(source, target, most)
    return [cells for _, cells in sheets.lines(target)][1:]


def refused(folder: Path, content: bytes, name: str = "file.xlsx", most: int = MOST) -> str:
    """Why it is not."""
    with pytest.raises(Refusal) as refusal:
        lines(folder, content, name, most)
    return refusal.value.message


def text(rows: list[list[str]], encoding: str, separator: str = ",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(rows)
    return out.getvalue().encode(encoding)


def edited(content: bytes, change: Callable[[zipfile.ZipFile, zipfile.ZipFile], None]) -> bytes:
    """The workbook with its package rewritten."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))
        change(old, new)
    return out.getvalue()


# ----- what can be used


def test_numbers_dates_and_ticks_become_words(tmp_path: Path) -> None:
    row = [
        "张一",
        13900000001,
        13900000002.0,
        12.5,
        date(2026, 1, 5),
        datetime(2026, 1, 5, 9, 30),
        True,
        None,
        0,
    ]
    assert lines(tmp_path, xlsx([[*"abcdefghi"], row])) == [
        ["张一", "13900000001", "13900000002", "12.5", "2026-01-05", "2026-01-05 09:30", "是", "", "0"]
    ]


def test_rows_keep_their_numbers_and_empty_ones_are_passed_over(tmp_path: Path) -> None:
    source, target = tmp_path / "a.xlsx", tmp_path / "lines.csv"
    source.write_bytes(xlsx([HEAD, ["张一", "1"], [None, None], ["  ", ""], ["张二", "2"]]))
    assert sheets.read(source, target, MOST).rows == 2
    assert [number for number, _ in sheets.lines(target)] == [1, 2, 5]


def test_a_table_that_begins_further_down_keeps_its_place(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["B3"], book.active["C3"], book.active["B4"], book.active["C4"] = (
        "客户姓名",
        "手机号码",
        "张一",
        "1",
    )
    out = io.BytesIO()
    book.save(out)
    source, target = tmp_path / "a.xlsx", tmp_path / "lines.csv"
    source.write_bytes(out.getvalue())
    sheets.read(source, target, MOST)
    assert list(sheets.lines(target)) == [(3, ["", "客户姓名", "手机号码"]), (4, ["", "张一", "1"])]


def test_formulas_are_read_as_what_they_show(tmp_path: Path) -> None:
    path, target = tmp_path / "a.xlsx", tmp_path / "lines.csv"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEAD)
    sheet.write_string(1, 0, "张一")
    sheet.write_formula(1, 1, '="139"&"00000001"', None, "13900000001")
    book.close()
    found = sheets.read(path, target, MOST)
    assert found.notes == ("文件含有公式，已按公式当前显示的结果读取",)
    assert [cells for _, cells in sheets.lines(target)][1] == ["张一", "13900000001"]


def test_hidden_sheets_are_not_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["秘密"])
    book.active.sheet_state = "hidden"
    shown = book.create_sheet("客户")
    for row in (HEAD, ["张一", "1"]):
        shown.append(row)
    more = book.create_sheet("其他")
    more.append(["别的"])
    book.active = 1
    out = io.BytesIO()
    book.save(out)
    source, target = tmp_path / "a.xlsx", tmp_path / "lines.csv"
    source.write_bytes(out.getvalue())
    assert sheets.read(source, target, MOST).notes == ("文件有 2 个工作表，读取的是第一个“客户”",)
    assert [cells for _, cells in sheets.lines(target)] == [HEAD, ["张一", "1"]]


def test_an_exported_list_comes_in_without_its_last_line(tmp_path: Path) -> None:
    rows = [HEAD, ["张一", "1"], [None, None], ["导出人：管理员；导出时间：2026-11-26 10:00:00；共 1 行"]]
    assert lines(tmp_path, xlsx(rows)) == [["张一", "1"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_texts_in_every_encoding(tmp_path: Path, encoding: str, separator: str) -> None:
    content = text([HEAD, ["欧阳", "139"], ["多行\n地址", "1"]], encoding, separator)
    assert lines(tmp_path, content, "a.csv") == [["欧阳", "139"], ["多行\n地址", "1"]]


def test_an_old_workbook(tmp_path: Path) -> None:
    content = (Path(__file__).parent / "files" / "old.xls").read_bytes()
    assert lines(tmp_path, content, "a.xls") == [
        ["张一", "13900000001", "2026-01-05"],
        ["李二", "13900000002"],
    ]


def test_a_protected_but_readable_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.security = WorkbookProtection(workbookPassword="x", lockStructure=True)
    book.active.append(HEAD)
    book.active.append(["张一", "1"])
    out = io.BytesIO()
    book.save(out)
    assert lines(tmp_path, out.getvalue()) == [["张一", "1"]]


def test_a_very_long_cell_is_read(tmp_path: Path) -> None:
    assert len(lines(tmp_path, text([HEAD, ["长" * 200_000, "1"]], "utf-8"), "a.csv")[0][0]) == 200_000


# ----- what cannot


def test_an_empty_file(tmp_path: Path) -> None:
    assert refused(tmp_path, b"") == "文件是空的"
    assert refused(tmp_path, xlsx([])) == "文件是空的"
    assert refused(tmp_path, b"\r\n\r\n", "a.csv") == "文件是空的"


def test_headings_alone(tmp_path: Path) -> None:
    assert refused(tmp_path, xlsx([HEAD])) == "文件只有表头，没有数据行"


def test_a_broken_one(tmp_path: Path) -> None:
    whole = xlsx([HEAD, ["张一", "1"]])
    assert "损坏" in refused(tmp_path, whole[: len(whole) // 2])
    at = whole.index(b"xl/worksheets/sheet1.xml") + 40
    assert "损坏" in refused(tmp_path, whole[:at] + bytes(300) + whole[at + 300 :])


def test_a_package_that_is_no_workbook(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("word/document.xml", "<w/>")
    assert refused(tmp_path, out.getvalue()) == "这不是电子表格文件，请上传 xlsx、xls 或 csv 文件"


def test_a_picture_called_a_table(tmp_path: Path) -> None:
    assert "无法识别文件" in refused(tmp_path, b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "a.csv")


def test_an_encrypted_one(tmp_path: Path) -> None:
    locked = xlsx([HEAD, ["张一", "1"]])
    marked = bytearray(locked)
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = marked.find(signature)
        while at >= 0:
            marked[at + place] |= 1
            at = marked.find(signature, at + 4)
    assert refused(tmp_path, bytes(marked)) == "文件已加密，请取消密码后重新上传"
    assert "请" in refused(tmp_path, ole_encrypted())


def test_macros(tmp_path: Path) -> None:
    content = edited(xlsx([HEAD, ["张一", "1"]]), lambda old, new: new.writestr("xl/vbaProject.bin", b"x"))
    assert "宏" in refused(tmp_path, content)


def test_a_bomb(tmp_path: Path) -> None:
    zeros = "0" * (1 << 20)

    def swell(_old: zipfile.ZipFile, new: zipfile.ZipFile) -> None:
        with new.open("xl/media/zeros.xml", "w", force_zip64=True) as file:
            for _ in range(120):
                file.write(zeros.encode())

    assert (
        refused(tmp_path, edited(xlsx([HEAD, ["张一", "1"]]), swell))
        == "文件解压后过大，请另存为新的工作簿后重试"
    )


def test_entities_are_not_unfolded(tmp_path: Path) -> None:
    """A workbook whose strings are a billion laughs ends in a sentence within the child's bounds."""
    bomb = '<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "lol">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    bomb += (
        ']><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>&j;</t></si></sst>'
    )
    path = tmp_path / "s.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEAD)
    sheet.write_row(1, 0, ["张一", "1"])
    book.close()
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            new.writestr(
                info.filename, bomb if info.filename.endswith("sharedStrings.xml") else old.read(info)
            )
    source, target = tmp_path / "file.xlsx", tmp_path / "lines.csv"
    source.write_bytes(out.getvalue())
    with suppress(Refusal):
        sheets.read(source, target, MOST)
    assert not target.exists() or target.stat().st_size < 1 << 20


def test_merged_cells(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (HEAD, ["张一", "1"], ["张二", "2"]):
        book.active.append(row)
    book.active.merge_cells("A2:A3")
    out = io.BytesIO()
    book.save(out)
    assert refused(tmp_path, out.getvalue()).startswith("工作表有合并单元格（从第 2 行第 1 列起）")


def test_too_many_rows_and_columns(tmp_path: Path) -> None:
    rows = [HEAD, *[[f"客户{n}", "1"] for n in range(12)]]
    assert refused(tmp_path, xlsx(rows), most=10) == "文件超过 10 行数据，请分成几个文件"
    assert "最多 200 列" in refused(tmp_path, xlsx([[f"列{n}" for n in range(300)], ["x"] * 300]))
    assert "最多 200 列" in refused(tmp_path, text([["a"] * 300, ["b"] * 300], "utf-8"), "a.csv")


def test_quotes_that_do_not_close(tmp_path: Path) -> None:
    assert refused(tmp_path, '客户姓名,手机号码\n"张一,1\n'.encode(), "a.csv").startswith("从第 2 行起")


def test_all_sheets_hidden(tmp_path: Path) -> None:
    content = xlsx([HEAD, ["张一", "1"]])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            body = old.read(info)
            if info.filename == "xl/workbook.xml":
                body = body.replace(b'state="visible"', b'state="hidden"')
            new.writestr(info.filename, body)
    assert refused(tmp_path, out.getvalue()) == "文件里没有可见的工作表"


def test_the_child_has_bounds(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c",
         "import resource, sys; from app.engine.imports import reader; calls=[];"
         "resource.setrlimit=lambda *a: calls.append(a[0]); reader.read=lambda *a: calls.append('read') or {};"
         "reader.main(['a','b','1']); print(calls == [resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, 'read'])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "True"


def test_a_short_file_of_long_lines(tmp_path: Path) -> None:
    """One text in every cell of a workbook stands in it once."""
    source, target = tmp_path / "x.csv", tmp_path / "lines.csv"
    source.write_text("姓名\n" + "长" * 60_000 + "\n")
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from app.engine.imports import reader; reader.WRITTEN = 50_000;"
         "reader.main(sys.argv[1:])", str(source), str(target), "10"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == {"error": "文件内容过多，请分成几个文件"}


def test_signs_of_life_while_the_child_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "x.csv", tmp_path / "lines.csv"
    source.write_text("姓名\n甲\n")
    monkeypatch.setattr(sheets, "_LOOK", 0.01)
    signs: list[int] = []
    assert sheets.read(source, target, MOST, lambda: signs.append(1)).rows == 1
    assert signs != []

    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        sheets.read(source, target, MOST, stop)


# ----- files made by hand


def ole_encrypted() -> bytes:
    """An OLE container without a workbook in it, as an encrypted package has none."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)
