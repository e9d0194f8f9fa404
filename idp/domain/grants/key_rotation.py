"""The life of a signing key: made, published, active, retired, removed (KT-01)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.grants.keys import forget_loaded_keys, key_context, wrap_key
from idp.domain.upkeep.audit import SYSTEM, Act, Actor, record
from idp.model.grants import KeyState, SigningKey

#: What nothing works without: ES256 signs access tokens, RS256 is what clients expect.
REQUIRED = ("ES256", "RS256")
#: Algorithms a key can be made for; every start makes what is missing, so clients may choose.
AVAILABLE = ("ES256", "RS256", "PS256", "EdDSA")
#: House decision (security.md): at least 2048; a signature of 3072 bits costs three times as much.
RSA_BITS = 2_048
_IN_USE = (KeyState.PUBLISHED, KeyState.ACTIVE, KeyState.RETIRED)


@dataclass(frozen=True)
class KeyFacts:
    """A key as operators see it."""

    kid: str
    alg: str
    state: KeyState
    created_at: datetime
    activated_at: datetime | None
    retired_at: datetime | None


def ensure_keys(
    db: Session, *, keys: Keyring, now: datetime, algorithms: tuple[str, ...] = AVAILABLE
) -> tuple[str, ...]:
    """Make an active key for each algorithm that has none; return the ids of those made.

    Called at every start. Of two processes that start at once one makes the key: the unique
    index on active keys decides.
    """
    active = set(db.scalars(select(SigningKey.alg).where(SigningKey.state == KeyState.ACTIVE)))
    made = (
        _make(db, alg, KeyState.ACTIVE, keys=keys, now=now)
        for alg in algorithms
        if alg not in active
    )
    kids = tuple(kid for kid in made if kid is not None)
    for kid in kids:
        _record(db, "key.made", kid, actor=SYSTEM, now=now)
    return kids


def _make(db: Session, alg: str, state: KeyState, *, keys: Keyring, now: datetime) -> str | None:
    private = _generate(alg)
    kid = wrap_key(private, kid="", alg=alg).thumbprint()
    key = wrap_key(private, kid=kid, alg=alg)
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    row = SigningKey(
        kid=kid,
        alg=alg,
        state=state,
        public_jwk=key.as_dict(private=False),
        sealed_private=keys.sealer.seal(der, context=key_context(kid)),
        created_at=now,
        activated_at=now if state is KeyState.ACTIVE else None,
    )
    try:
        with db.begin_nested():
            db.add(row)
    except IntegrityError:
        return None
    forget_loaded_keys(db)
    return kid


def _generate(
    alg: str,
) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey:
    if alg == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if alg == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)


def publish_key(db: Session, alg: str, *, keys: Keyring, actor: Actor, now: datetime) -> str | None:
    """Make a key that is published but does not sign yet; None if one waits already."""
    waiting = select(SigningKey.kid).where(
        SigningKey.alg == alg, SigningKey.state == KeyState.PUBLISHED
    )
    if alg not in AVAILABLE or db.scalar(waiting) is not None:
        return None
    kid = _make(db, alg, KeyState.PUBLISHED, keys=keys, now=now)
    if kid is not None:
        _record(db, "key.published", kid, actor=actor, now=now)
    return kid


def activate_key(
    db: Session, alg: str, *, published_for: timedelta, actor: Actor, now: datetime
) -> str | None:
    """Let the published key sign, and retire the one before.

    `published_for` is how long clients may keep our key set: a key that is younger is not
    known to all of them yet, and nothing happens.
    """
    kid = db.scalar(
        select(SigningKey.kid).where(
            SigningKey.alg == alg,
            SigningKey.state == KeyState.PUBLISHED,
            SigningKey.created_at <= now - published_for,
        )
    )
    if kid is None:
        return None
    try:
        with db.begin_nested():
            _hand_over(db, alg, kid, now=now)
    except _TakenAwayError:
        return None
    _record(db, "key.activated", kid, actor=actor, now=now)
    return kid


class _TakenAwayError(Exception):
    """The published key was activated or removed by somebody else in this moment."""


def _hand_over(db: Session, alg: str, kid: str, *, now: datetime) -> None:
    """Retire the active key and let the published one sign, both or neither."""
    db.execute(
        update(SigningKey)
        .where(SigningKey.alg == alg, SigningKey.state == KeyState.ACTIVE)
        .values(state=KeyState.RETIRED, retired_at=now)
    )
    if not _move(db, kid, (KeyState.PUBLISHED,), {"state": KeyState.ACTIVE, "activated_at": now}):
        raise _TakenAwayError


def remove_key(db: Session, kid: str, *, keys: Keyring, actor: Actor, now: datetime) -> bool:
    """Take a key out at once, whatever its state: its tokens are refused from now on (KT-03).

    The private half is wiped. If it was active, the published one signs on, or a new one.
    """
    gone = {"state": KeyState.REMOVED, "removed_at": now, "sealed_private": None}
    # One statement for every state: a key that is just being activated must not slip through.
    if not _move(db, kid, _IN_USE, gone):
        return False
    _record(db, "key.removed", kid, actor=actor, now=now)
    alg = db.scalars(select(SigningKey.alg).where(SigningKey.kid == kid)).one()
    active = select(SigningKey.kid).where(
        SigningKey.alg == alg, SigningKey.state == KeyState.ACTIVE
    )
    if db.scalar(active) is not None:
        return True
    if activate_key(db, alg, published_for=timedelta(), actor=actor, now=now) is None:
        ensure_keys(db, keys=keys, now=now, algorithms=(alg,))
    return True


def list_keys(db: Session) -> tuple[KeyFacts, ...]:
    """Return every key, removed ones too, oldest first."""
    rows = db.scalars(select(SigningKey).order_by(SigningKey.created_at, SigningKey.kid)).all()
    return tuple(
        KeyFacts(
            kid=row.kid,
            alg=row.alg,
            state=row.state,
            created_at=row.created_at,
            activated_at=row.activated_at,
            retired_at=row.retired_at,
        )
        for row in rows
    )


def _move(
    db: Session, kid: str, come_from: tuple[KeyState, ...], values: dict[str, object]
) -> bool:
    result = db.execute(
        update(SigningKey)
        .where(SigningKey.kid == kid, SigningKey.state.in_(come_from))
        .values(**values)
    )
    assert isinstance(result, CursorResult)
    forget_loaded_keys(db)
    return result.rowcount == 1


def _record(db: Session, name: str, kid: str, *, actor: Actor, now: datetime) -> None:
    record(db, Act(name, detail={"kid": kid}), actor=actor, now=now)
