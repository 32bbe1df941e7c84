// The offline verifier measured alone (`npm run bench -- verifier`): a first verification against a bare one of jose and against bare
// WebCrypto, interleaved in one process; a token that was verified before; and memory with a million revoked handles, which run in
// a process of its own. Figures are printed, never asserted.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { argv, execPath, memoryUsage } from 'node:process'
import { fileURLToPath } from 'node:url'
import { importJWK, jwtVerify } from 'jose'
import { createVerifier } from '../lib/verify/verifier.ts'
import {
  AUDIENCE,
  accessToken,
  feedPage,
  ISSUER,
  SIGNAL_KEY,
  START_SECONDS,
  TOKEN_KEY,
} from '../test/support/feed-pages.ts'
import { median } from './windows.ts'

const REVOKED = 1_000_000
const PER_PAGE = 8_192
const TOKENS = 300
const ROUNDS = 15
const CACHED_CALLS = 20_000

const clock = { nowMs: () => START_SECONDS * 1000, monotonicMs: () => performance.now() }
const verifierOf = (page: (cursor: number) => string) =>
  createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: { keys: [TOKEN_KEY.jwk] },
    signalKeys: { keys: [SIGNAL_KEY.jwk] },
    fetch: async (url) => new Response(page(Number(new URL(url).searchParams.get('since') ?? 0))),
    clock,
    report: (deviation) => console.error(deviation),
  })

const micros = async (count: number, call: (at: number) => unknown): Promise<number> => {
  const began = performance.now()
  for (let at = 0; at < count; at += 1) await call(at)
  return ((performance.now() - began) * 1000) / count
}

/** A page signed when it is asked for, so that the feed itself takes no memory. */
const million = (cursor: number): string => {
  const count = Math.min(PER_PAGE, REVOKED - cursor)
  return feedPage({
    seq: REVOKED,
    since: cursor,
    next: cursor + count,
    block: randomBytes(12 * count).toString('base64url'),
  })
}

const measureMemory = async (): Promise<void> => {
  const collect = globalThis.gc as () => void
  const verifier = verifierOf(million)
  collect()
  const before = memoryUsage()
  const began = performance.now()
  await verifier.refresh()
  const seconds = (performance.now() - began) / 1000
  collect()
  const after = memoryUsage()
  const { revoked } = verifier.status()
  const megabytes = (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 2 ** 20
  console.log(
    `memory     ${megabytes.toFixed(1)} MB for ${revoked} revoked handles, taken in ${seconds.toFixed(1)} s (goal: 64 MB)`,
  )
}

const measureSpeed = async (): Promise<void> => {
  const key = await importJWK(TOKEN_KEY.jwk as Parameters<typeof importJWK>[0], 'ES256')
  const expected = {
    issuer: ISSUER,
    audience: AUDIENCE,
    typ: 'at+jwt',
    algorithms: ['ES256'],
    currentDate: new Date(clock.nowMs()),
  }
  const [ours, joses]: [number[], number[]] = [[], []]
  const verifier = verifierOf(() => feedPage())
  await verifier.verify(accessToken())
  for (let round = 0; round <= ROUNDS; round += 1) {
    const tokens = Array.from({ length: TOKENS }, () => accessToken())
    const jose = await micros(TOKENS, (at) => jwtVerify(tokens[at]!, key, expected))
    const own = await micros(TOKENS, (at) => verifier.verify(tokens[at]!))
    if (round === 0) continue
    joses.push(jose)
    ours.push(own)
  }
  const ratio = median(ours.map((own, at) => own / joses[at]!))
  console.log(
    `first      ${median(ours).toFixed(1)} us, jose ${median(joses).toFixed(1)} us: ${ratio.toFixed(2)} x (goal: 1.3 x)`,
  )
  const token = accessToken()
  await verifier.verify(token)
  const again: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) again.push(await micros(CACHED_CALLS, () => verifier.verify(token)))
  console.log(`again      ${median(again).toFixed(2)} us for a token verified before (goal: 5 us)`)
}

if (argv[2] === 'memory') await measureMemory()
else {
  await measureSpeed()
  const file = fileURLToPath(import.meta.url)
  execFileSync(execPath, ['--expose-gc', file, 'memory'], { stdio: 'inherit' })
}
