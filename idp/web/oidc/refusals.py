"""Requests of services that cannot be answered to them, only shown to the person."""

import structlog
from werkzeug.wrappers import Response

from idp.protocol.errors import DisplayedError
from idp.web.render import page

_log = structlog.get_logger()


def show_refusal(error: DisplayedError) -> Response:
    """Show why nothing can be done here; nobody is sent anywhere (RFC 6749 §4.1.2.1)."""
    _log.info("request.refused", reason=error.reason)
    return page("error/client.html", 400, reason=error.reason)
