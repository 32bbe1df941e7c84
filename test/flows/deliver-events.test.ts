// Delivery over real cursors and real files: nothing lost, nothing invented, duplicates only under the same id (attacks K6, K7).
import { randomUUID } from 'node:crypto'
import { appendFileSync, chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createJsonlSink } from '../../lib/adapters/files/jsonl-sink.ts'
import { createSinkCursors } from '../../lib/adapters/sqlite/sink-cursors.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { TAKEN } from '../../lib/domain/sink.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { type DeliverPorts, deliverEvents, newSinkMemory, type Target } from '../../lib/flows/deliver-events.ts'
import type { Sink } from '../../lib/ports/sinks.ts'
import { temporaryDirectory } from '../adapters/sqlite/temporary-database.ts'
import { sampleRecord } from '../contract/sample-rows.ts'
import { openAudit, treeLogOver } from '../support/tree-log.ts'

const ISSUER = 'https://sts.example.com/t/acme'
const setUp = () => {
  const dataDir = temporaryDirectory()
  const audit = openAudit(dataDir)
  onTestFinished(() => audit.close())
  const { log, store } = treeLogOver(audit)
  let nowMs = 1_000_000
  const alarms: Record<string, unknown>[] = []
  const ports: DeliverPorts = {
    log: store,
    cursors: createSinkCursors(audit),
    clock: { nowMs: () => nowMs, nowSeconds: () => Math.floor(nowMs / 1000) },
    alarm: (kind, fields) => void alarms.push({ kind, ...fields }),
    holder: 'one',
  }
  const path = join(dataDir, 'acme-audit.jsonl')
  const target = (sink: Sink = createJsonlSink(path, ISSUER), name = 'local'): Target => ({
    tenant: 'acme',
    issuerUrl: ISSUER,
    name,
    sink,
  })
  const append = async (count: number) => {
    const ids = Array.from({ length: count }, () => randomUUID())
    await log.append(
      'acme',
      ids.map((decisionId) => ({ kind: 'grant', record: sampleRecord({ decisionId }) })),
    )
    return ids
  }
  const received = () => {
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    return lines.map((line) => (JSON.parse(line) as { id: string }).id)
  }
  const later = (ms: number) => {
    nowMs += ms
  }
  return { ports, target, append, received, path, later, dataDir, alarms }
}
/** One delivery, by a process that remembers nothing. */
const deliver = async (ports: DeliverPorts, target: Target) => (await deliverEvents(ports, target, newSinkMemory())).kind
const withScopes = (ids: readonly string[]) => ids.flatMap((id) => [id, `${id}.scope`])

test('everything, in order, delivery by delivery', async () => {
  const { ports, target, append, received } = setUp()
  const ids = await append(300)
  while ((await deliver(ports, target())) === 'more');
  ids.push(...(await append(3)))
  expect(await deliver(ports, target())).toBe('all')
  expect(received()).toEqual(withScopes(ids))
})

test('a crash after the sink has taken them brings the same ids again, and none is passed over', async () => {
  const { ports, target, append, received } = setUp()
  const ids = await append(5)
  const crash = () => {
    throw new Error('killed here')
  }
  await expect(deliver({ ...ports, failpoint: crash }, target())).rejects.toThrow('killed here')
  await deliver(ports, target())
  expect(received()).toEqual([...withScopes(ids), ...withScopes(ids)])
})

test('a line that was cut short by a crash is not left between whole ones', async () => {
  const { ports, target, append, received, path } = setUp()
  const ids = await append(2)
  await deliver(ports, target())
  appendFileSync(path, `{"specversion":"1.0","id":"torn ${'x'.repeat(200_000)}`)
  ids.push(...(await append(1)))
  await deliver(ports, target())
  expect(received()).toEqual(withScopes(ids))
})

test('a sink that is down holds up itself alone, and gets everything when it is back', async () => {
  const { ports, target, append, received } = setUp()
  const down: Sink = {
    deliver: async () => {
      throw new Unavailable('store_unavailable')
    },
  }
  const taken: string[] = []
  const up: Sink = { deliver: async (events) => {
      taken.push(...events.map(({ metadata }) => metadata.uid))
      return TAKEN
    },
  }
  const ids = await append(4)
  expect(await deliver(ports, target(down))).toBe('stopped')
  expect(await deliver(ports, target(up, 'other'))).toBe('all')
  expect(taken).toEqual(withScopes(ids))
  expect(await deliver(ports, target())).toBe('all')
  expect(received()).toEqual(withScopes(ids))
})

test('two processes do not deliver to one sink at once, and one that died is succeeded', async () => {
  const { ports, target, append, received, later } = setUp()
  const ids = await append(1)
  const two = { ...ports, holder: 'two' }
  await deliver(ports, target())
  ids.push(...(await append(1)))
  expect(await deliver(two, target())).toBe('busy')
  later(LIMITS.sinkLeaseMs)
  expect(await deliver(two, target())).toBe('all')
  expect(received()).toEqual(withScopes(ids))
})

test('a link in the place of the file is not followed, and a place that cannot be written is an outage', async () => {
  const { ports, target, append, path, dataDir } = setUp()
  await append(1)
  symlinkSync(join(dataDir, 'elsewhere'), path)
  expect(await deliver(ports, target())).toBe('stopped')
  rmSync(path)
  mkdirSync(path)
  chmodSync(path, 0o700)
  expect(await deliver(ports, target())).toBe('stopped')
})
