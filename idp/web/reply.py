"""The way back to a service: the answer to its authorization or logout request."""

from werkzeug.wrappers import Response

from idp.protocol.client import ResponseMode
from idp.protocol.responses import Reply
from idp.web.deps import allow_foreign_answer
from idp.web.render import page, send_reply


def send_answer(reply: Reply) -> Response:
    """Send the browser to the service, in the mode that it asked for.

    A form that posts itself keeps the parameters out of every address and history; without
    scripts it shows a button (OAuth 2.0 Form Post Response Mode §2).
    """
    if reply.response_mode is ResponseMode.QUERY:
        return send_reply(reply.redirect_uri, dict(reply.params))
    allow_foreign_answer()
    return page("signin/form_post.html", action=reply.redirect_uri, fields=dict(reply.params))
