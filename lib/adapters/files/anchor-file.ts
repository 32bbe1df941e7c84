// An anchor that is a file of another user: opened to append and for nothing else, never made here. Notes follow one another, each
// behind empty lines, so that one a crash cut short spoils no other.
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { getuid } from 'node:process'
import type { Anchor } from '../../ports/anchors.ts'

const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK

export const createAnchorFile = (path: string): Anchor => ({
  name: path,
  async add({ note }) {
    let file: number | null = null
    try {
      file = openSync(path, FLAGS)
      if (!fstatSync(file).isFile()) return { kind: 'not_kept' }
      const bytes = Buffer.from(`\n\n${note}`)
      // In one write: appends of others come before or after it.
      if (writeSync(file, bytes) !== bytes.length) return { kind: 'not_kept' }
      fsyncSync(file)
      return { kind: 'kept', note }
    } catch {
      return { kind: 'unreachable' }
    } finally {
      if (file !== null) closeSync(file)
    }
  },
})

/** The end of the file, at most `bytes`; null: it may not be read here. */
export const anchorFileTail = (path: string, bytes: number): string | null => {
  let file: number | null = null
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const { size } = fstatSync(file)
    const tail = Buffer.alloc(Math.min(size, bytes))
    return tail.subarray(0, readSync(file, tail, 0, tail.length, size - tail.length)).toString('utf8')
  } catch {
    return null
  } finally {
    if (file !== null) closeSync(file)
  }
}

/** Why the file is no anchor, or only half of one; null: nothing is known against it. */
export const anchorFileProblem = (path: string): 'cannot_append' | 'own_file' | null => {
  let file: number | null = null
  try {
    file = openSync(path, FLAGS)
    const stat = fstatSync(file)
    if (!stat.isFile()) return 'cannot_append'
    return stat.uid === getuid?.() ? 'own_file' : null
  } catch {
    return 'cannot_append'
  } finally {
    if (file !== null) closeSync(file)
  }
}
