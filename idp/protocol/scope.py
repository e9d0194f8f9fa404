"""Scopes: what there is to ask for, and reading what was asked."""

import re
from collections.abc import Iterable

OPENID = "openid"
OFFLINE_ACCESS = "offline_access"

#: Every scope of ours, in the order in which people are shown them.
SUPPORTED = (
    OPENID,
    "profile",
    "email",
    "phone",
    "address",
    "household",
    "children",
    "delegation",
    "assurance",
    "notices",
    OFFLINE_ACCESS,
)

#: RFC 6749 §3.3: any printable character but space, quote and backslash.
_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}")


def parse_scope(text: str) -> tuple[str, ...] | None:
    """Return the scopes in a text, each once, in the order of the text; None if it is no scope."""
    names = dict.fromkeys(text.split(" "))
    names.pop("", None)
    if not all(_TOKEN.fullmatch(name) for name in names):
        return None
    return tuple(names)


def join_scope(names: Iterable[str]) -> str:
    """Return the text of a set of scopes: ours in their order, then others by name."""
    wanted = set(names)
    ours = [name for name in SUPPORTED if name in wanted]
    return " ".join([*ours, *sorted(wanted.difference(ours))])


def split_scope(text: str) -> frozenset[str]:
    """Return the scopes in a text of our own making."""
    return frozenset(text.split())


def is_narrower(asked: str, granted: str) -> bool:
    """Whether everything asked for was granted (RFC 6749 §6)."""
    return split_scope(asked) <= split_scope(granted)
