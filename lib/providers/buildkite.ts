// Buildkite (issuers.md §2.4, T4). One issuer for all organizations; the job decides which optional claims are present, the
// platform decides their values. Branch, tag and commit are what the creator of the build typed. Pure.
import type { Provider } from '../domain/provider.ts'
import { isCommonAudience, isOnHost, isUuid } from './issuer-forms.ts'
import { claim, derived, refNameOf, runnerEnvironment } from './leaf-sources.ts'

const ISSUER = 'https://agent.buildkite.com'

/**
 * The id, else the slug. A slug that looks like an id is dropped: whoever names an organization after somebody's UUID and
 * leaves the id claim out would otherwise be that somebody (A4).
 */
const idOrSlug = (id: string | null, slug: string | null): string | null =>
  id ?? (slug !== null && isUuid(slug) ? null : slug)

/** A tag build carries a branch too; the tag is what it builds. */
const refOf = (branch: string | null, tag: string | null): string | null => {
  if (tag !== null) return `refs/tags/${tag}`
  return branch === null ? null : `refs/heads/${branch}`
}

export const buildkite: Provider = {
  name: 'buildkite',
  title: 'Buildkite',
  issuer: {
    exact: ISSUER,
    owns: (iss) => isOnHost(iss, 'agent.buildkite.com'),
    accepts: (iss) => iss === ISSUER,
    shared: () => true,
    form: ISSUER,
  },
  algorithms: ['RS256'],
  maxAgeSeconds: 300,
  // The job picks its lifetime; Buildkite's own registries cap it at 300 s too.
  lifetimeSecondsMax: 300,
  replay: 'once',
  audience: 'run',
  defaultAudiences: (aud) => isCommonAudience(aud) || aud.startsWith('https://buildkite.com/'),
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': derived(['organization_id', 'organization_slug'], 'reusable', (id = null, slug = null) =>
      idOrSlug(id, slug),
    ),
    'org.name': claim('organization_slug', 'reusable'),
    'project.id': derived(['pipeline_id', 'pipeline_slug'], 'reusable', (id = null, slug = null) => idOrSlug(id, slug)),
    'project.path': claim('pipeline_slug', 'reusable'),
    'ref.full': derived(['build_branch', 'build_tag'], 'mutable', (branch = null, tag = null) => refOf(branch, tag)),
    'ref.type': derived(['build_branch', 'build_tag'], 'mutable', (branch = null, tag = null) =>
      tag !== null ? 'tag' : branch === null ? null : 'branch',
    ),
    'ref.name': derived(['build_branch', 'build_tag'], 'mutable', (branch = null, tag = null) =>
      refNameOf(refOf(branch, tag)),
    ),
    'workflow.uri': claim('step_key', 'mutable'),
    commit: claim('build_commit', 'caller'),
    'trigger.raw': claim('build_source', 'mutable'),
    'run.id': {
      anyOf: [
        { claim: ['build_id'], mutability: 'per_run' },
        { claim: ['build_number'], as: 'number', mutability: 'per_run' },
      ],
      mutability: 'per_run',
    },
    'run.job': claim('job_id', 'per_run'),
    'runner.class': runnerEnvironment,
    'runner.id': claim('agent_id', 'per_run'),
    'runner.pool': claim('queue_id', 'immutable'),
  },
  triggers: { webhook: 'push', schedule: 'schedule', ui: 'manual', api: 'api', trigger_job: 'upstream' },
  workloadLeaf: 'project.id',
  isReusableWorkload: (value) => !isUuid(value),
  bindsRefOrEnvironment: true,
  advice: [
    {
      leaves: ['org.id'],
      says: 'bind the organization UUID; the job must ask for it with --claim organization_id,pipeline_id',
    },
    {
      leaves: ['trigger.class', 'trigger.raw'],
      says: 'bind webhook, schedule or trigger_job: ui and api builds name any branch for any commit',
    },
    { leaves: ['workflow.uri'], says: 'bind the step key, or every step of the pipeline has this grant' },
    { leaves: ['runner.pool'], says: 'bind the queue id; the pipeline must not build forks of third parties' },
  ],
}
