// Bitbucket Pipelines, Cloud (issuers.md §2.5, T5). The slug in `iss` may be renamed and taken by others: the workspace UUID
// is the tenancy. UUIDs come in braces and stay in braces. Pure.
import { claimAt } from '../domain/claims.ts'
import type { Provider } from '../domain/provider.ts'
import { refuse } from '../domain/refusal.ts'
import { ok } from '../domain/result.ts'
import { isCommonAudience, isOnHost, UUID } from './issuer-forms.ts'
import { claim, derived, runnerUnknown } from './leaf-sources.ts'

const ISSUER = /^https:\/\/api\.bitbucket\.org\/2\.0\/workspaces\/[A-Za-z0-9_-]+\/pipelines-config\/identity\/oidc$/
const BRACED = new RegExp(`^\\{${UUID}\\}$`)
const BRACED_CLAIMS = ['workspaceUuid', 'repositoryUuid', 'deploymentEnvironmentUuid'] as const

export const bitbucket: Provider = {
  name: 'bitbucket',
  title: 'Bitbucket Pipelines',
  issuer: {
    owns: (iss) => isOnHost(iss, 'api.bitbucket.org'),
    accepts: (iss) => ISSUER.test(iss),
    shared: () => false,
    form: 'https://api.bitbucket.org/2.0/workspaces/<workspace-slug>/pipelines-config/identity/oidc',
  },
  // Discovery answers only after the first run of a workspace; the key set is always there.
  jwksUrl: (iss) => `${iss}/keys.json`,
  algorithms: ['RS256'],
  maxAgeSeconds: 600,
  replay: 'once',
  audience: 'configured',
  defaultAudiences: (aud) => isCommonAudience(aud) || aud.startsWith('ari:cloud:bitbucket::workspace/'),
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': claim('workspaceUuid', 'immutable'),
    'project.id': claim('repositoryUuid', 'immutable'),
    'ref.full': derived(['branchName'], 'mutable', (name = null) => (name === null ? null : `refs/heads/${name}`)),
    // Tag and pull request pipelines cannot be told from branch ones: the type is never 'branch'.
    'ref.type': derived(['branchName'], 'mutable', (name = null) => (name === null ? null : 'other')),
    'ref.name': claim('branchName', 'mutable'),
    'environment.id': claim('deploymentEnvironmentUuid', 'immutable'),
    'run.id': claim('pipelineUuid', 'per_run'),
    'run.job': claim('stepUuid', 'per_run'),
    'actor.id': claim('accountUuid', 'immutable'),
    'runner.class': runnerUnknown,
  },
  triggers: null,
  // A UUID without its braces is another text, and a verifier that strips them sees two workspaces as one.
  check: (claims) => {
    for (const name of BRACED_CLAIMS) {
      const value = claimAt(claims, [name])
      if (typeof value === 'string' && value !== '' && !BRACED.test(value))
        return refuse('claim_invalid', { claim: name, expected: 'a UUID in braces' })
    }
    return ok(null)
  },
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: true,
  advice: [
    {
      leaves: ['org.id'],
      says: 'bind the workspace UUID (or set org_id): the slug in the issuer can be renamed and taken by others',
    },
    {
      leaves: ['environment.id'],
      says: 'bind the deployment environment UUID: a branch name cannot be told from a tag or a pull request',
    },
  ],
}
