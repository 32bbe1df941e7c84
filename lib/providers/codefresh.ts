// Codefresh pipelines (issuers.md §2.16, T17). One issuer for all accounts, and `aud` is the platform unless the job asks for
// another: once, 120 s. What started a run is told by which claims are there; a target branch means a pull request. Pure.
import type { Provider } from '../domain/provider.ts'
import { isCommonAudience, isOnHost } from './issuer-forms.ts'
import { claim, derived, runnerEnvironment } from './leaf-sources.ts'

const ISSUER = 'https://oidc.codefresh.io'
const AUDIENCE = 'https://g.codefresh.io'
const TARGET = 'scm_pull_request_target_branch'

export const codefresh: Provider = {
  name: 'codefresh',
  title: 'Codefresh',
  issuer: {
    exact: ISSUER,
    owns: (iss) => isOnHost(iss, 'oidc.codefresh.io'),
    accepts: (iss) => iss === ISSUER,
    shared: () => true,
    form: ISSUER,
  },
  algorithms: ['RS256'],
  maxAgeSeconds: 120,
  replay: 'once',
  audience: 'fixed',
  fixedAudience: () => AUDIENCE,
  defaultAudiences: (aud) => isCommonAudience(aud) || aud === AUDIENCE,
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': claim('account_id', 'immutable'),
    'org.name': claim('account_name', 'reusable'),
    'project.id': claim('pipeline_id', 'immutable'),
    'project.path': claim('scm_repo_url', 'reusable'),
    // A bare name: whether a branch or a tag, the token does not say.
    'ref.full': claim('scm_ref', 'mutable'),
    'ref.type': derived(['scm_ref', TARGET], 'mutable', (ref = null, target = null) =>
      target !== null ? 'pull_request' : ref === null ? null : 'other',
    ),
    'ref.name': claim('scm_ref', 'mutable'),
    'workflow.uri': claim('pipeline_name', 'reusable'),
    // Neither a ref nor a person: a schedule, or a trigger this preset does not know.
    'trigger.raw': derived(
      [TARGET, 'initiator', 'scm_ref'],
      'mutable',
      (target = null, initiator = null, ref = null) => {
        if (target !== null) return 'pull_request'
        if (initiator !== null) return 'manual'
        return ref === null ? null : 'push'
      },
    ),
    'run.id': claim('workflow_id', 'per_run'),
    'actor.id': claim('initiator', 'reusable'),
    'runner.class': runnerEnvironment,
  },
  triggers: { push: 'push', manual: 'manual', pull_request: 'pull_request' },
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: true,
  advice: [
    {
      leaves: ['project.path'],
      says: 'bind the repository (scm_repo_url), or any repository that triggers the pipeline has this grant',
    },
    {
      leaves: ['trigger.class', 'trigger.raw'],
      says: 'bind trigger.class: push, or whoever may start the pipeline by hand has this grant',
    },
  ],
}
