// Microseconds per stage of one exchange, by calling the real functions in a loop on one core. A stage whose module does
// not exist yet, or no longer takes what it is given here, is reported as skipped and never as a number.
import { createHash, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { closeSync, fdatasyncSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '../lib/domain/claims.ts'
import type { Condition } from '../lib/domain/tenant-config.ts'
import type { Wid } from '../lib/domain/wid.ts'
import { AUDIENCE } from './broker.ts'
import { ISSUER, type IssuerKey, type Presigned, TARGET } from './presign.ts'
import { median } from './windows.ts'

export type StageReport = { readonly name: string; readonly micros: number | null; readonly note: string }

const LOOPS = 15
const CALLS = 200
const GROUP = 32
const RECORD_BYTES = 700

/** Median over loops of the mean of 200 calls; the first loop warms. */
const measure = (call: () => unknown): number => {
  const means: number[] = []
  for (let loop = 0; loop <= LOOPS; loop += 1) {
    const began = performance.now()
    for (let i = 0; i < CALLS; i += 1) call()
    if (loop > 0) means.push(((performance.now() - began) * 1_000) / CALLS)
  }
  return median(means)
}

type Stage = { readonly name: string; readonly prepare: () => Promise<() => unknown>; readonly note: string }

const taken = <T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: unknown },
): T => {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.refusal)}`)
  return result.value
}

const firstBody = (bodies: Presigned): string => {
  const bytes = Buffer.alloc(bodies.bodyLength)
  const file = openSync(bodies.file, 'r')
  readSync(file, bytes, 0, bytes.length, 0)
  closeSync(file)
  return bytes.toString('latin1')
}

const githubWid = async (claims: JsonObject): Promise<() => Wid> => {
  const [{ normalize }, { PROVIDER_CATALOG }] = await Promise.all([
    import('../lib/domain/normalize.ts'),
    import('../lib/providers/catalog.ts'),
  ])
  return () => taken(normalize(PROVIDER_CATALOG.github, ISSUER, claims, null))
}

const stagesOf = (body: string, key: IssuerKey, dir: string): readonly Stage[] => {
  const assertion = new URLSearchParams(body).get('subject_token') ?? ''
  const signingInput = assertion.slice(0, assertion.lastIndexOf('.'))
  const signature = Buffer.from(assertion.slice(signingInput.length + 1), 'base64url')
  const claims = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString()) as JsonObject
  const jwk = key.jwks.keys[0]!
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const payload = async (): Promise<() => string> => {
    const { accessTokenPayload } = await import('../lib/domain/access-token.ts')
    const { WID_CLAIMS_DEFAULT } = await import('../lib/domain/wid.ts')
    const wid = (await githubWid(claims))()
    const subject = 'spiffe://acme.example/ci/7654321/production'
    const facts = {
      issuerUrl: AUDIENCE,
      subject,
      audience: TARGET,
      scope: 'deploy:read deploy:write',
      jti: randomUUID(),
      txn: randomUUID(),
    }
    const times = { issuedAtSeconds: 1_795_000_000, ttlSeconds: 600 }
    return () =>
      accessTokenPayload({
        ...facts,
        ...times,
        jkt: null,
        handles: [],
        introspects: null,
        leaves: WID_CLAIMS_DEFAULT,
        wid,
      })
  }
  return [
    {
      name: 'form parse',
      note: 'wire/form.ts',
      prepare: async () => {
        const { parseForm } = await import('../lib/wire/form.ts')
        taken(parseForm(body))
        return () => parseForm(body)
      },
    },
    {
      name: 'JWS parse',
      note: 'domain/compact-jws.ts, claims included',
      prepare: async () => {
        const { parseCompactJws } = await import('../lib/domain/compact-jws.ts')
        taken(parseCompactJws(assertion))
        return () => parseCompactJws(assertion)
      },
    },
    {
      name: 'signature verify (RS256)',
      note: 'adapters/jose/evidence-signature.ts, key imported before',
      prepare: async () => {
        const { importVerifyKey, verifySignature } = await import('../lib/adapters/jose/evidence-signature.ts')
        createPublicKey({ key: jwk, format: 'jwk' })
        const { kty, n, e } = jwk
        const imported = importVerifyKey({ kty, n, e })
        if (!verifySignature('RS256', imported, signingInput, signature))
          throw new Error('the assertion did not verify')
        return () => verifySignature('RS256', imported, signingInput, signature)
      },
    },
    { name: 'normalize', note: 'domain/normalize.ts, github', prepare: async () => githubWid(claims) },
    {
      name: 'evaluate grants',
      note: 'domain/decide.ts, one grant of four conditions',
      prepare: async () => {
        const { evaluateGrants } = await import('../lib/domain/decide.ts')
        const wid = (await githubWid(claims))()
        const conditions: readonly Condition[] = [
          { leaf: 'project.id', matcher: { kind: 'equals', value: '7654321' } },
          { leaf: 'ref.full', matcher: { kind: 'equals', value: 'refs/heads/main' } },
          { leaf: 'environment.name', matcher: { kind: 'any_of', values: ['staging', 'production'] } },
          { leaf: 'trigger.class', matcher: { kind: 'any_of', values: ['push', 'schedule', 'manual'] } },
        ]
        const identity = [[{ literal: 'ci' }], [{ leaf: 'project.id' }], [{ leaf: 'environment.name' }]]
        // Only what evaluateGrants reads; the whole document is compiled in the broker, not here.
        const grant = { name: 'deploy-prod', from: 'github', conditions, identity, untrustedSource: 'deny' }
        const config = { tenant: 'acme', grants: [grant] } as unknown as Parameters<typeof evaluateGrants>[0]
        if (evaluateGrants(config, 'github', wid)[0]?.holds !== true) throw new Error('the grant did not match')
        return () => evaluateGrants(config, 'github', wid)
      },
    },
    { name: 'record and token payload', note: 'domain/access-token.ts', prepare: payload },
    {
      name: 'hashes of replay key and token',
      note: 'SHA-256 of 64 B and 630 B',
      prepare: async () => {
        const [small, large] = [Buffer.alloc(64, 1), Buffer.alloc(630, 2)]
        return () => [createHash('sha256').update(small).digest(), createHash('sha256').update(large).digest()]
      },
    },
    {
      name: 'disk bound of one commit / 32',
      note: 'append 32 x 700 B, fdatasync; the store itself costs more',
      prepare: async () => {
        mkdirSync(dir, { recursive: true })
        const path = join(dir, 'stages.probe')
        const file = openSync(path, 'a', 0o600)
        const group = Buffer.alloc(GROUP * RECORD_BYTES, 1)
        rmSync(path)
        let calls = 0
        return () => {
          calls += 1
          if (calls % GROUP !== 0) return
          writeSync(file, group)
          fdatasyncSync(file)
        }
      },
    },
    {
      name: 'sign (ES256)',
      note: 'node:crypto, bare KeyObject',
      prepare: async () => {
        const input = Buffer.from((await payload())())
        return () => sign('sha256', input, own)
      },
    },
    {
      name: 'respond',
      note: 'JSON text of 900 B to bytes',
      prepare: async () => {
        const answer = {
          access_token: 'x'.repeat(740),
          token_type: 'Bearer',
          expires_in: 600,
          scope: 'deploy:read deploy:write',
        }
        return () => Buffer.from(JSON.stringify(answer))
      },
    },
  ]
}

/** Run it while no window runs: it loads the core it is on. */
export const measureStages = async (
  bodies: Presigned,
  key: IssuerKey,
  dir: string,
): Promise<readonly StageReport[]> => {
  const reports: StageReport[] = []
  for (const { name, note, prepare } of stagesOf(firstBody(bodies), key, dir)) {
    try {
      reports.push({ name, note, micros: measure(await prepare()) })
    } catch (error) {
      reports.push({
        name,
        micros: null,
        note: `skipped: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
      })
    }
  }
  return reports
}
