-- The last number given out in a year.
CREATE TABLE register (
  year INTEGER PRIMARY KEY,
  last_number INTEGER NOT NULL
) STRICT;

-- Households that have been here, and the unread count the provider was last told.
CREATE TABLE household (
  household_id TEXT PRIMARY KEY,
  first_seen_at TEXT NOT NULL,
  reported_unread INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Keyed by household and child, never by a person. A further edition is a certificate issued anew.
CREATE TABLE certificate (
  id TEXT PRIMARY KEY,
  household_id TEXT NOT NULL REFERENCES household (household_id),
  child_id TEXT NOT NULL,
  birthdate TEXT NOT NULL,
  edition INTEGER NOT NULL,
  number TEXT NOT NULL UNIQUE,
  application_number TEXT NOT NULL UNIQUE,
  issued_on TEXT NOT NULL,
  valid_from TEXT NOT NULL,
  valid_until TEXT NOT NULL,
  confirmed_at TEXT,
  confirmed_by TEXT,
  revoked_at TEXT,
  UNIQUE (household_id, child_id, edition)
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_unread ON certificate (household_id)
  WHERE confirmed_at IS NULL AND revoked_at IS NULL;

-- Visits in which the notice was put off: it comes back at the next sign-in.
CREATE TABLE notice_put_off (
  visit_key TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
