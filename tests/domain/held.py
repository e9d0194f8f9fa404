"""What a person may hold: a session, tokens of a service."""

from datetime import timedelta

from idp.base.ids import new_id
from idp.domain.signin.sessions import NewSession, SessionLimits, start_session
from idp.model.grants import TokenFamily
from idp.model.people import Door
from tests.factories import make_client


def start(db, person, now, household_id=None):
    wanted = NewSession(
        account_id=person.id,
        door=Door.FAMILY,
        acr="x",
        amr=("pwd",),
        device_label="browser",
        limits=SessionLimits(),
        household_id=household_id,
    )
    return start_session(db, wanted, now=now)


def grant(db, person, now, household_id=None, session_id=None):
    client = make_client(db, now=now)
    family = TokenFamily(
        id=new_id(now=now),
        client_id=client.id,
        account_id=person.id,
        session_id=session_id,
        household_id=household_id,
        scope="openid household",
        acr="x",
        amr=["pwd"],
        authenticated_at=now,
        is_offline=session_id is None,
        created_at=now,
        expires_at=now + timedelta(days=30),
    )
    db.add(family)
    db.flush()
    return family
