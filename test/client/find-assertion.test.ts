// Every source of issuers.md §2 "Getting it", with its surroundings passed in: what is asked of the platform, and what a job that
// lacks something is told.
import { expect, test } from 'vitest'
import { findAssertion, SOURCE_NAMES } from '../../lib/client/find-assertion.ts'
import type { HttpAnswer, HttpRequest } from '../../lib/client/send-http.ts'
import type { ProgramResult, Surroundings } from '../../lib/client/surroundings.ts'

const JWT = 'aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl'
const AUDIENCE = 'https://sts.example.com/t/acme'

type World = {
  readonly env?: Record<string, string>
  readonly files?: Record<string, string>
  readonly http?: HttpAnswer
  readonly program?: ProgramResult
}
const around = ({ env = {}, files = {}, http, program }: World) => {
  const requests: HttpRequest[] = []
  const programs: (readonly string[])[] = []
  const surroundings: Surroundings = {
    env,
    http: async (request) => {
      requests.push(request)
      return http ?? { kind: 'failed', says: 'ECONNREFUSED' }
    },
    readText: async (path) => files[path] ?? null,
    runProgram: async (file, args) => {
      programs.push([file, ...args])
      return program ?? { kind: 'missing' }
    },
  }
  return { surroundings, requests, programs }
}
const answer = (body: string, status = 200): HttpAnswer => ({ kind: 'answered', status, retryAfterSeconds: null, body })
const find = (world: World) => findAssertion({ audience: AUDIENCE }, around(world).surroundings)
const GITHUB = {
  ACTIONS_ID_TOKEN_REQUEST_URL: 'https://gh.example/t?v=2',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-secret',
}
const CODEFRESH = { CF_OIDC_REQUEST_URL: 'https://g.codefresh.io/oidc', CF_OIDC_REQUEST_TOKEN: 'request-secret' }
const AZURE = { SYSTEM_OIDCREQUESTURI: 'https://dev.azure.com/o/oidc', SYSTEM_ACCESSTOKEN: 'request-secret' }

test.each<[string, World]>([
  ['token-file', { env: { MINTMARK_TOKEN_FILE: '/f' }, files: { '/f': `${JWT}\n` } }],
  ['spiffe', { env: { MINTMARK_SPIFFE_JWT_FILE: '/s' }, files: { '/s': JWT } }],
  ['github', { env: GITHUB, http: answer(JSON.stringify({ value: JWT })) }],
  ['gitlab', { env: { GITLAB_CI: 'true', MINTMARK_ID_TOKEN: JWT } }],
  ['circleci', { env: { CIRCLECI: 'true' }, program: { kind: 'done', stdout: `${JWT}\n` } }],
  ['buildkite', { env: { BUILDKITE: 'true' }, program: { kind: 'done', stdout: JWT } }],
  ['bitbucket', { env: { BITBUCKET_STEP_OIDC_TOKEN: JWT } }],
  ['azure-devops', { env: AZURE, http: answer(JSON.stringify({ oidcToken: JWT })) }],
  ['hcp-terraform', { env: { TFC_WORKLOAD_IDENTITY_TOKEN_MINTMARK: JWT, TFC_WORKLOAD_IDENTITY_TOKEN: 'x' } }],
  ['spacelift', { files: { '/mnt/workspace/spacelift.oidc': JWT } }],
  ['semaphore', { env: { SEMAPHORE: 'true', SEMAPHORE_OIDC_TOKEN: JWT } }],
  ['codefresh', { env: CODEFRESH, http: answer(JSON.stringify({ id_token: JWT })) }],
  ['render', { env: { RENDER_SERVICE_ID: 'srv-1', AWS_WEB_IDENTITY_TOKEN_FILE: '/r' }, files: { '/r': JWT } }],
  ['kubernetes', { files: { '/var/run/secrets/mintmark/token': JWT } }],
  ['gcp', { env: { GCE_METADATA_HOST: '127.0.0.1:9' }, http: answer(JWT) }],
  ['aws', { files: { '/sys/class/dmi/id/sys_vendor': 'Amazon EC2\n' }, program: { kind: 'done', stdout: JWT } }],
])('%s: found by itself', async (source, world) => {
  expect(await find(world)).toEqual({ ok: true, value: { assertion: JWT, source } })
  expect(SOURCE_NAMES).toContain(source)
})

