// The tables (docs/storage.md says who writes each and for how long) and how a database gets from one version to the next.
// A step only adds, so that the version before still works beside it during a rolling upgrade or after a rollback. Longer than 300
// lines: the steps are one history, read from the top.

/** `PRAGMA user_version` is FORMAT * 1000 + number of steps taken. Another format is refused, a further step is not. */
export const FORMAT = 1

// Why grant_record looks like this: rows lie in commit order, which is the order of the signed exp to within minutes, so
// both the insert and the sweep touch neighbouring pages; the replay hash is unique by itself, never together with exp,
// or one assertion presented with two readings of exp would pass twice. 16 bytes keep the one random index small.
const FIRST = `
CREATE TABLE store (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  dev INTEGER NOT NULL CHECK (dev IN (0, 1)),
  control_version INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE TABLE time_mark (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  highest_seconds INTEGER NOT NULL
) STRICT;

CREATE TABLE grant_record (
  seq INTEGER PRIMARY KEY,
  guard BLOB NOT NULL CHECK (length(guard) = 16),
  decision BLOB NOT NULL CHECK (length(decision) = 16),
  tenant TEXT NOT NULL,
  at INTEGER NOT NULL,
  exp INTEGER NOT NULL,
  keep_until INTEGER NOT NULL,
  body TEXT NOT NULL CHECK (octet_length(body) <= 65536)
) STRICT;
CREATE UNIQUE INDEX grant_record_guard ON grant_record (guard);
CREATE UNIQUE INDEX grant_record_decision ON grant_record (decision);
CREATE TRIGGER grant_record_is_append_only BEFORE UPDATE ON grant_record
  BEGIN SELECT RAISE(ABORT, 'grant records are never changed'); END;
CREATE TABLE proof_guard (
  hash BLOB PRIMARY KEY CHECK (length(hash) = 16),
  keep_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX proof_guard_keep_until ON proof_guard (keep_until);
CREATE TABLE not_issued (
  seq INTEGER PRIMARY KEY,
  decision BLOB NOT NULL UNIQUE CHECK (length(decision) = 16),
  tenant TEXT NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE TABLE feed_reader (
  reader TEXT NOT NULL,
  topic TEXT NOT NULL,
  acknowledged INTEGER NOT NULL,
  PRIMARY KEY (reader, topic)
) STRICT, WITHOUT ROWID;

CREATE TABLE denial (
  seq INTEGER PRIMARY KEY,
  decision BLOB NOT NULL UNIQUE CHECK (length(decision) = 16),
  tenant TEXT NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL CHECK (octet_length(body) <= 65536)
) STRICT;
CREATE TABLE denial_roll_up (
  id INTEGER PRIMARY KEY,
  minute INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  count INTEGER NOT NULL,
  unlisted INTEGER NOT NULL,
  UNIQUE (minute, tenant, kind, source)
) STRICT;
CREATE TABLE rolled_up_decision (
  decision BLOB PRIMARY KEY CHECK (length(decision) = 16),
  roll_up INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tenant_config (
  tenant TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version > 0),
  digest TEXT NOT NULL,
  author TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  applied_at INTEGER NOT NULL,
  document TEXT NOT NULL,
  diff TEXT NOT NULL,
  PRIMARY KEY (tenant, version)
) STRICT;
CREATE TABLE tenant_tombstone (
  tenant TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE signing_key (
  tenant TEXT NOT NULL,
  kid TEXT NOT NULL,
  alg TEXT NOT NULL,
  use TEXT NOT NULL,
  state TEXT NOT NULL,
  public_jwk TEXT NOT NULL,
  sealed BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  proven_at INTEGER,
  activated_at INTEGER,
  ended_at INTEGER,
  PRIMARY KEY (tenant, kid)
) STRICT, WITHOUT ROWID;
CREATE TABLE feed_secret (
  tenant TEXT PRIMARY KEY,
  sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE issuer_key_set (
  source_id TEXT PRIMARY KEY,
  jwks TEXT NOT NULL,
  fetched_at INTEGER NOT NULL,
  spiffe_sequence INTEGER,
  unknown_key_fetch_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE revocation (
  id TEXT NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  issuer TEXT NOT NULL,
  value TEXT NOT NULL,
  form TEXT NOT NULL CHECK (form IN ('block', 'cut')),
  not_before INTEGER CHECK ((form = 'cut') = (not_before IS NOT NULL)),
  reason TEXT NOT NULL,
  by TEXT NOT NULL,
  at INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  lifted_at INTEGER,
  lifted_by TEXT,
  lifted_reason TEXT
) STRICT;
CREATE UNIQUE INDEX revocation_in_force ON revocation (tenant, kind, issuer, value, form) WHERE lifted_at IS NULL;
CREATE INDEX revocation_changed ON revocation (tenant, changed);
`

