"""Six digits, however they are typed."""

from idp.base.text import code_digits

CODE_LENGTH = 6
#: Longer texts are no code, however they are folded (OT-10).
_LONGEST_TYPED = 64


def read_code(typed: str) -> str | None:
    """Return the six digits, however they were typed (OT-08), or None."""
    if len(typed) > _LONGEST_TYPED:
        return None
    digits = code_digits(typed)
    return digits if len(digits) == CODE_LENGTH else None
