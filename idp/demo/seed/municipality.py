"""The municipality of the seed."""

from uuid import UUID

from idp.demo.kakuu import MUNICIPALITY_CODE, OFFICE
from idp.demo.seed.tools import SeedError, Tools
from idp.domain.people.sites import MunicipalityTexts
from idp.domain.staff.municipalities import (
    MunicipalityFault,
    MunicipalityModes,
    create_municipality,
    find_municipality,
)
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.households import SecondStep

_TEXTS = MunicipalityTexts(
    name=OFFICE["name_ja"],
    name_en=OFFICE["name_en"],
    service_name="子育てログイン",
    service_name_en="Kosodate Login",
    office=OFFICE["office_ja"],
    office_en=OFFICE["office_en"],
    tel=OFFICE["tel"],
    hours=OFFICE["hours_ja"],
    hours_en=OFFICE["hours_en"],
)
#: Every sign-in asks for the mailed code, and the services may know the children's ages.
_MODES = MunicipalityModes(second_step=SecondStep.ALWAYS, shares_children=True)


def sow_municipality(tools: Tools) -> UUID:
    """Enter 架空市 unless it is there."""
    known = find_municipality(tools.db, MUNICIPALITY_CODE)
    if known is not None:
        return known
    outcome = create_municipality(
        tools.db, MUNICIPALITY_CODE, _TEXTS, _MODES, actor=COMMAND_LINE, now=tools.now
    )
    if isinstance(outcome, MunicipalityFault):
        raise SeedError(f"municipality: {outcome}")
    return outcome
