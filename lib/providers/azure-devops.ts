// Azure DevOps Pipelines (issuers.md §2.6, T6). `aud` is fixed, so every relying party holds tokens it could show us: once,
// 120 s. A service connection (`sc://`) is not a pipeline and is refused. Pure.
import { claimAt } from '../domain/claims.ts'
import type { Provider } from '../domain/provider.ts'
import { refuse } from '../domain/refusal.ts'
import { ok } from '../domain/result.ts'
import { isOnHost, UUID } from './issuer-forms.ts'
import { claim, derived, joined, refNameOf, refTypeOf, runnerUnknown } from './leaf-sources.ts'

const ISSUER = new RegExp(`^https://vstoken\\.dev\\.azure\\.com/(${UUID})$`)
const PIPELINE_SUB = /^p:\/\/[^/]+\/[^/]+\/[^/]+$/
const AUDIENCE = 'api://AzureADTokenExchange'

export const azureDevops: Provider = {
  name: 'azure_devops',
  title: 'Azure DevOps Pipelines',
  issuer: {
    owns: (iss) => isOnHost(iss, 'vstoken.dev.azure.com'),
    accepts: (iss) => ISSUER.test(iss),
    shared: () => false,
    form: 'https://vstoken.dev.azure.com/<organization-guid>',
  },
  algorithms: ['RS256'],
  maxAgeSeconds: 120,
  replay: 'once',
  audience: 'fixed',
  fixedAudience: () => AUDIENCE,
  defaultAudiences: (aud) => aud === AUDIENCE,
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': claim('org_id', 'immutable'),
    'project.id': joined(['prj_id', 'def_id'], 'immutable'),
    'project.path': claim('rpo_id', 'reusable'),
    'ref.full': claim('rpo_ref', 'mutable'),
    'ref.type': derived(['rpo_ref'], 'mutable', (ref = null) => refTypeOf(ref)),
    'ref.name': derived(['rpo_ref'], 'mutable', (ref = null) => refNameOf(ref)),
    'workflow.uri': claim('sub', 'reusable'),
    commit: claim('rpo_ver', 'immutable'),
    'run.id': claim('run_id', 'per_run'),
    'runner.class': runnerUnknown,
  },
  triggers: null,
  // Whether forks are built is a setting of the pipeline; the ref of a pull request is all the token says of it.
  untrusted: (leaves) => leaves['ref.type'] === 'pull_request',
  check: (claims, iss) => {
    const sub = claimAt(claims, ['sub'])
    if (typeof sub !== 'string' || !PIPELINE_SUB.test(sub))
      return refuse('claim_invalid', { claim: 'sub', expected: 'p://organization/project/pipeline' })
    const org = ISSUER.exec(iss)?.[1]
    return org === undefined || claimAt(claims, ['org_id']) === org
      ? ok(null)
      : refuse('claim_invalid', { claim: 'org_id', expected: 'the organization in iss' })
  },
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: true,
  advice: [
    {
      leaves: ['project.path'],
      says: 'bind the repository (rpo_id), or any repository the pipeline can check out has this grant',
    },
    { leaves: ['ref.full'], says: 'bind the ref of a protected branch: forks may be built' },
  ],
}
