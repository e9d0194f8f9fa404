"""Rules between settings: what must not start does not start, and says what to do."""

import dataclasses
import ipaddress
from importlib.util import find_spec
from pathlib import Path

from idp.base.contact import ContactError, parse_mail_address
from idp.base.secret import from_base64url
from idp.base.url import UrlError, is_loopback_http, split_url
from idp.settings.schema import Settings

_KEY_BYTES = 32
_LOCAL_MAIL_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


class SettingsError(Exception):
    """A setting that cannot be used; the text names the key and what to do."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"settings: {problem}")


def check(settings: Settings) -> None:
    """Refuse what is out of bounds, unsafe, or contradicts itself (style rule 38).

    Raises:
        SettingsError: names the key and what to do.
    """
    _check_bounds(settings)
    _check_issuer(settings)
    _check_database(settings)
    _check_keys(settings)
    _check_mail(settings)
    _check_files(settings)
    _check_proxies(settings)
    _check_rotation(settings)
    _check_upstream(settings)


def _check_bounds(settings: Settings) -> None:
    for section in dataclasses.fields(settings):
        values = getattr(settings, section.name)
        for item in dataclasses.fields(values):
            key, value = f"{section.name}.{item.name}", getattr(values, item.name)
            low, high = item.metadata["low"], item.metadata["high"]
            if low is not None and not low <= value <= high:
                raise SettingsError(f"{key} is {value}; write a number from {low} to {high}")
            choices = item.metadata["choices"]
            if choices and value not in choices:
                raise SettingsError(f"{key} must be one of {', '.join(choices)}")


def _check_issuer(settings: Settings) -> None:
    issuer = settings.provider.issuer
    try:
        parts = split_url(issuer)
    except UrlError:
        raise SettingsError("provider.issuer is no address") from None
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        raise SettingsError("provider.issuer must be scheme and host alone, without a final slash")
    if parts.scheme == "https" and parts.hostname:
        if settings.dev.allow_http:
            raise SettingsError("dev.allow_http must be false when the issuer is https")
        return
    if not (settings.dev.allow_http and is_loopback_http(issuer)):
        raise SettingsError(
            "provider.issuer must be https; only a demonstration on http://127.0.0.1 with "
            "dev.allow_http = true may do without"
        )


def _check_database(settings: Settings) -> None:
    if not settings.database.url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise SettingsError("database.url must begin with sqlite:/// or postgresql+psycopg://")
    if settings.database.url in {"sqlite:///", "sqlite:///:memory:"}:
        raise SettingsError("database.url must name a file: each connection has its own memory")


def _check_keys(settings: Settings) -> None:
    secrets = settings.secrets
    keys = {
        "master_key": secrets.master_key,
        "subject_key": secrets.subject_key,
        "password_pepper": secrets.password_pepper,
    }
    if secrets.previous_master_key:
        keys["previous_master_key"] = secrets.previous_master_key
    seen: dict[bytes, str] = {}
    for name, text in keys.items():
        advice = f"secrets.{name} must be 32 random bytes; make one with: idp config secrets"
        try:
            value = from_base64url(text)
        except ValueError:
            raise SettingsError(advice) from None
        if len(value) != _KEY_BYTES or len(set(value)) < _KEY_BYTES // 4:
            raise SettingsError(advice)
        if value in seen:
            raise SettingsError(f"secrets.{name} equals secrets.{seen[value]}; make a key for each")
        seen[value] = name


def _check_mail(settings: Settings) -> None:
    mail = settings.mail
    if mail.security == "none" and mail.host not in _LOCAL_MAIL_HOSTS:
        raise SettingsError("mail.security is none; only a server on this machine may do without")
    for key, address in (("from_address", mail.from_address), ("reply_to", mail.reply_to)):
        if key == "reply_to" and not address:
            continue
        try:
            parse_mail_address(address)
        except ContactError:
            raise SettingsError(f"mail.{key} is no mail address") from None
    if mail.username and not mail.password:
        raise SettingsError("mail.password is missing; mail.username is given")


def _check_files(settings: Settings) -> None:
    for key, path in (
        ("mail.ca_file", settings.mail.ca_file),
        ("outgoing.ca_file", settings.outgoing.ca_file),
    ):
        if path and not Path(path).is_file():
            raise SettingsError(f"{key}: there is no such file")


def _check_networks(name: str, networks: tuple[str, ...]) -> None:
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise SettingsError(f"{name} must hold networks such as 10.0.0.0/8") from None


def _check_proxies(settings: Settings) -> None:
    _check_networks("server.trusted_proxies", settings.server.trusted_proxies)
    _check_networks("outgoing.allowed_networks", settings.outgoing.allowed_networks)
    if not settings.limits.store.startswith(("memory://", "redis://", "rediss://")):
        raise SettingsError("limits.store must begin with memory://, redis:// or rediss://")
    if not settings.limits.store.startswith("memory") and find_spec("redis") is None:
        raise SettingsError("limits.store needs the package redis: install requirements.lock")


def _check_rotation(settings: Settings) -> None:
    keys = settings.keys
    # Beside what clients keep: how long each process goes on with the set it has read.
    if keys.lead_hours * 3600 < settings.tokens.jwks_max_age_seconds + 60:
        raise SettingsError(
            "keys.lead_hours is shorter than tokens.jwks_max_age_seconds; clients would meet "
            "a key they do not know: make it longer"
        )
    if keys.rotate_days and keys.rotate_days * 24 <= keys.lead_hours:
        raise SettingsError("keys.rotate_days is shorter than keys.lead_hours; make it longer")


def _check_upstream(settings: Settings) -> None:
    upstream = settings.upstream
    if not upstream.issuer:
        return
    is_local = settings.dev.allow_http and is_loopback_http(upstream.issuer)
    if not (upstream.issuer.startswith("https://") or is_local):
        raise SettingsError("upstream.issuer must be https")
    if not upstream.client_id:
        raise SettingsError("upstream.client_id is missing; upstream.issuer is given")
    if upstream.profile == "digital_auth_app" and not upstream.private_key:
        raise SettingsError("upstream.private_key is missing; this provider takes no secret")
    if not (upstream.private_key or upstream.client_secret):
        raise SettingsError("upstream.private_key or upstream.client_secret is missing")
