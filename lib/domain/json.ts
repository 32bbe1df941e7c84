// Strict JSON (RFC 8259, I-JSON of RFC 7493): one reading only. What two parsers could read differently is refused: duplicate
// members, also when one is escaped; BOM, NUL, lone surrogates; __proto__; and everything past a limit (attacks rows 27-32,
// 35, 64). Objects have no prototype. Recursion is bounded by the depth limit. Pure.
import type { JsonValue } from './claims.ts'
import { LIMITS } from './limits.ts'
import { type RefusalKind, refuse } from './refusal.ts'
import { type Result, ok } from './result.ts'

export type JsonLimits = { readonly depthMax: number; readonly membersMax: number; readonly stringBytesMax: number }

/** Limits of evidence (design §3.1). */
export const EVIDENCE_JSON: JsonLimits = {
  depthMax: LIMITS.jsonDepthMax,
  membersMax: LIMITS.jsonMembersMax,
  stringBytesMax: LIMITS.jsonStringBytesMax,
}

/** Refuses: json_invalid, json_duplicate_member, json_forbidden_member, json_too_deep, json_too_many_members, json_string_too_long. */
export const parseStrictJson = (text: string, limits: JsonLimits = EVIDENCE_JSON): Result<JsonValue> => {
  const state: State = { text, limits, at: 0, members: 0, refusal: null }
  skipSpace(state)
  const value = readValue(state, 1)
  if (state.refusal === null) {
    skipSpace(state)
    if (state.at !== text.length) fail(state, 'json_invalid')
  }
  return state.refusal === null ? ok(value) : refuse(state.refusal, { at: state.at })
}

type State = { readonly text: string; readonly limits: JsonLimits; at: number; members: number; refusal: RefusalKind | null }

