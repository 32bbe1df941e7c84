import {
  constants,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  privateEncrypt,
  randomBytes,
} from 'node:crypto'
import { compactVerify, importJWK } from 'jose'
import { expect, test } from 'vitest'
import { createAesSealer } from '../../../lib/adapters/keys/aes-sealer.ts'
import { createKeyProver } from '../../../lib/adapters/keys/key-maker.ts'
import { createLocalKeyRing } from '../../../lib/adapters/keys/local-key-ring.ts'
import { createLocalVault } from '../../../lib/adapters/keys/local-vault.ts'
import type { OwnAlgorithm } from '../../../lib/domain/signing-key.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import type { KeyVault, SigningKeyStore } from '../../../lib/ports/signing-keys.ts'
import { type OwnKeys, ownKeys } from '../../support/own-keys.ts'

const addActive = async ({ store, maker }: OwnKeys, alg: OwnAlgorithm = 'ES256', tenant = 'acme', atSeconds = 1) => {
  const key = await maker.make({ tenant, use: 'token', alg, nowSeconds: atSeconds })
  await store.insert(key)
  await store.prove(tenant, key.kid, atSeconds)
  await store.move(tenant, key.kid, 'prepared', 'active', atSeconds)
  return key
}

/** Where a secret is known to be stored. */
const none = (): never => {
  throw new Error('there is no feed secret')
}

test.each(['ES256', 'RS256'] as const)('%s signatures verify with another implementation', async (alg) => {
  const keys = ownKeys()
  const row = await addActive(keys, alg)
  const input = `${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.${Buffer.from('{"a":1}').toString('base64url')}`
  const ready = await keys.ring.active('acme', 'token', alg)
  expect(ready).toMatchObject({ kid: row.kid, alg })
  const jws = `${input}.${keys.ring.sign(ready, input)}`
  const { payload } = await compactVerify(jws, await importJWK({ ...row.publicJwk }, alg), { algorithms: [alg] })
  expect(new TextDecoder().decode(payload)).toBe('{"a":1}')
})

test('a key is unwrapped once, however many wait for it, and then is there without waiting', async () => {
  const keys = ownKeys()
  await addActive(keys)
  let reads = 0
  const store: SigningKeyStore = {
    ...keys.store,
    list: (tenant) => {
      reads += 1
      return keys.store.list(tenant)
    },
  }
  const ring = createLocalKeyRing({ ...keys, store })
  expect(ring.peek('acme', 'token', 'ES256')).toBeUndefined()
  const all = await Promise.all(Array.from({ length: 20 }, () => ring.active('acme', 'token', 'ES256')))
  expect(new Set(all).size).toBe(1)
  expect(reads).toBe(1)
  expect(ring.peek('acme', 'token', 'ES256')).toBe(all[0])
})

test('a ring opens the keys of its own use only: mint has no way to the signal key, revoke none to that of tokens', async () => {
  const keys = ownKeys()
  await addActive(keys, 'ES256')
  const signal = createLocalKeyRing({ ...keys, use: 'signal' })
  await expect(signal.active('acme', 'token', 'ES256')).rejects.toThrow(TypeError)
  await expect(keys.ring.active('acme', 'signal', 'ES256')).rejects.toThrow(TypeError)
  await expect(signal.active('acme', 'signal', 'ES256')).rejects.toThrow(Unavailable)
})

test('no active key, or one of another tenant or algorithm only: unavailable', async () => {
  const keys = ownKeys()
  await addActive(keys, 'ES256', 'globex')
  for (const [tenant, use, alg] of [
    ['acme', 'token', 'ES256'],
    ['globex', 'token', 'RS256'],
  ] as const)
    await expect(keys.ring.active(tenant, use, alg)).rejects.toThrow(Unavailable)
})

test("another tenant's sealed key in the row does not open: unavailable, and no token", async () => {
  const keys = ownKeys()
  const globex = await addActive(keys, 'ES256', 'globex')
  await keys.store.insert({ ...globex, tenant: 'acme' })
  await keys.store.prove('acme', globex.kid, 1)
  await keys.store.move('acme', globex.kid, 'prepared', 'active', 1)
  await expect(keys.ring.active('acme', 'token', 'ES256')).rejects.toMatchObject({ kind: 'signing_key_unavailable' })
})

