"""What imports need by the clock; their jobs are declared in `app.engine.imports`."""

from __future__ import annotations

from datetime import datetime

from app.engine import clock, files, outbox
from app.engine.imports import undo, uploads  # noqa: F401 - their jobs


@clock.scheduled("imports.prune", clock.At("03:20"), label="清理过期的导入文件")
def prune(delivery: outbox.Delivery) -> None:
    """Let go of uploaded files that are kept no longer; what they held goes first, the file after it."""
    for name in uploads.prune(delivery.session, datetime.fromisoformat(delivery.payload["slot"])):
        files.remove(name)
