"""Answers of the authorization endpoint: a code or an error, always with `iss`."""

from collections.abc import Mapping
from dataclasses import dataclass

from idp.protocol.authorize import ReplyTarget
from idp.protocol.client import ResponseMode
from idp.protocol.errors import RedirectedError


@dataclass(frozen=True)
class Reply:
    """What the browser is sent to a client with."""

    redirect_uri: str
    params: Mapping[str, str]
    response_mode: ResponseMode


def build_code_reply(target: ReplyTarget, *, code: str, issuer: str) -> Reply:
    """Answer with a code (RFC 6749 §4.1.2, RFC 9207 §2)."""
    return _build(target, {"code": code}, issuer=issuer)


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
    )
