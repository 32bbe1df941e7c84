// Configuration as decisions read it.
import type { TenantConfig } from '../domain/tenant-config.ts'

export interface TenantDirectory {
  /** Current compiled configuration, or null: no such tenant, or tombstoned. Cached only while proven current. */
  current(tenant: string): Promise<TenantConfig | null>
  /** The same without waiting: undefined means "not cached, ask current()". The hot path of the embedded server. Never throws. */
  peek(tenant: string): TenantConfig | null | undefined
}

/** For who records what was refused, and may not wait, or cannot, to hear whether there is such a tenant. Decides nothing. */
export interface FoundTenants {
  /** Whether the last look-up of this process found it, however long ago. Never throws. */
  wasFound(tenant: string): boolean
}

export type ConfigVersion = {
  readonly tenant: string
  readonly version: number
  readonly digest: string
  readonly author: string
  /** Commit of the reviewed files, '' when unknown. */
  readonly commit: string
  readonly appliedAtSeconds: number
  /** Canonical JSON of the document. */
  readonly document: string
  /** Lines of difference to the version before, for people. */
  readonly diff: string
}

export interface TenantEraser {
  /** Removed tenants that are not erased yet, and whose tombstone is from before. */
  due(removedBeforeSeconds: number): Promise<readonly string[]>
  /**
   * Erases what a removed tenant left: its sealed keys first, so that whatever was encrypted or derived under them is out of
   * reach at once, then its orders and revocations, records and documents. The tombstone stays, and with it the name is taken for good.
   * Any number of processes may do it at once, and do it again after a crash. False: something could not be erased yet; ask
   * again later. Throws for a tenant without a tombstone.
   */
  erase(tenant: string, nowSeconds: number): Promise<boolean>
}

export interface TenantConfigStore {
  /** The current version, or null. `tombstone` denies from the moment it is written. */
  latest(
    tenant: string,
  ): Promise<{ readonly version: ConfigVersion; readonly tombstonedAtSeconds: number | null } | null>
  list(): Promise<
    readonly {
      readonly tenant: string
      readonly version: number
      readonly digest: string
      readonly tombstonedAtSeconds: number | null
    }[]
  >
  /** Any version of a tenant, current or past: what a decision was made under. */
  version(tenant: string, version: number): Promise<ConfigVersion | null>
  /** True when this digest was applied to the tenant before the current version (a rollback). */
  seen(tenant: string, digest: string): Promise<boolean>
  /** Compare-and-set on version - 1; false when somebody else was first. */
  put(version: ConfigVersion): Promise<boolean>
  tombstone(tenant: string, atSeconds: number, by: string): Promise<void>
}
