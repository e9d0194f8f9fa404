"""The identity at the upstream provider: linked, proved again, taken away by its owner."""

from collections.abc import Callable
from functools import partial

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.db.session import reading, transaction
from idp.domain.upstream.identities import find_linked, unlink_identity
from idp.domain.upstream.requests import begin_link
from idp.web.account.entry import ask_for_agreement
from idp.web.confirming import after_password
from idp.web.deps import allow_foreign_answer, current_actor, require_person, services
from idp.web.guards import signed_in
from idp.web.render import FieldError, page, see_other
from idp.web.upstream import leave_for_upstream, require_upstream, upstream_name

bp = Blueprint("account_identity", __name__, url_prefix="/account/identity")
bp.before_request(ask_for_agreement)

#: What the callback may say here: a success, or why it did not work.
_DONE = {
    "linked": "account.identity.done.linked",
    "unlinked": "account.identity.done.unlinked",
}
_FAILED = {
    "failed": "account.identity.failed.failed",
    "away": "account.identity.failed.away",
    "identity_taken": "account.identity.failed.identity_taken",
    "identity_other": "account.identity.failed.identity_other",
    "identity_name": "account.identity.failed.identity_name",
    "identity_session": "account.identity.failed.identity_session",
}


@bp.get("")
@signed_in
def show_identity() -> Response:
    """Show whether an identity is linked, and how to link or unlink it."""
    return _page()


@bp.post("/link")
@signed_in
def link() -> Response:
    """Send whoever knows the password to the provider (ASVS 7.5.1)."""
    return _after_password(_leave)


@bp.post("/unlink")
@signed_in
def unlink() -> Response:
    """Take the identity away, for whoever knows the password."""
    return _after_password(_unlink)


def _leave() -> Response:
    begin = partial(
        begin_link, person=require_person(), keys=services().keys, now=services().clock()
    )
    return leave_for_upstream(begin) or see_other("/account/identity?failed=away")


def _unlink() -> Response:
    with transaction(services().sessions) as db:
        unlink_identity(
            db,
            require_person(),
            require_upstream().config.issuer,
            actor=current_actor(),
            keys=services().keys,
            now=services().clock(),
        )
    return see_other("/account/identity?done=unlinked")


def _after_password(act: Callable[[], Response]) -> Response:
    """Ask for the password first: a session alone must not open a way into the account."""
    require_upstream()
    return after_password("current_password", act, lambda error, status: _page((error,), status))


def _page(errors: tuple[FieldError, ...] = (), status: int = 200) -> Response:
    provider = require_upstream()
    allow_foreign_answer()
    with reading(services().sessions) as db:
        linked = find_linked(db, require_person().account_id, provider.config.issuer)
    return page(
        "account/identity.html",
        status,
        provider_name=upstream_name(),
        linked=linked,
        errors=errors,
        done_key=_DONE.get(request.args.get("done", "")),
        failed_key=_FAILED.get(request.args.get("failed", "")),
    )
