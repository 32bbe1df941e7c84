// Many sinks at once over a real store: one that hangs holds up itself, one that fails is left alone for a while, and what an
// operator asks is done all the same.
import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { createSinkCursors } from '../../../lib/adapters/sqlite/sink-cursors.ts'
import { createSinkBoard, createSinkErrands } from '../../../lib/adapters/sqlite/sink-errands.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { later, type SinkAnswer, TAKEN } from '../../../lib/domain/sink.ts'
import type { Target } from '../../../lib/flows/audit/deliver-events.ts'
import { createDeliveries } from '../../../lib/flows/audit/run-deliveries.ts'
import type { Sink } from '../../../lib/ports/sinks.ts'
import { temporaryDirectory } from '../../adapters/sqlite/temporary-database.ts'
import { sampleRecord } from '../../contract/sample-rows.ts'
import { uidOf } from '../../support/sink-receiver.ts'
import { openAudit, treeLogOver } from '../../support/tree-log.ts'
import { until } from '../../support/until.ts'

const ISSUER = 'https://sts.example.com/t/acme'
const NOW_MS = 1_900_000_000_000

/** By name, or name@tenant. */
const setUp = async (sinks: Record<string, Sink>, records = 1) => {
  const audit = openAudit(temporaryDirectory())
  onTestFinished(() => audit.close())
  const { log, store } = treeLogOver(audit)
  let nowMs = NOW_MS
  let monotonicMs = 0
  const clock = {
    nowMs: () => nowMs,
    nowSeconds: () => Math.floor(nowMs / 1000),
    monotonicMs: () => monotonicMs,
  }
  const targets: Target[] = Object.entries(sinks).map(([key, sink]) => {
    const [name = '', tenant = 'acme'] = key.split('@')
    return { tenant, issuerUrl: ISSUER, name, sink }
  })
  const tenants = [...new Set(targets.map(({ tenant }) => tenant))]
  const errands = createSinkErrands(audit)
  const failed: (string | null)[] = []
  const deliveries = createDeliveries({
    log: store,
    cursors: createSinkCursors(audit),
    errands,
    clock,
    alarm: () => undefined,
    holder: 'one',
    targetsOf: async (tenant) => targets.filter((target) => target.tenant === tenant),
    random: () => 0.5,
    onFailure: ({ name }) => void failed.push(name),
  })
  const append = async (): Promise<void> => {
    for (const tenant of tenants)
      await log.append(
        tenant,
        Array.from({ length: records }, () => ({
          kind: 'grant',
          record: sampleRecord({ tenant, decisionId: randomUUID() }),
        })),
      )
  }
  await append()
  return {
    append,
    targets,
    deliveries,
    errands,
    failed,
    clock,
    board: () => createSinkBoard(audit).status('acme', [{ name: 'siem', type: 'webhook' }], clock.nowSeconds()),
    wait: (ms: number) => {
      nowMs += ms
      monotonicMs += ms
    },
    /** The wall clock alone: it is set, or the process is frozen. */
    stepClock: (ms: number) => {
      nowMs += ms
    },
    /** Rounds until the state is as wanted. */
    roundsUntil: async (isDone: () => boolean | Promise<boolean>) => {
      await until('what rounds of deliveries bring about', async () => {
        await deliveries.round(tenants)
        await nextTurn()
        return isDone()
      })
    },
  }
}

const recording = (answer: () => SinkAnswer = () => TAKEN) => {
  const taken: string[] = []
  const calls = { count: 0 }
  const sink: Sink = {
    async deliver(events) {
      calls.count += 1
      const said = answer()
      if (said.kind === 'taken') taken.push(...events.map(uidOf))
      return said
    },
  }
  return { sink, taken, calls }
}

test('sinks of a tenant that hang, however many they are, hold up no other tenant', async () => {
  const release: (() => void)[] = []
  const hanging: Sink = { deliver: () => new Promise((resolve) => release.push(() => resolve(later('deadline')))) }
  const good = recording()
  const many = Object.fromEntries(Array.from({ length: LIMITS.sinksMax }, (_, at) => [`hang${at}@globex`, hanging]))
  const { roundsUntil, deliveries } = await setUp({ ...many, siem: good.sink })
  await roundsUntil(() => good.taken.length === 2)
  for (const end of release) end()
  await deliveries.stop()
})

