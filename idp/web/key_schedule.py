"""The schedule of signing keys as the settings say."""

from datetime import timedelta

from idp.domain.grants.key_schedule import Schedule
from idp.settings.schema import Settings


def key_schedule(settings: Settings) -> Schedule:
    """Return when keys are published, sign, and go."""
    keys = settings.keys
    return Schedule(
        rotate_after=timedelta(days=keys.rotate_days) if keys.rotate_days else None,
        lead=timedelta(hours=keys.lead_hours),
        keep=timedelta(days=keys.keep_days),
    )
