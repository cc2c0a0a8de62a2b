"""Records which rows of the catalogues the run's tests prove: ``@pytest.mark.spec("A-61", …)``.

A row passes when every test that names it passed. A run of the whole suite replaces the file; a run of a
part of it replaces what is known about the rows it touched.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

from app import spec_coverage

_ROWS = "spec_rows"


class SpecRecorder:
    """Collects outcomes in the process that reports them: with xdist the controller, else the only one."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.known = frozenset(spec_coverage.rows(config.rootpath / "docs" / "spec"))
        self.outcomes: dict[str, dict[str, str]] = defaultdict(dict)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Attach the rows to each test, so that they travel with its report; unknown rows are refused."""
        for item in items:
            named = [row for mark in item.iter_markers("spec") for row in mark.args]
            unknown = [row for row in named if row not in self.known]
            if unknown:
                raise pytest.UsageError(f"{item.nodeid} names unknown rows: {', '.join(unknown)}")
            if named:
                item.user_properties.append((_ROWS, list(dict.fromkeys(named))))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst outcome of set-up, call and tear-down."""
        for name, value in report.user_properties:
            if name != _ROWS or not isinstance(value, list):
                continue
            for row in value:
                before = self.outcomes[row].get(report.nodeid, "passed")
                if report.failed:
                    self.outcomes[row][report.nodeid] = "failed"
                elif report.skipped:
                    self.outcomes[row][report.nodeid] = "skipped"
                elif report.when == "call":
                    self.outcomes[row][report.nodeid] = before

    def pytest_sessionfinish(self) -> None:
        """Write the file, once per run."""
        if hasattr(self.config, "workerinput"):
            return
        path = results_path(self.config)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._partial() and path.exists()
        recorded = json.loads(path.read_text(encoding="utf-8")) if partial else {}
        for row, tests in self.outcomes.items():
            ran = [outcome for outcome in tests.values() if outcome != "skipped"]
            recorded[row] = {"tests": len(ran), "passing": bool(ran) and "failed" not in ran}
        fresh = path.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_text(json.dumps(recorded, ensure_ascii=False, sort_keys=True, indent=0), encoding="utf-8")
        fresh.replace(path)

    def _partial(self) -> bool:
        asked = self.config.option
        whole = self.config.args_source is not pytest.Config.ArgsSource.ARGS
        return not whole or bool(asked.keyword or asked.markexpr)


def results_path(config: pytest.Config) -> Path:
    """Where `coverage-of-spec` looks."""
    return config.rootpath / "var" / spec_coverage.RESULTS


def pytest_configure(config: pytest.Config) -> None:
    """Start recording."""
    config.pluginmanager.register(SpecRecorder(config), "zhike-spec")
