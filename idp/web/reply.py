"""The way back to a service: the answer to its authorization or logout request."""

from werkzeug.wrappers import Response

from idp.domain.grants.keys import published_keys
from idp.domain.grants.own_tokens import sign
from idp.protocol.responses import Reply
from idp.web.deps import allow_foreign_answer, services
from idp.web.render import page, send_reply


def send_answer(reply: Reply) -> Response:
    """Send the browser to the service, in the mode that it asked for.

    A form that posts itself keeps the parameters out of every address and history; without
    scripts it shows a button (OAuth 2.0 Form Post Response Mode §2).
    """
    params = dict(reply.params) if reply.signature is None else {"response": _sign(reply)}
    if not reply.response_mode.is_form:
        return send_reply(reply.redirect_uri, params)
    allow_foreign_answer()
    return page("signin/form_post.html", action=reply.redirect_uri, fields=params)


def _sign(reply: Reply) -> str:
    """Return the answer as one token that only we can have made (JARM §2.1)."""
    assert reply.signature is not None
    now = services().clock()
    loaded = published_keys(services().sessions, keys=services().keys, now=now)
    return sign(reply.signed_claims(now=now), loaded.signer(reply.signature.alg))
