// A receiver that takes nothing is an alarm, and never given up in silence.
import { expect, test } from 'vitest'
import { createReceivers } from '../../../lib/adapters/sqlite/receivers.ts'
import type { AlarmFields, AlarmKind } from '../../../lib/domain/alarm.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { alarmStuckReceivers } from '../../../lib/flows/revocation/alarm-stuck-receivers.ts'
import { receiverBench } from '../../support/receiver-bench.ts'

test('one that has not taken a change for five minutes, pushed or polled, is an alarm each time it is looked for', async () => {
  const bench = await receiverBench([
    { name: 'poller', type: 'poll' },
    { name: 'hook', type: 'webhook', url: 'https://hook.example/', authorization: null },
    { name: 'well', type: 'poll' },
  ])
  await bench.block('1')
  await bench.block('2')
  const receivers = createReceivers(bench.database)
  const taken = (seq: number) => ({ seq, jti: 'x', problem: null, status: null, bytes: null })
  await receivers.answer({ tenant: 'acme', name: 'well' }, [taken(1), taken(2)], 1)
  await receivers.answer({ tenant: 'acme', name: 'hook' }, [{ ...taken(1), problem: 'deadline' }], 1)
  const since = (await bench.stateOf('hook')).oldestAtSeconds!
  const raised: [AlarmKind, AlarmFields][] = []
  const look = (nowSeconds: number) =>
    alarmStuckReceivers({
      receivers,
      clock: { nowSeconds: () => nowSeconds },
      alarm: (kind, fields) => raised.push([kind, fields]),
    })
  await look(since + LIMITS.receiverStuckSeconds - 1)
  expect(raised).toEqual([])
  await look(since + LIMITS.receiverStuckSeconds)
  await look(since + LIMITS.receiverStuckSeconds + 60)
  const of = (receiver: string, problem: string | null) => ({ tenant: 'acme', receiver, pending: 2, problem })
  expect(raised.map(([kind]) => kind)).toEqual(Array.from({ length: 4 }, () => 'receiver_stuck'))
  expect(raised.slice(0, 2).map(([, { waitedSeconds: _, ...fields }]) => fields)).toEqual([
    of('hook', 'deadline'),
    of('poller', null),
  ])
})

test('one that stands still because it left open all that is kept track of is an alarm at once, and no other is', async () => {
  const raised: unknown[] = []
  const state = {
    tenant: 'acme',
    type: 'webhook',
    pending: 600,
    oldestAtSeconds: 1_000,
    refused: 512,
    attempts: 9,
    last: { atSeconds: 1_000, problem: 'invalid_key', status: 400, bytes: 9 },
  } as const
  await alarmStuckReceivers({
    receivers: {
      list: async () => [
        { ...state, name: 'still', full: true },
        { ...state, name: 'other', full: false },
      ],
    },
    clock: { nowSeconds: () => 1_001 },
    alarm: (kind, fields) => raised.push([kind, fields]),
  })
  expect(raised).toEqual([
    ['receiver_full', { tenant: 'acme', receiver: 'still', pending: 600, problem: 'invalid_key' }],
  ])
})
