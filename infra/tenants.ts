// Tenant documents become resources: the tenant's issuer as an identity provider, and each AWS role its grants issue, bounded
// and open to that issuer alone. One file more is one tenant more. A document that moved to `removed/` keeps its resources,
// closed; one that is merely gone changes nothing in AWS, since everything here is retained.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { accountOf, externalIdOf, federationAudience } from '../lib/domain/aws-session.ts'
import { loadTenant } from '../lib/wire/load-tenant.ts'
import type { TenantDocument } from '../lib/wire/tenant-document.ts'
import { tenantIssuerUrl } from '../lib/wire/tenant-urls.ts'
import { boundaryArn, denyAllArn, TENANT_TAG, tenantPath } from './names.ts'
import { text } from './policies/statement.ts'
import { workloadPolicies } from './policies/workload.ts'
import { closedTrust, workloadTrust } from './policies/workload-trust.ts'
import type { Settings } from './settings.ts'

/** Never changed: a tenant's resources would move to another stack, where their names are taken. */
const SHARDS = 16
/** CloudFormation takes 500 in one stack. */
const RESOURCES_MAX = 480

type Tenant = { readonly document: TenantDocument; readonly isRemoved: boolean }
type Resources = Readonly<Record<string, object>>

const readFolder = (folder: string, isRemoved: boolean): Tenant[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.yaml') && !file.endsWith('.test.yaml'))
        .sort()
        .map((file) => {
          const path = join(folder, file)
          const loaded = loadTenant({ file: path, text: readFileSync(path, 'utf8') })
          if (loaded.ok) return { document: loaded.loaded.document, isRemoved }
          const [problem] = loaded.problems
          throw new Error(`${path}:${problem?.line ?? 1}: ${problem?.message ?? 'not a tenant document'}`)
        })
    : []

const sha256 = (data: string): Buffer => createHash('sha256').update(data).digest()

/** Every stack of tenants, by name; in the order of names, the same for the same files. */
export const tenantStacks = (
  settings: Pick<Settings, 'account' | 'domain' | 'tenants'>,
): ReadonlyMap<string, Resources> => {
  const tenants = [...readFolder(settings.tenants, false), ...readFolder(join(settings.tenants, 'removed'), true)]
  const stacks = new Map<string, Resources>()
  const owners = new Map<string, string>()
  for (const { document, isRemoved } of tenants) {
    const { tenant } = document
    if (owners.has(`tenant ${tenant}`)) throw new Error(`tenant ${tenant} is there twice, perhaps as removed`)
    owners.set(`tenant ${tenant}`, tenant)
    for (const [role, ttlSeconds] of rolesOf(document)) {
      const account = accountOf(role)
      // Design §5: what one tenant's sessions may do must never be decided in another's account.
      const owner = owners.get(`account ${account}`)
      if (account !== settings.account && owner !== undefined && owner !== tenant)
        throw new Error(`account ${account} belongs to tenant ${owner} already`)
      owners.set(`account ${account}`, tenant)
      const stack = stackOf(document, account, settings.account)
      const isElsewhere = account !== settings.account
      stacks.set(stack, {
        ...stacks.get(stack),
        ...(isElsewhere ? workloadPolicies() : {}),
        ...resourcesOf({ document, isRemoved, role, ttlSeconds, settings, isElsewhere }),
      })
    }
  }
  for (const [name, resources] of stacks)
    if (Object.keys(resources).length > RESOURCES_MAX) throw new Error(`stack ${name} is full: split it by account`)
  return new Map([...stacks].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** What osls packages for `--param stack=<name>`. */
export const tenantStack = (settings: Settings) => {
  const Resources = tenantStacks(settings).get(settings.stack)
  if (Resources === undefined) throw new Error(`there is no tenant stack "${settings.stack}"`)
  return { Resources }
}

/** Pooled tenants share stacks, a silo tenant has one, and so has a tenant's own account: each is changed by itself. */
const stackOf = ({ tenant, tier }: TenantDocument, account: string, brokerAccount: string): string => {
  if (account !== brokerAccount) return `account-${account}`
  return tier === 'silo' ? `silo-${tenant}` : `shard-${sha256(tenant)[0]! % SHARDS}`
}

const SECONDS = { s: 1, m: 60, h: 3600 } as const
const ROLE_TTL_SECONDS = 900

/** Roles of the grants, each once, with the longest session any of them gives. */
const rolesOf = ({ grants }: TenantDocument): ReadonlyMap<string, number> => {
  const roles = new Map<string, number>()
  for (const { issue } of Object.values(grants))
    for (const entry of issue) {
      if (entry.type !== 'aws-credentials') continue
      const ttl = entry.ttl ?? `${ROLE_TTL_SECONDS}s`
      const seconds = Number(ttl.slice(0, -1)) * SECONDS[ttl.slice(-1) as keyof typeof SECONDS]
      roles.set(entry.role, Math.max(seconds, roles.get(entry.role) ?? 0))
    }
  return roles
}

type RoleOrder = Tenant & {
  readonly role: string
  readonly ttlSeconds: number
  readonly settings: Pick<Settings, 'account' | 'domain'>
  readonly isElsewhere: boolean
}

const resourcesOf = ({ document, isRemoved, role, ttlSeconds, settings, isElsewhere }: RoleOrder): Resources => {
  const { tenant, trust_domain: trustDomain } = document
  const path = tenantPath(tenant)
  const name = role.slice(role.lastIndexOf('/') + 1)
  if (!role.endsWith(`:role${path}${name}`))
    throw new Error(`${role} must be ${path}<name>: mint may use no role outside of its tenant's path`)
  const issuerUrl = tenantIssuerUrl(`https://${settings.domain}`, tenant)
  const audience = federationAudience(issuerUrl, accountOf(role))
  const provider = issuerUrl.slice('https://'.length)
  const tags = [{ Key: TENANT_TAG, Value: tenant }]
  const retained = { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' }
  const id = tenant.charAt(0).toUpperCase() + tenant.slice(1)
  const trust = {
    tenant,
    trustDomain,
    provider,
    audience,
    externalId: externalIdOf({ tenant, issuerUrl, role }, (data) => sha256(data).toString('base64url')),
    brokerAccount: settings.account,
  }
  return {
    [`${id}Issuer`]: {
      Type: 'AWS::IAM::OIDCProvider',
      ...retained,
      Properties: { Url: issuerUrl, ClientIdList: [audience], Tags: tags },
    },
    [`${id}Role${sha256(role).toString('hex').slice(0, 8)}`]: {
      Type: 'AWS::IAM::Role',
      ...retained,
      Properties: {
        RoleName: name,
        Path: path,
        Description: `Sessions of tenant ${tenant}, opened by Mintmark`,
        MaxSessionDuration: Math.max(3600, ttlSeconds),
        PermissionsBoundary: isElsewhere ? { Ref: 'WorkloadBoundary' } : text(boundaryArn()),
        AssumeRolePolicyDocument: isRemoved ? closedTrust : workloadTrust(trust),
        // What the role may do is its owner's to attach, under the boundary. A removed tenant's may do nothing.
        ...(isRemoved ? { ManagedPolicyArns: [isElsewhere ? { Ref: 'DenyAllPolicy' } : text(denyAllArn())] } : {}),
        Tags: tags,
      },
    },
  }
}
