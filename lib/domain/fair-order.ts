// What waits, in fair order: tenants take turns, within a tenant its sources do, and one source's go in the order they came. So
// whoever sends a thousand waits for a thousand, and their neighbour for one of them. Pure.

export class FairOrder<T> {
  readonly #tenants = new Map<string, Map<string, T[]>>()

  add(tenant: string, source: string, item: T): void {
    const sources = this.#tenants.get(tenant) ?? new Map<string, T[]>()
    const items = sources.get(source)
    if (items === undefined) sources.set(source, [item])
    else items.push(item)
    this.#tenants.set(tenant, sources)
  }

  /** Takes out the next; its tenant and its source go to the end of their lines. */
  next(): T | undefined {
    for (const [tenant, sources] of this.#tenants)
      for (const [source, items] of sources) {
        const item = items.shift()
        this.#tenants.delete(tenant)
        sources.delete(source)
        if (items.length > 0) sources.set(source, items)
        if (sources.size > 0) this.#tenants.set(tenant, sources)
        return item
      }
    return undefined
  }

  /** Takes out the oldest of the source that has most waiting: of that tenant, or where none is named, of all. */
  shed(tenant?: string): T | undefined {
    let longest: { tenant: string; source: string; items: T[] } | null = null
    for (const [name, sources] of this.#tenants) {
      if (tenant !== undefined && name !== tenant) continue
      for (const [source, items] of sources)
        if (longest === null || items.length > longest.items.length) longest = { tenant: name, source, items }
    }
    if (longest === null) return undefined
    const item = longest.items.shift()
    if (longest.items.length === 0) {
      const sources = this.#tenants.get(longest.tenant)
      sources?.delete(longest.source)
      if (sources?.size === 0) this.#tenants.delete(longest.tenant)
    }
    return item
  }
}
