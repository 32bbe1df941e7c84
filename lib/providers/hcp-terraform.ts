// HCP Terraform and Terraform Enterprise (issuers.md §2.8, T7). One token per phase, used by every process of it: replay is
// 'reuse'. plan also runs on pull requests, so the phase is part of a grant. Pure.
import { claimAt } from '../domain/claims.ts'
import type { Provider } from '../domain/provider.ts'
import { refuse } from '../domain/refusal.ts'
import { ok } from '../domain/result.ts'
import { isCommonAudience, isHttpsIssuer, isOnHost } from './issuer-forms.ts'
import { claim, runnerUnknown } from './leaf-sources.ts'

const ISSUER = 'https://app.terraform.io'
const EU = 'https://app.eu.terraform.io'

const isOwn = (iss: string): boolean => isOnHost(iss, 'app.terraform.io') || isOnHost(iss, 'app.eu.terraform.io')

export const hcpTerraform: Provider = {
  name: 'hcp_terraform',
  title: 'HCP Terraform and Terraform Enterprise',
  issuer: {
    exact: ISSUER,
    owns: isOwn,
    accepts: (iss) => iss === ISSUER || iss === EU || (isHttpsIssuer(iss) && !isOwn(iss)),
    shared: isOwn,
    form: `${ISSUER}, ${EU}, or the https URL of a Terraform Enterprise`,
  },
  algorithms: ['RS256'],
  maxAgeSeconds: 3_600,
  replay: 'reuse',
  audience: 'configured',
  defaultAudiences: isCommonAudience,
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': claim('terraform_organization_id', 'immutable'),
    'org.name': claim('terraform_organization_name', 'reusable'),
    'project.id': claim('terraform_workspace_id', 'immutable'),
    'project.path': claim('terraform_full_workspace', 'reusable'),
    phase: claim('terraform_run_phase', 'mutable'),
    'run.id': claim('terraform_run_id', 'per_run'),
    'runner.class': runnerUnknown,
    'runner.pool': claim('terraform_project_id', 'immutable'),
  },
  triggers: null,
  // A module test has no workspace, and its phase is always plan (A33).
  check: (claims) =>
    typeof claimAt(claims, ['terraform_workspace_id']) === 'string' &&
    claimAt(claims, ['terraform_workspace_id']) !== ''
      ? ok(null)
      : refuse('claim_invalid', { claim: 'terraform_workspace_id', expected: 'a workspace' }),
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: false,
  advice: [
    {
      leaves: ['phase'],
      says: 'bind phase: apply, and give plan a grant that only reads: plan also runs on pull requests',
    },
    { leaves: ['org.id'], says: 'bind the organization id' },
  ],
}
