// `mintmark audit prove`: a receipt that an event is in the log. It is checked without the log: `audit verify --from RECEIPT`.
import { readFileSync } from 'node:fs'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { canonicalJson } from '../../lib/domain/canonical-json.ts'
import { isIncluded, leafHash } from '../../lib/domain/tlog/merkle.ts'
import { type NoteKey, openNote, parseCheckpoint, parseProof } from '../../lib/domain/tlog/signed-note.ts'
import { isLogOf } from '../../lib/flows/audit/append-log.ts'
import { commitmentOf } from '../../lib/flows/audit/leaf-hashes.ts'
import type { Receipt } from '../../lib/flows/audit/prove-event.ts'
import type { Io } from '../command.ts'
import { type OpenReadable, VERIFY_PORTS } from './open-log.ts'

/** `uid`: a decision id, or the id of any event. */
export const prove = async (open: OpenReadable, uid: string, io: Io): Promise<number> => {
  const opened = await open()
  try {
    io.stdout.write(`${JSON.stringify(await opened.prove(uid), null, 2)}\n`)
    return 0
  } finally {
    opened.close()
  }
}

type ReceiptOptions = {
  readonly tenant: string
  /** Keys the operator gave; none: those of the receipt, which then proves nothing about who signed. */
  readonly trusted: readonly NoteKey[]
  readonly parse: (text: string) => NoteKey
  readonly isJson: boolean
}

export const verifyReceipt = (path: string, { tenant, trusted, parse, isJson }: ReceiptOptions, io: Io): number => {
  const bad = (says: string): number => {
    io.stdout.write(isJson ? `${JSON.stringify({ ok: false, bad: says }, null, 2)}\n` : `BAD: ${says}\n`)
    return 1
  }
  const receipt = JSON.parse(readFileSync(path, 'utf8')) as Receipt
  const read = parseProof(String(receipt.proof))
  const keys = trusted.length > 0 ? trusted : receipt.vkeys.map(parse)
  if (trusted.length === 0)
    io.stderr.write('mintmark audit verify: warning: no --vkey: the keys are those of the receipt\n')
  const text = read === null ? null : openNote({ sha256: nodeSha256, verify: VERIFY_PORTS.verify }, read.note, keys)
  const checkpoint = text === null ? null : parseCheckpoint(text)
  if (read === null || checkpoint === null)
    return bad('the checkpoint of the receipt is not signed by a key that is trusted')
  if (!isLogOf(tenant, checkpoint.origin)) return bad('the receipt is of a log of another tenant')
  const commitment = commitmentOf(nodeSha256, Buffer.from(receipt.salt, 'base64'), canonicalJson(receipt.event))
  const { index, proof } = read
  const { size, root } = checkpoint
  if (!isIncluded(nodeSha256, { leaf: leafHash(nodeSha256, commitment), index, size, root, proof }))
    return bad('the event is not in the tree that was signed')
  const { origin } = checkpoint
  io.stdout.write(
    isJson
      ? `${JSON.stringify({ ok: true, index, origin, size }, null, 2)}\n`
      : `good: the event is leaf ${index} of ${origin}, size ${size}\n`,
  )
  return 0
}
