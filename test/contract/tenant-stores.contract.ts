// The laws of configuration, keys, revocations, the time mark, and of the strong read over them, for any adapter.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NOW_SECONDS, sampleConfig, sampleKey, sampleRevocation } from './sample-rows.ts'
import type { Stores } from './stores.ts'

const project = { kind: 'project', issuer: 'github', value: '7654321' } as const

export const describeTenantStores = (name: string, open: () => Stores | Promise<Stores>): void => {
  describe(`tenant stores: ${name}`, () => {
    let stores: Stores
    beforeEach(async () => {
      stores = await open()
    })
    afterEach(() => stores.close())
    const read = (kid: string | null = null, tenant = 'acme') =>
      stores.state.read({ tenant, selectors: [project], kid, asksConfig: true })

    test('L2: a revocation that resolved is in the next read, and a lifted one is not', async () => {
      expect((await read()).revocations).toEqual([])
      const revocation = await stores.revocations.put(sampleRevocation())
      expect((await read()).revocations).toEqual([revocation])
      const lift = { tenant: 'acme', id: revocation.id, by: 'uid:1000', reason: 'cleaned', atSeconds: NOW_SECONDS }
      expect(await stores.revocations.lift(lift)).toBe(true)
      expect(await stores.revocations.lift(lift)).toBe(false)
      expect((await read()).revocations).toEqual([])
      const again = await stores.revocations.put(sampleRevocation())
      expect((await read()).revocations).toEqual([again])
    })

    test('L2: a revocation is in the next read however often the tenant was read before, and however many there are', async () => {
      // A cache that is filled on the way must not outlive the change, whatever it holds by then.
      for (let n = 0; n < 8; n += 1) {
        for (let reads = 0; reads <= n; reads += 1) expect((await read()).revocations).toHaveLength(0)
        await stores.revocations.put(sampleRevocation({ value: `other-${n}` }))
      }
      for (let reads = 0; reads < 5; reads += 1) expect((await read()).revocations).toEqual([])
      const block = await stores.revocations.put(sampleRevocation())
      for (let reads = 0; reads < 5; reads += 1) expect((await read()).revocations).toEqual([block])
    })

    test('L2: 16 racing revocations of one selector: one stands, and every caller is told which', async () => {
      const told = await Promise.all(Array.from({ length: 16 }, () => stores.revocations.put(sampleRevocation())))
      expect(new Set(told.map(({ id }) => id)).size).toBe(1)
      expect((await read()).revocations).toEqual([told[0]])
    })

    test('racing cuts keep the latest bound', async () => {
      const bounds = [3, 9, 1, 7, 5, 8, 2, 6, 4].map((add) => NOW_SECONDS + add)
      await Promise.all(
        bounds.map((notBeforeSeconds) => stores.revocations.put(sampleRevocation({ form: 'cut', notBeforeSeconds }))),
      )
      expect((await read()).revocations).toMatchObject([{ notBeforeSeconds: NOW_SECONDS + 9 }])
    })

    test('L4: a cut whose bound is in the past or the future is answered as it is: the clock of who asks judges it', async () => {
      const past = await stores.revocations.put(sampleRevocation({ form: 'cut', notBeforeSeconds: 1 }))
      expect((await read()).revocations).toEqual([past])
    })

    test('a read shows only the selectors asked for, of this tenant, blocks and cuts alike', async () => {
      const block = await stores.revocations.put(sampleRevocation())
      const cut = await stores.revocations.put(sampleRevocation({ form: 'cut', notBeforeSeconds: NOW_SECONDS }))
      await stores.revocations.put(sampleRevocation({ value: '7654322' }))
      await stores.revocations.put(sampleRevocation({ issuer: 'gitlab' }))
      await stores.revocations.put(sampleRevocation({ tenant: 'globex' }))
      expect((await read()).revocations).toHaveLength(2)
      expect((await read()).revocations).toEqual(expect.arrayContaining([block, cut]))
    })

    test('revocations merge monotonely: a cut never gets an earlier bound, a block stays who first asked for it', async () => {
      const late = await stores.revocations.put(sampleRevocation({ form: 'cut', notBeforeSeconds: NOW_SECONDS + 60 }))
      expect(await stores.revocations.put(sampleRevocation({ form: 'cut', notBeforeSeconds: NOW_SECONDS }))).toEqual(
        late,
      )
      expect(
        await stores.revocations.put(sampleRevocation({ form: 'cut', notBeforeSeconds: NOW_SECONDS + 90 })),
      ).toEqual({ ...late, notBeforeSeconds: NOW_SECONDS + 90 })
      const block = await stores.revocations.put(sampleRevocation())
      expect(await stores.revocations.put(sampleRevocation({ by: 'somebody else' }))).toEqual(block)
      expect(await stores.revocations.list('acme')).toHaveLength(2)
    })

    test('a cut, and a block of another tenant, cannot be lifted', async () => {
      const cut = await stores.revocations.put(sampleRevocation({ form: 'cut', notBeforeSeconds: NOW_SECONDS }))
      const block = await stores.revocations.put(sampleRevocation())
      const lift = { by: 'uid:1000', reason: 'mistake', atSeconds: NOW_SECONDS }
      expect(await stores.revocations.lift({ ...lift, tenant: 'acme', id: cut.id })).toBe(false)
      expect(await stores.revocations.lift({ ...lift, tenant: 'globex', id: block.id })).toBe(false)
      expect((await read()).revocations).toHaveLength(2)
    })

    test('configuration: only the successor of the latest version is taken, and a tombstone denies from then on', async () => {
      expect(await read()).toMatchObject({ configVersion: null })
      expect(await stores.configs.put(sampleConfig({ version: 2 }))).toBe(false)
      expect(await stores.configs.put(sampleConfig())).toBe(true)
      expect(await stores.configs.put(sampleConfig({ digest: 'other' }))).toBe(false)
      expect(await read()).toMatchObject({ configVersion: 1 })
      expect(await stores.configs.put(sampleConfig({ version: 2, digest: 'digest-2' }))).toBe(true)
      expect(await read()).toMatchObject({ configVersion: 2 })
      expect(await stores.configs.version('acme', 1)).toEqual(sampleConfig())
      expect(await stores.configs.seen('acme', 'digest-1')).toBe(true)
      expect(await stores.configs.seen('acme', 'digest-2')).toBe(false)
      await stores.configs.tombstone('acme', NOW_SECONDS, 'uid:1000')
      expect(await read()).toMatchObject({ configVersion: null })
      expect(await stores.configs.list()).toEqual([
        { tenant: 'acme', version: 2, digest: 'digest-2', tombstonedAtSeconds: NOW_SECONDS },
      ])
      expect(await stores.configs.latest('acme')).toMatchObject({
        version: { version: 2 },
        tombstonedAtSeconds: NOW_SECONDS,
      })
    })

    test('configuration: of 8 racing writers of one version one is first, and what it wrote is current', async () => {
      const versions = Array.from({ length: 8 }, (_, at) => sampleConfig({ digest: `digest-${at}`, author: `${at}` }))
      const first = await Promise.all(versions.map((version) => stores.configs.put(version)))
      expect(first.filter(Boolean)).toHaveLength(1)
      const winner = versions[first.indexOf(true)]!
      expect(await stores.configs.latest('acme')).toEqual({ version: winner, tombstonedAtSeconds: null })
      expect(await stores.configs.version('acme', 1)).toEqual(winner)
      expect(await read()).toMatchObject({ configVersion: 1 })
    })

    test('configuration: a long document comes back byte for byte', async () => {
      const version = sampleConfig({ document: JSON.stringify({ note: 'é'.repeat(200_000) }), diff: '+ note' })
      await stores.configs.put(version)
      expect((await stores.configs.latest('acme'))?.version).toEqual(version)
    })

    test('16 racing moves of one key: one does it', async () => {
      await stores.keys.insert(sampleKey())
      const moved = await Promise.all(
        Array.from({ length: 16 }, () => stores.keys.move('acme', 'kid-1', 'prepared', 'active', NOW_SECONDS)),
      )
      expect(moved.filter(Boolean)).toHaveLength(1)
    })

    test('keys move by compare-and-set, their state is read strongly, and a kid is never replaced', async () => {
      expect(await stores.keys.insert(sampleKey())).toBe(true)
      expect(await stores.keys.insert(sampleKey({ sealed: new Uint8Array([9]) }))).toBe(false)
      expect(await read('kid-1')).toMatchObject({ keyState: 'prepared' })
      expect(await stores.keys.move('acme', 'kid-1', 'active', 'retiring', NOW_SECONDS)).toBe(false)
      await stores.keys.prove('acme', 'kid-1', NOW_SECONDS + 1)
      await stores.keys.prove('acme', 'kid-1', NOW_SECONDS + 9)
      expect(await stores.keys.move('acme', 'kid-1', 'prepared', 'active', NOW_SECONDS + 2)).toBe(true)
      expect(await read('kid-1')).toMatchObject({ keyState: 'active' })
      expect(await stores.keys.move('acme', 'kid-1', 'active', 'tainted', NOW_SECONDS + 3)).toBe(true)
      expect(await read('kid-1')).toMatchObject({ keyState: 'tainted' })
      expect(await read('kid-1', 'globex')).toMatchObject({ keyState: null })
      const times = {
        provenAtSeconds: NOW_SECONDS + 1,
        activatedAtSeconds: NOW_SECONDS + 2,
        endedAtSeconds: NOW_SECONDS + 3,
      }
      expect(await stores.keys.list('acme')).toEqual([sampleKey({ state: 'tainted', ...times })])
      expect(await stores.keys.list('globex')).toEqual([])
    })

    test('the feed secret is the one that was stored first', async () => {
      expect(await stores.keys.feedSecret('acme', () => new Uint8Array([1]))).toEqual(new Uint8Array([1]))
      expect(await stores.keys.feedSecret('acme', () => new Uint8Array([2]))).toEqual(new Uint8Array([1]))
      expect(await stores.keys.feedSecret('globex', () => new Uint8Array([3]))).toEqual(new Uint8Array([3]))
    })

    test('an issuer key set is replaced whole, and comes back as the strict parser made it', async () => {
      const set = {
        sourceId: 'url https://ci.acme.example/keys',
        jwks: { keys: [{ kty: 'EC', kid: 'a' }] },
        fetchedAtSeconds: NOW_SECONDS,
        spiffeSequence: 7,
        unknownKeyFetchAtSeconds: NOW_SECONDS - 5,
      }
      expect(await stores.issuerKeys.read(set.sourceId)).toBeNull()
      await stores.issuerKeys.write(set)
      expect(await stores.issuerKeys.read(set.sourceId)).toEqual(set)
      const later = { ...set, jwks: { keys: [] }, spiffeSequence: null, unknownKeyFetchAtSeconds: null }
      await stores.issuerKeys.write(later)
      expect(await stores.issuerKeys.read(set.sourceId)).toEqual(later)
      expect(await stores.issuerKeys.read('url https://ci.globex.example/keys')).toBeNull()
    })

    test('the time mark never falls', () => {
      stores.timeMark.raise(NOW_SECONDS)
      stores.timeMark.raise(NOW_SECONDS - 100)
      expect(stores.timeMark.highestSeconds()).toBe(NOW_SECONDS)
    })
  })
}
