// What mint reads after its record is durable: configuration version, revocations, state of the signing key. Answers from
// memory only when the database said, after the call, that nobody moved any of it. One question serves all the calls that
// were waiting when it was asked: the requests of one group commit.
import type { Revocation } from '../../domain/revocation.ts'
import type { KeyState } from '../../domain/signing-key.ts'
import type { StateAnswer, StateQuery, TenantState } from '../../ports/grant-store.ts'
import type { ControlState, Database } from './database.ts'
import { CHANGED_REVOCATIONS, type RevocationRow, revocationOf } from './revocation-store.ts'
import { CURRENT_VERSION } from './tenant-config-store.ts'

const KEY_STATES = 'SELECT kid, state FROM signing_key WHERE tenant = ?'
/** Beyond this many tenants the memory is emptied and filled anew by those that are busy. */
const TENANTS_MAX = 10_000
const NONE: readonly Revocation[] = []

type Known = {
  control: ControlState
  configVersion: number | null
  keyStates: ReadonlyMap<string, KeyState>
  /** By selector; a block and a cut may be in force at once. */
  readonly revocations: Map<string, readonly Revocation[]>
}

type Waiting = {
  readonly query: StateQuery
  readonly resolve: (answer: StateAnswer) => void
  readonly reject: (error: unknown) => void
}

const selectorKey = (kind: string, issuer: string, value: string): string => `${kind}\0${issuer}\0${value}`

export const createTenantState = (database: Database): TenantState => {
  const tenants = new Map<string, Known>()
  let waiting: Waiting[] = []

  const known = (tenant: string, control: ControlState): Known => {
    const found = tenants.get(tenant)
    if (found?.control === control) return found
    const current = load(database, tenant, control, found?.control.generation === control.generation ? found : null)
    if (tenants.size >= TENANTS_MAX && found === undefined) tenants.clear()
    tenants.set(tenant, current)
    return current
  }

  const answerAll = (): void => {
    const asked = waiting
    waiting = []
    // INVARIANT: the question is put to the database after every call it answers, or a revocation could slip between.
    let control: ControlState
    try {
      control = database.control()
    } catch (error) {
      for (const { reject } of asked) reject(error)
      return
    }
    for (const { query, resolve, reject } of asked) {
      try {
        resolve(answer(known(query.tenant, control), query))
      } catch (error) {
        reject(error)
      }
    }
  }

  return {
    peek: (query) => answer(known(query.tenant, database.controlThisTurn()), query),
    read: (query) =>
      new Promise((resolve, reject) => {
        if (waiting.length === 0) queueMicrotask(answerAll)
        waiting.push({ query, resolve, reject })
      }),
  }
}

const answer = ({ configVersion, keyStates, revocations }: Known, { selectors, kid }: StateQuery): StateAnswer => ({
  configVersion,
  keyState: kid === null ? null : (keyStates.get(kid) ?? null),
  revocations:
    revocations.size === 0
      ? NONE
      : selectors.flatMap(({ kind, issuer, value }) => revocations.get(selectorKey(kind, issuer, value)) ?? NONE),
})

/** Fetches what changed since `before`. What is newer than `control` may be among it: it is then fetched once more later. */
const load = (database: Database, tenant: string, control: ControlState, before: Known | null): Known =>
  database.read((sql) => {
    const row = sql(CURRENT_VERSION).get(tenant)
    const keyRows = sql(KEY_STATES).all(tenant) as { readonly kid: string; readonly state: KeyState }[]
    const revocations = before?.revocations ?? new Map<string, readonly Revocation[]>()
    for (const changed of sql(CHANGED_REVOCATIONS).all(tenant, before?.control.version ?? 0) as RevocationRow[])
      merge(revocations, changed)
    return {
      control,
      configVersion: (row?.['version'] as number | null | undefined) ?? null,
      keyStates: new Map(keyRows.map(({ kid, state }) => [kid, state])),
      revocations,
    }
  })

const merge = (revocations: Map<string, readonly Revocation[]>, row: RevocationRow): void => {
  const key = selectorKey(row.kind, row.issuer, row.value)
  const others = (revocations.get(key) ?? NONE).filter(({ id }) => id !== row.id)
  const inForce = row.lifted_at === null ? [...others, revocationOf(row)] : others
  if (inForce.length === 0) revocations.delete(key)
  else revocations.set(key, inForce)
}
