"""How strongly a person proved who she is: `acr` values, their order, and `amr` (OIDC Core §2)."""

from collections.abc import Iterable
from enum import StrEnum

#: A password (RFC 8176).
PASSWORD = "pwd"  # noqa: S105 - the method's name
#: A one-time code, mailed or from an app.
ONE_TIME_CODE = "otp"
#: A card with a chip, read by another provider.
SMART_CARD = "sc"
#: Two independent factors. Never with a mailed code: the mailbox also resets the password.
MULTI_FACTOR = "mfa"


class Acr(StrEnum):
    """What a sign-in is worth, in words of our own: no assurance level is claimed (§1.16)."""

    PASSWORD = "urn:kosodate:acr:pwd"  # noqa: S105 - a URN
    MAILED_CODE = "urn:kosodate:acr:pwd+emailotp"
    MULTI_FACTOR = "urn:kosodate:acr:mfa"
    PHISHING_RESISTANT = "phr"
    #: Besides the sign-in here: a proof at the upstream provider, in this session.
    UPSTREAM = "urn:kosodate:acr:upstream"


#: Weakest first; also what discovery lists as `acr_values_supported`.
SUPPORTED: tuple[Acr, ...] = tuple(Acr)


def rank(acr: str) -> int:
    """Return the place in the order; what we do not know ranks below everything."""
    return SUPPORTED.index(Acr(acr)) if acr in SUPPORTED else -1


def weakest_wanted(values: Iterable[str]) -> Acr | None:
    """Return the least that satisfies `acr_values`: any one of them does (OIDC Core §3.1.2.1).

    Values we do not know are left out, since the parameter is voluntary.
    """
    known = [Acr(value) for value in values if value in SUPPORTED]
    return min(known, key=rank, default=None)
