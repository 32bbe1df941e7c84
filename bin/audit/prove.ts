// `mintmark audit prove`: a receipt that an event is in the log. It is checked without the log: `audit verify --from RECEIPT`.
import { readFileSync } from 'node:fs'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { canonicalJson } from '../../lib/domain/canonical-json.ts'
import type { JsonValue } from '../../lib/domain/claims.ts'
import { inclusionProof, isIncluded, leafHash } from '../../lib/domain/tlog/merkle.ts'
import { type NoteKey, openNote, parseCheckpoint, parseProof, proofText } from '../../lib/domain/tlog/signed-note.ts'
import type { TileName } from '../../lib/domain/tlog/tiles.ts'
import { commitmentOf } from '../../lib/flows/audit/leaf-hashes.ts'
import { proofFromTiles } from '../../lib/flows/audit/proof-from-tiles.ts'
import type { Io } from '../command.ts'
import { CannotOpen, type OpenReadable, VERIFY_PORTS } from './open-log.ts'

/** The event with its salt, its place in the tree (C2SP tlog-proof) and the keys to check it with. */
type Receipt = {
  readonly event: JsonValue
  readonly salt: string
  readonly proof: string
  readonly vkeys: readonly string[]
}

export const prove = async (open: OpenReadable, uid: string, io: Io): Promise<number> => {
  const { tenant, log, vkeys, close } = await open()
  try {
    const leaf = await log.leafOf(tenant, uid)
    const checkpoint = await log.checkpoint(tenant)
    if (leaf === null) throw new CannotOpen(`the log has no event ${JSON.stringify(uid)}`, 'refused')
    if (checkpoint === null || checkpoint.size <= leaf.index)
      throw new CannotOpen('no checkpoint covers the event yet; ask again in a few seconds', 'unavailable')
    const { size } = checkpoint
    const tile = (name: TileName) => log.tile(tenant, name)
    const proof = await proofFromTiles(nodeSha256, { size, tile }, (range) => inclusionProof(range, leaf.index, size))
    if (proof === null) throw new CannotOpen('a tile of the log is missing: "audit verify" says where', 'refused')
    const receipt: Receipt = {
      event: JSON.parse(leaf.canonical) as JsonValue,
      salt: Buffer.from(leaf.salt).toString('base64'),
      proof: proofText(leaf.index, proof, checkpoint.note),
      vkeys: await vkeys(),
    }
    io.stdout.write(`${JSON.stringify(receipt, null, 2)}\n`)
    return 0
  } finally {
    close()
  }
}

type ReceiptOptions = {
  /** Keys the operator gave; none: those of the receipt, which then proves nothing about who signed. */
  readonly trusted: readonly NoteKey[]
  readonly parse: (text: string) => NoteKey
  readonly isJson: boolean
}

export const verifyReceipt = (path: string, { trusted, parse, isJson }: ReceiptOptions, io: Io): number => {
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
