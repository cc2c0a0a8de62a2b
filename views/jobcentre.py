"""Beside the list of jobs: how far they are, and the files they made."""

from __future__ import annotations

from flask import jsonify, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import select

from app.engine import files, jobcentre, perform, reach
from app.engine.actions import Forbidden, Refusal
from app.engine.database import PK, db, id_of, utcnow
from app.engine.jobcentre import SEEING, Jobs
from app.engine.jobs import OPEN, Job, doer_of, percent
from app.engine.scopes import Actor, visible
from app.engine.security import require_actor
from app.engine.viewbase import download

MOST = 100


class JobCentreView(BaseView):  # type: ignore[misc]
    """What the pages of `Jobs` ask for besides themselves."""

    route_base = "/jobs"

    @expose("/progress", methods=["GET"])
    def progress(self) -> ResponseReturnValue:
        """The percentage of some jobs; those that are not the person's to see are left out."""
        actor = _actor()
        ids = [i for i in map(id_of, request.args.getlist("id")[:MOST]) if i]
        table = Job.id, Job.state, Job.done, Job.total
        rows = db.session().execute(select(*table).where(Job.id.in_(ids), visible(Jobs, actor)), actor.params)
        found = {
            str(row.id): {
                "open": row.state in OPEN,
                "state": row.state.label,
                "percent": percent(row.done, row.total),
            }
            for row in rows
        }
        return jsonify({"jobs": found})

    @expose(f"/{PK}/file", methods=["GET"])
    def file(self, pk: int) -> ResponseReturnValue:
        """The result, to its person alone, while the rights still cover it."""
        actor = _actor()
        job = perform.find(db.session(), Jobs, pk, actor)
        place = files.path(jobcentre.fetchable(job, actor, utcnow()))
        if not place.exists():
            raise Refusal("文件已过期删除，请重新执行任务")
        return download(place, job.file_name or place.name)

    @expose(f"/{PK}/open", methods=["GET"])
    def open(self, pk: int) -> ResponseReturnValue:
        """The page that a job belongs to, which asks for its own rights; of others, and for others, its own."""
        actor = _actor()
        job = perform.find(db.session(), Jobs, pk, actor)
        known = doer_of(job.kind)
        if known is None or not known.page or job.user_id != actor.id:
            return redirect(f"/jobs/{pk}")
        return redirect(known.page.format(**job.payload))


def _actor() -> Actor:
    actor = require_actor()
    if not actor.can(*SEEING):
        raise Forbidden("任务中心", seeing=True)
    return actor


reach.opened_at(Jobs, "/jobs/{}/open")

VIEWS = [JobCentreView]
