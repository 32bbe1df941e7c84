// Handles of design §6 that were made lately. Looked up name by name: one long key of all of them, joined for each of a dozen
// handles of every token, would have to be built and hashed each time.

export class HandleCache {
  /** tenant, kind, issuer, value. */
  #tenants = new Map<string, Map<string, Map<string, Map<string, string>>>>()
  #size = 0
  readonly #max: number

  /** Keeps `max` at most; then it begins anew: what is asked for often is soon back. */
  constructor(max: number) {
    this.#max = max
  }

  get(tenant: string, kind: string, issuer: string, value: string): string | undefined {
    return this.#tenants.get(tenant)?.get(kind)?.get(issuer)?.get(value)
  }

  set(tenant: string, kind: string, issuer: string, value: string, handle: string): void {
    if (this.#size >= this.#max) {
      this.#tenants = new Map()
      this.#size = 0
    }
    const values = within(within(within(this.#tenants, tenant), kind), issuer)
    if (!values.has(value)) this.#size += 1
    values.set(value, handle)
  }

  get size(): number {
    return this.#size
  }
}

const within = <V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> => {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = new Map<string, V>()
  map.set(key, made)
  return made
}
