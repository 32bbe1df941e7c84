import { compactVerify, createLocalJWKSet } from 'jose'
import { expect, test } from 'vitest'
import { createMemoryRevocationStore } from '../../../lib/adapters/memory/revocation-store.ts'
import { createMemorySigningKeyStore } from '../../../lib/adapters/memory/signing-key-store.ts'
import { createIds } from '../../../lib/adapters/system/ids.ts'
import { activeKeyOf, type KeySlot, publishedKeys } from '../../../lib/domain/key-rotation.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import { createKeyActivation } from '../../../lib/flows/keys/activate-key.ts'
import { rotateKeys, taintKey } from '../../../lib/flows/keys/rotate-keys.ts'
import type { SigningKeyStore } from '../../../lib/ports/signing-keys.ts'
import { jwksDocument } from '../../../lib/wire/jwks.ts'
import { type OwnKeys, ownKeys } from '../../support/own-keys.ts'

const ES: KeySlot = { use: 'token', alg: 'ES256' }
const ORDER = { tenant: 'acme', needed: [ES] }
const kinds = (moves: readonly { readonly kind: string }[]) => moves.map(({ kind }) => kind)
const states = async ({ store }: OwnKeys) => (await store.list('acme')).map(({ state }) => state).sort()
const activeKid = async ({ store }: OwnKeys) => activeKeyOf(await store.list('acme'), ES)?.kid

/** What a verifier gets that asks for the key set now. */
const servedSet = async ({ store }: OwnKeys) =>
  createLocalJWKSet(
    jwksDocument(publishedKeys(await store.list('acme'), 'token')) as unknown as Parameters<
      typeof createLocalJWKSet
    >[0],
  )

const taintPorts = (keys: OwnKeys) => {
  const revocations = createMemoryRevocationStore()
  return { revocations, ports: { ...keys, ids: createIds(keys.clock), revoke: revocations.put } }
}

test('while the clock is not trusted no key is made or moved, and what fell due is done when it is again', async () => {
  const keys = ownKeys()
  const untrusted = { kind: 'clock_untrusted' }
  keys.clock.step(-3600)
  await expect(rotateKeys(keys, ORDER)).rejects.toMatchObject(untrusted)
  expect(await keys.store.list('acme')).toEqual([])
  keys.clock.step(3600)
  keys.clock.add(LIMITS.clockRebaseSeconds)
  await rotateKeys(keys, ORDER)
  keys.clock.add(LIMITS.keyRotationSeconds - LIMITS.keyPublicationDelaySeconds)
  await rotateKeys(keys, ORDER)
  const before = await keys.store.list('acme')
  // A day ahead at a stroke: the successor would sign at once, before a cache has seen it.
  keys.clock.step(24 * 3600)
  for (let seconds = 0; seconds < LIMITS.clockRebaseSeconds; seconds += 10) {
    for (const isForced of [false, true])
      await expect(rotateKeys(keys, { ...ORDER, isForced })).rejects.toMatchObject(untrusted)
    keys.clock.add(9)
  }
  expect(await keys.store.list('acme')).toEqual(before)
  keys.clock.step(-24 * 3600)
  keys.clock.add(LIMITS.keyPublicationDelaySeconds)
  expect(kinds(await rotateKeys(keys, ORDER))).toEqual(['activate', 'retire'])
})

test('a clock that jumps between two moves stops the second', async () => {
  const keys = ownKeys()
  const store: SigningKeyStore = {
    ...keys.store,
    insert: (key) => {
      keys.clock.step(3600)
      return keys.store.insert(key)
    },
  }
  await expect(rotateKeys({ ...keys, store }, ORDER)).rejects.toMatchObject({ kind: 'clock_untrusted' })
  expect(await keys.store.list('acme')).toMatchObject([{ state: 'prepared', provenAtSeconds: null }])
})

test('a key is tainted whatever the clock says; only its successor waits', async () => {
  const keys = ownKeys()
  const { ports, revocations } = taintPorts(keys)
  await rotateKeys(keys, ORDER)
  const kid = (await activeKid(keys))!
  keys.clock.step(-3600)
  const order = { ...ORDER, kid, reason: 'leaked', by: 'ops' }
  await expect(taintKey(ports, order)).rejects.toMatchObject({ kind: 'clock_untrusted' })
  expect(await states(keys)).toEqual(['tainted'])
  expect(await revocations.list('acme')).toHaveLength(1)
  keys.clock.step(3600)
  expect(await rotateKeys(keys, ORDER)).toHaveLength(3)
})

test("a tenant's first key signs at once; asked again, nothing is due", async () => {
  const keys = ownKeys()
  expect(kinds(await rotateKeys(keys, ORDER))).toEqual(['generate', 'prove', 'activate'])
  expect(await rotateKeys(keys, ORDER)).toEqual([])
  expect((await keys.ring.active('acme', 'token', 'ES256')).kid).toBe(await activeKid(keys))
})

