// Which live sessions of cloud roles a revocation ends, and by what the cloud can tell them (tenancy-and-aws.md §5). mint refuses
// new ones from the row alone; these are the ones that were opened before it. Pure.
import { isSourceIdentity, isTagValue, sourceIdentityOf } from './aws-session.ts'
import type { GrantRecord } from './grant-record.ts'
import { deadBefore, type Revocation } from './revocation.ts'

/**
 * `source`: the session of one decision, which never comes back. Anything else may be opened again, after a cut or an unblock,
 * and nobody takes a denial off a role: so it is over only for what was issued before a time.
 */
export type SessionMark =
  | { readonly kind: 'source'; readonly sourceIdentity: string }
  | {
      readonly kind: 'tag'
      readonly tag: 'mintmark-run' | 'mintmark-sub'
      readonly value: string
      readonly issuedBeforeSeconds: number
    }
  | { readonly kind: 'issued'; readonly issuedBeforeSeconds: number }

/** A role that a grant issues, or issued in a version whose sessions may still be alive. */
export type IssuedRole = { readonly role: string; readonly grant: string; readonly issuerName: string }

/** The roles to deny on, and what; no roles: the revocation ends no session. */
export type SessionDenial = { readonly roles: readonly string[]; readonly mark: SessionMark }

/** `record`: the redemption that the revocation names, as credential or as assertion; null: none is known, or more than one. */
export const sessionDenialOf = (
  revocation: Revocation,
  issued: readonly IssuedRole[],
  record: GrantRecord | null,
): SessionDenial => {
  const { kind, issuer, value, tenant } = revocation
  const issuedBeforeSeconds = revocation.notBeforeSeconds ?? deadBefore(revocation.atSeconds)
  const rolesOf = (isHit: (role: IssuedRole) => boolean) => [...new Set(issued.filter(isHit).map(({ role }) => role))]
  const every = rolesOf(() => true)
  const ofIssuer = rolesOf(({ issuerName }) => issuerName === issuer)
  const older: SessionMark = { kind: 'issued', issuedBeforeSeconds }
  /** What has no such tag, because AWS takes no such value, is told by its age. */
  const tagged = (tag: 'mintmark-run' | 'mintmark-sub'): SessionMark =>
    isTagValue(value) ? { kind: 'tag', tag, value, issuedBeforeSeconds } : older
  switch (kind) {
    case 'credential':
    case 'assertion': {
      const session = record?.credential.session
      if (session !== undefined)
        return { roles: [session.role], mark: { kind: 'source', sourceIdentity: session.sourceIdentity } }
      if (record !== null) return { roles: [], mark: older }
      return kind === 'credential'
        ? { roles: every, mark: { kind: 'source', sourceIdentity: sourceIdentityOf(tenant, value) } }
        : { roles: every, mark: older }
    }
    case 'session':
      return { roles: isSourceIdentity(value) ? every : [], mark: { kind: 'source', sourceIdentity: value } }
    case 'subject':
      return { roles: every, mark: tagged('mintmark-sub') }
    case 'run':
      return { roles: ofIssuer, mark: tagged('mintmark-run') }
    case 'project':
    case 'actor':
    case 'issuer_key':
      return { roles: ofIssuer, mark: older }
    case 'issuer':
      return { roles: rolesOf(({ issuerName }) => issuerName === value), mark: older }
    case 'grant':
      return { roles: rolesOf(({ grant }) => grant === value), mark: older }
    case 'own_key':
    case 'tenant':
      return { roles: every, mark: older }
  }
}

/** What became of the sessions of one role. */
export const ROLE_OUTCOMES = {
  denied: 'the text hangs on the role',
  shut: 'the role had no room for one text more and is denied whole',
  out_of_reach:
    'the broker has no rights on the role, which is gone or in an account of the tenant: sessions end by themselves',
} as const

export type RoleOutcome = keyof typeof ROLE_OUTCOMES
export type DeniedRole = { readonly role: string; readonly outcome: RoleOutcome }
