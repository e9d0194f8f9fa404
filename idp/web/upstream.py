"""The way to the upstream provider, as views of people and of sign-ins use it."""

from collections.abc import Callable

import structlog
from flask import abort
from werkzeug.wrappers import Response

from idp.db.session import OpenSession, transaction
from idp.domain.upstream.provider import UpstreamError, UpstreamProvider
from idp.domain.upstream.requests import LIFETIME, BegunRequest
from idp.protocol.upstream import build_request_address
from idp.web.deps import put_cookie, services
from idp.web.render import language, see_other

_log = structlog.get_logger()


def require_upstream() -> UpstreamProvider:
    """Return the provider; where the operator has named none, its pages do not exist."""
    found = services().upstream
    if found is None:
        abort(404)
    return found


def upstream_name() -> str:
    """Return how pages call the provider."""
    settings = services().settings.upstream
    return settings.name if language().startswith("ja") else settings.name_en


def leave_for_upstream(begin: Callable[[OpenSession], BegunRequest]) -> Response | None:
    """Send the browser to the provider; None while the provider is away.

    Its metadata is read before anything is written, and in no transaction.
    """
    provider = require_upstream()
    try:
        metadata = provider.metadata(now=services().clock())
    except UpstreamError as error:
        log_fault(error)
        return None
    with transaction(services().sessions) as db:
        begun = begin(db)
    put_cookie("upstream", begun.browser_token, max_age_seconds=int(LIFETIME.total_seconds()))
    return see_other(
        build_request_address(
            metadata,
            provider.config.quirks,
            begun.secrets,
            client_id=provider.config.client_id,
            redirect_uri=provider.config.redirect_uri,
        )
    )


def log_fault(error: UpstreamError) -> None:
    """Write down why the provider was not believed; the page says only that it did not work."""
    _log.warning("upstream.refused", reason=error.fault.value)
