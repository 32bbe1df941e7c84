// Findings of AWS become orders. The tenant is the one the account belongs to, and the session must be in that tenant's
// records, opened in that account: a finding about anything else revokes nothing, and says so.
import { type AwsFinding, isAtLeast } from '../../domain/aws-finding.ts'
import { accountOf } from '../../domain/aws-session.ts'
import { idFromHash } from '../../domain/recorded-event.ts'
import { factsOfRecord, selectorsOf } from '../../domain/revocation.ts'
import type { AwsSource, TenantConfig } from '../../domain/tenant-config.ts'
import type { DecisionLookup } from '../../ports/decisions.ts'
import type { Digest } from '../../ports/system.ts'
import type { TenantConfigStore, TenantDirectory } from '../../ports/tenants.ts'
import { type EventReport, type TakePorts, takeEvent } from './take-event.ts'

export type FindingPorts = { readonly decisions: DecisionLookup; readonly digest: Digest }

/** An event as it came, and what was read from it. */
export type AwsEvent = { readonly findings: readonly AwsFinding[]; readonly text: string }

export type TakeFindingsPorts = TakePorts &
  FindingPorts & {
    readonly configs: Pick<TenantConfigStore, 'list'>
    readonly tenants: Pick<TenantDirectory, 'current'>
  }

/** Safe to repeat. Throws Unavailable. */
export const takeFindings = async (ports: TakeFindingsPorts, event: AwsEvent): Promise<void> => {
  const unclaimed = new Set(event.findings)
  for (const { tenant, tombstonedAtSeconds } of await ports.configs.list()) {
    if (tombstonedAtSeconds !== null) continue
    const config = await ports.tenants.current(tenant)
    if (config === null) continue
    for (const finding of event.findings) {
      const reports = await reportsOfFinding(ports, config, finding, event.text)
      if (reports.length > 0) unclaimed.delete(finding)
      for (const report of reports) await takeEvent(ports, report)
    }
  }
  for (const { feed } of unclaimed)
    ports.alarm('event_selects_nothing', { tenant: null, source: null, event: feed, id: null })
}

/** What one finding says of one tenant: a report a session, none where the account or the feed is not the tenant's. */
export const reportsOfFinding = async (
  ports: FindingPorts,
  config: TenantConfig,
  finding: AwsFinding,
  text: string,
): Promise<EventReport[]> => {
  const source = config.events.find((candidate) => candidate.kind === 'aws')
  if (source?.kind !== 'aws' || !source.accounts.includes(finding.account)) return []
  const sessions = finding.sessions.length === 0 ? [null] : finding.sessions
  return Promise.all(
    sessions.map(async (session): Promise<EventReport> => {
      const contentHash = ports.digest.sha256(
        JSON.stringify(['aws', config.tenant, finding.feed, finding.id, finding.account, session]),
      )
      return {
        id: idFromHash(contentHash),
        tenant: config.tenant,
        source: source.name,
        event: finding.feed,
        contentHash,
        meaning: isBad(source, finding)
          ? await meaningOf(ports, config, source, finding, session)
          : { kind: 'acknowledge', isStreamEnding: false },
        proof: { kind: 'finding', event: text },
      }
    }),
  )
}

const isBad = ({ leastSeverity, calls }: AwsSource, { severity, isOver, call }: AwsFinding): boolean => {
  if (isOver) return false
  return severity === null ? call !== null && calls.includes(call) : isAtLeast(severity, leastSeverity)
}

const NOTHING = { kind: 'nothing' } as const

const meaningOf = async (
  { decisions }: FindingPorts,
  { tenant }: TenantConfig,
  { revoke, form }: AwsSource,
  { account }: AwsFinding,
  session: string | null,
): Promise<EventReport['meaning']> => {
  const found = session === null ? null : await decisions.find(session, tenant)
  if (found?.kind !== 'allow') return NOTHING
  const { session: opened } = found.record.credential
  if (opened === undefined || accountOf(opened.role) !== account) return NOTHING
  const selectors = selectorsOf(factsOfRecord(found.record))
  // A platform without runs has none to revoke; the credential itself is always there.
  const selector = [revoke, 'credential' as const].flatMap(
    (kind) => selectors.find((one) => one.kind === kind) ?? [],
  )[0]
  if (selector === undefined) return NOTHING
  const { kind, issuer, value } = selector
  return {
    kind: 'revoke',
    revoke: kind,
    value: issuer === '' ? value : `${issuer}/${value}`,
    form: kind === revoke ? form : 'block',
  }
}
