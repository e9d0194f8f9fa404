"""Whether a document is outstanding is asked in one statement and read in Python: the same."""

from datetime import timedelta
from typing import NamedTuple
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from idp.base.ids import new_id
from idp.db.session import transaction
from idp.domain.documents.agreements import outstanding
from idp.domain.documents.versions import NewText, NewVersion, publish
from idp.domain.signin.recognition import find_standing
from idp.domain.signin.sessions import NewSession, SessionLimits, start_session
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.documents import Agreement, DocumentKind
from idp.model.people import Door
from tests import factories
from tests.domain.grants.conftest import build_world

#: Around the moment of the question: long ago, just before, at, just after, later.
MOMENTS = (
    timedelta(days=-9),
    timedelta(microseconds=-1),
    timedelta(0),
    timedelta(microseconds=1),
    timedelta(days=9),
)


class Issue(NamedTuple):
    """A version as it is published: whose, of what, how weighty, from when."""

    is_own: bool
    kind: DocumentKind
    is_material: bool
    begins: timedelta


class Yes(NamedTuple):
    """An agreement: to which of the versions, by whom, for how long."""

    place: int
    is_hers: bool
    lasts: bool
    is_this_session: bool


ISSUES = st.lists(
    st.builds(
        Issue,
        is_own=st.sampled_from((True, True, True, False)),
        kind=st.sampled_from(DocumentKind),
        is_material=st.booleans(),
        begins=st.sampled_from(MOMENTS),
    ),
    max_size=6,
)
YESES = st.lists(
    st.builds(
        Yes,
        place=st.integers(0, 5),
        is_hers=st.sampled_from((True, True, True, False)),
        lasts=st.booleans(),
        is_this_session=st.booleans(),
    ),
    max_size=6,
)
TERMS = DocumentKind.TERMS
PAST, NOW, LATER = MOMENTS[0], MOMENTS[2], MOMENTS[4]


@pytest.fixture
def world(sessions, clock):
    """The mother with the token of a session, and somebody of another town."""
    world = build_world(sessions, clock)
    now = world.now
    with transaction(sessions) as db:
        town = factories.make_municipality(db, now=now, code="990002")
        stranger = factories.make_account(
            db, now=now, municipality_id=town.id, email="another@example.jp"
        )
        started = start_session(
            db,
            NewSession(
                account_id=world.account_id,
                door=Door.FAMILY,
                acr="urn:kosodate:acr:pwd+emailotp",
                amr=("pwd", "otp"),
                device_label="Firefox",
                limits=SessionLimits(),
            ),
            now=now,
        )
        world.other_town, world.stranger = town.id, stranger.id
        world.own, world.token = started.session_id, started.token
    return world


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(issues=ISSUES, yeses=YESES)
@example(issues=[Issue(True, TERMS, True, NOW)], yeses=[])
@example(issues=[Issue(True, TERMS, True, PAST)], yeses=[Yes(0, True, True, False)])
@example(issues=[Issue(True, TERMS, True, PAST)], yeses=[Yes(0, True, False, True)])
@example(issues=[Issue(True, TERMS, True, PAST)], yeses=[Yes(0, True, False, False)])
@example(
    issues=[Issue(True, TERMS, True, PAST), Issue(True, TERMS, False, NOW)],
    yeses=[Yes(0, True, True, False)],
)
@example(issues=[Issue(True, TERMS, True, LATER), Issue(True, TERMS, False, NOW)], yeses=[])
@example(
    issues=[Issue(True, TERMS, True, NOW), Issue(True, TERMS, False, LATER)],
    yeses=[Yes(1, True, True, False)],
)
def test_a25_a27_a28_the_statement_and_the_page_ask_the_same(world, issues, yeses):
    now = world.now
    with world.sessions() as db:
        versions = [issue(db, world, number, each) for number, each in enumerate(issues)]
        for each in yeses:
            if each.place < len(versions):
                db.add(agreement(world, versions[each.place], each))
        db.flush()
        shown = outstanding(
            db, world.account_id, world.municipality_id, session_id=world.own, now=now
        )
        standing = find_standing(db, world.token, now=now)
        assert standing.has_to_agree is bool(shown)
        db.rollback()


def issue(db, world, number, wanted):
    version = NewVersion(
        kind=wanted.kind,
        texts=(NewText("ja", f"# 文書\n\n{number}"),),
        is_material=wanted.is_material,
        effective_at=world.now + wanted.begins,
    )
    town = world.municipality_id if wanted.is_own else world.other_town
    return publish(db, town, version, actor=COMMAND_LINE, now=world.now).version_id


def agreement(world, version_id, given_yes):
    return Agreement(
        id=new_id(now=world.now),
        account_id=world.account_id if given_yes.is_hers else world.stranger,
        version_id=version_id,
        language="ja",
        sha256=b"x" * 32,
        client_id=None,
        suppress_until_changed=given_yes.lasts,
        session_id=world.own if given_yes.is_this_session else uuid4(),
        agreed_at=world.now,
    )