test('a key lives its life: prepared, active after the delay, retiring, retired', async () => {
  const keys = ownKeys()
  await rotateKeys(keys, ORDER)
  keys.clock.add(LIMITS.keyRotationSeconds - LIMITS.keyPublicationDelaySeconds)
  expect(kinds(await rotateKeys(keys, ORDER))).toEqual(['generate', 'prove'])
  keys.clock.add(LIMITS.keyPublicationDelaySeconds)
  expect(kinds(await rotateKeys(keys, ORDER))).toEqual(['activate', 'retire'])
  keys.clock.add(LIMITS.keyRetireSeconds)
  expect(kinds(await rotateKeys(keys, ORDER))).toEqual(['withdraw'])
  expect(await states(keys)).toEqual(['active', 'retired'])
})

test('a forced rotation publishes one successor now, once, and does not skip its delay', async () => {
  const keys = ownKeys()
  await rotateKeys(keys, ORDER)
  const first = await activeKid(keys)
  keys.clock.add(10)
  expect(kinds(await rotateKeys(keys, { ...ORDER, isForced: true }))).toEqual(['generate', 'prove'])
  expect(await rotateKeys(keys, { ...ORDER, isForced: true })).toEqual([])
  expect(await activeKid(keys)).toBe(first)
  keys.clock.add(LIMITS.keyPublicationDelaySeconds)
  expect(kinds(await rotateKeys(keys, { ...ORDER, isForced: true }))).toEqual(['activate', 'retire'])
})

test('the ring of this process signs with the new key right after a rotation', async () => {
  const keys = ownKeys()
  await rotateKeys(keys, ORDER)
  const before = await keys.ring.active('acme', 'token', 'ES256')
  await rotateKeys(keys, { ...ORDER, isForced: true })
  keys.clock.add(LIMITS.keyPublicationDelaySeconds)
  await rotateKeys(keys, ORDER)
  expect((await keys.ring.active('acme', 'token', 'ES256')).kid).not.toBe(before.kid)
})

test('a key that does not prove is put away and never served; the next run makes another', async () => {
  const keys = ownKeys()
  const broken = { ...keys, activation: { activate: async () => false } }
  await expect(rotateKeys(broken, ORDER)).rejects.toThrow(Unavailable)
  expect(await states(keys)).toEqual(['retired'])
  expect(publishedKeys(await keys.store.list('acme'), 'token')).toEqual([])
  await rotateKeys(keys, ORDER)
  expect(await states(keys)).toEqual(['active', 'retired'])
})

test('a crash before any write of a rotation: the next run ends with one active key, and none was ever missing', async () => {
  for (let crashAt = 1; crashAt <= 5; crashAt += 1) {
    const keys = ownKeys()
    await rotateKeys(keys, ORDER)
    let writes = 0
    const crashing: SigningKeyStore = {
      ...keys.store,
      insert: (key) => write(() => keys.store.insert(key)),
      prove: (...args) => write(() => keys.store.prove(...args)),
      move: (...args) => write(() => keys.store.move(...args)),
    }
    const write = async <T>(work: () => Promise<T>): Promise<T> => {
      writes += 1
      if (writes === crashAt) throw new Unavailable('store_unavailable')
      return work()
    }
    const rotate = () =>
      rotateKeys(
        { ...keys, store: crashing, activation: createKeyActivation({ ...keys, store: crashing }) },
        ORDER,
      ).catch(() => undefined)
    for (const seconds of [
      LIMITS.keyRotationSeconds - LIMITS.keyPublicationDelaySeconds,
      LIMITS.keyPublicationDelaySeconds,
      LIMITS.keyRetireSeconds,
    ]) {
      keys.clock.add(seconds)
      await rotate()
      expect(await activeKid(keys)).toBeDefined()
    }
    await rotateKeys(keys, ORDER)
    expect((await states(keys)).filter((state) => state === 'active')).toHaveLength(1)
  }
})

test('rotators that run at once leave one active key, whose public half is served', async () => {
  // A store that lets everyone else run before each answer: the worst interleaving there is.
  const memory = createMemorySigningKeyStore()
  const slow = async <T>(work: Promise<T>): Promise<T> => {
    const value = await work
    await new Promise((resolve) => setImmediate(resolve))
    return value
  }
  const keys = ownKeys({
    ...memory,
    list: (tenant) => slow(memory.list(tenant)),
    insert: (key) => slow(memory.insert(key)),
    move: (...args) => slow(memory.move(...args)),
  })
  for (const seconds of [
    0,
    LIMITS.keyRotationSeconds - LIMITS.keyPublicationDelaySeconds,
    LIMITS.keyPublicationDelaySeconds,
    LIMITS.keyRotationSeconds,
  ]) {
    keys.clock.add(seconds)
    await Promise.all([rotateKeys(keys, ORDER), rotateKeys(keys, ORDER), rotateKeys(keys, ORDER)])
    expect((await states(keys)).filter((state) => state === 'active')).toHaveLength(1)
    expect(publishedKeys(await memory.list('acme'), 'token').map(({ kid }) => kid)).toContain(await activeKid(keys))
  }
})

