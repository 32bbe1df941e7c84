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
  readonly event: OcsfEvent
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
  const attested = (fingerprint: JsonObject | null): OcsfEvent => ({
    ...event,
    metadata: { ...event.metadata, sequence: place.sequence, profiles: ['record_integrity'] },
    attestation_list: [
      {
        uid: event.metadata.uid,
        authority_uid: place.authority,
        chain_uid: place.chain,
        ...(place.before === null ? {} : { prev_event: prevEventOf(place.before) }),
        ...(fingerprint === null ? {} : { fingerprint }),
      },
    ],
  })
  const value = sha256Hex(canonicalJson(attested(null)))
  const whole = attested(fingerprintOf(value))
  return {
    canonical: canonicalJson(whole),
    event: whole,
    link: { uid: event.metadata.uid, typeUid: event.type_uid, fingerprint: value },
  }
}

/** The link of an event read back, when its fingerprint is the one it must have; null: it was altered, or is none of ours. */
export const linkOf = (event: OcsfEvent, sha256Hex: (text: string) => string): ChainLink | null => {
  const attestation = (event['attestation_list'] as readonly JsonObject[] | undefined)?.[0]
  const claimed = (attestation?.['fingerprint'] as JsonObject | undefined)?.['value']
  if (attestation === undefined || typeof claimed !== 'string') return null
  const { fingerprint: _, ...unsigned } = attestation
  const value = sha256Hex(canonicalJson({ ...event, attestation_list: [unsigned] }))
  return value === claimed ? { uid: event.metadata.uid, typeUid: event.type_uid, fingerprint: value } : null
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
