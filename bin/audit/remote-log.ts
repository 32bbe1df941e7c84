// A tenant's audit log at a broker, over HTTP, with a token of scope audit:read: events and salts through `admin/audit`, checkpoint,
// tiles and verifier keys where they are public. Nothing is taken for true here: `verify` checks all of it.

import type { Problem, ProblemKind } from '../../lib/client/outcome.ts'
import type { LogSearch } from '../../lib/domain/audit-search.ts'
import { canonicalJson } from '../../lib/domain/canonical-json.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { decodeBase64, parseCheckpoint, unverifiedText } from '../../lib/domain/tlog/signed-note.ts'
import type { Receipt } from '../../lib/flows/audit/prove-event.ts'
import type { ShownLeaf } from '../../lib/flows/audit/read-log.ts'
import type { Found } from '../../lib/flows/audit/search-log.ts'
import type { Expired, LogSource, StoredLeaf } from '../../lib/ports/tenant-log.ts'
import type { Afar, Json } from '../remote/call-tenant.ts'
import { openHttpLog } from './http-log.ts'
import { CannotOpen, type ReadableLog } from './open-log.ts'

/** Throws CannotOpen. */
const ask = async ({ call }: Afar, path: string): Promise<Json> => {
  const answered = await call(`admin/audit${path}`)
  if (answered.ok) return answered.value
  throw new CannotOpen(saysOf(answered.problem), kindOf(answered.problem))
}

const saysOf = ({ says, facts }: Problem): string =>
  facts?.['status'] === 404 ? `${says}: there is no such event or log, or this broker does not show it over HTTP` : says

/** A proof that cannot be had yet is worth another try. */
const kindOf = ({ kind, facts }: Problem): ProblemKind => (facts?.['refusal'] === 'not_covered' ? 'unavailable' : kind)

const leavesOf =
  (afar: Afar) =>
  async (fromIndex: number, limit: number): Promise<readonly StoredLeaf[]> => {
    const before = fromIndex + limit
    const leaves: StoredLeaf[] = []
    for (let from: number | null = fromIndex; from !== null && from < before; ) {
      const page = (await ask(afar, `/events?from=${from}`)) as { leaves: readonly ShownLeaf[]; next: number | null }
      leaves.push(...page.leaves.filter(({ index }) => index < before).map(leafOf))
      from = page.next
    }
    return leaves
  }

const leafOf = ({ index, salt, event }: ShownLeaf): StoredLeaf => ({
  index,
  salt: decodeBase64(salt) ?? new Uint8Array(),
  canonical: canonicalJson(event),
})

const headOf = async (afar: Afar) =>
  (await ask(afar, '')) as { readonly origin: string; readonly size: number; readonly expired: Expired | null }

/** For `verify`: public parts and events of one log. */
export const openRemoteSource = (afar: Afar): LogSource & { readonly vkeys: () => Promise<readonly string[]> } => ({
  ...openHttpLog(`${afar.url}/log`),
  leaves: leavesOf(afar),
  expired: async () => (await headOf(afar)).expired,
})

/** For all other commands. */
export const openRemoteLog = async (afar: Afar): Promise<ReadableLog> => {
  const { origin, size } = await headOf(afar)
  const shared = openHttpLog(`${afar.url}/log`)
  return {
    tenant: afar.tenant,
    log: {
      about: async () => ({ origin, size }),
      async checkpoint() {
        const note = await shared.checkpoint()
        const signed = note === null ? null : parseCheckpoint(unverifiedText(note))
        return note === null || signed === null ? null : { note, size: signed.size }
      },
      tile: async (_, name) => (await shared.tile(name)) ?? null,
      leaves: (_, fromIndex, limit) => leavesOf(afar)(fromIndex, limit),
    },
    search: (search, page) => searchFromAfar(afar, search, page),
    // The broker's own receipt: it is on record who asked for it.
    prove: async (uid) => (await ask(afar, `/proof?event=${encodeURIComponent(uid)}`))['receipt'] as Receipt,
    origin,
    expired: async () => (await headOf(afar)).expired,
    vkeys: shared.vkeys,
    close: () => undefined,
  }
}

const searchFromAfar = async (
  afar: Afar,
  { wanted, sinceMs, untilMs }: LogSearch,
  { from, limit }: { readonly from: number; readonly limit: number },
): Promise<Found> => {
  const query = new URLSearchParams({
    ...Object.fromEntries(wanted),
    from: String(from),
    limit: String(Math.min(limit, LIMITS.auditPageMax)),
    since: String(Math.max(0, sinceMs)),
    until: String(Math.max(0, untilMs)),
  })
  return (await ask(afar, `/search?${query}`)) as unknown as Found
}
