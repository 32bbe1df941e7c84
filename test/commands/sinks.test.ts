import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { run } from '../../bin/commands/sinks.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { open, temporaryDirectory } from '../adapters/sqlite/temporary-database.ts'
import { sampleConfig } from '../contract/sample-rows.ts'
import { captureIo } from '../support/io.ts'
import { VALID } from '../support/tenant-documents.ts'
import { openAudit } from '../support/tree-log.ts'

/** What `mintmark sinks` says of a tenant whose document ends so. */
const told = async (sinks: string, ...flags: string[]) => {
  const dataDir = temporaryDirectory()
  const audit = openAudit(dataDir)
  onTestFinished(() => audit.close())
  const document = JSON.stringify(parse(`${VALID}${sinks}`))
  await createTenantConfigStore(open(dataDir)).put(sampleConfig({ document }))
  const io = captureIo()
  expect(await run(['--tenant', 'acme', '--data', dataDir, ...flags], io)).toBe(0)
  return io.out()
}

test('a tenant without sinks is said to have none: no answer at all looks like a command that did nothing', async () => {
  expect(await told('')).toBe('the document of this tenant names no sinks\n')
})

test('as JSON, no sinks are an empty list and nothing else is on stdout', async () => {
  expect(JSON.parse(await told('', '--json'))).toEqual({ sinks: [], anchors: [] })
})

test('a sink that has taken nothing yet is listed, and none is not said beside it', async () => {
  const out = await told('sinks: { local: { type: jsonl, path: acme-audit.jsonl } }\n')
  expect(out).toMatch(/^local +jsonl +behind 0 leaves, 0 s; last took some never; well\n$/)
})
