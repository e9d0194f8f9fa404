"""What the addresses in a client's metadata lead to, asked before anything is written.

These are calls to other servers, so they happen outside every transaction: the operations of
the registry get what was `Gathered`.
"""

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Protocol

from idp.base.http import Fetched, FetchError
from idp.base.url import split_url
from idp.protocol.claims import is_shallow
from idp.protocol.client import ClientMetadata, RegisteredClient
from idp.protocol.logo import find_image_type


class Fetcher(Protocol):
    """The one outgoing client."""

    def get(self, url: str) -> Fetched:
        """Read a document, or raise FetchError."""


@dataclass(frozen=True)
class FetchedLogo:
    """A picture that may be shown."""

    content_type: str
    content: bytes

    @property
    def digest(self) -> bytes:
        """Return the name under which it is kept."""
        return sha256(self.content).digest()


@dataclass(frozen=True)
class Gathered:
    """What was found: the sector that an address proves, and the picture."""

    sector: str | None = None
    logo: FetchedLogo | None = None


#: Nobody was asked.
NOTHING = Gathered()


def gather(
    metadata: ClientMetadata, http: Fetcher, known: RegisteredClient | None = None
) -> Gathered:
    """Ask what the metadata names. Whatever does not answer as it should is missing.

    The sector of a `known` client is not proven again while what it rests on is the same.
    """
    settled = known is not None and _is_settled(metadata, known)
    sector = None if settled else _prove_sector(metadata, http)
    return Gathered(sector=sector, logo=_fetch_logo(metadata, http))


def gather_new(metadata: ClientMetadata, http: Fetcher, known: RegisteredClient | None) -> Gathered:
    """Ask only what is new or has changed: a file of many services is mostly what is known."""
    has_same_logo = known is not None and metadata.logo_uri == known.logo_uri
    asked = replace(metadata, logo_uri=None) if has_same_logo else metadata
    return gather(asked, http, known)


def keep_proof(metadata: ClientMetadata, known: RegisteredClient, gathered: Gathered) -> Gathered:
    """Let the sector stay proven while its address and the redirect URIs are the same.

    OIDC Core §8.1 ties the redirect URIs to the document when they are registered: a service
    whose document cannot be reached just now can still change its name.
    """
    if metadata.sector_identifier_uri is None or not _is_settled(metadata, known):
        return gathered
    return replace(gathered, sector=known.sector)


def _is_settled(metadata: ClientMetadata, known: ClientMetadata) -> bool:
    return metadata.sector_identifier_uri == known.sector_identifier_uri and set(
        metadata.redirect_uris
    ) == set(known.redirect_uris)


def sector_of_address(uri: str) -> str:
    """Return the sector that a sector_identifier_uri stands for (OIDC Core §8.1)."""
    return f"host:{split_url(uri).hostname}"


def _prove_sector(metadata: ClientMetadata, http: Fetcher) -> str | None:
    """Return the sector if the document behind its address lists every redirect URI.

    OIDC Registration §5: what is registered must be a subset of what the document lists.
    """
    uri = metadata.sector_identifier_uri
    if uri is None:
        return None
    listed = _read_list(uri, http)
    if listed is None or not set(metadata.redirect_uris) <= listed:
        return None
    return sector_of_address(uri)


def _read_list(uri: str, http: Fetcher) -> set[str] | None:
    try:
        answer = http.get(uri)
    except FetchError:
        return None
    if answer.status != 200:
        return None
    try:
        text = answer.body.decode("utf-8")
        content = json.loads(text) if is_shallow(text) else None
    except ValueError:
        return None
    if not isinstance(content, list):
        return None
    return {each for each in content if isinstance(each, str)}


def _fetch_logo(metadata: ClientMetadata, http: Fetcher) -> FetchedLogo | None:
    """Return the picture; without one people see the first letter of the name instead."""
    if metadata.logo_uri is None:
        return None
    try:
        answer = http.get(metadata.logo_uri)
    except FetchError:
        return None
    kind = find_image_type(answer.body) if answer.status == 200 else None
    return None if kind is None else FetchedLogo(kind, answer.body)
