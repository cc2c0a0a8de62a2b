"""Figures against goals, as a table."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from benchmarks.databases import Built

WHOLE = 1_000_000
BUILD_SECONDS = 240.0
MEMORY = 120.0
START = 2.5
SHARE = 0.2
QUERIES = 8
IMPORT_RATE = 10_000
IMPORT_MEMORY = 200
IMPORT_PAGES = 2.0
EXPORT_ROWS = 100_000
EXPORT_SECONDS = 4.0
EXPORT_MEMORY = 60.0
CHART, DASHBOARD = 150.0, 1000.0
"""Milliseconds of server CPU over the whole database: one chart, and the dashboard of eight."""


@dataclass(frozen=True)
class Row:
    """One line: what was measured, how much, in relation to what, the goal, whether it is met."""

    label: str
    figure: str
    ratio: str
    goal: str
    met: bool | None

    def line(self) -> str:
        """The row in Markdown."""
        verdict = {True: "达到", False: "**未达到**", None: ""}[self.met]
        return f"| {self.label} | {self.figure} | {self.ratio} | {self.goal} | {verdict} |"


def page_rows(figures: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """The rows about the cost of one request."""
    floor, first, fresh = figures["floor"], figures["first"], figures["fresh"]
    own = {
        "deep": 1.5,
        "last": 1.5,
        "filters": 2.0,
        "phone": 2.0,
        "search_phone": 2.0,
        "name": 2.0,
        "part": 2.0,
    }
    rows = [
        Row("底线：裸路由，一条语句，20 行", _cost(floor), "1.00 × 底线", "", None),
        _row(first, floor["cpu"], "底线", 4.0),
        _row(fresh, fresh["floor"], "底线", None),
    ]
    rows += [_row(figures[key], first["cpu"], "第一页", goal) for key, goal in own.items()]
    for key in ("mine", "related", "designer", "store", "clerk"):
        rows.append(_row(figures[key], first["cpu"], "管理员第一页", 1.2))
    most = max(figures.values(), key=lambda figure: figure.get("queries", 0))
    rows.append(
        Row(
            f"查询次数最多的一页（{most['label']}）", f"{most['queries']} 条", "", f"≤ {QUERIES}",
            most["queries"] <= QUERIES,
        )
    )  # fmt: skip
    return rows


def _cost(figure: Mapping[str, Any]) -> str:
    return f"{figure['cpu']:.2f} ms，{figure['size'] / 1024:.0f} KB"


def _row(figure: Mapping[str, Any], base: float, of: str, goal: float | None) -> Row:
    ratio = figure["cpu"] / base
    wanted = "" if goal is None else f"≤ {goal:g} × {of}"
    return Row(
        figure["label"], _cost(figure), f"{ratio:.2f} × {of}", wanted, None if goal is None else ratio <= goal
    )


def server_rows(floor: float, product: float, memory: tuple[float, float], start: float) -> list[Row]:
    """The rows about the running server."""
    share = product / floor
    own, mapped = memory
    return [
        Row("8 个连接，每秒请求（底线）", f"{floor:.0f}/s", "", "", None),
        Row(
            "8 个连接，每秒请求（第一页）",
            f"{product:.0f}/s",
            f"{share:.0%} × 底线",
            f"≥ {SHARE:.0%}",
            share >= SHARE,
        ),
        Row(
            "网页进程内存（PSS）",
            f"{own:.0f} MiB（RSS {mapped:.0f}）",
            "",
            f"≤ {MEMORY:.0f} MiB",
            own <= MEMORY,
        ),
        Row("热启动到第一个 200", f"{start:.2f} s", "", f"≤ {START} s", start <= START),
    ]


def import_rows(figures: Mapping[str, Any], what: str = "", goal: int = IMPORT_RATE) -> list[Row]:
    """The rows about a large file brought in: bringing it in, the check before, memory, pages meanwhile.
    ``what`` is brought in, so many rows a second at least."""
    rows = figures["rows"]
    label = f"导入{what} {rows} 行 × {figures['columns']} 列"
    (check, checking), (apply, applying) = figures["check"], figures["apply"]
    undo, undoing = figures["undo"]
    rate, ratio = rows / apply, figures["busy"] / figures["idle"]
    return [
        Row(f"{label}：读取与检查", f"{check:.1f} s（程序 CPU {checking:.1f} s）", "", "", None),
        Row(
            f"{label}：写入（含查重、规则、历史）",
            f"{apply:.1f} s（程序 CPU {applying:.1f} s），{rate:.0f} 行/s",
            "",
            f"≥ {goal} 行/s",
            rate >= goal,
        ),
        Row(
            f"{label}：读取、检查与写入",
            f"{check + apply:.1f} s，{rows / (check + apply):.0f} 行/s",
            "",
            "",
            None,
        ),
        Row(f"{label}：撤销", f"{undo:.1f} s（程序 CPU {undoing:.1f} s）", "", "", None),
        Row(
            f"{label}：内存",
            f"进程共 {figures['most']:.0f} MiB",
            "",
            f"≤ {IMPORT_MEMORY} MiB",
            figures["most"] <= IMPORT_MEMORY,
        ),
        Row(
            f"导入{what}期间的列表第一页",
            f"{figures['busy']:.1f} ms（空闲时 {figures['idle']:.1f} ms）",
            f"{ratio:.2f} × 空闲时",
            f"≤ {IMPORT_PAGES:g} × 空闲时",
            ratio <= IMPORT_PAGES,
        ),
    ]


def export_rows(kind: str, figures: Mapping[str, Any]) -> list[Row]:
    """The rows about a large list as a file: how long it takes, and what memory beyond the product's own."""
    label, rows = f"导出 {figures['rows']} 行 × {figures['columns']} 列（{kind}）", figures["rows"]
    beyond, seconds = figures["most"] - figures["base"], figures["seconds"]
    goal = EXPORT_SECONDS * max(1.0, rows / EXPORT_ROWS)
    return [
        Row(
            label,
            f"{seconds:.2f} s（程序 CPU {figures['cpu']:.2f} s），{figures['size'] / 1e6:.1f} MB",
            "",
            f"≤ {goal:.1f} s",
            seconds <= goal,
        ),
        Row(
            f"{label}：内存",
            f"+{beyond:.0f} MiB（进程共 {figures['most']:.0f} MiB）",
            "",
            f"≤ +{EXPORT_MEMORY:.0f} MiB",
            beyond <= EXPORT_MEMORY,
        ),
    ]


