"""Rules for signatures: one algorithm at a time, never what a token says of itself."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from joserfc.errors import UnsupportedAlgorithmError
from joserfc.jws import JWSRegistry

from idp.protocol.dpop import ALGORITHMS as PROOF_ALGORITHMS
from idp.protocol.dpop import MAX_HEADER as MAX_PROOF_HEADER


class OneAlgorithm(JWSRegistry):
    """Allows a single algorithm (RFC 8725 §3.1).

    The library warns of the name EdDSA (RFC 9864 has a new one); clients know only the old.
    """

    def __init__(self, alg: str) -> None:
        super().__init__(algorithms=[alg])
        self._alg = alg

    def get_alg(self, name: str) -> Any:  # noqa: ANN401 - the library hides the type
        """Return the algorithm if it is the one."""
        if name != self._alg:
            raise UnsupportedAlgorithmError(self._alg)
        return self.algorithms[name]


class LongHeader(OneAlgorithm):
    """Allows the header of a proof of possession: it holds a whole key."""

    max_header_length = MAX_PROOF_HEADER


REGISTRIES: Mapping[str, JWSRegistry] = MappingProxyType(
    {alg: OneAlgorithm(alg) for alg in ("RS256", "PS256", "ES256", "EdDSA", "HS256")}
)
PROOF_REGISTRIES: Mapping[str, JWSRegistry] = MappingProxyType(
    {alg: LongHeader(alg) for alg in PROOF_ALGORITHMS}
)
