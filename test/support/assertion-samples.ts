// The samples of events/assertions, and for every provider the safe template of issuers.md §3 in leaves of wid/1 with the
// attacks of §4 that it must stop. Shared by the preset tests and by the decision tests. Longer than 300 lines: one table.
import { readdirSync, readFileSync } from 'node:fs'
import type { JsonObject, JsonValue } from '../../lib/domain/claims.ts'
import type { ClaimMapping } from '../../lib/domain/normalize.ts'
import type { ProviderName, WidLeaf } from '../../lib/domain/wid.ts'

const FOLDER = new URL('../../events/assertions/', import.meta.url)

export type Sample = {
  readonly provider: ProviderName
  readonly description: string
  readonly header: JsonObject
  readonly claims: JsonObject
}

/** Names of all samples: the file names without .json. */
export const SAMPLE_NAMES: readonly string[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length))
  .sort()

/** One sample, with null-prototype objects as the strict parser makes them. */
export const sample = (name: string): Sample => {
  const read: Sample = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'))
  return { ...read, header: bare(read.header) as JsonObject, claims: bare(read.claims) as JsonObject }
}

const bare = (value: JsonValue): JsonValue => {
  if (Array.isArray(value)) return value.map(bare)
  if (typeof value !== 'object' || value === null) return value
  return Object.assign(Object.create(null), Object.fromEntries(Object.entries(value).map(([k, v]) => [k, bare(v)])))
}

/** Claims a test may change. */
export type Claims = { [name: string]: unknown }

/** A deep copy of the claims of a sample, changed by `mutate`. */
export const mutated = (claims: JsonObject, mutate: (claims: Claims) => void): JsonObject => {
  const copy = bare(structuredClone({ ...claims }) as JsonObject) as Claims
  mutate(copy)
  return copy as JsonObject
}

export type Attack = {
  readonly name: string
  readonly mutate: (claims: Claims) => void
  /** refused: check, normalize or the tenancy value says no. no_match: untrusted, or a line of the grant does not hold. */
  readonly expect: 'refused' | 'no_match'
}

export type SafeTemplate = {
  /** The sample it accepts. */
  readonly sample: string
  readonly match: { readonly [leaf in WidLeaf]?: string | readonly string[] | { readonly glob: string } | boolean }
  /** The tenancy value of a shared issuer. */
  readonly org_id: string | null
  /** `claims:` of the document, for the generic preset. */
  readonly mapping?: ClaimMapping
  readonly attacks: readonly Attack[]
}

const attack = (name: string, expect: Attack['expect'], mutate: Attack['mutate']): Attack => ({ name, expect, mutate })

/** Sets top-level claims; undefined deletes. */
const set =
  (changes: Claims): Attack['mutate'] =>
  (claims) => {
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) delete claims[name]
      else claims[name] = value
    }
  }

const inside =
  (member: string, changes: Claims): Attack['mutate'] =>
  (claims) =>
    set(changes)(claims[member] as Claims)

const CIRCLE = 'oidc.circleci.com/'
const KUBE = 'kubernetes.io'
const AWS = 'https://sts.amazonaws.com/'
const renderSub = (workspace: string, environment: string, service: string): string =>
  `workspace:${workspace}:environment:${environment}:service:${service}`

