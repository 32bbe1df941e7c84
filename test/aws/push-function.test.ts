// The push function from wakes on its SQS queue to receivers over HTTPS, by what stands in DynamoDB: whatever becomes of wakes and
// receivers, each change is told, in its order, and no batch outlasts the function.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { createHandler } from '../../functions/push/handler.ts'
import { TIMEOUT_SECONDS } from '../../infra/timeouts.ts'
import { createReceivers } from '../../lib/adapters/aws/dynamo-receivers.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createRevocationStore } from '../../lib/adapters/aws/dynamo-revocation-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createSqsQuarantine } from '../../lib/adapters/aws/sqs-queue.ts'
import { createSqsWakes } from '../../lib/adapters/aws/sqs-wakes.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { Clock } from '../../lib/ports/clock.ts'
import type { QueueEvent } from '../../lib/wire/lambda-events.ts'
import { sampleConfig, sampleRevocation } from '../contract/sample-rows.ts'
import { createTables } from '../support/dynamodb-local.ts'
import { deliverBatch, messagesIn, startQueues } from '../support/fauxqs-queues.ts'
import { handClock } from '../support/own-keys.ts'
import { ACCEPTED, type Answering, startReceiver } from '../support/receiver.ts'
import { receiverBench, webhook } from '../support/receiver-bench.ts'
import { until } from '../support/until.ts'
import { dynamoClient } from './dynamo-stores.ts'

const TENANT = 'acme'

/** `answering`: one receiver a name. */
const open = async (answering: Readonly<Record<string, Answering>>) => {
  const started = await Promise.all(
    Object.entries(answering).map(async ([name, answer]) => [name, await startReceiver(answer)] as const),
  )
  const receiverOf = (name: string) => new Map(started).get(name)!
  const client = dynamoClient()
  const queues = await startQueues()
  onTestFinished(async () => {
    client.destroy()
    await Promise.all([queues.close(), ...started.map(([, receiver]) => receiver.close())])
  })
  const { queueUrl, dlqUrl } = queues.create('push', LIMITS.queueReceivesMax)
  const rules = started.map(([name, receiver]) => webhook(receiver.url(), name))
  const bench = await receiverBench(rules)
  const table = tableOf((await createTables()).core, client, 20_000)
  const document = JSON.stringify({ receivers: Object.fromEntries(rules.map(({ name, ...rule }) => [name, rule])) })
  await createTenantConfigStore(table).put(sampleConfig({ tenant: TENANT, version: 1, document }))
  const [revocations, receivers] = [createRevocationStore(table), createReceivers(table)]
  const wakes = createSqsWakes({ client: queues.client, queueUrl })
  const quarantine = createSqsQuarantine({ client: queues.client, queueUrl: dlqUrl })
  const instance = (clock: Clock, http = bench.ports.http) =>
    createHandler({
      ports: { ...bench.ports, receivers, wakes, clock, http, holder: randomUUID() },
      quarantine,
      log: { error: () => undefined },
    })
  return {
    bench,
    instance,
    receiverOf,
    seqsAt: (name: string) => seqsOf(receiverOf(name).jtis()),
    revoke: async (count: number) => {
      for (let at = 0; at < count; at += 1)
        await revocations.put(
          sampleRevocation({ id: randomUUID(), tenant: TENANT, kind: 'credential', issuer: '', value: randomUUID() }),
        )
    },
    wake: () => wakes.wake(TENANT, 0),
    deliver: (to: ReturnType<typeof instance>) => deliverBatch(queues.client, queueUrl, to as never),
    pending: async () => (await receivers.list(TENANT)).map(({ pending }) => pending),
    deadLetters: () => messagesIn(queues, 'push-dlq'),
  }
}

const seqsOf = (jtis: readonly (string | undefined)[]): readonly number[] =>
  jtis.map((jti) => Number(jti?.split('.')[0]))
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at + 1)

test('a batch of wakes of one tenant is over before the function is, however much a slow receiver is owed', async () => {
  const { bench, instance, revoke, wake, deliver, seqsAt } = await open({ slow: ACCEPTED })
  const { clock } = bench.keys
  const owed = 18
  await revoke(owed)
  const wakesAtOnce = 10
  for (let count = 0; count < wakesAtOnce; count += 1) await wake()
  // Each SET takes it as long as a turn.
  const http: typeof bench.ports.http = {
    async post(...args) {
      clock.add(LIMITS.receiverTurnMs / 1_000)
      return bench.ports.http.post(...args)
    },
  }
  const push = instance(clock, http)
  const seconds: number[] = []
  const timed = async (event: QueueEvent | object) => {
    const begunMs = clock.monotonicMs()
    const answer = await push(event)
    seconds.push((clock.monotonicMs() - begunMs) / 1_000)
    return answer
  }
  expect(await deliver(timed as never)).toBe(wakesAtOnce)
  expect(seconds[0]).toBeLessThan(TIMEOUT_SECONDS.push)
  // It left one wake for what it did not get to, and that one does the same.
  const batches: number[] = []
  while (seqsAt('slow').length < owed) batches.push(await deliver(timed as never))
  expect(new Set(batches)).toEqual(new Set([1]))
  expect(Math.max(...seconds)).toBeLessThan(TIMEOUT_SECONDS.push)
  expect(seqsAt('slow')).toEqual(upTo(owed))
})

test('with two wakes in flight and changes still coming, a receiver that takes a second a SET has each once, in order', async () => {
  // Time passes where the receiver takes it: a machine that stands still for a while ends nobody's lease.
  const clock = handClock(systemClock.nowSeconds())
  const slowly: Answering = (response) =>
    void sleep(1_000).then(() => {
      clock.add(1)
      response.writeHead(202).end()
    })
  const { instance, revoke, wake, deliver, seqsAt, pending, deadLetters } = await open({
    slow: slowly,
    quick: ACCEPTED,
  })
  await revoke(3)
  await Promise.all([wake(), wake()])
  const [one, other] = [instance(clock), instance(clock)]
  const taking = Promise.all([deliver(one), deliver(other)])
  await expect.poll(() => seqsAt('slow').length).toBeGreaterThan(0)
  // Their wake meets whoever has the receivers, and goes away with nothing done.
  await revoke(3)
  await wake()
  await Promise.all([deliver(instance(clock)), taking])
  expect([seqsAt('slow'), seqsAt('quick')]).toEqual([upTo(6), upTo(6)])
  expect(await pending()).toEqual([0, 0])
  expect(deadLetters()).toEqual([])
})

test('what a receiver answered with 503 it is told again once it is well, in order, by wakes that push left for itself', async () => {
  const { instance, revoke, wake, deliver, receiverOf, seqsAt, pending } = await open({
    ill: (response) => response.writeHead(503).end(),
  })
  await revoke(3)
  await wake()
  const instances = [instance(systemClock), instance(systemClock)]
  const untilIt = (isDone: () => Promise<boolean> | boolean) =>
    Promise.all(
      instances.map(async (push) => {
        await until('what wakes bring about', async () => {
          await deliver(push)
          return isDone()
        })
      }),
    )
  await untilIt(() => seqsAt('ill').length >= 2)
  // Nothing behind a SET that was not taken.
  expect(new Set(seqsAt('ill'))).toEqual(new Set([1]))
  const before = seqsAt('ill').length
  receiverOf('ill').answer(ACCEPTED)
  await untilIt(async () => (await pending())[0] === 0)
  expect(seqsAt('ill').slice(before)).toEqual(upTo(3))
  // What came twice has one jti.
  expect(new Set(receiverOf('ill').jtis()).size).toBe(3)
})
