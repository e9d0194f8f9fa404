"""The block every page shows of a municipality: its name, its office, its telephone."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.model.households import Municipality


@dataclass(frozen=True)
class Site:
    """Name and contact of one municipality, in both languages."""

    municipality_id: UUID
    code: str
    name: str
    name_en: str
    service_name: str
    service_name_en: str
    office: str
    office_en: str
    tel: str
    hours: str
    hours_en: str


def find_site(db: Session, municipality_id: UUID | None, *, default_code: str) -> Site | None:
    """Return the block of a municipality; without one, of the default or the first."""
    query = select(Municipality)
    if municipality_id is not None:
        query = query.where(Municipality.id == municipality_id)
    elif default_code:
        query = query.where(Municipality.code == default_code)
    else:
        query = query.order_by(Municipality.created_at).limit(1)
    row = db.scalar(query)
    if row is None:
        return None
    return Site(
        municipality_id=row.id,
        code=row.code,
        name=row.name,
        name_en=row.name_en,
        service_name=row.service_name,
        service_name_en=row.service_name_en,
        office=row.office,
        office_en=row.office_en,
        tel=row.tel,
        hours=row.hours,
        hours_en=row.hours_en,
    )
