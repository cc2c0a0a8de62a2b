"""``python run.py bench``: the performance table of the product, as ratios to a floor of the same run."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import config
from benchmarks import clock, custom, digest, registrations, report, serving, shaping
from benchmarks.databases import database, environment

TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
PAGE = Path(config.ROOT) / "docs" / "benchmarks.md"
ABOUT = """# 性能

`make bench` 在同一次运行里测量产品与一条“底线”，并以比值给出结果；机器快慢对两者的影响相同。

- **底线**：裸 Flask 路由，一条按键值分页的语句连同标签取出同样的 20 行，写进约 4 KB 的页面；没有登录、权限和框架。
- **数值**：服务器处理一个请求所用的 CPU 毫秒（网页进程加上该连接的数据库进程；SQLite 在网页进程之内）。请求直接送入
  WSGI 应用，各项轮流进行，取中位数。
- **第一页**：已登录的管理员、80 项菜单、角标与完整框架；计数按产品的设置保留 30 秒。“所有计数重新统计”是不保留时的同一页。
- **图表**：整页只含一张图表，全部时间；管理员看全商场，店长看本店。PostgreSQL 在测量时不用并行进程，
  以便数据库的 CPU 全部计入。“经理看板”是 8 张图和 6 个数字的一页。
- **自定义字段**：同一列表显示 20 个自定义字段，与完全没有自定义字段时的同一列表相比；
  字段按管理员的做法新增，最后测量，测量后删除（其索引随之删除），其他项目测量时没有自定义字段。
- 每秒请求数用真正的 gunicorn（2 个进程，每个 4 个线程）和另一个进程中的 8 个长连接测得。
- 网页进程内存以 PSS 判断：代码在分出进程之前载入，由各进程共享；RSS 把共享部分在每个进程里各算一遍。
- “生成”和“热启动”按经过的时间计，机器忙时偏大：负载高于核心数时请以程序 CPU 时间和空闲时的测量为准。
"""


def main(argv: Sequence[str]) -> int:
    """Measure and print; 1 when a goal is missed."""
    options = _options(argv)
    said = [report.circumstances(options.customers)]
    missed = False
    for name in TITLES if options.database == "both" else (options.database,):
        with database(name, options.customers, options.registrations, print) as (url, built):
            rows = [
                report.build_row(options.customers, "位客户", built.customers),
                report.build_row(options.registrations, "条报备", built.registrations),
                *_figures(url, options.quick),
            ]
        missed = missed or any(row.met is False for row in rows)
        said.append(report.table(TITLES[name], rows))
    text = "\n".join(said)
    print(text)
    if options.write:
        PAGE.write_text(f"{ABOUT}\n## 结果\n\n{text}", encoding="utf-8")
    return int(missed)


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("run.py bench", description="测量速度并打印对照表")
    parser.add_argument("--customers", type=int, default=1_000_000, metavar="N", help="客户数，默认 1000000")
    parser.add_argument(
        "--registrations", type=int, default=1_000_000, metavar="N", help="报备数，默认 1000000"
    )
    parser.add_argument("--database", choices=[*TITLES, "both"], default="both", help="在哪种数据库上测量")
    parser.add_argument("--quick", action="store_true", help="少测几轮")
    parser.add_argument("--write", action="store_true", help=f"把结果写入 docs/{PAGE.name}")
    return parser.parse_args(argv)


def _figures(url: str, quick: bool) -> list[report.Row]:
    command = [sys.executable, "-m", "benchmarks.pages", url, "12" if quick else "60"]
    done = subprocess.run(command, env=environment(url), cwd=config.ROOT, check=True, capture_output=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    cookie = figures.pop("cookie")
    rounds, requests = (1, 160) if quick else (3, 480)
    floor, product, memory = serving.rates(url, cookie, "/customers/", rounds, requests)
    start = serving.start_seconds(url, rounds)
    written = [
        row
        for kind in ("xlsx", "csv")
        for row in report.export_rows(kind, _said(url, "benchmarks.exports", kind, str(rounds)))
    ]
    return [
        *report.page_rows(figures),
        *report.server_rows(floor, product, memory, start),
        *report.import_rows(_said(url, "benchmarks.imports")),
        *written,
        *clock.rows(_said(url, "benchmarks.clock")),
        *digest.rows(url),
        *shaping.rows(url),
        *report.chart_rows(_said(url, "benchmarks.charts", url, "2" if quick else "9")),
        *registrations.page_rows(
            _said(url, "benchmarks.registrations", "pages", url, "12" if quick else "60")
        ),
        *registrations.file_rows(_said(url, "benchmarks.registrations", "import")),
        *custom.rows(_said(url, "benchmarks.custom", "12" if quick else "40")),
    ]


def _said(url: str, module: str, *options: str) -> dict[str, Any]:
    """What a measurement in a process of its own found."""
    command = [sys.executable, "-m", module, *options]
    done = subprocess.run(command, env=environment(url), cwd=config.ROOT, check=True, capture_output=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
