// What a poll may ask (RFC 8936 §2.2), and what is none.
import { expect, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import { readPoll } from '../../lib/wire/poll-request.ts'

const ALL = { maxEvents: null, returnImmediately: false, ack: [], setErrs: {} }

test.each([
  ['nothing at all', '', ALL],
  ['an empty object', '{}', ALL],
  ['a member nobody here knows', '{"x":{"y":[1]}}', ALL],
  [
    'answers',
    '{"ack":["a"],"setErrs":{"b":{"err":"invalid_key","description":"private"}}}',
    { ...ALL, ack: ['a'], setErrs: { b: 'invalid_key' } },
  ],
  [
    'as many answers as may be',
    JSON.stringify({ setErrs: errorsOf(LIMITS.pollAnswersMax) }),
    { ...ALL, setErrs: expect.any(Object) },
  ],
])('a poll with %s is read', (_, body, asked) => {
  expect(readPoll(body)).toEqual(asked)
})

test.each([
  ['no JSON', '{'],
  ['no object', '[]'],
  ['a member twice, of which two readers could each believe another', '{"ack":["a"],"ack":["b"]}'],
  ['a SET answered for twice', '{"setErrs":{"a":{"err":"x"},"\\u0061":{"err":"y"}}}'],
  ['a prototype', '{"setErrs":{"__proto__":{"err":"x"}}}'],
  ['a number that is none', '{"maxEvents":1.5}'],
  ['an id that is none', '{"ack":[""]}'],
  ['one answer more than may be', JSON.stringify({ ack: ['a'], setErrs: errorsOf(LIMITS.pollAnswersMax) })],
])('%s is not a poll', (_, body) => {
  expect(readPoll(body)).toBeNull()
})

function errorsOf(count: number): Record<string, { readonly err: string; readonly description: string }> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`jti-${at}`, { err: 'x', description: 'y' }]))
}
