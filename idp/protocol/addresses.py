"""Addresses in client metadata: what may be registered as a redirect URI or called by us."""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import SplitResult

from idp.base.url import UrlError, is_ip_literal, split_url

_MAX_LENGTH = 2_048
#: RFC 3986 §2: nothing else can stand in a URI. The asterisk is left out: no patterns.
_URI = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()+,;=%-]+")
#: RFC 8252 §7.1: a private-use scheme is a reversed domain name, so it has a dot.
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DOT_SEGMENT = re.compile(r"(?i)/(?:\.|%2e){1,2}(?:[/;?]|$)")
#: Names that never lead to somebody else's server.
_INNER_NAMES = frozenset({"localhost", "local", "internal", "intranet", "home", "lan", "arpa"})
_SERVICE_PORTS = frozenset({None, 443, 8443})
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_JAPANESE = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"})


@dataclass(frozen=True)
class AddressRules:
    """What differs between a real provider and a demonstration on one machine."""

    #: Plain http on the loopback interface is fine for every client, not only native ones.
    allow_loopback_http: bool = False


def find_redirect_fault(uri: str, *, is_native: bool, rules: AddressRules) -> str | None:
    """Return why a URI may not be registered for redirects, or None (AZ-08, RFC 9700 §2.6)."""
    fault = _common_fault(uri)
    if fault is not None:
        return fault
    parts = split_url(uri)
    if parts.scheme == "https":
        return _host_fault(parts)
    if parts.scheme == "http":
        loopback = {"127.0.0.1", "::1"} if not rules.allow_loopback_http else _LOOPBACK
        allowed = is_native or rules.allow_loopback_http
        return None if allowed and parts.hostname in loopback else "uri_not_https"
    if is_native and _PRIVATE_SCHEME.fullmatch(parts.scheme):
        return None
    return "uri_scheme"


def find_service_fault(uri: str, *, rules: AddressRules) -> str | None:
    """Return why an address of a client may not be called or shown, or None (SR-02, SR-03).

    Whether the name leads to a private address is looked at when it is called.
    """
    fault = _common_fault(uri)
    if fault is not None:
        return fault
    parts = split_url(uri)
    if rules.allow_loopback_http and parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return None
    if parts.scheme != "https":
        return "uri_not_https"
    if parts.port not in _SERVICE_PORTS:
        return "uri_port"
    return _host_fault(parts) or _inner_fault(parts.hostname or "")


def find_origin_fault(origin: str, *, rules: AddressRules) -> str | None:
    """Return why a text is no origin that a browser would send, or None."""
    fault = find_redirect_fault(origin, is_native=False, rules=rules)
    if fault is not None:
        return fault
    parts = split_url(origin)
    plain = f"{parts.scheme}://{parts.netloc}"
    return None if origin == plain and origin == origin.lower() else "uri_not_origin"


def _common_fault(uri: str) -> str | None:
    if len(uri) > _MAX_LENGTH:
        return "uri_too_long"
    if "*" in uri:
        return "uri_wildcard"
    if _URI.fullmatch(uri) is None:
        return "uri_characters"
    if "#" in uri:
        return "uri_fragment"
    if _DOT_SEGMENT.search(uri):
        return "uri_dot_segment"
    try:
        parts = split_url(uri)
    except UrlError as error:
        return error.reason
    if "@" in parts.netloc:
        return "uri_userinfo"
    return None


def _host_fault(parts: SplitResult) -> str | None:
    host = parts.hostname or ""
    if is_ip_literal(host) or "[" in parts.netloc:
        return "uri_ip_literal"
    labels = host.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        return "uri_host"
    # The last label of a name is never a number: browsers read such a host as an address.
    if labels[-1].isdigit() or re.fullmatch(r"0x[0-9a-f]*", labels[-1]):
        return "uri_ip_literal"
    if any(_mixes_scripts(label) for label in labels if label.startswith("xn--")):
        return "uri_mixed_script"
    return None


def _inner_fault(host: str) -> str | None:
    labels = host.split(".")
    return "uri_inner_host" if labels[-1] in _INNER_NAMES else None


def _mixes_scripts(label: str) -> bool:
    """Whether an internationalised label mixes alphabets, as look-alikes do."""
    try:
        text = label.encode("ascii").decode("idna")
    except UnicodeError:
        return True
    letters = [sign for sign in text if sign.isalpha()]
    scripts = {unicodedata.name(sign, "?").partition(" ")[0] for sign in letters}
    if scripts & _JAPANESE:
        return not scripts <= _JAPANESE | {"LATIN"}
    return len(scripts) > 1
