// The wrapper of a DynamoDB stream consumer. Order matters here: the answer names the first record that could not be taken,
// and the service begins again with it; nothing behind it is lost, some of it may come twice.
import type { BatchResponse, StreamEvent, StreamRecord } from '../wire/lambda-events.ts'

export type StreamOptions<Item> = {
  readonly read: (record: StreamRecord) => Item
  /** How many from the front are taken. What it throws fails the whole batch, which the service then halves to find why. */
  readonly take: (items: readonly Item[]) => Promise<number>
}

export const streamConsumer =
  <Item>({ read, take }: StreamOptions<Item>) =>
  async ({ Records: records }: StreamEvent): Promise<BatchResponse> => {
    const taken = await take(records.map(read))
    if (taken >= records.length) return { batchItemFailures: [] }
    // Without a number to name, the empty one has the whole batch delivered again, which is harmless.
    return { batchItemFailures: [{ itemIdentifier: records[taken]?.dynamodb?.SequenceNumber ?? '' }] }
  }
