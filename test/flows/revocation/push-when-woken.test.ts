// Pushes by wakes, over a real store and real HTTPS: a wake that is lost, early, double or met by another loses no change, and
// wakes do not multiply.
import { expect, onTestFinished, test } from 'vitest'
import { createReceivers } from '../../../lib/adapters/sqlite/receivers.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import { pushTogether, pushWhenWoken, sweepReceivers } from '../../../lib/flows/revocation/push-when-woken.ts'
import { createWakeReceivers } from '../../../lib/flows/revocation/wake-receivers.ts'
import { ACCEPTED, type Answering, startReceiver } from '../../support/receiver.ts'
import { receiverBench, webhook } from '../../support/receiver-bench.ts'

const receiver = async (answering: Answering = ACCEPTED) => {
  const started = await startReceiver(answering)
  onTestFinished(() => started.close())
  return started
}
const failing: Answering = (response) => response.writeHead(503).end()

const openBench = async (...rules: Parameters<typeof receiverBench>[0]) => {
  const bench = await receiverBench(rules)
  const woken: (readonly [tenant: string, delayMs: number])[] = []
  const wakes = { wake: async (tenant: string, delayMs: number) => void woken.push([tenant, delayMs]) }
  return { bench, woken, ports: { ...bench.ports, receivers: createReceivers(bench.database), wakes } }
}

test('one wake sends more than a turn takes, and what is numbered while it does, in order and with no wake more', async () => {
  const edge = await receiver()
  const { bench, woken, ports } = await openBench(webhook(edge.url()))
  const count = LIMITS.receiverSetsPerTurn + 1
  for (let value = 1; value <= count; value += 1) await bench.block(String(value))
  let isLate = false
  const post: typeof ports.http.post = async (...args) => {
    if (!isLate) await bench.block('late')
    isLate = true
    return ports.http.post(...args)
  }
  await pushWhenWoken({ ...ports, http: { post } }, 'acme')
  expect(edge.jtis().map((jti) => Number(jti?.split('.')[0]))).toEqual(
    Array.from({ length: count + 1 }, (_, at) => at + 1),
  )
  expect(woken).toEqual([])
})

test('a change whose wake met somebody else at the receiver is sent by them, once they have left it', async () => {
  const edge = await receiver()
  const { bench, woken, ports } = await openBench(webhook(edge.url()))
  await bench.block('1')
  const other = { ...bench.portsOn(bench.open()), receivers: createReceivers(bench.open()), wakes: ports.wakes }
  let isMet = false
  const post: typeof ports.http.post = async (...args) => {
    if (isMet) return ports.http.post(...args)
    isMet = true
    await bench.block('2')
    await pushWhenWoken(other, 'acme')
    expect(edge.got).toEqual([])
    return ports.http.post(...args)
  }
  await pushWhenWoken({ ...ports, http: { post } }, 'acme')
  expect(edge.got).toHaveLength(2)
  expect(woken).toEqual([])
})

test('what failed is woken for once, after its wait; who comes before finds nothing due and wakes nobody', async () => {
  const [down, edge] = [await receiver(failing), await receiver()]
  const { bench, woken, ports } = await openBench(webhook(down.url(), 'down'), webhook(edge.url(), 'edge'))
  await bench.block('1')
  await pushWhenWoken(ports, 'acme')
  expect([down.got.length, edge.got.length]).toEqual([1, 1])
  expect(woken).toEqual([['acme', expect.any(Number)]])
  const waitMs = woken[0]![1]
  expect(waitMs).toBeGreaterThan(0)
  expect(waitMs).toBeLessThanOrEqual(LIMITS.receiverRetryMsMax)
  for (let early = 0; early < 3; early += 1) await pushWhenWoken(ports, 'acme')
  expect([down.got.length, woken.length]).toEqual([1, 1])
  bench.keys.clock.add(Math.ceil(waitMs / 1_000))
  await pushWhenWoken(ports, 'acme')
  expect([down.got.length, edge.got.length, woken.length]).toEqual([2, 1, 2])
})

