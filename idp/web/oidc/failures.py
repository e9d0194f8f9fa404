"""What goes wrong before or below a client's call, answered in JSON as the rest is."""

from flask import Blueprint, Response
from werkzeug.exceptions import HTTPException

from idp.db.errors import UNAVAILABLE
from idp.web.oidc.calls import send_json

#: How soon a client may try again while the database is away.
_RETRY_SECONDS = 5


def register(bp: Blueprint) -> None:
    """Let a blueprint that clients call answer every failure in their language (CD-12, FT-01)."""
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
