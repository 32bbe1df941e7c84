// The record_integrity profile (OCSF 1.9): each event carries its place in the tenant's log, the fingerprint of the event before
// it, and its own, over the canonical text without that fingerprint. A chain anybody can walk with nothing but the events. Pure.
import { canonicalJson } from '../canonical-json.ts'
import type { JsonObject } from '../claims.ts'
import { CUT, type ShapeObject, type Slot } from '../json-template.ts'
import type { OcsfEvent } from './event.ts'

/** The event before, as the next one names it. */
export type ChainLink = { readonly uid: string; readonly typeUid: number; readonly fingerprint: string }

export type Chained = {
  /** RFC 8785, UTF-8: what the log commits to. */
  readonly canonical: string
  readonly link: ChainLink
}

/** `sequence`: the index of the leaf. `chain`: name of the log. `authority`: issuer URL of the tenant. */
export type ChainPlace = {
  readonly sequence: number
  readonly chain: string
  readonly authority: string
  readonly before: ChainLink | null
}

/** Behind another event: all but the first. */
export type Placed = { readonly uid: string; readonly at: ChainPlace & { readonly before: ChainLink } }

const PROFILES = ['record_integrity'] as const

/** The shape of an event with the members of the profile, cut where its fingerprint belongs. */
export const inLogShape = <T>(
  envelope: ShapeObject<T> & { readonly metadata: ShapeObject<T> },
): ShapeObject<T & Placed> => ({
  ...envelope,
  metadata: { ...envelope.metadata, sequence: ({ at }) => at.sequence, profiles: PROFILES },
  attestation_list: [
    {
      uid: ({ uid }) => uid,
      authority_uid: ({ at }) => at.authority,
      chain_uid: ({ at }) => at.chain,
      fingerprint: CUT,
      prev_event: {
        uid: ({ at }) => at.before.uid,
        type_uid: ({ at }) => at.before.typeUid,
        fingerprint: fingerprintOf<Slot<Placed>>(({ at }) => at.before.fingerprint),
      },
    },
  ],
})

/** The canonical text of an event but for its fingerprint, which belongs at `cutAt`. */
export type Unsigned = { readonly text: string; readonly cutAt: number }

export const unsignedEvent = (event: OcsfEvent, { sequence, chain, authority, before }: ChainPlace): Unsigned => {
  const { uid } = event.metadata
  const prevEvent = before === null ? {} : { prev_event: prevEventOf(before) }
  const text = canonicalJson({
    ...event,
    metadata: { ...event.metadata, sequence, profiles: PROFILES },
    attestation_list: [{ uid, authority_uid: authority, chain_uid: chain, ...prevEvent }],
  })
  // Canonical order puts the fingerprint behind the chain. The text is looked for, and not written a second time.
  const head = `${LIST}{"authority_uid":${JSON.stringify(authority)},"chain_uid":${JSON.stringify(chain)}`
  return { text, cutAt: text.indexOf(head) + head.length }
}

/** `sha256Hex`: of the text, over UTF-8. */
export const chained = (
  { text, cutAt }: Unsigned,
  { uid, typeUid }: Omit<ChainLink, 'fingerprint'>,
  sha256Hex: (text: string) => string,
): Chained => {
  const fingerprint = sha256Hex(text)
  return {
    canonical: text.slice(0, cutAt) + MEMBER + fingerprintText(fingerprint) + text.slice(cutAt),
    link: { uid, typeUid, fingerprint },
  }
}

// A quotation mark within a string is escaped, so these are found as members only; ours is the first of its name.
const LIST = '"attestation_list":['
const MEMBER = ',"fingerprint":'

/** Where something is in a text: from the first character of it to before the next. */
export type Cut = { readonly from: number; readonly to: number }

