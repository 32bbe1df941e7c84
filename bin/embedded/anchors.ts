// `--anchor`: a file of another user, or a witness with its verifier key, URL#KEY. Every checkpoint goes there once a minute, beside
// the rounds of the log.
import { anchorFileProblem, createAnchorFile } from '../../lib/adapters/files/anchor-file.ts'
import { createGuardedHttp } from '../../lib/adapters/http/guarded-http.ts'
import { createWitness } from '../../lib/adapters/http/witness.ts'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { nodeVerifyEd25519 } from '../../lib/adapters/keys/note-verifier.ts'
import { createAnchorRecords } from '../../lib/adapters/sqlite/anchor-records.ts'
import { createTenantLog } from '../../lib/adapters/sqlite/tenant-log.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { parseWitnessKey, type WitnessKey } from '../../lib/domain/tlog/cosignature.ts'
import { createAlarm } from '../../lib/edge/alarm.ts'
import { anchorCheckpoints } from '../../lib/flows/audit/anchor-checkpoints.ts'
import type { AuditOptions } from './audit.ts'
import { runRounds } from './run-rounds.ts'

type AnchorPlace =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'witness'; readonly url: string; readonly key: WitnessKey }

/** Null: a URL without the verifier key of a witness (C2SP, Ed25519) behind `#`. */
const parseAnchor = (text: string): AnchorPlace | null => {
  if (!/^https?:\/\//.test(text)) return { kind: 'file', path: text }
  const at = text.indexOf('#')
  const key = at < 0 ? null : parseWitnessKey(nodeSha256, text.slice(at + 1))
  return key === null ? null : { kind: 'witness', url: text.slice(0, at), key }
}

export const anchorFiles = (anchors: readonly string[]): readonly string[] =>
  anchors.filter((text) => parseAnchor(text)?.kind === 'file')

/** What keeps the broker from starting with these anchors; null: nothing. */
export const anchorsProblem = (anchors: readonly string[]): string | null => {
  for (const text of anchors) {
    const place = parseAnchor(text)
    if (place === null)
      return `--anchor ${text.split('#')[0]} needs the verifier key of the witness: URL#<name>+<id>+<key>`
    if (place.kind === 'file' && anchorFileProblem(place.path) === 'cannot_append')
      return `--anchor ${place.path} is no file that can be appended to: its owner makes it, and lets this user append`
  }
  return null
}

/** What an operator ought to know of them, each time the broker starts. */
export const anchorWarnings = (anchors: readonly string[]): readonly string[] => {
  if (anchors.length === 0)
    return ['WARNING: no --anchor: who holds this machine could write the audit logs anew, and nobody would notice']
  return anchors
    .filter((path) => parseAnchor(path)?.kind === 'file' && anchorFileProblem(path) === 'own_file')
    .map((path) => `WARNING: --anchor ${path} is this user's own file: who holds the broker can overwrite it`)
}

/** close() anchors once more. */
export const startAnchors = ({ anchors, audit, dev, egressAllow, log }: AuditOptions) => {
  const http = createGuardedHttp({ dev, egressAllow, ports: 'any' })
  const places = anchors.map(parseAnchor).filter((place) => place !== null)
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
