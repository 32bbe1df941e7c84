// The tables of audit.db: tenants' logs. A file of its own, so that writing the log never waits for mint nor mint for it.
import type { Schema } from './connection.ts'

const FIRST = `
CREATE TABLE store (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  dev INTEGER NOT NULL CHECK (dev IN (0, 1)),
  control_version INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE TABLE log (
  tenant TEXT PRIMARY KEY,
  origin TEXT NOT NULL,
  authority TEXT NOT NULL,
  size INTEGER NOT NULL CHECK (size > 0),
  last_uid TEXT NOT NULL,
  last_type INTEGER NOT NULL,
  last_fingerprint TEXT NOT NULL,
  checkpoint_size INTEGER NOT NULL DEFAULT 0,
  checkpoint TEXT
) STRICT;
CREATE INDEX log_uncovered ON log (tenant) WHERE checkpoint_size < size;
CREATE TRIGGER log_only_grows BEFORE UPDATE ON log
  WHEN new.size < old.size OR new.checkpoint_size < old.checkpoint_size OR new.origin <> old.origin
  BEGIN SELECT RAISE(ABORT, 'a log only grows'); END;
CREATE TABLE log_tile (
  tenant TEXT NOT NULL,
  level INTEGER NOT NULL,
  tile INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  UNIQUE (tenant, level, tile)
) STRICT;
CREATE TABLE log_leaf (
  seq INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  leaf INTEGER NOT NULL,
  uid TEXT NOT NULL,
  at INTEGER NOT NULL,
  salt BLOB NOT NULL CHECK (length(salt) = 32),
  event TEXT NOT NULL CHECK (octet_length(event) <= 65536),
  UNIQUE (tenant, leaf),
  UNIQUE (tenant, uid)
) STRICT;
CREATE TRIGGER log_leaf_is_append_only BEFORE UPDATE ON log_leaf
  BEGIN SELECT RAISE(ABORT, 'leaves are never changed'); END;
CREATE TABLE log_checkpoint (
  tenant TEXT NOT NULL,
  minute INTEGER NOT NULL,
  size INTEGER NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (tenant, minute)
) STRICT;
CREATE TABLE log_sink (
  tenant TEXT NOT NULL,
  sink TEXT NOT NULL,
  leaf INTEGER NOT NULL DEFAULT 0,
  checkpoint INTEGER NOT NULL DEFAULT 0,
  holder TEXT NOT NULL,
  leased_until INTEGER NOT NULL,
  PRIMARY KEY (tenant, sink)
) STRICT, WITHOUT ROWID;
`

/** How sinks go, what they can never take, what operators ask of them; and what anchors have seen. */
const SINKS = `
ALTER TABLE log_sink ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE log_sink ADD COLUMN trouble TEXT;
ALTER TABLE log_sink ADD COLUMN delivered_at INTEGER;
CREATE TABLE sink_dead_letter (
  seq INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  sink TEXT NOT NULL,
  leaf INTEGER,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  event TEXT NOT NULL
) STRICT;
CREATE INDEX sink_dead_letter_of_sink ON sink_dead_letter (tenant, sink, seq);
CREATE TABLE sink_errand (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  sink TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('test', 'resend')),
  asked_at INTEGER NOT NULL,
  outcome TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX sink_errand_open ON sink_errand (tenant, sink, asked_at) WHERE outcome IS NULL;
CREATE TABLE log_anchor (
  tenant TEXT NOT NULL,
  anchor TEXT NOT NULL,
  size INTEGER NOT NULL,
  note TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (tenant, anchor)
) STRICT, WITHOUT ROWID;
`

/** Leaves from the front whose events are no longer kept, and the checkpoint that shows how old they are. */
const RETENTION = `
ALTER TABLE log ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;
ALTER TABLE log ADD COLUMN expired_minute INTEGER;
CREATE TRIGGER log_expired_only_grows BEFORE UPDATE OF expired ON log
  WHEN new.expired < old.expired OR new.expired > new.size
  BEGIN SELECT RAISE(ABORT, 'what has expired does not come back'); END;
`

/** How far the feed of records was taken, as the database of records had it too. */
const POSITIONS = `
CREATE TABLE feed_position (topic TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

/** An event is 2 to 3 KB: of a page of 4 KB a third stayed empty behind it, and each cost the calls to write a page twice. */
const PAGE_BYTES = 16_384

export const AUDIT: Schema = {
  file: 'audit.db',
  migrations: [FIRST, SINKS, RETENTION, POSITIONS],
  pageBytes: PAGE_BYTES,
}
