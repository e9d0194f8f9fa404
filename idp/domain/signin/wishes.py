"""What the authorization request asks of the walk, read from the stored request."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from idp.protocol import acr
from idp.protocol.interaction import Wishes


def wanted_acr(request: Mapping[str, Any]) -> acr.Acr | None:
    """Return the least `acr` that satisfies the request, if it asks for one."""
    return acr.weakest_wanted(_words(request, "acr_values"))


def read_wishes(request: Mapping[str, Any], *, signed_in_id: UUID | None) -> Wishes:
    """Return the wishes; a walk without a service has none (OIDC Core §3.1.2.1)."""
    prompts = _words(request, "prompt")
    max_age = request.get("max_age")
    hinted = request.get("hinted_account_id")
    return Wishes(
        pages_allowed="none" not in prompts,
        fresh_login="login" in prompts or "select_account" in prompts,
        ask_consent="consent" in prompts,
        max_age=None if max_age is None else timedelta(seconds=int(max_age)),
        other_person_hinted=(
            hinted is not None and signed_in_id is not None and str(hinted) != str(signed_in_id)
        ),
    )


def _words(request: Mapping[str, Any], name: str) -> list[str]:
    """Return the words of a parameter, kept as sent or as a list."""
    value = request.get(name) or ""
    return value.split() if isinstance(value, str) else [str(word) for word in value]
