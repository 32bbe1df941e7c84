// The master key, under which everything secret is sealed: 32 bytes from the operator, or a file of the data directory that
// is made on first start. Whoever holds it and the data directory can sign as any tenant, so a file others may read is
// refused, and a key that cannot be read whole is never replaced by a new one.
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

const KEY_BYTES = 32
const FILE_BYTES_MAX = 128

export type MasterKeyProblem =
  | 'malformed'
  | 'missing'
  | 'not_a_file'
  | 'wrong_owner'
  | 'readable_by_others'
  | 'unreadable'
  | 'another'

const SAYS: Readonly<Record<MasterKeyProblem, string>> = {
  malformed: 'is not 32 bytes as base64 or hex',
  missing: 'does not exist, and the data directory already holds keys sealed with it; restore it',
  not_a_file: 'is not a regular file',
  wrong_owner: 'belongs to another user',
  readable_by_others: 'may be read or written by others; chmod it to 0600',
  unreadable: 'cannot be read or made',
  another:
    'opens no key of the data directory; where the one they were sealed with is lost: docs/runbooks/key-rotation.md',
}

/** Refused at start; nothing about it changes by waiting. The message names the place and never the key. */
export class MasterKeyRefused extends Error {
  readonly problem: MasterKeyProblem
  constructor(problem: MasterKeyProblem, where: string, options?: ErrorOptions) {
    super(`the master key ${where} ${SAYS[problem]}`, options)
    this.name = 'MasterKeyRefused'
    this.problem = problem
  }
}

export type MasterKeyOptions = {
  /** Value of MINTMARK_MASTER_KEY; undefined: not set. Set but empty is refused, not taken for unset. */
  readonly given: string | undefined
  readonly dataDir: string
  /** False where sealed keys are known to exist: a new master key would only hide that the old one is lost. Default true. */
  readonly mayCreate?: boolean
}

export const masterKeyPath = (dataDir: string): string => join(dataDir, 'master.key')

/** Where the key in use came from, for a message. */
export const masterKeyPlace = ({ given, dataDir }: Pick<MasterKeyOptions, 'given' | 'dataDir'>): string =>
  given === undefined ? masterKeyPath(dataDir) : 'in MINTMARK_MASTER_KEY'

/** 32 bytes; the caller zeroes them after use. Throws MasterKeyRefused. */
export const loadMasterKey = ({ given, dataDir, mayCreate = true }: MasterKeyOptions): Uint8Array => {
  if (given !== undefined) {
    const key = parseMasterKey(given)
    if (key === null) throw new MasterKeyRefused('malformed', masterKeyPlace({ given, dataDir }))
    return key
  }
  const path = masterKeyPath(dataDir)
  try {
    const existing = readKeyFile(path)
    if (existing !== null) return existing
    if (!mayCreate) throw new MasterKeyRefused('missing', path)
    createKeyFile(dataDir, path)
    const made = readKeyFile(path)
    if (made === null) throw new MasterKeyRefused('unreadable', path)
    return made
  } catch (error) {
    if (error instanceof MasterKeyRefused) throw error
    throw new MasterKeyRefused('unreadable', path, { cause: error })
  }
}

/** Hex of 64 digits, or base64 (either alphabet, padded or not) that is canonical and gives 32 bytes; else null. */
export const parseMasterKey = (text: string): Uint8Array | null => {
  const trimmed = text.trim()
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, 'hex')
  const canonical = trimmed.replaceAll('-', '+').replaceAll('_', '/').replace(/=$/, '')
  const bytes = Buffer.from(canonical, 'base64')
  // What does not encode back was silently cut or repaired by the decoder.
  return bytes.length === KEY_BYTES && bytes.toString('base64').replace(/=$/, '') === canonical ? bytes : null
}

const readKeyFile = (path: string): Uint8Array | null => {
  let file: number
  try {
    // A link would let whoever may write the directory point us at a key of theirs; a FIFO would hang the start.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw new MasterKeyRefused(codeOf(error) === 'ELOOP' ? 'not_a_file' : 'unreadable', path, { cause: error })
  }
  const bytes = Buffer.alloc(FILE_BYTES_MAX)
  try {
    const { mode, uid } = fstatSync(file)
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw new MasterKeyRefused('not_a_file', path)
    if ((mode & 0o077) !== 0) throw new MasterKeyRefused('readable_by_others', path)
    const user = process.geteuid?.()
    if (user !== undefined && uid !== user && user !== 0) throw new MasterKeyRefused('wrong_owner', path)
    const key = parseMasterKey(bytes.toString('latin1', 0, readSync(file, bytes)))
    if (key === null) throw new MasterKeyRefused('malformed', path)
    return key
  } finally {
    bytes.fill(0)
    closeSync(file)
  }
}

/** Written aside and linked into place: two first starts agree on one key, and a crash leaves none rather than half of one. */
const createKeyFile = (dataDir: string, path: string): void => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const aside = `${path}.${randomBytes(6).toString('hex')}`
  const key = randomBytes(KEY_BYTES)
  const file = openSync(aside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    writeSync(file, `${key.toString('base64')}\n`)
    fsyncSync(file)
    linkSync(aside, path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    key.fill(0)
    closeSync(file)
    unlinkSync(aside)
  }
  syncDirectory(dataDir)
}

const syncDirectory = (path: string): void => {
  const directory = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)
