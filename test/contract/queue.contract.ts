// The laws of a queue (lib/ports/queue.ts) with the function behind it, for any adapter: law L8 and what follows from it. Run
// by queue.test.ts.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { type ConsumerOptions, queueConsumer } from '../../lib/edge/queue.ts'
import type { Queue } from '../../lib/ports/queue.ts'
import type { BatchResponse, QueueEvent } from '../../lib/wire/lambda-events.ts'

export type QueueHarness = {
  readonly queue: Queue
  /** Puts text that send() could not: what a mistake or an attacker leaves on a queue. */
  readonly putRaw: (body: string, group: string) => Promise<void>
  /** Delivers everything that is due, once, to the function as its host would; how many messages that were. */
  readonly deliver: (handler: (event: QueueEvent) => Promise<BatchResponse>) => Promise<number>
  readonly quarantine: ConsumerOptions<Message>['quarantine']
  /** What lies in quarantine, with its reason where the queue knows one. */
  readonly quarantined: () => Promise<readonly { readonly body: string; readonly reason: string | null }[]>
  readonly close: () => Promise<void>
}

type Message = { readonly id: string; readonly tenant: string }

const read: ConsumerOptions<Message>['read'] = (body) => {
  try {
    const message = JSON.parse(body) as Message
    return typeof message.id === 'string' ? { ok: true, message } : { ok: false, reason: 'not_a_message' }
  } catch {
    return { ok: false, reason: 'not_json' }
  }
}

export const describeQueue = (name: string, open: () => Promise<QueueHarness>): void => {
  describe(`queue: ${name}`, () => {
    let harness: QueueHarness
    let handled: string[]
    beforeEach(async () => {
      harness = await open()
      handled = []
    })
    afterEach(() => harness.close())

    const send = (id: string, tenant = 'acme') => harness.queue.send({ id, tenant }, { group: tenant, dedupe: id })
    const consumer = (handle: (message: Message) => Promise<'done' | { poison: string }>) =>
      queueConsumer<Message>({
        name: 'test',
        read,
        tenantOf: ({ tenant }) => tenant,
        handle,
        quarantine: (message, reason) => harness.quarantine(message, reason),
        alarm: () => undefined,
        log: { error: () => undefined },
      })
    const note = consumer(async ({ id }) => {
      handled.push(id)
      return 'done'
    })
    /** Delivers until that is so, then once more: what comes after it would be one delivery too many. */
    const deliverUntil = async (
      handler: Parameters<QueueHarness['deliver']>[0],
      isSo: () => boolean | Promise<boolean>,
    ) => {
      await expect
        .poll(
          async () => {
            await harness.deliver(handler)
            return isSo()
          },
          { interval: 20 },
        )
        .toBe(true)
      await harness.deliver(handler)
    }

    const isQuarantined = async () => (await harness.quarantined()).length > 0

    test('what was sent is delivered, and once it is done no more', async () => {
      for (const id of ['a', 'b', 'c']) await send(id)
      await deliverUntil(note, () => handled.length === 3)
      expect(handled.toSorted()).toEqual(['a', 'b', 'c'])
      expect(await harness.quarantined()).toEqual([])
    })

    test('a message sent twice under one id may come twice, never as two', async () => {
      await send('a')
      await send('a')
      await deliverUntil(note, () => handled.length > 0)
      expect(new Set(handled)).toEqual(new Set(['a']))
      expect(handled.length).toBeLessThanOrEqual(2)
    })

    test('of a batch only what failed comes again: its neighbours are not worked on twice', async () => {
      let failures = 0
      const flaky = consumer(async ({ id }) => {
        handled.push(id)
        if (id === 'b' && failures++ === 0) throw new Unavailable('store_unavailable')
        return 'done'
      })
      for (const id of ['a', 'b', 'c']) await send(id)
      await deliverUntil(flaky, () => handled.length === 4)
      expect(handled.toSorted()).toEqual(['a', 'b', 'b', 'c'])
    })

    test('L8: poison is quarantined with its reason at its first delivery, and its group goes on', async () => {
      await harness.putRaw('{"not":"ours"}', 'acme')
      await harness.putRaw('garbage', 'acme')
      await send('a')
      await deliverUntil(note, () => handled.length === 1)
      expect(handled).toEqual(['a'])
      expect((await harness.quarantined()).toSorted((x, y) => (x.body < y.body ? -1 : 1))).toEqual([
        { body: 'garbage', reason: 'not_json' },
        { body: '{"not":"ours"}', reason: 'not_a_message' },
      ])
    })

    test('L8: what fails every time is in quarantine after the most deliveries there are, and holds up nobody', async () => {
      const attempts = new Map<string, number>()
      const broken = consumer(async ({ id }) => {
        attempts.set(id, (attempts.get(id) ?? 0) + 1)
        if (id === 'bad') throw new Error('a bug')
        return 'done'
      })
      await send('bad')
      await send('good')
      await send('other', 'globex')
      await deliverUntil(broken, isQuarantined)
      expect(Object.fromEntries(attempts)).toEqual({ bad: LIMITS.queueReceivesMax, good: 1, other: 1 })
      expect((await harness.quarantined()).map(({ body }) => JSON.parse(body))).toEqual([{ id: 'bad', tenant: 'acme' }])
    })

    test('a message the function refuses is quarantined for what it is', async () => {
      await send('a')
      await deliverUntil(
        consumer(async () => ({ poison: 'proof_not_accepted' })),
        isQuarantined,
      )
      expect(await harness.quarantined()).toMatchObject([{ reason: 'proof_not_accepted' }])
    })

    test('while the quarantine cannot take it, poison stays on the queue', async () => {
      await harness.putRaw('garbage', 'acme')
      let isDown = true
      const options: ConsumerOptions<Message> = {
        name: 'test',
        read,
        tenantOf: ({ tenant }) => tenant,
        handle: async () => 'done',
        quarantine: async (message, reason) => {
          if (isDown) throw new Unavailable('store_unavailable')
          await harness.quarantine(message, reason)
        },
        alarm: () => undefined,
        log: { error: () => undefined },
      }
      await harness.deliver(queueConsumer(options))
      expect(await harness.quarantined()).toEqual([])
      isDown = false
      await deliverUntil(queueConsumer(options), isQuarantined)
      expect(await harness.quarantined()).toEqual([{ body: 'garbage', reason: 'not_json' }])
    })
  })
}