test('every platform is asked for the audience wanted, as its documentation has it, without a shell', async () => {
  const asked = async (world: World) => {
    const { surroundings, requests, programs } = around(world)
    await findAssertion({ audience: AUDIENCE }, surroundings)
    return requests[0] ?? programs[0]
  }
  expect(await asked({ env: GITHUB })).toMatchObject({
    method: 'GET',
    url: `https://gh.example/t?v=2&audience=${encodeURIComponent(AUDIENCE)}`,
    headers: { authorization: 'Bearer request-secret' },
  })
  expect(await asked({ env: AZURE })).toMatchObject({
    method: 'POST',
    url: 'https://dev.azure.com/o/oidc?api-version=7.1-preview.1',
  })
  // Its audience is fixed, and it takes the token without a scheme.
  expect(await asked({ env: CODEFRESH })).toMatchObject({
    method: 'GET',
    url: 'https://g.codefresh.io/oidc',
    headers: { authorization: 'request-secret' },
  })
  expect(await asked({ env: { K_SERVICE: 'x' } })).toMatchObject({
    url: `http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity?audience=${encodeURIComponent(AUDIENCE)}&format=full`,
    headers: { 'metadata-flavor': 'Google' },
  })
  expect(await asked({ env: { CIRCLECI: 'true' } })).toEqual([
    'circleci',
    'run',
    'oidc',
    'get',
    '--claims',
    `{"aud":"${AUDIENCE}"}`,
  ])
  expect((await asked({ env: { BUILDKITE: 'true' } })) as readonly string[]).toEqual(
    expect.arrayContaining(['--audience', AUDIENCE, '--lifetime', '300', '--claim', 'organization_id,pipeline_id']),
  )
  // Never as a parameter of its own: version 1 of the aws program would fetch it.
  expect((await asked({ env: { AWS_PROFILE: 'x' } })) as readonly string[]).not.toContain(AUDIENCE)
})

test('the file named on the command line wins over everything, and --from over what is there first', async () => {
  const { surroundings, requests } = around({ env: { ...GITHUB, MINTMARK_ID_TOKEN: JWT }, files: { '/given': JWT } })
  expect(await findAssertion({ audience: AUDIENCE, file: '/given' }, surroundings)).toMatchObject({
    ok: true,
    value: { source: '/given' },
  })
  expect(await findAssertion({ audience: AUDIENCE, from: 'gitlab' }, surroundings)).toMatchObject({
    ok: true,
    value: { source: 'gitlab' },
  })
  expect(requests).toEqual([])
})

test('a job that lacks the permission does not fall through to the identity of its runner', async () => {
  const world = { env: { GITHUB_ACTIONS: 'true' }, files: { '/var/run/secrets/mintmark/token': JWT } }
  expect(await find(world)).toMatchObject({
    ok: false,
    problem: { kind: 'usage', says: expect.stringContaining('id-token: write') },
  })
})

test.each<[string, Record<string, string>, RegExp]>([
  ['Semaphore', { SEMAPHORE: 'true' }, /SEMAPHORE_OIDC_TOKEN/],
  ['Codefresh', { CF_BUILD_ID: '64f4' }, /CF_OIDC_REQUEST_TOKEN/],
  ['Render', { RENDER_SERVICE_ID: 'srv-1' }, /AWS_WEB_IDENTITY_TOKEN_FILE/],
])('on %s a job without its assertion is told so, and the AWS keys it has are not asked', async (_, env, says) => {
  const { surroundings, programs } = around({ env: { ...env, AWS_ACCESS_KEY_ID: 'x' } })
  const found = await findAssertion({ audience: AUDIENCE }, surroundings)
  expect(found).toMatchObject({ ok: false, problem: { kind: 'usage', says: expect.stringMatching(says) } })
  expect(programs).toEqual([])
})

test('the token file of AWS alone does not mean Render: a pod of EKS has one too', async () => {
  const world: World = {
    env: { AWS_WEB_IDENTITY_TOKEN_FILE: '/eks' },
    files: { '/eks': JWT },
    program: { kind: 'done', stdout: JWT },
  }
  expect(await find(world)).toMatchObject({ ok: true, value: { source: 'aws' } })
})

test('a request token is not sent over plain http to another machine', async () => {
  const { surroundings, requests } = around({ env: { ...GITHUB, ACTIONS_ID_TOKEN_REQUEST_URL: 'http://gh.example/t' } })
  expect(await findAssertion({ audience: AUDIENCE }, surroundings)).toMatchObject({
    ok: false,
    problem: { kind: 'usage' },
  })
  expect(requests).toEqual([])
})

test.each<[string, World, string]>([
  ['an outage of the platform is unavailable', { env: GITHUB, http: answer('', 500) }, 'unavailable'],
  ['no answer is unavailable', { env: GITHUB }, 'unavailable'],
  ['a refusal of the platform is refused', { env: GITHUB, http: answer('', 403) }, 'refused'],
  ['an answer without the member is refused', { env: GITHUB, http: answer('[]') }, 'refused'],
  ['what is no JWT is sent nowhere', { env: { MINTMARK_ID_TOKEN: 'hunter2' } }, 'usage'],
  ['what is too long is sent nowhere', { env: { MINTMARK_ID_TOKEN: `a.${'b'.repeat(17_000)}.c` } }, 'usage'],
  ['a missing program is explained', { env: { CIRCLECI: 'true' } }, 'usage'],
  ['nothing at all', {}, 'usage'],
])('%s', async (_, world, kind) => {
  const found = await find(world)
  expect(found).toMatchObject({ ok: false, problem: { kind } })
  expect(JSON.stringify(found)).not.toMatch(/hunter2|request-secret/)
})

test('the complaint of a program is passed on without the token in it', async () => {
  const stderr = `denied eyJhbGciOiJSUzI1NiJ9abc.eyJzdWIiOiJ4In0.sig\n::error::x`
  const found = await find({ env: { BUILDKITE: 'true' }, program: { kind: 'failed', stderr } })
  expect(found).toMatchObject({
    ok: false,
    problem: { kind: 'refused', says: expect.stringContaining('denied [removed] ::error') },
  })
})
