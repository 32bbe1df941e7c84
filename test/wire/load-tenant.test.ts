// Design §5: the YAML a document may be written in, and what its strict schema refuses, with line and words.
import { expect, test } from 'vitest'
import { formatProblem } from '../../lib/wire/tenant-problem.ts'
import {
  changed,
  END_OF_GITHUB,
  expectRefused,
  lineOf,
  loadTexts,
  MATCH,
  type Row,
  VALID,
} from '../support/tenant-documents.ts'

const YAML: readonly Row[] = [
  ['an unknown key', changed(END_OF_GITHUB, `${END_OF_GITHUB}    orgid: "1"\n`), 'orgid:', /^unknown key "orgid"$/],
  ['an unknown section that is a number', `${VALID}foo: 1\n`, 'foo:', /^unknown key "foo"$/],
  ['an unknown section', `${VALID}polices: {}\n`, 'polices:', /^unknown key "polices"$/],
  ['a missing key', changed('    from: github\n', ''), 'deploy:', /^"from" is missing$/],
  ['a number where text is meant', changed('"7654321"', '7654321'), '7654321', /write it in quotes: "7654321"/],
  [
    'a number with a leading zero, as it was written',
    changed('"1234567"', '0012'),
    '0012',
    /write it in quotes: "0012"/,
  ],
  ['a duplicate key', changed(MATCH, `${MATCH}${MATCH}`), 'ref.full: refs/heads/main\n    identity', /there twice/],
  ['an anchor', changed('refs/heads/main', '&main refs/heads/main'), '&main', /anchors are refused/],
  ['an alias', changed('[deploy]', '*x'), '*x', /alias/i],
  ['a merge key', changed(END_OF_GITHUB, `${END_OF_GITHUB}    <<: { replay: once }\n`), '<<', /merge keys are refused/],
  ['a tag', changed('refs/heads/main', '!!str refs/heads/main'), '!!str', /tag .* is refused/],
  ['a custom tag', changed('refs/heads/main', '!env MAIN'), '!env', /tag/],
  ['two documents', `${VALID}---\na: b\n`, '---', /one document/],
  ['a key that is no text', changed(END_OF_GITHUB, `${END_OF_GITHUB}    1: x\n`), '1: x', /a key must be text/],
  ['a line of a match named __proto__', changed(MATCH, `${MATCH}      __proto__: x\n`), '__proto__', /never named/],
  ['a section named __proto__', `${VALID}__proto__: {}\n`, '__proto__', /never named/],
  [
    'bytes that are no UTF-8, as they are read',
    changed('refs/heads/main', 'refs/heads/f\ufffdr'),
    '\ufffd',
    /not UTF-8/,
  ],
  ['broken YAML', changed('[deploy]', '[deploy'), 'ttl: 10m', /./],
  ['an unknown provider', changed('provider: github', 'provider: githab'), 'githab', /expected one of/],
  [
    'an unknown leaf',
    changed('ref.full: refs/heads/main', 'ref.fall: refs/heads/main'),
    'ref.fall',
    /unknown key "ref.fall"|no leaf "ref.fall"/,
  ],
  ['a tenant name of upper case', changed('tenant: acme', 'tenant: Acme'), 'Acme', /lower case/],
]

test.each(YAML)('refused: %s', (...row) => expectRefused(row))

test.each([
  ['huge', 'a'.repeat(1024 * 1024 + 1), /larger than/],
  ['empty', '', /is empty/],
  ['nested beyond reason', '['.repeat(50_000), /./],
])('a document that is %s is one problem or a few, not a crash', (_name, text, message) => {
  const { problems } = loadTexts([text])
  expect(problems.length).toBeGreaterThan(0)
  expect(problems.length).toBeLessThan(10)
  expect(problems[0]?.message).toMatch(message)
})

test('all problems are reported in one run, in the order of the text', () => {
  const { problems } = loadTexts([
    changed('"1234567"', '"1234567"\n    max_age: 1h').replace(MATCH, '').replace('ttl: 10m', 'ttl: 2h'),
  ])
  expect(problems.map(({ line }) => line)).toEqual([7, 19, 26])
})

test('a problem that quotes the document is one line that no terminal obeys', () => {
  const { problems } = loadTexts([`${VALID}"\\e[2J\\n\\u009bx\\u202e": 1\n`])
  expect(problems.map(formatProblem)).toEqual([
    `a.yaml:${lineOf(VALID, VALID.trimEnd().split('\n').at(-1)!) + 1}:1: unknown key "\\u001b[2J\\u000a\\u009bx\\u202e"`,
  ])
})
