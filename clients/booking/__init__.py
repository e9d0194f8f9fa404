"""一時預かり・通園の予約: book hours of care for a child of the household."""
