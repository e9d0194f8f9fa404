"""New terms: no code is redeemed and no token refreshed until they are agreed to."""

from datetime import timedelta

from idp.base.ids import new_id
from idp.base.secret import digest
from idp.domain.grants.authorization_codes import PresentedCode, redeem_code
from idp.domain.grants.refresh_tokens import Refreshed
from idp.domain.grants.standing import Void
from idp.model.documents import Agreement, DocumentKind, DocumentVersion, LegalDocument
from tests.domain.grants.conftest import CALLBACK, VERIFIER
from tests.domain.grants.test_refresh_tokens import start, use


def publish(db, world, *, number, is_material=True, document_id=None):
    now = world.now
    if document_id is None:
        document = LegalDocument(
            id=new_id(now=now),
            municipality_id=world.municipality_id,
            kind=DocumentKind.TERMS,
            created_at=now,
        )
        db.add(document)
        db.flush()
        document_id = document.id
    version = DocumentVersion(
        id=new_id(now=now),
        document_id=document_id,
        number=number,
        is_material=is_material,
        effective_at=now,
        published_at=now,
    )
    db.add(version)
    db.flush()
    return document_id, version.id


def agree(db, world, version_id):
    db.add(
        Agreement(
            id=new_id(now=world.now),
            account_id=world.account_id,
            version_id=version_id,
            language="ja",
            sha256=digest("text"),
            suppress_until_changed=True,
            agreed_at=world.now,
        )
    )


def test_cd_07_terms_that_came_in_between_stop_the_code(world):
    code = world.authorize()
    world.clock.advance(timedelta(seconds=1))
    world.do(publish, world, number=1)
    presented = PresentedCode(code, "booking", CALLBACK, VERIFIER)
    assert world.do(redeem_code, presented, now=world.now) is Void.TERMS


def test_rt_10_new_terms_stop_the_refresh_until_they_are_agreed_to(world):
    token = start(world, is_offline=True)
    world.clock.advance(timedelta(days=1))
    _, version_id = world.do(publish, world, number=1)
    for _ in range(2):
        assert use(world, token) is Void.TERMS
    world.do(agree, world, version_id)
    assert isinstance(use(world, token), Refreshed)


def test_rt_10_a_corrected_typing_error_stops_nothing(world):
    token = start(world, is_offline=True)
    world.clock.advance(timedelta(days=1))
    world.do(publish, world, number=1, is_material=False)
    assert isinstance(use(world, token), Refreshed)


def test_rt_10_agreeing_to_a_later_version_is_enough(world):
    token = start(world, is_offline=True)
    world.clock.advance(timedelta(days=1))
    document_id, _ = world.do(publish, world, number=1)
    world.clock.advance(timedelta(days=1))
    _, version_id = world.do(publish, world, number=2, is_material=False, document_id=document_id)
    world.do(agree, world, version_id)
    assert isinstance(use(world, token), Refreshed)
