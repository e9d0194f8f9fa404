"""Every table, so that importing this module makes the metadata complete."""

from idp.model import (
    clients,
    documents,
    grants,
    households,
    people,
    signin,
    staff,
    upkeep,
    upstream,
)
from idp.model.base import Base

MODULES = (clients, documents, grants, households, people, signin, staff, upkeep, upstream)
METADATA = Base.metadata