test('a failure is not remembered: the next caller tries again', async () => {
  const keys = ownKeys()
  await expect(keys.ring.active('acme', 'token', 'ES256')).rejects.toThrow(Unavailable)
  const row = await addActive(keys)
  expect((await keys.ring.active('acme', 'token', 'ES256')).kid).toBe(row.kid)
})

test('an invalidated tenant is read again; the others stay', async () => {
  const keys = ownKeys()
  await addActive(keys)
  await addActive(keys, 'ES256', 'globex')
  await keys.ring.active('acme', 'token', 'ES256')
  await keys.ring.active('globex', 'token', 'ES256')
  const second = await addActive(keys, 'ES256', 'acme', 2)
  keys.ring.invalidate('acme')
  expect(keys.ring.peek('acme', 'token', 'ES256')).toBeUndefined()
  expect(keys.ring.peek('globex', 'token', 'ES256')).toBeDefined()
  expect((await keys.ring.active('acme', 'token', 'ES256')).kid).toBe(second.kid)
})

test('a read that began before an invalidation does not bring the old key back', async () => {
  const keys = ownKeys()
  const first = await addActive(keys)
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let isFirst = true
  const store: SigningKeyStore = {
    ...keys.store,
    list: async (tenant) => {
      const rows = await keys.store.list(tenant)
      if (isFirst) {
        isFirst = false
        await held
      }
      return rows
    },
  }
  const ring = createLocalKeyRing({ ...keys, store })
  const slow = ring.active('acme', 'token', 'ES256')
  const second = await addActive(keys, 'ES256', 'acme', 2)
  ring.invalidate('acme')
  release()
  expect((await slow).kid).toBe(first.kid)
  expect((await ring.active('acme', 'token', 'ES256')).kid).toBe(second.kid)
})

test('a key is cached for a minute at most: a process that slept through a rotation does not sign with the old one', async () => {
  const keys = ownKeys()
  const first = await addActive(keys)
  const ready = await keys.ring.active('acme', 'token', 'ES256')
  keys.clock.add(59)
  expect(keys.ring.peek('acme', 'token', 'ES256')).toBe(ready)
  keys.clock.add(1)
  expect(keys.ring.peek('acme', 'token', 'ES256')).toBeUndefined()
  expect(await keys.ring.active('acme', 'token', 'ES256')).toBe(ready) // unchanged: not unwrapped again
  const second = await addActive(keys, 'ES256', 'acme', 2)
  keys.clock.add(60)
  expect([first.kid, (await keys.ring.active('acme', 'token', 'ES256')).kid]).toEqual([first.kid, second.kid])
})

test('a key that is no key of this ring is not signed with', () => {
  expect(() => ownKeys().ring.sign({ kid: 'k', alg: 'ES256', handle: 'secret' }, 'a.b')).toThrow(TypeError)
})

test('handles of credentials and assertions are plain SHA-256: a verifier computes them from the token itself', () => {
  const { ring } = ownKeys()
  const expected = createHash('sha256').update('credential\0\0jti-1').digest().subarray(0, 12).toString('base64url')
  expect(ring.handle('acme', 'credential', '', 'jti-1')).toBe(expected)
  expect(ring.handle('globex', 'assertion', '', 'x')).toMatch(/^[A-Za-z0-9_-]{16}$/)
})

test('all other handles hide their value behind the secret of the tenant, and stay the same', async () => {
  const keys = ownKeys()
  const acme = await keys.ring.handle('acme', 'project', 'github', '7654321')
  expect(acme).toMatch(/^[A-Za-z0-9_-]{16}$/)
  expect(keys.ring.handle('acme', 'project', 'github', '7654321')).toBe(acme) // cached: no waiting
  expect(await keys.ring.handle('globex', 'project', 'github', '7654321')).not.toBe(acme)
  expect(await keys.ring.handle('acme', 'run', 'github', '7654321')).not.toBe(acme)
  expect(await keys.ring.handle('acme', 'project', 'gitlab', '7654321')).not.toBe(acme)
  keys.ring.invalidate('acme')
  expect(await keys.ring.handle('acme', 'project', 'github', '7654321')).toBe(acme)
  // Another process with the same store and master key, and the formula of design §6 by hand.
  expect(await createLocalKeyRing(keys).handle('acme', 'project', 'github', '7654321')).toBe(acme)
  const secret = await keys.vault.openSecret('acme', await keys.store.feedSecret('acme', none))
  expect(
    createHmac('sha256', secret).update('project\0github\x007654321').digest().subarray(0, 12).toString('base64url'),
  ).toBe(acme)
})

