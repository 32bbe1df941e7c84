// GitLab CI/CD: gitlab.com, Dedicated and self-managed (issuers.md §2.2, T2). A fork merge request runs in the target's
// project with the fork's identity: the two project ids then differ, and the run is untrusted (A6). Pure.
import type { Provider } from '../domain/provider.ts'
import { isCommonAudience, isHttpsIssuer, isOnHost } from './issuer-forms.ts'
import { claim, definition, derived, runnerEnvironment, typed } from './leaf-sources.ts'

const PUBLIC = 'https://gitlab.com'

/**
 * HOST/group/project//path. No `@refs/` may be left in the file part: a branch named `x@refs/heads/main` would otherwise
 * lend its file the ref of the protected branch.
 */
const CONFIG_FILE = /^(?!.*@refs\/)[^/]+\/.+\/\/.+$/s

const config = definition('ci_config_ref_uri', CONFIG_FILE)

const isMergeRequestRef = (ref: unknown): boolean => typeof ref === 'string' && ref.startsWith('refs/merge-requests/')

export const gitlab: Provider = {
  name: 'gitlab',
  title: 'GitLab CI/CD',
  issuer: {
    exact: PUBLIC,
    owns: (iss) => isOnHost(iss, 'gitlab.com'),
    accepts: (iss) => iss === PUBLIC || (isHttpsIssuer(iss) && !isOnHost(iss, 'gitlab.com')),
    shared: (iss) => iss === PUBLIC,
    form: `${PUBLIC}, or the https URL of an instance exactly as its discovery document says it (a trailing slash counts)`,
  },
  algorithms: ['RS256'],
  maxAgeSeconds: 600,
  replay: 'once',
  audience: 'configured',
  defaultAudiences: isCommonAudience,
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': claim('namespace_id', 'immutable'),
    'org.name': claim('namespace_path', 'reusable'),
    'project.id': claim('project_id', 'immutable'),
    'project.path': claim('project_path', 'reusable'),
    'job_project.id': claim('job_project_id', 'immutable'),
    'ref.full': claim('ref_path', 'mutable'),
    'ref.type': derived(['ref_path', 'ref_type'], 'mutable', (ref = null, type = null) =>
      isMergeRequestRef(ref) ? 'pull_request' : type,
    ),
    'ref.name': claim('ref', 'mutable'),
    'ref.protected': typed('ref_protected', 'boolean-string', 'mutable'),
    'environment.name': claim('environment', 'mutable'),
    'environment.protected': typed('environment_protected', 'boolean-string', 'mutable'),
    'workflow.uri': config.uri,
    'workflow.ref': config.ref,
    'workflow.digest': claim('ci_config_sha', 'immutable'),
    'config.uri': config.uri,
    'config.ref': config.ref,
    'config.digest': claim('ci_config_sha', 'immutable'),
    commit: claim('sha', 'immutable'),
    'trigger.raw': claim('pipeline_source', 'mutable'),
    'run.id': claim('pipeline_id', 'per_run'),
    'run.job': claim('job_id', 'per_run'),
    'actor.id': claim('user_id', 'immutable'),
    'actor.name': claim('user_login', 'reusable'),
    'runner.class': runnerEnvironment,
    'runner.id': typed('runner_id', 'number', 'immutable'),
    visibility: claim('project_visibility', 'mutable'),
  },
  triggers: {
    push: 'push',
    schedule: 'schedule',
    ondemand_dast_scan: 'schedule',
    web: 'manual',
    chat: 'manual',
    webide: 'manual',
    api: 'api',
    trigger: 'api',
    container_registry_push: 'api',
    pipeline: 'upstream',
    parent_pipeline: 'upstream',
    merge_request_event: 'pull_request',
    external_pull_request_event: 'pull_request',
  },
  // A child pipeline of a merge request says parent_pipeline; its ref still says where the code came from.
  untrusted: (leaves) =>
    isMergeRequestRef(leaves['ref.full']) ||
    ((leaves['job_project.id'] ?? null) !== null && leaves['job_project.id'] !== leaves['project.id']),
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: true,
  advice: [
    {
      leaves: ['ref.protected'],
      says: 'bind ref.protected: true, or any developer of the project has this grant; instances older than the 2025 fork fix need it',
    },
    { leaves: ['org.id'], says: 'bind the namespace id too, so that a transferred project stops matching' },
    {
      leaves: ['ref.full', 'environment.protected'],
      says: 'an environment needs environment.protected: true beside it, or any job may name it',
    },
    { leaves: ['trigger.class', 'trigger.raw'], says: 'bind the pipeline sources that may use this grant' },
    {
      leaves: ['runner.class'],
      says: 'on gitlab.com bind runner.class: hosted, or a shared runner speaks for this job',
    },
    {
      leaves: ['config.uri', 'workflow.uri'],
      says: 'bind the CI file with its ref, or any included file has this grant',
    },
  ],
}
