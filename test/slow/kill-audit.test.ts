// The audit log is killed at each of its steps (attacks K5 to K8), run twice at once, brought everything again, and given a clock that
// went back: every event is in the log once and at the sink at least once, in order, and nothing else is.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { startDenialQueue } from '../../lib/adapters/sqlite/denials.ts'
import { createGrantStore } from '../../lib/adapters/sqlite/grant-store.ts'
import { sha256Hex } from '../../lib/adapters/system/digest.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { verifyLog } from '../../lib/flows/audit/verify-log.ts'
import { open, temporaryDirectory } from '../adapters/sqlite/temporary-database.ts'
import { NOW_SECONDS, sampleDenial, sampleNotIssued, samplePut } from '../contract/sample-rows.ts'
import { openAudit, treeLogOver } from '../support/tree-log.ts'

const SCRIPT = fileURLToPath(new URL('../faults/audit-rounds.ts', import.meta.url))
const HOUR = 3600

const setUp = () => {
  const dataDir = temporaryDirectory()
  const database = open(dataDir)
  openAudit(dataDir).close()
  const due = new Set<string>()
  /** Exchanges: granted, one of them taken back, and denials of which most are counted only. */
  const work = async (count: number): Promise<void> => {
    const grants = createGrantStore(database)
    const puts = Array.from({ length: count }, () => samplePut(randomUUID()))
    await Promise.all(puts.map((put) => grants.put(put)))
    await grants.putNotIssued(sampleNotIssued(puts[0]!))
    const denials = startDenialQueue(database, { rollUps: true })
    for (let at = 0; at < 30; at += 1) denials.send(sampleDenial({ atSeconds: NOW_SECONDS - 600 }))
    await denials.close()
    for (const { record } of puts) for (const uid of [record.decisionId, `${record.decisionId}.scope`]) due.add(uid)
    due.add(`${puts[0]!.record.decisionId}.not_issued`)
  }
  let laterSeconds = 0
  const run = async (point = '', count = 0, skewSeconds = 0): Promise<string | null> => {
    // What one that was killed holds a lease of, the next delivers when that has run out.
    laterSeconds += LIMITS.sinkLeaseMs / 1000
    const args = [SCRIPT, dataDir, point, String(count), String(skewSeconds + laterSeconds)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
    expect(code ?? 0).toBe(0)
    return signal
  }
  const bringAllAgain = () => database.write((sql) => sql('UPDATE feed_reader SET acknowledged = 0').run())
  return { dataDir, database, due, work, run, bringAllAgain }
}

type Event = { readonly class_uid: number; readonly count?: number; readonly metadata: { readonly uid: string } }

/** What the log and the sink hold. */
const held = async (dataDir: string) => {
  const audit = openAudit(dataDir)
  onTestFinished(() => audit.close())
  const { store } = treeLogOver(audit)
  const { origin } = (await store.about('acme'))!
  const verified = await verifyLog(
    { hashes: { sha256: nodeSha256, sha256Hex }, verify: () => true },
    {
      source: {
        checkpoint: async () => (await store.checkpoint('acme'))?.note ?? null,
        tile: (name) => store.tile('acme', name),
        leaves: (from, limit) => store.leaves('acme', from, limit),
      },
      keys: [{ name: origin, publicKey: new Uint8Array(32) }],
      tenant: 'acme',
      earlier: (await store.history('acme')).map(({ note }) => note),
    },
  )
  const leaves = await store.leaves('acme', 0, 100_000)
  const logged = leaves.map(({ canonical }) => JSON.parse(canonical) as Event)
  const lines = readFileSync(join(dataDir, 'acme-audit.jsonl'), 'utf8').trimEnd().split('\n')
  const sent = lines.map((line) => JSON.parse(line) as { id: string; sequence?: string; data: Event })
  return { verified, size: (await store.about('acme'))!.size, logged, sent }
}

const expectWhole = async (dataDir: string, due: ReadonlySet<string>, denials: number): Promise<void> => {
  const { verified, size, logged, sent } = await held(dataDir)
  expect(verified).toMatchObject({ bad: null, size, events: size })
  const uids = logged.map(({ metadata }) => metadata.uid)
  expect(new Set(uids).size).toBe(uids.length)
  const refusals = logged.filter((event) => event.class_uid === 6003)
  expect(refusals.reduce((sum, { count }) => sum + (count ?? 1), 0)).toBe(denials)
  const others = logged.filter((event) => event.class_uid !== 6003).map(({ metadata }) => metadata.uid)
  expect(new Set(others)).toEqual(due)
  // At the sink: each event, the same every time, the first time in the order of the log.
  const events = sent.filter(({ sequence }) => sequence !== undefined)
  const first = new Map(events.toReversed().map((event) => [event.id, event]))
  for (const { id, data } of events) expect(data).toEqual(first.get(id)!.data)
  const inOrder = [...new Set(events.map(({ id }) => id))]
  expect(inOrder).toEqual(uids)
}

test.each(['read', 'appended', 'signed', 'delivered'])('killed at "%s", again and again', async (point) => {
  const { dataDir, due, work, run } = setUp()
  const KILLS = 3
  for (let kill = 1; kill <= KILLS; kill += 1) {
    await work(LIMITS.feedRowsPerRound + 40)
    expect(await run(point, kill === 2 ? 2 : 1)).toBe('SIGKILL')
  }
  expect(await run()).toBeNull()
  await expectWhole(dataDir, due, KILLS * 30)
})

test('two of them at once, everything brought again, and a clock that went back an hour', async () => {
  const { dataDir, due, work, run, bringAllAgain } = setUp()
  await work(300)
  await Promise.all([run(), run(), run('appended', 1)])
  await bringAllAgain()
  await work(100)
  await Promise.all([run('', 0, -HOUR), run('', 0, -HOUR)])
  await bringAllAgain()
  await run()
  await expectWhole(dataDir, due, 60)
})

test('entries brought in another order, and twice in one batch, are each in the log once', async () => {
  const { dataDir } = setUp()
  const audit = openAudit(dataDir)
  onTestFinished(() => audit.close())
  const { log, store } = treeLogOver(audit)
  const entries = Array.from({ length: 50 }, () => ({ kind: 'grant' as const, record: samplePut(randomUUID()).record }))
  await log.append('acme', entries.slice(10, 30))
  await log.append('acme', [...entries.toReversed(), ...entries])
  const uids = (await store.leaves('acme', 0, 1_000)).map(
    ({ canonical }) => (JSON.parse(canonical) as Event).metadata.uid,
  )
  expect(uids).toHaveLength(100)
  expect(new Set(uids).size).toBe(100)
})
