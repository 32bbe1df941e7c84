// TenantDirectory over stored versions: the document of the current version, compiled once and kept while the store has not
// moved. What is stored passed every check when it was applied; it is checked again here, because old rows meet new rules.
import type { TenantConfig } from '../../domain/tenant-config.ts'
import type { ConfigVersion, TenantConfigStore, TenantDirectory } from '../../ports/tenants.ts'

type Options = {
  readonly configs: TenantConfigStore
  /** Moves whenever configuration may have been written, by this process or another. */
  readonly changeMark: () => unknown
  /** Null: the stored document no longer passes the checks. That tenant is then denied, loudly. */
  readonly compile: (version: ConfigVersion) => TenantConfig | null
  readonly onUnusable: (tenant: string, version: number) => void
  readonly entriesMax?: number
}

type Entry = { config: TenantConfig | null; mark: unknown }

export const createTenantDirectory = (options: Options): TenantDirectory => {
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
      return entry !== undefined && entry.mark === options.changeMark() ? entry.config : undefined
    },
    async current(tenant) {
      // Taken before the read: a write that lands in between moves the mark, and the entry is then not used again.
      const mark = options.changeMark()
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
