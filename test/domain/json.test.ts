import { expect, test } from 'vitest'
import { parseStrictJson } from '../../lib/domain/json.ts'

const verdict = (text: string): unknown => {
  const parsed = parseStrictJson(text)
  return parsed.ok ? parsed.value : parsed.refusal.kind
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
const list = (count: number): string => `[${Array(count).fill('0').join(',')}]`

test.each([
  ['{}'],
  ['[]'],
  [' \t\r\n{ "a" : [ 1 , { } , [ ] , "" ] }\n'],
  ['"\\u0041\\n\\t\\b\\f\\r\\/\\\\\\""'],
  ['"\\ud83d\\ude00 and \u{1f600}"'],
  ['-0'],
  ['0.5e-3'],
  ['1E+2'],
  ['-12.25'],
  ['1e-400'],
  ['9007199254740993'],
  ['{"":1,"a":{"a":1},"constructor":2,"toString":3,"hasOwnProperty":4}'],
  ['{"10":1,"9":2,"b":3,"1":4}'],
  ['"a \ufeff inside is a character like another"'],
  ['"\u007f"'],
])('reads %j as JSON.parse does', (text) => {
  expect(verdict(text)).toEqual(JSON.parse(text))
})

test.each([
  '',
  ' ',
  '{',
  '}',
  '[',
  '[1,]',
  '[,1]',
  '{"a":1,}',
  '{"a"}',
  '{"a":}',
  '{a:1}',
  "{'a':1}",
  '{"a":1 "b":2}',
  '{"a":1}}',
  '{} {}',
  '[1 2]',
  '[1}',
  '{"a":1]',
  '01',
  '-',
  '+1',
  '.5',
  '1.',
  '1e',
  '1e+',
  '0x10',
  'NaN',
  'Infinity',
  '-Infinity',
  '1_000',
  '-01',
  '１',
  'tru',
  'True',
  'nul',
  'nullx',
  'undefined',
  '"',
  '"a',
  '"\\"',
  '"\\',
  '"\\x41"',
  '"\\u12"',
  '"\\u12g4"',
  '"\\u 123"',
  '"\\u+123"',
  '"a\nb"',
  '"\t"',
  '"\u001f"',
  "'a'",
  '/* c */ 1',
  '1 // c',
  '\u00a01',
  '\u20281',
  '\v1',
  '\f1',
])('refuses %j, as JSON.parse does', (text) => {
  expect(() => JSON.parse(text)).toThrow()
  expect(verdict(text)).toBe('json_invalid')
})

test.each([
  ['a byte order mark', '\ufeff{}', 'json_invalid'],
  ['a raw NUL', '{"a":"\0"}', 'json_invalid'],
  ['an escaped NUL', '{"a":"\\u0000"}', 'json_invalid'],
  ['an escaped NUL in a name', '{"a\\u0000":1}', 'json_invalid'],
  ['a raw lone high surrogate', '"\ud800"', 'json_invalid'],
  ['a raw lone low surrogate', '"\udc00"', 'json_invalid'],
  ['an escaped lone high surrogate', '"\\ud800"', 'json_invalid'],
  ['an escaped lone low surrogate', '"\\udc00x"', 'json_invalid'],
  ['surrogates in the wrong order', '"\\ude00\\ud83d"', 'json_invalid'],
  ['a lone surrogate in a name', '{"\\ud800":1}', 'json_invalid'],
  ['a duplicate member', '{"sub":"a","sub":"b"}', 'json_duplicate_member'],
  ['a duplicate member with an equal value', '{"a":1,"b":2,"a":1}', 'json_duplicate_member'],
  ['a duplicate member, one escaped', '{"sub":"a","\\u0073ub":"b"}', 'json_duplicate_member'],
  ['a duplicate member in a nested object', '[{"a":{"x":1,"x":2}}]', 'json_duplicate_member'],
  ['a duplicate integer-like member', '{"1":1,"1":2}', 'json_duplicate_member'],
  ['__proto__', '{"__proto__":{"admin":true}}', 'json_forbidden_member'],
  ['__proto__, escaped', '{"\\u005f_proto__":1}', 'json_forbidden_member'],
  ['__proto__, nested', '{"a":[{"__proto__":1}]}', 'json_forbidden_member'],
  ['a number that reads as Infinity', '{"exp":1e400}', 'json_invalid'],
  ['a number that reads as -Infinity', '-1e400', 'json_invalid'],
])('refuses %s, which JSON.parse lets pass or other readers see differently', (_, text, kind) => {
  expect(verdict(text)).toBe(kind)
})

test('objects have no prototype, at any depth: no name is ever inherited', () => {
  const parsed = parseStrictJson('{"a":{"b":[{}]}}')
  expect(parsed.ok).toBe(true)
  const value = (parsed as unknown as { value: { a: { b: [object] } } }).value
  for (const object of [value, value.a, value.a.b[0]]) expect(Object.getPrototypeOf(object)).toBeNull()
  expect('toString' in value).toBe(false)
})

test.each([
  ['8 levels', nested(8), true],
  ['9 levels', nested(9), 'json_too_deep'],
  ['9 levels of objects', `${'{"a":'.repeat(8)}{}${'}'.repeat(8)}`, 'json_too_deep'],
  ['a million levels', '['.repeat(1_000_000), 'json_too_deep'],
  ['256 elements', list(256), true],
  ['257 elements', list(257), 'json_too_many_members'],
  ['256 members and elements, in all', `{"a":${list(200)},"b":${list(54)}}`, true],
  ['257 members and elements, in all', `{"a":${list(200)},"b":${list(55)}}`, 'json_too_many_members'],
  ['a string of 2048 bytes', `"${'a'.repeat(2048)}"`, true],
  ['a string of 2049 bytes', `"${'a'.repeat(2049)}"`, 'json_string_too_long'],
  ['a string of 2048 bytes in 1024 characters', `"${'é'.repeat(1024)}"`, true],
  ['a string of 2050 bytes in 1025 characters', `"${'é'.repeat(1025)}"`, 'json_string_too_long'],
  ['a string of 2049 bytes by escapes', `"${'\\u0061'.repeat(2049)}"`, 'json_string_too_long'],
  ['a string of 2048 bytes by escapes', `"${'\\u00e9'.repeat(1024)}"`, true],
  ['a string of 2052 bytes in emoji', `"${'😀'.repeat(513)}"`, 'json_string_too_long'],
  ['a name of 2049 bytes', `{"${'a'.repeat(2049)}":1}`, 'json_string_too_long'],
])('the limit is exact: %s', (_, text, expected) => {
  const parsed = parseStrictJson(text)
  expect(parsed.ok || parsed.refusal.kind).toBe(expected)
})

test('a name the engine takes for another after it has seen that one is still what the text says', () => {
  // nodejs/node#63785: the second text has the member " and JSON.parse may say that it is \\.
  const seen = '{"h":[],"\\\\":0}'
  const then = '{"h":1,"\\"":2}'
  JSON.parse(seen)
  expect(parseStrictJson(seen).ok && parseStrictJson(then)).toEqual({ ok: true, value: { h: 1, '"': 2 } })
})

test('other documents have limits of their own', () => {
  const limits = { depthMax: 1, membersMax: 1_000, stringBytesMax: 3 }
  expect(parseStrictJson(list(1_000), limits).ok).toBe(true)
  expect(parseStrictJson('[[]]', limits)).toMatchObject({ refusal: { kind: 'json_too_deep' } })
  expect(parseStrictJson('"abcd"', limits)).toMatchObject({ refusal: { kind: 'json_string_too_long' } })
})
