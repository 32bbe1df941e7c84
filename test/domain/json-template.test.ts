// Texts of one shape, one after the other: what was the same so far is written once, and must not stay when it changes.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson } from '../../lib/domain/canonical-json.ts'
import type { JsonObject, JsonValue } from '../../lib/domain/claims.ts'
import { CUT, jsonTemplate, type ShapeObject } from '../../lib/domain/json-template.ts'

type Input = {
  readonly first: JsonValue
  readonly second: JsonValue
  readonly third: JsonValue
  readonly last: JsonValue
}

const SHAPE: ShapeObject<Input> = {
  a: { always: ({ first }) => first, kind: 'fixed', maybe: ({ second }) => second },
  b: [{ name: ({ first }) => first, of: CUT, third: ({ third }) => third }],
  z: ({ last }) => last,
}
const templateOf = () => jsonTemplate<Input>(SHAPE, { charsMax: 12, itemsMax: 4 })

const text = fc.constantFrom('', 'x', 'plain', 'with "marks"', 'ü', 'ends with \\')
const some = fc.oneof(
  text,
  fc.integer(),
  fc.boolean(),
  fc.array(text, { maxLength: 3 }),
  fc.dictionary(text, text, { maxKeys: 3 }),
)
const input: fc.Arbitrary<Input> = fc.record({
  first: fc.constantFrom('one', 'two', 3, 'with "marks"'),
  second: fc.option(some),
  third: fc.option(some),
  last: fc.option(some),
})

test('whatever changes from one text to the next, and comes back, each is the canonical text of its object', () => {
  fc.assert(
    fc.property(fc.array(input, { minLength: 2, maxLength: 12 }), (inputs) => {
      const template = templateOf()
      for (const one of inputs) {
        const written = template.text(one)
        // A name that has to be escaped is left to whoever writes objects.
        if (written === null) continue
        const object = template.object(one)
        expect(written.text).toBe(canonicalJson(object))
        const withCut = { ...object, b: [{ ...(object['b'] as [JsonObject])[0], of: 1 }] }
        const { text, cutAt } = written
        expect(`${text.slice(0, cutAt)},"of":1${text.slice(cutAt)}`).toBe(canonicalJson(withCut))
      }
    }),
  )
})

test('what has no place in the bounds has no text, though all of it was written before', () => {
  const template = templateOf()
  const fits: Input = { first: 'one', second: 'two', third: null, last: null }
  expect(template.text(fits)).not.toBe(null)
  expect(template.text({ ...fits, second: 'longer than twelve' })).toBe(null)
  expect(template.text({ ...fits, last: ['1', '2', '3', '4', '5'] })).toBe(null)
  expect(template.text(fits)?.text).toBe(canonicalJson(template.object(fits)))
})

test('a first member that is missing is a bug of the shape, also when the one before had it', () => {
  const template = templateOf()
  const whole: Input = { first: 'one', second: null, third: null, last: null }
  expect(template.text(whole)).not.toBe(null)
  expect(() => template.text({ ...whole, first: null })).toThrow(TypeError)
})
