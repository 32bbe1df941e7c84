// A value from claims, as an operator reads it: JSON in printable ASCII. JSON itself leaves C1 controls (terminals obey them),
// bidi overrides, line separators and look-alike letters as they are (attacks rows 38, 65). Pure.
import type { JsonValue } from './claims.ts'

export const quoted = (value: JsonValue): string =>
  JSON.stringify(value).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
