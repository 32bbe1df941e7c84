// Tenant documents become resources: the tenant's issuer as an identity provider, and each AWS role its grants issue, bounded
// and open to that issuer alone. One file more is one tenant more. A document that moved to `removed/` keeps its resources,
// closed; one that is merely gone changes nothing in AWS, since everything here is retained.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { accountOf } from '../lib/domain/aws-session.ts'
import type { TenantConfig } from '../lib/domain/tenant-config.ts'
import { PROVIDER_CATALOG } from '../lib/providers/catalog.ts'
import { compileTenant } from '../lib/wire/compile-tenant.ts'
import { loadTenant } from '../lib/wire/load-tenant.ts'
import { type RoleTrust, roleTrusts } from '../lib/wire/role-trust.ts'
import { formatProblem } from '../lib/wire/tenant-problem.ts'
import { boundaryArn, denyAllArn, TENANT_TAG } from './names.ts'
import { text } from './policies/statement.ts'
import { closedTrust, workloadPolicies } from './policies/workload.ts'
import type { Settings } from './settings.ts'

/** Never changed: a tenant's resources would move to another stack, where their names are taken. */
const SHARDS = 16
/** CloudFormation takes 500 in one stack. */
const RESOURCES_MAX = 480

type Place = Pick<Settings, 'account' | 'domain' | 'tenants'>
type Tenant = { readonly config: TenantConfig; readonly tier: 'pooled' | 'silo'; readonly isRemoved: boolean }
type Resources = Readonly<Record<string, object>>

const sha256 = (data: string): Buffer => createHash('sha256').update(data).digest()
const base64url = (data: string): string => sha256(data).toString('base64url')

/** Throws for a document that apply would refuse. */
const readTenant = (path: string, { domain }: Place, isRemoved: boolean): Tenant => {
  const loaded = loadTenant({ file: path, text: readFileSync(path, 'utf8') })
  const compiled = loaded.ok
    ? compileTenant(loaded.loaded, {
        baseUrl: `https://${domain}`,
        dev: false,
        catalog: PROVIDER_CATALOG,
        version: 1,
        sha256: base64url,
      })
    : loaded
  if (!compiled.ok) throw new Error(compiled.problems.map(formatProblem).join('\n'))
  const { config, loaded: source } = compiled.tenant
  return { config, tier: source.document.tier ?? 'pooled', isRemoved }
}

