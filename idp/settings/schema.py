"""Every setting: type, default, bounds and purpose. `config.example.toml` is made from it."""

from dataclasses import dataclass, field
from typing import Any


def setting(
    purpose: str,
    *,
    default: object = None,
    low: int | None = None,
    high: int | None = None,
    secret: bool = False,
    choices: tuple[str, ...] = (),
) -> Any:  # noqa: ANN401
    """Describe one key: what it is for, and between which values it may lie.

    Without a default the key must be given. A secret may come as `<key>_file`.
    """
    details = {"purpose": purpose, "low": low, "high": high, "secret": secret, "choices": choices}
    if default is None:
        return field(metadata=details)
    return field(default=default, metadata=details)


@dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """[provider]: who we are."""

    issuer: str = setting(
        "The public address, exactly as clients write it; https, no path, no final slash."
    )
    default_municipality: str = setting(
        "Code of the municipality whose name and office stand on pages before anyone is known; "
        "empty: the first one.",
        default="",
    )


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """[server]: how `idp serve` listens."""

    host: str = setting("Address to listen on, behind the TLS proxy.", default="127.0.0.1")
    port: int = setting("Port to listen on.", default=8000, low=1, high=65535)
    workers: int = setting("Server processes.", default=2, low=1, high=64)
    threads: int = setting("Threads for requests in each process.", default=4, low=1, high=64)
    trusted_proxies: tuple[str, ...] = setting(
        "Networks of the proxies whose X-Forwarded-For is believed; empty: nobody.", default=()
    )
    worker: bool = setting(
        "Run the worker (mail, back-channel calls, housekeeping) inside `idp serve`.", default=True
    )
    max_body_bytes: int = setting(
        "Largest request body.", default=262_144, low=16_384, high=10_485_760
    )


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """[database]: where everything is kept."""

    url: str = setting(
        "sqlite:////var/lib/kosodate/idp.db or postgresql+psycopg://user@host/name", secret=True
    )
    pool_size: int = setting("Connections a process keeps (PostgreSQL).", default=5, low=1, high=50)


@dataclass(frozen=True, kw_only=True)
class SecretSettings:
    """[secrets]: keys that live outside the database; make them with `idp config secrets`."""

    master_key: str = setting(
        "32 bytes, base64url: seals what must be read back, signs forms.", secret=True
    )
    previous_master_key: str = setting(
        "The master key before the last change; still unseals.", default="", secret=True
    )
    subject_key: str = setting(
        "32 bytes, base64url: every pairwise sub comes from it. Never change it.", secret=True
    )
    password_pepper: str = setting(
        "32 bytes, base64url: mixed into passwords. A change voids all of them.", secret=True
    )


@dataclass(frozen=True, kw_only=True)
class MailSettings:
    """[mail]: the way out for mail."""

    host: str = setting("SMTP server.", default="127.0.0.1")
    port: int = setting("SMTP port.", default=587, low=1, high=65535)
    security: str = setting(
        "starttls, tls or none (none only to this machine).",
        default="starttls",
        choices=("starttls", "tls", "none"),
    )
    username: str = setting("User at the SMTP server; empty: none.", default="")
    password: str = setting("Password at the SMTP server.", default="", secret=True)
    from_address: str = setting("Sender of every mail: an address of the service's own domain.")
    reply_to: str = setting("Where answers go; empty: nowhere.", default="")
    ca_file: str = setting("Certificate authority of the SMTP server, if private.", default="")
    timeout_seconds: int = setting("Longest wait for the server.", default=20, low=2, high=120)
    per_minute: int = setting(
        "Most mails a minute (carriers block senders that hurry).", default=120, low=1, high=10_000
    )


@dataclass(frozen=True, kw_only=True)
class SignInSettings:
    """[signin]: passwords, codes and locks."""

    code_lifetime_minutes: int = setting(
        "How long a mailed code works.", default=10, low=5, high=10
    )
    code_tries: int = setting("Wrong tries a code survives.", default=5, low=3, high=5)
    password_tries: int = setting(
        "Wrong passwords until the lock (its length is the municipality's).",
        default=5,
        low=3,
        high=10,
    )
    reset_lifetime_minutes: int = setting(
        "How long a link to set the password works.", default=60, low=15, high=1440
    )
    activation_lifetime_days: int = setting(
        "The same for the first activation.", default=7, low=1, high=14
    )
    walk_lifetime_minutes: int = setting(
        "How long a started sign-in may take.", default=60, low=15, high=240
    )
    hash_concurrency: int = setting(
        "Password hashes at once in a process (19 MiB each).", default=2, low=1, high=16
    )
    keep_days: int = setting(
        'Longest time of "keep me signed in"; 0: not offered.', default=0, low=0, high=30
    )


