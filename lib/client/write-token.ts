// A token into a file: whole or not at all, readable by its owner only, from the first byte on.
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Replaces `path` atomically with `token` and nothing else (no line end: readers send it as it is), mode 0600. A link is
 * replaced, not followed. Throws the system's error; no part of the token stays behind.
 */
export const writeToken = async (path: string, token: string): Promise<void> => {
  const directory = dirname(path)
  // The same directory, or rename would not be atomic; an unguessable name and O_EXCL, so that nobody prepared a link there.
  const temporary = join(directory, `.${basename(path)}.${randomBytes(8).toString('hex')}`)
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.chmod(0o600)
      await file.writeFile(token)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  const parent = await open(directory, 'r')
  try {
    await parent.sync()
  } finally {
    await parent.close()
  }
}

/** Why a token could not be written there; null where it could. Asked before evidence is spent, for it can be spent once. */
export const whyNotWritable = async (path: string): Promise<string | null> => {
  try {
    await access(dirname(path), constants.W_OK | constants.X_OK)
    const there = await stat(path).catch(() => null)
    return there?.isDirectory() ? 'is a directory' : null
  } catch (error) {
    if (error instanceof Error && 'code' in error) return `its directory cannot be written: ${String(error.code)}`
    throw error
  }
}
