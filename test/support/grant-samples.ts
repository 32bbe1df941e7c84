// Grants, workloads and what is decided of them, in as few words as a row of a test has room for.
import { chooseGrant, evaluateGrants, type Target } from '../../lib/domain/decide.ts'
import { parseGlob } from '../../lib/domain/glob.ts'
import { parseIdentityTemplate } from '../../lib/domain/identity-template.ts'
import type {
  AccessTokenEntry,
  AwsCredentialsEntry,
  GrantRule,
  Matcher,
  TenantConfig,
} from '../../lib/domain/tenant-config.ts'
import { WID_LEAVES, type Wid, type WidLeaf, type WidValue } from '../../lib/domain/wid.ts'

export const wid = (leaves: Partial<Record<WidLeaf, WidValue>>): Wid => {
  const empty = Object.fromEntries(Object.keys(WID_LEAVES).map((leaf) => [leaf, null])) as Record<WidLeaf, WidValue>
  return { ...empty, untrusted_source: false, ...leaves }
}
export const equals = (value: string | boolean): Matcher => ({ kind: 'equals', value })
export const glob = (pattern: string): Exclude<Matcher, { kind: 'not' }> => ({
  kind: 'glob',
  pattern,
  parts: parseGlob(pattern)!,
})
export const entry = (
  audience: string | string[],
  scope = ['read'],
  more: Partial<AccessTokenEntry> = {},
): AccessTokenEntry => ({
  type: 'access_token',
  audiences: [audience].flat(),
  scope,
  ttlSeconds: 600,
  alg: 'ES256',
  onReplay: 'alert',
  introspects: null,
  ...more,
})
export const session = (audience: string): AwsCredentialsEntry => ({
  type: 'aws-credentials',
  role: 'arn:aws:iam::444455556666:role/mintmark/t/acme/deployer',
  via: 'web-identity',
  audiences: [audience],
  scope: [],
  ttlSeconds: 900,
})
export const identity = (template: string) => {
  const parsed = parseIdentityTemplate(template)
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.segments
}
export const grant = (name: string, more: Partial<GrantRule> = {}): GrantRule => ({
  name,
  from: 'github',
  conditions: [{ leaf: 'project.id', matcher: equals('1') }],
  identity: identity('/ci/{project.id}'),
  issue: [entry('https://a')],
  claims: [],
  mode: 'enforce',
  untrustedSource: 'deny',
  ...more,
})
export const config = (...grants: GrantRule[]): TenantConfig => ({
  tenant: 'acme',
  version: 1,
  digest: '',
  trustDomain: 'acme.example',
  tier: 'pooled',
  issuerUrl: 'https://sts.example.com/t/acme',
  issuers: [],
  receivers: [],
  sinks: [],
  auditKeepSeconds: null,
  grants,
  events: [],
})
const ask = (more: Partial<Target> = {}): Target => ({
  type: 'access_token',
  audience: null,
  scope: null,
  grant: null,
  ...more,
})
export const job = wid({ 'project.id': '1', 'ref.full': 'refs/heads/main', 'environment.name': 'production' })
export const decide = (grants: GrantRule[], target: Partial<Target> = {}, who = job) => {
  const choice = chooseGrant(evaluateGrants(config(...grants), 'github', who), ask(target))
  return choice.ok
    ? { grant: choice.value.grant.name, audience: choice.value.audience, scope: choice.value.scope }
    : choice.refusal.kind
}