test('a sink that failed is left alone until its time, and a bug in one is not the end of the others', async () => {
  let isUp = false
  const flaky = recording(() => (isUp ? TAKEN : later('status_5xx')))
  const broken: Sink = {
    deliver: async () => {
      throw new TypeError('a bug')
    },
  }
  const { roundsUntil, wait, board, failed } = await setUp({ broken, siem: flaky.sink })
  await roundsUntil(async () => (await board())[0]!.trouble === 'status_5xx')
  expect(failed).toContain('broken')
  isUp = true
  for (let count = 0; count < 5; count += 1) await roundsUntil(() => true)
  expect(flaky.calls.count).toBe(1)
  wait(LIMITS.sinkRetryMsBase * 2)
  await roundsUntil(() => flaky.taken.length === 2)
  expect((await board())[0]).toMatchObject({ trouble: null, failures: 0, backlogLeaves: 0, lagSeconds: 0 })
})

const HOUR_MS = 3_600_000

test('a clock that goes back by an hour keeps no sink waiting: neither one that is well nor one that has failed', async () => {
  let isUp = false
  const flaky = recording(() => (isUp ? TAKEN : later('status_5xx')))
  const well = recording()
  const { roundsUntil, wait, stepClock, append } = await setUp({ flaky: flaky.sink, siem: well.sink })
  await roundsUntil(() => well.taken.length === 2 && flaky.calls.count === 1)
  stepClock(-HOUR_MS)
  isUp = true
  await append()
  await roundsUntil(() => well.taken.length === 4)
  wait(LIMITS.sinkRetryMsBase * 2)
  await roundsUntil(() => flaky.taken.length === 4)
})

test('a process that is frozen meanwhile has waited all the same', async () => {
  const flaky = recording(() => later('status_5xx'))
  const { roundsUntil, stepClock } = await setUp({ siem: flaky.sink })
  await roundsUntil(() => flaky.calls.count === 1)
  stepClock(LIMITS.sinkRetryMsBase * 2)
  await roundsUntil(() => flaky.calls.count === 2)
})

test('a sink that no document names is forgotten: one of its name that comes later is another', async () => {
  const flaky = recording(() => later('status_5xx'))
  const { roundsUntil, targets } = await setUp({ siem: flaky.sink, other: recording().sink })
  await roundsUntil(() => flaky.calls.count === 1)
  const [siem] = targets.splice(0, 1)
  for (let count = 0; count < 5; count += 1) await roundsUntil(() => true)
  targets.push(siem!)
  await roundsUntil(() => flaky.calls.count === 2)
})

test('Retry-After is honoured, and no sink can ask to be forgotten', async () => {
  const busy = recording(() => later('status_429', 999_000_000))
  const { roundsUntil, wait } = await setUp({ siem: busy.sink })
  await roundsUntil(() => busy.calls.count === 1)
  wait(LIMITS.sinkRetryAfterMsMax - 1_000)
  for (let count = 0; count < 5; count += 1) await roundsUntil(() => true)
  expect(busy.calls.count).toBe(1)
  wait(2_000)
  await roundsUntil(() => busy.calls.count === 2)
})

test('a test of a sink is sent at once though the sink is being left alone, and says what became of it', async () => {
  let isUp = false
  const flaky = recording(() => (isUp ? TAKEN : later('status_4xx', 200_000)))
  const { roundsUntil, errands, clock, board } = await setUp({ siem: flaky.sink })
  await roundsUntil(async () => (await board())[0]!.trouble === 'status_4xx')
  const ask = async () => {
    const id = randomUUID()
    await errands.ask({ id, tenant: 'acme', sink: 'siem', kind: 'test', outcome: null }, clock.nowSeconds())
    await roundsUntil(async () => (await errands.find('acme', id))?.outcome != null)
    return { id, outcome: (await errands.find('acme', id))?.outcome }
  }
  expect((await ask()).outcome).toEqual({ delivered: 0, refused: 0, trouble: 'status_4xx' })
  isUp = true
  const { id, outcome } = await ask()
  expect(outcome).toEqual({ delivered: 1, refused: 0, trouble: null })
  expect(flaky.taken[0]).toBe(`test.${id}`)
  // What went well is tried at once.
  await roundsUntil(() => flaky.taken.length === 3)
})

