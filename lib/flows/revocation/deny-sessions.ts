// Ends live sessions of cloud roles (tenancy-and-aws.md §5). mint asks the revocations before it opens a session; a session that
// is open is known only to the cloud, so there it is denied: on each role that the tenant's documents issue, by what tells it.
import type { GrantRecord } from '../../domain/grant-record.ts'
import { LIMITS } from '../../domain/limits.ts'
import { deadBefore, type Revocation } from '../../domain/revocation.ts'
import { type DeniedRole, type IssuedRole, type SessionDenial, sessionDenialOf } from '../../domain/session-denial.ts'
import type { Clock } from '../../ports/clock.ts'
import type { SessionDenials } from '../../ports/cloud-sessions.ts'
import type { GrantStore } from '../../ports/grant-store.ts'
import type { RevocationHook } from '../../ports/revocation-orders.ts'
import type { ConfigVersion, TenantConfigStore } from '../../ports/tenants.ts'

export type DenySessionsPorts = {
  readonly configs: Pick<TenantConfigStore, 'latest' | 'version'>
  readonly grants: Pick<GrantStore, 'find'>
  readonly sessions: SessionDenials
  readonly clock: Pick<Clock, 'nowSeconds'>
}

export const createSessionHook = (ports: DenySessionsPorts): RevocationHook => ({
  async revoked(tenant, revocations) {
    const roles = await denySessions(ports, tenant, revocations)
    return roles.length === 0 ? {} : { roles }
  },
})

const denySessions = async (
  ports: DenySessionsPorts,
  tenant: string,
  revocations: readonly Revocation[],
): Promise<readonly DeniedRole[]> => {
  const issued = await issuedRoles(ports, tenant)
  if (issued.length === 0) return []
  const record = await recordOf(ports, tenant, revocations)
  const outcomes: DeniedRole[] = []
  for (const denial of oneByAge(revocations.map((each) => denialOf(each, issued, record))))
    outcomes.push(...(await ports.sessions.deny({ ...denial, tenant })))
  return outcomes
}

type NamedDenial = SessionDenial & { readonly id: string }

const denialOf = (revocation: Revocation, issued: readonly IssuedRole[], record: GrantRecord | null): NamedDenial => ({
  ...sessionDenialOf(revocation, issued, record),
  // A cut that came to a later end is another denial; a block that is in force already is the same.
  id: `${revocation.id}-${revocation.notBeforeSeconds ?? deadBefore(revocation.atSeconds)}`,
})

/**
 * Of those that tell sessions by their age, on each role the latest only: it ends what the others would. A role has room for a few
 * denials and is shut with the next.
 */
const oneByAge = (denials: readonly NamedDenial[]): readonly NamedDenial[] => {
  const latest = new Map<string, NamedDenial>()
  for (const denial of denials)
    for (const role of denial.roles) if (ageOf(denial) > ageOf(latest.get(role))) latest.set(role, denial)
  return denials
    .map((denial) => ({
      ...denial,
      roles: denial.roles.filter((role) => denial.mark.kind !== 'issued' || latest.get(role) === denial),
    }))
    .filter(({ roles }) => roles.length > 0)
}

const ageOf = (denial: NamedDenial | undefined): number =>
  denial?.mark.kind === 'issued' ? denial.mark.issuedBeforeSeconds : Number.NEGATIVE_INFINITY

/** Of the current version, and of each that was current when a session that lives may have been opened. */
const issuedRoles = async ({ configs, clock }: DenySessionsPorts, tenant: string): Promise<IssuedRole[]> => {
  const issued: IssuedRole[] = []
  const oldestSeconds = clock.nowSeconds() - LIMITS.ttlSecondsMax - LIMITS.clockStepSecondsMax
  let version: ConfigVersion | null = (await configs.latest(tenant))?.version ?? null
  while (version !== null) {
    issued.push(...rolesIn(version.document))
    if (version.version === 1 || version.appliedAtSeconds < oldestSeconds) break
    version = await configs.version(tenant, version.version - 1)
  }
  return issued
}

/** A stored document passed the schema when it was applied. */
const rolesIn = (document: string): IssuedRole[] => {
  const { grants = {} } = JSON.parse(document) as {
    readonly grants?: Readonly<
      Record<
        string,
        { readonly from: string; readonly issue: readonly { readonly type: string; readonly role?: string }[] }
      >
    >
  }
  return Object.entries(grants).flatMap(([grant, { from, issue }]) =>
    issue.flatMap(({ role }) => (role === undefined ? [] : [{ role, grant, issuerName: from }])),
  )
}

/** What one piece of evidence gave, where it could give one credential only: its record lies under the assertion's own key. */
const recordOf = async (
  { grants }: DenySessionsPorts,
  tenant: string,
  revocations: readonly Revocation[],
): Promise<GrantRecord | null> => {
  const assertion = revocations.find(({ kind }) => kind === 'assertion')
  if (assertion === undefined) return null
  return (await grants.find(tenant, assertion.value))?.record ?? null
}