test('wakes that came together are one piece of work a tenant, and those of the next batch another', async () => {
  const edge = await receiver()
  const { bench, ports } = await openBench(webhook(edge.url()))
  await bench.block('1')
  let looks = 0
  const receivers: typeof ports.receivers = {
    ...ports.receivers,
    due(...args) {
      looks += 1
      return ports.receivers.due(...args)
    },
  }
  const push = pushTogether({ ...ports, receivers })
  await Promise.all([push('acme'), push('acme')])
  const before = looks
  await push('acme')
  expect([edge.got.length, looks]).toEqual([1, before])
  await bench.block('2')
  await pushTogether({ ...ports, receivers })('acme')
  expect(edge.got).toHaveLength(2)
})

test('who was woken is not done before it has left every receiver, even where a wake for one of them cannot be sent', async () => {
  const [down, slow] = [await receiver(failing), await receiver()]
  const { bench, ports } = await openBench(webhook(down.url(), 'down'), webhook(slow.url(), 'slow'))
  await bench.block('1')
  const away = new AbortController()
  const wakes = {
    async wake() {
      away.abort()
      throw new Unavailable('store_unavailable')
    },
  }
  // It answers long after the wake could not be sent.
  slow.answer((response) => {
    const answer = () => setTimeout(() => response.writeHead(202).end(), 200)
    if (away.signal.aborted) answer()
    else away.signal.addEventListener('abort', answer)
  })
  await expect(pushWhenWoken({ ...ports, wakes }, 'acme')).rejects.toThrow(Unavailable)
  expect(await bench.stateOf('slow')).toMatchObject({ pending: 0, last: { problem: null } })
  expect(await ports.receivers.lease({ tenant: 'acme', name: 'slow' }, 'another', ports.clock.nowMs())).not.toBeNull()
})

test('a receiver that this process does not know yet is left to a later look, without a pause of turns', async () => {
  const { bench, woken, ports } = await openBench(webhook('https://edge.example/'))
  await bench.block('1')
  let asked = 0
  const current = async () => {
    asked += 1
    return null
  }
  await pushWhenWoken({ ...ports, tenants: { current } }, 'acme')
  expect([asked, woken]).toEqual([1, []])
})

test('the sweep wakes each tenant that is owed a push, and tells of a receiver that takes nothing', async () => {
  const { bench, woken, ports } = await openBench(webhook('https://edge.example/'))
  const alarms: unknown[] = []
  const alarm = (kind: string) => void alarms.push(kind)
  expect(await sweepReceivers({ ...ports, alarm })).toEqual({ woken: 0 })
  await bench.block('1')
  const nowSeconds = () => Math.floor(Date.now() / 1_000) + LIMITS.receiverStuckSeconds + 5
  expect(await sweepReceivers({ ...ports, clock: { ...ports.clock, nowSeconds }, alarm })).toEqual({ woken: 1 })
  expect([woken, alarms]).toEqual([[['acme', 0]], ['receiver_stuck']])
})

test('a storm is one wake at once and one a second, each behind the changes it stands for; a lost one fails no order', async () => {
  const woken: number[] = []
  let nowMs = 5_000
  let isAway = false
  const wakes = {
    async wake(_tenant: string, delayMs: number) {
      if (isAway) throw new Unavailable('store_unavailable')
      woken.push(nowMs + delayMs)
    },
  }
  const receivers = [{ name: 'r', type: 'webhook' }]
  const current = async (tenant: string) => ({ receivers: tenant === 'acme' ? receivers : [] }) as never
  const wake = createWakeReceivers({ tenants: { current }, wakes, clock: { nowMs: () => nowMs } })
  const changes: number[] = []
  for (let at = 0; at < 30; at += 1) {
    changes.push(nowMs)
    await wake('acme')
    await wake('quiet')
    nowMs += 100
  }
  expect(woken[0]).toBe(5_000)
  expect(woken.length).toBeLessThanOrEqual(4)
  for (const change of changes) expect(woken.some((at) => at >= change)).toBe(true)
  isAway = true
  nowMs += 60_000
  await wake('acme')
  // Not taken for sent.
  isAway = false
  await wake('acme')
  expect(woken.at(-1)).toBe(nowMs)
})
