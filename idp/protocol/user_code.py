"""User codes: what a device shows and a person types (RFC 8628 §6.1)."""

import re
import secrets

from idp.base.text import fold

#: Consonants: no digit that looks like a letter, no vowel that would make a word.
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH = 8
_HALF = LENGTH // 2
_SEPARATORS = re.compile(r"[^A-Z0-9]")
_CODE = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")
#: More than any spelling of a code needs.
_MAX_TYPED = 64


def new_user_code() -> str:
    """Make a code; each of 2.5 × 10^10 is equally likely."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def parse_user_code(typed: str) -> str | None:
    """Return the code in what a person typed: full-width, lower case, any dash or none."""
    if len(typed) > _MAX_TYPED:
        return None
    code = _SEPARATORS.sub("", fold(typed).upper())
    return code if _CODE.fullmatch(code) else None


def show_user_code(code: str) -> str:
    """Return the code as people see it: two halves, `WDJB-MJHT`."""
    return f"{code[:_HALF]}-{code[_HALF:]}"
