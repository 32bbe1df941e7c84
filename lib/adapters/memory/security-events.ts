// Security events in this process, for tests.
import type { RecordedEvent } from '../../domain/recorded-event.ts'
import type { SecurityEvents } from '../../ports/security-events.ts'

export const createMemorySecurityEvents = (): SecurityEvents => {
  const events = new Map<string, RecordedEvent>()
  const keyOf = (tenant: string, id: string): string => `${tenant}/${id}`
  return {
    find: async (tenant, id) => events.get(keyOf(tenant, id)) ?? null,
    async put(event) {
      const key = keyOf(event.tenant, event.id)
      const before = events.get(key)
      if (before === undefined || before.outcome === 'unselectable') events.set(key, event)
    },
    list: async (tenant, limit) =>
      [...events.values()]
        .filter((event) => event.tenant === tenant)
        .reverse()
        .slice(0, limit),
  }
}
