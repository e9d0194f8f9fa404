CREATE TABLE facility (
  code TEXT PRIMARY KEY,
  name_ja TEXT NOT NULL,
  name_en TEXT NOT NULL,
  address_ja TEXT NOT NULL,
  address_en TEXT NOT NULL,
  tel TEXT NOT NULL,
  answers TEXT NOT NULL CHECK (answers IN ('at_once', 'by_staff'))
) STRICT, WITHOUT ROWID;

-- One hour of care at a facility. `taken` is only ever changed by a conditional UPDATE.
CREATE TABLE slot (
  id INTEGER PRIMARY KEY,
  facility_code TEXT NOT NULL REFERENCES facility (code),
  day TEXT NOT NULL,
  hour INTEGER NOT NULL CHECK (hour BETWEEN 0 AND 23),
  starts_at TEXT NOT NULL,
  capacity INTEGER NOT NULL CHECK (capacity > 0),
  taken INTEGER NOT NULL DEFAULT 0 CHECK (taken BETWEEN 0 AND capacity),
  UNIQUE (facility_code, day, hour)
) STRICT;
CREATE INDEX slot_starts_at ON slot (starts_at);

-- Children as the provider last described them. The nickname is the family's own, kept only here.
CREATE TABLE child (
  household_id TEXT NOT NULL,
  child_id TEXT NOT NULL,
  birthdate TEXT NOT NULL,
  status TEXT NOT NULL,
  nickname TEXT NOT NULL DEFAULT '',
  seen_at TEXT NOT NULL,
  PRIMARY KEY (household_id, child_id)
) STRICT, WITHOUT ROWID;

-- Hours a child has used up in a calendar month, whichever household or facility.
CREATE TABLE child_month (
  child_id TEXT NOT NULL,
  month TEXT NOT NULL,
  hours INTEGER NOT NULL CHECK (hours >= 0),
  PRIMARY KEY (child_id, month)
) STRICT, WITHOUT ROWID;

-- Neighbouring hours of one child at one facility. Keyed by household and child, never by a person:
-- whoever becomes the representative later still sees it.
CREATE TABLE booking (
  id TEXT PRIMARY KEY,
  household_id TEXT NOT NULL,
  child_id TEXT NOT NULL,
  facility_code TEXT NOT NULL REFERENCES facility (code),
  day TEXT NOT NULL,
  start_hour INTEGER NOT NULL,
  end_hour INTEGER NOT NULL CHECK (end_hour > start_hour),
  starts_at TEXT NOT NULL,
  ends_at TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'booked', 'declined', 'cancelled')),
  made_at TEXT NOT NULL,
  made_by TEXT NOT NULL,
  made_as TEXT NOT NULL CHECK (made_as IN ('representative', 'proxy')),
  ended_at TEXT,
  ended_by TEXT,
  ended_as TEXT CHECK (ended_as IN ('representative', 'proxy'))
) STRICT, WITHOUT ROWID;
CREATE INDEX booking_household ON booking (household_id, starts_at);
CREATE INDEX booking_waiting ON booking (starts_at) WHERE state = 'waiting';

CREATE TABLE booking_slot (
  booking_id TEXT NOT NULL REFERENCES booking (id) ON DELETE CASCADE,
  slot_id INTEGER NOT NULL REFERENCES slot (id),
  child_id TEXT NOT NULL,
  starts_at TEXT NOT NULL,
  released_at TEXT,
  PRIMARY KEY (booking_id, slot_id)
) STRICT, WITHOUT ROWID;
-- A child is in one place at a time.
CREATE UNIQUE INDEX booking_slot_child ON booking_slot (child_id, starts_at)
  WHERE released_at IS NULL;
CREATE INDEX booking_slot_slot ON booking_slot (slot_id);

-- The key of a sent form: pressing the button twice books once.
CREATE TABLE sent_form (
  household_id TEXT NOT NULL,
  form_key TEXT NOT NULL,
  sent_at TEXT NOT NULL,
  PRIMARY KEY (household_id, form_key)
) STRICT, WITHOUT ROWID;
