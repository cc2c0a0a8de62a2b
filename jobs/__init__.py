"""What runs outside requests. Thin: ids in, a rule called."""

from __future__ import annotations

import importlib

from flask import Flask

MODULES = ("imports", "notifications", "results", "schedule", "clock_rules")


def connect(app: Flask) -> None:
    """Register every outbox handler and schedule, and give the application its queue."""
    from jobs import worker

    for name in MODULES:
        importlib.import_module(f"jobs.{name}")
    worker.connect(app)
