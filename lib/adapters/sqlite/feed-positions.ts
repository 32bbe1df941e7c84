// How far the log had taken the records, kept in audit.db as well: a copy of mintmark.db from an earlier day is found out by it.
import { LIMITS } from '../../domain/limits.ts'
import type { FeedPosition } from '../../domain/recovery.ts'
import type { ChangeFeed, ChangeTopic } from '../../ports/change-feed.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from './database.ts'

const KEEP = `INSERT INTO feed_position (topic, sequence) VALUES (?, ?)
  ON CONFLICT (topic) DO UPDATE SET sequence = max(sequence, excluded.sequence)`
const KEPT = 'SELECT topic, sequence FROM feed_position'

/** The feed, whose acknowledgements are kept beside the log: behind those of the feed itself, never ahead. */
export const withPositionsKept = (feed: ChangeFeed, audit: Database, clock: Pick<Clock, 'monotonicMs'>): ChangeFeed => {
  const keptAtMs = new Map<ChangeTopic, number>()
  return {
    ...feed,
    async acknowledge(reader, topic, sequence) {
      await feed.acknowledge(reader, topic, sequence)
      // Not with each round: what is seconds old is no backup.
      const nowMs = clock.monotonicMs()
      if (nowMs - (keptAtMs.get(topic) ?? Number.NEGATIVE_INFINITY) < LIMITS.feedPositionEveryMs) return
      await audit.write((sql) => sql(KEEP).run(topic, sequence))
      keptAtMs.set(topic, nowMs)
    },
  }
}

/** What the log has taken, and what the feed knows to have been taken, of each topic. */
export const feedPositions = async (feed: ChangeFeed, audit: Database, reader: string): Promise<FeedPosition[]> => {
  const rows = audit.read((sql) => sql(KEPT).all()) as { readonly topic: ChangeTopic; readonly sequence: number }[]
  const positions: FeedPosition[] = []
  for (const { topic, sequence } of rows)
    positions.push({ logged: sequence, acknowledged: (await feed.acknowledged(reader, topic)) ?? 0 })
  return positions
}

/** After a recovery: numbers of records begin again from where the older copy stood. */
export const forgetFeedPositions = async (audit: Database): Promise<void> => {
  await audit.write((sql) => sql('DELETE FROM feed_position').run())
}
