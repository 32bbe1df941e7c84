// Where a job finds what its platform signed for it (issuers.md §2, "Getting it"), in the order they are asked. Data: a name,
// how to know we are there, how to get it, what to do when it is missing. Nothing here prints or keeps an assertion.

import { fetchAssertion, readVariable, runForAssertion } from './obtain-assertion.ts'
import { fail, type Outcome } from './outcome.ts'
import type { Surroundings } from './surroundings.ts'

export type AssertionSource = {
  readonly name: string
  readonly title: string
  /** Cheap and certain: variables and files of the platform, no probing of the network. */
  readonly isHere: (around: Surroundings) => boolean | Promise<boolean>
  /** The text it gave, not yet looked at. `audience` is ignored where the job cannot choose it. */
  readonly obtain: (audience: string, around: Surroundings) => Promise<Outcome<string>>
}

const KUBERNETES_TOKEN = '/var/run/secrets/mintmark/token'
const SPACELIFT_TOKEN = '/mnt/workspace/spacelift.oidc'
const METADATA_PATH = '/computeMetadata/v1/instance/service-accounts/default/identity'
/** Read from the firmware, as the clouds' own libraries do: no request to an address that might be somebody else's. */
const DMI = '/sys/class/dmi/id'

const has = (around: Surroundings, ...names: readonly string[]): boolean =>
  names.some((name) => (around.env[name] ?? '') !== '')
const isTrue = (around: Surroundings, name: string): boolean => around.env[name]?.toLowerCase() === 'true'

const readFileOf = async (path: string, around: Surroundings, remedy: string): Promise<Outcome<string>> => {
  const text = await around.readText(path)
  return text === null ? fail('usage', `cannot read ${path}. ${remedy}`) : { ok: true, value: text }
}

