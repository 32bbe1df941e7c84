// What STS may answer, over a real connection. That a session is really opened is shown in test/aws.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createStsWebIdentity } from '../../../lib/adapters/aws/sts-web-identity.ts'
import { createGuardedHttp } from '../../../lib/adapters/http/guarded-http.ts'
import type { OutboundHttp } from '../../../lib/ports/outbound-http.ts'

const ROLE = 'arn:aws:iam::444455556666:role/mintmark/t/acme/deployer'
const ORDER = { role: ROLE, sessionName: 'mintmark-1', durationSeconds: 900, token: 'a.b.c' }
const ARN = 'arn:aws:sts::444455556666:assumed-role/deployer/mintmark-1'
/** As in the STS API reference, AssumeRoleWithWebIdentity. */
const success = (
  arn = ARN,
  more = '',
) => `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>spiffe://acme.example/ci</SubjectFromWebIdentityToken>
    <AssumedRoleUser><Arn>${arn}</Arn><AssumedRoleId>AROA:mintmark-1</AssumedRoleId></AssumedRoleUser>
    <Credentials>
      <SessionToken>token+/==</SessionToken><SecretAccessKey>secret+/</SecretAccessKey>
      <Expiration>2026-11-22T13:00:00Z</Expiration><AccessKeyId>ASIAEXAMPLE</AccessKeyId>
    </Credentials>${more}
  </AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>`
const error = (code: string) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>Not authorized</Message></Error></ErrorResponse>`

let answer: (request: IncomingMessage, body: string, response: ServerResponse) => void
const server = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  answer(request, body, response)
})
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => new Promise((resolve) => server.close(resolve)))

const sts = () =>
  createStsWebIdentity({
    http: createGuardedHttp({ dev: true, egressAllow: [] }),
    region: null,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  })
const answering = (status: number, text: string) => {
  answer = (_request, _body, response) => response.writeHead(status, { 'content-type': 'text/xml' }).end(text)
  return sts().open(ORDER)
}

test('the token goes in the body of a POST, unsigned, and the session that was asked for comes back', async () => {
  let seen: { method: string | undefined; url: string | undefined; headers: object; body: string } | undefined
  answer = ({ method, url, headers }, body, response) => {
    seen = { method, url, headers, body }
    response.writeHead(200, { 'content-type': 'text/xml' }).end(success())
  }
  expect(await sts().open(ORDER)).toEqual({
    ok: true,
    value: {
      accessKeyId: 'ASIAEXAMPLE',
      secretAccessKey: 'secret+/',
      sessionToken: 'token+/==',
      expiresAtSeconds: 1_795_352_400,
      expiration: '2026-11-22T13:00:00Z',
    },
  })
  expect(seen).toMatchObject({ method: 'POST', url: '/' })
  expect(seen?.headers).not.toHaveProperty('authorization')
  expect(Object.fromEntries(new URLSearchParams(seen?.body))).toEqual({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: ROLE,
    RoleSessionName: 'mintmark-1',
    DurationSeconds: '900',
    WebIdentityToken: 'a.b.c',
  })
})

test.each([
  [403, 'AccessDenied'],
  [403, 'IDPRejectedClaim'],
  [400, 'InvalidIdentityToken'],
  [400, 'RegionDisabledException'],
])('a lasting refusal is a value, with its code and nothing else of the answer: %i %s', async (status, code) => {
  expect(await answering(status, error(code))).toEqual({
    ok: false,
    refusal: { kind: 'cloud_refused', detail: { code: code.replace('Exception', '') } },
  })
})

test.each([
  ['a throttle', 400, error('Throttling')],
  ['an issuer STS could not reach', 400, error('IDPCommunicationError')],
  ['a clock that disagrees', 400, error('ExpiredTokenException')],
  ['a code nobody knows', 403, error('Sixpence')],
  ['an outage', 503, error('AccessDenied')],
  ['no XML', 200, '{}'],
  ['a redirect', 302, ''],
  ['the session of another role', 200, success('arn:aws:sts::444455556666:assumed-role/admin/mintmark-1')],
  ['the session of another account', 200, success('arn:aws:sts::777788889999:assumed-role/deployer/mintmark-1')],
  ['two sessions', 200, success(ARN, '<Credentials><AccessKeyId>ASIATWO</AccessKeyId></Credentials>')],
  ['an endless answer', 200, success(ARN, ' '.repeat(20_000))],
])('what cannot be told is unavailable, and no session: %s', async (_name, status, text) => {
  await expect(answering(status, text)).rejects.toMatchObject({ kind: 'cloud_unavailable' })
})

test.each([
  ['arn:aws:iam::1:role/x', null, 'https://sts.us-east-1.amazonaws.com/'],
  ['arn:aws:iam::1:role/x', 'eu-west-1', 'https://sts.eu-west-1.amazonaws.com/'],
  ['arn:aws:iam::1:role/x', 'cn-north-1', 'https://sts.us-east-1.amazonaws.com/'],
  ['arn:aws:iam::1:role/x', 'evil.example/', 'https://sts.us-east-1.amazonaws.com/'],
  ['arn:aws-cn:iam::1:role/x', 'eu-west-1', 'https://sts.cn-north-1.amazonaws.com.cn/'],
  ['arn:aws-us-gov:iam::1:role/x', 'us-gov-east-1', 'https://sts.us-gov-east-1.amazonaws.com/'],
])('%s, region %s: asked at %s', async (role, region, url) => {
  const asked: string[] = []
  const http: Pick<OutboundHttp, 'post'> = {
    async post(to) {
      asked.push(to)
      return { ok: false, failure: { reason: 'connect_failed', status: null, bytes: 0 } }
    },
  }
  await expect(createStsWebIdentity({ http, region }).open({ ...ORDER, role })).rejects.toThrow()
  expect(asked).toEqual([url])
})
