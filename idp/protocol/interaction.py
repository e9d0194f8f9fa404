"""The next step of a sign-in, decided from facts alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Refusal(StrEnum):
    """Error codes a walk can end in (OIDC Core §3.1.2.6, RFC 6749 §4.1.2.1)."""

    ACCESS_DENIED = "access_denied"
    LOGIN_REQUIRED = "login_required"
    INTERACTION_REQUIRED = "interaction_required"
    CONSENT_REQUIRED = "consent_required"


@dataclass(frozen=True)
class Wishes:
    """What the request asks of the walk."""

    #: prompt=none: no page may be shown.
    pages_allowed: bool = True
    #: prompt=login or select_account: a live session is not enough.
    fresh_login: bool = False
    #: prompt=consent: ask even where consent was given before.
    ask_consent: bool = False
    max_age: timedelta | None = None
    #: id_token_hint named another person than the one signed in.
    other_person_hinted: bool = False


@dataclass(frozen=True)
class Facts:
    """What is known when the walk is looked at."""

    wishes: Wishes
    now: datetime
    #: The person pressed cancel or declined.
    denied: bool = False
    #: A live session of a person who may use the service, and when she proved it was her.
    session_authenticated_at: datetime | None = None
    #: The session was made by this very walk.
    session_is_fresh: bool = False
    #: The password was right in this walk; the session waits for the second step.
    password_verified: bool = False
    #: The session lacks a second step that policy or request demands.
    second_step_missing: bool = False
    terms_outstanding: bool = False
    household_choice_open: bool = False
    consent_outstanding: bool = False
    #: prompt=consent was answered in this walk.
    consented_now: bool = False


@dataclass(frozen=True)
class Login:
    """Ask who it is."""


@dataclass(frozen=True)
class Code:
    """Ask for the second step."""


@dataclass(frozen=True)
class Terms:
    """Ask to agree to the documents."""


@dataclass(frozen=True)
class ActingFor:
    """Ask for which household the person acts."""


@dataclass(frozen=True)
class Consent:
    """Ask whether the client may have the data."""


@dataclass(frozen=True)
class Answer:
    """Everything is done: answer the request."""


@dataclass(frozen=True)
class Refuse:
    """End the walk with an error to the client."""

    error: Refusal


Step = Login | Code | Terms | ActingFor | Consent | Answer | Refuse


def next_step(facts: Facts) -> Step:
    """Tell what the walk needs next; the same answer every time for the same facts.

    The order is fixed: who (password, second step), terms, household, consent (B20). With
    prompt=none the step becomes the error that names what is missing.
    """
    if facts.denied:
        return Refuse(Refusal.ACCESS_DENIED)
    step = _open_step(facts)
    if facts.wishes.pages_allowed or isinstance(step, Answer):
        return step
    return Refuse(_SILENT_ERRORS[type(step)])


_SILENT_ERRORS: dict[type[Step], Refusal] = {
    Login: Refusal.LOGIN_REQUIRED,
    Code: Refusal.LOGIN_REQUIRED,
    Terms: Refusal.INTERACTION_REQUIRED,
    ActingFor: Refusal.INTERACTION_REQUIRED,
    Consent: Refusal.CONSENT_REQUIRED,
}


def _open_step(facts: Facts) -> Step:
    if _needs_login(facts):
        return Code() if facts.password_verified else Login()
    if facts.second_step_missing:
        return Code()
    if facts.terms_outstanding:
        return Terms()
    if facts.household_choice_open:
        return ActingFor()
    if facts.consent_outstanding or (facts.wishes.ask_consent and not facts.consented_now):
        return Consent()
    return Answer()


def _needs_login(facts: Facts) -> bool:
    """Whether the session, if any, does not satisfy the request (OIDC Core §3.1.2.1)."""
    if facts.session_authenticated_at is None:
        return True
    if facts.session_is_fresh:
        return False
    if facts.wishes.fresh_login or facts.wishes.other_person_hinted:
        return True
    if facts.wishes.max_age is None:
        return False
    return facts.session_authenticated_at + facts.wishes.max_age <= facts.now
