// Rates over all instances, approximately and without a write a request: each instance counts by itself and reports what it
// let through in steps, a sixteenth of the burst each, to one row a bucket; the answer tells it how far all of them are. The
// long-run rate is exact; a burst may be exceeded by one step for every instance. A store that fails lets through.
import { ConditionalCheckFailedException, type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'
import type { RateLimiter, Taken } from '../../ports/rate-limiter.ts'
import { begin, type Call, keyOf, type Table, tableOf } from './dynamo-request.ts'
import { rateKey } from './table-keys.ts'

const ALLOWED: Taken = { allowed: true, retryAfterSeconds: 0 }
/** Storage of a bucket that has long been full again. */
const IDLE_SECONDS = 3_600

/** Nobody waits long to be counted. */
export const rateTable = (name: string, client: DynamoDBClient): Table => tableOf(name, client, LIMITS.rateWaitMs)

type Bucket = {
  /** Let through and not reported yet, since when. */
  taken: number
  sinceMs: number
  /** Refused until then without asking anybody: a flood costs no writes. */
  refusedUntilMs: number
}

type Options = {
  /** rateTable(). */
  readonly table: Table
  readonly clock: Clock
  /** The store did not answer and the request was let through: worth an alarm, never a refusal. */
  readonly onFailure: (cause: unknown) => void
  readonly bucketsMax?: number
}

export const createRateCounters = (options: Options): RateLimiter => {
  const { table, clock, onFailure } = options
  const bucketsMax = options.bucketsMax ?? LIMITS.rateBucketsMax
  let young = new Map<string, Bucket>()
  let old = new Map<string, Bucket>()

  const bucketOf = (name: string, nowMs: number): Bucket => {
    const bucket = young.get(name) ?? old.get(name) ?? { taken: 0, sinceMs: nowMs, refusedUntilMs: 0 }
    if (young.size >= bucketsMax && !young.has(name)) {
      old = young
      young = new Map()
    }
    young.set(name, bucket)
    return bucket
  }

  const report = async (name: string, bucket: Bucket, rate: readonly [number, number]): Promise<Taken> => {
    const steps = bucket.taken
    bucket.taken = 0
    try {
      const waitMs = await addTo(await begin(table, null), name, {
        steps,
        rate,
        nowMs: clock.nowMs(),
      })
      if (waitMs <= 0) return ALLOWED
      bucket.refusedUntilMs = clock.monotonicMs() + waitMs
      return { allowed: false, retryAfterSeconds: Math.ceil(waitMs / 1000) }
    } catch (error) {
      onFailure(error)
      return ALLOWED
    }
  }

  return {
    take(name, rate) {
      const nowMs = clock.monotonicMs()
      const bucket = bucketOf(name, nowMs)
      if (bucket.refusedUntilMs > nowMs)
        return { allowed: false, retryAfterSeconds: Math.ceil((bucket.refusedUntilMs - nowMs) / 1000) }
      const [perSecond, burst] = rate
      // What was let through so long ago that the bucket is full again is of no interest to anybody.
      if (nowMs - bucket.sinceMs > (burst / perSecond) * 1000 || bucket.taken === 0) {
        bucket.taken = 0
        bucket.sinceMs = nowMs
      }
      bucket.taken += 1
      const step = Math.max(1, Math.ceil(burst / LIMITS.rateReportsPerBurst))
      return bucket.taken < step ? ALLOWED : report(name, bucket, rate)
    },
  }
}

type Report = { readonly steps: number; readonly rate: readonly [number, number]; readonly nowMs: number }

/**
 * GCRA (lib/domain/gcra.ts) in the store: adds `steps` to the theoretical arrival time, from now where that has passed.
 * How long the bucket is over its burst, in milliseconds; not above 0: it is not. Wall time, since instances share no other.
 */
const addTo = async (call: Call, name: string, { steps, rate, nowMs }: Report): Promise<number> => {
  const [perSecond, burst] = rate
  const incrementMs = 1000 / perSecond
  const added = Math.round(incrementMs * steps)
  const values = { ':added': { N: String(added) }, ':now': { N: String(nowMs) } }
  const arrivals = [
    { UpdateExpression: 'SET arrival = arrival + :added, #ttl = :ttl', ConditionExpression: 'arrival >= :now', values },
    {
      UpdateExpression: 'SET arrival = :fresh, #ttl = :ttl',
      ConditionExpression: 'attribute_not_exists(arrival) OR arrival < :now',
      values: { ':fresh': { N: String(nowMs + added) }, ':now': values[':now'] },
    },
  ]
  // One of the two conditions holds; in a race with another instance it may be the other one a moment later.
  for (let attempt = 0; attempt < 4; attempt += 1) {
    const { values: expressionValues, ...expressions } = arrivals[attempt % 2]!
    const command = new UpdateItemCommand({
      TableName: call.table.name,
      Key: keyOf(rateKey(name)),
      ...expressions,
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: {
        ...expressionValues,
        ':ttl': { N: String(Math.ceil(nowMs / 1000 + burst / perSecond) + IDLE_SECONDS) },
      },
      ReturnValues: 'ALL_NEW',
    })
    try {
      const { Attributes } = await call.client.send(command, { abortSignal: call.signal })
      return Number(Attributes?.['arrival']?.N) - nowMs - incrementMs * burst
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error
    }
  }
  throw new Error('a bucket moved under every attempt')
}
