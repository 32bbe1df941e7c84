// Which test stands for which row of the attack catalogue. A row of the exchange without a test that names it fails here, and
// so does a row that is said to be elsewhere and is not.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at)
const ROWS = range(1, 70)

const FRONT = 'security/attack-rows.test.ts'
const EXCHANGE = 'security/exchange-attacks.test.ts'
/** Rows that are not in the table of attack-rows.test.ts. */
const ELSEWHERE: Readonly<Record<number, string>> = {
  36: 'e2e/ops.test.ts',
  37: 'e2e/events.test.ts',
  43: 'flows/issuers/refresh-issuer-keys.test.ts',
  52: EXCHANGE,
  53: 'adapters/guarded-http.test.ts',
  54: 'adapters/guarded-http.test.ts',
  55: 'adapters/guarded-http.test.ts',
  56: 'flows/issuers/issuer-keys.test.ts',
  57: 'flows/issuers/issuer-keys.test.ts',
  58: 'flows/issuers/issuer-keys.test.ts',
  59: 'flows/issuers/issuer-keys.test.ts',
  60: 'flows/issuers/issuer-keys.test.ts',
  61: EXCHANGE,
  62: EXCHANGE,
  63: 'domain/glob.test.ts',
  65: EXCHANGE,
  66: 'security/canaries.test.ts',
  67: 'bin/client-address.test.ts',
  69: 'bin/http-host.test.ts',
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
