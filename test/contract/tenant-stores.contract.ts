// The laws of configuration, keys, revocations, denials, the time mark, and of the strong read over them.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import { NOW_SECONDS, sampleConfig, sampleDenial, sampleKey, sampleRevocation } from './sample-rows.ts'
import type { Stores } from './stores.ts'

const project = { kind: 'project', issuer: 'github', value: '7654321' } as const

export const describeTenantStores = (name: string, open: () => Stores): void => {
  describe(`tenant stores: ${name}`, () => {
    let stores: Stores
    beforeEach(() => {
      stores = open()
    })
    afterEach(() => stores.close())
    const read = (kid: string | null = null, tenant = 'acme') =>
      stores.state.read({ tenant, selectors: [project], kid })

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

    test('a flood of denials: the first in full, the rest counted exactly, and each decision answerable', async () => {
      const denials = Array.from({ length: 100 }, () => sampleDenial({ decisionId: randomUUID() }))
      for (const denial of denials) stores.denials.send(denial)
      await stores.settle()
      const found = await Promise.all(denials.map(({ decisionId }) => stores.decisions.find(decisionId, 'acme')))
      expect(found.filter((decision) => decision?.kind === 'deny')).toHaveLength(LIMITS.denialsFullPerMinute)
      const rolledUp = found.filter((decision) => decision?.kind === 'rolled_up')
      expect(rolledUp).toHaveLength(100 - LIMITS.denialsFullPerMinute)
      expect(rolledUp[0]).toMatchObject({
        rollUp: { tenant: 'acme', kind: 'token_not_compact', source: '192.0.2.1', count: 80 },
      })
      expect(await stores.decisions.find(denials[0]!.decisionId, 'globex')).toBeNull()
      expect(await stores.decisions.find(denials[99]!.decisionId, 'globex')).toBeNull()
    })

    test('the time mark never falls', () => {
      stores.timeMark.raise(NOW_SECONDS)
      stores.timeMark.raise(NOW_SECONDS - 100)
      expect(stores.timeMark.highestSeconds()).toBe(NOW_SECONDS)
    })
  })
}
