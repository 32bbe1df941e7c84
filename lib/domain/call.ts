// A call to one of a tenant's own endpoints (introspection, revocation, administration) and what becomes of it. Pure.
import type { Refusal } from './refusal.ts'

export type Call = {
  readonly tenant: string
  /** The Authorization header as it came. */
  readonly authorization: string | undefined
  /** The DPoP header (RFC 9449 §7) as it came. */
  readonly dpop: string | undefined
  readonly method: string
  /** Below the tenant's issuer URL, with its slash: where the call was sent, whatever a Host header says. */
  readonly path: string
  readonly traceId: string
  readonly source: string
}

export type CallAnswer<T> =
  | { readonly kind: 'unknown_tenant' }
  | {
      readonly kind: 'refused'
      readonly decisionId: string
      readonly refusal: Refusal
      readonly issuerUrl: string
      readonly retryAfterSeconds: number
    }
  | { readonly kind: 'done'; readonly value: T }
