// GitHub Actions: github.com, enterprise slug, GHE.com and GHES (issuers.md §2.1, T1). Ids are bound, never `sub`, which is
// customisable and made of names. Every claim is a string. Pure.
import type { Provider } from '../domain/provider.ts'
import { ACTIONS_EVENTS } from './actions-events.ts'
import { isCommonAudience, isHttpsIssuer, isOnHost } from './issuer-forms.ts'
import { claim, definition, derived, refNameOf, runnerEnvironment, typed } from './leaf-sources.ts'

const PUBLIC = 'https://token.actions.githubusercontent.com'
const SLUG = /^https:\/\/token\.actions\.githubusercontent\.com\/[A-Za-z0-9][A-Za-z0-9_-]*$/
const GHE = /^https:\/\/token\.actions\.[a-z0-9-]+\.ghe\.com(?:\/[A-Za-z0-9][A-Za-z0-9_-]*)?$/

/** A workflow file of a repository; `[^/]+` in the last place is what keeps a ref from hiding in the file name. */
const WORKFLOW_FILE = /^[^/]+\/[^/]+\/\.github\/workflows\/[^/]+\.ya?ml$/

const job = definition('job_workflow_ref', WORKFLOW_FILE)
const top = definition('workflow_ref', WORKFLOW_FILE)

export const github: Provider = {
  name: 'github',
  title: 'GitHub Actions',
  issuer: {
    exact: PUBLIC,
    owns: (iss) =>
      isOnHost(iss, 'token.actions.githubusercontent.com') || /^https:\/\/[^/]+\.ghe\.com(?:\/|$)/.test(iss),
    accepts: (iss) =>
      iss === PUBLIC ||
      SLUG.test(iss) ||
      GHE.test(iss) ||
      (isHttpsIssuer(iss) && /^https:\/\/[^/]+\/_services\/token$/.test(iss)),
    shared: (iss) => iss === PUBLIC,
    form: `${PUBLIC}, ${PUBLIC}/<enterprise-slug>, https://token.actions.<subdomain>.ghe.com[/<slug>] or https://HOST/_services/token`,
  },
  algorithms: ['RS256'],
  maxAgeSeconds: 300,
  replay: 'once',
  audience: 'run',
  defaultAudiences: (aud) => isCommonAudience(aud) || aud.startsWith('https://github.com/'),
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': claim('repository_owner_id', 'immutable'),
    'org.name': claim('repository_owner', 'reusable'),
    'project.id': claim('repository_id', 'immutable'),
    'project.path': claim('repository', 'reusable'),
    'ref.full': claim('ref', 'mutable'),
    // ref_type says "branch" for refs/pull/N/merge; only the prefix tells that it is not one.
    'ref.type': derived(['ref', 'ref_type'], 'mutable', (ref = null, type = null) =>
      ref?.startsWith('refs/pull/') ? 'pull_request' : type,
    ),
    'ref.name': derived(['ref'], 'mutable', (ref = null) => refNameOf(ref)),
    'ref.protected': typed('ref_protected', 'boolean-string', 'mutable'),
    'environment.name': claim('environment', 'mutable'),
    'environment.id': claim('environment_node_id', 'immutable'),
    'workflow.uri': job.uri,
    'workflow.ref': job.ref,
    'workflow.digest': claim('job_workflow_sha', 'immutable'),
    'config.uri': top.uri,
    'config.ref': top.ref,
    'config.digest': claim('workflow_sha', 'immutable'),
    commit: claim('sha', 'immutable'),
    'trigger.raw': claim('event_name', 'mutable'),
    'run.id': claim('run_id', 'per_run'),
    'run.attempt': claim('run_attempt', 'per_run'),
    'run.job': claim('check_run_id', 'per_run'),
    'actor.id': claim('actor_id', 'immutable'),
    'actor.name': claim('actor', 'reusable'),
    'runner.class': runnerEnvironment,
    visibility: claim('repository_visibility', 'mutable'),
  },
  triggers: ACTIONS_EVENTS,
  untrusted: (leaves) => String(leaves['ref.full']).startsWith('refs/pull/'),
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: true,
  advice: [
    { leaves: ['org.id'], says: 'bind the owner id too, so that a transferred repository stops matching' },
    {
      leaves: ['runner.class'],
      says: 'bind runner.class: hosted, or anyone with code on a shared self-hosted runner can ask in the name of this job',
    },
    {
      leaves: ['config.uri', 'workflow.uri'],
      says: 'bind the workflow file, or every workflow of the repository has this grant',
    },
    {
      leaves: ['ref.protected', 'environment.name'],
      says: 'bind ref.protected: true or an environment with reviewers, or anyone who can push has this grant; a tag rule needs a tag ruleset',
    },
    { leaves: ['visibility'], says: 'bind visibility, or a repository made public keeps this grant' },
  ],
}
