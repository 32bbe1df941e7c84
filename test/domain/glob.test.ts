import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type GlobPart, globsIntersect, matchesGlob, parseGlob } from '../../lib/domain/glob.ts'
import { LIMITS } from '../../lib/domain/limits.ts'

const compile = (pattern: string): readonly GlobPart[] => {
  const parts = parseGlob(pattern)
  if (parts === null) throw new Error(`not a pattern: ${pattern}`)
  return parts
}
const matches = (pattern: string, value: string) => matchesGlob(compile(pattern), value)

test.each([
  ['acme/ci/.github/workflows/*.yml', 'acme/ci/.github/workflows/release.yml', true],
  ['acme/ci/.github/workflows/*.yml', 'acme/ci/.github/workflows/a/release.yml', false],
  ['acme/ci/.github/workflows/*.yml', 'acme/ci/.github/workflows/.yml', true],
  ['refs/tags/v*', 'refs/tags/v1.2', true],
  ['refs/tags/v*', 'refs/tags/v1:2', false],
  ['refs/tags/v*', 'refs/tags/v1/2', false],
  ['refs/heads/**', 'refs/heads/a/b/c', true],
  ['refs/heads/**', 'refs/heads/a:b', false],
  ['refs/heads/**/x*y', 'refs/heads/a/x/b/xy', true],
  ['a**b*c', 'ab/bc', true],
  ['a*b', 'acb\n', false],
  ['a.c', 'abc', false],
  ['a|b', 'a', false],
  ['exact', 'exact', true],
  ['exact', 'exactly', false],
  ['exact', 'an exact', false],
])('%s on %s: %s (anchored; * stops at / and :, ** at : only)', (pattern, value, expected) => {
  expect(matches(pattern, value)).toBe(expected)
})

test('a pattern is refused when empty, too long or with three stars', () => {
  expect([parseGlob(''), parseGlob('a***b'), parseGlob('a'.repeat(LIMITS.patternCharsMax + 1))]).toEqual([
    null,
    null,
    null,
  ])
})

test('row 63: a pattern made to backtrack is decided, where trying every way would not end in a lifetime', () => {
  const pattern = 'a*'.repeat(LIMITS.patternCharsMax / 2)
  expect(matches(pattern, `${'a'.repeat(2047)}/`)).toBe(false)
})

/** The definition, word for word, with no thought of speed. */
const naive = (pattern: string, value: string): boolean => {
  if (pattern === '') return value === ''
  const isDouble = pattern.startsWith('**')
  if (!isDouble && !pattern.startsWith('*'))
    return value[0] === pattern[0] && value !== '' && naive(pattern.slice(1), value.slice(1))
  const rest = pattern.slice(isDouble ? 2 : 1)
  for (let taken = 0; taken <= value.length; taken += 1) {
    const piece = value.slice(0, taken)
    if (piece.includes(':') || (!isDouble && piece.includes('/'))) return false
    if (naive(rest, value.slice(taken))) return true
  }
  return false
}

const piece = fc.constantFrom('a', 'b', '/', ':', '*', '**', 'ab')
const patterns = fc
  .array(piece, { minLength: 1, maxLength: 7 })
  .map((pieces) => pieces.join(''))
  .filter((text) => !text.includes('***'))
const values = fc.array(fc.constantFrom('a', 'b', '/', ':'), { maxLength: 8 }).map((pieces) => pieces.join(''))

describe('against the definition', () => {
  test('matching agrees with a naive matcher', () => {
    fc.assert(
      fc.property(patterns, values, (pattern, value) => matches(pattern, value) === naive(pattern, value)),
      { numRuns: 2_000 },
    )
  })

  test('two patterns that match one value intersect: the linter never misses an overlap', () => {
    fc.assert(
      fc.property(
        patterns,
        patterns,
        values,
        (a, b, value) => !(naive(a, value) && naive(b, value)) || globsIntersect(compile(a), compile(b)),
      ),
      { numRuns: 3_000 },
    )
  })

  test('two patterns that intersect have a value in common: the linter cries no wolf', () => {
    const short = fc
      .array(fc.constantFrom('a', 'b', '/', '*', '**'), { minLength: 1, maxLength: 4 })
      .map((pieces) => pieces.join(''))
      .filter((text) => !text.includes('***'))
    // As long as any value two such patterns force on each other: seven characters of both, one after the other.
    const all: string[] = ['']
    for (let at = 0; at < all.length; at += 1)
      if (all[at]!.length < 7) for (const unit of ['a', 'b', '/']) all.push(all[at]! + unit)
    fc.assert(
      fc.property(
        short,
        short,
        (a, b) => !globsIntersect(compile(a), compile(b)) || all.some((value) => naive(a, value) && naive(b, value)),
      ),
      { numRuns: 300 },
    )
  })
})
