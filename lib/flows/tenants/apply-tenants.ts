// apply (design §9): checked documents become current versions. Each version records author, commit, digest and diff; what was removed
// or narrowed is a cut of what it issued; a digest that was current before is a rollback, says so and lifts nothing; a tenant is never
// removed by omission.
import type { JsonValue } from '../../domain/claims.ts'
import { documentDiff } from '../../domain/document-diff.ts'
import { LIMITS } from '../../domain/limits.ts'
import { issuersGone, narrowedBetween } from '../../domain/narrowing.ts'
import type { Selector } from '../../domain/revocation.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { TenantConfigStore } from '../../ports/tenants.ts'

export type ApplyPorts = {
  readonly configs: TenantConfigStore
  readonly clock: Clock
  /** Orders the cut of what removed or narrowed rules issued. Null: what was issued is kept (`--keep-issued`). */
  readonly cut: ((order: Cut) => Promise<void>) | null
}

/** As many selectors as one order takes, at most: what ends sessions on a role sees them together. */
export type Cut = { readonly tenant: string; readonly selectors: readonly Selector[]; readonly reason: string }

/** A document that passed every check. `document` is canonical JSON; `digest` its SHA-256. */
export type CheckedDocument = { readonly tenant: string; readonly document: string; readonly digest: string }

export type Applied = {
  readonly tenant: string
  readonly outcome: 'created' | 'changed' | 'unchanged' | 'rolled_back' | 'refused_tombstone'
  readonly version: number
  readonly diff: readonly string[]
  /** What was removed or narrowed, and is cut unless what was issued is kept. */
  readonly narrowed: readonly Selector[]
  readonly issuersGone: readonly string[]
}

export type ApplyReport = {
  readonly applied: readonly Applied[] /** In the store, but in no file: reported, left as they are. */
  readonly missing: readonly string[]
}

const ATTEMPTS = 3

/** What whoever applies has to know of blocks that were laid under names of issuers. */
export const blocksLeft = ({ tenant, issuersGone: gone }: Pick<Applied, 'tenant' | 'issuersGone'>): readonly string[] =>
  gone.map(
    (name) =>
      `${tenant}: no issuer is called ${name} any more; blocks of its projects, runs, actors and keys hold for no other name`,
  )

export const applyTenants = async (
  ports: ApplyPorts,
  documents: readonly CheckedDocument[],
  by: { readonly author: string; readonly commit: string },
): Promise<ApplyReport> => {
  const applied: Applied[] = []
  for (let at = 0; at < documents.length; at += LIMITS.tenantsAtOnceMax) {
    const some = documents.slice(at, at + LIMITS.tenantsAtOnceMax)
    applied.push(...(await Promise.all(some.map((document) => applyOne(ports, document, by)))))
  }
  const named = new Set(documents.map(({ tenant }) => tenant))
  const stored = await ports.configs.list()
  return {
    applied,
    missing: stored
      .filter((row) => !named.has(row.tenant) && row.tombstonedAtSeconds === null)
      .map((row) => row.tenant),
  }
}

const applyOne = async (
  ports: ApplyPorts,
  document: CheckedDocument,
  by: { readonly author: string; readonly commit: string },
): Promise<Applied> => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const latest = await ports.configs.latest(document.tenant)
    const version = latest?.version.version ?? 0
    // A tombstone stands for good, also when the tenant was erased: applying the file again must not resurrect what was
    // removed, nor another owner come to a name that relying parties still trust.
    if (latest !== null && latest.tombstonedAtSeconds !== null)
      return { tenant: document.tenant, outcome: 'refused_tombstone', version, diff: [], narrowed: [], issuersGone: [] }
    if (latest?.version.digest === document.digest)
      return { tenant: document.tenant, outcome: 'unchanged', version, diff: [], narrowed: [], issuersGone: [] }
    const after = JSON.parse(document.document) as JsonValue
    const before = latest === null ? {} : (JSON.parse(latest.version.document) as JsonValue)
    const diff = documentDiff(before, after)
    const narrowed = latest === null ? [] : narrowedBetween(document.tenant, before, after)
    // First: a crash in between cuts too much, and never leaves alive what was taken back. A cut ends well after the version begins.
    for (let at = 0; at < narrowed.length; at += LIMITS.orderSelectorsMax)
      await ports.cut?.({
        tenant: document.tenant,
        selectors: narrowed.slice(at, at + LIMITS.orderSelectorsMax),
        reason: `narrowed by version ${version + 1} of the document`,
      })
    const isRollback = latest !== null && (await ports.configs.seen(document.tenant, document.digest))
    const put = await ports.configs.put({
      ...document,
      ...by,
      version: version + 1,
      appliedAtSeconds: ports.clock.nowSeconds(),
      diff: diff.join('\n'),
    })
    if (put)
      return {
        tenant: document.tenant,
        outcome: latest === null ? 'created' : isRollback ? 'rolled_back' : 'changed',
        version: version + 1,
        diff,
        narrowed,
        issuersGone: issuersGone(before, after),
      }
  }
  throw new Unavailable('changed_underway')
}
