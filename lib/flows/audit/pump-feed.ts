// audit over a feed that is asked instead of pushed: each topic from where this reader stopped, in the order of commit. What is
// acknowledged is in the log; a crash in between brings it again, which the log notices.
import { type FeedItem, nameOfEntry } from '../../domain/audit-entry.ts'
import { LIMITS } from '../../domain/limits.ts'
import { NotAnEvent } from '../../domain/ocsf/map-entry.ts'
import { CHANGE_TOPICS, type Change, type ChangeFeed, type ChangeTopic } from '../../ports/change-feed.ts'
import type { Clock } from '../../ports/clock.ts'
import { type FeedPorts, takeFeed } from './take-feed.ts'

export const AUDIT_READER = 'audit'

export type PumpPorts = FeedPorts & {
  readonly feed: ChangeFeed
  readonly clock: Pick<Clock, 'nowSeconds'>
  /** Crash points for fault tests; absent in every production wiring. */
  readonly failpoint?: (name: 'read' | 'appended') => void
}

/** One round; true where there is more. Throws Unavailable when the feed cannot be read. */
export const pumpFeed = async (ports: PumpPorts): Promise<boolean> => {
  await ports.feed.tellCounts(Math.floor((ports.clock.nowSeconds() - LIMITS.rollUpSettleSeconds) / 60))
  // Outcomes are read before the grants and taken after them: the record of each was committed before it, so it is among the
  // grants that are read now, as long as these are read to their end.
  const others = await Promise.all(OTHERS.map((topic) => readTopic(ports, topic)))
  const grants = await takeTopic(ports, 'grant', await readTopic(ports, 'grant'))
  if (grants !== 'all') return grants === 'more'
  let isMore = false
  for (const [at, topic] of OTHERS.entries()) isMore = (await takeTopic(ports, topic, others[at]!)) === 'more' || isMore
  return isMore
}

const OTHERS = CHANGE_TOPICS.filter((topic) => topic !== 'grant')

type ReadTopic = { readonly changes: readonly Change[]; readonly isAll: boolean }

/** As many rows as a round takes, but no more than fit into memory: a row may be 64 KB, and whose they are is up to tenants. */
const readTopic = async ({ feed }: PumpPorts, topic: ChangeTopic): Promise<ReadTopic> => {
  const from = await feed.acknowledged(AUDIT_READER, topic)
  // Known from the first look on, so that the sweep waits for it.
  if (from === null) await feed.acknowledge(AUDIT_READER, topic, 0)
  const changes: Change[] = []
  let after = from ?? 0
  for (let length = 0; changes.length < LIMITS.feedRowsPerRound && length < LIMITS.feedLengthPerRound; ) {
    const some = await feed.read(topic, after, LIMITS.feedRowsPerRead)
    changes.push(...some)
    if (some.length < LIMITS.feedRowsPerRead) return { changes, isAll: true }
    length += some.reduce((sum, change) => sum + change.length, 0)
    after = some.at(-1)!.sequence
  }
  return { changes, isAll: false }
}

/** stuck: something is unavailable, the next round may wait for it. */
type Taken = 'all' | 'more' | 'stuck'

const takeTopic = async (ports: PumpPorts, topic: ChangeTopic, { changes, isAll }: ReadTopic): Promise<Taken> => {
  if (changes.length === 0) return 'all'
  ports.failpoint?.('read')
  const taken = await takeItems(
    ports,
    changes.map(({ item }) => item),
  )
  ports.failpoint?.('appended')
  const last = changes[taken - 1]
  if (last !== undefined) await ports.feed.acknowledge(AUDIT_READER, topic, last.sequence)
  if (taken < changes.length) return 'stuck'
  return isAll ? 'all' : 'more'
}

/** One that cannot become an event is found and put aside: a row of a later version must not hold up everything behind it. */
const takeItems = async (ports: PumpPorts, items: readonly FeedItem[]): Promise<number> => {
  try {
    return await takeFeed(ports, items)
  } catch (error) {
    if (!(error instanceof NotAnEvent)) throw error
    if (items.length > 1) {
      const half = Math.ceil(items.length / 2)
      const taken = await takeItems(ports, items.slice(0, half))
      return taken < half ? taken : half + (await takeItems(ports, items.slice(half)))
    }
    const [item] = items
    if (item?.kind !== 'entry') throw error
    const { id: eventId } = nameOfEntry(item.entry)
    const body = JSON.stringify({ kind: item.entry.kind, id: eventId })
    return takeFeed(ports, [{ kind: 'unreadable', reason: 'not_an_event', body, eventId }])
  }
}
