"""Back from the upstream provider: an identity is linked, or a password may be set."""

from functools import partial

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.base.url import with_query
from idp.db.session import transaction
from idp.domain.recovery.opening import open_by_identity
from idp.domain.signin.doors import FAMILY
from idp.domain.upstream.identities import LinkRefusal, find_account_of, link_identity
from idp.domain.upstream.provider import UpstreamError
from idp.domain.upstream.requests import LINK, ReturnedRequest, begin_recovery, claim_request
from idp.protocol.upstream import (
    UpstreamAnswer,
    UpstreamFault,
    UpstreamIdentity,
    read_answer,
    read_code,
)
from idp.web.cookies import read_cookie
from idp.web.deps import (
    allow_foreign_answer,
    current_actor,
    current_person,
    drop_cookie,
    put_cookie,
    services,
)
from idp.web.guards import open_to_all
from idp.web.render import page, see_other
from idp.web.signin.resets import keep_browser, reset_setup
from idp.web.signin.walks import current_visitor, find_current_walk
from idp.web.upstream import leave_for_upstream, log_fault, require_upstream, upstream_name

bp = Blueprint("signin_upstream", __name__)


@bp.get("/password/reset/identity")
@open_to_all
def show_recovery() -> Response:
    """Explain how a person who linked her identity gets back in without mail."""
    require_upstream()
    return _recovery_page()


@bp.post("/password/reset/identity")
@open_to_all
def begin() -> Response:
    """Send the browser to the provider."""
    start = partial(begin_recovery, keys=services().keys, now=services().clock())
    return leave_for_upstream(start) or _recovery_page("away", 503)


def _recovery_page(failure: str | None = None, status: int = 200) -> Response:
    find_current_walk()
    allow_foreign_answer()
    return page(
        "signin/reset_identity.html", status, provider_name=upstream_name(), failure=failure
    )


@bp.get("/upstream/callback")
@open_to_all
def come_back() -> Response:
    """Take the provider's answer: once, in the browser that was sent there.

    A GET that writes, since OpenID Connect answers by redirect; the state is what a form
    token is elsewhere.
    """
    require_upstream()
    answer = read_answer(request.args.items(multi=True))
    returned = None if answer is None else _claim(answer)
    if answer is None or returned is None:
        return page("signin/restart.html", 400, start_href=None)
    drop_cookie("upstream")
    try:
        identity = _redeem(answer, returned)
    except UpstreamError as error:
        log_fault(error)
        return _fail(returned, "failed")
    return _link(returned, identity) if returned.purpose is LINK else _recover(identity)


def _claim(answer: UpstreamAnswer) -> ReturnedRequest | None:
    with transaction(services().sessions) as db:
        return claim_request(
            db,
            answer.state,
            read_cookie("upstream"),
            keys=services().keys,
            now=services().clock(),
        )


def _redeem(answer: UpstreamAnswer, returned: ReturnedRequest) -> UpstreamIdentity:
    provider, now = require_upstream(), services().clock()
    code = read_code(answer, provider.metadata(now=now))
    if isinstance(code, UpstreamFault):
        raise UpstreamError(code)
    return provider.redeem(code, returned.secrets, now=now)


def _fail(returned: ReturnedRequest, failure: str) -> Response:
    if returned.purpose is LINK:
        return see_other(with_query("/account/identity", {"failed": failure}))
    return _recovery_page(failure, 400)


def _link(returned: ReturnedRequest, identity: UpstreamIdentity) -> Response:
    """Link it to the person who began, if she is still here in the same session."""
    person = current_person()
    is_same = person is not None and (person.account_id, person.session_id, person.door) == (
        returned.account_id,
        returned.session_id,
        FAMILY,
    )
    if person is None or not is_same:
        return _fail(returned, LinkRefusal.SESSION)
    with transaction(services().sessions) as db:
        outcome = link_identity(
            db,
            person,
            identity,
            actor=current_actor(),
            keys=services().keys,
            now=services().clock(),
        )
    if isinstance(outcome, LinkRefusal):
        return _fail(returned, outcome)
    put_cookie("session", outcome.token)
    return see_other("/account/identity?done=linked")


def _recover(identity: UpstreamIdentity) -> Response:
    """Open the way to a new password; the second step stays asked at the next sign-in (RS-07)."""
    with transaction(services().sessions) as db:
        account_id = find_account_of(db, identity)
        opened = account_id and open_by_identity(
            db,
            account_id,
            current_visitor(),
            rules=reset_setup().rules,
            now=services().clock(),
        )
    if not opened:
        return _recovery_page("unknown", 400)
    keep_browser(opened.browser_token)
    return see_other("/password/reset/new")
