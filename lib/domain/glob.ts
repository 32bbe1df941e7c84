// The one pattern language: literal text, `*` (anything but `/` and `:`) and `**` (anything but `:`), anchored at both ends
// (issuers.md §0.8, A2, A30). No RegExp and no backtracking, so no pattern and no value can make it slow; and because it is
// this small, whether two patterns can match one value is decidable, which is what the linter needs. Pure.
import { LIMITS } from './limits.ts'

/**
 * Literal text, or a wildcard: 1 is `*`, 2 is `**`; 3, which no pattern can say, is exactly one character of `*` (the linter
 * needs "one or more"). Plain data: a compiled pattern is stored with its configuration.
 */
export type GlobPart = string | 1 | 2 | 3

const SLASH = 47
const COLON = 58

/** Splits a pattern into parts; null when it is empty, longer than LIMITS.patternCharsMax, or has three `*` in a row. */
export const parseGlob = (pattern: string): readonly GlobPart[] | null => {
  if (pattern === '' || pattern.length > LIMITS.patternCharsMax || pattern.includes('***')) return null
  const parts: GlobPart[] = []
  let from = 0
  for (let at = pattern.indexOf('*'); at !== -1; at = pattern.indexOf('*', from)) {
    if (at > from) parts.push(pattern.slice(from, at))
    const isDouble = pattern[at + 1] === '*'
    parts.push(isDouble ? 2 : 1)
    from = at + (isDouble ? 2 : 1)
  }
  if (from < pattern.length) parts.push(pattern.slice(from))
  return parts
}

/** True when the whole value matches. Time: length of value times length of pattern, at worst. */
export const matchesGlob = (parts: readonly GlobPart[], value: string): boolean => {
  // Every place of `value` that the parts so far can have reached, ascending.
  let reached: number[] = [0]
  for (const part of parts) {
    reached = typeof part === 'string' ? afterLiteral(part, value, reached) : afterWildcard(part, value, reached)
    if (reached.length === 0) return false
  }
  return reached.at(-1) === value.length
}

const afterLiteral = (literal: string, value: string, from: readonly number[]): number[] => {
  const reached: number[] = []
  for (const at of from) if (value.startsWith(literal, at)) reached.push(at + literal.length)
  return reached
}

const afterWildcard = (wildcard: 1 | 2 | 3, value: string, from: readonly number[]): number[] => {
  if (wildcard === 3) return from.flatMap((at) => (at < value.length && spans(1, value.charCodeAt(at)) ? [at + 1] : []))
  const reached: number[] = []
  let end = -1
  for (const start of from) {
    if (start <= end) continue
    end = start
    reached.push(end)
    while (end < value.length && spans(wildcard, value.charCodeAt(end))) reached.push(++end)
  }
  return reached
}

const spans = (wildcard: 1 | 2, unit: number): boolean => unit !== COLON && (wildcard === 2 || unit !== SLASH)

/** Whether some value matches both patterns. A literal is a pattern of one part. */
export const globsIntersect = (a: readonly GlobPart[], b: readonly GlobPart[]): boolean => {
  // Text against text, by far the most frequent question of all pairs of a document.
  if (a.length === 1 && b.length === 1 && typeof a[0] === 'string' && typeof b[0] === 'string') return a[0] === b[0]
  const left = unitsOf(a)
  const right = unitsOf(b)
  const width = right.length + 1
  const isSeen = new Uint8Array((left.length + 1) * width)
  const open = [0]
  const visit = (i: number, j: number) => {
    const state = i * width + j
    if (isSeen[state] === 1) return
    isSeen[state] = 1
    open.push(state)
  }
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const i = Math.floor(state / width)
    const j = state % width
    const x = left[i]
    const y = right[j]
    if (x === undefined && y === undefined) return true
    // A wildcard may end here, or swallow what the other side says next.
    if (isLoop(x)) visit(i + 1, j)
    if (isLoop(y)) visit(i, j + 1)
    if (x !== undefined && y !== undefined && meet(x, y)) visit(isLoop(x) ? i : i + 1, isLoop(y) ? j : j + 1)
  }
  return false
}

const isLoop = (unit: number | undefined): boolean => unit === -1 || unit === -2

/** Whether one character can stand for both: code units, or negative for a wildcard. */
const meet = (x: number, y: number): boolean => {
  if (x >= 0 && y >= 0) return x === y
  if (x < 0 && y < 0) return true
  const wildcard = Math.min(x, y) === -2 ? 2 : 1
  return spans(wildcard, Math.max(x, y))
}

/** Code units of the literals; a wildcard is its negative. */
const unitsOf = (parts: readonly GlobPart[]): number[] =>
  parts.flatMap((part) => {
    if (typeof part === 'number') return [-part]
    const units: number[] = []
    for (let at = 0; at < part.length; at += 1) units.push(part.charCodeAt(at))
    return units
  })
