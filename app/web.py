"""The web server: gunicorn with the application loaded once before its workers are forked."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from jinja2 import FileSystemBytecodeCache

from app.processes import follow_parent


class WebServer(BaseApplication):
    """gunicorn configured from the product's settings instead of its own files and options."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings
        self.flask_app: Flask | None = None
        super().__init__()

    def load_config(self) -> None:
        """Translate the settings."""
        shared_memory = Path("/dev/shm")
        options: dict[str, Any] = {
            "bind": f"{_bracketed(self.settings['HOST'])}:{self.settings['PORT']}",
            "workers": self.settings["WEB_WORKERS"],
            "threads": self.settings["WEB_THREADS"],
            "worker_class": "gthread",
            "preload_app": True,
            "timeout": 120,
            "graceful_timeout": 10,
            "keepalive": 5,
            "loglevel": "warning",
            "proc_name": "zhike-web",
            "control_socket_disable": True,
            "worker_tmp_dir": str(shared_memory) if os.access(shared_memory, os.W_OK) else None,
            "post_fork": self._post_fork,
            "child_exit": self._child_exit,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, made once in the parent so that workers share its memory."""
        if self.flask_app is None:
            from app.factory import create_app

            self.flask_app = create_app(self.settings)
        compile_templates(self.flask_app, Path(self.settings["DATA_DIR"]) / "run" / "templates")
        gc.collect()
        gc.freeze()
        return self.flask_app

    def _post_fork(self, server: Any, _worker: Any) -> None:
        follow_parent(server.pid)
        if self.flask_app is not None:
            from app.engine.database import db

            with self.flask_app.app_context():
                db.engine.dispose(close=False)

    @staticmethod
    def _child_exit(_server: Any, worker: Any) -> None:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)


def compile_templates(app: Flask, folder: Path) -> None:
    """Make the product's templates ready before there are workers, which then have them in common; the next start finds
    them compiled in the folder."""
    environment = app.jinja_env
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        pass  # compiled once more at each start
    else:
        environment.bytecode_cache = FileSystemBytecodeCache(str(folder))
    for name in environment.list_templates(
        filter_func=lambda name: "/" not in name and name.endswith(".html")
    ):
        environment.get_template(name)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def run(settings: Mapping[str, Any]) -> None:
    """Serve until SIGTERM."""
    figures = Path(settings["DATA_DIR"]) / "run" / f"metrics-{settings['PORT']}"
    shutil.rmtree(figures, ignore_errors=True)
    figures.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(figures)  # read when prometheus_client is first imported
    WebServer(settings).run()
