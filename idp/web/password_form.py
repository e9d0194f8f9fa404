"""The two fields of a new password: what the page needs, and faults as errors."""

from dataclasses import dataclass

from flask import request

from idp.domain.signin.passwords import (
    CLASSES,
    LONG_LENGTH,
    MAX_LENGTH,
    MIN_LENGTH,
    PasswordFault,
)
from idp.web.render import FieldError, field_error

#: The list under the field; what is open there only the script of the page can know.
_RULES = ("length", "classes", "guessable")


@dataclass(frozen=True)
class _Policy:
    min_length: int = MIN_LENGTH
    classes: int = CLASSES
    long_length: int = LONG_LENGTH


@dataclass(frozen=True)
class _Check:
    key: str
    state: str = "open"


def password_facts() -> dict[str, object]:
    """Return what `signin/_new_password.html` needs."""
    return {"policy": _Policy(), "checks": [_Check(key) for key in _RULES]}


def read_new_password() -> str:
    """Return the candidate as typed: nothing is trimmed (D10)."""
    return request.form.get("new_password", "")


def find_form_errors() -> list[FieldError]:
    """Return what is wrong with the two fields before anybody judges the password."""
    candidate = read_new_password()
    confirmed = request.form.get("confirm_password", "")
    if not candidate:
        return [field_error("new_password", "signin.password.error.empty")]
    if not confirmed:
        return [field_error("confirm_password", "signin.password.error.empty_confirm")]
    if candidate != confirmed:
        return [field_error("confirm_password", "signin.password.error.mismatch")]
    return []


def name_faults(faults: tuple[PasswordFault, ...]) -> list[FieldError]:
    """Return the reasons against a password as errors of its field."""
    return [
        field_error(
            "new_password",
            f"signin.password.error.{fault.value}",
            minimum=MIN_LENGTH,
            classes=CLASSES,
            maximum=MAX_LENGTH,
        )
        for fault in faults
    ]
