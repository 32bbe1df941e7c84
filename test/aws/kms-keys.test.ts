// Signing keys on KMS, both tiers, through the maker, prover and ring that every broker uses: who makes keys never sees one, who
// signs may open only its tenant's, and an outage never looks like a bad key.
import { KMSClient } from '@aws-sdk/client-kms'
import { compactVerify, importJWK } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createHeldKeyPairs, createHeldKeyVault } from '../../lib/adapters/aws/kms-held-keys.ts'
import { createWrappedKeyPairs, createWrappedKeyVault } from '../../lib/adapters/aws/kms-wrapped-keys.ts'
import { createKeyMaker, createKeyProver } from '../../lib/adapters/keys/key-maker.ts'
import { createLocalKeyRing } from '../../lib/adapters/keys/local-key-ring.ts'
import { createMemorySigningKeyStore } from '../../lib/adapters/memory/signing-key-store.ts'
import { createMemoryTimeMark } from '../../lib/adapters/memory/time-mark.ts'
import type { OwnAlgorithm, SigningKey } from '../../lib/domain/signing-key.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { createClockGuard } from '../../lib/flows/guard-clock.ts'
import { createKeyActivation } from '../../lib/flows/keys/activate-key.ts'
import { rotateKeys } from '../../lib/flows/keys/rotate-keys.ts'
import type { KeyPairs, KeyRing, KeyVault } from '../../lib/ports/signing-keys.ts'
import { type Aws, startAws } from '../support/aws/emulator.ts'
import { handClock } from '../support/own-keys.ts'
import { credentialsCloud, DATA_MINT, DATA_ROTATE, POOL_KEY } from './credentials-cloud.ts'

let aws: Aws
beforeAll(async () => {
  aws = await startAws({
    cloud: credentialsCloud('https://sts.example.com/t/acme'),
  })
})
afterAll(() => aws.stop())
beforeEach(() => {
  aws.faults.inject([])
  aws.recorder.clear()
})

/** What a function has: one client a tenant, with the credentials of that tenant's tagged session. */
const sessionsOf = (role: string) => (tenant: string) =>
  new KMSClient({
    ...aws.client(aws.credentialsForRole(role, { tags: { 'mintmark-tenant': tenant } })),
    maxAttempts: 1,
  })

const wrapping = (role: string, as?: string) => ({
  kms: (tenant: string) => sessionsOf(role)(as ?? tenant),
  wrappingKey: POOL_KEY,
})
const wrappedVault = (as?: string): KeyVault => createWrappedKeyVault(wrapping(DATA_MINT, as))
const heldVault = (as?: string): KeyVault =>
  createHeldKeyVault((tenant) => sessionsOf(DATA_MINT)(as ?? tenant), wrappedVault(as))

const TIERS: readonly (readonly [string, () => KeyPairs, (as?: string) => KeyVault])[] = [
  ['pooled', () => createWrappedKeyPairs(wrapping(DATA_ROTATE)), wrappedVault],
  ['silo', () => createHeldKeyPairs(sessionsOf(DATA_ROTATE)), heldVault],
]

const slots = (...algs: OwnAlgorithm[]) => algs.map((alg) => ({ use: 'token' as const, alg }))
const kmsCalls = (): string[] => aws.recorder.entries().map(({ action }) => action)

const broker = (pairs: KeyPairs, vault: KeyVault) => {
  const store = createMemorySigningKeyStore()
  const clock = handClock()
  const ring = createLocalKeyRing({ store, vault, clock })
  const clockGuard = createClockGuard(clock, createMemoryTimeMark())
  const prover = createKeyProver(vault)
  const activation = createKeyActivation({ store, prover, clock })
  const rotation = { store, clock, clockGuard, ring, maker: createKeyMaker(pairs), prover, activation }
  return {
    store,
    ring,
    rotation,
    rotate: (...algs: OwnAlgorithm[]) => rotateKeys(rotation, { tenant: 'acme', needed: slots(...algs) }),
  }
}

