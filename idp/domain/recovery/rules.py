"""What a password reset needs of the house: keys, how long things live, the limits it keeps."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from idp.base.keyring import Keyring
from idp.base.secret import keyed_digest
from idp.domain.signin import limits
from idp.domain.signin.attempts import Counter, Limit

_QUARTER = timedelta(minutes=15)
_MAIL = f"{limits.MAIL}:reset"
#: One network: an office, a library, a carrier's gateway.
_NETWORK_LIMIT = Limit("quarter", _QUARTER, 60, restarts=True)


@dataclass(frozen=True)
class ResetRules:
    """How long a reset lives and how many wrong tries it bears; from the settings."""

    lifetime: timedelta = timedelta(minutes=60)
    activation_lifetime: timedelta = timedelta(days=7)
    code_tries: int = 5
    fact_tries: int = 5

    @property
    def minutes(self) -> int:
        """The lifetime as mails and pages say it."""
        return int(self.lifetime.total_seconds() // 60)


@dataclass(frozen=True)
class ResetSetup:
    """Keys and rules; the views build it from the services."""

    keys: Keyring
    #: Where a mailed link leads, from the issuer and never from Host (RS-01).
    link_page_url: str
    rules: ResetRules = ResetRules()


def mailbox_subject(email_key: str, *, keys: Keyring) -> str:
    """Return the subject of counters of one address, whether or not anybody has it (EN-03)."""
    return f"mailbox:{keyed_digest(keys.code_key, f'mailbox:{email_key}').hex()}"


def request_counters(network: str, email_key: str, *, keys: Keyring) -> tuple[Counter, ...]:
    """Count requests from one network, and mails to one mailbox.

    One request writes to everyone who shares the mailbox, so its limit is that of a person.
    """
    mailbox = mailbox_subject(email_key, keys=keys)
    return (
        Counter("reset_request", limits.network_place(network), _NETWORK_LIMIT),
        *(Counter(_MAIL, mailbox, limit) for limit in limits.MAIL_LIMITS),
    )


def cool_down_counter(email_key: str, *, keys: Keyring) -> Counter:
    """Keep two mails to one mailbox half a minute apart (OT-11)."""
    return Counter(_MAIL, mailbox_subject(email_key, keys=keys), limits.RESEND_COOL_DOWN)


def code_counters(
    reset_id: UUID, email_key: str, *, rules: ResetRules, keys: Keyring
) -> tuple[Counter, ...]:
    """Count wrong codes of one request, and of one mailbox across requests and browsers."""
    of_request = Limit("request", rules.activation_lifetime, rules.code_tries)
    mailbox = mailbox_subject(email_key, keys=keys)
    return (
        Counter(limits.RESET_CODE, f"reset:{reset_id}", of_request),
        *(Counter(limits.RESET_CODE, mailbox, limit) for limit in limits.CODE_LIMITS),
    )


def fact_counter(account_id: UUID, *, rules: ResetRules) -> Counter:
    """Count wrong facts at the first activation; after the last one the counter goes on."""
    limit = Limit("activation", timedelta(days=3650), rules.fact_tries)
    return Counter(limits.ACTIVATION_FACT, limits.account_subject(account_id), limit)
