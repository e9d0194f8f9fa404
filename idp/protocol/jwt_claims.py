"""Claims of a token that came in: time, issuer, audience, each of the right type."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

#: Clocks differ; nobody gets more than this (security.md JW-08).
LEEWAY = timedelta(seconds=30)


def number_of(claims: Mapping[str, object], name: str) -> float | None:
    """Return a NumericDate (RFC 7519 §2): finite and positive; true is not a number."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value) or not 0 <= value < 10**11:
        return None
    return float(value)


def is_current(
    claims: Mapping[str, object],
    *,
    now: datetime,
    late: timedelta = LEEWAY,
    early: timedelta = LEEWAY,
) -> bool:
    """Whether the token has an `exp`, has not ended, and has begun (RFC 7519 §4.1.4, §4.1.5).

    It may be `late` after its end and `early` before its beginning.
    """
    moment = now.timestamp()
    ends = number_of(claims, "exp")
    if ends is None or ends + late.total_seconds() <= moment:
        return False
    begun_by = moment + early.total_seconds()
    return _has_begun(claims, "nbf", begun_by) and _has_begun(claims, "iat", begun_by)


def _has_begun(claims: Mapping[str, object], name: str, moment: float) -> bool:
    if name not in claims:
        return True
    begins = number_of(claims, name)
    return begins is not None and begins <= moment


def is_for(claims: Mapping[str, object], audience: str) -> bool:
    """Whether `aud` is exactly this one audience, as a text or as a list of one."""
    value = claims.get("aud")
    return value in (audience, [audience])
