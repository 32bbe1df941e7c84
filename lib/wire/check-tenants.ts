// What design §5 forbids over all tenants: a trust domain, an AWS account, a role ARN and a workload with a fixed audience
// belong to one tenant each. (That an `iss` of a preset is registered only through it is checked in compile-issuer.ts.) And
// the whole way from files to tenants. Pure.
import type { IssuerConfig } from '../domain/tenant-config.ts'
import { readStored } from './compile-stored.ts'
import { boundValues, type CompiledTenant, type CompileOptions, compileTenant } from './compile-tenant.ts'
import { brokenKeys } from './inline-keys.ts'
import { loadTenant } from './load-tenant.ts'
import type { TenantProblem } from './tenant-problem.ts'

export type TenantSet = {
  /** Those without a problem of their own; apply nothing while there are problems. */
  readonly tenants: readonly CompiledTenant[]
  readonly problems: readonly TenantProblem[]
}

/** Loads, compiles and compares all documents. Problems in the order of the files. */
export const loadTenants = (
  files: readonly { readonly file: string; readonly text: string }[],
  options: CompileOptions,
): TenantSet => {
  const tenants: CompiledTenant[] = []
  const problems: TenantProblem[] = []
  for (const source of files) {
    const loaded = loadTenant(source)
    const compiled = loaded.ok ? compileTenant(loaded.loaded, options) : loaded
    const found = compiled.ok ? checkInlineKeys(compiled.tenant) : compiled.problems
    problems.push(...found)
    if (compiled.ok && found.length === 0) tenants.push(compiled.tenant)
  }
  return { tenants, problems: [...problems, ...checkTenants(tenants, options)] }
}

/** Only of documents that are loaded: one in the store is current, and a weak key in it verifies nothing anyhow. */
const checkInlineKeys = ({ config, loaded }: CompiledTenant): readonly TenantProblem[] =>
  config.issuers.flatMap(({ name, keys }) =>
    keys.kind === 'inline'
      ? brokenKeys(keys).map(({ index, says }) =>
          loaded.problemAt(['issuers', name, 'jwks', 'inline', 'keys', index], says),
        )
      : [],
  )

/** Problems between tenants, each reported at the later one. */
export const checkTenants = (
  tenants: readonly CompiledTenant[],
  { catalog }: Pick<CompileOptions, 'catalog'>,
): readonly TenantProblem[] => {
  const owners = new Map<string, CompiledTenant>()
  const problems: TenantProblem[] = []
  for (const tenant of tenants)
    for (const { key, path, says } of claimsOf(tenant, catalog)) {
      const owner = owners.get(key) ?? tenant
      owners.set(key, owner)
      if (owner !== tenant)
        problems.push(
          tenant.loaded.problemAt(
            path,
            `${says} belongs to tenant "${owner.config.tenant}" already (${owner.loaded.file})`,
          ),
        )
    }
  return problems
}

/**
 * The same against what the store serves and no file names: a tenant that is missing from the files goes on, and what it has is not to be
 * had. One that no longer passes the checks is not served.
 */
export const checkBesideStored = (
  tenants: readonly CompiledTenant[],
  stored: readonly Parameters<typeof readStored>[0][],
  options: CompileOptions,
): readonly TenantProblem[] => {
  const beside = stored.map((version) => readStored(version, options)).flatMap((read) => (read.ok ? [read.tenant] : []))
  const files = new Set(tenants.map(({ loaded }) => loaded.file))
  return checkTenants([...beside, ...tenants], options).filter(({ file }) => files.has(file))
}

type Claim = { readonly key: string; readonly path: readonly (string | number)[]; readonly says: string }

/** What a tenant has for itself alone. */
const claimsOf = ({ config, loaded }: CompiledTenant, catalog: CompileOptions['catalog']): Claim[] => {
  const claims: Claim[] = [
    { key: `tenant ${config.tenant}`, path: ['tenant'], says: `the name ${config.tenant}` },
    {
      key: `trust domain ${config.trustDomain}`,
      path: ['trust_domain'],
      says: `the trust domain ${config.trustDomain}`,
    },
  ]
  for (const [name, grant] of Object.entries(loaded.document.grants))
    grant.issue.forEach((entry, index) => {
      if (entry.type !== 'aws-credentials') return
      const account = entry.role.split(':')[4] ?? ''
      claims.push({
        key: `account ${account}`,
        path: ['grants', name, 'issue', index, 'role'],
        says: `the AWS account ${account}`,
      })
    })
  for (const issuer of config.issuers.filter((candidate) => isFixedAudience(config.issuerUrl, candidate)))
    for (const grant of config.grants.filter(({ from }) => from === issuer.name))
      for (const project of boundValues(grant, catalog[issuer.provider].workloadLeaf)) {
        // Whoever holds a token with this audience could show it to either tenant. The project id alone is the stricter key.
        claims.push({
          key: `workload ${issuer.issuer}\0${project}`,
          path: ['grants', grant.name, 'match', 'project.id'],
          says: `${project} of ${issuer.issuer}, whose audience is fixed,`,
        })
      }
  return claims
}

const isFixedAudience = (issuerUrl: string, { audience }: IssuerConfig): boolean =>
  audience !== issuerUrl && !audience.startsWith(`${issuerUrl}/`) && !audience.startsWith(`${issuerUrl}#`)
