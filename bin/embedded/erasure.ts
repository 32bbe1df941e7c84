// `erase` on a schedule: removed tenants, and events that have expired. The first look is a period after the start: by then a clock
// that was wrong at boot has been set right, and the clock guard has seen it.
import { createHandler as createErase } from '../../functions/erase/handler.ts'
import { runRounds } from './run-rounds.ts'

type Log = Parameters<typeof createErase>[1] & { error(message: string, fields: Record<string, unknown>): void }
type Ports = Awaited<ReturnType<Parameters<typeof createErase>[0]>>

const PERIOD_MS = 10 * 60_000

export const startErasure = (
  ports: Ports,
  { log, periodMs = PERIOD_MS }: { readonly log: Log; readonly periodMs?: number },
) => {
  const erase = createErase(async () => ports, log)
  return runRounds({
    round: async () => {
      await erase()
      return false
    },
    pauseMs: periodMs,
    onFailure: () => log.error('removed tenants or expired events could not be erased', {}),
    isPausedFirst: true,
  })
}