def chart_rows(figures: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """The rows about charts, the dearest of each person alone named, and about the dashboard."""
    rows = []
    for who in dict.fromkeys(key.split(":")[1] for key in figures if key.startswith("chart:")):
        mine = [f for key, f in figures.items() if key.startswith(f"chart:{who}:")]
        dearest = max(mine, key=lambda f: f["cpu"])
        label = f"图表，{who}：{len(mine)} 张中最慢的“{dearest['label']}”"
        rows.append(_within(label, dearest["cpu"], CHART))
    boards = [f for key, f in figures.items() if key.startswith("dashboard:")]
    return [*rows, *(_within(f["label"], f["cpu"], DASHBOARD) for f in boards)]


def _within(label: str, cpu: float, goal: float) -> Row:
    return Row(label, f"{cpu:.0f} ms", "", f"≤ {goal:.0f} ms", cpu <= goal)


def build_row(amount: int, what: str, built: Built | None) -> Row:
    """The row about making the data; without a known time there is no verdict."""
    label = f"生成 {amount} {what}"
    if built is None:
        return Row(label, "沿用已有数据库", "", "", None)
    figure = f"{built.seconds:.0f} s（程序 CPU {built.cpu:.0f} s）"
    if amount != WHOLE:
        return Row(label, figure, "", "", None)
    return Row(label, figure, "", f"≤ {BUILD_SECONDS:.0f} s", built.seconds <= BUILD_SECONDS)


def table(title: str, rows: list[Row]) -> str:
    """One database's table in Markdown."""
    head = f"### {title}\n\n| 项目 | 数值 | 比值 | 目标 | 结论 |\n|---|---:|---:|---:|---|\n"
    return head + "\n".join(row.line() for row in rows) + "\n"


def circumstances(customers: int) -> str:
    """On what, and how busy it was: figures of a busy machine are not the product's best."""
    load = os.getloadavg()[0]
    return (
        f"{date.today().isoformat()}，{customers} 位客户，{os.cpu_count()} 个处理器核心，"
        f"Python {platform.python_version()}，测量开始时一分钟平均负载 {load:.1f}。"
    )
