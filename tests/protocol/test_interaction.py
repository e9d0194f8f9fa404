"""The next step of a walk: the fixed order, and what prompt=none makes of each step."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.interaction import (
    ActingFor,
    Answer,
    Code,
    Consent,
    Facts,
    Login,
    Refusal,
    Refuse,
    Terms,
    Wishes,
    next_step,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SIGNED_IN = Facts(Wishes(), NOW, session_authenticated_at=NOW)
EVERYTHING_OPEN = Facts(
    Wishes(),
    NOW,
    session_authenticated_at=NOW,
    second_step_missing=True,
    terms_outstanding=True,
    household_choice_open=True,
    consent_outstanding=True,
)


def test_b20_the_steps_come_in_one_order():
    facts, seen = replace(EVERYTHING_OPEN, session_authenticated_at=None), []
    done = [
        {"session_authenticated_at": NOW},
        {"second_step_missing": False},
        {"terms_outstanding": False},
        {"household_choice_open": False},
        {"consent_outstanding": False},
    ]
    for change in done:
        seen.append(next_step(facts))
        facts = replace(facts, **change)
    assert seen == [Login(), Code(), Terms(), ActingFor(), Consent()]
    assert next_step(facts) == Answer()


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"session_authenticated_at": None}, Refusal.LOGIN_REQUIRED),
        ({"second_step_missing": True}, Refusal.LOGIN_REQUIRED),
        ({"terms_outstanding": True}, Refusal.INTERACTION_REQUIRED),
        ({"household_choice_open": True}, Refusal.INTERACTION_REQUIRED),
        ({"consent_outstanding": True}, Refusal.CONSENT_REQUIRED),
    ],
)
def test_prompt_none_names_what_is_missing(change, refusal):
    silent = replace(SIGNED_IN, wishes=Wishes(pages_allowed=False))
    assert next_step(silent) == Answer()
    assert next_step(replace(silent, **change)) == Refuse(refusal)


def test_a_session_is_too_old_at_the_very_second_of_max_age():
    wishes = Wishes(max_age=timedelta(seconds=60))
    at = NOW - timedelta(seconds=60)
    facts = Facts(wishes, NOW, session_authenticated_at=at)
    assert next_step(facts) == Login()
    later = replace(facts, session_authenticated_at=at + timedelta(seconds=1))
    assert next_step(later) == Answer()


@pytest.mark.parametrize("wish", ["fresh_login", "other_person_hinted"])
def test_a_live_session_is_not_enough_when_another_sign_in_is_wished(wish):
    facts = replace(SIGNED_IN, wishes=Wishes(**{wish: True}))
    assert next_step(facts) == Login()
    assert next_step(replace(facts, session_is_fresh=True)) == Answer()


def test_prompt_consent_asks_once():
    facts = replace(SIGNED_IN, wishes=Wishes(ask_consent=True))
    assert next_step(facts) == Consent()
    assert next_step(replace(facts, consented_now=True)) == Answer()


FACTS = st.builds(
    Facts,
    wishes=st.builds(Wishes, max_age=st.none() | st.timedeltas(timedelta(0), timedelta(days=1))),
    now=st.just(NOW),
    session_authenticated_at=st.none()
    | st.datetimes(datetime(2026, 11, 23), datetime(2026, 11, 24, 9), timezones=st.just(UTC)),  # noqa: DTZ001
)


@given(FACTS)
def test_nothing_is_answered_while_something_is_open(facts):
    step = next_step(facts)
    if facts.denied:
        assert step == Refuse(Refusal.ACCESS_DENIED)
    if isinstance(step, Answer):
        assert facts.session_authenticated_at is not None
        assert not facts.second_step_missing
        assert not facts.terms_outstanding
        assert not facts.household_choice_open
        assert not facts.consent_outstanding
    if not facts.wishes.pages_allowed:
        assert isinstance(step, Answer | Refuse)
