"""What imports need by the clock; their jobs are declared in `app.engine.imports`."""

from __future__ import annotations

from datetime import datetime

from app.engine import clock, files, outbox
from app.engine.imports import undo, uploads  # noqa: F401 - their jobs


@clock.scheduled("imports.prune", clock.At("03:20"), label="清理过期的导入文件")
def prune(delivery: outbox.Delivery) -> None:
    """Let go of uploaded files that are kept no longer: first of their names, then of them."""
    names = uploads.prune(delivery.session, datetime.fromisoformat(delivery.payload["slot"]))
    delivery.session.commit()
    for name in names:
        files.remove(name)
