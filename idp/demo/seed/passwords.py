"""Passwords of the demo: new for each data folder, easy to type, and within every rule."""

import secrets

#: Letters and digits that nobody confuses (B35).
_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_DIGITS = "23456789"


def new_password() -> str:
    """Make a password such as Kxmr-7294-wbqa: 48 bits, four kinds of characters."""
    first, last = _pick(_LETTERS).capitalize(), _pick(_LETTERS)
    return f"{first}-{_pick(_DIGITS)}-{last}"


def _pick(alphabet: str) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(4))
