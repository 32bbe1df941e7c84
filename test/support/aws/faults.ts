// Faults a service may have, drawn from a seeded generator so that a failing run can be run again. One rule names an action
// (`dynamodb:PutItem`, `kms:*`), a kind and how often it strikes; the first rule that strikes wins.

export type Fault = {
  /** An operation with its service; `*` at the end stands for the rest. */
  readonly action: string
  /** 0 to 100, of the calls the rule names. */
  readonly percent: number
  /** Strikes at most so often, without limit when absent. */
  readonly times?: number
} & (
  | { readonly kind: 'throttle' }
  | { readonly kind: 'error'; readonly status?: 500 | 503 }
  /** Nothing is done; the connection is cut after `ms`. */
  | { readonly kind: 'hang'; readonly ms: number }
  /** Done once that is over, whether or not the caller still waits: a write that lands after its retry. */
  | { readonly kind: 'delay'; readonly over: Promise<unknown> }
  /** Done at once, and the connection is cut instead of an answer: the outcome is unknown to the caller. */
  | { readonly kind: 'drop' }
)

export class Faults {
  #rules: { readonly fault: Fault; struck: number }[] = []
  readonly #random: () => number
  constructor(seed: number) {
    this.#random = mulberry32(seed)
  }

  /** Replaces the rules; none are left after `inject([])`. */
  inject(faults: readonly Fault[]): void {
    this.#rules = faults.map((fault) => ({ fault, struck: 0 }))
  }

  /** How often each rule has struck, in their order: a test that met no fault has tested nothing. */
  get struck(): readonly number[] {
    return this.#rules.map(({ struck }) => struck)
  }

  /** What befalls this call, if anything. */
  strike(action: string): Fault | null {
    for (const rule of this.#rules) {
      const { fault } = rule
      if (!names(fault.action, action) || rule.struck >= (fault.times ?? Number.POSITIVE_INFINITY)) continue
      if (this.#random() * 100 >= fault.percent) continue
      rule.struck++
      return fault
    }
    return null
  }
}

const names = (pattern: string, action: string): boolean =>
  pattern.endsWith('*') ? action.startsWith(pattern.slice(0, -1)) : action === pattern

/** 32-bit generator of Tommy Ettinger's mulberry; enough to choose victims. */
const mulberry32 = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
