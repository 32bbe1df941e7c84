// C2SP tlog-cosignature: the line a witness adds to a checkpoint, saying that it has seen the log grow from one it saw before, and
// when. Ed25519 only. Pure: hash and signature are arguments.
import { HASH_BYTES, type Sha256 } from './merkle.ts'
import { decodeBase64, encodeBase64, unverifiedText, type VerifyEd25519 } from './signed-note.ts'

const COSIGNATURE = 0x04
const KEY_ID_BYTES = 4
const TIME_BYTES = 8
const SIGNATURE_BYTES = 64

/** `id`: of the key, in the line. */
export type WitnessKey = { readonly name: string; readonly publicKey: Uint8Array; readonly id: string }

/** From `<name>+<key id>+<key>` with a key of type 0x04; null: it is none, or its id is not its own. */
export const parseWitnessKey = (sha256: Sha256, text: string): WitnessKey | null => {
  const [, name, id, data] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(text) ?? []
  const bytes = data === undefined ? null : decodeBase64(data)
  if (name === undefined || bytes === null || bytes.length !== 1 + HASH_BYTES || bytes[0] !== COSIGNATURE) return null
  const idOf = sha256(new Uint8Array([...new TextEncoder().encode(name), 0x0a, ...bytes])).subarray(0, KEY_ID_BYTES)
  const hex = Array.from(idOf, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex === id ? { name, publicKey: bytes.subarray(1), id } : null
}

/** The one line among a witness's answer that is its signature of this note; null: there is none that verifies. */
export const cosignatureOf = (
  { name, publicKey, id }: WitnessKey,
  { note, answer, verify }: { readonly note: string; readonly answer: string; readonly verify: VerifyEd25519 },
): string | null => {
  for (const line of answer.split('\n')) {
    const encoded = line.startsWith(`— ${name} `) ? line.slice(`— ${name} `.length) : ''
    const bytes = decodeBase64(encoded)
    if (bytes === null || bytes.length !== KEY_ID_BYTES + TIME_BYTES + SIGNATURE_BYTES) continue
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    if (view.getUint32(0) !== Number.parseInt(id, 16)) continue
    const text = `cosignature/v1\ntime ${view.getBigUint64(KEY_ID_BYTES)}\n${unverifiedText(note)}`
    const signature = bytes.subarray(KEY_ID_BYTES + TIME_BYTES)
    if (verify(publicKey, new TextEncoder().encode(text), signature)) return `— ${name} ${encodeBase64(bytes)}\n`
  }
  return null
}

/** A note with the signature lines of others of the same text, each once. */
export const withCosignatures = (note: string, others: readonly string[]): string => {
  const text = unverifiedText(note)
  const lines = new Set(linesOf(note))
  for (const other of others) if (unverifiedText(other) === text) for (const line of linesOf(other)) lines.add(line)
  return `${text}\n${[...lines].map((line) => `${line}\n`).join('')}`
}

const linesOf = (note: string): string[] =>
  note
    .slice(unverifiedText(note).length + 1)
    .split('\n')
    .filter((line) => line !== '')

/** Of what anchors kept, the largest checkpoint that has more signatures than the log's own, with all of them; null: none has. */
export const lastWitnessed = (kept: readonly { readonly size: number; readonly note: string }[]): string | null => {
  const witnessed = kept.filter(({ note }) => linesOf(note).length > 1).sort((a, b) => b.size - a.size)
  const [last, ...others] = witnessed
  return last === undefined
    ? null
    : withCosignatures(
        last.note,
        others.map(({ note }) => note),
      )
}