const verified = async (ring: KeyRing, row: SigningKey, payload: string): Promise<string> => {
  const encode = (text: string) => Buffer.from(text).toString('base64url')
  const input = `${encode(JSON.stringify({ alg: row.alg, kid: row.kid }))}.${encode(payload)}`
  const signature = await ring.sign(await ring.active(row.tenant, 'token', row.alg), input)
  const key = await importJWK({ ...row.publicJwk }, row.alg)
  const { payload: read } = await compactVerify(`${input}.${signature}`, key, { algorithms: [row.alg] })
  return new TextDecoder().decode(read)
}

describe.each(TIERS)('%s', (tier, pairs, vaultOf) => {
  test('a rotation makes, proves and activates keys, and both algorithms verify, longer than KMS takes a message too', async () => {
    const { store, ring, rotate } = broker(pairs(), vaultOf())
    await rotate('ES256', 'RS256')
    const rows = await store.list('acme')
    expect(rows.map(({ alg, state }) => `${alg} ${state}`).sort()).toEqual(['ES256 active', 'RS256 active'])
    const long = JSON.stringify({ text: 'x'.repeat(6_000) })
    for (const row of rows) expect(await verified(ring, row, long)).toBe(long)
    expect(aws.recorder.entries().every(({ decision }) => decision.outcome === 'Allowed')).toBe(true)
  })

  test('who makes keys cannot open one, and who opens cannot make one', async () => {
    const { store, rotate } = broker(pairs(), vaultOf())
    await rotate('ES256')
    const [row] = await store.list('acme')
    const thief = tier === 'pooled' ? createWrappedKeyVault(wrapping(DATA_ROTATE)) : heldAs(DATA_ROTATE)
    const ring = createLocalKeyRing({ store, vault: thief, clock: handClock() })
    const opened = ring.active('acme', 'token', 'ES256').then((key) => ring.sign(key, 'a.b'))
    await expect(opened).rejects.toThrow(Unavailable)
    await expect(
      (tier === 'pooled'
        ? createWrappedKeyPairs(wrapping(DATA_MINT))
        : createHeldKeyPairs(sessionsOf(DATA_MINT))
      ).generate(row!),
    ).rejects.toMatchObject({ kind: 'signing_key_unavailable' })
  })

  const heldAs = (role: string) => createHeldKeyVault(sessionsOf(role), wrappedVault())

  test("a session of globex opens none of acme's keys: the fence is KMS's, not the broker's", async () => {
    const { store, rotate } = broker(pairs(), vaultOf())
    await rotate('ES256')
    const ring = createLocalKeyRing({ store, vault: vaultOf('globex'), clock: handClock() })
    await expect(ring.active('acme', 'token', 'ES256')).rejects.toThrow(Unavailable)
    expect(aws.recorder.entries().at(-1)?.decision.outcome).not.toBe('Allowed')
  })

  test('two sealed halves exchanged between rows are noticed: each is another key than its kid says', async () => {
    const { store, rotation } = broker(pairs(), vaultOf())
    const make = () => rotation.maker.make({ tenant: 'acme', use: 'token', alg: 'ES256', nowSeconds: 1 })
    const [first, second] = [await make(), await make()]
    expect(await rotation.prover.proves({ ...first, sealed: second.sealed })).toBe(false)
    await store.insert({ ...first, sealed: second.sealed })
    await store.prove('acme', first.kid, 1)
    await store.move('acme', first.kid, 'prepared', 'active', 1)
    await expect(rotation.ring.active('acme', 'token', 'ES256')).rejects.toMatchObject({
      kind: 'signing_key_unavailable',
    })
  })

  test('an outage says nothing about a key: it is not put away, and proves when KMS is back', async () => {
    const { store, rotate } = broker(pairs(), vaultOf())
    const opening = tier === 'pooled' ? 'kms:Decrypt' : 'kms:GetPublicKey'
    const fault = { action: opening, kind: 'throttle', percent: 100 } as const
    const made = await createKeyMaker(pairs()).make({ tenant: 'acme', use: 'token', alg: 'ES256', nowSeconds: 1 })
    await store.insert(made)
    aws.faults.inject([fault])
    await expect(rotate('ES256')).rejects.toThrow(Unavailable)
    expect(aws.faults.struck[0]).toBeGreaterThan(0)
    expect((await store.list('acme'))[0]?.state).toBe('prepared')
    aws.faults.inject([])
    await rotate('ES256')
    expect((await store.list('acme'))[0]?.state).toBe('active')
  })
})

