// Delivery over real cursors and real files: nothing lost, nothing invented, duplicates only under the same id (attacks K6, K7).
// Longer than 300 lines: one harness.
import { randomUUID } from 'node:crypto'
import { appendFileSync, chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createJsonlSink } from '../../../lib/adapters/files/jsonl-sink.ts'
import { createSinkCursors } from '../../../lib/adapters/sqlite/sink-cursors.ts'
import { createSinkErrands } from '../../../lib/adapters/sqlite/sink-errands.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { later, TAKEN } from '../../../lib/domain/sink.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import {
  type DeliverPorts,
  deliverEvents,
  newSinkMemory,
  type Target,
} from '../../../lib/flows/audit/deliver-events.ts'
import type { Sink } from '../../../lib/ports/sinks.ts'
import { temporaryDirectory } from '../../adapters/sqlite/temporary-database.ts'
import { sampleRecord } from '../../contract/sample-rows.ts'
import { uidOf } from '../../support/sink-receiver.ts'
import { openAudit, treeLogOver } from '../../support/tree-log.ts'

const ISSUER = 'https://sts.example.com/t/acme'
const setUp = () => {
  const dataDir = temporaryDirectory()
  const audit = openAudit(dataDir)
  onTestFinished(() => audit.close())
  const { log, store } = treeLogOver(audit)
  let nowMs = 1_900_000_000_000
  let monotonicMs = 0
  const alarms: Record<string, unknown>[] = []
  const ports: DeliverPorts = {
    log: store,
    cursors: createSinkCursors(audit),
    clock: { nowMs: () => nowMs, nowSeconds: () => Math.floor(nowMs / 1000), monotonicMs: () => monotonicMs },
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
  const stepClock = (ms: number) => {
    nowMs += ms
  }
  const wait = (ms: number) => {
    stepClock(ms)
    monotonicMs += ms
  }
  return { ports, target, append, received, path, wait, stepClock, dataDir, alarms, audit }
}
/** One delivery, by a process that remembers nothing. */
const deliver = async (ports: DeliverPorts, target: Target) =>
  (await deliverEvents(ports, target, newSinkMemory())).kind
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
  const up: Sink = {
    deliver: async (events) => {
      taken.push(...events.map(uidOf))
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
  const { ports, target, append, received, wait } = setUp()
  const ids = await append(1)
  const two = { ...ports, holder: 'two' }
  await deliver(ports, target())
  ids.push(...(await append(1)))
  expect(await deliver(two, target())).toBe('busy')
  wait(LIMITS.sinkLeaseMs)
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

/** A sink that refuses what it holds against an event, and takes the rest. */
const picky = (poison: ReadonlySet<string>) => {
  const taken: string[] = []
  let requests = 0
  const sink: Sink = {
    async deliver(events) {
      requests += 1
      const uids = events.map(uidOf)
      if (uids.some((uid) => poison.has(uid))) return { kind: 'refused', reason: 'refused' }
      taken.push(...uids)
      return TAKEN
    },
  }
  return { sink, taken, requests: () => requests }
}

test('what a sink can never take is found among the others, kept with its reason and told of; nothing else is', async () => {
  const { ports, target, append, alarms, audit } = setUp()
  const ids = withScopes(await append(40))
  const poison = new Set([ids[7]!, ids[61]!])
  const { sink, taken } = picky(poison)
  while ((await deliver(ports, target(sink))) === 'more');
  expect(taken).toEqual(ids.filter((id) => !poison.has(id)))
  const letters = await createSinkErrands(audit).deadLetters({ tenant: 'acme', sink: 'local' }, 0, 10)
  expect(letters.map(({ leaf, reason, canonical }) => [leaf, reason, uidOf(canonical)])).toEqual([
    [7, 'refused', ids[7]],
    [61, 'refused', ids[61]],
  ])
  expect(alarms).toEqual([{ kind: 'sink_dead_letter', tenant: 'acme', sink: 'local', count: 2, reason: 'refused' }])
})

test('a row of bad events longer than is searched at once holds up nothing: what is behind it is offered alone', async () => {
  const { ports, target, append, audit } = setUp()
  const ids = withScopes(await append(60))
  const poison = new Set(ids.slice(0, 50))
  const { sink, taken } = picky(poison)
  for (let count = 0; count < 5 && (await deliver(ports, target(sink))) === 'more'; count += 1);
  expect(new Set(taken)).toEqual(new Set(ids.slice(50)))
  const letters = await createSinkErrands(audit).deadLetters({ tenant: 'acme', sink: 'local' }, 0, 100)
  expect(letters.map(({ canonical }) => uidOf(canonical))).toEqual([...poison])
})

test('a sink that is slow to refuse keeps its place for its time only, and is offered fewer until that is enough', async () => {
  const { ports, target, append, wait } = setUp()
  const ids = withScopes(await append(100))
  const { sink, taken, requests } = picky(new Set([ids[0]!]))
  const slow: Sink = {
    deliver: (events) => {
      wait(LIMITS.sinkLeaseMs / 4)
      return sink.deliver(events)
    },
  }
  const memory = newSinkMemory()
  expect(await deliverEvents(ports, target(slow), memory)).toMatchObject({ kind: 'stopped', trouble: 'deadline' })
  expect(requests()).toBe(2)
  for (let count = 0; count < 10 && taken.length === 0; count += 1) await deliverEvents(ports, target(slow), memory)
  while ((await deliverEvents(ports, target(slow), memory)).kind === 'more');
  expect(new Set(taken)).toEqual(new Set(ids.slice(1)))
})

test('a process that stops looks for no more bad events', async () => {
  const { ports, target, append } = setUp()
  const ids = withScopes(await append(10))
  const { sink, requests } = picky(new Set([ids[0]!]))
  await deliver({ ...ports, isStopping: () => true }, target(sink))
  expect(requests()).toBe(1)
})

test('a sink that refuses everything is set up wrongly: nothing is given up, and few requests are made to find out', async () => {
  const { ports, target, append, audit, received } = setUp()
  const ids = withScopes(await append(60))
  const { sink, requests } = picky(new Set(ids))
  const answer = await deliverEvents(ports, target(sink), newSinkMemory())
  expect(answer).toMatchObject({ kind: 'stopped', trouble: 'takes_nothing' })
  expect(requests()).toBeLessThanOrEqual(LIMITS.sinkSplitRequestsMax + LIMITS.sinkProbesMax)
  expect(await createSinkErrands(audit).deadLetters({ tenant: 'acme', sink: 'local' }, 0, 10)).toEqual([])
  while ((await deliver(ports, target())) === 'more');
  expect(received()).toEqual(ids)
})

/** Takes everything and loses it, until it is told to index. */
const losing = () => {
  const sent: string[] = []
  const state = { isIndexing: false, forgotten: 0 }
  const sink: Sink = {
    async deliver(events) {
      sent.push(...events.map(uidOf))
      return TAKEN
    },
    settle: async () => (state.isIndexing ? TAKEN : later('not_acknowledged', 500)),
    forget: () => {
      state.forgotten += 1
    },
  }
  return { sink, sent, state }
}

test.each([
  ['', 0],
  [', though the clock goes back by an hour meanwhile', -3_600_000],
])(
  'what a collector accepted and did not index is not delivered: it is waited for, and then brought again%s',
  async (_, stepMs) => {
    const { ports, target, append, wait, stepClock } = setUp()
    const ids = withScopes(await append(3))
    const { sink, sent, state } = losing()
    const memory = newSinkMemory()
    const again = async () => (await deliverEvents(ports, target(sink), memory)).kind
    expect(await again()).toBe('stopped')
    expect(await again()).toBe('stopped')
    expect(sent).toEqual(ids)
    expect(await ports.cursors.at({ tenant: 'acme', sink: 'local' })).toEqual({ leaf: 0, checkpoint: 0 })
    stepClock(stepMs)
    wait(LIMITS.sinkAcknowledgeMs + 1)
    state.isIndexing = true
    expect(await again()).toBe('all')
    expect(state.forgotten).toBe(1)
    expect(sent).toEqual([...ids, ...ids])
    expect(await ports.cursors.at({ tenant: 'acme', sink: 'local' })).toEqual({ leaf: ids.length, checkpoint: 0 })
  },
)

test('a sink that was set up anew does not vouch for what the one before it never acknowledged', async () => {
  const { ports, target, append } = setUp()
  const ids = withScopes(await append(3))
  const memory = newSinkMemory()
  await deliverEvents(ports, target(losing().sink), memory)
  const other = losing()
  other.state.isIndexing = true
  while ((await deliverEvents(ports, target(other.sink), memory)).kind !== 'all');
  expect(other.sent).toEqual(ids)
})

test('what was indexed late is not sent a second time', async () => {
  const { ports, target, append } = setUp()
  const ids = withScopes(await append(3))
  const { sink, sent, state } = losing()
  const memory = newSinkMemory()
  await deliverEvents(ports, target(sink), memory)
  state.isIndexing = true
  expect((await deliverEvents(ports, target(sink), memory)).kind).toBe('more')
  expect((await deliverEvents(ports, target(sink), memory)).kind).toBe('all')
  expect(sent).toEqual(ids)
})

test('a sink that takes nothing for minutes is said aloud, once a minute, with why', async () => {
  const { ports, target, append, alarms, wait } = setUp()
  await append(1)
  const down: Sink = { deliver: async () => later('status_5xx') }
  const memory = newSinkMemory()
  for (let count = 0; count < 3; count += 1) {
    await deliverEvents(ports, target(down), memory)
    wait(LIMITS.sinkAlarmEveryMs / 2)
  }
  expect(alarms.map(({ kind, trouble }) => [kind, trouble])).toEqual([
    ['sink_behind', 'status_5xx'],
    ['sink_behind', 'status_5xx'],
  ])
})
