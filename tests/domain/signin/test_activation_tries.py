"""Five wrong facts in all: neither patience nor housekeeping brings more of them."""

from datetime import timedelta

import pytest

from idp.base.ids import new_id
from idp.db.session import transaction
from idp.domain.backstage.housekeeping import clean_up
from idp.domain.recovery.activation import ActivationStopped, FactTaken, ToldFact, take_fact
from idp.domain.recovery.rules import ResetRules
from idp.domain.recovery.standing import OpenReset
from idp.model.people import Door


@pytest.mark.parametrize(("days", "is_open"), [(7, False), (364, False), (365, True)])
def test_a07_wrong_facts_are_not_forgotten_after_a_week(
    sessions, clock, mother, town, days, is_open
):
    opened = OpenReset(
        id=new_id(now=clock()),
        account_id=mother.id,
        municipality_id=town.id,
        door=Door.FAMILY,
        login_id="a@example.jp",
        asks_fact=True,
        is_stopped=False,
    )

    def tell():
        with transaction(sessions) as db:
            return take_fact(db, opened, ToldFact("R8-1"), rules=ResetRules(), now=clock())

    assert [tell().tries_left for _ in range(5)] == [4, 3, 2, 1, 0]
    clock.advance(timedelta(days=days))
    with transaction(sessions) as db:
        clean_up(db, now=clock())
    assert isinstance(tell(), FactTaken if is_open else ActivationStopped)
