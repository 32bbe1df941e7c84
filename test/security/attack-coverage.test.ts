// Which test stands for which row of the attack catalogue. A row of the exchange without a test that names it fails here, and
// so does a row that is said to be elsewhere and is not.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at)
/** Rows that bind the exchange; 53-60 bind the fetching of keys, 51 and 67 came with the rest. */
const ROWS = [...range(1, 40), ...range(42, 60), ...range(61, 68), 70]

const FRONT = 'security/attack-rows.test.ts'
const EXCHANGE = 'security/exchange-attacks.test.ts'
/** Rows that are not in the table of attack-rows.test.ts, with what of a row this version has no code for. */
const ELSEWHERE: Readonly<Record<number, string>> = {
  36: 'e2e/ops.test.ts', // the only labels there are; the audit stream will have its own
  37: EXCHANGE, // the token endpoint; queue and SET endpoints have no code yet
  43: 'flows/refresh-issuer-keys.test.ts',
  52: EXCHANGE,
  53: 'adapters/guarded-http.test.ts',
  54: 'adapters/guarded-http.test.ts',
  55: 'adapters/guarded-http.test.ts',
  56: 'flows/issuer-keys.test.ts',
  57: 'flows/issuer-keys.test.ts',
  58: 'flows/issuer-keys.test.ts',
  59: 'flows/issuer-keys.test.ts',
  60: 'flows/issuer-keys.test.ts',
  61: EXCHANGE,
  62: EXCHANGE, // no client secret exists (P1), and no MAC is checked: the t-test over one comes with webhooks
  63: 'domain/glob.test.ts',
  65: EXCHANGE,
  66: 'security/canaries.test.ts',
  67: 'bin/client-address.test.ts',
}

/** Rows named in a title, `row 7:` or `(row 7)`, or in the first column of a table, `row(7, …)`. */
const rowsNamedIn = (source: string): ReadonlySet<number> =>
  new Set(
    [...source.matchAll(/\brows? ([0-9]+)\b|\brow\(\s*([0-9]+),|^\s*\['([0-9]{1,2})', '\//gm)].map((found) =>
      Number(found[1] ?? found[2] ?? found[3]),
    ),
  )

test('each row has a test that names it, in the file that is said to have it', () => {
  const missing = ROWS.filter((row) => {
    const source = readFileSync(join('test', ELSEWHERE[row] ?? FRONT), 'utf8')
    const code = source.replace(/^\/\/.*$/gm, '')
    return !rowsNamedIn(code).has(row)
  })
  expect(missing).toEqual([])
})

test('no test names a row that does not exist', () => {
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'))
  const named = files.flatMap((name) => [...rowsNamedIn(readFileSync(join('test', name), 'utf8'))])
  expect(named.filter((row) => row < 1 || row > 70)).toEqual([])
})
