// What an operator asks of a tenant from afar. `id` is that of a revocation, of an order, of a decision. Pure.
import type { LogSearch } from './audit-search.ts'
import type { JsonObject } from './claims.ts'
import type { Target } from './decide.ts'
import type { RevocationKind } from './revocation.ts'

export type AdminRequest =
  | {
      readonly kind: 'revoke'
      readonly what: RevocationKind
      readonly value: string
      readonly form: 'block' | 'cut'
      readonly reason: string
      readonly isDryRun: boolean
    }
  | { readonly kind: 'unblock'; readonly id: string; readonly reason: string }
  /** `after`: where the page before ended. */
  | { readonly kind: 'revocations'; readonly after: number }
  | { readonly kind: 'receivers' }
  | { readonly kind: 'order'; readonly id: string }
  | { readonly kind: 'decision'; readonly id: string }
  | { readonly kind: 'simulate'; readonly evidence: SimulatedEvidence; readonly target: Target }
  | SinkRequest
  | AuditRequest
  | KeyRequest

/** An assertion, of which nobody checks the signature, or its claims. */
export type SimulatedEvidence =
  | { readonly form: 'assertion'; readonly assertion: string }
  | { readonly form: 'claims'; readonly claims: JsonObject }

/** Of the tenant's own signing keys. */
export type KeyRequest =
  | { readonly kind: 'keys' }
  | { readonly kind: 'rotate_keys' }
  | { readonly kind: 'taint_key'; readonly kid: string; readonly reason: string }

/** Of the tenant's audit log. `from`: the index of the first leaf wanted. `event`: a decision id, or the id of any event. */
export type AuditRequest =
  | { readonly kind: 'log' }
  | { readonly kind: 'log_events'; readonly from: number }
  | { readonly kind: 'log_search'; readonly search: LogSearch; readonly from: number; readonly limit: number }
  | { readonly kind: 'log_proof'; readonly event: string }

/** What is asked of sinks: how they go, to be sent a marked event or their dead letters, and what became of that. */
export type SinkRequest =
  | { readonly kind: 'sinks' }
  | { readonly kind: 'ask_sink'; readonly sink: string; readonly errand: 'test' | 'resend' }
  | { readonly kind: 'sink_errand'; readonly id: string }
  | { readonly kind: 'dead_letters'; readonly sink: string }
