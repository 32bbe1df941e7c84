// Why a past request was decided as it was: its conditions judged again, under the configuration version it was decided under,
// on the normalized leaves its record keeps.
import { evaluateGrants } from '../domain/decide.ts'
import { type Explanation, explainGrants } from '../domain/explain.ts'
import type { StoredDecision } from '../domain/grant-record.ts'
import type { TenantConfig } from '../domain/tenant-config.ts'
import { WID_LEAF_NAMES, type Wid } from '../domain/wid.ts'
import type { ConfigVersion, TenantConfigStore } from '../ports/tenants.ts'

export type ExplainPorts = {
  readonly configs: Pick<TenantConfigStore, 'version'>
  /** Null: the version no longer passes the checks. */
  readonly compile: (version: ConfigVersion) => TenantConfig | null
}

/** Null where there is nothing to judge: no verified evidence, or a version that cannot be compiled. */
export const explainDecision = async (ports: ExplainPorts, found: StoredDecision): Promise<Explanation | null> => {
  if (found.kind === 'rolled_up') return null
  const about =
    found.kind === 'allow' ? { ...found.record, issuerName: found.record.evidence.issuerName } : found.denial
  const { wid: kept, issuerName, configVersion } = about
  if (kept === null || issuerName === null || configVersion === null) return null
  const version = await ports.configs.version(about.tenant, configVersion)
  const config = version === null ? null : ports.compile(version)
  if (config === null) return null
  const wid = Object.fromEntries(WID_LEAF_NAMES.map((leaf) => [leaf, kept[leaf] ?? null])) as Wid
  return explainGrants(evaluateGrants(config, issuerName, wid), wid)
}
