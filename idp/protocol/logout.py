"""Logout: the token that clients get, and when a request may end a session without asking."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.protocol.client import RegisteredClient, ResponseMode
from idp.protocol.jwt_claims import is_for, number_of
from idp.protocol.responses import Reply

TYPE = "logout+jwt"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME = timedelta(minutes=2)

#: Types an ID token of ours has; an access or logout token is none (trap T13).
_ID_TOKEN_TYPES = frozenset({None, "JWT"})
#: An expired hint is accepted (RP-Initiated Logout §2), but not for ever.
_OLDEST_HINT = timedelta(days=100)


@dataclass(frozen=True)
class LogoutTokenFacts:
    """Whom a logout token is for, and which session it ends there."""

    issuer: str
    client_id: str
    subject: str
    session: str


def build_logout_token(facts: LogoutTokenFacts, *, jti: str, now: datetime) -> dict[str, object]:
    """Return the claims of a logout token; never a nonce (Back-Channel Logout §2.4)."""
    return {
        "iss": facts.issuer,
        "aud": facts.client_id,
        "sub": facts.subject,
        "sid": facts.session,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "jti": jti,
        "events": {EVENT: {}},
    }


@dataclass(frozen=True)
class Hint:
    """A genuine ID token of ours, brought back."""

    client_id: str
    subject: str
    session: str | None


def parse_hint(
    header: Mapping[str, object], claims: Mapping[str, object], *, issuer: str, now: datetime
) -> Hint | None:
    """Read an `id_token_hint` whose signature was right; None if it is no ID token of ours.

    It may have expired (RP-Initiated Logout §2). Any other token that our keys have signed
    is refused: another type, another issuer, an audience that is no single client.
    """
    client_id, subject, session = claims.get("aud"), claims.get("sub"), claims.get("sid")
    if isinstance(client_id, list) and len(client_id) == 1:
        client_id = client_id[0]
    if header.get("typ") not in _ID_TOKEN_TYPES or claims.get("iss") != issuer:
        return None
    if not isinstance(client_id, str) or not isinstance(subject, str):
        return None
    if "events" in claims or "auth_time" not in claims or not is_for(claims, client_id):
        return None
    issued = number_of(claims, "iat")
    if issued is None or issued < (now - _OLDEST_HINT).timestamp():
        return None
    return Hint(client_id, subject, session if isinstance(session, str) else None)


@dataclass(frozen=True)
class Presence:
    """The person in this browser as the hinted client knows her."""

    subject: str
    session: str


def fits(hint: Hint | None, presence: Presence) -> bool:
    """Whether the hint names the very session of this browser, so that nobody need be asked.

    The hint of somebody else, however genuine, must not end this session (LO-07).
    """
    return (
        hint is not None and hint.subject == presence.subject and hint.session == presence.session
    )


def resolve_return(
    client: RegisteredClient | None, *, uri: str | None, state: str | None
) -> Reply | None:
    """Return where the browser goes after the logout: only to a registered address (LO-01)."""
    if client is None or uri is None or uri not in client.post_logout_redirect_uris:
        return None
    return Reply(
        redirect_uri=uri,
        params={} if state is None else {"state": state},
        response_mode=ResponseMode.QUERY,
    )