test('a tainted key leaves the key set and is revoked; its successor signs at once', async () => {
  const keys = ownKeys()
  const { ports, revocations } = taintPorts(keys)
  await rotateKeys(keys, ORDER)
  const kid = (await activeKid(keys))!
  const tainted = await taintKey(ports, { ...ORDER, kid, reason: 'leaked', by: 'ops' })
  expect(kinds(tainted!.moves)).toEqual(['generate', 'prove', 'activate'])
  expect(await activeKid(keys)).not.toBe(kid)
  expect(publishedKeys(await keys.store.list('acme'), 'token').map((key) => key.kid)).not.toContain(kid)
  expect(await revocations.list('acme')).toMatchObject([
    { kind: 'own_key', issuer: '', value: kid, form: 'block', reason: 'leaked', by: 'ops' },
  ])
})

test('a taint that failed at any write can be repeated, and is revoked before anything else', async () => {
  for (let crashAt = 1; crashAt <= 4; crashAt += 1) {
    const keys = ownKeys()
    const { ports, revocations } = taintPorts(keys)
    await rotateKeys(keys, ORDER)
    const kid = (await activeKid(keys))!
    let writes = 0
    const write = async <T>(work: () => Promise<T>): Promise<T> => {
      writes += 1
      if (writes === crashAt) throw new Unavailable('store_unavailable')
      return work()
    }
    const store: SigningKeyStore = {
      ...keys.store,
      insert: (key) => write(() => keys.store.insert(key)),
      prove: (...args) => write(() => keys.store.prove(...args)),
      move: (...args) => write(() => keys.store.move(...args)),
    }
    const order = { ...ORDER, kid, reason: 'leaked', by: 'ops' }
    await expect(
      taintKey({ ...ports, store, activation: createKeyActivation({ ...keys, store }) }, order),
    ).rejects.toThrow(Unavailable)
    expect(await revocations.list('acme')).toHaveLength(1)
    const again = await taintKey(ports, order)
    expect(again!.revocation.id).toBe((await revocations.list('acme'))[0]!.id)
    expect(await states(keys)).toEqual(['active', 'tainted'])
  }
})

test("another tenant's key cannot be tainted, nor one that is not there", async () => {
  const keys = ownKeys()
  const { ports, revocations } = taintPorts(keys)
  await rotateKeys(keys, ORDER)
  const kid = (await activeKid(keys))!
  expect(await taintKey(ports, { tenant: 'globex', needed: [ES], kid, reason: 'r', by: 'b' })).toBeNull()
  expect(await taintKey(ports, { ...ORDER, kid: 'no', reason: 'r', by: 'b' })).toBeNull()
  expect([...(await revocations.list('acme')), ...(await revocations.list('globex'))]).toEqual([])
})

test('under load, rotation never makes a token that a fresh verifier, or one with an old cache, cannot check', async () => {
  const keys = ownKeys()
  await rotateKeys(keys, ORDER)
  const input = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.e30`
  const live: { readonly token: string; readonly kid: string; readonly atSeconds: number }[] = []
  const signers = new Set<string>()
  let cached = { set: await servedSet(keys), atSeconds: keys.clock.nowSeconds() }
  const STEP = 149 // divides neither the cache age nor the delay, so every phase of both is met
  for (let seconds = 0; seconds < 2.5 * LIMITS.keyRotationSeconds; seconds += STEP) {
    keys.clock.add(STEP)
    const nowSeconds = keys.clock.nowSeconds()
    const [ready] = await Promise.all([
      keys.ring.active('acme', 'token', 'ES256'),
      rotateKeys(keys, { ...ORDER, isForced: seconds % (40 * STEP) === 0 }),
    ])
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid: ready.kid })).toString('base64url')
    const signingInput = input.replace(/^[^.]+/, header)
    const token = `${signingInput}.${keys.ring.sign(ready, signingInput)}`
    signers.add(ready.kid)
    live.push({ token, kid: ready.kid, atSeconds: nowSeconds })
    await compactVerify(token, cached.set) // as old as max-age allows
    const fresh = await servedSet(keys)
    while (nowSeconds - live[0]!.atSeconds > LIMITS.ttlSecondsMax) live.shift()
    // The newest token, and the oldest one that has not expired.
    await compactVerify(token, fresh)
    await compactVerify(live[0]!.token, fresh)
    if (nowSeconds + STEP - cached.atSeconds > LIMITS.jwksMaxAgeSeconds) cached = { set: fresh, atSeconds: nowSeconds }
  }
  expect(signers.size).toBeGreaterThan(5)
})