/** What the author named, then the platforms that run jobs, then the machine: a runner's own identity is never the job's. */
export const ASSERTION_SOURCES: readonly AssertionSource[] = [
  {
    name: 'token-file',
    title: 'the file MINTMARK_TOKEN_FILE names',
    isHere: (around) => has(around, 'MINTMARK_TOKEN_FILE'),
    obtain: (_, around) => readFileOf(around.env['MINTMARK_TOKEN_FILE'] ?? '', around, 'MINTMARK_TOKEN_FILE names it.'),
  },
  {
    name: 'spiffe',
    title: 'a SPIFFE JWT-SVID, in the file MINTMARK_SPIFFE_JWT_FILE names',
    isHere: (around) => has(around, 'MINTMARK_SPIFFE_JWT_FILE'),
    obtain: (_, around) =>
      readFileOf(around.env['MINTMARK_SPIFFE_JWT_FILE'] ?? '', around, 'Let spiffe-helper write it (jwt_svids).'),
  },
  {
    name: 'github',
    title: 'GitHub Actions, Forgejo Actions',
    isHere: (around) => has(around, 'ACTIONS_ID_TOKEN_REQUEST_URL') || isTrue(around, 'GITHUB_ACTIONS'),
    obtain: (audience, around) => {
      const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = around.env
      if (!url || !token)
        return Promise.resolve(
          fail(
            'usage',
            'GitHub gave this job no ID token. Give the job "permissions: { id-token: write }" (pull requests from forks get none).',
          ),
        )
      return fetchAssertion(around, {
        from: 'GitHub',
        url,
        method: 'GET',
        query: { audience },
        headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
        member: 'value',
      })
    },
  },
  {
    name: 'gitlab',
    title: 'GitLab CI, or any job that has its assertion in MINTMARK_ID_TOKEN (Jenkins: withCredentials)',
    isHere: (around) => has(around, 'MINTMARK_ID_TOKEN') || isTrue(around, 'GITLAB_CI'),
    obtain: (audience, around) =>
      readVariable(
        around,
        ['MINTMARK_ID_TOKEN'],
        `Give the job "id_tokens: { MINTMARK_ID_TOKEN: { aud: ${audience} } }".`,
      ),
  },
  {
    name: 'circleci',
    title: 'CircleCI',
    isHere: (around) => isTrue(around, 'CIRCLECI'),
    // Not $CIRCLE_OIDC_TOKEN: its audience is the organization, the same for every relying party.
    obtain: (audience, around) =>
      runForAssertion(around, 'circleci', ['run', 'oidc', 'get', '--claims', JSON.stringify({ aud: audience })], {
        missing:
          'The "circleci" program of the job environment is not on the PATH; it asks for a token with our audience.',
      }),
  },
  {
    name: 'buildkite',
    title: 'Buildkite',
    isHere: (around) => isTrue(around, 'BUILDKITE'),
    obtain: (audience, around) => {
      // The ids are not in the token unless asked for, and slugs can be taken by somebody else. More than 300 s is refused.
      const claims = ['--lifetime', '300', '--claim', 'organization_id,pipeline_id']
      return runForAssertion(around, 'buildkite-agent', ['oidc', 'request-token', '--audience', audience, ...claims], {
        missing: 'The "buildkite-agent" program is not on the PATH (in a container: mount it, propagate-environment).',
      })
    },
  },
  {
    name: 'bitbucket',
    title: 'Bitbucket Pipelines',
    isHere: (around) => has(around, 'BITBUCKET_STEP_OIDC_TOKEN', 'BITBUCKET_BUILD_NUMBER'),
    obtain: (audience, around) =>
      readVariable(around, ['BITBUCKET_STEP_OIDC_TOKEN'], `Give the step "oidc: { audiences: [${audience}] }".`),
  },
  {
    name: 'azure-devops',
    title: 'Azure DevOps Pipelines',
    isHere: (around) => has(around, 'SYSTEM_OIDCREQUESTURI') || isTrue(around, 'TF_BUILD'),
    obtain: (_, around) => {
      const { SYSTEM_OIDCREQUESTURI: url, SYSTEM_ACCESSTOKEN: token } = around.env
      if (!url || !token)
        return Promise.resolve(fail('usage', 'Give the step "env: { SYSTEM_ACCESSTOKEN: $(System.AccessToken) }".'))
      return fetchAssertion(around, {
        from: 'Azure DevOps',
        url,
        method: 'POST',
        query: { 'api-version': '7.1-preview.1' },
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' },
        member: 'oidcToken',
      })
    },
  },
  {
    name: 'hcp-terraform',
    title: 'HCP Terraform, Terraform Enterprise',
    isHere: (around) =>
      has(around, 'TFC_WORKLOAD_IDENTITY_TOKEN_MINTMARK', 'TFC_WORKLOAD_IDENTITY_TOKEN', 'TFC_RUN_ID'),
    obtain: (audience, around) =>
      readVariable(
        around,
        ['TFC_WORKLOAD_IDENTITY_TOKEN_MINTMARK', 'TFC_WORKLOAD_IDENTITY_TOKEN'],
        `Set the workspace's environment variable TFC_WORKLOAD_IDENTITY_AUDIENCE_MINTMARK to ${audience}.`,
      ),
  },
  {
    name: 'spacelift',
    title: 'Spacelift',
    isHere: async (around) => has(around, 'SPACELIFT_OIDC_TOKEN') || (await around.readText(SPACELIFT_TOKEN)) !== null,
    obtain: async (_, around) =>
      has(around, 'SPACELIFT_OIDC_TOKEN')
        ? readVariable(around, ['SPACELIFT_OIDC_TOKEN'], '')
        : readFileOf(SPACELIFT_TOKEN, around, 'OIDC federation is a feature of the Spacelift account.'),
  },
  {
    name: 'semaphore',
    title: 'Semaphore',
    isHere: (around) => has(around, 'SEMAPHORE_OIDC_TOKEN') || isTrue(around, 'SEMAPHORE'),
    obtain: (_, around) =>
      readVariable(around, ['SEMAPHORE_OIDC_TOKEN'], 'OpenID Connect is a feature of the Semaphore organization.'),
  },
  {
    name: 'codefresh',
    title: 'Codefresh',
    isHere: (around) => has(around, 'CF_OIDC_REQUEST_URL', 'CF_BUILD_ID'),
    obtain: (_, around) => {
      const { CF_OIDC_REQUEST_URL: url, CF_OIDC_REQUEST_TOKEN: token } = around.env
      if (!url || !token)
        return Promise.resolve(
          fail('usage', 'Codefresh gave this step no CF_OIDC_REQUEST_URL and CF_OIDC_REQUEST_TOKEN to ask with.'),
        )
      return fetchAssertion(around, {
        from: 'Codefresh',
        url,
        method: 'GET',
        query: {},
        // Without a scheme, as its own step sends it.
        headers: { authorization: token, accept: 'application/json' },
        member: 'id_token',
      })
    },
  },
  {
    name: 'render',
    title: 'Render',
    // The file alone says nothing: AWS names one so in every pod of EKS.
    isHere: (around) => has(around, 'RENDER_SERVICE_ID'),
    obtain: async (_, around) => {
      const path = around.env['AWS_WEB_IDENTITY_TOKEN_FILE']
      return path
        ? readFileOf(path, around, 'AWS_WEB_IDENTITY_TOKEN_FILE names it.')
        : fail('usage', 'Render gave this service no AWS_WEB_IDENTITY_TOKEN_FILE. OIDC is a feature of the workspace.')
    },
  },
  {
    name: 'kubernetes',
    title: `a token Kubernetes projects at ${KUBERNETES_TOKEN}`,
    isHere: async (around) => (await around.readText(KUBERNETES_TOKEN)) !== null,
    obtain: (audience, around) =>
      readFileOf(KUBERNETES_TOKEN, around, `Project a serviceAccountToken with audience ${audience} there.`),
  },
  {
    name: 'gcp',
    title: 'Google Cloud (metadata server)',
    isHere: async (around) =>
      has(around, 'GCE_METADATA_HOST', 'K_SERVICE', 'CLOUD_RUN_JOB', 'FUNCTION_TARGET') ||
      (await around.readText(`${DMI}/product_name`))?.trim() === 'Google Compute Engine',
    obtain: (audience, around) =>
      fetchAssertion(around, {
        from: 'the metadata server',
        url: `http://${around.env['GCE_METADATA_HOST'] || 'metadata.google.internal'}${METADATA_PATH}`,
        isLinkLocal: true,
        method: 'GET',
        query: { audience, format: 'full' },
        headers: { 'metadata-flavor': 'Google' },
      }),
  },
  {
    name: 'aws',
    title: 'AWS (sts:GetWebIdentityToken, with the aws program)',
    isHere: async (around) =>
      has(
        around,
        'AWS_LAMBDA_FUNCTION_NAME',
        'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
        'AWS_CONTAINER_CREDENTIALS_FULL_URI',
      ) ||
      has(around, 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_ACCESS_KEY_ID', 'AWS_PROFILE') ||
      (await around.readText(`${DMI}/sys_vendor`))?.trim() === 'Amazon EC2',
    obtain: (audience, around) => {
      // As JSON, because version 1 of the program fetches a parameter that is a URL and sends what it got instead.
      const input = JSON.stringify({ Audience: [audience], SigningAlgorithm: 'ES384', DurationSeconds: 300 })
      const args = [
        'sts',
        'get-web-identity-token',
        '--cli-input-json',
        input,
        '--query',
        'WebIdentityToken',
        '--output',
        'text',
      ]
      return runForAssertion(around, 'aws', args, {
        missing: 'Install the "aws" program, which signs the request, or pass --assertion FILE.',
        failed:
          'The account needs "aws iam enable-outbound-web-identity-federation" once, the role sts:GetWebIdentityToken.',
      })
    },
  },
]