const readFolder = (folder: string, place: Place, isRemoved: boolean): Tenant[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.yaml') && !file.endsWith('.test.yaml'))
        .sort()
        .map((file) => readTenant(join(folder, file), place, isRemoved))
    : []

/** Every stack of tenants, by name; in the order of names, the same for the same files. */
export const tenantStacks = (place: Place): ReadonlyMap<string, Resources> => {
  const tenants = [
    ...readFolder(place.tenants, place, false),
    ...readFolder(join(place.tenants, 'removed'), place, true),
  ]
  const stacks = new Map<string, Resources>()
  const owners = new Map<string, string>()
  for (const tenant of tenants) {
    const { config } = tenant
    if (owners.has(`tenant ${config.tenant}`))
      throw new Error(`tenant ${config.tenant} is there twice, perhaps as removed`)
    owners.set(`tenant ${config.tenant}`, config.tenant)
    for (const [role, trusts] of rolesOf(config, place)) {
      const account = accountOf(role)
      // Design §5: what one tenant's sessions may do must never be decided in another's account.
      const owner = owners.get(`account ${account}`) ?? config.tenant
      if (account !== place.account && owner !== config.tenant)
        throw new Error(`account ${account} belongs to tenant ${owner} already`)
      owners.set(`account ${account}`, config.tenant)
      const stack = stackOf(tenant, account, place.account)
      const isElsewhere = account !== place.account
      stacks.set(stack, {
        ...stacks.get(stack),
        ...(isElsewhere ? workloadPolicies() : {}),
        ...resourcesOf({ tenant, role, trusts, isElsewhere }),
      })
    }
  }
  for (const [name, resources] of stacks)
    if (Object.keys(resources).length > RESOURCES_MAX) throw new Error(`stack ${name} is full`)
  return new Map([...stacks].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** What osls packages for `--param stack=<name>`. */
export const tenantStack = (settings: Settings) => {
  const Resources = tenantStacks(settings).get(settings.stack)
  if (Resources === undefined) throw new Error(`there is no tenant stack "${settings.stack}"`)
  return {
    Resources,
    // osls exports this of every stack, under a name that stacks of one service share: a second stack could not be deployed.
    Outputs: {
      ServerlessDeploymentBucketName: {
        Value: 'none',
        Export: { Name: `mintmark-tenants-${settings.place.stage}-${settings.stack}` },
      },
    },
  }
}

/** Pooled tenants share stacks, a silo tenant has one, and so has a tenant's own account: each is changed by itself. */
const stackOf = ({ config: { tenant }, tier }: Tenant, account: string, brokerAccount: string): string => {
  if (account !== brokerAccount) return `account-${account}`
  return tier === 'silo' ? `silo-${tenant}` : `shard-${sha256(tenant)[0]! % SHARDS}`
}

/** Each role once, with the ways it is opened. */
const rolesOf = (config: TenantConfig, { account }: Place): ReadonlyMap<string, readonly RoleTrust[]> => {
  const brokerRole = `arn:aws:iam::${account}:role/mintmark/fn/mintmark-mint`
  return Map.groupBy(roleTrusts(config, { brokerRole, sha256: base64url }), ({ role }) => role)
}

/** The longest session any grant gives; IAM takes an hour at least. */
const sessionSeconds = (config: TenantConfig, role: string): number =>
  Math.max(
    3600,
    ...config.grants
      .flatMap(({ issue }) => issue)
      .map((entry) => (entry.type === 'aws-credentials' && entry.role === role ? entry.ttlSeconds : 0)),
  )

/** Both ways in one document: their statements have the same names, which must differ in it. */
const trustOf = (trusts: readonly RoleTrust[]) => ({
  Version: '2012-10-17',
  Statement: trusts.flatMap(({ via, trust }) =>
    trust.Statement.map((statement) => ({
      ...statement,
      Sid: `${statement.Sid}${via === 'web-identity' ? 'ByToken' : 'ByMint'}`,
    })),
  ),
})

type RoleOrder = {
  readonly tenant: Tenant
  readonly role: string
  readonly trusts: readonly RoleTrust[]
  readonly isElsewhere: boolean
}

const resourcesOf = ({ tenant: { config, isRemoved }, role, trusts, isElsewhere }: RoleOrder): Resources => {
  const { tenant } = config
  // Below /mintmark/t/<tenant>/, or the document had not compiled.
  const path = role.slice(role.indexOf('/'), role.lastIndexOf('/') + 1)
  const name = role.slice(role.lastIndexOf('/') + 1)
  const tags = [{ Key: TENANT_TAG, Value: tenant }]
  const retained = { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' }
  const id = tenant.charAt(0).toUpperCase() + tenant.slice(1)
  const provider = trusts.find((trust) => trust.provider !== null)?.provider
  return {
    ...(provider == null
      ? {}
      : {
          [`${id}Issuer`]: {
            Type: 'AWS::IAM::OIDCProvider',
            ...retained,
            Properties: { Url: provider.url, ClientIdList: [provider.clientId], Tags: tags },
          },
        }),
    [`${id}Role${sha256(role).toString('hex').slice(0, 8)}`]: {
      Type: 'AWS::IAM::Role',
      ...retained,
      Properties: {
        RoleName: name,
        Path: path,
        Description: `Sessions of tenant ${tenant}, opened by Mintmark`,
        MaxSessionDuration: sessionSeconds(config, role),
        PermissionsBoundary: isElsewhere ? { Ref: 'WorkloadBoundary' } : text(boundaryArn()),
        AssumeRolePolicyDocument: isRemoved ? closedTrust : trustOf(trusts),
        // What the role may do is its owner's to attach, under the boundary. A removed tenant's may do nothing.
        ...(isRemoved ? { ManagedPolicyArns: [isElsewhere ? { Ref: 'DenyAllPolicy' } : text(denyAllArn())] } : {}),
        Tags: tags,
      },
    },
  }
}
