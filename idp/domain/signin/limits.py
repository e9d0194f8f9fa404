"""The limits of product.md "Values", each as the counters of `attempts` that keep it."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.base.secret import digest, keyed_digest
from idp.domain.signin.attempts import Counter, Limit, forget_prefix

#: Purposes of counters. A finished reset forgets PASSWORD of the account.
PASSWORD = "password"  # noqa: S105 - the purpose's name
SPRAY = "password_spray"
SIGN_IN_CODE = "sign_in_code"
RESET_CODE = "reset_code"
ACTIVATION_FACT = "activation_fact"
TOTP = "totp"
DEVICE_CODE = "device_code"
MAIL = "mail"

_DAY = timedelta(days=1)
_CODE_PAUSE = timedelta(minutes=10)
_CODE_LONGEST_PAUSE = timedelta(minutes=30)

#: Wrong codes: across flows, devices and resends, per account and purpose.
CODE_LIMITS = (
    Limit("hour", timedelta(hours=1), 10, _CODE_PAUSE, _CODE_LONGEST_PAUSE),
    Limit("day", _DAY, 20, _CODE_PAUSE, _CODE_LONGEST_PAUSE),
)
#: Mails of one kind to one person.
MAIL_LIMITS = (
    Limit("quarter", timedelta(minutes=15), 5, restarts=True),
    Limit("day", _DAY, 20, restarts=True),
)
#: Mails of one kind to one mailbox, which two people may share: three times as many.
MAILBOX_LIMITS = (
    Limit("quarter", timedelta(minutes=15), 15, restarts=True),
    Limit("day", _DAY, 60, restarts=True),
)
RESEND_COOL_DOWN = Limit("cooldown", timedelta(seconds=30), 1, restarts=True)

#: One network: an office, a carrier's gateway. Many people, so generous.
_NETWORK_LIMIT = Limit("quarter", timedelta(minutes=15), 100, timedelta(minutes=15), restarts=True)
#: Everyone together: a sign that lists of passwords are being tried.
_OVERALL_LIMIT = Limit("quarter", timedelta(minutes=15), 3000, timedelta(minutes=5), restarts=True)
#: One account from everywhere (NIST SP 800-63B-4 §3.2.2: at most 100 in a row).
_DISTRIBUTED_LIMIT = Limit("day", _DAY, 100, timedelta(minutes=30))
#: Codes of devices that nobody waits with: from one browser, and from one network.
_DEVICE_BROWSER_LIMIT = Limit("quarter", timedelta(minutes=15), 10, _CODE_PAUSE, restarts=True)
_DEVICE_NETWORK_LIMIT = Limit("quarter", timedelta(minutes=15), 50, _CODE_PAUSE, restarts=True)
#: How often a person is told by mail that her sign-in was locked (RL-01: once).
LOCK_NOTICE = Limit("day", _DAY, 1)


def account_subject(account_id: UUID) -> str:
    """Return the subject of counters that belong to a person wherever she is."""
    return f"account:{account_id}"


def login_subject(login_key: str, *, keys: Keyring) -> str:
    """Return the subject of an id that nobody has: counted like one somebody has (EN-01)."""
    return f"login:{keyed_digest(keys.code_key, f'login:{login_key}').hex()}"


def device_place(device_id: UUID) -> str:
    """Return the place of tries from a browser the person has used before."""
    return f"device:{device_id}"


def network_place(network: str) -> str:
    """Return the place of tries from any other browser: where they come from."""
    return f"address:{network}"


def lock_counter(who: str, place: str, *, tries: int, lock: timedelta) -> Counter:
    """Count wrong passwords of one person in one place; the lock ends by itself (B36, B37)."""
    return Counter(PASSWORD, f"{who}@{place}", Limit("lock", _DAY, tries, lock, restarts=True))


def distributed_counter(who: str) -> Counter:
    """Count wrong passwords of one person from unknown browsers everywhere."""
    return Counter(PASSWORD, f"{who}@everywhere", _DISTRIBUTED_LIMIT)


def spray_counters(network: str) -> tuple[Counter, ...]:
    """Count wrong passwords of anybody from one network, and from everywhere."""
    return (
        Counter(SPRAY, network_place(network), _NETWORK_LIMIT),
        Counter(SPRAY, "everywhere", _OVERALL_LIMIT),
    )


def code_counters(purpose: str, account_id: UUID) -> tuple[Counter, ...]:
    """Count wrong codes of one purpose of one person."""
    return tuple(Counter(purpose, account_subject(account_id), limit) for limit in CODE_LIMITS)


def device_code_counters(network: str, browser: str) -> tuple[Counter, ...]:
    """Count codes of devices that were tried from one browser and from one network."""
    named = f"browser:{digest(browser).hex()}"
    return (
        Counter(DEVICE_CODE, named, _DEVICE_BROWSER_LIMIT),
        Counter(DEVICE_CODE, network_place(network), _DEVICE_NETWORK_LIMIT),
    )


def mail_counters(
    kind: str, account_id: UUID, email_key: str, *, keys: Keyring
) -> tuple[Counter, ...]:
    """Count mails of one kind to a person, and to the mailbox she may share (D15)."""
    purpose = f"{MAIL}:{kind}"
    mailbox = f"mailbox:{keyed_digest(keys.code_key, f'mailbox:{email_key}').hex()}"
    return (
        *(Counter(purpose, account_subject(account_id), limit) for limit in MAIL_LIMITS),
        *(Counter(purpose, mailbox, limit) for limit in MAILBOX_LIMITS),
    )


def cool_down_counter(kind: str, transaction_id: UUID) -> Counter:
    """Keep two mails of one walk or one reset half a minute apart (OT-11)."""
    return Counter(f"{MAIL}:{kind}", f"walk:{transaction_id}", RESEND_COOL_DOWN)


def forget_wrong_passwords(db: Session, account_id: UUID) -> None:
    """End every lock of a person, wherever it was earned: her password is new (B38)."""
    forget_prefix(db, PASSWORD, f"{account_subject(account_id)}@")
