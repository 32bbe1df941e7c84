// Identifiers: UUIDv7 (RFC 9562 §5.7) for decisions, so that rows are appended in order; random bytes drawn in blocks.
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../ports/clock.ts'
import type { Ids } from '../../ports/system.ts'

const BLOCK_BYTES = 4096

export const createIds = (clock: Clock): Ids => {
  let block = randomBytes(BLOCK_BYTES)
  let used = 0
  const take = (count: number): Buffer => {
    if (used + count > BLOCK_BYTES) {
      block = randomBytes(BLOCK_BYTES)
      used = 0
    }
    used += count
    return block.subarray(used - count, used)
  }
  return {
    decisionId() {
      // The random bytes are used nowhere else, so the time may overwrite some of them.
      const bytes = take(16)
      bytes.writeUIntBE(clock.nowMs(), 0, 6)
      bytes[6] = (bytes[6]! & 0x0f) | 0x70
      bytes[8] = (bytes[8]! & 0x3f) | 0x80
      const hex = bytes.toString('hex')
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
    },
    traceId: () => take(16).toString('hex'),
  }
}
