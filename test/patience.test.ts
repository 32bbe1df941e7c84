// No test has a patience of its own (test/support/until.ts): a number of tries or of seconds is one that a slow machine runs out of.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const HERE = import.meta.dirname
/** Where time itself is the matter. */
const MAY: Readonly<Record<string, string>> = {
  'aws/deployed-calls.ts': 'a schedule',
  'aws/push-function.test.ts': 'a receiver that is slow',
  'adapters/guarded-http.test.ts': 'a server that is slow',
  'adapters/guarded-https.test.ts': 'a server that is slow',
  'adapters/sinks/sinks.test.ts': 'a sink that is slow',
  'adapters/sqlite/database.test.ts': 'what must not happen has time to',
  'bin/http-host.test.ts': 'a handler that is slow',
  'e2e/stop.test.ts': 'what must not happen has time to',
  'faults/kill-store.test.ts': 'a moment to kill at',
  'faults/two-log-writers.test.ts': 'a moment to kill at',
  'flows/audit/verify-log.test.ts': 'helpers that end in another order than they began',
  'flows/issuers/issuer-keys.test.ts': 'an issuer that is slow',
  'flows/revocation/push-revocations.test.ts': 'a receiver that is slow',
  'flows/revocation/push-when-woken.test.ts': 'a receiver that is slow',
  'slow/kill-exchange.test.ts': 'a moment to kill at, and as much time as it has kills',
  'slow/soak.test.ts': 'half a request, and as much time as it is told to take',
  'support/aws/emulator.ts': 'a service that hangs',
  'support/until.ts': 'the one patience',
}

const RULES: readonly (readonly [what: string, pattern: RegExp, example: string])[] = [
  ['sleeps', /\bsetTimeout\(|\bsleep\(/, 'await sleep(100)'],
  [
    'has a deadline of its own',
    /\bwaitFor\(|AbortSignal\.timeout\(|\btimeout: (?!COMES_WITHIN_MS)/,
    '{ timeout: 10_000 }',
  ],
  ['has a deadline of its own', /^ *\}?, \d+_000\)?,?$/m, '}, 60_000)'],
  ['counts tries', /\b(?:attempts?|tries|retries) (?:<|===) (?:\d{2}|[A-Z])/, 'attempt < 40'],
  [
    'reads the clock until it gives up',
    /(?:while|for) \([^\n]*(?:Date|performance)\.now\(\)/,
    'while (Date.now() < end) {}',
  ],
]

const broken = (path: string, source: string): string[] =>
  path in MAY ? [] : RULES.filter(([, pattern]) => pattern.test(source)).map(([what]) => `${path} ${what}`)

const FILES = readdirSync(HERE, { recursive: true, encoding: 'utf8' }).filter(
  (path) => path.endsWith('.ts') && path !== 'patience.test.ts' && !path.startsWith('infra/gates/'),
)
const read = (path: string) => readFileSync(join(HERE, path), 'utf8')

test('no test has a patience of its own', () => {
  expect(FILES.flatMap((path) => broken(path, read(path)))).toEqual([])
  expect(Object.keys(MAY).filter((path) => !RULES.some(([, pattern]) => pattern.test(read(path))))).toEqual([])
})

test.each(RULES)('the rule bites: a test %s', (what, _, example) => {
  expect(broken('planted.test.ts', example)).toEqual([`planted.test.ts ${what}`])
})