test('pooled: once open, a key signs without KMS', async () => {
  const { store, ring, rotate } = broker(createWrappedKeyPairs(wrapping(DATA_ROTATE)), wrappedVault())
  await rotate('ES256')
  const [row] = await store.list('acme')
  const key = await ring.active('acme', 'token', 'ES256')
  aws.recorder.clear()
  for (let count = 0; count < 5; count += 1) expect(typeof ring.sign(key, `a.${count}`)).toBe('string')
  await verified(ring, row!, '{}')
  expect(kmsCalls()).toEqual([])
})

test('pooled: a relabelled row does not open: tenant, use and algorithm are in the encryption context', async () => {
  const { rotation } = broker(createWrappedKeyPairs(wrapping(DATA_ROTATE)), wrappedVault())
  const key = await rotation.maker.make({ tenant: 'acme', use: 'token', alg: 'ES256', nowSeconds: 1 })
  expect(await rotation.prover.proves({ ...key, alg: 'RS256' })).toBe(false)
  // Another tenant or use is not even asked of the ciphertext: the key policy denies.
  await expect(rotation.prover.proves({ ...key, use: 'log' })).rejects.toThrow(Unavailable)
  expect(await rotation.prover.proves({ ...key, tenant: 'globex' })).toBe(false)
})

test('pooled: the feed secret is sealed once, opened once a process, and gives the same handles everywhere', async () => {
  const { store, ring } = broker(createWrappedKeyPairs(wrapping(DATA_ROTATE)), wrappedVault())
  const handle = await ring.handle('acme', 'project', 'github', '7654321')
  const other = createLocalKeyRing({ store, vault: wrappedVault(), clock: handClock() })
  expect(await other.handle('acme', 'project', 'github', '7654321')).toBe(handle)
  expect(kmsCalls()).toEqual(['kms:Encrypt', 'kms:Decrypt', 'kms:Decrypt'])
  const thief = createLocalKeyRing({ store, vault: wrappedVault('globex'), clock: handClock() })
  await expect(thief.handle('acme', 'project', 'github', '7654321')).rejects.toThrow(Unavailable)
})

test('pooled: a KMS that hangs is given up in time', async () => {
  const { store, rotate } = broker(createWrappedKeyPairs(wrapping(DATA_ROTATE)), wrappedVault())
  await rotate('ES256')
  aws.faults.inject([{ action: 'kms:Decrypt', kind: 'hang', ms: 60_000, percent: 100 }])
  const ring = createLocalKeyRing({ store, vault: wrappedVault(), clock: handClock() })
  await expect(ring.active('acme', 'token', 'ES256')).rejects.toThrow(Unavailable)
})

test('silo: what a row holds is the name of a key and no key; a signature that fails is an outage', async () => {
  const { store, ring, rotate } = broker(createHeldKeyPairs(sessionsOf(DATA_ROTATE)), heldVault())
  await rotate('ES256')
  const [row] = await store.list('acme')
  expect(new TextDecoder().decode(row!.sealed)).toMatch(/^arn:aws:kms:eu-west-1:111122223333:key\/[0-9a-f-]{36}$/)
  const key = await ring.active('acme', 'token', 'ES256')
  aws.faults.inject([{ action: 'kms:Sign', kind: 'throttle', percent: 100 }])
  await expect(ring.sign(key, 'a.b')).rejects.toMatchObject({ kind: 'signing_key_unavailable' })
})
