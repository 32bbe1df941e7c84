import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { anchorsProblem, anchorWarnings, parseAnchor } from '../../lib/wire/anchor-place.ts'

const NAME = 'witness.example.com'
const key = Buffer.concat([Buffer.from([0x04]), Buffer.alloc(32, 7)])
const id = createHash('sha256').update(`${NAME}\n`).update(key).digest('hex').slice(0, 8)
const VKEY = `${NAME}+${id}+${key.toString('base64')}`
const WITNESS = `https://witness.example.com/acme#${VKEY}`

const hostOf = (problem: 'cannot_append' | 'own_file' | null) => ({
  sha256: nodeSha256,
  fileProblem: (path: string) => (path === '/files/odd' ? problem : null),
})

test('a witness is its URL without the key behind it, whatever else is in either', () => {
  expect(parseAnchor(nodeSha256, WITNESS)).toEqual({
    kind: 'witness',
    url: 'https://witness.example.com/acme',
    key: { name: NAME, publicKey: new Uint8Array(32).fill(7), id },
  })
  expect(parseAnchor(nodeSha256, '/files/a#b')).toEqual({ kind: 'file', path: '/files/a#b' })
})

test.each([
  ['no key', 'https://witness.example.com/acme'],
  ['a key whose id is of another', WITNESS.replace(`+${id}+`, '+00000000+')],
  ['no name', `https://witness.example.com/acme#+${id}+${key.toString('base64')}`],
])('a witness with %s keeps the broker from starting, and the key is not repeated', (_, text) => {
  expect(anchorsProblem(hostOf(null), ['/files/good', text])).toBe(
    '--anchor https://witness.example.com/acme needs the verifier key of the witness: URL#<name>+<id>+<key>',
  )
})

test('a file that cannot be appended to keeps the broker from starting, also behind places that are good', () => {
  expect(anchorsProblem(hostOf('cannot_append'), ['/files/good', WITNESS, '/files/odd'])).toMatch(
    /^--anchor \/files\/odd is no file that can be appended to/,
  )
  expect(anchorsProblem(hostOf('own_file'), ['/files/good', WITNESS, '/files/odd'])).toBeNull()
})

test('an operator is warned of no anchor at all, and of each that the broker could overwrite, and of no other', () => {
  expect(anchorWarnings(hostOf(null), [])).toEqual([expect.stringMatching(/^WARNING: no --anchor/)])
  expect(anchorWarnings(hostOf('own_file'), ['/files/good', WITNESS, '/files/odd'])).toEqual([
    expect.stringMatching(/^WARNING: --anchor \/files\/odd is this user's own file/),
  ])
})
