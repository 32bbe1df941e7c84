// What sinks answer, as far as it decides anything: strict where it says that events were taken, for whoever stands in between
// may answer 200 to everything. A sink is a tenant's, the memory everybody's: no schema is asked of more than one item, for it
// would make a complaint of every one. Pure.
import * as z from 'zod/mini'
import { type DeadLetterReason, later, type SinkAnswer, type SinkTrouble, TAKEN } from '../domain/sink.ts'

const count = z.union([z.string().check(z.regex(/^[0-9]{1,15}$/)), z.number().check(z.nonnegative())])
/** To the JSON of proto3 null is a member that is not there. */
const otlp = z.object({ partialSuccess: z.nullish(z.object({ rejectedLogRecords: z.nullish(count) })) })

/** Of ExportLogsServiceResponse. */
export const otlpAnswer = (body: unknown): SinkAnswer => {
  const read = otlp.safeParse(body)
  if (!read.success) return later('not_its_protocol')
  const rejected = Number(read.data.partialSuccess?.rejectedLogRecords ?? 0)
  return rejected === 0 ? TAKEN : { kind: 'refused', reason: 'refused' }
}

const hecTaken = z.object({ code: z.literal(0), ackId: z.optional(z.number()) })

/** The id to ask for; `undefined`: it took them and will not say when they are indexed; null: not the answer of a HEC. */
export const hecAckId = (body: unknown): number | undefined | null => {
  const read = hecTaken.safeParse(body)
  return read.success ? read.data.ackId : null
}

const hecRefused = z.object({ code: z.number() })
/** Codes of a 400 that are about the events: no data, invalid format, event missing, blank, or with wrong fields. */
const OF_EVENTS: ReadonlySet<number> = new Set([5, 6, 12, 13, 15])

/** Of a 400: anything but the events' fault is the sink's configuration. */
export const hecRefusal = (body: unknown): SinkAnswer => {
  const read = hecRefused.safeParse(body)
  if (!read.success) return later('not_its_protocol')
  return OF_EVENTS.has(read.data.code) ? { kind: 'refused', reason: 'refused' } : later('status_4xx')
}

const hecAcks = z.object({
  acks: z.custom<Readonly<Record<string, unknown>>>(
    (acks) => typeof acks === 'object' && acks !== null && !Array.isArray(acks),
  ),
})

/** Which of the ids that were asked for are indexed; null: not the answer of a HEC. */
export const hecIndexed = (body: unknown, asked: Iterable<number>): readonly number[] | null => {
  const read = hecAcks.safeParse(body)
  if (!read.success) return null
  const indexed: number[] = []
  for (const id of asked) {
    const isIndexed = read.data.acks[id] ?? false
    if (typeof isIndexed !== 'boolean') return null
    if (isIndexed) indexed.push(id)
  }
  return indexed
}

const bulk = z.object({ items: z.custom<readonly unknown[]>(Array.isArray) })
const bulkItem = z.object({
  create: z.object({ status: z.number(), error: z.optional(z.object({ type: z.string() })) }),
})

/** Of a bulk of `sent` creates. A conflict is the event that is there already. */
export const bulkAnswer = (body: unknown, sent: number): SinkAnswer => {
  const read = bulk.safeParse(body)
  if (!read.success || read.data.items.length !== sent) return later('not_its_protocol')
  const refused: { index: number; reason: DeadLetterReason }[] = []
  let trouble: SinkTrouble | null = null
  for (const [index, item] of read.data.items.entries()) {
    const one = bulkItem.safeParse(item)
    if (!one.success) return later('not_its_protocol')
    const { create } = one.data
    const meaning = meaningOf(create.status, create.error?.type ?? '')
    if (meaning === 'taken') continue
    if (meaning === 'mapping_refused' || meaning === 'too_large') refused.push({ index, reason: meaning })
    else trouble ??= meaning
  }
  return trouble === null ? { kind: 'taken', refused } : later(trouble)
}

/** Errors of one document and its mapping. Others of status 400 are of the index: nothing is lost while somebody looks at it. */
const MAPPING = /^(?:mapper|document)_parsing_exception$|^strict_dynamic_mapping_exception$/

const meaningOf = (status: number, type: string): 'taken' | 'mapping_refused' | 'too_large' | SinkTrouble => {
  if ((status >= 200 && status < 300) || status === 409) return 'taken'
  if (status === 413) return 'too_large'
  if (status === 400 && MAPPING.test(type)) return 'mapping_refused'
  if (status === 429) return 'status_429'
  return status >= 500 ? 'status_5xx' : 'status_4xx'
}
