import { runInThisContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseStrictJson } from '../../lib/domain/json.ts'

/** JSON texts, and texts that nearly are: a character replaced, inserted or dropped. */
const nearlyJson = fc
  .tuple(
    fc.oneof(fc.json({ maxDepth: 4 }), fc.json({ maxDepth: 3, stringUnit: 'binary' })),
    fc.nat(),
    fc.constantFrom(
      '',
      '',
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '0',
      '1',
      '-',
      '.',
      'e',
      ' ',
      '\n',
      '\0',
      '\ud800',
      '\\u0000',
      '\\u0041',
      'null',
      '\ufeff',
      '__proto__',
      '1e400',
    ),
    fc.constantFrom(0, 0, 1),
  )
  .map(([text, place, piece, drop]) => {
    const at = place % (text.length + 1)
    return text.slice(0, at) + piece + text.slice(at + drop)
  })

/** As a literal of ECMAScript: JSON.parse takes one escaped name for another now and then (nodejs/node#63785). */
const literal = (text: string): unknown => runInThisContext(`(${text})`)

test('what we accept JSON.parse accepts, with the value that the same literal has', () => {
  fc.assert(
    fc.property(nearlyJson, (text) => {
      const parsed = parseStrictJson(text)
      if (!parsed.ok) return
      JSON.parse(text)
      expect(parsed.value).toEqual(literal(text))
    }),
    { numRuns: 3_000 },
  )
})

test('what JSON.parse accepts we accept, or refuse for a reason of our own', () => {
  const ours = new Set([
    'json_too_deep',
    'json_too_many_members',
    'json_string_too_long',
    'json_duplicate_member',
    'json_forbidden_member',
  ])
  fc.assert(
    fc.property(nearlyJson, (text) => {
      const parsed = parseStrictJson(text)
      if (parsed.ok || ours.has(parsed.refusal.kind)) return
      let value: unknown
      try {
        value = JSON.parse(text)
      } catch {
        return
      }
      // Then it must be NUL, a lone surrogate, or a number too large, somewhere in it.
      const said = JSON.stringify(value, (_, member) =>
        member === Number.POSITIVE_INFINITY || member === Number.NEGATIVE_INFINITY ? '\0' : member,
      )
      expect(said).toMatch(/\\u0000|\\ud[89a-f]/)
    }),
    { numRuns: 3_000 },
  )
})

test('the short way for plain text never differs from the strict reader, which a line end at the end calls for', () => {
  const name = fc.constantFrom('a', 'b', '__proto__', 'constructor', '1', ':', '')
  const leaf = fc.constantFrom(
    '1',
    '-0',
    '1e400',
    '0.5',
    'true',
    'null',
    '"x"',
    '":"',
    '""',
    '01',
    `"${'y'.repeat(40)}"`,
  )
  const { node } = fc.letrec<{ node: string; object: string; array: string }>((tie) => ({
    node: fc.oneof({ maxDepth: 5 }, leaf, tie('object'), tie('array')),
    object: fc
      .array(fc.tuple(name, tie('node')), { maxLength: 4 })
      .map((members) => `{${members.map(([key, value]) => `"${key}" :${value}`).join(', ')}}`),
    array: fc.array(tie('node'), { maxLength: 4 }).map((elements) => `[${elements.join(',')}]`),
  }))
  const limits = { depthMax: 4, membersMax: 10, stringBytesMax: 32 }
  fc.assert(
    fc.property(node, (text) => {
      expect(parseStrictJson(text, limits)).toEqual(parseStrictJson(`${text}\n`, limits))
    }),
    { numRuns: 3_000 },
  )
})
