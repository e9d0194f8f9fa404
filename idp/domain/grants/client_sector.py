"""The sector of a client: who sees the same identifiers of people (OIDC Core §8.1)."""

from enum import StrEnum

from idp.base.url import split_url
from idp.domain.grants.client_addresses import Gathered, keep_proof, sector_of_address
from idp.protocol.client import RegisteredClient, SubjectType
from idp.protocol.registration import Registration


class SectorFault(StrEnum):
    """What is wrong with a sector; the registry refuses with the same words."""

    NEEDED = "sector_needed"
    FIXED = "sector_fixed"
    UNPROVEN = "sector_unproven"


def choose_sector(
    registration: Registration, client_id: str, gathered: Gathered
) -> str | SectorFault:
    """Return the sector of a new client: as said, as proven, the municipality's, its one host."""
    said = registration.sector
    if registration.metadata.sector_identifier_uri is not None:
        proven = gathered.sector
        return proven if proven is not None and said in (None, proven) else SectorFault.UNPROVEN
    if said is not None:
        return said
    if registration.municipality_code is not None:
        return f"municipality:{registration.municipality_code}"
    hosts = {split_url(uri).hostname or uri for uri in registration.metadata.redirect_uris}
    if len(hosts) == 1:
        return f"host:{hosts.pop()}"
    if not hosts or registration.metadata.subject_type is SubjectType.PUBLIC:
        return f"client:{client_id}"
    return SectorFault.NEEDED


def find_sector_change(
    registration: Registration, known: RegisteredClient, gathered: Gathered
) -> SectorFault | None:
    """Return why a client may not be changed like this: every `sub` at it would change."""
    if registration.sector not in (None, known.sector):
        return SectorFault.FIXED
    uri = registration.metadata.sector_identifier_uri
    if uri is None:
        return None
    if sector_of_address(uri) != known.sector:
        return SectorFault.FIXED
    proven = keep_proof(registration.metadata, known, gathered).sector
    return None if proven == known.sector else SectorFault.UNPROVEN
