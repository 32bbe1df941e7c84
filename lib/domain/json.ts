// Strict JSON (RFC 8259, I-JSON RFC 7493): what this accepts JSON.parse accepts, with the same value (but for nodejs/node#63785);
// the reverse does not hold. Duplicate members, __proto__, BOM, NUL, lone surrogates, infinite numbers and anything past the limits are
// refused, so two readers of one payload cannot see two payloads (attacks rows 27-35, 45, 64). One pass; recursion ≤ depthMax. Pure.
import type { JsonObject, JsonValue } from './claims.ts'
import { LIMITS } from './limits.ts'
import { type JsonLimits, parsePlainJson } from './plain-json.ts'
import { type RefusalKind, refuse } from './refusal.ts'
import { ok, type Result } from './result.ts'
import { utf8Length } from './utf8.ts'

/** Limits for headers and payloads of tokens (issuers.md §0.3). */
export const TOKEN_JSON_LIMITS: JsonLimits = {
  depthMax: LIMITS.jsonDepthMax,
  membersMax: LIMITS.jsonMembersMax,
  stringBytesMax: LIMITS.jsonStringBytesMax,
}

/**
 * The value of one JSON text; its objects have no prototype, so no name in them is inherited. Refuses: json_invalid,
 * json_duplicate_member, json_forbidden_member, json_too_deep, json_too_many_members, json_string_too_long.
 */
export const parseStrictJson = (text: string, limits: JsonLimits = TOKEN_JSON_LIMITS): Result<JsonValue> => {
  const plain = parsePlainJson(text, limits)
  if (plain !== undefined) return ok(plain)
  const reader: Reader = { text, limits, at: 0, members: 0, kind: null }
  skipSpace(reader)
  const value = readValue(reader, 1)
  if (value !== undefined) {
    skipSpace(reader)
    if (reader.at === text.length) return ok(value)
  }
  return refuse(reader.kind ?? 'json_invalid', { at: reader.at })
}

type Reader = {
  readonly text: string
  readonly limits: JsonLimits
  /** Next character to read; when refused, where. */
  at: number
  members: number
  /** Why reading stopped; null: the grammar. */
  kind: RefusalKind | null
}

type Mutable = { [member: string]: JsonValue }

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const CLOSE_OBJECT = 0x7d
const ZERO = 0x30

/** Stops reading. Readers return undefined, which no JSON value is. */
const stop = (reader: Reader, kind: RefusalKind): undefined => {
  reader.kind ??= kind
  return undefined
}

const skipSpace = (reader: Reader): void => {
  const { text } = reader
  let at = reader.at
  for (;;) {
    const code = text.charCodeAt(at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break
    at += 1
  }
  reader.at = at
}

const readValue = (reader: Reader, depth: number): JsonValue | undefined => {
  switch (reader.text.charCodeAt(reader.at)) {
    case QUOTE:
      return readString(reader)
    case 0x7b:
      return depth > reader.limits.depthMax ? stop(reader, 'json_too_deep') : readObject(reader, depth)
    case 0x5b:
      return depth > reader.limits.depthMax ? stop(reader, 'json_too_deep') : readArray(reader, depth)
    case 0x74:
      return readWord(reader, 'true', true)
    case 0x66:
      return readWord(reader, 'false', false)
    case 0x6e:
      return readWord(reader, 'null', null)
    default:
      return readNumber(reader)
  }
}

const readWord = <T extends JsonValue>(reader: Reader, word: string, value: T): T | undefined => {
  if (!reader.text.startsWith(word, reader.at)) return stop(reader, 'json_invalid')
  reader.at += word.length
  return value
}

const countOne = (reader: Reader): boolean => {
  reader.members += 1
  if (reader.members <= reader.limits.membersMax) return true
  stop(reader, 'json_too_many_members')
  return false
}

/** True at the end of the list, false after a comma, undefined for anything else. Leaves the reader at the next token. */
const readSeparator = (reader: Reader, close: number): boolean | undefined => {
  skipSpace(reader)
  const code = reader.text.charCodeAt(reader.at)
  if (code !== COMMA && code !== close) return stop(reader, 'json_invalid')
  reader.at += 1
  if (code === close) return true
  skipSpace(reader)
  return false
}

const readArray = (reader: Reader, depth: number): JsonValue | undefined => {
  const elements: JsonValue[] = []
  reader.at += 1
  skipSpace(reader)
  if (reader.text.charCodeAt(reader.at) === CLOSE_ARRAY) {
    reader.at += 1
    return elements
  }
  for (;;) {
    if (!countOne(reader)) return undefined
    const value = readValue(reader, depth + 1)
    if (value === undefined) return undefined
    elements.push(value)
    const ended = readSeparator(reader, CLOSE_ARRAY)
    if (ended === undefined) return undefined
    if (ended) return elements
  }
}

const readObject = (reader: Reader, depth: number): JsonObject | undefined => {
  const object: Mutable = Object.create(null)
  reader.at += 1
  skipSpace(reader)
  if (reader.text.charCodeAt(reader.at) === CLOSE_OBJECT) {
    reader.at += 1
    return object
  }
  for (let members = 1; ; members += 1) {
    if (!countOne(reader)) return undefined
    const name = readName(reader)
    if (name === undefined) return undefined
    const value = readValue(reader, depth + 1)
    if (value === undefined) return undefined
    object[name] = value
    const ended = readSeparator(reader, CLOSE_OBJECT)
    if (ended === undefined) return undefined
    // A name given twice leaves fewer names than members. One count costs a third of a look-up for each name.
    if (ended) return Object.keys(object).length === members ? object : stop(reader, 'json_duplicate_member')
  }
}

/** A member's name, judged after its escapes are undone, and the colon after it. */
const readName = (reader: Reader): string | undefined => {
  if (reader.text.charCodeAt(reader.at) !== QUOTE) return stop(reader, 'json_invalid')
  const name = readString(reader)
  if (name === undefined) return undefined
  // The name that sets a prototype in code that copies members into plain objects.
  if (name.length === 9 && name === '__proto__') return stop(reader, 'json_forbidden_member')
  skipSpace(reader)
  if (reader.text.charCodeAt(reader.at) !== COLON) return stop(reader, 'json_invalid')
  reader.at += 1
  skipSpace(reader)
  return name
}

const readString = (reader: Reader): string | undefined => {
  const { text } = reader
  const start = reader.at + 1
  let at = start
  // All codes or-ed together: above 0x7f some character was not ASCII. Past the end charCodeAt is NaN, which compares false.
  let codes = 0
  for (;;) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) break
    if (code === BACKSLASH) return readEscaped(reader, start, at)
    if (!(code >= 0x20)) {
      reader.at = at
      return stop(reader, 'json_invalid')
    }
    codes |= code
    at += 1
  }
  reader.at = at + 1
  return checkString(reader, text.slice(start, at), codes)
}

