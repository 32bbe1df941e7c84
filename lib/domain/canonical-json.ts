// JSON Canonicalization Scheme (RFC 8785): one value, one text, so that a hash over it can be computed again by anybody. And
// the same text as one line of a log file, whatever is in its strings. Pure.
import type { JsonObject, JsonValue } from './claims.ts'

/** Members in the order of their UTF-16 code units (§3.2.3); numbers and strings as ECMAScript writes them (§3.2.2). */
export const canonicalJson = (value: JsonValue): string => {
  if (typeof value === 'string') {
    // Not I-JSON (RFC 7493): two verifiers would hash it differently. Whoever builds events has to replace them before.
    if (!value.isWellFormed()) throw new TypeError('a lone surrogate has no canonical form')
    return JSON.stringify(value)
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError('a number without a canonical form')
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`
  let text = ''
  for (const name of Object.keys(value).sort())
    text += `${text === '' ? '' : ','}${canonicalJson(name)}:${canonicalJson((value as JsonObject)[name]!)}`
  return `{${text}}`
}

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value)

// JSON escapes what is below U+0020 by itself. These are line ends to some readers (U+0085, U+2028, U+2029), commands to some
// terminals (DEL and C1), or turn the text around for whoever reads it (bidirectional controls).
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** JSON text as one line that is safe to print; it parses to the same value. */
export const oneLine = (json: string): string =>
  json.replace(UNSAFE, (unsafe) => `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, '0')}`)
