"""Files in fields of records: what is stored of one, how it comes in with a form, and how it is read.

A field holds the name of a kept file (`files`) and what it is called, in one text. An upload is kept when the form
comes in, whatever else is wrong with it; until it is saved the form carries a signed word for it, which nobody but
its sender can use. Files that no record came to hold, and that nothing which still waits may bring to one, are
removed after a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import select

from app.engine import files, outbox
from app.engine.actions import Refusal
from app.engine.cells import Linked
from app.engine.database import writing
from app.engine.fields import FILES, FieldSpec
from app.engine.localtime import local
from app.engine.outbox import Delivery
from app.engine.resource import resource, resource_of
from app.engine.typed import Wrong

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.engine.forms import Context

IMAGES = ("jpg", "jpeg", "png", "webp")
KEPT = "="
"""What a form sends for the file that is there already."""
UPLOAD, DROP, WRONG = "__upload", "__drop", "__wrong"
"""The ends of the names of the inputs: the file itself, the tick that takes it away, what was wrong with it."""
LARGEST = 10 * 1024 * 1024
ABANDONED = "files.abandoned"
_DAY = timedelta(days=1)
_BETWEEN = "|"


def name_of(stored: str) -> str:
    """The kept file."""
    return stored.partition(_BETWEEN)[0]


def called(stored: Any) -> str:
    """What the file is called."""
    return str(stored or "").partition(_BETWEEN)[2]


def is_image(stored: str) -> bool:
    """Whether it can be looked at on a page."""
    return name_of(stored).rpartition(".")[2] in IMAGES


def accepted(kind: str) -> str:
    """The endings a field of that kind takes, as an input names them."""
    return ",".join(f".{ending}" for ending in (IMAGES if kind == "image" else files.PAPERS))


def address(spec: FieldSpec, record_id: Any) -> str:
    """Where the file of a record is fetched."""
    return f"/{resource_of(spec.attribute.class_).name}/{record_id}/file/{spec.name}"


def drawing(kind: str, base: str, field: str) -> Callable[..., Any]:
    """What draws a field's values: the file's name, which fetches it. The record's number stands beside."""

    def drawn(stored: Any, record_id: Any = None, *, now: datetime) -> Any:
        if not stored:
            return None
        icon = "photo" if kind == "image" else "paperclip"
        return Linked(called(stored), f"/{base}/{record_id}/file/{field}", icon)

    return drawn


# ----- coming in


def received(specs: Iterable[FieldSpec], texts: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The submitted texts, with a word for each file that came along."""
    found = dict(texts)
    for spec in specs:
        if spec.kind not in FILES:
            continue
        upload = request.files.get(f"{spec.name}{UPLOAD}")
        if upload is not None and upload.filename:
            try:
                found[spec.name] = [_keep(spec, upload, context)]
            except Refusal as refusal:
                found[f"{spec.name}{WRONG}"] = [refusal.message]
        elif found.get(f"{spec.name}{DROP}"):
            found[spec.name] = [""]
    return found


def _keep(spec: FieldSpec, upload: Any, context: Context) -> str:
    month = local(context.now).strftime("%Y-%m")
    name, title = files.receive(upload.stream, upload.filename, month, LARGEST)
    if spec.kind == "image" and not is_image(name):
        files.remove(name)
        raise Refusal("请上传图片（jpg、png、webp）")
    stored = f"{name}{_BETWEEN}{title}"
    session = context.session
    payload = {"file": stored, "resource": resource_of(spec.attribute.class_).name, "field": spec.name}
    with writing(session):
        outbox.put(session, ABANDONED, payload, at=context.now + _DAY, now=context.now)
        session.commit()
    return str(_signer(context).dumps(stored))


def _signer(context: Context) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt=f"upload {context.actor.id}")


def read(spec: FieldSpec, text: str, context: Context) -> str | None:
    """The value of a submitted word. A program sends none: files come with the form."""
    wrong = context.texts.get(f"{spec.name}{WRONG}")
    if wrong:
        raise Wrong(wrong[-1])
    if text == KEPT:
        return getattr(context.record, spec.name, None)
    try:
        return str(_signer(context).loads(text, max_age=int(_DAY.total_seconds())))
    except BadData:
        raise Wrong("请在页面上传文件") from None


def word(spec: FieldSpec, text: str, context: Context) -> str:
    """What the file is called that a word in a form stands for."""
    try:
        return called(read(spec, text, context))
    except Wrong:
        return ""


_waiting: list[Callable[[Session, str], bool]] = []


def kept_for(waits: Callable[[Session, str], bool]) -> None:
    """Let a domain say of a file that something waits with it, once, at import: it is looked at again a day later."""
    _waiting.append(waits)


@outbox.handler(ABANDONED, seconds=120, label="清理未使用的上传文件")
def remove_abandoned(delivery: Delivery) -> None:
    """Remove an upload that no record holds."""
    payload, session = delivery.payload, delivery.session
    found = resource(payload["resource"])
    column = getattr(found.model, payload["field"], None) if found is not None else None
    if found is not None and column is not None:
        held = select(found.pk()).where(column == payload["file"]).limit(1)
        if session.scalar(held) is not None:
            return
    if any(waits(session, name_of(payload["file"])) for waits in _waiting):
        outbox.put(session, ABANDONED, payload, at=delivery.now + _DAY, now=delivery.now)
        return
    files.remove(name_of(payload["file"]))
