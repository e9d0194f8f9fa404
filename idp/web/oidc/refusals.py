"""Requests of services that cannot be answered to them, only shown to the person."""

import structlog
from werkzeug.wrappers import Response

from idp.base.texts import SOURCE_LANGUAGE
from idp.protocol.errors import DisplayedError
from idp.web.deps import services
from idp.web.render import page

_log = structlog.get_logger()
_AREA = "error.client.reason."


def show_refusal(error: DisplayedError) -> Response:
    """Show why nothing can be done here; nobody is sent anywhere (RFC 6749 §4.1.2.1).

    A reason that has no words of its own is shown as the general one; the log has the key.
    """
    _log.info("request.refused", reason=error.reason)
    has_words = f"{_AREA}{error.reason}" in services().texts.keys(SOURCE_LANGUAGE)
    return page("error/client.html", 400, reason=error.reason if has_words else "other")
