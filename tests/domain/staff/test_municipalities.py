"""Municipalities: official codes, texts and modes (B01)."""

from dataclasses import replace
from uuid import uuid4

import pytest

from idp.domain.people.sites import MunicipalityTexts
from idp.domain.staff.municipalities import (
    MunicipalityFault,
    MunicipalityModes,
    check_digit,
    create_municipality,
    find_municipality,
    is_municipality_code,
    update_municipality,
)
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.households import Municipality, SecondStep
from tests.domain.staff.helpers import acts

TEXTS = MunicipalityTexts(
    name="架空市",
    name_en="Kakuu City",
    service_name="子育てログイン",
    service_name_en="Kosodate Login",
    office="こども課",
    office_en="Children's Division",
    tel="0000-12-3456",
    hours="平日 8時30分から17時15分まで",
    hours_en="8:30 to 17:15 on working days",
)
MODES = MunicipalityModes()
REAL = ["011002", "131016", "271004", "472018", "112275", "121002", "990001"]


@pytest.mark.parametrize("code", REAL)
def test_b01_a_code_with_its_check_digit_is_accepted(code):
    assert is_municipality_code(code)
    assert check_digit(code[:5]) == code[5]


# Two remainders share the check digit 1, so codes that end in it notice a little less.
@pytest.mark.parametrize("code", [code for code in REAL if not code.endswith("1")])
@pytest.mark.parametrize("place", range(6))
def test_b01_one_wrong_digit_is_noticed(code, place):
    for digit in set("0123456789") - {code[place]}:
        assert not is_municipality_code(code[:place] + digit + code[place + 1 :])


@pytest.mark.parametrize("code", ["", "01100", "0110022", "０１１００２", "01100x", " 011002"])
def test_b01_anything_else_is_no_code(code):
    assert not is_municipality_code(code)


def create(db, now, code="990001", texts=TEXTS, modes=MODES):
    return create_municipality(db, code, texts, modes, actor=COMMAND_LINE, now=now)


def test_b01_a_municipality_decides_its_own_modes(db, now):
    town_id = create(db, now, modes=replace(MODES, second_step=SecondStep.USER_CHOICE))
    assert find_municipality(db, "990001") == town_id
    row = db.get_one(Municipality, town_id)
    assert row.second_step is SecondStep.USER_CHOICE
    changed = replace(MODES, asks_activation_fact=False)
    outcome = update_municipality(db, town_id, TEXTS, changed, actor=COMMAND_LINE, now=now)
    assert outcome is None
    assert (row.asks_activation_fact, row.second_step) == (False, SecondStep.ALWAYS)
    assert acts(db, town_id) == ["municipality.changed", "municipality.created"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"code": "990002"}, MunicipalityFault.CODE),
        ({"texts": replace(TEXTS, office=" ")}, MunicipalityFault.EMPTY),
        ({"modes": replace(MODES, lock_minutes=4)}, MunicipalityFault.LOCK_MINUTES),
        ({"modes": replace(MODES, lock_minutes=61)}, MunicipalityFault.LOCK_MINUTES),
        ({"modes": replace(MODES, trusted_device_days=31)}, MunicipalityFault.TRUSTED_DAYS),
    ],
)
def test_b01_nonsense_is_refused(db, now, changes, fault):
    assert create(db, now, **changes) is fault


def test_b01_a_code_is_entered_once(db, now):
    create(db, now)
    assert create(db, now) is MunicipalityFault.CODE_TAKEN


def test_b01_an_unknown_municipality_is_not_changed(db, town, now):
    outcome = update_municipality(db, uuid4(), TEXTS, MODES, actor=COMMAND_LINE, now=now)
    assert outcome is MunicipalityFault.UNKNOWN
