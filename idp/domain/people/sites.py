"""The block every page shows of a municipality: its name, its office, its telephone."""

from dataclasses import dataclass, fields
from uuid import UUID

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from idp.db.rows import FoundRow, fetch_one
from idp.model.households import Municipality


@dataclass(frozen=True)
class MunicipalityTexts:
    """Name and contact block, in both languages."""

    name: str
    name_en: str
    service_name: str
    service_name_en: str
    office: str
    office_en: str
    tel: str
    hours: str
    hours_en: str


@dataclass(frozen=True, kw_only=True)
class Site(MunicipalityTexts):
    """Name and contact of one municipality, and which one it is."""

    municipality_id: UUID
    code: str


_FIELDS = ("code", *(item.name for item in fields(MunicipalityTexts)))
#: A municipality, and what `read_site` reads of it, for statements that ask more.
MUNICIPALITY: Table = Municipality.__table__  # type: ignore[assignment]
SITE_COLUMNS = (
    MUNICIPALITY.c.id.label("site_id"),
    *(MUNICIPALITY.c[name].label(f"site_{name}") for name in _FIELDS),
)

_SITES = select(*SITE_COLUMNS)
_BY_ID = _SITES.where(MUNICIPALITY.c.id == bindparam("municipality"))
_BY_CODE = _SITES.where(MUNICIPALITY.c.code == bindparam("code"))
_FIRST = _SITES.order_by(MUNICIPALITY.c.created_at).limit(1)


def find_site(db: Session, municipality_id: UUID | None, *, default_code: str) -> Site | None:
    """Return the block of a municipality; without one, of the default or the first."""
    if municipality_id is not None:
        row = fetch_one(db, _BY_ID, {"municipality": municipality_id})
    elif default_code:
        row = fetch_one(db, _BY_CODE, {"code": default_code})
    else:
        row = fetch_one(db, _FIRST, {})
    return None if row is None else read_site(row)


def read_site(row: FoundRow) -> Site | None:
    """Return the block from a row with `SITE_COLUMNS`, if there is a municipality in it."""
    if row.site_id is None:
        return None
    values = {name: getattr(row, f"site_{name}") for name in _FIELDS}
    return Site(municipality_id=row.site_id, **values)
