// The one pattern language: literal text, `*` (anything but `/` and `:`) and `**` (anything but `:`), anchored at both ends
// (issuers.md §0.8, A2, A30). No RegExp and no backtracking, so no pattern and no value can make it slow; and because it is
// this small, whether two patterns can match one value is decidable, which is what the linter needs. Pure.
import { LIMITS } from './limits.ts'

/** Literal text, or a wildcard: 1 is `*`, 2 is `**`. Plain data: a compiled pattern is stored with its configuration. */
export type GlobPart = string | 1 | 2

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

const afterWildcard = (wildcard: 1 | 2, value: string, from: readonly number[]): number[] => {
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
    const isWildX = x !== undefined && x < 0
    const isWildY = y !== undefined && y < 0
    // A wildcard may end here, or swallow the other side's next unit.
    if (isWildX) visit(i + 1, j)
    if (isWildY) visit(i, j + 1)
    if (x === undefined || y === undefined) continue
    if (isWildX && !isWildY && spans(x === -1 ? 1 : 2, y)) visit(i, j + 1)
    if (isWildY && !isWildX && spans(y === -1 ? 1 : 2, x)) visit(i + 1, j)
    if (!isWildX && !isWildY && x === y) visit(i + 1, j + 1)
  }
  return false
}

/** Code units of the literals; a wildcard is its negative. */
const unitsOf = (parts: readonly GlobPart[]): number[] =>
  parts.flatMap((part) => {
    if (typeof part === 'number') return [-part]
    const units: number[] = []
    for (let at = 0; at < part.length; at += 1) units.push(part.charCodeAt(at))
    return units
  })
