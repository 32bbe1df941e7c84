// Secrets as files below --secrets (design §5 "Files"): <tenant>/<name>, links followed first, a regular file of at most 4 KiB
// that lies inside, and never below --data. Read each time, so that a rotated secret counts at once.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { constants } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { isHeaderValue } from '../../domain/header-value.ts'
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Secrets } from '../../ports/secrets.ts'

export type SecretPlace = { readonly secretsDir: string; readonly dataDir: string }

export const createSecretFiles = (place: SecretPlace): Secrets => ({
  async matches(name, text) {
    const secret = await read(place, name)
    // Hashed first: the comparison wants equal lengths, and tells none.
    return secret.length > 0 && timingSafeEqual(sha256(secret), sha256(Buffer.from(text)))
  },
  async text(name) {
    const secret = (await read(place, name)).toString('utf8')
    if (!isHeaderValue(secret)) throw new Unavailable('secret_unavailable', 10)
    return secret
  },
  async verifyHmac(name, bytes, signature) {
    const secret = await read(place, name)
    const given = /^[0-9a-f]{64}$/.test(signature) ? Buffer.from(signature, 'hex') : null
    return (
      secret.length > 0 && given !== null && timingSafeEqual(createHmac('sha256', secret).update(bytes).digest(), given)
    )
  },
})

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest()

/** Its bytes without the line break editors leave at the end. Why it cannot be read is for the operator at the machine. */
const read = async ({ secretsDir, dataDir }: SecretPlace, name: string): Promise<Buffer> => {
  try {
    const path = await realpath(join(secretsDir, name))
    if (!isBelow(path, await realpath(secretsDir)) || isBelow(path, await realpath(dataDir))) throw new Error('outside')
    // Without blocking: a pipe in the place of a file would be waited for.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    try {
      const { size } = await requireRegular(file)
      if (size > LIMITS.secretFileBytesMax) throw new Error('too large')
      const bytes = await file.readFile()
      const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? -2 : -1) : undefined
      return bytes.subarray(0, end)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new Unavailable('secret_unavailable', 10, { cause: error })
  }
}

const requireRegular = async (file: Awaited<ReturnType<typeof open>>) => {
  const stat = await file.stat()
  if (!stat.isFile()) throw new Error('not a regular file')
  return stat
}

const isBelow = (path: string, directory: string): boolean => path.startsWith(`${directory}${sep}`)
