import { expect, test } from 'vitest'
import { queueConsumer } from '../../lib/edge/queue.ts'

type Message = { readonly id: string; readonly tenant: string }

/** Handles messages as slowly as it is told and notes when each began and ended. */
const recorder = (isFree: (message: Message) => boolean) => {
  const events: string[] = []
  const consume = queueConsumer<Message>({
    name: 'test',
    read: (body) => ({ ok: true, message: JSON.parse(body) as Message }),
    tenantOf: ({ tenant }) => tenant,
    isFree,
    async handle({ id }) {
      events.push(`${id}+`)
      await new Promise((resolve) => setImmediate(resolve))
      events.push(`${id}-`)
      return 'done'
    },
    quarantine: async () => undefined,
    alarm: () => undefined,
    log: { error: () => undefined },
  })
  const run = (ids: readonly string[]) =>
    consume({
      Records: ids.map((id) => ({
        messageId: id,
        body: JSON.stringify({ id, tenant: 'acme' }),
        attributes: { ApproximateReceiveCount: '1', MessageGroupId: 'acme' },
      })),
    })
  return { events, run }
}

test('messages of a group wait for each other where nothing says they are free', async () => {
  const { events, run } = recorder(() => false)
  await run(['a', 'b', 'c'])
  expect(events).toEqual(['a+', 'a-', 'b+', 'b-', 'c+', 'c-'])
})

test('free ones go side by side; one that is not begins after all before it and ends before any behind it', async () => {
  const { events, run } = recorder(({ id }) => id !== 'lift')
  await run(['a', 'b', 'lift', 'c', 'd'])
  expect(events).toEqual(['a+', 'b+', 'a-', 'b-', 'lift+', 'lift-', 'c+', 'd+', 'c-', 'd-'])
})
