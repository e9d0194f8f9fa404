"""Calls of programs: one operation in one transaction, and answers that nobody keeps."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import structlog
from flask import Response, request

from idp.db.session import OpenSession, looking, transaction
from idp.domain.grants.client_keys import KeysWanted
from idp.domain.grants.request_objects import ObjectWanted
from idp.oauth.calls import Answer
from idp.web.deps import services

Outcome = TypeVar("Outcome")

#: RFC 6749 §5.1 writes the type like this.
_JSON = "application/json;charset=UTF-8"

#: A request object, the client's keys, and newer ones.
_MAX_FETCHES = 3

_log = structlog.get_logger()
_write = json.JSONEncoder(ensure_ascii=False).encode


class _Whole(Response):
    """An answer that stands as it is: its length is known, and it leads nowhere."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401
        """Send it without looking its headers through again."""
        start_response(self.status, self.headers.to_wsgi_list())
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.get_data()]


def in_transaction(
    operation: Callable[[OpenSession], Outcome], *, read_only: bool = False
) -> Outcome:
    """Run what a client called for; where something has to be fetched for it, fetch it between.

    An attempt that wants something wrote nothing, and after the fetch nobody asks for the same
    again: first its request object may be needed, then its published keys.
    """
    # One query tells all that such a call asks of the database.
    opened = looking if read_only else transaction
    for _ in range(_MAX_FETCHES):
        try:
            with opened(services().sessions) as db:
                return operation(db)
        except KeysWanted as wanted:
            services().client_keys.fetch(wanted.uri, now=services().clock())
        except ObjectWanted as wanted:
            services().request_objects.fetch(wanted.uri, now=services().clock())
    with opened(services().sessions) as db:
        return operation(db)


def send_json(
    body: Mapping[str, object], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer JSON that nobody keeps (RFC 6749 §5.1)."""
    text = _write(body)
    response = _Whole(text, status=status, content_type=_JSON)
    response.headers.add("Cache-Control", "no-store")
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def send(answer: Answer) -> Response:
    """Send an answer; a refusal leaves its reason in the log."""
    if answer.reason is not None:
        _log.info("call.refused", reason=answer.reason, endpoint=request.endpoint)
    return send_json(answer.body, status=answer.status, headers=answer.headers)
