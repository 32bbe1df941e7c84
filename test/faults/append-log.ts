// A writer of a tenant's log in a process of its own: appends the records named on its stdin, one line a batch of ids.
import { createInterface } from 'node:readline'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { sampleRecord } from '../contract/sample-rows.ts'
import { openAudit, treeLogOver } from '../support/tree-log.ts'

const { log } = treeLogOver(openAudit(process.argv[2]!))
process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const entries = line
    .split(' ')
    .map((decisionId) => ({ kind: 'grant' as const, record: sampleRecord({ decisionId }) }))
  for (;;) {
    try {
      await log.append('acme', entries)
      break
    } catch (error) {
      // As the pump does it: what could not be told is brought again.
      if (!(error instanceof Unavailable)) throw error
    }
  }
  process.stdout.write('done\n')
}
