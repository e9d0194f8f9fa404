"""The `prompt` parameter: which pages a client wants to be shown, or not."""

from enum import StrEnum

from idp.protocol.errors import RedirectedError


class Prompt(StrEnum):
    """The values of OIDC Core §3.1.2.1."""

    NONE = "none"
    LOGIN = "login"
    CONSENT = "consent"
    SELECT_ACCOUNT = "select_account"


#: What discovery lists as `prompt_values_supported`.
SUPPORTED = tuple(Prompt)


def parse_prompt(text: str) -> frozenset[Prompt]:
    """Return the wishes we know; others are ignored, as an unknown parameter is.

    Raises:
        RedirectedError: `none` stands beside another value (OIDC Core §3.1.2.1).
    """
    values = frozenset(text.split())
    if Prompt.NONE in values and len(values) > 1:
        raise RedirectedError("invalid_request", "The prompt none must stand alone.")
    return frozenset(Prompt(value) for value in values if value in SUPPORTED)