// Queues between functions, what no attempt could take from them, and the revocation orders that were carried out. AUTOINCREMENT:
// a message that is gone never gives its number to another, or a late ack would take that one away.
const QUEUES = `
CREATE TABLE queue_message (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  queue TEXT NOT NULL,
  tenant TEXT NOT NULL,
  dedupe TEXT NOT NULL,
  body TEXT NOT NULL CHECK (octet_length(body) <= 262144),
  sent_at INTEGER NOT NULL,
  visible_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX queue_message_dedupe ON queue_message (queue, dedupe);
CREATE INDEX queue_message_due ON queue_message (queue, tenant, visible_at);
CREATE TABLE quarantined_message (
  seq INTEGER PRIMARY KEY,
  queue TEXT NOT NULL,
  tenant TEXT NOT NULL,
  body TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE TABLE revocation_order (
  seq INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (tenant, id)
) STRICT;
CREATE TRIGGER revocation_order_is_append_only BEFORE UPDATE ON revocation_order
  BEGIN SELECT RAISE(ABORT, 'orders that were carried out are never changed'); END;
`

// Null: what the tenant left behind is still there.
const ERASED = 'ALTER TABLE tenant_tombstone ADD COLUMN erased_at INTEGER'

// What changes in the state decisions rest on, in the order of commit, for the audit stream. Triggers, so that no way of writing
// these rows can forget to tell. AUTOINCREMENT: what was swept away gives its number to nobody. told: how much of a count of
// denials was told.
const CHANGES = `
CREATE TABLE control_change (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  what TEXT NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE TRIGGER control_change_is_append_only BEFORE UPDATE ON control_change
  BEGIN SELECT RAISE(ABORT, 'changes that were told are never changed'); END;
CREATE TRIGGER tell_order AFTER INSERT ON revocation_order BEGIN
  INSERT INTO control_change (tenant, what, at, body) VALUES (new.tenant, 'revocation', new.at, new.body);
END;
CREATE TRIGGER tell_unblock AFTER UPDATE OF lifted_at ON revocation
  WHEN old.lifted_at IS NULL AND new.lifted_at IS NOT NULL BEGIN
  INSERT INTO control_change (tenant, what, at, body) VALUES (new.tenant, 'unblock', new.lifted_at, json_object(
    'revocation', new.id, 'kind', new.kind, 'issuer', new.issuer, 'value', new.value,
    'by', coalesce(new.lifted_by, ''), 'reason', coalesce(new.lifted_reason, '')));
END;
CREATE TRIGGER tell_new_key AFTER INSERT ON signing_key BEGIN
  INSERT INTO control_change (tenant, what, at, body) VALUES (new.tenant, 'key', unixepoch(), json_object(
    'kid', new.kid, 'alg', new.alg, 'use', new.use, 'state', new.state));
END;
CREATE TRIGGER tell_key AFTER UPDATE OF state ON signing_key WHEN old.state <> new.state BEGIN
  INSERT INTO control_change (tenant, what, at, body) VALUES (new.tenant, 'key', unixepoch(), json_object(
    'kid', new.kid, 'alg', new.alg, 'use', new.use, 'state', new.state));
END;
CREATE TRIGGER tell_config AFTER INSERT ON tenant_config BEGIN
  INSERT INTO control_change (tenant, what, at, body) VALUES (new.tenant, 'config', new.applied_at, json_object(
    'version', new.version, 'digest', new.digest, 'author', new.author, 'commit', new.commit_id, 'diff', new.diff));
END;
CREATE TRIGGER tell_removal AFTER INSERT ON tenant_tombstone BEGIN
  INSERT INTO control_change (tenant, what, at, body) VALUES (new.tenant, 'removal', new.at, json_object('by', new.by));
END;
ALTER TABLE denial_roll_up ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
CREATE INDEX denial_roll_up_untold ON denial_roll_up (minute) WHERE count > told;
`

// Each change of a revocation has the next number of its tenant, whoever makes it: the order of the feed, and its seq.
const NUMBER = `
  INSERT INTO revocation_feed (tenant, seq) VALUES (new.tenant, 1) ON CONFLICT (tenant) DO UPDATE SET seq = seq + 1;
  UPDATE revocation SET seq = (SELECT seq FROM revocation_feed WHERE tenant = new.tenant) WHERE rowid = new.rowid;`
