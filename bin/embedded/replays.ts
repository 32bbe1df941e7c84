// Looks for replays of evidence whose grant says `on_replay: revoke`, for as long as the broker runs.
import { LIMITS } from '../../lib/domain/limits.ts'
import { type FollowPorts, followReplays } from '../../lib/flows/revocation/follow-replays.ts'
import { runRounds } from './run-rounds.ts'

export const startReplays = (
  ports: FollowPorts,
  log: { error(message: string, fields: Record<string, unknown>): void },
) =>
  runRounds({
    round: () => followReplays(ports),
    pauseMs: LIMITS.queuePollMs,
    // What was not looked at is looked at again.
    onFailure: () => log.error('replays could not be looked for', { function: 'revoke' }),
  })
