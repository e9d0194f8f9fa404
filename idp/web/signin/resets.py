"""The reset a request belongs to: the cookie that binds it, and the rules from the settings."""

import re
from datetime import timedelta

from flask import abort
from werkzeug.wrappers import Response

from idp.db.session import reading
from idp.domain.recovery.rules import ResetRules, ResetSetup
from idp.domain.recovery.standing import AskedReset, OpenReset, find_asked, find_open
from idp.web.cookies import read_cookie
from idp.web.deps import put_cookie, services, state
from idp.web.render import page

#: A value of ours: what `idp.base.secret.new_token` makes.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
#: Parts the token of this browser from the link that waits to be used; in neither of them.
_BETWEEN = "."


def reset_setup() -> ResetSetup:
    """Return the rules of a reset as the settings say; links start with the issuer (RS-01)."""
    settings = services().settings
    return ResetSetup(
        keys=services().keys,
        link_page_url=f"{settings.provider.issuer}/password/reset/link",
        rules=ResetRules(
            lifetime=timedelta(minutes=settings.signin.reset_lifetime_minutes),
            activation_lifetime=timedelta(days=settings.signin.activation_lifetime_days),
            code_tries=settings.signin.code_tries,
        ),
    )


def is_token(text: str) -> bool:
    """Whether this could be a token of ours."""
    return _TOKEN.fullmatch(text) is not None


def keep_browser(token: str) -> None:
    """Bind a reset to this browser; a link that waited here is used up or forgotten."""
    put_cookie("reset", token, max_age_seconds=_cookie_seconds())


def keep_link(token: str) -> None:
    """Take a link out of the address into the cookie (RS-04); a request asked here stays."""
    browser = read_cookie("reset") or ""
    known = browser.partition(_BETWEEN)[0]
    put_cookie("reset", f"{known}{_BETWEEN}{token}", max_age_seconds=_cookie_seconds())


def kept_link() -> str | None:
    """Return the link that waits in this browser for the button."""
    token = (read_cookie("reset") or "").partition(_BETWEEN)[2]
    return token if is_token(token) else None


def _cookie_seconds() -> int:
    rules = reset_setup().rules
    return int(max(rules.lifetime, rules.activation_lifetime).total_seconds())


def _browser_token() -> str | None:
    token = (read_cookie("reset") or "").partition(_BETWEEN)[0]
    return token if is_token(token) else None


def find_asked_reset() -> AskedReset | None:
    """Return the request of this browser that waits for its code."""
    with reading(services().sessions) as db:
        return find_asked(db, _browser_token(), keys=services().keys, now=services().clock())


def require_open_reset() -> OpenReset:
    """Return the opened reset of this browser, or end the request (RS-06)."""
    with reading(services().sessions) as db:
        found = find_open(db, _browser_token(), now=services().clock())
    if found is None:
        abort(bad_link_page())
    state().municipality_id = found.municipality_id
    return found


def bad_link_page() -> Response:
    """Say that this link or page leads nowhere (any more), or that cookies are off (B41)."""
    if read_cookie("browser") is None and read_cookie("reset") is None:
        return page("signin/cookies_off.html", 400)
    return page("signin/reset_bad_link.html", 400)
