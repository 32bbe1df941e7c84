// The laws of a store of tenants' logs (lib/ports/tenant-log.ts), for any adapter. Run by audit-log.test.ts, and on DynamoDB by
// test/aws.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nodeSha256 as sha256 } from '../../lib/adapters/keys/log-signer.ts'
import { leafHash } from '../../lib/domain/tlog/merkle.ts'
import { appendHashes, bundleOf, EMPTY_EDGE, rootOfEdge, tilesOf } from '../../lib/domain/tlog/tiles.ts'
import type { Growth, LogHead, LogLeaves, LogStore, NewLeaf, PublishedLog } from '../../lib/ports/tenant-log.ts'

export type TenantLogHarness = {
  readonly store: LogStore
  readonly published: Pick<PublishedLog, 'checkpoint' | 'tile'>
  readonly leaves: LogLeaves
  readonly close: () => Promise<void>
}

const leaf = (uid: string = randomUUID(), canonical = `{"uid":"${uid}","é":" "}`): NewLeaf => {
  const salt = sha256(Buffer.from(`salt ${uid}`))
  return {
    uid,
    atSeconds: 1_790_000_000,
    salt,
    commitment: sha256(Buffer.concat([salt, Buffer.from(canonical)])),
    canonical,
  }
}

const growth = (head: LogHead | null, leaves: readonly NewLeaf[]): Growth => {
  const hashes = leaves.map(({ commitment }) => leafHash(sha256, commitment))
  const { edge, grown } = appendHashes(sha256, head?.edge ?? EMPTY_EDGE, hashes)
  const last = { uid: leaves.at(-1)!.uid, typeUid: 300204, fingerprint: sha256(hashes.at(-1)!).toString() }
  return { head: { origin: 'sts.example.com/t/acme/log', authority: 'https://a', edge, last }, leaves, tiles: grown }
}

