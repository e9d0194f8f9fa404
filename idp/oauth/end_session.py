"""RP-initiated logout: end the session, or ask the person first."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.base.seal import UnsealError
from idp.base.secret import from_base64url, to_base64url
from idp.domain.grants.clients import find_client
from idp.domain.grants.keys import load_keys
from idp.domain.grants.logout import frontchannel_addresses, session_at, subject_at
from idp.domain.grants.own_tokens import open_own_token
from idp.domain.signin.sessions import SignedIn
from idp.domain.signin.signout import sign_out
from idp.domain.upkeep.audit import Actor
from idp.oauth.provider import Provider
from idp.protocol.client import RegisteredClient, ResponseMode
from idp.protocol.errors import DisplayedError
from idp.protocol.logout import Hint, Presence, fits, parse_hint, resolve_return
from idp.protocol.params import Params
from idp.protocol.responses import Reply

_CONTEXT = "end_session"


@dataclass(frozen=True)
class AskFirst:
    """Nothing proves that the person wants it: show the confirmation page (LO-02, LO-07)."""

    client: RegisteredClient | None
    #: What the page carries: where to go afterwards, sealed.
    ticket: str


@dataclass(frozen=True)
class SignedOut:
    """The session is over, or there was none. Without a reply our own page is shown."""

    reply: Reply | None
    person: SignedIn | None
    #: Addresses of services that the browser loads in frames, so that they sign out here too.
    frames: tuple[str, ...] = ()


@dataclass(frozen=True)
class LogoutWish:
    """A checked request: who asks, with what proof, and where to go afterwards."""

    client: RegisteredClient | None
    hint: Hint | None
    reply: Reply | None


def read_wish(db: Session, params: Params, *, provider: Provider, now: datetime) -> LogoutWish:
    """Check a request of the end-session endpoint (RP-Initiated Logout §2, §4).

    Raises:
        DisplayedError: logout_malformed, hint_invalid, client_unknown or return_unregistered;
            nobody is sent anywhere and nothing ends.
    """
    if params.faults:
        raise DisplayedError("logout_malformed")
    values = params.values
    hint = _read_hint(db, values, provider=provider, now=now)
    client_id = hint.client_id if hint is not None else values.get("client_id")
    if hint is not None and values.get("client_id") not in (None, hint.client_id):
        raise DisplayedError("hint_invalid")
    client = None if client_id is None else find_client(db, client_id)
    if client_id is not None and client is None:
        raise DisplayedError("client_unknown")
    uri = values.get("post_logout_redirect_uri")
    # Without a hint nobody is redirected: anyone can name a client (LO-01).
    reply = None
    if hint is not None:
        reply = resolve_return(client, uri=uri, state=values.get("state"))
        if uri is not None and reply is None:
            raise DisplayedError("return_unregistered")
    return LogoutWish(client, hint, reply)


def _read_hint(
    db: Session, values: Mapping[str, str], *, provider: Provider, now: datetime
) -> Hint | None:
    text = values.get("id_token_hint")
    if text is None:
        return None
    opened = open_own_token(text, load_keys(db, keys=provider.keys, now=now))
    hint = None
    if opened is not None:
        hint = parse_hint(opened.header, opened.claims, issuer=provider.issuer, now=now)
    if hint is None:
        raise DisplayedError("hint_invalid")
    return hint


def answer_wish(
    db: Session,
    wish: LogoutWish,
    person: SignedIn | None,
    *,
    provider: Provider,
    actor: Actor,
    now: datetime,
) -> SignedOut | AskFirst:
    """End the session if the hint names it, ask if somebody else is signed in."""
    if person is None:
        return SignedOut(wish.reply, None)
    if wish.client is None or not fits(wish.hint, _presence(wish.client, person, provider)):
        return AskFirst(wish.client, _seal(wish.reply, keys=provider.keys))
    return _sign_out(db, person, wish.reply, provider=provider, actor=actor, now=now)


def _sign_out(
    db: Session,
    person: SignedIn,
    reply: Reply | None,
    *,
    provider: Provider,
    actor: Actor,
    now: datetime,
) -> SignedOut:
    sign_out(db, person, actor=actor, keys=provider.keys, now=now)
    frames = frontchannel_addresses(
        db, person.session_id, issuer=provider.issuer, keys=provider.keys
    )
    return SignedOut(reply, person, frames)


def _presence(client: RegisteredClient, person: SignedIn, provider: Provider) -> Presence:
    return Presence(
        subject=subject_at(client, person.account_id, keys=provider.keys),
        session=session_at(client, person.session_id, keys=provider.keys),
    )


def confirm_logout(
    db: Session,
    ticket: str,
    person: SignedIn | None,
    *,
    provider: Provider,
    actor: Actor,
    now: datetime,
) -> SignedOut:
    """End the session after the person said so, and go where the request wanted to go."""
    reply = _unseal(ticket, keys=provider.keys)
    if person is None:
        return SignedOut(reply, None)
    return _sign_out(db, person, reply, provider=provider, actor=actor, now=now)


def _seal(reply: Reply | None, *, keys: Keyring) -> str:
    """Return the checked reply in a form that a page can carry and nobody can change."""
    facts = None if reply is None else {"uri": reply.redirect_uri, "params": dict(reply.params)}
    return to_base64url(keys.sealer.seal(json.dumps(facts).encode(), context=_CONTEXT))


def _unseal(ticket: str, *, keys: Keyring) -> Reply | None:
    """Read a ticket; one that is not ours leads to our own page."""
    try:
        facts = json.loads(keys.sealer.unseal(from_base64url(ticket), context=_CONTEXT))
    except (UnsealError, ValueError):
        return None
    if facts is None:
        return None
    return Reply(facts["uri"], facts["params"], ResponseMode.QUERY)