test('an invalidated tenant leaves no secret behind: of a removed one nothing may be opened from memory either', async () => {
  const keys = ownKeys()
  let reads = 0
  const store = {
    ...keys.store,
    feedSecret: (...args: Parameters<SigningKeyStore['feedSecret']>) => {
      reads += 1
      return keys.store.feedSecret(...args)
    },
  }
  const ring = createLocalKeyRing({ ...keys, store })
  await ring.handle('acme', 'subject', '', 'x')
  await ring.handle('acme', 'subject', '', 'y')
  expect(reads).toBe(1)
  ring.invalidate('acme')
  await ring.handle('acme', 'subject', '', 'z')
  expect(reads).toBe(2)
})

test("a feed secret copied from another tenant's row does not open", async () => {
  const keys = ownKeys()
  await keys.ring.handle('globex', 'subject', '', 'x')
  const stolen = await keys.store.feedSecret('globex', none)
  await keys.store.feedSecret('acme', () => stolen)
  await expect(keys.ring.handle('acme', 'subject', '', 'x')).rejects.toThrow(Unavailable)
})

test('with another master key nothing opens: unavailable, never a new secret', async () => {
  const keys = ownKeys()
  await addActive(keys)
  await keys.ring.handle('acme', 'subject', '', 'x')
  const ring = createLocalKeyRing({ ...keys, vault: createLocalVault(createAesSealer(randomBytes(32))) })
  await expect(ring.active('acme', 'token', 'ES256')).rejects.toMatchObject({ kind: 'signing_key_unavailable' })
  await expect(ring.handle('acme', 'subject', '', 'x')).rejects.toThrow(Unavailable)
})

// DigestInfo of SHA-256 (RFC 8017 §9.2 note 1): node:crypto signs no digest, so the padding is asked for by itself.
const DIGEST_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex')

/** A vault whose RSA keys never leave it: it signs digests, as a KMS does. (ES256: test/aws, against KMS semantics.) */
const remoteVault = (key: KeyObject): KeyVault => ({
  open: () => ({
    kind: 'elsewhere',
    publicKey: createPublicKey(key).export({ format: 'der', type: 'spki' }),
    sign: async (digest) =>
      privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.concat([DIGEST_INFO, digest])),
  }),
  sealSecret: (_tenant, secret) => secret,
  openSecret: (_tenant, sealed) => sealed,
})

test('a key of another service signs later, and its signature verifies', async () => {
  const keys = ownKeys()
  const row = await addActive(keys, 'RS256')
  const opened = await keys.vault.open(row)
  if (opened.kind !== 'here') throw new Error('the local vault keeps its keys here')
  const vault = remoteVault(createPrivateKey({ key: Buffer.from(opened.pkcs8), format: 'der', type: 'pkcs8' }))
  expect(await createKeyProver(vault).proves(row)).toBe(true)
  const ring = createLocalKeyRing({ ...keys, vault })
  const input = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.e30`
  const signature = ring.sign(await ring.active('acme', 'token', 'RS256'), input)
  expect(signature).toBeInstanceOf(Promise)
  const key = await importJWK({ ...row.publicJwk }, 'RS256')
  await compactVerify(`${input}.${await signature}`, key, { algorithms: ['RS256'] })
})

test('a key here signs at once: the hot path never waits for a promise that is none', async () => {
  const keys = ownKeys()
  await addActive(keys)
  expect(typeof keys.ring.sign(await keys.ring.active('acme', 'token', 'ES256'), 'a.b')).toBe('string')
})

test('a vault that opens another key than the row names is not signed with: the kid is the thumbprint', async () => {
  const keys = ownKeys()
  const first = await addActive(keys)
  const other = await keys.maker.make({ tenant: 'acme', use: 'token', alg: 'ES256', nowSeconds: 1 })
  const vault: KeyVault = { ...keys.vault, open: () => keys.vault.open(other) }
  await expect(createLocalKeyRing({ ...keys, vault }).active('acme', 'token', 'ES256')).rejects.toMatchObject({
    kind: 'signing_key_unavailable',
  })
  expect(await createKeyProver(vault).proves(first)).toBe(false)
})
