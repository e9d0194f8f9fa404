"""Real hashers that are cheap: a test signs in many times."""

from idp.domain.signin.hashing import Hasher
from tests.factories import make_keyring


def make_hasher(*, older: bool = False) -> Hasher:
    """Make a hasher under the test's pepper; `older=True` has parameters that need renewal."""
    return Hasher(
        pepper=make_keyring().pepper,
        concurrency=4,
        time_cost=1,
        memory_kib=8 if older else 16,
    )
