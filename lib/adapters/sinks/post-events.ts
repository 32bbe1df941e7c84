// One POST to a sink, and what its answer means as far as HTTP says it. Bodies of some length are gzipped; of the answer only what
// the sink's protocol needs is read.
import { gzipSync } from 'node:zlib'
import { LIMITS } from '../../domain/limits.ts'
import { type DeadLetterReason, later, type SinkAnswer, type SinkTrouble } from '../../domain/sink.ts'
import type { OutboundFailure, OutboundHttp, OutboundOptions, OutboundReason } from '../../ports/outbound-http.ts'

export type SinkPost = {
  readonly url: string
  readonly contentType: string
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
  readonly isGzipped: boolean
  /** How many are in it: the answer may be as long as they are many. */
  readonly events: number
}

/** `answered`: with a status and a type of the protocol. */
export type Posted =
  | { readonly kind: 'answered'; readonly status: number; readonly body: Uint8Array }
  | Exclude<SinkAnswer, { kind: 'taken' }>

const GZIP_FROM_BYTES = 1_024

export const postEvents = async (
  http: OutboundHttp,
  { url, contentType, text, headers, isGzipped, events }: SinkPost,
  { expect, statuses }: Required<Pick<OutboundOptions, 'expect' | 'statuses'>>,
): Promise<Posted> => {
  const isPacked = isGzipped && text.length >= GZIP_FROM_BYTES
  const body = isPacked
    ? { contentType, text: gzipSync(text, { level: 1 }), headers: { ...headers, 'content-encoding': 'gzip' } }
    : { contentType, text, headers }
  const result = await http.post(url, body, {
    expect,
    statuses,
    bodyBytesMax: LIMITS.sinkAnswerBytesBase + events * LIMITS.sinkAnswerBytesPerEvent,
    connectMs: LIMITS.sinkConnectMs,
    totalMs: LIMITS.sinkCallMs,
  })
  return result.ok ? { kind: 'answered', ...result.response } : meaningOf(result.failure)
}

/** Statuses that speak of the events and not of the sink: it will never take these. */
const REFUSALS: Readonly<Record<number, DeadLetterReason>> = { 400: 'refused', 413: 'too_large', 422: 'refused' }

const meaningOf = ({ reason, status, retryAfterSeconds }: OutboundFailure): Posted => {
  if (reason !== 'status' || status === null) return later(TROUBLES[reason])
  const refused = REFUSALS[status]
  if (refused !== undefined) return { kind: 'refused', reason: refused }
  return later(troubleOf(status), retryAfterSeconds === undefined ? null : retryAfterSeconds * 1000)
}

export const troubleOf = (status: number): SinkTrouble => {
  if (status === 429) return 'status_429'
  if (status >= 500 && status < 600) return 'status_5xx'
  return status >= 400 && status < 500 ? 'status_4xx' : 'status_other'
}

const TROUBLES: Readonly<Record<OutboundReason, SinkTrouble>> = {
  url_refused: 'url_refused',
  request_refused: 'unavailable_here',
  address_refused: 'address_refused',
  name_not_resolved: 'name_not_resolved',
  connect_timeout: 'connect_timeout',
  connect_failed: 'connect_failed',
  deadline: 'deadline',
  redirect: 'redirect',
  status: 'status_other',
  content_type: 'not_its_protocol',
  content_encoding: 'not_its_protocol',
  too_large: 'not_its_protocol',
  interrupted: 'interrupted',
}

/** The answer as JSON, or null. */
export const jsonOf = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown
  } catch {
    return null
  }
}
