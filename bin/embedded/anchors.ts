// Every checkpoint goes to the places of `--anchor` once a minute, beside the rounds of the log.
import { anchorFileProblem, createAnchorFile } from '../../lib/adapters/files/anchor-file.ts'
import { createGuardedHttp } from '../../lib/adapters/http/guarded-http.ts'
import { createWitness } from '../../lib/adapters/http/witness.ts'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { nodeVerifyEd25519 } from '../../lib/adapters/keys/note-verifier.ts'
import { createAnchorRecords } from '../../lib/adapters/sqlite/anchor-records.ts'
import { createTenantLog } from '../../lib/adapters/sqlite/tenant-log.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { createAlarm } from '../../lib/edge/alarm.ts'
import { anchorCheckpoints } from '../../lib/flows/audit/anchor-checkpoints.ts'
import { parseAnchor } from '../../lib/wire/anchor-place.ts'
import type { AuditOptions } from './audit-options.ts'
import { runRounds } from './run-rounds.ts'

/** Who judges a place: this process, as the user it runs as. */
export const anchorHost = { sha256: nodeSha256, fileProblem: anchorFileProblem }

/** close() anchors once more. */
export const startAnchors = ({ anchors, audit, dev, egressAllow, log }: AuditOptions) => {
  const http = createGuardedHttp({ dev, egressAllow, ports: 'any' })
  const places = anchors.map((text) => parseAnchor(nodeSha256, text)).filter((place) => place !== null)
  if (places.length === 0) return { close: async () => undefined }
  const ports = {
    log: createTenantLog(audit),
    anchors: places.map((place) =>
      place.kind === 'file' ? createAnchorFile(place.path) : createWitness(place, { http, verify: nodeVerifyEd25519 }),
    ),
    records: createAnchorRecords(audit),
    sha256: nodeSha256,
    clock: systemClock,
    alarm: createAlarm('audit', log),
  }
  return runRounds({
    round: async () => {
      await anchorCheckpoints(ports)
      return false
    },
    pauseMs: LIMITS.anchorEveryMs,
    onFailure: () => log.error('checkpoints could not be anchored', { function: 'audit' }),
    isClosedByRound: true,
  })
}
