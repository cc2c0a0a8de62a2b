"""Every address that answers is declared by us: nothing comes along with a library."""

from __future__ import annotations

import pytest
from flask import Flask

from app.engine.resource import resources

PK = "<int(max=2147483647):pk>"
HAND_WRITTEN = {
    "/", "/login", "/login/", "/logout", "/search", "/profile", "/profile/", "/profile/password",
    "/profile/store", "/parameters/", "/roles/new",
    "/notifications/", "/notifications/unread", "/notifications/newest", "/notifications/read",
    "/profile/notices", "/profile/notices/", "/notifications/<int(max=2147483647):pk>",
    "/static/<path:filename>", "/customers/handover/", "/customers/handover/<kind>",
    "/handovers/<int(max=2147483647):pk>/again", "/handovers/<int(max=2147483647):pk>/back",
    "/notices/", "/notices/<int(max=2147483647):pk>", "/notices/<int(max=2147483647):pk>/read",
    "/jobs/progress", f"/jobs/{PK}/file", f"/jobs/{PK}/open",
    "/queue/", "/queue/again", "/healthz", "/readyz", "/metrics",
    "/dashboards/", "/dashboards/<name>", "/dashboards/<name>.xlsx",
    "/boards/add", "/boards/copy/<name>", f"/boards/{PK}/add", f"/boards/{PK}/compose", f"/boards/{PK}/copy",
    f"/boards/{PK}/numbers.xlsx", f"/boards/{PK}/order", f"/boards/{PK}/restore", f"/boards/{PK}/tiles/<key>",
    "/registration-tracking/", "/registration-tracking/track", "/registration-tracking/sms",
    "/registration-measuring/complete", "/registration-measuring/file",
    "/registration-audit/", f"/registration-audit/{PK}/judge",
    "/roles/who", "/why/", "/preview/end", "/roles/new/preview", f"/roles/{PK}/preview", f"/roles/{PK}/people",
    "/registration-statistics/", "/registration-statistics/export", "/registration-standing/",
    "/dictionaries/", "/dictionaries/uses", "/dictionaries/undo", "/dictionaries/merge", "/dictionaries/merged",
    "/menu-settings/", "/menu-settings/edit", "/menu-settings/new", f"/menu-settings/{PK}", f"/menu-settings/{PK}/history",
    "/layouts/", "/layouts/edit", f"/layouts/{PK}", f"/layouts/{PK}/history",
    "/configuration/", f"/configuration/{PK}/undo", "/configuration/export", "/configuration/import",
    "/list_views/", *(f"/list_views/{PK}{path}" for path in ("", "/conditions", "/copy", "/delete", "/restore")),
    "/automation/trial", "/automation/terms", "/automation/fields",
    f"/print/<name>/{PK}", f"/board_briefs/{PK}/leave", f"/board_briefs/{PK}/join",
    "/notice-words/",
    *(f"/notice_words/{of}/{page}" for of in ("new", f"{PK}/edit") for page in ("placeholders", "preview")),
    *(f"/text_templates/{of}/{page}" for of in ("new", f"{PK}/edit") for page in ("placeholders", "preview")),
}  # fmt: skip
PAGES = {
    "/undo/<deed>",
    "/", "/new", "/columns", "/export", "/charts", f"/{PK}", f"/{PK}/panel", f"/{PK}/history", f"/{PK}/edit",
    f"/{PK}/file/<field>",
    f"/{PK}/delete", "/import", "/import/template", "/pick/<field>", "/check/<field>",
    "/action/<name>", "/action/<name>/pick/<field>",
    "/charts.xlsx", "/selected/<name>", "/import/begin",
}  # fmt: skip
IMPORTS = {"", "/progress", "/mapping", "/start", "/stop", "/undo", "/problems"}
API = {
    "/security/login", "/security/refresh", "/openapi.json", "/<name>", "/<name>/", f"/<name>/{PK}", "/<name>/<int:pk>",
    "/<name>/actions/<action_name>",
}  # fmt: skip


@pytest.mark.sqlite_only
def test_no_address_is_unknown(app: Flask) -> None:
    known = HAND_WRITTEN | {f"/api/v1{path}" for path in API}
    known |= {f"/imports/{PK}{path}" for path in IMPORTS}
    known |= {f"/{r.name}{path}" for r in resources() if r.columns for path in PAGES}
    assert {rule.rule for rule in app.url_map.iter_rules()} - known == set()


@pytest.mark.sqlite_only
@pytest.mark.parametrize("path", ["/lang/en", "/back", "/static/appbuilder/js/ab.js", "/api/v1/menu/"])
def test_pages_of_the_framework_are_gone(app: Flask, clients: object, path: str) -> None:
    assert clients("sees1").get(path).status_code == 404  # type: ignore[operator]
