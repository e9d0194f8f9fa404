"""What we publish about ourselves: metadata and keys."""

import json
from functools import lru_cache

from flask import Blueprint, Response

from idp.domain.grants.keys import LoadedKeys, published_keys
from idp.protocol.metadata import ProviderFacts, build_metadata
from idp.web.deps import services, this_request
from idp.web.guards import client_endpoint
from idp.web.published import FOUND_KEYS

bp = Blueprint("oidc_discovery", __name__)

_METADATA_SECONDS = 3_600


@bp.get("/.well-known/openid-configuration")
@client_endpoint
def openid_configuration() -> Response:
    """Return the metadata (OIDC Discovery §4)."""
    return _metadata()


@bp.get("/.well-known/oauth-authorization-server")
@client_endpoint
def oauth_authorization_server() -> Response:
    """Return the same document under the name of RFC 8414 §3."""
    return _metadata()


@bp.get("/jwks")
@client_endpoint
def jwks() -> Response:
    """Return the public keys; clients may keep them as long as we say."""
    keys = _keys()
    seconds = services().settings.tokens.jwks_max_age_seconds
    return _publish(keys.jwks_text, kind="application/jwk-set+json", seconds=seconds)


def _metadata() -> Response:
    facts = ProviderFacts(
        issuer=services().settings.provider.issuer,
        id_token_algorithms=_keys().algorithms(),
        languages=services().texts.languages,
        has_upstream=services().upstream is not None,
        has_registration=services().settings.registration.mode != "closed",
    )
    return _publish(_write(facts), kind="application/json", seconds=_METADATA_SECONDS)


@lru_cache(maxsize=8)
def _write(facts: ProviderFacts) -> str:
    """Build the document once for each set of facts."""
    return json.dumps(build_metadata(facts))


def _keys() -> LoadedKeys:
    """Return the keys that were found for this request, or find them."""
    found = this_request().environ.get(FOUND_KEYS)
    if isinstance(found, Exception):
        raise found
    if isinstance(found, LoadedKeys):
        return found
    return published_keys(services().sessions, keys=services().keys, now=services().clock())


def _publish(text: str, *, kind: str, seconds: int) -> Response:
    response = Response(text, content_type=kind)
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    # Public documents without cookies: any page may read them (CA-10).
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
