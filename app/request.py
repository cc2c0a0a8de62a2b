"""What arrives with a request, before anybody reads it."""

from __future__ import annotations

from typing import Any

from flask import Request as FlaskRequest
from werkzeug.datastructures import ImmutableMultiDict, MultiDict


class Parameters(ImmutableMultiDict[str, Any]):
    """Parameters of an address or a form without zero bytes: no database takes them, nobody types them."""

    def __init__(self, pairs: Any = None) -> None:
        given = MultiDict(pairs)
        super().__init__([(_clean(k), _clean(v)) for k, v in given.items(multi=True)])


def _clean(value: Any) -> Any:
    """Uploaded files stay as they are."""
    return value.replace("\0", "") if isinstance(value, str) else value


class Request(FlaskRequest):
    """The product's request."""

    parameter_storage_class = Parameters
