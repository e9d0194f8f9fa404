-- A browser's visit, before and after sign-in. The cookie holds a random token; here lies its digest.
CREATE TABLE visit (
  key TEXT PRIMARY KEY,
  started_at TEXT NOT NULL,
  seen_at TEXT NOT NULL,
  signed_in_at TEXT,
  sub TEXT,
  sid TEXT,
  id_token TEXT,
  claims TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX visit_sid ON visit (sid) WHERE sid IS NOT NULL;
CREATE INDEX visit_sub ON visit (sub) WHERE sub IS NOT NULL;
CREATE INDEX visit_seen_at ON visit (seen_at);

-- A way to the provider and back (sign-in or sign-out), bound to the visit that began it.
CREATE TABLE errand (
  state_digest TEXT PRIMARY KEY,
  purpose TEXT NOT NULL CHECK (purpose IN ('sign_in', 'sign_out')),
  visit_key TEXT NOT NULL,
  nonce TEXT NOT NULL,
  code_verifier TEXT NOT NULL,
  next_path TEXT NOT NULL,
  begun_at TEXT NOT NULL,
  claimed_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX errand_begun_at ON errand (begun_at);

-- Logout tokens that were used, so that none works twice; and the sessions they ended, so that
-- a sign-in on its way at that very moment does not come back to life.
CREATE TABLE logout_token (
  jti_digest TEXT PRIMARY KEY,
  sid TEXT,
  sub TEXT,
  received_at TEXT NOT NULL,
  kept_until TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX logout_token_kept_until ON logout_token (kept_until);