@dataclass(frozen=True, kw_only=True)
class SessionSettings:
    """[session]: how long a sign-in lasts."""

    idle_minutes: int = setting("Unused for so long, it ends.", default=60, low=5, high=240)
    absolute_hours: int = setting(
        "It ends after so long at the latest.", default=12, low=1, high=24
    )
    shared_idle_minutes: int = setting("Idle time on shared devices.", default=5, low=2, high=15)
    staff_idle_minutes: int = setting("Idle time of the consoles.", default=15, low=5, high=60)


@dataclass(frozen=True, kw_only=True)
class TokenSettings:
    """[tokens]: lifetimes of what clients get."""

    code_lifetime_seconds: int = setting("Authorization code.", default=60, low=10, high=60)
    access_lifetime_seconds: int = setting("Access token.", default=300, low=60, high=600)
    id_lifetime_seconds: int = setting("ID token.", default=300, low=60, high=600)
    refresh_idle_days: int = setting("Refresh token, unused.", default=30, low=1, high=30)
    refresh_absolute_days: int = setting("Refresh token, at most.", default=90, low=1, high=90)
    jwks_max_age_seconds: int = setting(
        "How long clients may keep our keys; a new key waits as long before it signs.",
        default=3600,
        low=60,
        high=86_400,
    )
    require_dpop_nonce: bool = setting(
        "Proofs of possession (DPoP) must repeat a nonce that this server gave out.", default=False
    )


@dataclass(frozen=True, kw_only=True)
class KeySettings:
    """[keys]: how signing keys change by themselves."""

    rotate_days: int = setting(
        "How long a key signs until its successor does; 0: keys change by hand alone.",
        default=90,
        low=0,
        high=730,
    )
    lead_hours: int = setting(
        "How long a new key is published before it signs; longer than jwks_max_age_seconds.",
        default=48,
        low=1,
        high=720,
    )
    keep_days: int = setting(
        "How long an old key still verifies; ID tokens come back as hints for 100 days.",
        default=100,
        low=7,
        high=400,
    )


@dataclass(frozen=True, kw_only=True)
class LimitSettings:
    """[limits]: request rates (account locks live in the database)."""

    store: str = setting(
        "memory:// on one machine, redis://host:6379/0 on several.", default="memory://"
    )
    per_minute: int = setting(
        "Unsafe requests a minute from one network address.", default=300, low=10, high=100_000
    )


@dataclass(frozen=True, kw_only=True)
class OutgoingSettings:
    """[outgoing]: calls to clients (back-channel logout, keys)."""

    ca_file: str = setting("A private certificate authority to trust besides.", default="")
    timeout_seconds: int = setting("Longest a call may take.", default=5, low=1, high=10)
    allowed_networks: tuple[str, ...] = setting(
        "Private networks in which services may be called (a municipality's own); empty: none.",
        default=(),
    )


@dataclass(frozen=True, kw_only=True)
class UpstreamSettings:
    """[upstream]: another OpenID provider, where people prove who they are (JPKI)."""

    issuer: str = setting(
        "Its issuer, exactly as it publishes it; empty: people prove themselves nowhere else.",
        default="",
    )
    profile: str = setting(
        "What kind of provider it is.",
        default="digital_auth_app",
        choices=("digital_auth_app", "openid"),
    )
    name: str = setting("How pages call it.", default="デジタル認証アプリ")
    name_en: str = setting("The same in English.", default="Digital Authentication App")
    client_id: str = setting("The name under which it knows us.", default="")
    private_key: str = setting(
        "Our private key for it: a JWK (JSON) with kid; private_key_jwt.", default="", secret=True
    )
    client_secret: str = setting(
        "Our secret there, where it takes no key (client_secret_post).", default="", secret=True
    )
    required_acr: tuple[str, ...] = setting(
        "Values of acr that count; empty: whatever it says.", default=()
    )


@dataclass(frozen=True, kw_only=True)
class RegistrationSettings:
    """[registration]: services that register themselves."""

    mode: str = setting(
        "token: with an initial access token (`idp clients registration-token create`); "
        "closed: not at all.",
        default="token",
        choices=("token", "closed"),
    )


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """[log]: what the operator reads."""

    level: str = setting(
        "How much is written.", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR")
    )
    form: str = setting("json, or text for a terminal.", default="json", choices=("json", "text"))


@dataclass(frozen=True, kw_only=True)
class DevSettings:
    """[dev]: what only a demonstration needs; refused when the issuer is https."""

    allow_http: bool = setting("Issuer and clients on http://127.0.0.1.", default=False)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings, checked."""

    provider: ProviderSettings
    server: ServerSettings
    database: DatabaseSettings
    secrets: SecretSettings
    mail: MailSettings
    signin: SignInSettings
    session: SessionSettings
    tokens: TokenSettings
    keys: KeySettings
    limits: LimitSettings
    outgoing: OutgoingSettings
    registration: RegistrationSettings
    upstream: UpstreamSettings
    log: LogSettings
    dev: DevSettings
