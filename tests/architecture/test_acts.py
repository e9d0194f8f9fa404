"""Everything that is written into the audit log has words in every language."""

from itertools import chain

import pytest

from idp.base.texts import load_texts
from idp.domain.grants.authorization_codes import CodeRefusal
from idp.domain.grants.device_codes import DeviceRefusal
from idp.domain.grants.refresh_tokens import RefreshRefusal
from idp.domain.grants.standing import Void
from idp.domain.signin.refusals import Refusal
from idp.domain.upstream.identities import LinkRefusal
from idp.model.people import IntakeRoute
from tests.architecture.acts import find_written
from tests.architecture.source import ROOT

TEXTS = load_texts(ROOT / "templates/texts")
#: A device that asks too early writes nothing, and of a refresh token only its reuse is written.
WRITTEN_REASONS = {
    *(set(CodeRefusal) | set(Void) | set(Refusal) | set(LinkRefusal)),
    *(set(DeviceRefusal) - {DeviceRefusal.PENDING, DeviceRefusal.TOO_FAST}),
    RefreshRefusal.REUSED,
}


def _last_parts(lang, beginning):
    keys = TEXTS.keys(lang)
    return {key.removeprefix(beginning) for key in keys if key.startswith(beginning)}


def test_the_name_of_every_act_can_be_read_from_the_source():
    assert find_written("name").lost == ()


@pytest.mark.parametrize("lang", TEXTS.languages)
def test_every_act_has_words_and_no_words_are_left_over(lang):
    written = {each.replace(".", "_") for each in find_written("name").values}
    assert _last_parts(lang, "staff.act.") == written


@pytest.mark.parametrize("lang", TEXTS.languages)
def test_every_reason_of_ours_has_words_and_no_words_are_left_over(lang):
    spelled_out = find_written("reason").values
    reasons = set(chain(WRITTEN_REASONS, spelled_out, {"other"}))
    assert _last_parts(lang, "staff.why.") == reasons
    assert _last_parts(lang, "staff.intake.") == set(IntakeRoute)
