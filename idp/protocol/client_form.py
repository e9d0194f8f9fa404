"""A registration document as a form: what an administrator types, and back."""

import json
from collections.abc import Mapping
from types import MappingProxyType

from idp.protocol.document import MetadataFault

#: Form field → name in the document, for plain texts.
_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "client_id": "client_id",
        "name_ja": "client_name",
        "name_en": "client_name#en",
        "operator_ja": "kosodate_operator",
        "operator_en": "kosodate_operator#en",
        "description_ja": "kosodate_description",
        "description_en": "kosodate_description#en",
        "glyph": "kosodate_glyph",
        "municipality": "kosodate_municipality",
        "application_type": "application_type",
        "auth_method": "token_endpoint_auth_method",
        "initiate_login_uri": "initiate_login_uri",
        "backchannel_logout_uri": "backchannel_logout_uri",
        "client_uri": "client_uri",
        "logo_uri": "logo_uri",
        "policy_uri": "policy_uri",
        "tos_uri": "tos_uri",
    }
)
#: Form field → name, for one entry a line.
_LINES: Mapping[str, str] = MappingProxyType(
    {
        "redirect_uris": "redirect_uris",
        "post_logout_redirect_uris": "post_logout_redirect_uris",
        "cors_origins": "kosodate_cors_origins",
    }
)
#: Form field → name, for boxes to tick.
_FLAGS: Mapping[str, str] = MappingProxyType(
    {"consented": "kosodate_consented", "may_notify": "kosodate_may_notify"}
)
#: Scopes that every service has.
_ALWAYS = "openid"
_FIELD_OF = MappingProxyType(
    {name: field for table in (_TEXTS, _LINES, _FLAGS) for field, name in table.items()}
    | {"scope": "scope", "grant_types": "refresh", "jwks": "jwks", "response_types": "refresh"}
)


def read_form(
    values: Mapping[str, str], scopes: tuple[str, ...], *, known: Mapping[str, object]
) -> dict[str, object]:
    """Return the document that a form means; what the form does not show stays as it is known.

    An empty field takes the member away. JSON that is none stays a text, which is refused
    with its field when the document is read.
    """
    document = dict(known)
    for field, name in _TEXTS.items():
        document[name] = values.get(field, "").strip() or None
    for field, name in _LINES.items():
        document[name] = [line for line in values.get(field, "").split() if line]
    for field, name in _FLAGS.items():
        document[name] = field in values
    document["scope"] = " ".join((_ALWAYS, *scopes))
    document["grant_types"] = [
        *_kept_grants(known),
        *(["refresh_token"] if "refresh" in values else []),
    ]
    document["jwks"] = _read_json(values.get("jwks", ""))
    return {name: value for name, value in document.items() if value is not None}


def _kept_grants(known: Mapping[str, object]) -> list[str]:
    """Return the grants that the form does not show; a new service has the code grant."""
    grants = known.get("grant_types") or ["authorization_code"]
    assert isinstance(grants, list)
    return [str(grant) for grant in grants if grant != "refresh_token"]


def _read_json(text: str) -> object:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def write_form(document: Mapping[str, object]) -> dict[str, str]:
    """Return the fields that show a document."""
    fields = {field: str(document.get(name) or "") for field, name in _TEXTS.items()}
    for field, name in _LINES.items():
        entries = document.get(name) or []
        assert isinstance(entries, list)
        fields[field] = "\n".join(str(entry) for entry in entries)
    for field, name in _FLAGS.items():
        if document.get(name):
            fields[field] = "1"
    grants = document.get("grant_types") or []
    assert isinstance(grants, list)
    if "refresh_token" in grants:
        fields["refresh"] = "1"
    keys = document.get("jwks")
    fields["jwks"] = "" if keys is None else json.dumps(keys, indent=2)
    return fields


def field_of(fault: MetadataFault) -> str:
    """Return the form field a fault of the document belongs to; "" for one the form lacks."""
    return _FIELD_OF.get(fault.field.partition("[")[0], "")
