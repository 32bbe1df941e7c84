// TenantDirectory over stored versions: the document of the current version, compiled once and kept as long as `validity`
// says. What is stored passed every check when it was applied; it is checked again here, because old rows meet new rules.
import { LIMITS } from '../../domain/limits.ts'
import type { TenantConfig } from '../../domain/tenant-config.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ConfigVersion, FoundTenants, TenantConfigStore, TenantDirectory } from '../../ports/tenants.ts'

/** What tells whether something read earlier may still answer. */
export type Validity = {
  /** Taken before the read it will stand for. */
  readonly mark: () => unknown
  readonly holds: (mark: unknown) => boolean
}

/** As long as the store has not moved. `changeMark` moves whenever configuration may have been written, by any process. */
export const whileUnmoved = (changeMark: () => unknown): Validity => ({
  mark: changeMark,
  holds: (mark) => mark === changeMark(),
})

/**
 * For some seconds, by the later of wall and monotonic age. Only where what rests on it is checked against the current version
 * strongly before anything is signed, as mint does: what was removed denies at once, what was added waits this long.
 */
export const forSeconds = (clock: Clock, seconds: number = LIMITS.configCacheSeconds): Validity => ({
  mark: () => ({ wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() }),
  holds(mark) {
    const { wallMs, monotonicMs } = mark as { readonly wallMs: number; readonly monotonicMs: number }
    return Math.max(Math.abs(clock.nowMs() - wallMs), clock.monotonicMs() - monotonicMs) < seconds * 1000
  },
})

/**
 * As long as the list of tenants and their versions reads the same: for who lists them anyhow. What was read stands for a list that
 * was read before it.
 */
export const whileListedAlike = (
  configs: Pick<TenantConfigStore, 'list'>,
): { readonly validity: Validity; readonly configs: Pick<TenantConfigStore, 'list'> } => {
  let listed = ''
  return {
    validity: whileUnmoved(() => listed),
    configs: {
      async list() {
        const all = await configs.list()
        listed = JSON.stringify(all)
        return all
      },
    },
  }
}

type Options = {
  readonly configs: Pick<TenantConfigStore, 'latest'>
  readonly validity: Validity
  /** Null: the stored document no longer passes the checks. That tenant is then denied, loudly. */
  readonly compile: (version: ConfigVersion) => TenantConfig | null
  readonly onUnusable: (tenant: string, version: number) => void
  readonly entriesMax?: number
}

type Entry = { config: TenantConfig | null; mark: unknown }

export const createTenantDirectory = (options: Options): TenantDirectory & FoundTenants => {
  const { validity } = options
  const entries = new Map<string, Entry>()
  const entriesMax = options.entriesMax ?? 20_000

  const remember = (tenant: string, entry: Entry): TenantConfig | null => {
    // Unknown names are remembered too, or each would cost a read; the oldest goes first, so they cannot fill the memory.
    if (entries.size >= entriesMax) entries.delete(entries.keys().next().value as string)
    entries.delete(tenant)
    entries.set(tenant, entry)
    return entry.config
  }

  return {
    peek(tenant) {
      const entry = entries.get(tenant)
      return entry !== undefined && stillHolds(validity, entry.mark) ? entry.config : undefined
    },
    wasFound: (tenant) => (entries.get(tenant)?.config ?? null) !== null,
    async current(tenant) {
      // Taken before the read: a write that lands in between is not covered by it, and the entry is then not used again.
      const mark = validity.mark()
      const latest = await options.configs.latest(tenant)
      if (latest === null || latest.tombstonedAtSeconds !== null) return remember(tenant, { config: null, mark })
      const { version } = latest
      const known = entries.get(tenant)?.config
      // INVARIANT: the same version is the same object, so that mint can tell "unchanged" by identity.
      if (known && known.version === version.version && known.digest === version.digest)
        return remember(tenant, { config: known, mark })
      const config = options.compile(version)
      if (config === null) options.onUnusable(tenant, version.version)
      return remember(tenant, { config, mark })
    },
  }
}

/** A store that is away cannot say so: then nothing is at hand, and whoever asks current() is told of the outage. */
const stillHolds = (validity: Validity, mark: unknown): boolean => {
  try {
    return validity.holds(mark)
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    return false
  }
}
