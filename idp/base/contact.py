"""Mail addresses, phone numbers and postal codes, as people type them."""

import re
import unicodedata

import phonenumbers

from idp.base.text import DASHES, fold, has_control

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
#: Dots in a row and before the @ are kept: old addresses of Japanese carriers have them.
_LOCAL = re.compile(rf"(?:{_ATEXT}|\.){{1,64}}")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_MAX_ADDRESS = 254
_HYPHENS = re.compile(f"[{DASHES}\\s()]")


class ContactError(ValueError):
    """What was typed is no such thing; `reason` is a stable key for the message."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_mail_address(text: str) -> str:
    """Return the address with an ASCII domain, as it is written on the envelope.

    Full-width letters, stray spaces and upper case in the domain are folded; an
    internationalised domain becomes punycode. Comments, quotes, lists and display names are
    refused (UM-02). Local parts with `..` or a final dot pass (domain.md §4.6).

    Raises:
        ContactError: mail_missing, mail_shape, mail_domain or mail_long.
    """
    if has_control(text.strip()):
        raise ContactError("mail_shape")
    address = fold(text)
    if not address:
        raise ContactError("mail_missing")
    local, at, domain = address.rpartition("@")
    if not at or _LOCAL.fullmatch(local) is None or local.startswith("."):
        raise ContactError("mail_shape")
    host = _ascii_domain(domain)
    if len(local) + 1 + len(host) > _MAX_ADDRESS:
        raise ContactError("mail_long")
    return f"{local}@{host}"


def _ascii_domain(domain: str) -> str:
    try:
        host = domain.lower().encode("idna").decode("ascii")
    except UnicodeError:
        raise ContactError("mail_domain") from None
    labels = host.split(".")
    if len(labels) < 2 or any(_LABEL.fullmatch(label) is None for label in labels):
        raise ContactError("mail_domain")
    if labels[-1].isdigit():
        raise ContactError("mail_domain")
    return host


def mail_key(address: str) -> str:
    """Return what addresses are compared by: folded, case ignored, domain in punycode (UM-03)."""
    folded = fold(address)
    local, at, domain = folded.rpartition("@")
    if not at:
        return folded.casefold()
    try:
        host = domain.lower().encode("idna").decode("ascii")
    except UnicodeError:
        host = domain.casefold()
    return f"{local.casefold()}@{host}"


def mask_mail(address: str) -> str:
    """Return an address that its owner recognises and nobody else learns: mi***@ex***.jp."""
    local, _, domain = address.rpartition("@")
    name, _, rest = domain.partition(".")
    ending = rest.rpartition(".")[2] or rest
    return f"{local[: 2 if len(local) > 3 else 1]}***@{name[:2]}***.{ending}"


def parse_phone(text: str) -> str:
    """Return a Japanese phone number in E.164.

    Raises:
        ContactError: phone_shape.
    """
    plain = _HYPHENS.sub("", unicodedata.normalize("NFKC", text))
    try:
        number = phonenumbers.parse(plain, "JP")
    except phonenumbers.NumberParseException:
        raise ContactError("phone_shape") from None
    # Numbers of demonstrations (000 …) are possible but not assigned: length decides.
    if not phonenumbers.is_possible_number(number):
        raise ContactError("phone_shape")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def show_phone(e164: str) -> str:
    """Return the number as it is written in Japan: 090-1234-5678."""
    number = phonenumbers.parse(e164, "JP")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)


def parse_postal_code(text: str) -> str:
    """Return the seven digits of a postal code typed with 〒, full-width digits or a hyphen.

    Raises:
        ContactError: postal_shape.
    """
    digits = _HYPHENS.sub("", unicodedata.normalize("NFKC", text)).lstrip("〒")
    if re.fullmatch(r"[0-9]{7}", digits) is None:
        raise ContactError("postal_shape")
    return digits
