// What a thread of verify-threads.ts does for an export, and such threads for a verifier. The file of events is cut here, in the order
// of the log, by the indices its lines begin with; read, hashed and checked it is there.
import { cutLogDirectory, openLogDirectory } from '../../lib/adapters/files/log-directory.ts'
import { checkLeaves, linkBefore } from '../../lib/flows/audit/check-leaves.ts'
import type { Crew } from '../../lib/flows/audit/verify-log.ts'
import { VERIFY_PORTS } from './open-log.ts'
import { type Answerer, type ExportedLog, startThreads } from './verify-threads.ts'

const NO_LINES = { from: 0, to: 0 }

export const answererOf = ({ directory, tenant }: ExportedLog): Answerer => ({
  async leaves({ stretch, expired, lines }) {
    const asked = { tenant, expired, source: openLogDirectory(directory, lines?.here ?? NO_LINES) }
    const behind = { ...asked, source: openLogDirectory(directory, lines?.before ?? NO_LINES) }
    return checkLeaves(
      VERIFY_PORTS.hashes,
      asked,
      stretch,
      await linkBefore(VERIFY_PORTS.hashes, behind, stretch.start),
    )
  },
})

/** Null: a log of this size, or without events, is verified sooner without. */
export const startExportCrew = (log: ExportedLog, size: number): (Crew & AsyncDisposable) | null => {
  const cut = cutLogDirectory(log.directory)
  const threads = cut === null ? null : startThreads(log, size)
  if (cut === null || threads === null) return null
  let cuts: ReturnType<typeof cut> = Promise.resolve({ lines: NO_LINES, last: null })
  return {
    atOnce: threads.atOnce,
    async check(stretch, expired) {
      const before = cuts
      cuts = before.then(() => cut(stretch.start + stretch.width))
      const [{ last }, { lines }] = await Promise.all([before, cuts])
      return threads.check({ stretch, expired, lines: { here: lines, before: last } })
    },
    async behind() {
      await cuts
      const { lines } = await cut(Number.POSITIVE_INFINITY)
      return openLogDirectory(log.directory, lines).behind?.() ?? false
    },
    async [Symbol.asyncDispose]() {
      await threads.stop()
    },
  }
}
