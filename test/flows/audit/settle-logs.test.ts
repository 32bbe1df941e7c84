// One run over every log that has grown: what is settled, and what stays due.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nodeSha256 } from '../../../lib/adapters/keys/log-signer.ts'
import { createAnchorRecords } from '../../../lib/adapters/sqlite/anchor-records.ts'
import type { Database } from '../../../lib/adapters/sqlite/database.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import { settleLogs } from '../../../lib/flows/audit/settle-logs.ts'
import type { AnchorAnswer } from '../../../lib/ports/anchors.ts'
import { NOW_SECONDS, sampleRecord } from '../../contract/sample-rows.ts'
import { openAudit, treeLogOver } from '../../support/tree-log.ts'

let dataDir: string
let database: Database
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'mintmark-settle-'))
  database = openAudit(dataDir)
})
afterEach(() => {
  database.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const open = () => {
  const { log, store } = treeLogOver(database)
  const settled: [string, number][] = []
  const alarms: string[] = []
  const state = {
    answer: 'kept' as AnchorAnswer['kind'],
    isSigning: true,
    duringSign: async (): Promise<void> => undefined,
  }
  const ports = {
    store,
    grown: { due: store.tenants, settled: async (tenant: string, size: number) => void settled.push([tenant, size]) },
    log: store,
    signer: {
      async sign(_tenant: string, _name: string, text: string) {
        if (!state.isSigning) throw new Unavailable('signing_key_unavailable')
        await state.duringSign()
        return `${text}\n— signature\n`
      },
    },
    anchors: [
      {
        name: 'bucket',
        add: async ({ note }: { readonly note: string }) =>
          (state.answer === 'kept' ? { kind: 'kept', note } : { kind: state.answer }) as AnchorAnswer,
      },
    ],
    records: createAnchorRecords(database),
    sha256: nodeSha256,
    clock: { nowSeconds: () => NOW_SECONDS },
    alarm: (kind: string) => void alarms.push(kind),
  }
  const append = () => log.append('acme', [{ kind: 'not_issued', outcome: outcome() }])
  return { ports, settled, alarms, state, append }
}
const outcome = () => {
  const { decisionId, tenant, atSeconds } = sampleRecord()
  return { decisionId, tenant, atSeconds, refusal: { kind: 'revoked' } } as const
}

test('a log that is signed and anchored is settled up to that size, and what grows meanwhile stays due', async () => {
  const { ports, settled, state, append } = open()
  await append()
  state.duringSign = append
  await settleLogs(ports)
  expect(settled).toEqual([['acme', 1]])
  state.duringSign = async () => undefined
  await settleLogs(ports)
  expect(settled.at(-1)).toEqual(['acme', 2])
})

test.each(['unreachable', 'not_kept', 'disagrees'] as const)(
  'a log whose anchor is %s is settled no further, whatever was signed',
  async (answer) => {
    const { ports, settled, alarms, state, append } = open()
    await append()
    await settleLogs(ports)
    await append()
    state.answer = answer
    await settleLogs(ports)
    expect(settled.at(-1)).toEqual(['acme', 1])
    expect(alarms).toEqual([answer === 'disagrees' ? 'anchor_disagrees' : 'checkpoint_not_anchored'])
  },
)

test('a log that cannot be signed is an alarm, and is not settled', async () => {
  const { ports, settled, alarms, state, append } = open()
  await append()
  state.isSigning = false
  await settleLogs(ports)
  expect([settled, alarms]).toEqual([[], ['log_not_signed']])
})
