// What an operator learns of a tenant's sinks and has done with them, at the broker's machine or from afar.
import type { SinkRequest } from '../../domain/admin-request.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { OcsfEvent } from '../../domain/ocsf/event.ts'
import type { DeadLetter, SinkErrand, SinkStatus } from '../../domain/sink.ts'
import type { TenantConfig } from '../../domain/tenant-config.ts'
import type { AnchorRecord, AnchorRecords } from '../../ports/anchors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { SinkBoard, SinkErrands } from '../../ports/sinks.ts'
import type { Ids } from '../../ports/system.ts'

export type SinkPorts = {
  readonly board: SinkBoard
  readonly anchors: Pick<AnchorRecords, 'of'>
  readonly errands: Pick<SinkErrands, 'ask' | 'find' | 'deadLetters'>
  readonly clock: Pick<Clock, 'nowSeconds'>
  readonly ids: Pick<Ids, 'decisionId'>
}

export type SinkAdminAnswer =
  | { readonly kind: 'sinks'; readonly sinks: readonly SinkStatus[]; readonly anchors: readonly ToldAnchor[] }
  /** Its outcome is known when a broker has done it. */
  | { readonly kind: 'errand_accepted' | 'errand'; readonly errand: SinkErrand }
  /** Oldest first. */
  | { readonly kind: 'dead_letters'; readonly letters: readonly ToldLetter[] }
  | { readonly kind: 'not_found' }

/** What an anchor has kept last of the tenant's log. */
export type ToldAnchor = Omit<AnchorRecord, 'note'>

/** The event itself is in the log, for whoever may read that. */
export type ToldLetter = Pick<DeadLetter, 'leaf' | 'reason'> & { readonly uid: string }

const uidOf = (canonical: string): string => (JSON.parse(canonical) as OcsfEvent).metadata.uid

export const administerSinks = async (
  { board, anchors, errands, clock, ids }: SinkPorts,
  { tenant, sinks }: Pick<TenantConfig, 'tenant' | 'sinks'>,
  asked: SinkRequest,
): Promise<SinkAdminAnswer> => {
  if (asked.kind === 'sinks') {
    const kept = (await anchors.of(tenant)).map(({ note: _, ...told }) => told)
    return { kind: 'sinks', sinks: await board.status(tenant, sinks, clock.nowSeconds()), anchors: kept }
  }
  if (asked.kind === 'sink_errand') {
    const errand = await errands.find(tenant, asked.id)
    return errand === null ? { kind: 'not_found' } : { kind: 'errand', errand }
  }
  const { sink } = asked
  if (!sinks.some(({ name }) => name === sink)) return { kind: 'not_found' }
  if (asked.kind === 'dead_letters') {
    const letters = await errands.deadLetters({ tenant, sink }, 0, LIMITS.sinkDeadLettersPerResend)
    const told = letters.map(({ leaf, reason, canonical }) => ({ uid: uidOf(canonical), leaf, reason }))
    return { kind: 'dead_letters', letters: told }
  }
  const errand: SinkErrand = { id: ids.decisionId(), tenant, sink, kind: asked.errand, outcome: null }
  await errands.ask(errand, clock.nowSeconds())
  return { kind: 'errand_accepted', errand }
}
