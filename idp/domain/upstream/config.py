"""Our own key at the upstream provider, as the operator gives it."""

import json
from collections.abc import Mapping
from types import MappingProxyType

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from idp.domain.upstream.provider import SigningKey

_KINDS: Mapping[str, type[ECKey] | type[RSAKey] | type[OKPKey]] = MappingProxyType(
    {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey}
)
_CURVES = frozenset({"P-256", "Ed25519"})


class KeyUnusable(ValueError):  # noqa: N818 - says what the key is
    """The text is no private JWK that we could sign with."""


def read_private_key(text: str) -> SigningKey:
    """Return the key of a private JWK; P-256, RSA or Ed25519, with a kid.

    Raises:
        KeyUnusable: it is something else.
    """
    try:
        content = json.loads(text)
        key: SigningKey = _KINDS[content["kty"]].import_key(content)
    except (ValueError, KeyError, TypeError, JoseError):
        raise KeyUnusable from None
    if not key.is_private or not key.kid or content.get("crv", "P-256") not in _CURVES:
        raise KeyUnusable
    return key