test('dead letters are sent again when somebody asks, and those still refused stay', async () => {
  const poison = new Set<string>()
  const taken: string[] = []
  const sink: Sink = {
    async deliver(events) {
      const uids = events.map(uidOf)
      const refused = uids.flatMap((uid, index) =>
        poison.has(uid) ? [{ index, reason: 'mapping_refused' as const }] : [],
      )
      taken.push(...uids.filter((uid) => !poison.has(uid)))
      return { kind: 'taken', refused }
    },
  }
  const { roundsUntil, errands, clock, board } = await setUp({
    siem: {
      deliver: (events) => {
        if (poison.size === 0) poison.add(uidOf(events[0]!))
        return sink.deliver(events)
      },
    },
  })
  await roundsUntil(async () => (await board())[0]!.backlogLeaves === 0)
  expect((await board())[0]!.deadLetters).toEqual({ mapping_refused: 1 })
  const resend = async () => {
    const id = randomUUID()
    await errands.ask({ id, tenant: 'acme', sink: 'siem', kind: 'resend', outcome: null }, clock.nowSeconds())
    await roundsUntil(async () => (await errands.find('acme', id))?.outcome != null)
    return (await errands.find('acme', id))?.outcome
  }
  expect(await resend()).toEqual({ delivered: 0, refused: 1, trouble: null })
  poison.clear()
  poison.add('nothing')
  expect(await resend()).toEqual({ delivered: 1, refused: 0, trouble: null })
  expect((await board())[0]!.deadLetters).toEqual({})
  expect(new Set(taken).size).toBe(2)
})

/** A sink that has `count` dead letters, and from then on does as it is said here. */
const setUpLetters = async (count: number, { deliver, settle }: Sink) => {
  let isBurying = true
  const sink: Sink = {
    deliver: async (events) =>
      isBurying
        ? {
            kind: 'taken',
            refused: events.slice(0, count).map((_, index) => ({ index, reason: 'refused' as const })),
          }
        : deliver(events),
    settle: async () => (isBurying || settle === undefined ? TAKEN : settle()),
  }
  const made = await setUp({ siem: sink }, count)
  await made.roundsUntil(async () => (await made.board())[0]!.backlogLeaves === 0)
  isBurying = false
  const letters = async () => (await made.board())[0]!.deadLetters.refused
  expect(await letters()).toBe(count)
  const resend = async () => {
    const id = randomUUID()
    const { errands, clock, roundsUntil } = made
    await errands.ask({ id, tenant: 'acme', sink: 'siem', kind: 'resend', outcome: null }, clock.nowSeconds())
    await roundsUntil(async () => (await errands.find('acme', id))?.outcome != null)
    return (await errands.find('acme', id))?.outcome
  }
  return { ...made, letters, resend }
}

test.each(['status_5xx', 'deadline', 'connect_failed', 'not_its_protocol', 'not_acknowledged'] as const)(
  'a dead letter that was sent again stays while its acknowledgement is not had: %s',
  async (trouble) => {
    let isUp = false
    const { letters, resend } = await setUpLetters(1, {
      deliver: async () => TAKEN,
      settle: async () => (isUp ? TAKEN : later(trouble)),
    })
    expect(await resend()).toEqual({ delivered: 0, refused: 0, trouble })
    expect(await letters()).toBe(1)
    isUp = true
    expect(await resend()).toEqual({ delivered: 1, refused: 0, trouble: null })
    expect(await letters()).toBeUndefined()
  },
)

test('a slow sink is not sent its dead letters beyond a third of its lease, and is told to have had no time', async () => {
  const { letters, resend, wait } = await setUpLetters(2, {
    deliver: async () => {
      wait(LIMITS.sinkLeaseMs / 2)
      return TAKEN
    },
  })
  expect(await resend()).toEqual({ delivered: 1, refused: 0, trouble: 'deadline' })
  expect(await letters()).toBe(1)
})
