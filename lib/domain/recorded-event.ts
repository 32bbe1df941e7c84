// A security event as it is remembered (design §2 `events`): who reported what, and what came of it. Never the event itself:
// that is in the order it became, as its proof. Pure.
import { decodeBase64url } from './base64url.ts'

export type EventOutcome =
  /** It became an order, which has the id of the event. */
  | 'ordered'
  /** Authentic, and nothing of the tenant is meant: an alarm. */
  | 'selects_nothing'
  /** Good news, or about the stream. */
  | 'acknowledged'
  /** Authentic, but what it names is no value of the kind it is mapped to: answered 400, and an alarm. */
  | 'unselectable'

export type RecordedEvent = {
  readonly v: 1
  readonly id: string
  readonly tenant: string
  /** Name in the tenant document. */
  readonly source: string
  /** Our name of it; `unknown` where we have none. */
  readonly event: string
  readonly outcome: EventOutcome
  /** SHA-256, base64url, of what was signed: the same id with another content is another event under a used name. */
  readonly contentHash: string
  readonly atSeconds: number
}

/**
 * A UUID (RFC 9562 §5.8, version 8) from 32 bytes of hash in base64url: the event, and the order it becomes, have one id on
 * every broker and after every crash.
 */
export const idFromHash = (sha256: string): string => {
  const bytes = decodeBase64url(sha256)
  if (bytes === null || bytes.length !== 32) throw new TypeError('not a SHA-256 in base64url')
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = [...bytes.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
