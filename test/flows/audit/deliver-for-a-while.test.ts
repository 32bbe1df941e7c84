// A process that lives for a minute, over a real store: what it delivers, when it stops, what it leaves to the next one.
import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { createSinkCursors } from '../../../lib/adapters/sqlite/sink-cursors.ts'
import { createSinkErrands } from '../../../lib/adapters/sqlite/sink-errands.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { later, TAKEN } from '../../../lib/domain/sink.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import type { Target } from '../../../lib/flows/audit/deliver-events.ts'
import { deliverForAWhile } from '../../../lib/flows/audit/deliver-for-a-while.ts'
import { createDeliveries } from '../../../lib/flows/audit/run-deliveries.ts'
import type { Sink } from '../../../lib/ports/sinks.ts'
import { temporaryDirectory } from '../../adapters/sqlite/temporary-database.ts'
import { sampleDenial } from '../../contract/sample-rows.ts'
import { uidOf } from '../../support/sink-receiver.ts'
import { openAudit, treeLogOver } from '../../support/tree-log.ts'

/** By `name@tenant`. */
const setUp = (sinks: Readonly<Record<string, Sink>>) => {
  const audit = openAudit(temporaryDirectory())
  onTestFinished(() => audit.close())
  const { log, store } = treeLogOver(audit)
  const cursors = createSinkCursors(audit)
  let nowMs = 1_900_000_000_000
  let endPause = (): void => undefined
  const clock = { nowMs: () => nowMs, nowSeconds: () => Math.floor(nowMs / 1000), monotonicMs: () => nowMs }
  const targets = Object.entries(sinks).map(([key, sink]): Target => {
    const [name = '', tenant = ''] = key.split('@')
    return { tenant, issuerUrl: `https://sts.example.com/t/${tenant}`, name, sink }
  })
  const tenants = [...new Set(targets.map(({ tenant }) => tenant))]
  const unread = new Set<string>()
  const processOf = (holder: string) => {
    const deliveries = createDeliveries({
      log: store,
      cursors,
      errands: createSinkErrands(audit),
      clock,
      alarm: () => undefined,
      holder,
      async targetsOf(tenant) {
        if (unread.has(tenant)) throw new Unavailable('store_unavailable')
        return targets.filter((target) => target.tenant === tenant)
      },
      random: () => 0.5,
      onFailure: () => undefined,
    })
    return () =>
      deliverForAWhile({
        deliveries,
        configs: {
          list: async () =>
            tenants.map((tenant) => ({
              tenant,
              version: 1,
              digest: '',
              tombstonedAtSeconds: tenant === 'gone' ? 1 : null,
            })),
        },
        cursors,
        holder,
        clock,
        pause: () =>
          new Promise((resolve) => {
            endPause = () => resolve(true)
          }),
      })
  }
  return {
    processOf,
    unread,
    wait: (ms: number) => {
      nowMs += ms
    },
    timeIsUp: () => {
      nowMs += LIMITS.deliverRunMs
      endPause()
    },
    append: (tenant: string, count: number) =>
      log.append(
        tenant,
        Array.from({ length: count }, () => ({
          kind: 'denial',
          denial: { ...sampleDenial(), tenant, decisionId: randomUUID() },
        })),
      ),
  }
}

const recording = (before: () => void = () => undefined) => {
  const taken: string[] = []
  const sink: Sink = {
    async deliver(events) {
      before()
      taken.push(...events.map(uidOf))
      return TAKEN
    },
  }
  return { sink, taken }
}

test('one run delivers to more sinks than there are places, but to none of a tenant that was removed', async () => {
  const names = Array.from({ length: 2 * LIMITS.sinksAtOnceMax + 1 }, (_, at) => `s${at % 3}@t${Math.floor(at / 3)}`)
  const all = new Map(names.map((name) => [name, recording()]))
  const gone = recording()
  const sinks = Object.fromEntries([...all].map(([name, { sink }]) => [name, sink]))
  const { processOf, append } = setUp({ ...sinks, 's@gone': gone.sink })
  for (const tenant of [...new Set(names.map((name) => name.split('@')[1]!)), 'gone']) await append(tenant, 2)
  await processOf('one')()
  expect([...all.values()].map(({ taken }) => taken.length)).toEqual(names.map(() => 2))
  expect(gone.taken).toEqual([])
})

test('a run ends in its time with a backlog left, and another process goes on from there at once, nothing twice', async () => {
  let calls = 0
  const siem = recording(() => {
    calls += 1
    if (calls === 1) timeIsUp()
  })
  const { processOf, append, timeIsUp } = setUp({ 'siem@acme': siem.sink })
  const count = 3 * LIMITS.sinkEventsPerRequest
  await append('acme', count)
  await processOf('one')()
  expect(siem.taken.length).toBeGreaterThan(0)
  expect(siem.taken.length).toBeLessThan(count)
  await processOf('two')()
  expect(siem.taken).toHaveLength(count)
  expect(new Set(siem.taken).size).toBe(count)
})

test('a document that cannot be read holds up no other tenant, and its sink is left alone no shorter for it', async () => {
  let calls = 0
  const down: Sink = {
    async deliver() {
      calls += 1
      return later('status_5xx', 120_000)
    },
  }
  const other = recording()
  const { processOf, append, unread, wait } = setUp({ 'siem@acme': down, 'siem@globex': other.sink })
  for (const tenant of ['acme', 'globex']) await append(tenant, 1)
  const run = processOf('one')
  await run()
  unread.add('acme')
  await append('globex', 1)
  wait(60_000)
  await run()
  expect(other.taken).toHaveLength(2)
  unread.clear()
  await run()
  expect(calls).toBe(1)
  wait(61_000)
  await run()
  expect(calls).toBe(2)
})
