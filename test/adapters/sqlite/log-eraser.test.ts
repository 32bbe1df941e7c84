import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { nodeSha256 } from '../../../lib/adapters/keys/log-signer.ts'
import { withLogErased } from '../../../lib/adapters/sqlite/log-eraser.ts'
import { rootOfEdge } from '../../../lib/domain/tlog/tiles.ts'
import { sampleRecord } from '../../contract/sample-rows.ts'
import { openAudit, treeLogOver } from '../../support/tree-log.ts'
import { temporaryDirectory } from './temporary-database.ts'

test('an erased tenant leaves no event and no salt in any file, a log that still has its root, and its neighbour whole', async () => {
  const dataDir = temporaryDirectory()
  const audit = openAudit(dataDir)
  onTestFinished(() => audit.close())
  const { log, store } = treeLogOver(audit)
  const grants = (tenant: string) =>
    Array.from({ length: 300 }, () => ({
      kind: 'grant' as const,
      record: sampleRecord({ tenant, decisionId: randomUUID(), traceId: `trace of ${tenant}` }),
    }))
  await log.append('acme', grants('acme'))
  await log.append('globex', grants('globex'))
  const [leaf] = await store.leaves('acme', 0, 1)
  const root = rootOfEdge(nodeSha256, (await store.head('acme'))!.edge)

  const erased: string[] = []
  const rest = { due: async () => ['acme'], erase: async (tenant: string) => erased.push(tenant) > 0 }
  expect(await withLogErased(audit, rest).erase('acme', 1)).toBe(true)

  expect(erased).toEqual(['acme'])
  expect(await store.leaves('acme', 0, 10)).toEqual([])
  expect(await store.leaves('globex', 0, 1_000)).toHaveLength(600)
  expect(rootOfEdge(nodeSha256, (await store.head('acme'))!.edge)).toEqual(root)
  const bytes = Buffer.concat(readdirSync(dataDir).map((name) => readFileSync(join(dataDir, name))))
  expect(bytes.includes('trace of globex')).toBe(true)
  expect(bytes.includes('trace of acme')).toBe(false)
  expect(bytes.includes(Buffer.from(leaf!.salt))).toBe(false)
})
