// The sinks a tenant's current document names. One stays the same for as long as its rule does: it knows what it has sent, and
// another knows nothing of that.
import type { SinkRule } from '../../domain/tenant-config.ts'
import type { Sink } from '../../ports/sinks.ts'
import type { TenantDirectory } from '../../ports/tenants.ts'
import type { Target } from './deliver-events.ts'

type Made = { readonly rule: string; readonly sink: Sink | null }

export type SinkTargetsPorts = {
  readonly directory: TenantDirectory
  readonly issuerUrl: (tenant: string) => string
  /** Null: this broker has no way to such a sink. */
  readonly make: (rule: SinkRule, tenant: string, issuerUrl: string) => Sink | null
}

/** Makes a sink when a document first names it, and forgets those that none names any more. */
export const createSinkTargets = ({ directory, issuerUrl: issuerUrlOf, make }: SinkTargetsPorts) => {
  const made = new Map<string, ReadonlyMap<string, Made>>()
  return async (tenant: string): Promise<readonly Target[]> => {
    const known = directory.peek(tenant)
    const config = known === undefined ? await directory.current(tenant) : known
    const issuerUrl = issuerUrlOf(tenant)
    const before = made.get(tenant)
    const now = new Map(
      (config?.sinks ?? []).map((rule): [string, Made] => {
        const text = JSON.stringify(rule)
        const known = before?.get(rule.name)
        return [rule.name, known?.rule === text ? known : { rule: text, sink: make(rule, tenant, issuerUrl) }]
      }),
    )
    if (now.size === 0) made.delete(tenant)
    else made.set(tenant, now)
    return [...now].flatMap(([name, { sink }]) => (sink === null ? [] : [{ tenant, issuerUrl, name, sink }]))
  }
}
