// C2SP signed notes and checkpoints: the text a log signs to say what it is. Parsing is strict, one note has one text. Pure:
// hash and signature are arguments.
import { decodeBase64url, encodeBase64url } from '../base64url.ts'
import { HASH_BYTES, type Hash, type Sha256 } from './merkle.ts'

const ED25519 = 0x01
const PUBLIC_KEY_BYTES = 32
const SIGNATURE_BYTES = 64
const KEY_ID_BYTES = 4

/** A key that signs notes: its name, the name of the log, and the raw Ed25519 public key. */
export type NoteKey = { readonly name: string; readonly publicKey: Uint8Array }

/** base64 with padding (RFC 4648 §4). */
export const encodeBase64 = (bytes: Uint8Array): string => {
  const text = encodeBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/')
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

/** Canonical base64 with padding, or null. */
export const decodeBase64 = (text: string): Uint8Array | null => {
  if (text.length % 4 !== 0 || /[-_]/.test(text)) return null
  return decodeBase64url(
    text
      .replace(/={1,2}$/, '')
      .replaceAll('+', '-')
      .replaceAll('/', '_'),
  )
}

const encoder = new TextEncoder()

const isKeyName = (name: string): boolean => /^[^\s+]+$/u.test(name)

const keyId = (sha256: Sha256, { name, publicKey }: NoteKey): Uint8Array =>
  sha256(new Uint8Array([...encoder.encode(name), 0x0a, ED25519, ...publicKey])).subarray(0, KEY_ID_BYTES)

/** `<name>+<key id>+<key>`: how a verifier is told of a key. */
export const verifierKey = (sha256: Sha256, key: NoteKey): string =>
  `${key.name}+${hex(keyId(sha256, key))}+${encodeBase64(new Uint8Array([ED25519, ...key.publicKey]))}`

/** Null: not the verifier key of an Ed25519 key, or one whose id is not its own. */
export const parseVerifierKey = (sha256: Sha256, text: string): NoteKey | null => {
  const [, name, id, data] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(text.trim()) ?? []
  const bytes = data === undefined ? null : decodeBase64(data)
  if (name === undefined || bytes === null || bytes.length !== 1 + PUBLIC_KEY_BYTES || bytes[0] !== ED25519) return null
  const key = { name, publicKey: bytes.subarray(1) }
  return hex(keyId(sha256, key)) === id ? key : null
}

/** The note: the text, an empty line, a line for each signature. `text` ends with a newline. */
export const noteOf = (
  sha256: Sha256,
  text: string,
  signatures: readonly { readonly key: NoteKey; readonly signature: Uint8Array }[],
): string => {
  const lines = signatures.map(
    ({ key, signature }) => `— ${key.name} ${encodeBase64(new Uint8Array([...keyId(sha256, key), ...signature]))}\n`,
  )
  return `${text}\n${lines.join('')}`
}

export type VerifyEd25519 = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean

/**
 * The text of a note that at least one of the keys signed; unknown keys are passed over. Null: malformed, signed by none of
 * them, or with a signature of one of them that does not verify.
 */
export const openNote = (
  { sha256, verify }: { readonly sha256: Sha256; readonly verify: VerifyEd25519 },
  note: string,
  keys: readonly NoteKey[],
): string | null => {
  const read = readNote(note)
  if (read === null) return null
  const { text, signatures } = read
  let isSigned = false
  for (const { name, id, signature } of signatures) {
    const key = keys.find((known) => known.name === name && hex(keyId(sha256, known)) === id)
    if (key === undefined) continue
    if (signature.length !== SIGNATURE_BYTES || !verify(key.publicKey, encoder.encode(text), signature)) return null
    isSigned = true
  }
  return isSigned ? text : null
}

/** Whether a note is well formed and names none of the keys: nothing can be said of it then. One that names one has to open. */
export const isOfOtherKeys = (sha256: Sha256, note: string, keys: readonly NoteKey[]): boolean => {
  const ids = new Set(keys.map((key) => `${key.name} ${hex(keyId(sha256, key))}`))
  const read = readNote(note)
  return read !== null && !read.signatures.some(({ name, id }) => ids.has(`${name} ${id}`))
}

type NoteSignature = { readonly name: string; readonly id: string; readonly signature: Uint8Array }

/** Null: malformed. */
const readNote = (note: string): { readonly text: string; readonly signatures: readonly NoteSignature[] } | null => {
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n') || /[^\P{Cc}\n]/u.test(note) || !note.isWellFormed()) return null
  const lines = note.slice(end + 2, -1).split('\n')
  if (lines.length > 100) return null
  const signatures: NoteSignature[] = []
  for (const line of lines) {
    const [, name, encoded] = /^— (\S+) (\S+)$/u.exec(line) ?? []
    const bytes = encoded === undefined ? null : decodeBase64(encoded)
    if (name === undefined || !isKeyName(name) || bytes === null || bytes.length <= KEY_ID_BYTES) return null
    signatures.push({ name, id: hex(bytes.subarray(0, KEY_ID_BYTES)), signature: bytes.subarray(KEY_ID_BYTES) })
  }
  return { text: note.slice(0, end + 1), signatures }
}

/**
 * Notes of checkpoints one after another, each behind empty lines, as anchors and exports keep them; what is cut short is none. Line by
 * line: others may write to an anchor, and one pattern over all of it would take them the square of its length.
 */
export const checkpointNotesIn = (text: string): readonly string[] => {
  const lines = text.split('\n')
  // What no newline ends was cut short.
  lines.pop()
  const notes: string[] = []
  for (let from = 0, at = 0; at < lines.length; at += 1) {
    if (lines[at] !== '') continue
    const head = headOfCheckpoint(lines, from, at)
    let end = at + 1
    while (end < lines.length && isSignatureLine(lines[end]!)) end += 1
    from = at + 1
    if (head === null || end === from) continue
    notes.push(`${lines.slice(head, end).join('\n')}\n`)
    from = end
    at = end - 1
  }
  return notes.filter(hasWholeSignatures)
}

/** The line of the origin among lines that stand together: behind it the size, and at least the root. */
const headOfCheckpoint = (lines: readonly string[], from: number, to: number): number | null => {
  for (let at = from; at + 2 < to; at += 1) if (/^\d+$/.test(lines[at + 1]!)) return at
  return null
}

const isSignatureLine = (line: string): boolean => line.startsWith('— ') && line.length > 2

const hasWholeSignatures = (note: string): boolean =>
  [...note.matchAll(/^— \S+ (\S+)$/gmu)].every(
    ([, encoded]) => (decodeBase64(encoded ?? '')?.length ?? 0) >= KEY_ID_BYTES + SIGNATURE_BYTES,
  )

/** What a log says of itself. */
export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Hash }

