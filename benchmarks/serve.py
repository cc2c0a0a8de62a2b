"""Serves the floor or the product with the product's own web server: ``python -m benchmarks.serve floor``."""

from __future__ import annotations

import os
import sys
from typing import Any

import config
from app.processes import follow_parent
from app.web import WebServer
from benchmarks.floor import make_floor
from benchmarks.product import make_product


class BareServer(WebServer):
    """The same server for an application that is not the product's."""

    def _post_fork(self, server: Any, _worker: Any) -> None:
        follow_parent(server.pid)


if __name__ == "__main__":
    settings = config.settings(os.environ)
    server = BareServer(settings) if sys.argv[1] == "floor" else WebServer(settings)
    if sys.argv[1] == "floor":
        server.flask_app, engine = make_floor(settings["SQLALCHEMY_DATABASE_URI"])
        engine.dispose()
    else:
        server.flask_app = make_product()
    server.run()
