"""The yardsticks: one RS256-2048 signature and one password hash, under the load itself.

A process of its own takes a few all the time while an operation runs, so that what a busy
machine costs everybody is in the yardstick too. It takes a fiftieth of a core; a hash, which
fills 19 MiB and pushes everybody's data out of the caches, only where one is part of what is
measured. `python -m benchmarks.reference [hashes]` until its input ends; then it prints both
in CPU milliseconds.
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

_SIGNATURES, _HASHES = 5, 1
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class Yardstick:
    """CPU milliseconds."""

    signature_ms: float
    hash_ms: float


class Sampler:
    """Takes samples from its making until `stop`."""

    def __init__(self, *, with_hashes: bool) -> None:
        words = ("hashes",) if with_hashes else ()
        self._process = subprocess.Popen(
            (sys.executable, "-m", "benchmarks.reference", *words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it has made its key and takes samples

    def stop(self) -> Yardstick:
        """End it and return what it measured."""
        output, _ = self._process.communicate()
        return Yardstick(**json.loads(output))


def _main(*, with_hashes: bool) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
    stored = hasher.hash("reference")
    signatures: list[float] = []
    hashes = [] if with_hashes else [0.0]
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], _PAUSE_SECONDS)[0]:
        signatures.append(
            _cost(lambda: key.sign(b"reference", padding.PKCS1v15(), SHA256()), _SIGNATURES)
        )
        if with_hashes:
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
    _main(with_hashes=sys.argv[1:] == ["hashes"])
