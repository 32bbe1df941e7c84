// Denials over SQS: every one is in a message, in full or counted, whatever happens to the queue in between.
import { randomUUID } from 'node:crypto'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSqsDenials, type FlushedDenials } from '../../../lib/adapters/aws/sqs-denials.ts'
import { type AuditEntry, nameOfEntry } from '../../../lib/domain/audit-entry.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { readDenials } from '../../../lib/wire/denial-message.ts'
import { sampleDenial } from '../../contract/sample-rows.ts'
import { messagesIn, type Queues, sqsClient, startQueues } from '../../support/fauxqs-queues.ts'

let queues: Queues
let client: SQSClient
let denials: FlushedDenials
beforeEach(async () => {
  queues = await startQueues()
  client = sqsClient(queues.server)
  denials = createSqsDenials({ client, queueUrl: queues.create('denials', 5).queueUrl }, randomUUID)
})
afterEach(async () => {
  client.destroy()
  await queues.close()
})

/** Answers are lost from now on, while `isLost`: the queue has the messages, or has not. */
const breakAnswers = (isLost: () => boolean, isTaken: () => boolean) =>
  client.middlewareStack.add(
    (next) => async (args) => {
      if (!isLost()) return next(args)
      if (isTaken()) await next(args)
      throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError' })
    },
    { step: 'deserialize', priority: 'low' },
  )

/** What audit would take over: each entry once, by its id. */
const taken = (): AuditEntry[] => {
  const entries = new Map<string, AuditEntry>()
  for (const { body } of messagesIn(queues, 'denials')) {
    const read = readDenials(body)
    if (!read.ok) throw new Error(read.reason)
    for (const entry of read.message.entries) entries.set(`${entry.kind} ${nameOfEntry(entry).id}`, entry)
  }
  return [...entries.values()]
}
const sumOf = (entries: readonly AuditEntry[]): number =>
  entries.reduce((sum, entry) => sum + (entry.kind === 'roll_up' ? entry.rollUp.count : 1), 0)

test('a denial is on the queue, exactly as it was, when flush resolves', async () => {
  const denial = sampleDenial({ wid: { 'project.path': 'acme/\uFFFFé' }, verdicts: { 'deploy-prod': '1101' } })
  denials.send(denial)
  await denials.flush()
  expect(taken()).toMatchObject([{ kind: 'denial', denial: { ...denial, counted: { number: 1 } } }])
})

test('what names no tenant is no message: SQS takes no group without a name, and would refuse those beside it', async () => {
  denials.send(sampleDenial({ tenant: '' }))
  expect(denials.waiting()).toBe(0)
  denials.send(sampleDenial())
  await denials.flush()
  expect(taken()).toMatchObject([{ kind: 'denial', denial: { tenant: sampleDenial().tenant } }])
})

test('with nothing gathered nothing is sent: an allow does not wait for a queue', async () => {
  breakAnswers(
    () => true,
    () => false,
  )
  await denials.flush()
  expect(denials.waiting()).toBe(0)
})

test('a flood over many flushes: the first in full, the rest counted, and the sum exact', async () => {
  for (let at = 0; at < 1_000; at += 1) {
    denials.send(sampleDenial({ source: `192.0.2.${at % 40}` }))
    if (at % 90 === 0) await denials.flush()
  }
  await denials.flush()
  const entries = taken()
  expect(sumOf(entries)).toBe(1_000)
  expect(entries.filter(({ kind }) => kind === 'denial')).toHaveLength(LIMITS.denialsUnverifiedPerMinute)
})

test('a message holds one tenant: a group pays for its own', async () => {
  denials.send(sampleDenial({ tenant: 'acme' }))
  denials.send(sampleDenial({ tenant: 'globex' }))
  await denials.flush()
  expect(messagesIn(queues, 'denials')).toHaveLength(2)
  expect(taken()).toHaveLength(2)
})

test.each([
  ['the queue had not taken them', false],
  ['the queue had taken them all the same', true],
])('answers are lost for a while and %s: nothing is lost, nothing counted twice', async (_, isTaken) => {
  let isLost = true
  breakAnswers(
    () => isLost,
    () => isTaken,
  )
  for (let at = 0; at < 50; at += 1) denials.send(sampleDenial())
  await expect(denials.flush()).rejects.toMatchObject({ kind: 'store_unavailable' })
  for (let at = 0; at < 50; at += 1) denials.send(sampleDenial())
  await expect(denials.flush()).rejects.toMatchObject({ kind: 'store_unavailable' })
  expect(denials.waiting()).toBeGreaterThan(0)
  isLost = false
  await denials.flush()
  expect(sumOf(taken())).toBe(100)
  expect(denials.waiting()).toBe(0)
})

test('a denial too big for a message is kept short, and its neighbours whole', async () => {
  const big = sampleDenial({ wid: { 'project.path': 'x'.repeat(70_000) } })
  const neighbour = sampleDenial()
  denials.send(big)
  denials.send(neighbour)
  await denials.flush()
  expect(taken()).toEqual([
    { kind: 'denial', denial: expect.objectContaining({ decisionId: big.decisionId, wid: null }) },
    { kind: 'denial', denial: { ...neighbour, counted: { instance: expect.any(String), number: 2 } } },
  ])
})
