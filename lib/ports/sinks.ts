// Where audit events are delivered (design P7): at least once, under an id that never changes, in the order of the tenant's log.
import type { OcsfEvent } from '../domain/ocsf/event.ts'

export interface Sink {
  /**
   * Takes events in the order given. When it resolves they are the sink's, durably as far as the sink can say it. Throws
   * Unavailable: none or some were taken, bring all of them again.
   */
  deliver(events: readonly OcsfEvent[]): Promise<void>
  /** The same of their canonical texts, for a sink that takes JSON as it is: nothing is parsed and written again. */
  readonly deliverTexts?: (canonical: readonly string[]) => Promise<void>
}

/** The next leaf a sink wants, and the size of the checkpoint it was told last. */
export type SinkPosition = { readonly leaf: number; readonly checkpoint: number }

/** How far each sink of a tenant is, by its name. */
export interface SinkCursors {
  /** Where a sink is, without a lease; null: it is new. */
  at(target: { readonly tenant: string; readonly sink: string }): Promise<SinkPosition | null>
  /**
   * Where the sink is, for `holder` alone until `untilMs`; null: another process delivers to it now. A sink that is new wants
   * leaf 0.
   */
  lease(
    target: { readonly tenant: string; readonly sink: string },
    holder: string,
    nowMs: number,
    untilMs: number,
  ): Promise<SinkPosition | null>
  /** Durable; by the holder only, never back. */
  advance(target: { readonly tenant: string; readonly sink: string }, holder: string, to: SinkPosition): Promise<void>
}
