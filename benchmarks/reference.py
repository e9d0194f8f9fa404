"""The yardsticks: one RS256-2048 signature and one password hash, under the load itself.

A process of its own takes a few of both all the time while an operation runs, so that what a
busy machine costs everybody is in the yardstick too. `python -m benchmarks.reference` until
its input ends; then it prints both in CPU milliseconds.
"""

import json
import select
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

_SIGNATURES, _HASHES = 20, 1
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class Yardstick:
    """CPU milliseconds."""

    signature_ms: float
    hash_ms: float


class Sampler:
    """Takes samples from its making until `stop`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            (sys.executable, "-m", "benchmarks.reference"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it has made its key and takes samples

    def stop(self) -> Yardstick:
        """End it and return what it measured."""
        output, _ = self._process.communicate()
        return Yardstick(**json.loads(output))


def _main() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
    stored = hasher.hash("reference")
    signatures, hashes = [], []
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], _PAUSE_SECONDS)[0]:
        signatures.append(
            _cost(lambda: key.sign(b"reference", padding.PKCS1v15(), SHA256()), _SIGNATURES)
        )
        hashes.append(_cost(lambda: hasher.verify(stored, "reference"), _HASHES))
    print(
        json.dumps(
            {
                "signature_ms": sum(signatures) / len(signatures),
                "hash_ms": sum(hashes) / len(hashes),
            }
        )
    )


def _cost(work: Callable[[], object], count: int) -> float:
    begun = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - begun) * 1_000 / count


if __name__ == "__main__":
    _main()
