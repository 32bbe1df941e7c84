// A dependency failed: thrown by ports, answered 503 with Retry-After, never an `invalid_*` (house style 21). Pure.
import type { RefusalKind } from './refusal.ts'

export class Unavailable extends Error {
  readonly kind: RefusalKind
  readonly retryAfterSeconds: number
  constructor(kind: RefusalKind, retryAfterSeconds = 2, options?: ErrorOptions) {
    super(kind, options)
    this.name = 'Unavailable'
    this.kind = kind
    this.retryAfterSeconds = retryAfterSeconds
  }
}
