"""Every table, so that importing this module makes the metadata complete."""

from idp.model import clients, documents, grants, households, people, signin, staff, upkeep
from idp.model.base import Base

MODULES = (clients, documents, grants, households, people, signin, staff, upkeep)
METADATA = Base.metadata
