"""The only place where the parts of the product are put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from flask import Flask, Response, request, session
from flask_appbuilder import AppBuilder
from flask_talisman import Talisman
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

import config
import jobs
import models
from app import errors, health
from app.engine import api, chrome, previewing
from app.engine.database import db, prepare_engine
from app.engine.security import SecurityManager, Sessions
from app.engine.views import make_views
from app.request import Request
from app.routing import LateRule

structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,  # without local variables: they may hold personal data
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
)
csrf = CSRFProtect()

_CSP = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


class Builder(AppBuilder):  # type: ignore[misc]
    """The framework without pages of its own: what is not declared here answers nothing."""

    def _add_admin_views(self) -> None:
        self._indexview = self.add_view_no_menu(self.indexview)

    def _add_global_static(self) -> None:
        """Its scripts and styles are used by its own pages alone."""


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """The application with every domain loaded; ``settings`` override those of the environment."""
    app = Flask("app", static_folder="static", template_folder="templates")
    app.request_class = Request
    app.url_rule_class = LateRule
    app.session_interface = Sessions()
    app.config.update(config.settings() if settings is None else settings)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    models.load()
    from models.identity.tables import Employee
    from views import hand_written

    SecurityManager.user_model = Employee
    db.init_app(app)
    csrf.init_app(app)
    Talisman(
        app,
        force_https=False,
        session_cookie_secure=app.config["SESSION_COOKIE_SECURE"],
        strict_transport_security=app.config["SESSION_COOKIE_SECURE"],
        content_security_policy=_CSP,
        referrer_policy="same-origin",
    )
    with app.app_context():
        for engine in db.engines.values():
            prepare_engine(engine)
        builder = Builder(
            app, db.session, security_manager_class=SecurityManager, indexview=hand_written.HomeView
        )
        for view in (*hand_written.VIEWS, *make_views()):
            builder.add_view_no_menu(view)
        api.register(app, csrf)
    app.context_processor(chrome.context)
    app.before_request(previewing.guard_request)
    app.after_request(_mark_changes)
    app.after_request(_no_store)
    errors.install(app)
    health.install(app)
    jobs.connect(app)
    hops = app.config["PROXY_HOPS"]
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _mark_changes(response: Response) -> Response:
    """The person's counts are counted anew after his or her own changes."""
    if request.method == "POST" and "_user_id" in session:
        chrome.counted_anew()
    return response


def _no_store(response: Response) -> Response:
    """Pages hold personal data: no cache keeps them. Static files carry a hash, the font its version, and are
    kept for ever."""
    if request.endpoint == "static":
        if "v" in request.args or request.path.endswith(".woff2"):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers.setdefault("Cache-Control", "no-store")
    return response
