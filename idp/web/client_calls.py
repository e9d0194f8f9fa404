"""Answers to programs: JSON that nobody keeps."""

import json
from collections.abc import Mapping

import structlog
from flask import Response, request

from idp.oauth.calls import Answer

#: RFC 6749 §5.1 writes the type like this.
_JSON = "application/json;charset=UTF-8"

_log = structlog.get_logger()


def send_json(
    body: Mapping[str, object], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer JSON that nobody keeps (RFC 6749 §5.1)."""
    response = Response(json.dumps(body, ensure_ascii=False), status=status, content_type=_JSON)
    response.headers["Cache-Control"] = "no-store"
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def send(answer: Answer) -> Response:
    """Send an answer; a refusal leaves its reason in the log."""
    if answer.reason is not None:
        _log.info("call.refused", reason=answer.reason, endpoint=request.endpoint)
    return send_json(answer.body, status=answer.status, headers=answer.headers)
