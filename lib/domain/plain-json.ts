// The short way through strict JSON for what platforms really send: printable ASCII without an escape. There the engine's own
// JSON.parse reads the text and one walk over the value proves that nothing was lost or is past a limit. Whatever the walk
// cannot vouch for is left to the strict reader (json.ts), which alone says what is wrong. Pure.
import type { JsonObject, JsonValue } from './claims.ts'
import { LIMITS } from './limits.ts'

export type JsonLimits = {
  /** Levels of nesting; a lone object or array is 1. */
  readonly depthMax: number
  /** Members of all objects and elements of all arrays together. */
  readonly membersMax: number
  /** UTF-8 bytes of one string or member name. */
  readonly stringBytesMax: number
}

const PLAIN = 0
const QUOTE = 1
const OTHER = 2

/** What each byte of a text is: one look-up tells quotation marks from the rest, and what is not plain from what is. */
const KIND_OF = new Uint8Array(256).fill(OTHER).fill(PLAIN, 0x20, 0x7f)
KIND_OF[0x22] = QUOTE
KIND_OF[0x5c] = OTHER // the backslash of an escape

/** What one call at a time reads; a longer text goes the long way. */
const bytes = new Uint8Array(LIMITS.tokenBytesMax)
const toBytes = new TextEncoder()

/** The value, its objects without a prototype; undefined: ask the strict reader. */
export const parsePlainJson = (text: string, limits: JsonLimits): JsonValue | undefined => {
  const quotes = quotesInPlain(text)
  if (quotes === undefined) return undefined
  let value: JsonValue
  try {
    value = JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
  const walk: Walk = { limits, members: 0, strings: 0 }
  // INVARIANT: without escapes each string of the text stands between two quotation marks of its own. A member given twice
  // loses its first name, so the value has every string of the text exactly when no member was given twice.
  return isKept(value, 1, walk) && walk.strings * 2 === quotes ? value : undefined
}

type Walk = { readonly limits: JsonLimits; members: number; strings: number }

/**
 * Quotation marks of a plain text; undefined: it is not plain. Read as bytes: character by character a text costs three times
 * as much, and a regular expression beside it as much again.
 */
const quotesInPlain = (text: string): number | undefined => {
  const { read, written } = toBytes.encodeInto(text, bytes)
  if (read !== text.length) return undefined
  let seen = PLAIN
  let quotes = 0
  for (let i = 0; i < written; i += 1) {
    const kind = KIND_OF[bytes[i]!]!
    seen |= kind
    quotes += kind & QUOTE
  }
  return (seen & OTHER) === 0 ? quotes : undefined
}

/** Counts strings, names among them, and takes prototypes away; false as soon as something is past a limit. */
const isKept = (value: JsonValue, depth: number, walk: Walk): boolean => {
  if (typeof value === 'string') {
    walk.strings += 1
    return value.length <= walk.limits.stringBytesMax
  }
  // 1e400 is grammar, but reads as Infinity.
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return true
  if (depth > walk.limits.depthMax) return false
  return Array.isArray(value) ? areElementsKept(value, depth, walk) : areMembersKept(value as JsonObject, depth, walk)
}

const areElementsKept = (elements: readonly JsonValue[], depth: number, walk: Walk): boolean => {
  walk.members += elements.length
  return walk.members <= walk.limits.membersMax && elements.every((element) => isKept(element, depth + 1, walk))
}

const areMembersKept = (object: JsonObject, depth: number, walk: Walk): boolean => {
  for (const name in object) {
    walk.members += 1
    walk.strings += 1
    if (walk.members > walk.limits.membersMax || name.length > walk.limits.stringBytesMax) return false
    // The name that sets a prototype in code that copies members into plain objects.
    if (name === '__proto__' || !isKept(object[name] as JsonValue, depth + 1, walk)) return false
  }
  Object.setPrototypeOf(object, null)
  return true
}
