// Revoked handles in the least memory that still answers at once: open addressing over typed arrays, 12 bytes a slot and 4 more
// where each has a time. A million takes 25 MB; a Map of strings takes 100. Pure.

const WORDS = 3
const SLOTS_MIN = 1 << 10
/** Of ten slots at most seven are taken: probes stay short. */
const isFull = (count: number, slots: number): boolean => count * 10 > slots * 7

/** 12 bytes as three words. */
export type Handle = readonly [number, number, number]

/** Handles, each with a time where `hasTimes`. A handle of 96 zero bits cannot be held, and none ever is one. */
export class HandleTable {
  #keys = new Uint32Array(SLOTS_MIN * WORDS)
  #times: Uint32Array | null
  #mask = SLOTS_MIN - 1
  #count = 0

  constructor({ hasTimes }: { readonly hasTimes: boolean }) {
    this.#times = hasTimes ? new Uint32Array(SLOTS_MIN) : null
  }

  get size(): number {
    return this.#count
  }

  has(handle: Handle): boolean {
    return this.#isTaken(this.#slotOf(handle))
  }

  /** Epoch seconds; 0: the handle is not there. */
  timeOf(handle: Handle): number {
    const slot = this.#slotOf(handle)
    return this.#isTaken(slot) ? (this.#times?.[slot] ?? 0) : 0
  }

  /** A time only moves ahead. */
  add(handle: Handle, seconds = 0): void {
    let slot = this.#slotOf(handle)
    if (!this.#isTaken(slot)) {
      if (isFull(this.#count + 1, this.#mask + 1)) {
        this.#grow()
        slot = this.#slotOf(handle)
      }
      this.#keys.set(handle, slot * WORDS)
      this.#count += 1
    }
    if (this.#times !== null) this.#times[slot] = Math.max(this.#times[slot]!, Math.min(seconds, 0xffffffff))
  }

  delete(handle: Handle): void {
    let gap = this.#slotOf(handle)
    if (!this.#isTaken(gap)) return
    this.#count -= 1
    // What was pushed past the gap moves back into it, or it would not be found any more.
    for (let at = this.#next(gap); this.#isTaken(at); at = this.#next(at)) {
      const home = this.#keys[at * WORDS]! & this.#mask
      if (((at - home) & this.#mask) < ((at - gap) & this.#mask)) continue
      this.#keys.copyWithin(gap * WORDS, at * WORDS, at * WORDS + WORDS)
      if (this.#times !== null) this.#times[gap] = this.#times[at]!
      gap = at
    }
    this.#keys.fill(0, gap * WORDS, gap * WORDS + WORDS)
    if (this.#times !== null) this.#times[gap] = 0
  }

  #next(slot: number): number {
    return (slot + 1) & this.#mask
  }

  #isTaken(slot: number): boolean {
    const at = slot * WORDS
    return (this.#keys[at]! | this.#keys[at + 1]! | this.#keys[at + 2]!) !== 0
  }

  /** Where the handle is, or the free slot where it belongs. Handles are hashes: any word of one spreads evenly. */
  #slotOf([a, b, c]: Handle): number {
    let slot = a & this.#mask
    for (; ; slot = this.#next(slot)) {
      const at = slot * WORDS
      if (this.#keys[at] === a && this.#keys[at + 1] === b && this.#keys[at + 2] === c) return slot
      if (!this.#isTaken(slot)) return slot
    }
  }

  #grow(): void {
    const [keys, times] = [this.#keys, this.#times]
    const slots = (this.#mask + 1) * 2
    this.#keys = new Uint32Array(slots * WORDS)
    this.#times = times === null ? null : new Uint32Array(slots)
    this.#mask = slots - 1
    this.#count = 0
    for (let at = 0; at < keys.length; at += WORDS) {
      const handle: Handle = [keys[at]!, keys[at + 1]!, keys[at + 2]!]
      if ((handle[0] | handle[1] | handle[2]) !== 0) this.add(handle, times?.[at / WORDS] ?? 0)
    }
  }
}
