// Looks for replays of evidence whose grant says `on_replay: revoke`, for as long as the broker runs.
import { setTimeout as sleep } from 'node:timers/promises'
import { LIMITS } from '../../lib/domain/limits.ts'
import { type FollowPorts, followReplays } from '../../lib/flows/revocation/follow-replays.ts'

export const startReplays = (
  ports: FollowPorts,
  log: { error(message: string, fields: Record<string, unknown>): void },
): { readonly close: () => Promise<void> } => {
  const closing = new AbortController()
  const run = async () => {
    while (!closing.signal.aborted) {
      try {
        if (await followReplays(ports)) continue
      } catch {
        // What was not looked at is looked at again.
        log.error('replays could not be looked for', { function: 'revoke' })
      }
      await sleep(LIMITS.queuePollMs, undefined, { signal: closing.signal, ref: false }).catch(() => undefined)
    }
  }
  const running = run()
  return {
    async close() {
      closing.abort()
      await running
    },
  }
}
