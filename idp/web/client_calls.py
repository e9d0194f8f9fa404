"""Answers to programs: JSON that nobody keeps, and every failure in the same language."""

import json
from collections.abc import Mapping

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from idp.db.errors import UNAVAILABLE
from idp.oauth.calls import Answer

#: RFC 6749 §5.1 writes the type like this.
_JSON = "application/json;charset=UTF-8"
#: How soon a client may try again while the database is away.
_RETRY_SECONDS = 5

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


def register_failures(bp: Blueprint) -> None:
    """Let a blueprint that programs call answer every failure in JSON (CD-12, FT-01)."""
    bp.register_error_handler(HTTPException, _refuse)
    for kind in UNAVAILABLE:
        bp.register_error_handler(kind, _be_away)


def _refuse(error: HTTPException) -> Response:
    """Answer a request whose shape was refused; the status stays."""
    status = error.code or 400
    code = "invalid_request" if status < 500 else "server_error"
    body = {"error": code, "error_description": "The request could not be read."}
    response = send_json(body, status=status)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _be_away(_error: Exception) -> Response:
    """Say that trying again later helps (RFC 6749 §4.1.2.1 has the word for it)."""
    body = {"error": "temporarily_unavailable", "error_description": "Try again later."}
    return send_json(body, status=503, headers={"Retry-After": str(_RETRY_SECONDS)})
