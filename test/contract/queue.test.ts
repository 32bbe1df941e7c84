// The laws of queues on every adapter: memory, SQLite on a real file, SQS (fauxqs, in this process).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pumpAll } from '../../bin/embedded/queue-pump.ts'
import { createSqsQuarantine, createSqsQueue } from '../../lib/adapters/aws/sqs-queue.ts'
import { createMemoryQueue } from '../../lib/adapters/memory/queue.ts'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createQueue } from '../../lib/adapters/sqlite/queue.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { deliverBatch, messagesIn, putRaw, startQueues } from '../support/fauxqs-queues.ts'
import { describeQueue } from './queue.contract.ts'

describeQueue('memory', async () => {
  const queue = createMemoryQueue(systemClock)
  return {
    queue,
    putRaw: async (body, group) => queue.putText(body, group),
    deliver: (handler) => pumpAll({ source: queue, handler }, () => true),
    quarantine: queue.put,
    quarantined: async () => queue.quarantined(),
    close: async () => undefined,
  }
})

describeQueue('sqlite', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mintmark-queue-'))
  const database = openDatabase({ dataDir, dev: false })
  const queue = createQueue(database, 'revoke', systemClock)
  const insert =
    'INSERT INTO queue_message (queue, tenant, dedupe, body, sent_at, visible_at) VALUES (?, ?, ?, ?, 0, 0)'
  return {
    queue,
    putRaw: (body, group) => database.write((sql) => void sql(insert).run('revoke', group, body, body)),
    deliver: (handler) => pumpAll({ source: queue, handler }, () => true),
    quarantine: queue.put,
    quarantined: async () =>
      database
        .read((sql) => sql('SELECT body, reason FROM quarantined_message').all())
        .map((row) => ({ body: String(row['body']), reason: String(row['reason']) })),
    async close() {
      database.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
})

describeQueue('sqs', async () => {
  const queues = await startQueues()
  const { client } = queues
  const { queueUrl, dlqUrl } = queues.create('revoke', LIMITS.queueReceivesMax)
  return {
    queue: createSqsQueue({ client, queueUrl }),
    putRaw: (body) => putRaw(client, queueUrl, body),
    deliver: (handler) => deliverBatch(client, queueUrl, handler),
    quarantine: createSqsQuarantine({ client, queueUrl: dlqUrl }).put,
    quarantined: async () => messagesIn(queues, 'revoke-dlq'),
    close: queues.close,
  }
})
