"""The end of what clients were granted: each row goes when its time is over."""

from datetime import datetime, timedelta

from sqlalchemy import CursorResult, Delete, delete, or_, select
from sqlalchemy.orm import Session

from idp.domain.grants.client_secrets import retire_expired
from idp.model.clients import Client, ClientStatus, InitialAccessToken, Logo
from idp.model.grants import (
    AuthorizationCode,
    ClientSession,
    Consent,
    DeniedToken,
    DeviceAuthorization,
    PushedRequest,
    ReplayMark,
    TokenFamily,
)

#: A used code stays a day, so that its second use is seen.
CODE_KEPT = timedelta(days=1)
#: A pushed request stays a day: the walk that it led to uses it up at its end.
PUSHED_KEPT = timedelta(days=1)
#: A redeemed device code stays a day, so that its second use is seen.
DEVICE_KEPT = timedelta(days=1)
FAMILY_KEPT = timedelta(days=30)
CLIENT_SESSION_KEPT = timedelta(days=90)
CONSENT_KEPT = timedelta(days=3 * 365)
REMOVED_CLIENT_KEPT = timedelta(days=30)
INITIAL_TOKEN_KEPT = timedelta(days=365)
#: A picture is stored a moment before the client that shows it.
LOGO_KEPT = timedelta(days=1)


def delete_ended_grants(db: Session, *, now: datetime) -> int:
    """Delete what has served its time; return how many rows went. Twice is harmless.

    Codes and refresh tokens of a family go with it. The digest of a client's secret stays as
    long as the client; what is sealed of it goes with its end.
    """
    retire_expired(db, now=now)
    kept_family = now - FAMILY_KEPT
    statements: tuple[Delete, ...] = (
        delete(ReplayMark).where(ReplayMark.expires_at <= now),
        delete(DeniedToken).where(DeniedToken.expires_at <= now),
        delete(PushedRequest).where(PushedRequest.expires_at <= now - PUSHED_KEPT),
        delete(AuthorizationCode).where(AuthorizationCode.expires_at <= now - CODE_KEPT),
        delete(DeviceAuthorization).where(DeviceAuthorization.expires_at <= now - DEVICE_KEPT),
        delete(TokenFamily).where(
            or_(TokenFamily.expires_at <= kept_family, TokenFamily.revoked_at <= kept_family)
        ),
        delete(ClientSession).where(ClientSession.last_used_at <= now - CLIENT_SESSION_KEPT),
        delete(Consent).where(Consent.revoked_at <= now - CONSENT_KEPT),
        *_registrations(now),
    )
    return sum(_run(db, statement) for statement in statements)


def _registrations(now: datetime) -> tuple[Delete, ...]:
    """Return what ends of clients that came by themselves, and of logos."""
    came_with = select(Client.id).where(Client.initial_access_token_id == InitialAccessToken.id)
    return (
        delete(Client).where(
            Client.status == ClientStatus.REMOVED,
            Client.updated_at <= now - REMOVED_CLIENT_KEPT,
            ~select(Consent.id).where(Consent.client_id == Client.id).exists(),
        ),
        delete(InitialAccessToken).where(
            InitialAccessToken.expires_at <= now - INITIAL_TOKEN_KEPT, ~came_with.exists()
        ),
        delete(Logo).where(
            Logo.created_at <= now - LOGO_KEPT,
            ~select(Client.id).where(Client.logo_digest == Logo.content_digest).exists(),
        ),
    )


def _run(db: Session, statement: Delete) -> int:
    result = db.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return result.rowcount
