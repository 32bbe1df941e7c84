import { expect, test } from 'vitest'
import { queueConsumer } from '../../lib/edge/queue.ts'

type Message = { readonly id: string; readonly tenant: string; readonly endsAfter?: string }

/** Notes when each message began and ended; one ends only once the one it names has begun. */
const recorder = (isFree: (message: Message) => boolean) => {
  const events: string[] = []
  const begun = new Map<string, PromiseWithResolvers<void>>()
  const beginning = (id: string) => {
    const known = begun.get(id) ?? Promise.withResolvers<void>()
    begun.set(id, known)
    return known
  }
  const consume = queueConsumer<Message>({
    name: 'test',
    read: (body) => ({ ok: true, message: JSON.parse(body) as Message }),
    tenantOf: ({ tenant }) => tenant,
    isFree,
    async handle({ id, endsAfter = id }) {
      events.push(`${id}+`)
      beginning(id).resolve()
      await beginning(endsAfter).promise
      events.push(`${id}-`)
      return 'done'
    },
    quarantine: async () => undefined,
    alarm: () => undefined,
    log: { error: () => undefined },
  })
  const run = (messages: readonly Omit<Message, 'tenant'>[]) =>
    consume({
      Records: messages.map((message) => ({
        messageId: message.id,
        body: JSON.stringify({ ...message, tenant: 'acme' }),
        attributes: { ApproximateReceiveCount: '1', MessageGroupId: 'acme' },
      })),
    })
  return { events, run }
}

test('messages of a group wait for each other where nothing says they are free', async () => {
  const { events, run } = recorder(() => false)
  await run([{ id: 'a' }, { id: 'b' }, { id: 'c' }])
  expect(events).toEqual(['a+', 'a-', 'b+', 'b-', 'c+', 'c-'])
})

test('free ones go side by side; one that is not begins after all before it and ends before any behind it', async () => {
  const { events, run } = recorder(({ id }) => id !== 'lift')
  await run([{ id: 'a', endsAfter: 'b' }, { id: 'b' }, { id: 'lift' }, { id: 'c', endsAfter: 'd' }, { id: 'd' }])
  expect(events.slice(0, 2)).toEqual(['a+', 'b+'])
  expect(events.slice(2, 4).toSorted()).toEqual(['a-', 'b-'])
  expect(events.slice(4, 6)).toEqual(['lift+', 'lift-'])
  expect(events.slice(6, 8)).toEqual(['c+', 'd+'])
})
