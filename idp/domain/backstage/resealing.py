"""After a change of the master key: everything sealed under the one before is sealed anew.

A page of rows is read and sealed in memory; then each row is written by an UPDATE on the
condition that it still holds what was read, so a running server never loses a write.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from idp.base.seal import Sealer, UnsealError
from idp.base.secret import from_base64url, to_base64url
from idp.db.rows import change
from idp.domain.grants.client_signatures import secret_context
from idp.domain.grants.keys import key_context
from idp.domain.recovery.standing import seal_context
from idp.domain.signin.device_walk import SEALED_CODE, walk_context
from idp.domain.signin.totp import seed_context
from idp.domain.upkeep.outbox import body_context
from idp.domain.upstream.requests import request_context
from idp.model.clients import ClientSecret
from idp.model.grants import SigningKey
from idp.model.people import TotpCredential
from idp.model.signin import Interaction, PasswordReset
from idp.model.upkeep import OutboxMessage
from idp.model.upstream import UpstreamRequest

#: Rows that are read, and then written, in one transaction.
PAGE = 200


@dataclass(frozen=True)
class SealedKind:
    """One column with sealed values, and what each of them is sealed for."""

    name: str
    key: InstrumentedAttribute[Any]
    sealed: InstrumentedAttribute[Any]
    context: Callable[[Any], str]
    #: The column that the context names.
    owner: InstrumentedAttribute[Any]


SIGNING_KEYS = SealedKind(
    "signing keys", SigningKey.kid, SigningKey.sealed_private, key_context, SigningKey.kid
)
CLIENT_SECRETS = SealedKind(
    "client secrets",
    ClientSecret.id,
    ClientSecret.sealed,
    secret_context,
    ClientSecret.client_id,
)
APPS = SealedKind(
    "authenticator apps",
    TotpCredential.account_id,
    TotpCredential.sealed_seed,
    seed_context,
    TotpCredential.account_id,
)
MESSAGES = SealedKind(
    "messages in the outbox",
    OutboxMessage.id,
    OutboxMessage.sealed_body,
    body_context,
    OutboxMessage.id,
)
RESETS = SealedKind(
    "requests for a password",
    PasswordReset.id,
    PasswordReset.sealed_email,
    seal_context,
    PasswordReset.id,
)
UPSTREAM = SealedKind(
    "requests to the upstream provider",
    UpstreamRequest.id,
    UpstreamRequest.sealed,
    request_context,
    UpstreamRequest.id,
)
#: Codes of devices stand within the request of a walk, as text.
DEVICE_WALKS = SealedKind(
    "walks of devices",
    Interaction.id,
    Interaction.request,
    lambda request: walk_context(str(request["device_id"])),
    Interaction.request,
)
KINDS = (SIGNING_KEYS, CLIENT_SECRETS, APPS, MESSAGES, RESETS, UPSTREAM, DEVICE_WALKS)


@dataclass(frozen=True)
class Renewal:
    """A value under the key before, and the same under the present one."""

    key: Any
    old: Any
    new: Any


@dataclass(frozen=True)
class Page:
    """What was found in some rows of one kind."""

    current_count: int
    renewals: tuple[Renewal, ...]
    #: The ids of rows that no key opens.
    unreadable: tuple[str, ...]
    #: After which row the next page begins; None: this was the last one.
    end: Any


def read_page(db: Session, kind: SealedKind, *, after: Any, sealer: Sealer) -> Page:  # noqa: ANN401 - a key
    """Look at the next rows of a kind and seal in memory what is under the key before."""
    code = _member(kind)
    query = select(kind.key, kind.sealed, kind.owner).where(code.is_not(None))
    if after is not None:
        query = query.where(kind.key > after)
    rows = db.execute(query.order_by(kind.key).limit(PAGE)).all()
    current, renewals, unreadable = 0, [], []
    for key, sealed, owner in rows:
        try:
            renewed = _renew(kind, sealed, kind.context(owner), sealer)
        except (UnsealError, ValueError):
            unreadable.append(str(key))
            continue
        if renewed is None:
            current += 1
        else:
            renewals.append(Renewal(key, sealed, renewed))
    end = rows[-1][0] if len(rows) == PAGE else None
    return Page(current, tuple(renewals), tuple(unreadable), end)


def write_page(db: Session, kind: SealedKind, page: Page) -> int:
    """Write what was sealed anew; return how many rows had changed meanwhile and were left."""
    return sum(1 - _write(db, kind, each) for each in page.renewals)


def _write(db: Session, kind: SealedKind, renewal: Renewal) -> int:
    still = _member(kind) == (renewal.old[SEALED_CODE] if kind is DEVICE_WALKS else renewal.old)
    statement = (
        update(kind.key.class_)
        .where(kind.key == renewal.key, still)
        .values({kind.sealed: renewal.new})
    )
    return change(db, statement, {})


def _member(kind: SealedKind) -> Any:  # noqa: ANN401 - a column, or a member of one
    return kind.sealed[SEALED_CODE].as_string() if kind is DEVICE_WALKS else kind.sealed


def _renew(kind: SealedKind, held: Any, context: str, sealer: Sealer) -> Any:  # noqa: ANN401
    """Return what a row is to hold; None if it is under the present key."""
    if kind is not DEVICE_WALKS:
        return sealer.renew(bytes(held), context=context)
    # The request of a walk is written once, at its begin: only its code is another now.
    renewed = sealer.renew(from_base64url(str(held[SEALED_CODE])), context=context)
    return None if renewed is None else {**held, SEALED_CODE: to_base64url(renewed)}
