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
import { CannotOpen, type OpenReadable, VERIFY_PORTS } from './open-log.ts'

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
  readonly keysIn: (lines: readonly string[]) => readonly NoteKey[]
  readonly isJson: boolean
}

export const verifyReceipt = (path: string, { tenant, trusted, keysIn, isJson }: ReceiptOptions, io: Io): number => {
  const bad = (says: string): number => {
    io.stdout.write(isJson ? `${JSON.stringify({ ok: false, bad: says }, null, 2)}\n` : `BAD: ${says}\n`)
    return 1
  }
  const receipt = readReceipt(path)
  if (receipt === null) return bad('the file is no receipt of "audit prove", or not all of one')
  const read = parseProof(receipt.proof)
  const keys = trusted.length > 0 ? trusted : keysIn(receipt.vkeys)
  if (trusted.length === 0)
    io.stderr.write('mintmark audit verify: warning: no --vkey: the keys are those of the receipt\n')
  const text = read === null ? null : openNote({ sha256: nodeSha256, verify: VERIFY_PORTS.verify }, read.note, keys)
  const checkpoint = text === null ? null : parseCheckpoint(text)
  if (read === null || checkpoint === null)
    return bad('the checkpoint of the receipt is not signed by a key that is trusted')
  if (!isLogOf(tenant, checkpoint.origin)) return bad('the receipt is of a log of another tenant')
  const commitment = commitmentOf(nodeSha256, Buffer.from(receipt.salt, 'base64'), receipt.canonical)
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

type ReadReceipt = Pick<Receipt, 'salt' | 'proof' | 'vkeys'> & { readonly canonical: string }

/** Null: half of one, or something else. Throws CannotOpen. */
const readReceipt = (path: string): ReadReceipt | null => {
  const text = readText(path)
  try {
    const { event, salt, proof, vkeys } = JSON.parse(text) as Partial<Receipt>
    const isWhole = typeof salt === 'string' && typeof proof === 'string' && Array.isArray(vkeys)
    if (event === undefined || !isWhole || !vkeys.every((key) => typeof key === 'string')) return null
    return { salt, proof, vkeys, canonical: canonicalJson(event) }
  } catch {
    return null
  }
}

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new CannotOpen(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`, 'unavailable')
  }
}