const fail = (state: State, kind: RefusalKind): null => {
  state.refusal ??= kind
  return null
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a

const skipSpace = (state: State): void => {
  const { text } = state
  for (;;) {
    const code = text.charCodeAt(state.at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
    state.at += 1
  }
}

const readValue = (state: State, depth: number): JsonValue => {
  const code = state.text.charCodeAt(state.at)
  switch (code) {
    case QUOTE:
      return readString(state)
    case 0x7b:
      return readObject(state, depth)
    case 0x5b:
      return readArray(state, depth)
    case 0x74:
      return readWord(state, 'true', true)
    case 0x66:
      return readWord(state, 'false', false)
    case 0x6e:
      return readWord(state, 'null', null)
    default:
      return readNumber(state)
  }
}

const readWord = <T extends boolean | null>(state: State, word: string, value: T): T | null => {
  if (!state.text.startsWith(word, state.at)) return fail(state, 'json_invalid')
  state.at += word.length
  return value
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const NUMBER_CHARS_MAX = 40

const readNumber = (state: State): number | null => {
  NUMBER.lastIndex = state.at
  const found = NUMBER.exec(state.text)?.[0]
  if (found === undefined || found.length > NUMBER_CHARS_MAX) return fail(state, 'json_invalid')
  state.at += found.length
  const value = Number(found)
  // 1e400 reads as Infinity, which is then later than every time (row 45).
  return Number.isFinite(value) ? value : fail(state, 'json_invalid')
}

const countMember = (state: State): boolean => {
  state.members += 1
  if (state.members <= state.limits.membersMax) return true
  fail(state, 'json_too_many_members')
  return false
}

const readObject = (state: State, depth: number): JsonValue => {
  if (depth > state.limits.depthMax) return fail(state, 'json_too_deep')
  const object: Record<string, JsonValue> = Object.create(null)
  state.at += 1
  skipSpace(state)
  if (state.text.charCodeAt(state.at) === 0x7d) {
    state.at += 1
    return object
  }
  for (;;) {
    if (!countMember(state)) return null
    if (state.text.charCodeAt(state.at) !== QUOTE) return fail(state, 'json_invalid')
    const name = readString(state)
    if (name === null) return null
    if (name === '__proto__') return fail(state, 'json_forbidden_member')
    if (name in object) return fail(state, 'json_duplicate_member')
    skipSpace(state)
    if (state.text.charCodeAt(state.at) !== COLON) return fail(state, 'json_invalid')
    state.at += 1
    skipSpace(state)
    object[name] = readValue(state, depth + 1)
    if (state.refusal !== null) return null
    skipSpace(state)
    const next = state.text.charCodeAt(state.at)
    state.at += 1
    if (next === 0x7d) return object
    if (next !== COMMA) return fail(state, 'json_invalid')
    skipSpace(state)
  }
}

const readArray = (state: State, depth: number): JsonValue => {
  if (depth > state.limits.depthMax) return fail(state, 'json_too_deep')
  const array: JsonValue[] = []
  state.at += 1
  skipSpace(state)
  if (state.text.charCodeAt(state.at) === 0x5d) {
    state.at += 1
    return array
  }
  for (;;) {
    if (!countMember(state)) return null
    array.push(readValue(state, depth + 1))
    if (state.refusal !== null) return null
    skipSpace(state)
    const next = state.text.charCodeAt(state.at)
    state.at += 1
    if (next === 0x5d) return array
    if (next !== COMMA) return fail(state, 'json_invalid')
    skipSpace(state)
  }
}

// Everything a string may hold unescaped, up to its end: no quote, backslash, control, or surrogate. NUL is a control.
const PLAIN = /[^"\\\u0000-\u001f\ud800-\udfff]*/y
const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

const readString = (state: State): string | null => {
  const { text } = state
  state.at += 1
  let value = ''
  for (;;) {
    PLAIN.lastIndex = state.at
    const run = PLAIN.exec(text)?.[0] ?? ''
    value = value === '' ? run : value + run
    state.at += run.length
    const code = text.charCodeAt(state.at)
    if (code === QUOTE) {
      state.at += 1
      return utf8Length(value) > state.limits.stringBytesMax ? fail(state, 'json_string_too_long') : value
    }
    const piece = code === BACKSLASH ? readEscape(state) : readSurrogatePair(state)
    if (piece === null) return null
    value += piece
  }
}

const HEX4 = /^[0-9a-fA-F]{4}$/

const readEscape = (state: State): string | null => {
  const { text } = state
  const letter = text[state.at + 1] ?? ''
  if (letter !== 'u') {
    if (!Object.hasOwn(ESCAPES, letter)) return fail(state, 'json_invalid')
    state.at += 2
    return ESCAPES[letter]!
  }
  const high = hex4At(state, state.at + 2)
  if (high === null || high === 0) return fail(state, 'json_invalid')
  state.at += 6
  if (high < 0xd800 || high > 0xdfff) return String.fromCharCode(high)
  // A surrogate means something only as a pair; alone it is not a character and two readers would disagree (row 28).
  const low = text.startsWith('\\u', state.at) ? hex4At(state, state.at + 2) : null
  if (high > 0xdbff || low === null || low < 0xdc00 || low > 0xdfff) return fail(state, 'json_invalid')
  state.at += 6
  return String.fromCharCode(high, low)
}

const hex4At = ({ text }: State, at: number): number | null => {
  const digits = text.slice(at, at + 4)
  return HEX4.test(digits) ? Number.parseInt(digits, 16) : null
}

/** An unescaped surrogate pair; anything else here is a control character or a half. */
const readSurrogatePair = (state: State): string | null => {
  const high = state.text.charCodeAt(state.at)
  const low = state.text.charCodeAt(state.at + 1)
  if (!(high >= 0xd800 && high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff)) return fail(state, 'json_invalid')
  state.at += 2
  return String.fromCharCode(high, low)
}

/** Bytes a well-formed string takes in UTF-8. */
export const utf8Length = (text: string): number => {
  let bytes = text.length
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i)
    if (code < 0x80) continue
    if (code < 0x800) bytes += 1
    else if (code < 0xd800 || code > 0xdfff) bytes += 2
    else {
      bytes += 2
      i += 1
    }
  }
  return bytes
}
