// The audit log in a process of its own, over real stores: rounds until there is nothing more, or until it kills itself at the n-th
// pass of a crash point. Arguments: data directory, point, n, and by how many seconds its clock is off.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { createJsonlSink } from '../../lib/adapters/files/jsonl-sink.ts'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { createChangeFeed } from '../../lib/adapters/sqlite/change-feed.ts'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createSinkCursors } from '../../lib/adapters/sqlite/sink-cursors.ts'
import { noteOf } from '../../lib/domain/tlog/signed-note.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { checkpointLogs } from '../../lib/flows/audit/checkpoint-log.ts'
import { deliverEvents, newSinkMemory } from '../../lib/flows/audit/deliver-events.ts'
import { pumpFeed } from '../../lib/flows/audit/pump-feed.ts'
import { NOW_SECONDS } from '../contract/sample-rows.ts'
import { openAudit, treeLogOver } from '../support/tree-log.ts'

const [dataDir, point, count, skew] = process.argv.slice(2) as [string, string, string, string]
const ISSUER = 'https://sts.example.com/t/acme'

let left = Number(count)
const failpoint = (name: string) => {
  if (name === point) left -= 1
  if (name === point && left === 0) process.kill(process.pid, 'SIGKILL')
}
const nowSeconds = () => NOW_SECONDS + Number(skew)
const alarm = () => undefined
const audit = openAudit(dataDir)
const { store, log } = treeLogOver(audit)
const feed = createChangeFeed(openDatabase({ dataDir, dev: null }))
const pump = { feed, log, quarantine: { put: async () => undefined }, alarm, clock: { nowSeconds }, failpoint }
const signer = {
  sign: async (_: string, name: string, text: string) =>
    noteOf(nodeSha256, text, [{ key: { name, publicKey: new Uint8Array(32) }, signature: new Uint8Array(64) }]),
}
const checkpoints = { store, signer, sha256: nodeSha256, clock: { nowSeconds }, alarm, failpoint }
const clock = { nowMs: () => nowSeconds() * 1000, nowSeconds, monotonicMs: () => nowSeconds() * 1000 }
const deliveries = { log: store, cursors: createSinkCursors(audit), clock, alarm, holder: randomUUID(), failpoint }
const memory = newSinkMemory()
const sink = createJsonlSink(join(dataDir, 'acme-audit.jsonl'), ISSUER)
const target = { tenant: 'acme', issuerUrl: ISSUER, name: 'local', sink }

const round = async (): Promise<boolean> => {
  try {
    const isMore = await pumpFeed(pump)
    await checkpointLogs(checkpoints)
    return (await deliverEvents(deliveries, target, memory)).kind === 'more' || isMore
  } catch (error) {
    // Two of them at one log: a later round does it.
    if (error instanceof Unavailable) return true
    throw error
  }
}
while (await round());
process.exit(0)
