// A webhook of GitHub from bytes to an authentic report: HMAC-SHA-256 over the body as it came, under the secret that the
// tenant and GitHub share. Where it is received and again where its order is carried out.
import { readGithubReport } from '../../domain/github-alert.ts'
import { LIMITS } from '../../domain/limits.ts'
import { idFromHash } from '../../domain/recorded-event.ts'
import { refuse } from '../../domain/refusal.ts'
import { ok, type Result } from '../../domain/result.ts'
import type { GithubSource, TenantConfig } from '../../domain/tenant-config.ts'
import type { Secrets } from '../../ports/secrets.ts'
import type { Digest } from '../../ports/system.ts'
import type { EventReport } from './take-event.ts'

export type GithubPorts = { readonly secrets: Secrets; readonly digest: Digest }

/** `signature`: the header X-Hub-Signature-256, or '' where there is none. */
export type SignedBody = { readonly body: string; readonly signature: string }

const PREFIX = 'sha256='

/** Refuses: transmitter_unauthenticated, json_*, event_invalid, not_yet_valid, too_old. Throws Unavailable. */
export const verifyGithubAlert = async (
  ports: GithubPorts,
  config: TenantConfig,
  { body, signature }: SignedBody,
  when: { readonly nowSeconds: number; readonly maxAgeSeconds: number },
): Promise<Result<EventReport>> => {
  const source = await signerOf(ports, config, { body, signature })
  if (source === null) return refuse('transmitter_unauthenticated')
  const read = readGithubReport(body)
  if (!read.ok) return read
  const report = read.value
  if (report.kind === 'leak') {
    const detail = { at: report.atSeconds, now: when.nowSeconds }
    if (report.atSeconds > when.nowSeconds + LIMITS.leewaySeconds) return refuse('not_yet_valid', detail)
    if (when.nowSeconds - report.atSeconds > when.maxAgeSeconds) return refuse('too_old', detail)
  }
  const contentHash = ports.digest.sha256(body)
  return ok({
    // By its content alone: the id of a delivery is in a header that nobody signs.
    id: idFromHash(ports.digest.sha256(JSON.stringify(['github', config.tenant, source.name, contentHash]))),
    tenant: config.tenant,
    source: source.name,
    event: report.kind === 'leak' ? 'secret_scanning_alert' : report.kind,
    contentHash,
    meaning: meaningOf(source, report),
    proof: { kind: 'github', body, signature },
  })
}

const signerOf = async (
  { secrets }: GithubPorts,
  { events }: TenantConfig,
  { body, signature }: SignedBody,
): Promise<GithubSource | null> => {
  if (!signature.startsWith(PREFIX)) return null
  const bytes = new TextEncoder().encode(body)
  for (const source of events)
    if (source.kind === 'github' && (await secrets.verifyHmac(source.secret, bytes, signature.slice(PREFIX.length))))
      return source
  return null
}

type Read = Extract<ReturnType<typeof readGithubReport>, { ok: true }>['value']

const meaningOf = (source: GithubSource, report: Read): EventReport['meaning'] => {
  if (report.kind === 'unknown') return { kind: 'nothing' }
  if (report.kind === 'harmless') return { kind: 'acknowledge', isStreamEnding: false }
  // A repository of somebody else, in a webhook of ours: the hook hangs where it should not.
  const isOurs = source.owners === null || source.owners.includes(report.owner)
  if (!isOurs || !source.secretTypes.includes(report.secretType)) return { kind: 'nothing' }
  return { kind: 'revoke', revoke: 'project', value: `${source.issuer}/${report.repository}`, form: source.form }
}
