"""The two doors by the names that views may use: families here, staff there (A08)."""

from idp.model.people import Door

FAMILY = Door.FAMILY
STAFF = Door.STAFF
