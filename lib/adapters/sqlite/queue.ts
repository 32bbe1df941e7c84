// Queues in the embedded store: a message is a row, leased while it is worked on. Promises: what send() resolved is on the
// disk; any number of processes may consume; groups take turns, so a flood of one tenant holds up no other; what is urgent is
// in a lane of its own, which is looked at first; who falls over one message again and again takes no other down with it.
import { backoffMs } from '../../domain/backoff.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Quarantine, Queue, QueueSource } from '../../ports/queue.ts'
import { type Database, undoneAlone } from './database.ts'
import { createGroupCommit } from './group-commit.ts'
import { createQueueLeases, ORDINARY, URGENT } from './queue-leases.ts'

const SEND = `INSERT INTO queue_message (queue, tenant, urgent, dedupe, body, sent_at, visible_at)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (queue, dedupe) DO NOTHING`
const ANY = 'SELECT 1 FROM queue_message WHERE queue = ? LIMIT 1'
// The count of attempts is the lease: who took the message again meanwhile has another.
const DONE = 'DELETE FROM queue_message WHERE seq = ? AND attempts = ?'
const AGAIN = 'UPDATE queue_message SET visible_at = ?, lost = 0 WHERE seq = ? AND attempts = ?'

export type SqliteQueue = Queue & QueueSource & Quarantine

const RETRY = { baseMs: LIMITS.queueRetryMsBase, maxMs: LIMITS.queueRetryMsMax }

export const createQueue = (database: Database, queue: string, clock: Clock): SqliteQueue => {
  const commits = createGroupCommit(database)
  const leases = createQueueLeases(queue, clock)
  return {
    async send(message, { group, dedupe, isUrgent = false }) {
      const nowMs = clock.nowMs()
      const body = JSON.stringify(message)
      const lane = isUrgent ? URGENT : ORDINARY
      // Not looked for after a commit of unknown outcome: who took the message may have settled it since. It is sent again.
      await commits.submit({
        run: (sql) => void sql(SEND).run(queue, group, lane, dedupe, body, nowMs, nowMs),
        readBack: () => null,
      })
    },
    async put(message, reason) {
      await database.write((sql) => leases.quarantine(sql, message, reason))
    },
    async receive(max) {
      // An empty queue is asked ten times a second: that must not cost a transaction.
      if (database.read((sql) => sql(ANY).get(queue)) === undefined) return []
      return commits.submit({
        run: (sql) => undoneAlone(sql, () => leases.leaseNext(sql, max)),
        readBack: () => null,
      })
    },
    settle: (done, again) =>
      commits.submit({
        run: (sql) =>
          undoneAlone(sql, () => {
            for (const { id, attempt } of done) sql(DONE).run(Number(id), attempt)
            for (const { id, attempt } of again)
              sql(AGAIN).run(clock.nowMs() + backoffMs(attempt, RETRY, Math.random()), Number(id), attempt)
          }),
        readBack: () => null,
      }),
  }
}
