// Our own keys, sealed before they come here (lib/adapters/keys). Every move is a compare-and-set, so that two processes
// that rotate at once cannot both do it.
import type { KeyState, KeyUse, OwnAlgorithm, SigningKey } from '../../domain/signing-key.ts'
import type { SigningKeyStore } from '../../ports/signing-keys.ts'
import type { Database } from './database.ts'

const LIST = 'SELECT * FROM signing_key WHERE tenant = ? ORDER BY created_at, kid'
const INSERT = `INSERT INTO signing_key (tenant, kid, alg, use, state, public_jwk, sealed, created_at, proven_at, activated_at, ended_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, kid) DO NOTHING`
const MOVE = `UPDATE signing_key SET state = ?3,
    activated_at = CASE WHEN ?3 = 'active' THEN coalesce(activated_at, ?4) ELSE activated_at END,
    ended_at = CASE WHEN ?3 IN ('retiring', 'retired', 'tainted') THEN coalesce(ended_at, ?4) ELSE ended_at END
  WHERE tenant = ?1 AND kid = ?2 AND state = ?5`
const PROVE = 'UPDATE signing_key SET proven_at = ? WHERE tenant = ? AND kid = ? AND proven_at IS NULL'
const KEEP_SECRET = 'INSERT INTO feed_secret (tenant, sealed) VALUES (?, ?) ON CONFLICT DO NOTHING'
const SECRET = 'SELECT sealed FROM feed_secret WHERE tenant = ?'

const NEWEST = "SELECT * FROM signing_key WHERE state <> 'retired' ORDER BY created_at DESC LIMIT 8"

type Row = {
  readonly tenant: string
  readonly kid: string
  readonly alg: string
  readonly use: string
  readonly state: string
  readonly public_jwk: string
  readonly sealed: Uint8Array
  readonly created_at: number
  readonly proven_at: number | null
  readonly activated_at: number | null
  readonly ended_at: number | null
}

const keyOf = (row: Row): SigningKey => ({
  tenant: row.tenant,
  kid: row.kid,
  alg: row.alg as OwnAlgorithm,
  use: row.use as KeyUse,
  state: row.state as KeyState,
  publicJwk: JSON.parse(row.public_jwk) as Readonly<Record<string, string>>,
  sealed: row.sealed,
  createdAtSeconds: row.created_at,
  provenAtSeconds: row.proven_at,
  activatedAtSeconds: row.activated_at,
  endedAtSeconds: row.ended_at,
})

/** The newest keys of any tenants: enough to tell whether a master key is theirs. */
export const newestSigningKeys = (database: Database): readonly SigningKey[] =>
  (database.read((sql) => sql(NEWEST).all()) as Row[]).map(keyOf)

export const createSigningKeyStore = (database: Database): SigningKeyStore => ({
  list: async (tenant) => (database.read((sql) => sql(LIST).all(tenant)) as Row[]).map(keyOf),
  insert: (key) =>
    database.writeControl((sql) => {
      const { tenant, kid, alg, use, state, createdAtSeconds, provenAtSeconds, activatedAtSeconds, endedAtSeconds } =
        key
      const times = [createdAtSeconds, provenAtSeconds, activatedAtSeconds, endedAtSeconds] as const
      return (
        sql(INSERT).run(tenant, kid, alg, use, state, JSON.stringify(key.publicJwk), key.sealed, ...times).changes === 1
      )
    }),
  move: (tenant, kid, from, to, atSeconds) =>
    database.writeControl((sql) => sql(MOVE).run(tenant, kid, to, atSeconds, from).changes === 1),
  async prove(tenant, kid, atSeconds) {
    await database.writeControl((sql) => sql(PROVE).run(atSeconds, tenant, kid))
  },
  async feedSecret(tenant, seal) {
    const stored = database.read((sql) => sql(SECRET).get(tenant))
    if (stored !== undefined) return stored['sealed'] as Uint8Array
    const sealed = await seal()
    const row = await database.write((sql) => {
      sql(KEEP_SECRET).run(tenant, sealed)
      return sql(SECRET).get(tenant)
    })
    return row!['sealed'] as Uint8Array
  },
})
