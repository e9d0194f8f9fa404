"""Who agreed to which version, and what is still to be agreed to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.domain.documents.versions import SOURCE_LANGUAGE, VersionText, read_text
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.documents import Agreement, DocumentKind, DocumentVersion, LegalDocument


@dataclass(frozen=True)
class ShownDocument:
    """A document to agree to, as it is shown."""

    text: VersionText
    #: The person agreed to an older version: what changed stands in the summary.
    changed: bool


@dataclass(frozen=True)
class GivenAgreement:
    """What a person agrees to: the versions she was shown, and whether to ask again."""

    version_ids: tuple[UUID, ...]
    language: str
    #: 再度の表示を行わない (A27): without it the next sign-in asks again.
    suppress_until_changed: bool
    session_id: UUID
    client_id: str | None


@dataclass(frozen=True)
class OwnAgreement:
    """To which version of a document a person agreed last."""

    kind: DocumentKind
    number: int
    agreed_at: datetime


@dataclass(frozen=True)
class _Past:
    number: int
    lasts: bool


def outstanding(
    db: Session,
    account_id: UUID,
    municipality_id: UUID,
    *,
    session_id: UUID,
    language: str = SOURCE_LANGUAGE,
    now: datetime,
) -> tuple[ShownDocument, ...]:
    """Return the documents this person must agree to before she goes on, terms first (A25).

    An agreement counts in the session it was given in, and beyond it if she ticked "do not
    show again". It reaches over minor versions up to the next material one in force.
    """
    shown = []
    for kind in (DocumentKind.TERMS, DocumentKind.PRIVACY):
        versions = _versions_in_force(db, municipality_id, kind, now=now)
        material = [version.number for version in versions if version.is_material]
        if not material:
            continue
        past = _past_agreements(db, account_id, versions, session_id=session_id)
        needed = max(material)
        if not any(each.lasts and each.number >= needed for each in past):
            changed = bool(past) and max(each.number for each in past) < needed
            text = read_text(db, versions[-1], kind, language)
            shown.append(ShownDocument(text=text, changed=changed))
    return tuple(shown)


def agree(
    db: Session,
    account_id: UUID,
    municipality_id: UUID,
    given: GivenAgreement,
    *,
    actor: Actor,
    now: datetime,
) -> bool:
    """Record the agreement if it covers exactly what is outstanding; tell whether it did.

    A version that was replaced while the page stood open is not agreed to (PX-04).
    """
    asked = outstanding(
        db,
        account_id,
        municipality_id,
        session_id=given.session_id,
        language=given.language,
        now=now,
    )
    if {each.text.version_id for each in asked} != set(given.version_ids):
        return False
    for each in asked:
        db.add(_build_agreement(account_id, each.text, given, now=now))
        act = Act(
            "documents.agreed",
            subject_id=account_id,
            municipality_id=municipality_id,
            client_id=given.client_id,
            detail={
                "kind": each.text.kind.value,
                "number": each.text.number,
                "language": each.text.language,
                "suppress_until_changed": given.suppress_until_changed,
            },
        )
        record(db, act, actor=actor, now=now)
    return True


def own_agreements(db: Session, account_id: UUID) -> tuple[OwnAgreement, ...]:
    """Return the newest agreement of a person to each document (A29)."""
    rows = db.execute(
        select(LegalDocument.kind, DocumentVersion.number, Agreement.agreed_at)
        .join(DocumentVersion, DocumentVersion.id == Agreement.version_id)
        .join(LegalDocument, LegalDocument.id == DocumentVersion.document_id)
        .where(Agreement.account_id == account_id)
        .order_by(Agreement.agreed_at)
    )
    newest = {kind: OwnAgreement(kind, number, agreed_at) for kind, number, agreed_at in rows}
    return tuple(newest.values())


def _build_agreement(
    account_id: UUID, text: VersionText, given: GivenAgreement, *, now: datetime
) -> Agreement:
    return Agreement(
        id=new_id(now=now),
        account_id=account_id,
        version_id=text.version_id,
        language=text.language,
        sha256=text.sha256,
        client_id=given.client_id,
        suppress_until_changed=given.suppress_until_changed,
        session_id=given.session_id,
        agreed_at=now,
    )


def _versions_in_force(
    db: Session, municipality_id: UUID, kind: DocumentKind, *, now: datetime
) -> Sequence[DocumentVersion]:
    return db.scalars(
        select(DocumentVersion)
        .join(LegalDocument, LegalDocument.id == DocumentVersion.document_id)
        .where(
            LegalDocument.municipality_id == municipality_id,
            LegalDocument.kind == kind,
            DocumentVersion.effective_at <= now,
        )
        .order_by(DocumentVersion.number)
    ).all()


def _past_agreements(
    db: Session,
    account_id: UUID,
    versions: Sequence[DocumentVersion],
    *,
    session_id: UUID,
) -> tuple[_Past, ...]:
    numbers = {version.id: version.number for version in versions}
    rows = db.scalars(
        select(Agreement).where(
            Agreement.account_id == account_id, Agreement.version_id.in_(numbers)
        )
    )
    return tuple(
        _Past(
            number=numbers[row.version_id],
            lasts=row.suppress_until_changed or row.session_id == session_id,
        )
        for row in rows
    )
