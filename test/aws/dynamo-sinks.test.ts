// What is kept about sinks on DynamoDB, by the same laws as everywhere, with DynamoDB Local as the engine.
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { expect, test } from 'vitest'
import { createLogLeaves } from '../../lib/adapters/aws/dynamo-log-leaves.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createSinkBoard } from '../../lib/adapters/aws/dynamo-sink-board.ts'
import { createSinkCursors } from '../../lib/adapters/aws/dynamo-sink-cursors.ts'
import { createSinkErrands } from '../../lib/adapters/aws/dynamo-sink-errands.ts'
import { createTenantLog } from '../../lib/adapters/aws/dynamo-tenant-log.ts'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { appendThree, describeSinks } from '../contract/sinks.contract.ts'
import { createTables } from '../support/dynamodb-local.ts'
import { treeLogIn } from '../support/tree-log.ts'
import { dynamoClient } from './dynamo-stores.ts'

describeSinks('dynamodb', async () => {
  const client = dynamoClient()
  const table = tableOf((await createTables()).log, client, 20_000)
  await appendThree(treeLogIn(createTenantLog(table, nodeSha256)).log)
  return {
    cursors: [createSinkCursors(table), createSinkCursors(table)],
    errands: createSinkErrands(table),
    board: createSinkBoard(table, createLogLeaves(table)),
    close: async () => client.destroy(),
  }
})

test('a crash between the dead letters and the place buries each event once: it is brought again, and lies where it lay', async () => {
  const client = dynamoClient()
  const table = tableOf((await createTables()).log, client, 20_000)
  const [cursors, errands] = [createSinkCursors(table), createSinkErrands(table)]
  const target = { tenant: 'acme', sink: 'siem' }
  await cursors.lease(target, 'one', 0, 1)
  let isDown = true
  client.middlewareStack.add(
    (next, context) => async (args) => {
      if (isDown && context['commandName'] === UpdateItemCommand.name) throw new Error('socket hang up')
      return next(args)
    },
    { step: 'initialize' },
  )
  const dead = [0, 1].map((leaf) => ({ leaf, checkpoint: 0, canonical: `${leaf}`, reason: 'refused' as const }))
  const advance = () => cursors.advance(target, 'one', { leaf: 2, checkpoint: 0 }, dead, 1)
  await expect(advance()).rejects.toThrow(Unavailable)
  expect([await cursors.at(target), await errands.deadLetters(target, 0, 10)]).toMatchObject([
    { leaf: 0 },
    dead.map(({ leaf }) => ({ leaf })),
  ])
  isDown = false
  await advance()
  expect([await cursors.at(target), await errands.deadLetters(target, 0, 10)]).toMatchObject([
    { leaf: 2 },
    dead.map(({ leaf }) => ({ leaf })),
  ])
  client.destroy()
})
