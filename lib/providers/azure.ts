// Azure managed identities, Entra v1 and v2 tokens (issuers.md §2.12, T11). The same keys sign for every Entra tenant (A15):
// `tid` must equal the tenant in the registered issuer. No jti, cached up to a day: replay is 'reuse'. Pure.
import { claimAt } from '../domain/claims.ts'
import type { Provider } from '../domain/provider.ts'
import { refuse } from '../domain/refusal.ts'
import { ok } from '../domain/result.ts'
import { isCommonAudience, isOnHost, UUID } from './issuer-forms.ts'
import { claim, derived } from './leaf-sources.ts'

const V2 = new RegExp(`^https://login\\.microsoftonline\\.com/(${UUID})/v2\\.0$`)
/** With its trailing slash, as Entra sends it. */
const V1 = new RegExp(`^https://sts\\.windows\\.net/(${UUID})/$`)

const tenantOf = (iss: string): string | undefined => (V2.exec(iss) ?? V1.exec(iss))?.[1]

export const azure: Provider = {
  name: 'azure',
  title: 'Azure managed identities (Entra)',
  issuer: {
    owns: (iss) => isOnHost(iss, 'login.microsoftonline.com') || isOnHost(iss, 'sts.windows.net'),
    // `common` and `organizations` are every tenant at once: no GUID, not accepted.
    accepts: (iss) => tenantOf(iss) !== undefined,
    shared: () => false,
    form: 'https://login.microsoftonline.com/<tenant-guid>/v2.0 or https://sts.windows.net/<tenant-guid>/',
  },
  jwksUrl: (iss) => {
    const v1 = V1.exec(iss)?.[1]
    if (v1 !== undefined) return `https://login.microsoftonline.com/${v1}/discovery/keys`
    return `${iss.replace(/\/v2\.0$/, '')}/discovery/v2.0/keys`
  },
  jwksHosts: ['login.microsoftonline.com'],
  algorithms: ['RS256'],
  maxAgeSeconds: 3_600,
  replay: 'reuse',
  audience: 'configured',
  defaultAudiences: isCommonAudience,
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': claim('tid', 'immutable'),
    'project.id': claim('oid', 'immutable'),
    'run.id': claim('uti', 'per_run'),
    'instance.kind': derived(['xms_mirid'], 'reusable', (id = null) => (id === null ? null : 'managed_identity')),
    'instance.id': claim('xms_mirid', 'reusable'),
  },
  triggers: null,
  check: (claims, iss) => {
    const tenant = tenantOf(iss)
    if (tenant !== undefined && claimAt(claims, ['tid']) !== tenant)
      return refuse('claim_invalid', { claim: 'tid', expected: 'the tenant in iss' })
    // A person's token for the same application has the same issuer and audience.
    const kind = claimAt(claims, ['idtyp'])
    return kind === null || kind === 'app' ? ok(null) : refuse('claim_invalid', { claim: 'idtyp', expected: 'app' })
  },
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: false,
  advice: [{ leaves: ['instance.id'], says: 'bind xms_mirid beside the object id, so that people can read the grant' }],
}
