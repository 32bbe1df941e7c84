// What design §5 forbids over all tenants: a trust domain, an AWS account, a role ARN and a workload with a fixed audience
// belong to one tenant each. (That an `iss` of a preset is registered only through it is checked in compile-issuer.ts.) And
// the whole way from files to tenants. Pure.
import type { IssuerConfig } from '../domain/tenant-config.ts'
import { readStored } from './compile-stored.ts'
import { boundValues, type CompiledTenant, type CompileOptions, compileTenant } from './compile-tenant.ts'
import { brokenKeys } from './inline-keys.ts'
import { loadTenant } from './load-tenant.ts'
import type { LoadedTenant, TenantProblem } from './tenant-problem.ts'

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
): readonly TenantProblem[] => problemsBetween(tenants.map((tenant) => ownerOf(tenant, catalog)))

const problemsBetween = (all: readonly Owner[]): readonly TenantProblem[] => {
  const owners = new Map<string, LoadedTenant>()
  const problems: TenantProblem[] = []
  for (const { loaded, claims } of all)
    for (const { key, path, says } of claims) {
      const owner = owners.get(key) ?? loaded
      owners.set(key, owner)
      if (owner !== loaded)
        problems.push(
          loaded.problemAt(path, `${says} belongs to tenant "${owner.document.tenant}" already (${owner.file})`),
        )
    }
  return problems
}

/**
 * The same against what the store serves and no file names: a tenant that is missing from the files goes on, and what it has is not to be
 * had. One that does not pass the checks here may be served all the same, by a broker with the base URL it was applied for: what its
 * document says it has is its own. What no version of ours reads is not served.
 */
export const checkBesideStored = (
  tenants: readonly CompiledTenant[],
  stored: readonly Parameters<typeof readStored>[0][],
  options: CompileOptions,
): readonly TenantProblem[] => {
  const { catalog } = options
  const beside = stored.flatMap((version): readonly Owner[] => {
    const read = readStored(version)
    if (!read.ok) return []
    const compiled = compileTenant(read.loaded, { ...options, version: version.version })
    return [compiled.ok ? ownerOf(compiled.tenant, catalog) : { loaded: read.loaded, claims: claimsOf(read.loaded) }]
  })
  const files = new Set(tenants.map(({ loaded }) => loaded.file))
  return problemsBetween([...beside, ...tenants.map((tenant) => ownerOf(tenant, catalog))]).filter(({ file }) =>
    files.has(file),
  )
}

/** With what it has for itself alone. */
type Owner = { readonly loaded: LoadedTenant; readonly claims: readonly Claim[] }

const ownerOf = (tenant: CompiledTenant, catalog: CompileOptions['catalog']): Owner => ({
  loaded: tenant.loaded,
  claims: [...claimsOf(tenant.loaded), ...workloadsOf(tenant, catalog)],
})

type Claim = { readonly key: string; readonly path: readonly (string | number)[]; readonly says: string }

const claimsOf = ({ document }: LoadedTenant): Claim[] => {
  const { tenant, trust_domain: trustDomain, grants } = document
  const claims: Claim[] = [
    { key: `tenant ${tenant}`, path: ['tenant'], says: `the name ${tenant}` },
    { key: `trust domain ${trustDomain}`, path: ['trust_domain'], says: `the trust domain ${trustDomain}` },
  ]
  for (const [name, grant] of Object.entries(grants))
    grant.issue.forEach((entry, index) => {
      if (entry.type !== 'aws-credentials') return
      const account = entry.role.split(':')[4] ?? ''
      claims.push({
        key: `account ${account}`,
        path: ['grants', name, 'issue', index, 'role'],
        says: `the AWS account ${account}`,
      })
    })
  return claims
}

const workloadsOf = ({ config }: CompiledTenant, catalog: CompileOptions['catalog']): Claim[] => {
  const claims: Claim[] = []
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