/** Text of a checkpoint, to be signed: origin, size, root. */
export const checkpointText = ({ origin, size, root }: Checkpoint): string =>
  `${origin}\n${size}\n${encodeBase64(root)}\n`

/** Null: not the text of a checkpoint. Extension lines are allowed and passed over. */
export const parseCheckpoint = (text: string): Checkpoint | null => {
  const [origin, digits, encoded, ...extension] = text.split('\n')
  if (origin === undefined || origin === '' || digits === undefined || encoded === undefined) return null
  // The last element is what follows the last newline: nothing; no extension line is empty.
  if (extension.at(-1) !== '' || extension.slice(0, -1).includes('')) return null
  const root = decodeBase64(encoded)
  const size = Number(digits)
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(digits) || !Number.isSafeInteger(size)) return null
  return root === null || root.length !== HASH_BYTES ? null : { origin, size, root }
}

/** Text of the note without its signatures, for looking at one whose keys are not known. */
export const unverifiedText = (note: string): string => note.slice(0, Math.max(0, note.lastIndexOf('\n\n') + 1))

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** C2SP tlog-proof: an inclusion receipt that can be checked without asking anybody. */
export const proofText = (index: number, proof: readonly Hash[], checkpointNote: string): string =>
  `c2sp.org/tlog-proof@v1\nindex ${index}\n${proof.map((hash) => `${encodeBase64(hash)}\n`).join('')}\n${checkpointNote}`

export const parseProof = (
  text: string,
): { readonly index: number; readonly proof: readonly Hash[]; readonly note: string } | null => {
  const head = text.indexOf('\n\n')
  const [magic, indexLine, ...hashes] = text.slice(0, Math.max(0, head)).split('\n')
  const digits = /^index (0|[1-9][0-9]{0,15})$/.exec(indexLine ?? '')?.[1]
  const proof = hashes.map((line) => decodeBase64(line))
  if (magic !== 'c2sp.org/tlog-proof@v1' || digits === undefined) return null
  if (proof.some((hash) => hash === null || hash.length !== HASH_BYTES)) return null
  return { index: Number(digits), proof: proof as Hash[], note: text.slice(head + 2) }
}