export const describeTenantLog = (name: string, open: () => Promise<TenantLogHarness>): void => {
  describe(`tenant log: ${name}`, () => {
    let harness: TenantLogHarness
    beforeEach(async () => {
      harness = await open()
    })
    afterEach(() => harness.close())

    const append = async (leaves: readonly NewLeaf[], tenant = 'acme'): Promise<boolean> => {
      const head = await harness.store.head(tenant)
      return harness.store.commit(tenant, head?.edge.size ?? 0, growth(head, leaves))
    }

    test('a log grows over its tiles in steps of any size, and every tile, bundle and leaf is as it was put', async () => {
      const { store, published, leaves } = harness
      const all: NewLeaf[] = []
      let expected = EMPTY_EDGE
      for (const count of [1, 83, 84, 84, 7, 84, 84, 84, 1, 1]) {
        const some = Array.from({ length: count }, () => leaf())
        expect(await append(some)).toBe(true)
        all.push(...some)
        expected = appendHashes(
          sha256,
          expected,
          some.map(({ commitment }) => leafHash(sha256, commitment)),
        ).edge
      }
      const hashes = all.map(({ commitment }) => leafHash(sha256, commitment))
      const head = await store.head('acme')
      expect(rootOfEdge(sha256, head!.edge)).toEqual(rootOfEdge(sha256, expected))
      expect(head!.edge).toEqual(expected)
      for (const tile of tilesOf(all.length)) {
        const [from, to] = [tile.index * 256, tile.index * 256 + tile.width]
        const bytes = Buffer.from((await published.tile('acme', tile))!)
        if (tile.level === 'entries')
          expect(bytes).toEqual(Buffer.from(bundleOf(all.slice(from, to).map(({ commitment }) => commitment))))
        if (tile.level === 0) expect(bytes).toEqual(Buffer.concat(hashes.slice(from, to)))
      }
      expect(await published.tile('acme', { level: 1, index: 0, width: 2 })).not.toBeNull()
      expect(await published.tile('acme', { level: 1, index: 0, width: 3 })).toBeNull()
      expect(await published.tile('acme', { level: 0, index: 1, width: 256 })).not.toBeNull()
      expect(await published.tile('acme', { level: 'entries', index: 2, width: 2 })).toBeNull()
      const read = await leaves.leaves('acme', 80, 100)
      expect(read.map(({ index, canonical }) => [index, canonical])).toEqual(
        all.slice(80, 180).map(({ canonical }, at) => [80 + at, canonical]),
      )
      expect(read.map(({ salt }) => Buffer.from(salt))).toEqual(all.slice(80, 180).map(({ salt }) => Buffer.from(salt)))
      expect(await leaves.leaves('acme', all.length, 10)).toEqual([])
    })

    test('of two that grow the same end one is true, and what the other brought is nowhere', async () => {
      const { store, leaves } = harness
      await append([leaf()])
      const head = await store.head('acme')
      const rivals = Array.from({ length: 4 }, () => [leaf(), leaf()])
      const won = await Promise.all(rivals.map((brought) => store.commit('acme', 1, growth(head, brought))))
      expect(won.filter(Boolean)).toHaveLength(1)
      const stored = (await leaves.leaves('acme', 1, 10)).map(({ canonical }) => canonical)
      expect(stored).toEqual(rivals[won.indexOf(true)]!.map(({ canonical }) => canonical))
      for (const [at, [first]] of rivals.entries())
        expect(await leaves.leafOf('acme', first!.uid)).toEqual(won[at] ? expect.objectContaining({ index: 1 }) : null)
      expect((await store.head('acme'))!.edge.size).toBe(3)
    })

    test('a beginning that another has begun already, and a size that was passed, change nothing', async () => {
      const { store } = harness
      await append([leaf(), leaf()])
      expect(await store.commit('acme', 0, growth(null, [leaf()]))).toBe(false)
      expect(await store.commit('acme', 1, growth(null, [leaf()]))).toBe(false)
      expect((await store.head('acme'))!.edge.size).toBe(2)
    })

    test('events are known by their id, whatever is in it, in their own log only', async () => {
      const { store, leaves } = harness
      const [ours, odd] = [leaf(), leaf(`#U#${'é'.repeat(1500)}`)]
      await append([ours, odd])
      await append([leaf()], 'globex')
      const asked = [ours.uid, odd.uid, 'another', ...Array.from({ length: 120 }, () => randomUUID())]
      expect(await store.known('acme', asked)).toEqual(new Set([ours.uid, odd.uid]))
      expect(await store.known('globex', asked)).toEqual(new Set())
      expect(await leaves.leafOf('acme', odd.uid)).toMatchObject({ index: 1, canonical: odd.canonical })
      expect([await leaves.leafOf('globex', odd.uid), await leaves.leafOf('acme', 'another')]).toEqual([null, null])
    })

    test('a checkpoint is replaced by a larger one only, and one a minute is kept', async () => {
      const { store, published, leaves } = harness
      expect(await published.checkpoint('acme')).toBeNull()
      await append([leaf()])
      expect(await store.uncovered()).toEqual(['acme'])
      await store.putCheckpoint('acme', { size: 1, note: 'one' }, 60)
      expect(await store.uncovered()).toEqual([])
      await append([leaf(), leaf()])
      await store.putCheckpoint('acme', { size: 2, note: 'two' }, 90)
      expect(await store.uncovered()).toEqual(['acme'])
      await store.putCheckpoint('acme', { size: 3, note: 'three' }, 120)
      await store.putCheckpoint('acme', { size: 1, note: 'one again' }, 180)
      expect(await published.checkpoint('acme')).toEqual({ size: 3, note: 'three' })
      expect(await leaves.history('acme')).toEqual([
        { size: 2, note: 'two' },
        { size: 3, note: 'three' },
      ])
    })

    test('the longest events come back whole, as many as fit', async () => {
      const { leaves, store } = harness
      const long = Array.from({ length: 18 }, (_, at) => leaf(`long-${at}`, `"${randomUUID().repeat(1550)}"`))
      expect(await append(long)).toBe(true)
      const stored = await leaves.leaves('acme', 0, 100)
      expect(stored.map(({ canonical }) => canonical)).toEqual(long.map(({ canonical }) => canonical))
      expect((await store.head('acme'))!.edge.size).toBe(18)
    })
  })
}
