-- What the provider is to be told. Written in the transaction of its reason, sent by the worker.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  method TEXT NOT NULL CHECK (method IN ('POST', 'PUT')),
  path TEXT NOT NULL,
  topic TEXT,
  body TEXT,
  created_at TEXT NOT NULL,
  due_at TEXT NOT NULL,
  leased_until TEXT,
  try_count INTEGER NOT NULL DEFAULT 0,
  last_answer TEXT,
  settled_at TEXT,
  outcome TEXT CHECK (outcome IN ('delivered', 'refused', 'given_up', 'superseded'))
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at) WHERE settled_at IS NULL;
CREATE INDEX outbox_topic ON outbox (topic) WHERE settled_at IS NULL AND topic IS NOT NULL;
CREATE INDEX outbox_settled ON outbox (settled_at) WHERE settled_at IS NOT NULL;
