// A map that forgets what was not used lately: tenants come and go, memory does not grow with them (lib/domain/limits.ts).
// Two generations instead of a strict order: constant work a call. (A Map kept in order of use walks over all it deleted.)

export class BoundedCache<V> {
  #young = new Map<string, V>()
  #old = new Map<string, V>()
  readonly #generationMax: number

  /** Keeps at least the `generationMax` entries used last, and never more than twice as many. */
  constructor(generationMax: number) {
    this.#generationMax = generationMax
  }

  get(key: string): V | undefined {
    const value = this.#young.get(key)
    if (value !== undefined) return value
    const aged = this.#old.get(key)
    if (aged !== undefined) this.set(key, aged)
    return aged
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.#generationMax && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }

  delete(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }
}
