// What Lambda's event sources do, for `npm run offline`: the queues are polled with the credentials of the functions that take
// them, the stream of the core table is read, logs are signed, and what a function could not take comes again.
import { setTimeout as sleep } from 'node:timers/promises'
import { type ClientPlace, sqsClient } from '../lib/adapters/aws/clients.ts'
import { CORE_TABLE } from '../lib/adapters/aws/table-keys.ts'
import {
  type BatchResponse,
  type QueueEvent,
  SCHEDULED,
  type StreamEvent,
  type StreamRecord,
} from '../lib/wire/lambda-events.ts'
import { openStream } from '../test/support/dynamodb-stream.ts'
import { deliverBatch } from '../test/support/fauxqs-queues.ts'

type Invoke = (event: QueueEvent | StreamEvent) => Promise<unknown>
export type QueueSource = { readonly place: ClientPlace; readonly queueUrl: string; readonly invoke: Invoke }

/** Between two looks at what was empty. */
const IDLE_MS = 200
const STREAM_BATCH = 25

/** Resolves when it was told to stop and has let go of what it held. */
type Source = (stopping: AbortSignal) => Promise<void>

const repeat =
  (work: () => Promise<boolean>): Source =>
  async (stopping) => {
    while (!stopping.aborted) {
      // Whatever failed was not taken: it is there at the next look.
      const hadWork = await work().catch(() => false)
      if (!hadWork) await sleep(IDLE_MS, undefined, { signal: stopping }).catch(() => undefined)
    }
  }

const queueSource = ({ place, queueUrl, invoke }: QueueSource): Source => {
  const client = sqsClient(place)
  const handler = async (event: QueueEvent): Promise<BatchResponse> => {
    const all = { batchItemFailures: event.Records.map(({ messageId }) => ({ itemIdentifier: messageId })) }
    return invoke(event).then(
      (answer) => answer as BatchResponse,
      () => all,
    )
  }
  return repeat(async () => (await deliverBatch(client, queueUrl, handler)) > 0)
}

const streamSource = (endpoint: string, invoke: Invoke): Source => {
  const stream = openStream(endpoint, CORE_TABLE)
  let waiting: readonly StreamRecord[] = []
  return repeat(async () => {
    waiting = [...waiting, ...(await stream.next())]
    const batch = waiting.slice(0, STREAM_BATCH)
    if (batch.length === 0) return false
    const { batchItemFailures } = (await invoke({ Records: batch })) as BatchResponse
    const [failed] = batchItemFailures
    const at = batch.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === failed?.itemIdentifier)
    const taken = failed === undefined ? batch.length : Math.max(at, 0)
    waiting = waiting.slice(taken)
    return taken > 0
  })
}

/** A minute at AWS. */
const SCHEDULE_MS = 10_000

const scheduleSource =
  (invoke: (event: unknown) => Promise<unknown>): Source =>
  async (stopping) => {
    while (!stopping.aborted) {
      await invoke(SCHEDULED).catch(() => undefined)
      await sleep(SCHEDULE_MS, undefined, { signal: stopping }).catch(() => undefined)
    }
  }

type Sources = {
  readonly queues: readonly QueueSource[]
  readonly stream: { readonly endpoint: string; readonly invoke: Invoke }
  readonly scheduled: readonly ((event: unknown) => Promise<unknown>)[]
}

/** Gives what stops them. */
export const startSources = ({ queues, stream, scheduled }: Sources): (() => Promise<void>) => {
  const stopping = new AbortController()
  const sources = [
    ...queues.map(queueSource),
    streamSource(stream.endpoint, stream.invoke),
    ...scheduled.map(scheduleSource),
  ]
  const running = sources.map((source) => source(stopping.signal))
  return async () => {
    stopping.abort()
    await Promise.all(running)
  }
}