/** Where the fingerprint of an event is in its canonical text, which is hashed without it; null: it has none. */
export const fingerprintAt = (canonical: string): Cut | null => {
  const list = canonical.indexOf(LIST)
  const from = canonical.indexOf(MEMBER, list)
  const to = canonical.indexOf('}', from) + 1
  return list < 0 || from < 0 || to === 0 ? null : { from, to }
}

/**
 * The link of an event read back, when the fingerprint in its canonical text, at `cut`, is the `value` it must have; null: it was
 * altered, or is none of ours.
 */
export const linkOf = (
  { uid, typeUid }: Omit<ChainLink, 'fingerprint'>,
  canonical: string,
  { cut, value }: { readonly cut: Cut; readonly value: string },
): ChainLink | null => {
  const found = canonical.slice(cut.from, cut.to)
  return ENCODINGS.some((encoding) => found === MEMBER + fingerprintText(value, encoding))
    ? { uid, typeUid, fingerprint: value }
    : null
}

/** Where the fingerprint is in this canonical text, when all the rest of it is that of the event; null: it is not. */
export const cutOfSame = ({ text, cutAt }: Unsigned, canonical: string): Cut | null => {
  const to = cutAt + canonical.length - text.length
  return to > cutAt && canonical.slice(0, cutAt) === text.slice(0, cutAt) && canonical.slice(to) === text.slice(cutAt)
    ? { from: cutAt, to }
    : null
}

/**
 * Whether the event of this canonical text, its fingerprint at `cut`, names the one before it; the first of a log names none.
 */
export const follows = (canonical: string, { to }: Cut, before: ChainLink | null): boolean => {
  return ENCODINGS.some((encoding) => {
    // Canonical order: the fingerprint, the event before, the uid.
    const named = `${before === null ? '' : `,"prev_event":${prevEventText(before, encoding)}`},"uid":"`
    // Not startsWith: it takes ten times as long.
    return canonical.slice(to, to + named.length) === named
  })
}

const PLACE = /"attestation_list":\[\{"authority_uid":"([^"\\]*)","chain_uid":"([^"\\]*)"/

/** Which log an event of this canonical text says it is in; null where it has to be parsed to know. */
export const chainOf = (canonical: string): Pick<ChainPlace, 'authority' | 'chain'> | null => {
  const [, authority, chain] = PLACE.exec(canonical) ?? []
  return authority === undefined || chain === undefined ? null : { authority, chain }
}

const prevEventText = ({ uid, typeUid, fingerprint }: ChainLink, encoding: Encoding): string =>
  `{"fingerprint":${fingerprintText(fingerprint, encoding)},"type_uid":${typeUid},"uid":${JSON.stringify(uid)}}`

/** The caption of `encoding_id` 1, which is written; and what stood there before, in events that logs have committed to. */
const ENCODINGS = ['Hex', 'Hexadecimal'] as const
type Encoding = (typeof ENCODINGS)[number]

/** Hexadecimal, so there is nothing in it to escape. */
const fingerprintText = (value: string, encoding: Encoding = 'Hex'): string => {
  const [head, tail] = FINGERPRINT_TEXTS[encoding]
  return head + value + tail
}

const prevEventOf = ({ uid, typeUid, fingerprint }: ChainLink): JsonObject => ({
  uid,
  type_uid: typeUid,
  fingerprint: fingerprintOf(fingerprint),
})

const fingerprintOf = <Value>(value: Value, encoding: Encoding = 'Hex') => ({
  algorithm_id: 3,
  algorithm: 'SHA-256',
  value,
  encoding_id: 1,
  encoding,
  serialization_id: 2,
  serialization: 'JCS',
})

const aroundValue = (encoding: Encoding): readonly [head: string, tail: string] => {
  const [head = '', tail = ''] = canonicalJson(fingerprintOf('%', encoding)).split('%')
  return [head, tail]
}
const FINGERPRINT_TEXTS = { Hex: aroundValue('Hex'), Hexadecimal: aroundValue('Hexadecimal') } as const