const FEED = `
CREATE TABLE revocation_feed (tenant TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
ALTER TABLE revocation ADD COLUMN seq INTEGER;
UPDATE revocation SET seq = numbered.seq FROM (
  SELECT rowid AS row, row_number() OVER (PARTITION BY tenant ORDER BY changed, rowid) AS seq FROM revocation
) AS numbered WHERE numbered.row = revocation.rowid;
INSERT INTO revocation_feed (tenant, seq) SELECT tenant, max(seq) FROM revocation GROUP BY tenant;
CREATE UNIQUE INDEX revocation_seq ON revocation (tenant, seq);
CREATE TRIGGER revocation_numbered AFTER INSERT ON revocation BEGIN${NUMBER} END;
CREATE TRIGGER revocation_renumbered AFTER UPDATE OF changed ON revocation
  WHEN new.not_before IS NOT old.not_before OR new.lifted_at IS NOT old.lifted_at BEGIN${NUMBER} END;
`

// What became of security events. And orders that do not wait behind others: a second lane of a queue, found by index.
const EVENTS = `
CREATE TABLE security_event (
  seq INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  at INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (tenant, id)
) STRICT;
CREATE INDEX security_event_at ON security_event (at);
ALTER TABLE queue_message ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0;
CREATE INDEX queue_message_lane ON queue_message (queue, urgent, tenant, visible_at);
`

// Who is told of revocations. Changes must have no gaps for that: what a revocation was before its last change is kept beside
// it. Receivers begin in the transaction of the document that names them, or what is revoked in between would be lost to them.
const NUMBER_AND_TIME = NUMBER.replace('SET seq = (', 'SET changed_at = unixepoch(), seq = (')
const TELL_SET = `
  INSERT INTO control_change (tenant, what, at, body) VALUES (new.tenant, 'receiver', new.at, json_object(
    'receiver', new.name, 'seq', new.seq, 'jti', new.jti, 'problem', new.problem, 'status', new.status));`
const RECEIVERS = `
ALTER TABLE revocation ADD COLUMN changed_at INTEGER;
DROP TRIGGER revocation_numbered;
DROP TRIGGER revocation_renumbered;
CREATE TRIGGER revocation_numbered AFTER INSERT ON revocation BEGIN${NUMBER_AND_TIME} END;
CREATE TRIGGER revocation_renumbered AFTER UPDATE OF changed ON revocation
  WHEN new.not_before IS NOT old.not_before OR new.lifted_at IS NOT old.lifted_at BEGIN${NUMBER_AND_TIME} END;
CREATE TABLE revocation_before (
  tenant TEXT NOT NULL,
  seq INTEGER NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  issuer TEXT NOT NULL,
  value TEXT NOT NULL,
  form TEXT NOT NULL,
  not_before INTEGER,
  lifted_at INTEGER,
  at INTEGER NOT NULL,
  UNIQUE (tenant, seq)
) STRICT;
CREATE TRIGGER revocation_kept BEFORE UPDATE OF changed ON revocation
  WHEN new.not_before IS NOT old.not_before OR new.lifted_at IS NOT old.lifted_at BEGIN
  INSERT INTO revocation_before (tenant, seq, id, kind, issuer, value, form, not_before, lifted_at, at) VALUES (
    old.tenant, old.seq, old.id, old.kind, old.issuer, old.value, old.form, old.not_before, old.lifted_at,
    coalesce(old.changed_at, old.lifted_at, old.at));
END;
CREATE TABLE receiver (
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  seq INTEGER NOT NULL,
  holder TEXT NOT NULL DEFAULT '',
  leased_until INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  retry_at INTEGER NOT NULL DEFAULT 0,
  last_at INTEGER,
  last_problem TEXT,
  last_status INTEGER,
  last_bytes INTEGER,
  UNIQUE (tenant, name)
) STRICT;
CREATE TABLE receiver_set (
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  seq INTEGER NOT NULL,
  jti TEXT NOT NULL,
  problem TEXT,
  status INTEGER,
  at INTEGER NOT NULL,
  UNIQUE (tenant, name, seq)
) STRICT;
CREATE TRIGGER tell_set AFTER INSERT ON receiver_set BEGIN${TELL_SET} END;
CREATE TRIGGER tell_set_taken AFTER UPDATE OF problem ON receiver_set
  WHEN old.problem IS NOT NULL AND new.problem IS NULL BEGIN${TELL_SET} END;
CREATE TRIGGER receivers_of_document AFTER INSERT ON tenant_config BEGIN
  DELETE FROM receiver WHERE tenant = new.tenant AND name NOT IN (
    SELECT key FROM json_each(iif(json_valid(new.document), new.document, '{}'), '$.receivers'));
  DELETE FROM receiver_set WHERE tenant = new.tenant AND name NOT IN (SELECT name FROM receiver WHERE tenant = new.tenant);
  INSERT INTO receiver (tenant, name, type, seq)
    SELECT new.tenant, key, json_extract(value, '$.type'),
      coalesce((SELECT seq FROM revocation_feed f WHERE f.tenant = new.tenant), 0)
    FROM json_each(iif(json_valid(new.document), new.document, '{}'), '$.receivers') WHERE true
    ON CONFLICT (tenant, name) DO UPDATE SET type = excluded.type;
END;
INSERT INTO receiver (tenant, name, type, seq)
  SELECT c.tenant, r.key, json_extract(r.value, '$.type'),
    coalesce((SELECT seq FROM revocation_feed f WHERE f.tenant = c.tenant), 0)
  FROM tenant_config c, json_each(iif(json_valid(c.document), c.document, '{}'), '$.receivers') r
  WHERE c.version = (SELECT max(version) FROM tenant_config WHERE tenant = c.tenant);
`

