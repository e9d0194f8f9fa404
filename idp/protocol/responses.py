"""Answers of the authorization endpoint: a code or an error, always with `iss`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.protocol.authorize import ReplyTarget, Signature
from idp.protocol.client import ResponseMode
from idp.protocol.errors import RedirectedError

#: JARM §2.1 recommends ten minutes at most.
SIGNED_LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True)
class Reply:
    """What the browser is sent to a client with."""

    redirect_uri: str
    params: Mapping[str, str]
    response_mode: ResponseMode
    #: Only with a mode that is signed.
    signature: Signature | None = None

    def signed_claims(self, *, now: datetime) -> dict[str, object]:
        """Return what is signed: the parameters, for this client, for a short time (JARM §2.1).

        `iss` is the one that stands among the parameters (RFC 9207 §2.4).
        """
        assert self.signature is not None
        ends = int((now + SIGNED_LIFETIME).timestamp())
        return {**self.params, "aud": self.signature.audience, "exp": ends}


def build_code_reply(
    target: ReplyTarget, *, code: str, issuer: str, session_state: str | None = None
) -> Reply:
    """Answer with a code (RFC 6749 §4.1.2, RFC 9207 §2, Session Management §2)."""
    facts = {"code": code}
    if session_state is not None:
        facts["session_state"] = session_state
    return _build(target, facts, issuer=issuer)


def build_error_reply(target: ReplyTarget, error: RedirectedError, *, issuer: str) -> Reply:
    """Answer with an error (RFC 6749 §4.1.2.1); `iss` stands there too (RFC 9207 §2)."""
    facts = {"error": error.code, "error_description": error.description}
    return _build(target, facts, issuer=issuer)


def _build(target: ReplyTarget, facts: Mapping[str, str], *, issuer: str) -> Reply:
    state = {} if target.state is None else {"state": target.state}
    return Reply(
        redirect_uri=target.redirect_uri,
        params={**facts, **state, "iss": issuer},
        response_mode=target.response_mode,
        signature=target.signature,
    )
