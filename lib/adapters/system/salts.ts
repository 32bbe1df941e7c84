// Salts of the log's commitments: without one nobody can tell what a leaf is of. Taken from the generator many at a time, which
// costs a tenth; each is given out once, and nothing of it stays here.
import { randomFillSync } from 'node:crypto'
import type { Salts } from '../../ports/tenant-log.ts'

const SALT_BYTES = 32
const AT_ONCE = 128

const createSystemSalts = (): Salts => {
  const pool = new Uint8Array(SALT_BYTES * AT_ONCE)
  let at = pool.length
  return {
    next() {
      if (at === pool.length) {
        randomFillSync(pool)
        at = 0
      }
      const salt = pool.slice(at, at + SALT_BYTES)
      pool.fill(0, at, at + SALT_BYTES)
      at += SALT_BYTES
      return salt
    },
  }
}

export const systemSalts: Salts = createSystemSalts()