/** SET_REFUSALS as this table's indexes have it. */
export const REFUSALS =
  "'invalid_request', 'invalid_key', 'invalid_issuer', 'invalid_audience', 'authentication_failed', 'access_denied', 'invalid_state', 'error_not_registered'"
/** The `problem` of a change that was passed over by an answer to a later one: nothing was said of it yet, so nothing is told. */
export const UNANSWERED = 'unanswered'

// What is left to tell a receiver is found by index and not by looking through all that it took or refused.
const PENDING_SETS = `
DROP TRIGGER tell_set;
DROP TRIGGER tell_set_taken;
INSERT INTO receiver_set (tenant, name, seq, jti, problem, at)
  SELECT r.tenant, r.name, c.seq, '', '${UNANSWERED}', 0
  FROM receiver r JOIN (SELECT tenant, seq FROM revocation UNION SELECT tenant, seq FROM revocation_before) c
    ON c.tenant = r.tenant AND c.seq > r.seq
  WHERE c.seq < (SELECT max(seq) FROM receiver_set s WHERE s.tenant = r.tenant AND s.name = r.name)
  ON CONFLICT DO NOTHING;
CREATE TRIGGER tell_set AFTER INSERT ON receiver_set WHEN new.problem IS NOT '${UNANSWERED}' BEGIN${TELL_SET} END;
CREATE TRIGGER tell_set_answered AFTER UPDATE OF problem ON receiver_set
  WHEN old.problem = '${UNANSWERED}' OR (old.problem IS NOT NULL AND new.problem IS NULL) BEGIN${TELL_SET} END;
CREATE INDEX receiver_set_open ON receiver_set (tenant, name, seq) WHERE problem IS NOT NULL AND problem NOT IN (${REFUSALS});
CREATE INDEX receiver_set_refused ON receiver_set (tenant, name, at, seq) WHERE problem IN (${REFUSALS});
`

// A store that was found to have lost records, and how that ended. The end is told to every log: what follows in it does not follow
// from what is missing.
const RECOVERY = `
CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  reason TEXT NOT NULL,
  since INTEGER NOT NULL
) STRICT;
CREATE TABLE recovery (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  by TEXT NOT NULL,
  reason TEXT NOT NULL,
  floor INTEGER NOT NULL,
  seen TEXT NOT NULL
) STRICT;
CREATE TRIGGER recovery_is_append_only BEFORE UPDATE ON recovery
  BEGIN SELECT RAISE(ABORT, 'recoveries are never changed'); END;
CREATE TRIGGER tell_recovery AFTER INSERT ON recovery BEGIN
  INSERT INTO control_change (tenant, what, at, body) SELECT DISTINCT tenant, 'recovery', new.at, json_object(
    'number', new.seq, 'by', new.by, 'reason', new.reason, 'floor', new.floor)
  FROM tenant_config WHERE tenant NOT IN (SELECT tenant FROM tenant_tombstone);
END;
`

// How often who had a message never answered, since it was last put back: those that were lost more than once are found by index.
const LOST_LEASES = `
ALTER TABLE queue_message ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
CREATE INDEX queue_message_lost ON queue_message (queue, urgent, visible_at) WHERE lost >= 2;
`

// What issuers are built from is an option of serve, and commands beside it need it.
const BROKER_PLACE = `
CREATE TABLE broker_place (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  base_url TEXT NOT NULL
) STRICT;
`

/** In order; never edited once released, only added to. */
export const MIGRATIONS: readonly string[] = [
  FIRST,
  QUEUES,
  ERASED,
  CHANGES,
  FEED,
  EVENTS,
  RECEIVERS,
  PENDING_SETS,
  RECOVERY,
  LOST_LEASES,
  BROKER_PLACE,
]
