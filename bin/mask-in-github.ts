// The one time a secret goes to stderr: GitHub's runner reads workflow commands from both streams, and stdout is no place for
// one: in `TOKEN=$(mintmark token …)` the command would end up in the variable and mask nothing.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Io } from './command.ts'

// The runner reads the two streams in two threads; a secret must not overtake its mask.
const MASK_LEAD_MS = 100

/** Nothing outside GitHub Actions. */
export const maskInGithub = async (secrets: readonly string[], io: Io): Promise<void> => {
  if (io.env['GITHUB_ACTIONS'] !== 'true') return
  for (const secret of secrets) io.stderr.write(`::add-mask::${secret}\n`)
  await sleep(MASK_LEAD_MS)
}
