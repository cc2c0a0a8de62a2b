"""What every test can ask for; the pieces stand in ``tests/plugins``."""

from __future__ import annotations

pytest_plugins = (
    "tests.plugins.spec",
    "tests.plugins.databases",
    "tests.plugins.trades",
    "tests.plugins.people",
    "tests.plugins.services",
    "tests.plugins.chromium",
)
