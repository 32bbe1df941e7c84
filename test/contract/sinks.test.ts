// What is kept about sinks in SQLite; test/aws has DynamoDB.
import { createSinkCursors } from '../../lib/adapters/sqlite/sink-cursors.ts'
import { createSinkBoard, createSinkErrands } from '../../lib/adapters/sqlite/sink-errands.ts'
import { temporaryDirectory } from '../adapters/sqlite/temporary-database.ts'
import { openAudit, treeLogOver } from '../support/tree-log.ts'
import { appendThree, describeSinks } from './sinks.contract.ts'

describeSinks('sqlite', async () => {
  const dataDir = temporaryDirectory()
  const [one, two] = [openAudit(dataDir), openAudit(dataDir)]
  await appendThree(treeLogOver(one).log)
  return {
    cursors: [createSinkCursors(one), createSinkCursors(two)],
    errands: createSinkErrands(one),
    board: createSinkBoard(one),
    async close() {
      one.close()
      two.close()
    },
  }
})
