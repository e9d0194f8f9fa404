"""Pairwise identifiers: stable for one sector, unrelated between sectors (OIDC Core §8.1)."""

import hashlib
import hmac
from enum import StrEnum
from uuid import UUID

from idp.base.secret import to_base64url

#: The sector of clients that are registered for `subject_type=public`.
PUBLIC_SECTOR = "public"


class SubjectKind(StrEnum):
    """What is identified. One thing has an identifier of each kind it has a role in."""

    PERSON = "sub"
    HOUSEHOLD = "household"
    CHILD = "child"
    SESSION = "session"
    BROWSER_STATE = "browser_state"


def derive_subject(key: bytes, kind: SubjectKind, *, sector: str, entity_id: UUID) -> str:
    """Return the identifier by which a sector knows a person, a household or a child.

    HMAC-SHA256 under a key that never changes: without it nobody can tell that two
    identifiers mean the same person, and with it nothing needs to be stored.
    """
    text = f"{kind}\0{sector}\0{entity_id.hex}"
    return to_base64url(hmac.new(key, text.encode(), hashlib.sha256).digest())


def derive_session(key: bytes, *, client_id: str, session_id: UUID) -> str:
    """Return the `sid` of a browser session as one client knows it.

    Every client gets its own, so that services cannot recognise a person by the session.
    """
    return derive_subject(key, SubjectKind.SESSION, sector=client_id, entity_id=session_id)
