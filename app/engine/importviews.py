"""The upload of a file of records, and the template it is made of."""

from __future__ import annotations

import dataclasses
import io
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from sqlalchemy import select

from app.engine import chrome, drawing, forms, pages
from app.engine.actions import Forbidden, Invalid, NotFound, Refusal
from app.engine.database import db, utcnow
from app.engine.fields import FieldSpec, describe
from app.engine.imports import uploads
from app.engine.imports.runs import foreseen, in_words
from app.engine.imports.tables import IMPORTS, ImportState
from app.engine.localtime import local
from app.engine.resource import Group, ImportTemplate, Resource
from app.engine.scopes import Actor
from app.engine.viewbase import ViewBase, download, leave

ADD, BOTH, UPDATE = "add", "both", "update"
_MODES = {ADD: "只新增", BOTH: "新增，并更新已有的", UPDATE: "只更新已有的"}
_RECENT = 8


class ImportViews(ViewBase):
    """批量导入 (D-19…D-22)."""

    @expose("/import", methods=["GET", "POST"])
    def bring_in(self) -> ResponseReturnValue:
        """Choose a file and say what it is; the check begins at once."""
        actor = self.allowed("can_import", f"导入{self.resource.label}")
        template = self._template()
        if request.method == "GET":
            begun = not template.introduction or "begun" in request.args
            return self._upload(actor, template) if begun else self._introduce(actor, template)
        try:
            options = self._options(template, actor)
            upload = request.files.get("file")
            if upload is None or not upload.filename:
                raise Refusal(template.words.no_file, field="file")
            run = uploads.begin(
                db.session(), self.resource, actor, upload.stream, upload.filename, options, utcnow()
            )
        except (Forbidden, NotFound):
            raise
        except Refusal as refusal:
            return self._upload(actor, template, refusal.message), refusal.status
        return redirect(f"/imports/{run.id}")

    @expose("/import/begin", methods=["POST"])
    def begin(self) -> ResponseReturnValue:
        """What the whole file is was chosen in a window of its own; the upload comes next (E-40)."""
        actor = self.allowed("can_import", f"导入{self.resource.label}")
        template = self._template()
        try:
            self._options(template, actor)
        except Invalid as wrong:
            return self._introduce(actor, template, wrong.errors), wrong.status
        names = [describe(preset).name for preset in template.presets]
        chosen = {name: request.form.get(name, "") for name in names if request.form.get(name)}
        return leave(f"{self.base}/import?{urlencode({**chosen, 'begun': 1})}")

    @expose("/import/template", methods=["GET"])
    def template(self) -> ResponseReturnValue:
        """The workbook to fill in, with the lists of this person's own dealer."""
        from app.engine.imports.template import template

        actor = self.allowed("can_import", f"导入{self.resource.label}")
        declared = self._template()
        options = self._options(declared, actor)
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "template.xlsx"
            template(db.session(), self.resource, actor, options.get("presets") or {}, options["key"], target)
            content = io.BytesIO(target.read_bytes())
        return download(content, f"{self.resource.label}导入模板.xlsx")

    def _template(self) -> ImportTemplate:
        template = self.resource.template
        if template is None:
            raise NotFound
        return template

    def _options(self, template: ImportTemplate, actor: Actor) -> dict[str, Any]:
        """What was chosen beside the file; nonsense reads like nothing chosen, a wrong preset is refused."""
        given = request.values
        mode = given.get("mode", ADD) if template.keys else ADD
        keys = [describe(k).name for k in template.keys]
        key = given.get("key", "") if given.get("key") in keys else (keys[0] if keys else "")
        context = forms.Context(db.session(), actor, utcnow())
        presets = {}
        for spec in map(describe, template.presets):
            text = given.get(spec.name, "")
            try:
                value = forms.single(spec, [text], context) if text else None
            except forms.Wrong as wrong:
                raise Invalid({spec.name: f"{spec.label}：{wrong.message}"}) from None
            if value is not None:
                presets[spec.name] = value
        return {
            "key": "" if mode == ADD else key,
            "adds": mode != UPDATE,
            "insists": given.get("insists") == "1",
            "presets": presets,
        }

    def _introduce(
        self, actor: Actor, template: ImportTemplate, errors: Mapping[str, str] | None = None
    ) -> str:
        texts = request.form.to_dict(flat=False) or None
        context = forms.Context(db.session(), actor, utcnow())
        drawer = drawing.Drawer(f"{self.base}/import", texts, errors)
        title = f"导入{self.resource.label}"
        shown = drawing.form_page(
            (Group("整个文件", *_presets(template)),), context, drawer,
            title=title, url=f"{self.base}/import/begin", cancel_url=f"{self.base}/", submit="确定",
        )  # fmt: skip
        shown.intro = "".join(template.introduction)
        shown.standing = self.resource.standing(actor, context.session, context.now)
        return chrome.page("form.html", key=self.resource.name, title=title, page=shown)

    def _upload(self, actor: Actor, template: ImportTemplate, error: str = "") -> str:
        texts = {k: request.values.getlist(k) for k in request.values}
        base = f"/{self.resource.name}"
        context = forms.Context(db.session(), actor, utcnow())
        drawer = drawing.Drawer(f"{base}/import", texts or None, None)
        mode = request.values.get("mode", ADD)
        bounds = template.bounds_for(context.session, actor.dealer_id)
        shown = pages.UploadPage(
            f"导入{self.resource.label}",
            self.resource.name,
            f"{base}/import",
            f"{base}/import/template",
            f"{base}/",
            [drawer.draw(spec, context) for spec in _presets(template)],
            [pages.Option(v, label, selected=v == mode) for v, label in _MODES.items()]
            if template.keys
            else [],
            [
                pages.Option(s.name, s.label, selected=s.name == request.values.get("key"))
                for s in map(describe, template.keys)
            ],
            list(template.notes),
            recent(actor, self.resource),
            f"xlsx、xls 或 csv（UTF-8、GBK），最多 {bounds.rows:,} 行、{bounds.megabytes} MB",
            insists=request.values.get("insists") == "1",
            error=error,
            words=template.words,
            asks=not template.strict,
            standing=self.resource.standing(actor, context.session, context.now),
        )
        return chrome.page("import_upload.html", key=self.resource.name, title=shown.title, page=shown)


def _presets(template: ImportTemplate) -> list[FieldSpec]:
    """What may be chosen for a whole file; nobody has to, the lines may say it themselves."""
    return [dataclasses.replace(describe(source), required=False) for source in template.presets]


def recent(actor: Actor, resource: type[Resource]) -> list[pages.RecentImport]:
    """The person's own last imports of these."""
    own = (
        IMPORTS.c.user_id == actor.id,
        IMPORTS.c.resource == resource.name,
        IMPORTS.c.dealer_id.is_not_distinct_from(actor.dealer_id),
    )
    found: Sequence[Any] = db.session.execute(
        select(IMPORTS).where(*own).order_by(IMPORTS.c.created_at.desc(), IMPORTS.c.id.desc()).limit(_RECENT)
    ).all()
    return [
        pages.RecentImport(
            row.file_name,
            f"/imports/{row.id}",
            local(row.created_at).strftime("%Y-%m-%d %H:%M"),
            row.state.label,
            row.state.tone.value,
            _said(row),
        )
        for row in found
    ]


def _said(row: Any) -> str:
    if row.reason or not row.counts:
        return row.reason or ""
    return foreseen(row.counts) if row.state == ImportState.READY else in_words(row.counts)
