"""Agreeing: when it is asked, what is written, when it is asked again."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from idp.domain.documents.agreements import GivenAgreement, agree, outstanding, own_agreements
from idp.domain.documents.versions import NewText, NewVersion, publish
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.documents import Agreement, DocumentKind
from idp.model.upkeep import AuditEvent

FIRST = uuid4()
NEXT = uuid4()


@pytest.fixture
def issue(db, town, now):
    def run(text, *, kind=DocumentKind.TERMS, is_material=True, at=now):
        version = NewVersion(
            kind=kind,
            texts=(NewText("ja", f"# 文書\n\n{text}", summary=text),),
            is_material=is_material,
            effective_at=at,
        )
        return publish(db, town.id, version, actor=COMMAND_LINE, now=now)

    return run


@pytest.fixture
def documents(issue):
    return (issue("規約1"), issue("方針1", kind=DocumentKind.PRIVACY))


@pytest.fixture
def ask(db, town, mother, now):
    def run(session=FIRST, *, at=now):
        return outstanding(db, mother.id, town.id, session_id=session, now=at)

    return run


@pytest.fixture
def say_yes(db, town, mother, by_mother, ask, now):
    def run(*, suppress=True, session=FIRST, versions=None, at=now):
        shown = versions or tuple(each.text.version_id for each in ask(session, at=at))
        given = GivenAgreement(
            version_ids=shown,
            language="ja",
            suppress_until_changed=suppress,
            session_id=session,
            client_id="booking",
        )
        return agree(db, mother.id, town.id, given, actor=by_mother, now=at)

    return run


def count(db):
    db.flush()
    return db.scalar(select(func.count()).select_from(Agreement))


def test_a25_b20_both_documents_are_asked_of_a_new_person(documents, ask):
    kinds = [each.text.kind for each in ask()]
    assert kinds == [DocumentKind.TERMS, DocumentKind.PRIVACY]
    assert [each.changed for each in ask()] == [False, False]


def test_a25_a_municipality_without_documents_asks_nothing(ask):
    assert ask() == ()


def test_a25_px_04_an_agreement_names_version_text_language_and_moment(
    db, documents, say_yes, mother, now
):
    assert say_yes()
    db.flush()
    rows = db.scalars(select(Agreement).where(Agreement.account_id == mother.id)).all()
    assert {row.version_id for row in rows} == {each.version_id for each in documents}
    assert {(row.language, row.client_id, row.agreed_at) for row in rows} == {
        ("ja", "booking", now)
    }
    assert all(len(row.sha256) == 32 for row in rows)
    names = db.scalars(select(AuditEvent.name).where(AuditEvent.subject_id == mother.id)).all()
    assert names == ["documents.agreed"] * 2


def test_a27_with_the_tick_the_next_sign_in_asks_nothing(db, documents, ask, say_yes):
    say_yes(suppress=True)
    assert ask(FIRST) == ()
    assert ask(NEXT) == ()


def test_a27_without_the_tick_the_next_sign_in_asks_again(documents, ask, say_yes):
    say_yes(suppress=False)
    assert ask(FIRST) == ()
    assert [each.changed for each in ask(NEXT)] == [False, False]


def test_a28_px_04_a_material_change_asks_again_and_says_so(documents, issue, ask, say_yes):
    say_yes()
    issue("規約2")
    shown = ask(NEXT)
    assert [(each.text.number, each.changed) for each in shown] == [(2, True)]
    assert shown[0].text.summary == "規約2"
    assert ask(FIRST) != ()


def test_a28_a_minor_change_asks_nobody_again(documents, issue, ask, say_yes):
    say_yes()
    issue("規約1 字を直した", is_material=False)
    assert ask(NEXT) == ()


def test_a28_a_minor_change_does_not_hide_a_material_one_before_it(documents, issue, ask, say_yes):
    say_yes()
    issue("規約2")
    issue("規約2 字を直した", is_material=False)
    assert [each.text.number for each in ask(NEXT)] == [3]


def test_a28_a_change_is_asked_from_its_first_moment(documents, issue, ask, say_yes, now):
    say_yes()
    begins = now + timedelta(days=7)
    issue("規約2", at=begins)
    assert ask(NEXT, at=begins - timedelta(microseconds=1)) == ()
    assert len(ask(NEXT, at=begins)) == 1


def test_a28_a_correction_that_comes_before_the_first_material_version_asks_nobody(issue, ask, now):
    begins = now + timedelta(days=7)
    issue("規約1", at=begins)
    issue("規約1 字を直した", is_material=False)
    assert ask() == ()
    assert ask(at=begins - timedelta(microseconds=1)) == ()
    assert [each.text.number for each in ask(at=begins)] == [2]


def test_px_04_an_old_version_is_not_agreed_to(db, documents, issue, ask, say_yes):
    stale = tuple(each.text.version_id for each in ask())
    issue("規約2")
    assert not say_yes(versions=stale)
    assert count(db) == 0


@pytest.mark.parametrize("which", ["one only", "an invented one as well"])
def test_px_04_exactly_what_was_shown_is_agreed_to(db, documents, say_yes, which):
    ids = tuple(each.version_id for each in documents)
    wrong = ids[:1] if which == "one only" else (*ids, uuid4())
    assert not say_yes(versions=wrong)
    assert count(db) == 0


def test_a29_the_newest_agreement_to_each_document_is_listed(
    db, documents, issue, say_yes, mother, now
):
    say_yes()
    later = now + timedelta(days=1)
    issue("規約2")
    say_yes(session=NEXT, at=later)
    db.flush()
    found = {each.kind: (each.number, each.agreed_at) for each in own_agreements(db, mother.id)}
    assert found == {DocumentKind.TERMS: (2, later), DocumentKind.PRIVACY: (1, now)}


def test_a34_a_proxy_agrees_for_herself(db, town, documents, say_yes, father, now):
    say_yes()
    assert len(outstanding(db, father.id, town.id, session_id=uuid4(), now=now)) == 2