export const safeTemplates: Readonly<Record<ProviderName, SafeTemplate>> = {
  github: {
    sample: 'github',
    org_id: '1234567',
    match: {
      'org.id': '1234567',
      'project.id': '7654321',
      'ref.full': 'refs/heads/main',
      'ref.protected': true,
      'environment.name': 'production',
      'workflow.uri': 'acme/ci/.github/workflows/release.yml',
      'workflow.ref': 'refs/tags/v3',
      'config.uri': 'acme/api/.github/workflows/deploy.yml',
      'config.ref': 'refs/heads/main',
      'runner.class': 'hosted',
      'trigger.raw': ['push', 'release', 'workflow_dispatch', 'schedule', 'deployment', 'merge_group'],
    },
    attacks: [
      attack('A7: pull_request_target on the default branch', 'no_match', set({ event_name: 'pull_request_target' })),
      attack('A7: workflow_run on the default branch', 'no_match', set({ event_name: 'workflow_run' })),
      attack('A7: issue_comment on the default branch', 'no_match', set({ event_name: 'issue_comment' })),
      attack('an event GitHub adds tomorrow', 'no_match', set({ event_name: 'agent_session' })),
      attack('no event at all', 'no_match', set({ event_name: undefined })),
      attack('a pull request', 'no_match', set({ ref: 'refs/pull/7/merge', event_name: 'pull_request' })),
      attack('a pull request ref under a trusted event', 'no_match', set({ ref: 'refs/pull/7/merge' })),
      attack('A3: the same names under another owner id', 'refused', set({ repository_owner_id: '6666666' })),
      attack('A3: the same names under another repository id', 'no_match', set({ repository_id: '6666666' })),
      attack('the owner id is missing', 'refused', set({ repository_owner_id: undefined })),
      attack('A27: the repository id as a number', 'refused', set({ repository_id: 7_654_321 })),
      attack('A27: ref_protected as a boolean', 'refused', set({ ref_protected: true })),
      attack('A27: the environment as an array', 'refused', set({ environment: ['production'] })),
      attack('A28: no environment', 'no_match', set({ environment: undefined })),
      attack('A27: a homoglyph in the environment', 'no_match', set({ environment: 'pr\u043Eduction' })),
      attack('the environment in capitals', 'no_match', set({ environment: 'Production' })),
      attack('a tag named like the branch', 'no_match', set({ ref: 'refs/tags/main', ref_type: 'tag' })),
      attack(
        'the called workflow from a branch',
        'no_match',
        set({ job_workflow_ref: 'acme/ci/.github/workflows/release.yml@refs/heads/v3' }),
      ),
      attack(
        'a branch named to end like the release',
        'no_match',
        set({ job_workflow_ref: 'acme/ci/.github/workflows/release.yml@refs/heads/x.yml@refs/tags/v3' }),
      ),
      attack('A31: a self-hosted runner', 'no_match', set({ runner_environment: 'self-hosted' })),
    ],
  },
  gitlab: {
    sample: 'gitlab',
    org_id: '9001',
    match: {
      'project.id': '20',
      'job_project.id': '20',
      'ref.full': 'refs/heads/main',
      'ref.protected': true,
      'environment.name': 'production',
      'environment.protected': true,
      'trigger.raw': ['push', 'web', 'schedule', 'api', 'pipeline', 'trigger'],
      'runner.class': 'hosted',
      'config.uri': 'gitlab.com/acme/api//.gitlab-ci.yml',
      'config.ref': 'refs/heads/main',
    },
    attacks: [
      attack(
        'A6: a fork merge request: the target runs, the fork is named',
        'refused',
        set({ namespace_id: '6666', project_id: '31337', pipeline_source: 'merge_request_event' }),
      ),
      attack('A6: the project of the job differs', 'no_match', set({ job_project_id: '31337' })),
      attack(
        'A6: an old instance: the target identity in a merge request',
        'no_match',
        set({ job_project_id: undefined, pipeline_source: 'merge_request_event', ref_protected: 'false' }),
      ),
      attack(
        'a child pipeline of a merge request',
        'no_match',
        set({ pipeline_source: 'parent_pipeline', ref_path: 'refs/merge-requests/7/head' }),
      ),
      attack('A5: the project was transferred', 'refused', set({ namespace_id: '9002' })),
      attack('the namespace id is missing', 'refused', set({ namespace_id: undefined })),
      attack('an unprotected ref', 'no_match', set({ ref_protected: 'false' })),
      attack('A27: ref_protected as a boolean', 'refused', set({ ref_protected: true })),
      attack('A28: no ref_protected', 'no_match', set({ ref_protected: undefined })),
      attack('A27: the project id as a number', 'refused', set({ project_id: 20 })),
      attack('A27: runner_id beyond 2^53', 'refused', set({ runner_id: 2 ** 53 })),
      attack('an unprotected environment', 'no_match', set({ environment_protected: 'false' })),
      attack(
        'a branch named to end like main',
        'no_match',
        set({ ci_config_ref_uri: 'gitlab.com/acme/api//.gitlab-ci.yml@refs/heads/x@refs/heads/main' }),
      ),
      attack('a pipeline source GitLab adds tomorrow', 'no_match', set({ pipeline_source: 'duo_workflow' })),
    ],
  },
  circleci: {
    sample: 'circleci-root',
    org_id: '3f2a6c1e-0d4b-4f5a-9a77-1c2d3e4f5a6b',
    match: {
      'org.id': '3f2a6c1e-0d4b-4f5a-9a77-1c2d3e4f5a6b',
      'project.id': '88bd1c9a-2b3c-4d5e-8f90-a1b2c3d4e5f6',
      'project.path': 'github.com/acme/api',
      'ref.full': 'refs/heads/main',
      'workflow.uri': 'aa10b2c3-d4e5-4f60-8172-93a4b5c6d7e8',
    },
    attacks: [
      attack('A32: an SSH rerun', 'no_match', set({ [`${CIRCLE}ssh-rerun`]: true })),
      attack('A27: ssh-rerun as a string', 'refused', set({ [`${CIRCLE}ssh-rerun`]: 'false' })),
      attack('A28: no ssh-rerun', 'no_match', set({ [`${CIRCLE}ssh-rerun`]: undefined })),
      attack(
        'another organization at the root issuer',
        'refused',
        set({ [`${CIRCLE}org-id`]: '66666666-0d4b-4f5a-9a77-1c2d3e4f5a6b' }),
      ),
      attack('no organization at the root issuer', 'refused', set({ [`${CIRCLE}org-id`]: undefined })),
      attack('a fork: the origin is the fork', 'no_match', set({ [`${CIRCLE}vcs-origin`]: 'github.com/mallory/api' })),
      attack(
        'a custom webhook: no origin and no ref',
        'no_match',
        set({ [`${CIRCLE}vcs-origin`]: undefined, [`${CIRCLE}vcs-ref`]: undefined }),
      ),
      attack('a pull request ref', 'no_match', set({ [`${CIRCLE}vcs-ref`]: 'refs/pull/7/head' })),
      attack('another project', 'no_match', set({ [`${CIRCLE}project-id`]: '66666666-2b3c-4d5e-8f90-a1b2c3d4e5f6' })),
    ],
  },
  buildkite: {
    sample: 'buildkite',
    org_id: '018a1f2e-3d4c-7b5a-8697-a8b9c0d1e2f3',
    match: {
      'project.id': '018b2a3f-4e5d-7c6b-9708-b9cad1e2f304',
      'ref.full': 'refs/heads/main',
      'trigger.raw': ['webhook', 'schedule', 'trigger_job'],
      'workflow.uri': 'deploy',
      'runner.pool': '018d4c51-607f-7e8d-992a-dbecf3041526',
    },
    attacks: [
      attack('the job left the organization id out', 'refused', set({ organization_id: undefined })),
      attack(
        'A4: an organization whose slug is our id',
        'refused',
        set({ organization_id: undefined, organization_slug: '018a1f2e-3d4c-7b5a-8697-a8b9c0d1e2f3' }),
      ),
      attack(
        'A4: a pipeline whose slug is our id',
        'no_match',
        set({ pipeline_id: undefined, pipeline_slug: '018b2a3f-4e5d-7c6b-9708-b9cad1e2f304' }),
      ),
      attack('the organization id of the wrong type, beside our slug', 'refused', set({ organization_id: 7 })),
      attack('a build made by hand, which names any branch', 'no_match', set({ build_source: 'ui' })),
      attack('a tag named like the branch', 'no_match', set({ build_tag: 'main' })),
      attack('another step', 'no_match', set({ step_key: 'test' })),
      attack('a source Buildkite adds tomorrow', 'no_match', set({ build_source: 'agent' })),
    ],
  },
  bitbucket: {
    sample: 'bitbucket',
    org_id: '{22222222-3333-4444-8555-666677778888}',
    match: {
      'org.id': '{22222222-3333-4444-8555-666677778888}',
      'project.id': '{7c2d4e6f-8091-4a2b-8c3d-4e5f60718293}',
      'environment.id': '{44444444-5555-4666-8777-888899990000}',
    },
    attacks: [
      attack(
        'the slug was taken by another workspace',
        'refused',
        set({ workspaceUuid: '{66666666-3333-4444-8555-666677778888}' }),
      ),
      attack('no workspace', 'refused', set({ workspaceUuid: undefined })),
      attack(
        'the repository without braces',
        'refused',
        set({ repositoryUuid: '7c2d4e6f-8091-4a2b-8c3d-4e5f60718293' }),
      ),
      attack('another repository', 'no_match', set({ repositoryUuid: '{66666666-8091-4a2b-8c3d-4e5f60718293}' })),
      attack('A28: no deployment environment', 'no_match', set({ deploymentEnvironmentUuid: undefined })),
    ],
  },
  azure_devops: {
    sample: 'azure-devops',
    org_id: '9d4b1c2d-3e4f-4a5b-8c6d-7e8f90a1b2c3',
    match: {
      'org.id': '9d4b1c2d-3e4f-4a5b-8c6d-7e8f90a1b2c3',
      'project.id': '51aa2b3c-4d5e-4f60-8718-293a4b5c6d7e/12',
      'project.path': 'acme/api',
      'ref.full': 'refs/heads/main',
    },
    attacks: [
      attack('a service connection', 'refused', set({ sub: 'sc://acme/payments/deploy-prod' })),
      attack('a sub of four segments', 'refused', set({ sub: 'p://acme/payments/deploy-prod/x' })),
      attack('a sub of two segments', 'refused', set({ sub: 'p://acme/payments' })),
      attack(
        'another organization under this issuer',
        'refused',
        set({ org_id: '66666666-3e4f-4a5b-8c6d-7e8f90a1b2c3' }),
      ),
      attack('another pipeline of the project', 'no_match', set({ def_id: '13' })),
      attack(
        'A29: the delimiter smuggled into an id',
        'no_match',
        set({ prj_id: '51aa2b3c-4d5e-4f60-8718-293a4b5c6d7e/12', def_id: undefined }),
      ),
      attack('A27: def_id as a number', 'refused', set({ def_id: 12 })),
      attack('a pull request', 'no_match', set({ rpo_ref: 'refs/pull/7/merge' })),
      attack('another repository', 'no_match', set({ rpo_id: 'mallory/api' })),
    ],
  },
  jenkins: {
    sample: 'jenkins',
    org_id: null,
    match: { 'project.id': 'https://jenkins.acme.example/job/payments/job/deploy/' },
    attacks: [
      attack(
        'a multibranch job of a pull request',
        'no_match',
        set({ sub: 'https://jenkins.acme.example/job/payments/job/deploy/job/PR-12/' }),
      ),
      attack(
        'a job below the one bound',
        'no_match',
        set({ sub: 'https://jenkins.acme.example/job/payments/job/deploy/job/x/' }),
      ),
      attack('A27: build_number as a string', 'refused', set({ build_number: '41' })),
    ],
  },
  hcp_terraform: {
    sample: 'hcp-terraform',
    org_id: 'org-AbC123',
    match: { 'org.id': 'org-AbC123', 'project.id': 'ws-9', phase: 'apply' },
    attacks: [
      attack('A33: a plan', 'no_match', set({ terraform_run_phase: 'plan' })),
      attack(
        'A33: a module test, without workspace',
        'refused',
        set({ terraform_workspace_id: undefined, terraform_run_phase: 'plan' }),
      ),
      attack('an empty workspace', 'refused', set({ terraform_workspace_id: '' })),
      attack('A3: the same names in another organization', 'refused', set({ terraform_organization_id: 'org-Evil99' })),
      attack('A2: a workspace whose id begins like ours', 'no_match', set({ terraform_workspace_id: 'ws-99' })),
      attack('a phase HashiCorp adds tomorrow', 'no_match', set({ terraform_run_phase: 'apply2' })),
    ],
  },
  spacelift: {
    sample: 'spacelift',
    org_id: null,
    match: { 'project.id': 'prod-01HX8Z/api-prod', 'workflow.uri': 'stack', 'trigger.raw': 'TRACKED' },
    attacks: [
      attack('A33: a proposed run, code of a pull request', 'no_match', set({ runType: 'PROPOSED' })),
      attack('A32: a task, any command', 'no_match', set({ runType: 'TASK' })),
      attack('a testing run', 'no_match', set({ runType: 'TESTING' })),
      attack('no run type', 'no_match', set({ runType: undefined })),
      attack('a module named like the stack', 'no_match', set({ callerType: 'module' })),
      attack('the stack slug in another space', 'no_match', set({ spaceId: 'dev-01HX8Z' })),
      attack(
        'A29: the delimiter smuggled into the slug',
        'no_match',
        set({ spaceId: undefined, callerId: 'prod-01HX8Z/api-prod' }),
      ),
    ],
  },
  gcp: {
    sample: 'gcp',
    org_id: null,
    match: {
      'org.id': '739419398126',
      'project.id': '104857600000000000001',
      'project.path': 'deployer@acme-prod.iam.gserviceaccount.com',
      'instance.id': '152986662232938449',
    },
    attacks: [
      attack('A11: any other Google identity', 'no_match', set({ sub: '104857600000000000002' })),
      attack('the e-mail made again, with another sub', 'no_match', set({ sub: '999' })),
      attack('a sub that is no number', 'refused', set({ sub: 'deployer@acme-prod.iam.gserviceaccount.com' })),
      attack('an e-mail nobody verified', 'refused', set({ email_verified: false })),
      attack('A27: email_verified as a string', 'refused', set({ email_verified: 'true' })),
      attack('email_verified is missing', 'refused', set({ email_verified: undefined })),
      attack('not from a virtual machine', 'no_match', set({ google: undefined })),
    ],
  },
  aws: {
    sample: 'aws',
    org_id: '123456789012',
    match: {
      'org.id': '123456789012',
      'project.id': 'arn:aws:iam::123456789012:role/deployer',
      'instance.id': 'arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc123def4567890',
    },
    attacks: [
      attack('another account', 'refused', inside(AWS, { aws_account: '666666666666' })),
      attack('the account is missing', 'refused', inside(AWS, { aws_account: undefined })),
      attack('A27: the account as a number', 'refused', inside(AWS, { aws_account: 123_456_789_012 })),
      attack('a look-alike of the nested member', 'refused', (claims) => {
        claims['https://sts.amazonaws.com'] = claims[AWS]
        delete claims[AWS]
      }),
      attack(
        'A34: the account and instance in request_tags',
        'refused',
        set({ [AWS]: { request_tags: { aws_account: '123456789012' } } }),
      ),
      attack('another role of the account', 'no_match', set({ sub: 'arn:aws:iam::123456789012:role/deployer2' })),
      attack('a role of the same name elsewhere', 'refused', set({ sub: 'arn:aws:iam::666666666666:role/deployer' })),
      attack('no source instance', 'no_match', inside(AWS, { ec2_source_instance_arn: undefined })),
    ],
  },
  azure: {
    sample: 'azure',
    org_id: '11111111-aaaa-4bbb-8ccc-dddddddddddd',
    match: {
      'org.id': '11111111-aaaa-4bbb-8ccc-dddddddddddd',
      'project.id': '44444444-aaaa-4bbb-8ccc-dddddddddddd',
    },
    attacks: [
      attack(
        'A15: the shared keys sign for another tenant',
        'refused',
        set({ tid: '66666666-aaaa-4bbb-8ccc-dddddddddddd' }),
      ),
      attack('no tid', 'refused', set({ tid: undefined })),
      attack('another identity with our subject', 'no_match', set({ oid: '66666666-aaaa-4bbb-8ccc-dddddddddddd' })),
      attack('a person, not a workload', 'refused', set({ idtyp: 'user' })),
    ],
  },
  kubernetes: {
    sample: 'kubernetes',
    org_id: null,
    match: { 'project.id': '1a2b3c4d-5e6f-4071-8283-94a5b6c7d8e9', 'project.path': 'payments/deployer' },
    attacks: [
      attack(
        'A38: the account made again with the same name',
        'no_match',
        inside(KUBE, { serviceaccount: { name: 'deployer', uid: '66666666-5e6f-4071-8283-94a5b6c7d8e9' } }),
      ),
      attack('A38: a legacy token', 'refused', set({ 'kubernetes.io/serviceaccount/namespace': 'payments' })),
      attack('minted by hand, without a pod', 'refused', inside(KUBE, { pod: undefined })),
      attack('a sub of another account', 'refused', set({ sub: 'system:serviceaccount:payments:other' })),
      attack('a sub of a person', 'refused', set({ sub: 'admin' })),
      attack('A29: a colon moved from name to namespace', 'refused', (claims) => {
        claims['sub'] = 'system:serviceaccount:a:b:c'
        inside(KUBE, { namespace: 'a:b', serviceaccount: { name: 'c', uid: '1a2b3c4d-5e6f-4071-8283-94a5b6c7d8e9' } })(
          claims,
        )
      }),
      attack('no kubernetes.io at all', 'refused', set({ [KUBE]: undefined })),
      attack(
        'A27: the uid as an array',
        'refused',
        inside(KUBE, { serviceaccount: { name: 'deployer', uid: ['1a2b3c4d-5e6f-4071-8283-94a5b6c7d8e9'] } }),
      ),
    ],
  },
  spiffe: {
    sample: 'spiffe',
    org_id: 'prod.acme.example',
    match: { 'org.id': 'prod.acme.example', 'project.id': 'spiffe://prod.acme.example/ns/payments/sa/deployer' },
    attacks: [
      attack(
        'A15: this bundle signs for another trust domain',
        'refused',
        set({ sub: 'spiffe://evil.example/ns/payments/sa/deployer' }),
      ),
      attack('a longer last segment', 'no_match', set({ sub: 'spiffe://prod.acme.example/ns/payments/sa/deployer2' })),
      attack('no path', 'refused', set({ sub: 'spiffe://prod.acme.example' })),
      attack('a dot segment', 'refused', set({ sub: 'spiffe://prod.acme.example/ns/x/../payments/sa/deployer' })),
      attack('an empty segment', 'refused', set({ sub: 'spiffe://prod.acme.example//ns/payments/sa/deployer' })),
      attack('percent-encoding', 'refused', set({ sub: 'spiffe://prod.acme.example/ns/payments/sa/%64eployer' })),
      attack(
        'a port and a user',
        'refused',
        set({ sub: 'spiffe://prod.acme.example@evil.example:1/ns/payments/sa/deployer' }),
      ),
      attack(
        'the trust domain in capitals',
        'refused',
        set({ sub: 'spiffe://PROD.acme.example/ns/payments/sa/deployer' }),
      ),
    ],
  },
  forgejo: {
    sample: 'forgejo',
    org_id: null,
    match: { 'org.id': '12', 'project.id': '34', 'ref.full': 'refs/heads/main', 'trigger.raw': ['push', 'schedule'] },
    attacks: [
      attack(
        'A4: the hyphen form of sub says our ids',
        'no_match',
        set({
          repository_id: '99',
          repository_owner_id: '98',
          repository_owner: 'acme-12',
          repository: 'acme-12/api-34',
        }),
      ),
      attack('A7: pull_request_target', 'no_match', set({ event_name: 'pull_request_target' })),
      attack('a pull request', 'no_match', set({ event_name: 'pull_request', ref: 'refs/pull/3/head' })),
      attack('another owner', 'no_match', set({ repository_owner_id: '13' })),
      attack('no event', 'no_match', set({ event_name: undefined })),
      attack('A27: the repository id as a number', 'refused', set({ repository_id: 34 })),
    ],
  },
  vercel: {
    sample: 'vercel',
    org_id: 'team_7Gw5ZMBpQA8h9GF832KGp7nw',
    match: {
      'org.id': 'team_7Gw5ZMBpQA8h9GF832KGp7nw',
      'project.id': 'prj_QmycKd3k5T8wYxV1nLr9bHsE',
      'environment.name': 'production',
    },
    attacks: [
      attack('A15: the shared keys sign for another team', 'refused', set({ owner_id: 'team_evil' })),
      attack('no team', 'refused', set({ owner_id: undefined })),
      attack('a preview of unreviewed code', 'no_match', set({ environment: 'preview' })),
      attack('A32: a token of a laptop', 'no_match', set({ environment: 'development' })),
      attack('A28: no environment', 'no_match', set({ environment: undefined })),
      attack('another project', 'no_match', set({ project_id: 'prj_evil' })),
    ],
  },
  fly: {
    sample: 'fly',
    org_id: '5501',
    match: {
      'org.id': '5501',
      'project.id': '8123',
      'instance.image': 'sha256:9c1d2e3f405162738495a6b7c8d9eaf0b1c2d3e4f5061728394a5b6c7d8e9f01',
    },
    attacks: [
      attack('the slug was taken by another organization', 'refused', set({ org_id: '6666' })),
      attack('an app of the same name', 'no_match', set({ app_id: '6666' })),
      attack('another image', 'no_match', set({ image_digest: 'sha256:00' })),
      attack('A27: the app id as a number', 'refused', set({ app_id: 8123 })),
    ],
  },
  render: {
    sample: 'render',
    org_id: 'tea-abc123acme0000000001',
    match: {
      'org.id': 'tea-abc123acme0000000001',
      'project.id': 'srv-ghi789acme0000000003',
      'environment.id': 'evm-def456acme0000000002',
    },
    attacks: [
      attack(
        'A15: another workspace under this issuer',
        'refused',
        set({ sub: renderSub('tea-evil99', 'evm-def456acme0000000002', 'srv-ghi789acme0000000003') }),
      ),
      attack(
        'another service, as a preview of this one is',
        'no_match',
        set({ sub: renderSub('tea-abc123acme0000000001', 'evm-def456acme0000000002', 'srv-preview') }),
      ),
      attack(
        'the service outside its environment',
        'no_match',
        set({ sub: renderSub('tea-abc123acme0000000001', 'default', 'srv-ghi789acme0000000003') }),
      ),
      attack(
        'A29: a service smuggled in behind another',
        'refused',
        set({
          sub: renderSub(
            'tea-abc123acme0000000001',
            'evm-def456acme0000000002',
            'srv-x:service:srv-ghi789acme0000000003',
          ),
        }),
      ),
      attack(
        'a database, which runs nothing',
        'refused',
        set({ sub: renderSub('tea-abc123acme0000000001', 'evm-def456acme0000000002', 'dpg-ghi789acme0000000003') }),
      ),
      attack('a sub of names', 'refused', set({ sub: renderSub('acme', 'production', 'api') })),
    ],
  },
  semaphore: {
    sample: 'semaphore',
    org_id: '77aa88bb-99cc-4ddd-8eee-0f1a2b3c4d5e',
    match: {
      'org.id': '77aa88bb-99cc-4ddd-8eee-0f1a2b3c4d5e',
      'project.id': '9a1c2b3d-4e5f-4607-8182-93a4b5c6d7e8',
      'ref.full': 'refs/heads/main',
      'ref.type': 'branch',
      'trigger.class': ['push', 'schedule'],
      'runner.class': 'unknown',
    },
    attacks: [
      attack(
        'a pull request into main: branch is its target',
        'no_match',
        set({ ref: 'refs/pull/7/merge', ref_type: 'pull-request', pr: '7', pr_branch: 'feature' }),
      ),
      attack('a pull request whose ref says main', 'no_match', set({ ref_type: 'pull-request' })),
      attack('a pull request by its number alone', 'no_match', set({ pr: '7' })),
      attack('a pull request by its ref alone', 'no_match', set({ ref: 'refs/pull/7/merge' })),
      attack('A32: a shell on a job of main', 'no_match', set({ job_type: 'debug_job' })),
      attack('A32: a shell on the project', 'no_match', set({ job_type: 'project_debug_job', trg: '' })),
      attack('a kind of job Semaphore adds tomorrow', 'no_match', set({ job_type: 'agent_job' })),
      attack('a kind of job named like a trigger', 'no_match', set({ job_type: 'h' })),
      attack('A28: the organization filters job_type out', 'no_match', set({ job_type: undefined })),
      attack('A28: no trigger', 'no_match', set({ trg: undefined })),
      attack('a task run by hand', 'no_match', set({ trg: 'm:f-i:f' })),
      attack('a trigger Semaphore adds tomorrow', 'no_match', set({ trg: 'x:f-i:f' })),
      attack('a trigger of another form', 'no_match', set({ trg: 'h' })),
      attack('a tag named like the branch', 'no_match', set({ ref: 'refs/tags/main', ref_type: 'tag' })),
      attack('another organization under this issuer', 'refused', set({ org: 'mallory' })),
      attack(
        'the name was taken by another organization',
        'refused',
        set({ org_id: '66666666-99cc-4ddd-8eee-0f1a2b3c4d5e' }),
      ),
      attack('no organization', 'refused', set({ org_id: undefined })),
      attack('another project', 'no_match', set({ prj_id: '66666666-4e5f-4607-8182-93a4b5c6d7e8' })),
      attack('A27: the number of the pull request as a number', 'refused', set({ pr: 7 })),
    ],
  },
  codefresh: {
    sample: 'codefresh',
    org_id: '64e1a2b3c4d5e6f708192a3b',
    match: {
      'org.id': '64e1a2b3c4d5e6f708192a3b',
      'project.id': '64f0c40800aafd1455566a7b',
      'project.path': 'https://github.com/acme/api',
      'ref.full': 'main',
      'trigger.raw': 'push',
    },
    attacks: [
      attack('a pull request from a branch named main', 'no_match', set({ scm_pull_request_target_branch: 'main' })),
      attack(
        'a pull request someone runs again',
        'no_match',
        set({ scm_pull_request_target_branch: 'main', initiator: 'dev1' }),
      ),
      attack('started by hand', 'no_match', set({ initiator: 'dev1' })),
      attack(
        'on a schedule: no repository, no ref',
        'no_match',
        set({ scm_repo_url: undefined, scm_ref: undefined, scm_user_name: undefined }),
      ),
      attack('A15: another account of the shared issuer', 'refused', set({ account_id: '666666b3c4d5e6f708192a3b' })),
      attack('no account', 'refused', set({ account_id: undefined })),
      attack('A3: the same name of another pipeline', 'no_match', set({ pipeline_id: '6666660800aafd1455566a7b' })),
      attack('a fork: the repository is the fork', 'no_match', set({ scm_repo_url: 'https://github.com/mallory/api' })),
      attack('another branch', 'no_match', set({ scm_ref: 'feature' })),
      attack(
        'A27: the target of a pull request as an array',
        'refused',
        set({ scm_pull_request_target_branch: ['main'] }),
      ),
    ],
  },
  generic: {
    sample: 'generic',
    org_id: 'acme',
    mapping: [
      { leaf: 'org.id', claim: ['customer'] },
      { leaf: 'project.id', claim: ['project_uuid'] },
      { leaf: 'ref.full', claim: ['git', 'ref'] },
      { leaf: 'ref.protected', claim: ['protected'] },
      { leaf: 'run.id', claim: ['build'] },
    ],
    match: {
      'org.id': 'acme',
      'project.id': '8f14e45f-ceea-467a-9575-0a1b2c3d4e5f',
      'ref.full': 'refs/heads/main',
      'ref.protected': true,
    },
    attacks: [
      attack('another customer', 'refused', set({ customer: 'mallory' })),
      attack('no customer', 'refused', set({ customer: undefined })),
      attack('another project', 'no_match', set({ project_uuid: '66666666-ceea-467a-9575-0a1b2c3d4e5f' })),
      attack('A27: protected as a string', 'refused', set({ protected: 'true' })),
      attack('A27: the build as a number', 'refused', set({ build: 1207 })),
      attack('A28: no ref', 'no_match', set({ git: {} })),
    ],
  },
}
