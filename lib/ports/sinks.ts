// Where audit events are delivered (design P7): at least once, under an id that never changes, in the order of the tenant's log.
import type { DeadLetter, SinkAnswer, SinkErrand, SinkStatus, SinkTrouble } from '../domain/sink.ts'

export interface Sink {
  /**
   * One request with events in the order given, by their canonical texts (RFC 8785), which go out as they are. `taken`: they are the
   * sink's, durably as far as the sink can say it; for a sink with `settle`, once that says so.
   */
  deliver(canonical: readonly string[]): Promise<SinkAnswer>
  /**
   * Whether everything that was taken since the last `taken` here is the sink's for good. Keeps asking for a while; `later`:
   * not known yet, ask again. `forget`: what was sent and not settled will be brought again.
   */
  readonly settle?: () => Promise<SinkAnswer>
  readonly forget?: () => void
}

/** The next leaf a sink wants, and the size of the checkpoint it was told last. */
export type SinkPosition = { readonly leaf: number; readonly checkpoint: number }

/** A dead letter as it is buried. `checkpoint`: of one that is no leaf, the size of the checkpoint it is. */
export type Buried = DeadLetter & { readonly checkpoint: number }

export type SinkKey = { readonly tenant: string; readonly sink: string }

/** How far each sink of a tenant is, by its name. */
export interface SinkCursors {
  /** Where a sink is, without a lease; null: it is new. */
  at(target: SinkKey): Promise<SinkPosition | null>
  /**
   * Where the sink is, for `holder` alone until `untilMs`; null: another process delivers to it now. A sink that is new wants
   * leaf 0.
   */
  lease(target: SinkKey, holder: string, nowMs: number, untilMs: number): Promise<SinkPosition | null>
  /**
   * Durable, with the dead letters that lie before it; by the holder only, never back. A letter that was buried by a call that
   * failed may be there already: of one event there is one.
   */
  advance(target: SinkKey, holder: string, to: SinkPosition, dead: readonly Buried[], atSeconds: number): Promise<void>
  /** Notes how it goes: failures in a row, and why. By the holder only. */
  note(target: SinkKey, holder: string, failures: number, trouble: SinkTrouble | null): Promise<void>
  /** Ends all leases of a holder that stops. */
  release(holder: string): Promise<void>
}

/** Dead letters, and what operators ask to be done with sinks. */
export interface SinkErrands {
  /** Durable. */
  ask(errand: SinkErrand, atSeconds: number): Promise<void>
  find(tenant: string, id: string): Promise<SinkErrand | null>
  /** Those of a sink that nobody did yet, oldest first; what was asked before `sinceSeconds` is given up. */
  open(target: SinkKey, sinceSeconds: number): Promise<readonly SinkErrand[]>
  done(errand: SinkErrand): Promise<void>
  /** Up to `limit`, oldest first, behind `after`. */
  deadLetters(
    target: SinkKey,
    after: number,
    limit: number,
  ): Promise<readonly (DeadLetter & { readonly seq: number })[]>
  /** The sink took it after all. */
  drop(target: SinkKey, seq: number): Promise<void>
}

/** Sinks as operators see them. */
export interface SinkBoard {
  status(
    tenant: string,
    sinks: readonly { name: string; type: string }[],
    nowSeconds: number,
  ): Promise<readonly SinkStatus[]>
}

/** What is signed of a request to a webhook. */
export type WebhookRequest = {
  /** As on the wire. */
  readonly url: string
  /** SHA-256 of the body, base64. */
  readonly digest: string
}

/** `signature`: Ed25519, base64. */
export type MessageSignature = { readonly kid: string; readonly createdSeconds: number; readonly signature: string }

/** Signs requests to webhooks with the `log` key of the tenant. INVARIANT: it makes the text it signs itself, whoever asks. */
export interface MessageSigner {
  /** Throws Unavailable: there is no such key now, or the document names this URL no more. */
  sign(tenant: string, request: WebhookRequest): Promise<MessageSignature>
}