const checkString = (reader: Reader, value: string, codes: number): string | undefined => {
  if (value.length > reader.limits.stringBytesMax) return stop(reader, 'json_string_too_long')
  if (codes < 0x80) return value
  if (!value.isWellFormed()) return stop(reader, 'json_invalid')
  return utf8Length(value) > reader.limits.stringBytesMax ? stop(reader, 'json_string_too_long') : value
}

/** A string with at least one escape, the first at `firstEscape`. */
const readEscaped = (reader: Reader, start: number, firstEscape: number): string | undefined => {
  const { text } = reader
  let value = ''
  let from = start
  let codes = 0
  let at = firstEscape
  for (;;) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) break
    if (!(code >= 0x20)) {
      reader.at = at
      return stop(reader, 'json_invalid')
    }
    if (code !== BACKSLASH) {
      codes |= code
      at += 1
      continue
    }
    const unescaped = escapeAt(text, at)
    if (unescaped < 0) {
      reader.at = at
      return stop(reader, 'json_invalid')
    }
    codes |= unescaped
    value += text.slice(from, at) + String.fromCharCode(unescaped)
    at += text.charCodeAt(at + 1) === 0x75 ? 6 : 2
    from = at
  }
  reader.at = at + 1
  return checkString(reader, value + text.slice(from, at), codes)
}

/** The code unit an escape stands for; -1 for no escape, and for NUL, which ends strings in too many other readers. */
const escapeAt = (text: string, at: number): number => {
  switch (text.charCodeAt(at + 1)) {
    case QUOTE:
      return QUOTE
    case BACKSLASH:
      return BACKSLASH
    case 0x2f:
      return 0x2f
    case 0x62:
      return 0x08
    case 0x66:
      return 0x0c
    case 0x6e:
      return 0x0a
    case 0x72:
      return 0x0d
    case 0x74:
      return 0x09
    case 0x75: {
      const hex = text.slice(at + 2, at + 6)
      const unit = /^[0-9a-fA-F]{4}$/.test(hex) ? Number.parseInt(hex, 16) : 0
      return unit === 0 ? -1 : unit
    }
    default:
      return -1
  }
}

const isDigit = (code: number): boolean => code >= ZERO && code <= 0x39

const readNumber = (reader: Reader): number | undefined => {
  const { text } = reader
  const start = reader.at
  let at = text.charCodeAt(start) === 0x2d ? start + 1 : start
  const skipDigits = (): boolean => {
    const first = at
    while (isDigit(text.charCodeAt(at))) at += 1
    return at > first
  }
  const leadingZero = text.charCodeAt(at) === ZERO
  const firstDigit = at
  let valid = skipDigits() && !(leadingZero && at - firstDigit > 1)
  if (valid && text.charCodeAt(at) === 0x2e) {
    at += 1
    valid = skipDigits()
  }
  if (valid && (text.charCodeAt(at) | 0x20) === 0x65) {
    at += 1
    const sign = text.charCodeAt(at)
    if (sign === 0x2b || sign === 0x2d) at += 1
    valid = skipDigits()
  }
  const value = valid ? Number(text.slice(start, at)) : Number.NaN
  // 1e400 is grammar, but reads as Infinity: an exp that never comes (attacks row 45).
  if (!Number.isFinite(value)) return stop(reader, 'json_invalid')
  reader.at = at
  return value
}
