"""The authorization request once it is checked: what the walk and the answer need of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from idp.protocol.authorize import REDIRECTING_CHECKS, ReplyTarget, Signature
from idp.protocol.claims import NO_CLAIMS, ClaimsRequest, parse_claims, scopes_of_claims
from idp.protocol.client import RegisteredClient, ResponseMode
from idp.protocol.details import DelegationDetail, parse_details, read_details, write_details
from idp.protocol.errors import RedirectedError
from idp.protocol.params import Params
from idp.protocol.prompt import Prompt, parse_prompt
from idp.protocol.resources import asked_resources, check_resources
from idp.protocol.scope import join_scope, parse_scope, split_scope

_SECONDS = re.compile(r"[0-9]{1,9}")
#: A SHA-256 in base64url (RFC 7638 §3).
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
_MAX_VALUES = 20


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """A request that passed every check. Only `build_request` and `from_json` make one."""

    client_id: str
    target: ReplyTarget
    scope: str
    code_challenge: str | None
    nonce: str | None = None
    prompt: frozenset[Prompt] = frozenset()
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    claims: ClaimsRequest = NO_CLAIMS
    login_hint: str | None = None
    ui_locales: tuple[str, ...] = ()
    #: `sub` of the person the client expects, from a genuine id_token_hint.
    hinted_subject: str | None = None
    #: For which services its tokens are; empty: for ours alone.
    resources: tuple[str, ...] = ()
    #: For which household it wants to act (RFC 9396).
    details: DelegationDetail | None = None
    #: The key that the code will be bound to (RFC 9449 §10).
    dpop_jkt: str | None = None
    #: The pushed request it came from: used up by the answer.
    pushed_id: str | None = None

    @property
    def consent_scope(self) -> str:
        """What a person consents to: the scopes, and those whose claims are asked for by name."""
        by_name = scopes_of_claims([*self.claims.userinfo, *self.claims.id_token])
        return join_scope(split_scope(self.scope) | by_name)


def build_request(
    params: Params, client: RegisteredClient, target: ReplyTarget, *, hinted_subject: str | None
) -> AuthorizationRequest:
    """Run every check that may redirect and return what was asked.

    Raises:
        RedirectedError: the first check that fails.
    """
    for check in (*REDIRECTING_CHECKS, check_resources):
        check(params, client)
    values = params.values
    asked = parse_claims(values["claims"]) if "claims" in values else NO_CLAIMS
    claims = _allowed(asked, client)
    scopes = parse_scope(values["scope"])
    assert scopes is not None  # check_scope has read it
    return AuthorizationRequest(
        client_id=client.client_id,
        target=target,
        scope=join_scope(scopes),
        code_challenge=values.get("code_challenge"),
        nonce=values.get("nonce"),
        prompt=parse_prompt(values.get("prompt", "")),
        max_age=_parse_max_age(values.get("max_age"), client),
        acr_values=_words(values.get("acr_values")) or client.default_acr_values,
        claims=claims,
        login_hint=values.get("login_hint"),
        ui_locales=_words(values.get("ui_locales")),
        hinted_subject=claims.subject or hinted_subject,
        resources=asked_resources(params),
        details=parse_details(values.get("authorization_details"), client),
        dpop_jkt=_parse_thumbprint(values.get("dpop_jkt")),
    )


def _allowed(asked: ClaimsRequest, client: RegisteredClient) -> ClaimsRequest:
    """Leave out claims whose scope the client may not have; asking is no error (§5.5)."""
    return ClaimsRequest(
        userinfo=frozenset(
            name for name in asked.userinfo if scopes_of_claims([name]) <= client.scopes
        ),
        id_token=frozenset(
            name for name in asked.id_token if scopes_of_claims([name]) <= client.scopes
        ),
        essential_acr=asked.essential_acr,
        wanted_acr=asked.wanted_acr,
        subject=asked.subject,
    )


def _parse_max_age(text: str | None, client: RegisteredClient) -> int | None:
    if text is None:
        return client.default_max_age
    if _SECONDS.fullmatch(text) is None:
        raise RedirectedError("invalid_request", "The max_age is not a number of seconds.")
    return int(text)


def _parse_thumbprint(text: str | None) -> str | None:
    if text is not None and _THUMBPRINT.fullmatch(text) is None:
        raise RedirectedError("invalid_request", "The dpop_jkt is not a thumbprint.")
    return text


def _words(text: str | None) -> tuple[str, ...]:
    return tuple((text or "").split())[:_MAX_VALUES]


def to_json(request: AuthorizationRequest, *, hinted_account_id: UUID | None) -> dict[str, object]:
    """Return what is stored in the interaction; the walk reads its wishes from the same names.

    `hinted_account_id` is the person an id_token_hint named: the walk compares it.
    """
    signature = request.target.signature
    return {
        "client_id": request.client_id,
        "redirect_uri": request.target.redirect_uri,
        "state": request.target.state,
        "response_mode": request.target.response_mode.value,
        "response_alg": signature.alg if signature else None,
        "scope": request.scope,
        "consent_scope": request.consent_scope,
        "code_challenge": request.code_challenge,
        "nonce": request.nonce,
        "prompt": sorted(request.prompt),
        "max_age": request.max_age,
        "acr_values": [*request.claims.wanted_acr, *request.acr_values],
        "claims": {
            "userinfo": sorted(request.claims.userinfo),
            "id_token": sorted(request.claims.id_token),
            "essential_acr": list(request.claims.essential_acr),
            "wanted_acr": list(request.claims.wanted_acr),
            "subject": request.claims.subject,
        },
        "login_hint": request.login_hint,
        "ui_locales": list(request.ui_locales),
        "hinted_subject": request.hinted_subject,
        "resources": list(request.resources),
        "details": write_details(request.details),
        "dpop_jkt": request.dpop_jkt,
        "pushed_id": request.pushed_id,
        "hinted_account_id": None if hinted_account_id is None else str(hinted_account_id),
    }


def from_json(stored: Mapping[str, object]) -> AuthorizationRequest:
    """Read a stored request back; it was checked before it was stored."""
    claims = _mapping(stored["claims"])
    alg = _optional(stored.get("response_alg"))
    return AuthorizationRequest(
        client_id=str(stored["client_id"]),
        target=ReplyTarget(
            redirect_uri=str(stored["redirect_uri"]),
            state=_optional(stored["state"]),
            response_mode=ResponseMode(str(stored["response_mode"])),
            signature=Signature(str(stored["client_id"]), alg) if alg else None,
        ),
        scope=str(stored["scope"]),
        code_challenge=_optional(stored["code_challenge"]),
        nonce=_optional(stored["nonce"]),
        prompt=frozenset(Prompt(value) for value in _texts(stored["prompt"])),
        max_age=_number(stored["max_age"]),
        acr_values=_texts(stored["acr_values"]),
        claims=ClaimsRequest(
            userinfo=frozenset(_texts(claims["userinfo"])),
            id_token=frozenset(_texts(claims["id_token"])),
            essential_acr=_texts(claims["essential_acr"]),
            wanted_acr=_texts(claims["wanted_acr"]),
            subject=_optional(claims["subject"]),
        ),
        login_hint=_optional(stored["login_hint"]),
        ui_locales=_texts(stored["ui_locales"]),
        hinted_subject=_optional(stored["hinted_subject"]),
        resources=_texts(stored.get("resources", [])),
        details=read_details(stored.get("details")),
        dpop_jkt=_optional(stored.get("dpop_jkt")),
        pushed_id=_optional(stored.get("pushed_id")),
    )


def _optional(value: object) -> str | None:
    return None if value is None else str(value)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _texts(value: object) -> tuple[str, ...]:
    assert isinstance(value, list)
    return tuple(str(entry) for entry in value)


def _mapping(value: object) -> Mapping[str, object]:
    assert isinstance(value, dict)
    return value
