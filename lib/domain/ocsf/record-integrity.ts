// The record_integrity profile (OCSF 1.9): each event carries its place in the tenant's log, the fingerprint of the event before
// it, and its own, over the canonical text without that fingerprint. A chain anybody can walk with nothing but the events. Pure.
import { canonicalJson } from '../canonical-json.ts'
import type { JsonObject } from '../claims.ts'
import type { OcsfEvent } from './event.ts'

/** The event before, as the next one names it. */
export type ChainLink = { readonly uid: string; readonly typeUid: number; readonly fingerprint: string }

export type Chained = {
  /** RFC 8785, UTF-8: what the log commits to. */
  readonly canonical: string
  readonly link: ChainLink
}

/** `sequence`: the index of its leaf. `sha256Hex`: over UTF-8. */
export const chainEvent = (
  event: OcsfEvent,
  place: {
    readonly sequence: number
    readonly chain: string
    readonly authority: string
    readonly before: ChainLink | null
  },
  sha256Hex: (text: string) => string,
): Chained => {
  const attestation = {
    uid: event.metadata.uid,
    authority_uid: place.authority,
    chain_uid: place.chain,
    ...(place.before === null ? {} : { prev_event: prevEventOf(place.before) }),
  }
  const unsigned = canonicalJson({
    ...event,
    metadata: { ...event.metadata, sequence: place.sequence, profiles: ['record_integrity'] },
    attestation_list: [attestation],
  })
  const value = sha256Hex(unsigned)
  // Canonical order puts it behind the chain. The text is looked for, and not written a second time, which costs as much again.
  const head = `${LIST}{"authority_uid":${JSON.stringify(place.authority)},"chain_uid":${JSON.stringify(place.chain)}`
  const at = unsigned.indexOf(head) + head.length
  return {
    canonical: `${unsigned.slice(0, at)}${MEMBER}${canonicalJson(fingerprintOf(value))}${unsigned.slice(at)}`,
    link: { uid: event.metadata.uid, typeUid: event.type_uid, fingerprint: value },
  }
}

// A quotation mark within a string is escaped, so these are found as members only; ours is the first of its name.
const LIST = '"attestation_list":['
const MEMBER = ',"fingerprint":'

/**
 * The link of an event read back, when the fingerprint in its canonical text is the one it must have; null: it was altered, or
 * is none of ours.
 */
export const linkOf = (event: OcsfEvent, canonical: string, sha256Hex: (text: string) => string): ChainLink | null => {
  const list = canonical.indexOf(LIST)
  const from = canonical.indexOf(MEMBER, list)
  const to = canonical.indexOf('}', from) + 1
  if (list < 0 || from < 0 || to === 0) return null
  const value = sha256Hex(canonical.slice(0, from) + canonical.slice(to))
  const claimed = canonical.slice(from + MEMBER.length, to)
  if (claimed !== canonicalJson(fingerprintOf(value))) return null
  return { uid: event.metadata.uid, typeUid: event.type_uid, fingerprint: value }
}

/** Whether the event names the one before it; the first of a log names none. */
export const follows = (event: OcsfEvent, before: ChainLink | null): boolean => {
  const attestation = (event['attestation_list'] as readonly JsonObject[] | undefined)?.[0]
  const named = attestation?.['prev_event']
  return before === null
    ? named === undefined
    : named !== undefined && canonicalJson(named) === canonicalJson(prevEventOf(before))
}

const prevEventOf = ({ uid, typeUid, fingerprint }: ChainLink): JsonObject => ({
  uid,
  type_uid: typeUid,
  fingerprint: fingerprintOf(fingerprint),
})

const fingerprintOf = (value: string): JsonObject => ({
  algorithm_id: 3,
  algorithm: 'SHA-256',
  value,
  encoding_id: 1,
  encoding: 'Hexadecimal',
  serialization_id: 2,
  serialization: 'JCS',
})
