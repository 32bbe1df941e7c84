// Revocations to the receivers of the tenant documents, for as long as the broker runs: pushed to those that can be reached, kept
// for those that poll. What one process leaves undone another goes on with, or this one when it starts again.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createHandler as createPollHandler } from '../../functions/poll/handler.ts'
import { createSecretFiles } from '../../lib/adapters/files/secret-files.ts'
import { createReceiverHttp } from '../../lib/adapters/http/receiver-http.ts'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { createReceivers } from '../../lib/adapters/sqlite/receivers.ts'
import { createRevocationChanges } from '../../lib/adapters/sqlite/revocation-changes.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { createAlarm } from '../../lib/edge/alarm.ts'
import { placeOf } from '../../lib/edge/failure-place.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import type { createLogger } from '../../lib/edge/logger.ts'
import type { CallerPorts } from '../../lib/flows/authorize-caller.ts'
import { alarmStuckReceivers } from '../../lib/flows/revocation/alarm-stuck-receivers.ts'
import { createPusher, type PushPorts } from '../../lib/flows/revocation/push-revocations.ts'
import { createSetSource, type SetSigner } from '../../lib/flows/revocation/sign-set.ts'
import { createWaitForChange } from '../../lib/flows/revocation/wait-for-change.ts'
import type { Place } from '../policy/compile-options.ts'
import { runRounds } from './run-rounds.ts'

type ReceiversOptions = {
  readonly database: Database
  readonly secretsDir: string
  readonly dataDir: string
  readonly place: Place
  readonly egressAllow: readonly string[]
  /** Of whoever polls. */
  readonly callers: CallerPorts
  /** Those of revoke, which opens no other use's. */
  readonly signalKeys: SetSigner['keys']
  readonly log: ReturnType<typeof createLogger>
  readonly failpoint?: PushPorts['failpoint']
}

type Receivers = {
  /** Below `receivers/`. */
  readonly handler: HttpHandler
  /** Polls that wait are answered, nothing further is begun. */
  readonly release: () => void
  readonly close: () => Promise<void>
}

export const startReceivers = (options: ReceiversOptions): Receivers => {
  const { database, secretsDir, dataDir, place, egressAllow, callers, signalKeys, log, failpoint } = options
  const { clock, tenants, state } = callers
  const closing = new AbortController()
  const pause = (ms: number): Promise<boolean> =>
    sleep(ms, true, { signal: closing.signal, ref: false }).catch(() => false)
  const receivers = createReceivers(database)
  const source = createSetSource({ keys: signalKeys, state, digest: nodeDigest })
  const pusher = createPusher(
    {
      source,
      tenants,
      receivers,
      http: createReceiverHttp({ dev: place.dev, egressAllow }),
      secrets: createSecretFiles({ secretsDir, dataDir }),
      clock,
      random: Math.random,
      holder: randomUUID(),
      isStopping: () => closing.signal.aborted,
      ...(failpoint === undefined ? {} : { failpoint }),
    },
    (error) => log.error('a push of revocations failed', { function: 'revoke', error: placeOf(error) }),
  )
  const stuck = { receivers, clock, alarm: createAlarm('revoke', log) }
  const looks = runRounds({
    round: async () => {
      await pusher.look()
      return false
    },
    pauseMs: LIMITS.receiverLookMs,
    // The store is away; what is owed stays owed.
    onFailure: () => log.error('receivers of revocations could not be looked for', { function: 'revoke' }),
  })
  const alarms = runRounds({
    round: async () => {
      await alarmStuckReceivers(stuck)
      return false
    },
    pauseMs: LIMITS.receiverAlarmEveryMs,
    onFailure: () => log.error('stuck receivers of revocations could not be looked for', { function: 'revoke' }),
    isPausedFirst: true,
  })
  const stop = () => Promise.all([looks.close(), alarms.close()])
  const release = (): void => {
    closing.abort()
    void stop()
  }
  return {
    handler: createPollHandler({
      ports: { ...callers, receivers, source },
      waitForChange: createWaitForChange({ receivers, changes: createRevocationChanges(database), clock, pause }),
      log,
    }),
    release,
    async close() {
      release()
      await stop()
      await pusher.settled()
    },
  }
}
