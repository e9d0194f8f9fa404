"""Tokens that we sign, and that come back to us."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from joserfc.errors import JoseError

from idp.base.secret import digest, from_base64url, to_base64url
from idp.domain.grants.jose import REGISTRIES
from idp.domain.grants.keys import LoadedKey, LoadedKeys

_MAX_TOKEN = 16_384
_MAX_HEADER = 1_024
_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class OwnToken:
    """A token that one of our keys has signed. Its claims still have to be judged."""

    header: Mapping[str, object]
    claims: Mapping[str, object]


def sign(claims: Mapping[str, object], signer: LoadedKey, *, kind: str = "JWT") -> str:
    """Sign claims with one key, named in the header, as a token of one kind (RFC 8725 §3.11)."""
    head = _write_head(signer.alg, signer.kid, kind)
    body = to_base64url(_write(claims).encode())
    signed = f"{head}.{body}"
    signature = _algorithm(signer.alg).sign(signed.encode("ascii"), signer.key)
    return f"{signed}.{to_base64url(signature)}"


@lru_cache(maxsize=64)
def _write_head(alg: str, kid: str, kind: str) -> str:
    header = {"typ": kind, "alg": alg, "kid": kid}
    return to_base64url(_write(header).encode())


def _algorithm(alg: str) -> Any:  # noqa: ANN401 - the library hides the type
    return REGISTRIES[alg].get_alg(alg)


def open_own_token(token: str, loaded: LoadedKeys) -> OwnToken | None:
    """Return a token of ours, or None: not signed by a key that is published now.

    The key is found by `kid` alone and decides the algorithm; a key or an address in the
    header is never looked at (JW-01 to JW-06). The same token again is not checked again.
    """
    place = digest(token)
    known = loaded.checked.find(place)
    if known is not None:
        verifier, said = known
        assert isinstance(said, OwnToken)
        published = loaded.by_kid.get(str(said.header["kid"]))
        if published is not None and published.verifier is verifier:
            return said
    opened = _open(token, loaded)
    if opened is not None:
        verifier = loaded.by_kid[str(opened.header["kid"])].verifier
        loaded.checked.keep(place, verifier, opened)
    return opened


def _open(token: str, loaded: LoadedKeys) -> OwnToken | None:
    signed, _, signature = token.rpartition(".")
    head, _, body = signed.partition(".")
    header = _read_header(token, head, body)
    signer = None if header is None else loaded.by_kid.get(str(header["kid"]))
    if header is None or signer is None or header.get("alg") != signer.alg:
        return None
    try:
        seal = from_base64url(signature)
        if not _algorithm(signer.alg).verify(signed.encode("ascii"), seal, signer.verifier):
            return None
        claims = json.loads(from_base64url(body))
    except (JoseError, ValueError, TypeError, RecursionError):
        return None
    if not isinstance(claims, dict):
        return None
    return OwnToken(MappingProxyType(header), MappingProxyType(claims))


def _read_header(token: str, head: str, body: str) -> dict[str, Any] | None:
    """Return the header of three parts of ASCII, small enough to be read, with a `kid`."""
    if len(token) > _MAX_TOKEN or len(head) > _MAX_HEADER or not token.isascii():
        return None
    if not head or "." in body:
        return None
    try:
        header = json.loads(from_base64url(head))
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or "crit" in header or not isinstance(header.get("kid"), str):
        return None
    return header
