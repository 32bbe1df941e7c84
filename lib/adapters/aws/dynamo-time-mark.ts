// The highest time any mint has seen, in one row. A Lambda has no timer between requests, so its entry calls flushIfDue()
// after it answered; what is in memory stands meanwhile. Every answer of DynamoDB carries the time of its own clock.
import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'
import type { TimeMark } from '../../ports/grant-store.ts'
import { begin, keyOf, newMark, numberOf, type Table, unavailable, writeIf } from './dynamo-request.ts'
import { clockMarkKey } from './table-keys.ts'

export type DynamoTimeMark = TimeMark & {
  /** Exchanges marks with the other processes, where that is due. Throws Unavailable; what is in memory stands. */
  readonly flushIfDue: () => Promise<void>
}

type Options = { readonly table: Table; readonly clock: Pick<Clock, 'monotonicMs'> }

/** Throws Unavailable when the mark cannot be read: nothing may be minted without knowing the time that was seen. */
export const startTimeMark = async ({ table, clock }: Options): Promise<DynamoTimeMark> => {
  const start = await readMark(table)
  let stored = start.markSeconds
  let highest = stored
  // Whole seconds, and the answer was on its way for a while: a second more is still the same time.
  let storeOffsetSeconds = start.storeSeconds + 1 - clock.monotonicMs() / 1000

  return {
    highestSeconds: () => highest,
    raise(nowSeconds) {
      const storeNow = storeOffsetSeconds + clock.monotonicMs() / 1000
      if (nowSeconds > Math.max(highest, storeNow) + LIMITS.clockStepSecondsMax) return false
      if (nowSeconds > highest) highest = nowSeconds
      return true
    },
    async flushIfDue() {
      if (highest < stored + LIMITS.clockMarkWriteSeconds) return
      const call = await begin(table, null)
      const wanted = highest
      const mark = newMark()
      const update = {
        Key: keyOf(clockMarkKey),
        UpdateExpression: 'SET seconds = :seconds, w = :mark',
        ConditionExpression: 'attribute_not_exists(seconds) OR seconds < :seconds',
        ExpressionAttributeValues: { ':seconds': { N: String(wanted) }, ':mark': { S: mark } },
      }
      const written = await writeIf(call, { update }, { key: clockMarkKey, mark })
      const { markSeconds, storeSeconds } = await readMark(table)
      storeOffsetSeconds = storeSeconds + 1 - clock.monotonicMs() / 1000
      stored = written.applied ? Math.max(wanted, markSeconds) : markSeconds
      highest = Math.max(highest, stored)
    },
  }
}

/** The mark, and the store's own time when it answered: the Date header, which no model of the SDK has. */
const readMark = async (table: Table): Promise<{ readonly markSeconds: number; readonly storeSeconds: number }> => {
  const { client, signal } = await begin(table, null)
  const command = new GetItemCommand({ TableName: table.name, Key: keyOf(clockMarkKey), ConsistentRead: true })
  let date: string | undefined
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      date = (result.response as { readonly headers?: Record<string, string> }).headers?.['date']
      return result
    },
    { step: 'deserialize', priority: 'low', name: 'readDate' },
  )
  try {
    const { Item } = await client.send(command, { abortSignal: signal })
    const storeMs = Date.parse(date ?? '')
    if (Number.isNaN(storeMs)) throw new Error('an answer without a date')
    return { markSeconds: numberOf(Item ?? {}, 'seconds') ?? 0, storeSeconds: Math.floor(storeMs / 1000) }
  } catch (error) {
    throw unavailable(error)
  }
}
