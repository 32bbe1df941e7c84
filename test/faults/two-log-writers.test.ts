// One log, writers in processes of their own (attacks I6): the end of the log is all that judges between them.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { sha256Hex } from '../../lib/adapters/system/digest.ts'
import { checkpointText, noteOf } from '../../lib/domain/tlog/signed-note.ts'
import { rootOfEdge } from '../../lib/domain/tlog/tiles.ts'
import { verifyLog } from '../../lib/flows/audit/verify-log.ts'
import { temporaryDirectory } from '../adapters/sqlite/temporary-database.ts'
import { openAudit, treeLogOver } from '../support/tree-log.ts'

const SCRIPT = fileURLToPath(new URL('append-log.ts', import.meta.url))
const ROUNDS = 40
const PER_ROUND = 30

const startWriter = async (dataDir: string) => {
  const child = spawn(process.execPath, [SCRIPT, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => {
    const { done, value } = await lines.next()
    if (done === true) throw new Error('a writer ended early')
    return value
  }
  expect(await next()).toBe('ready')
  return {
    append(ids: readonly string[]) {
      child.stdin.write(`${ids.join(' ')}\n`)
      return next()
    },
    kill: () => child.kill('SIGKILL'),
  }
}

/** The whole log against itself: its root is taken for what was signed. */
const verified = async (dataDir: string) => {
  const audit = openAudit(dataDir)
  onTestFinished(() => audit.close())
  const { store } = treeLogOver(audit)
  const { origin, edge } = (await store.head('acme'))!
  const text = checkpointText({ origin, size: edge.size, root: rootOfEdge(nodeSha256, edge) })
  const key = { name: origin, publicKey: new Uint8Array(32) }
  const note = noteOf(nodeSha256, text, [{ key, signature: new Uint8Array(64) }])
  const result = await verifyLog(
    { hashes: { sha256: nodeSha256, sha256Hex }, verify: () => true },
    {
      source: {
        checkpoint: async () => note,
        tile: (name) => store.tile('acme', name),
        leaves: (from, limit) => store.leaves('acme', from, limit),
      },
      keys: [key],
      tenant: 'acme',
      earlier: [],
    },
  )
  const leaves = await store.leaves('acme', 0, 1_000_000)
  const uids = leaves.map(({ canonical }) => (JSON.parse(canonical) as { metadata: { uid: string } }).metadata.uid)
  return { result, uids }
}

test('two processes that append the same and other records at once: no fork, no gap, each once', async () => {
  const dataDir = temporaryDirectory()
  const writers = await Promise.all([startWriter(dataDir), startWriter(dataDir)])
  onTestFinished(() => writers.forEach(({ kill }) => void kill()))
  const all = new Set<string>()
  for (let round = 0; round < ROUNDS; round += 1) {
    const shared = Array.from({ length: PER_ROUND }, () => randomUUID())
    const own = writers.map(() => Array.from({ length: 5 }, () => randomUUID()))
    await Promise.all(writers.map(({ append }, at) => append([...shared, ...own[at]!])))
    for (const id of [...shared, ...own.flat()]) all.add(id)
  }
  const { result, uids } = await verified(dataDir)
  expect(result.bad).toBeNull()
  expect(uids.filter((uid) => !uid.includes('.')).sort()).toEqual([...all].sort())
  expect(new Set(uids).size).toBe(uids.length)
})

test('a writer that is killed at any moment leaves a log another goes on with', async () => {
  const dataDir = temporaryDirectory()
  const done = new Set<string>()
  for (let round = 0; round < 6; round += 1) {
    const writer = await startWriter(dataDir)
    for (let count = 0; count < 3; count += 1) {
      const ids = Array.from({ length: PER_ROUND }, () => randomUUID())
      await writer.append(ids)
      for (const id of ids) done.add(id)
    }
    const lost = writer.append(Array.from({ length: 300 }, () => randomUUID())).catch(() => undefined)
    setTimeout(() => writer.kill(), round * 5)
    await lost
    writer.kill()
  }
  const { result, uids } = await verified(dataDir)
  expect(result.bad).toBeNull()
  for (const id of done) expect(uids).toContain(id)
})
