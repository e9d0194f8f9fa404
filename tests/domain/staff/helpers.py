"""Applications to register, and what the outbox and the audit log then hold."""

import json
from datetime import date, timedelta

from sqlalchemy import select

from idp.domain.people.children import NewChild
from idp.domain.people.names import PersonName
from idp.domain.staff.applications import Applicant, ApplyingProxy, FamilyApplication
from idp.model.upkeep import AuditEvent, OutboxMessage


def mother(**changes):
    values = {
        "name": PersonName("佐倉", "美咲", "サクラ", "ミサキ"),
        "email": "misaki.sakura@example.jp",
        "phone_number": "+819000001234",
    }
    return Applicant(**(values | changes))


def father(*, now, **changes):
    person = Applicant(name=PersonName("佐倉", "健"), email="ken.sakura@example.jp")
    values = {
        "person": person,
        "relationship": "father",
        "valid_until": now + timedelta(days=300),
    }
    return ApplyingProxy(**(values | changes))


def family(**changes):
    values = {
        "guardian": mother(),
        "application_number": "R8-00417",
        "children": (NewChild("佐倉 ひより", date(2025, 6, 1), "サクラ ヒヨリ"),),
    }
    return FamilyApplication(**(values | changes))


def mails(db, keys, account_id=None):
    """Return (name, facts, to) of every mail in the outbox, sorted by name."""
    query = select(OutboxMessage).order_by(OutboxMessage.name)
    if account_id is not None:
        query = query.where(OutboxMessage.account_id == account_id)
    found = []
    for row in db.scalars(query):
        body = json.loads(keys.sealer.unseal(row.sealed_body, context=f"outbox:{row.id}"))
        found.append((row.name, body["facts"], body["to"]))
    return found


def acts(db, subject_id=None):
    """Return the names of what the audit log holds, sorted."""
    db.flush()
    query = select(AuditEvent).order_by(AuditEvent.name)
    if subject_id is not None:
        query = query.where(AuditEvent.subject_id == subject_id)
    return [row.name for row in db.scalars(query)]
