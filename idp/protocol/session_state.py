"""Session Management 1.0: what a service compares to see whether the session is still the same."""

import hashlib
from uuid import UUID

from idp.base.secret import to_base64url
from idp.protocol.subject import SubjectKind, derive_subject


def derive_browser_state(key: bytes, *, session_id: UUID) -> str:
    """Return what stands in the cookie that our page in the service's frame reads.

    It is another one for every session and says nothing: neither who nor since when.
    """
    return derive_subject(key, SubjectKind.BROWSER_STATE, sector="", entity_id=session_id)


def build_session_state(*, client_id: str, origin: str, browser_state: str, salt: str) -> str:
    """Return the `session_state` of an answer (Session Management §2).

    `idp/web/static/check_session.js` computes the same; the browser tells it the origin.
    """
    text = f"{client_id} {origin} {browser_state} {salt}"
    return f"{to_base64url(hashlib.sha256(text.encode()).digest())}.{salt}"
