"""Authorization codes: issue one, redeem it once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, update
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.base.secret import digest, new_token
from idp.db.rows import change, fetch_one
from idp.domain.grants.logout import note_client
from idp.domain.grants.standing import (
    Family,
    Void,
    find_void_for_grant,
    read_family,
    select_standing,
    terms_are_new,
)
from idp.domain.grants.token_families import NewFamily, open_family, revoke_family
from idp.model.grants import AuthorizationCode, TokenFamily
from idp.protocol import pkce
from idp.protocol.resources import is_within

_family: Any = TokenFamily.__table__
_code: Any = AuthorizationCode.__table__

_FIND = (
    select_standing()
    .add_columns(
        _code.c.id.label("code_id"),
        _code.c.redirect_uri,
        _code.c.code_challenge,
        _code.c.expires_at.label("code_expires_at"),
        _code.c.redeemed_at,
        terms_are_new().label("terms_new"),
    )
    .join(_code, _code.c.family_id == _family.c.id)
    .where(_code.c.code_digest == bindparam("digest"))
)
_CLAIM = (
    update(_code)
    .where(_code.c.id == bindparam("code"), _code.c.redeemed_at.is_(None))
    .values(redeemed_at=bindparam("at"))
)
_NEW_CODE = insert(_code)


@dataclass(frozen=True, kw_only=True)
class NewAuthorization(NewFamily):
    """What a person let a client have, and what its code is bound to."""

    session_id: UUID
    redirect_uri: str
    code_challenge: str | None
    code_lifetime: timedelta = timedelta(seconds=60)


def issue_code(db: Session, new: NewAuthorization, *, now: datetime) -> str:
    """Write an authorization and return the code that stands for it; only its digest is kept."""
    family_id = open_family(db, new, now=now)
    code = new_token()
    change(
        db,
        _NEW_CODE,
        {
            "id": new_id(now=now),
            "code_digest": digest(code),
            "family_id": family_id,
            "client_id": new.client_id,
            "redirect_uri": new.redirect_uri,
            "code_challenge": new.code_challenge,
            "issued_at": now,
            "expires_at": now + new.code_lifetime,
        },
    )
    note_client(db, new.session_id, new.client_id, now=now)
    return code


@dataclass(frozen=True)
class PresentedCode:
    """What an authenticated client brings to the token endpoint."""

    code: str
    client_id: str
    redirect_uri: str
    code_verifier: str
    #: The key that the client has proved to hold (RFC 9449 §10).
    key: str | None = None
    #: The services it wants a token for; empty: all that were granted.
    resources: tuple[str, ...] = ()


class CodeRefusal(StrEnum):
    """Why a code was refused. For the audit log: the client always hears `invalid_grant`."""

    UNKNOWN = "code_unknown"
    REUSED = "code_reused"
    EXPIRED = "code_expired"
    REDIRECT_URI = "code_redirect_uri_mismatch"
    VERIFIER = "code_verifier_mismatch"
    #: A token for a service that was not granted was asked for: the client hears `invalid_target`.
    TARGET = "code_target"
    KEY = "code_key_mismatch"


def redeem_code(
    db: Session, presented: PresentedCode, *, now: datetime
) -> Family | CodeRefusal | Void:
    """Use up an authorization code and return what it grants.

    A second use revokes every token of the first (RFC 6749 §4.1.2), so a refusal may have
    written to the database: it is returned, not raised, and the caller commits either way.

    All checks come before the single write, so a failed one leaves the code usable: someone
    who only saw the code must not be able to spend it in its owner's place.
    """
    row = fetch_one(db, _FIND, {"digest": digest(presented.code), "now": now})
    if row is None or row.client_id != presented.client_id:
        return CodeRefusal.UNKNOWN
    if row.redeemed_at is not None:
        revoke_family(db, row.family_id, CodeRefusal.REUSED, now=now)
        return CodeRefusal.REUSED
    refusal = _find_refusal(presented, row, now=now) or find_void_for_grant(row, now=now)
    if refusal is not None:
        return refusal
    if not _claim(db, row.code_id, now=now):
        revoke_family(db, row.family_id, CodeRefusal.REUSED, now=now)
        return CodeRefusal.REUSED
    return read_family(row)


def _find_refusal(presented: PresentedCode, row: Any, *, now: datetime) -> CodeRefusal | None:  # noqa: ANN401
    if row.code_expires_at <= now:
        return CodeRefusal.EXPIRED
    if row.redirect_uri != presented.redirect_uri:
        return CodeRefusal.REDIRECT_URI
    if not pkce.verifies(presented.code_verifier, row.code_challenge):
        return CodeRefusal.VERIFIER
    if row.facts.get("dpop_jkt") not in (None, presented.key):
        return CodeRefusal.KEY
    is_granted = is_within(presented.resources, row.facts.get("resources", ()))
    return None if is_granted else CodeRefusal.TARGET


def _claim(db: Session, code_id: UUID, *, now: datetime) -> bool:
    """Mark the code redeemed unless a concurrent request just did; tell who won.

    The condition in the UPDATE is the lock: the loser waits for the winner's commit, then
    matches no row. A check in Python alone lets both requests through.
    """
    return change(db, _CLAIM, {"code": code_id, "at": now}) == 1
