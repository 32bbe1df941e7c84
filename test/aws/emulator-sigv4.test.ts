// The emulator's front door: a request is served only when its signature binds caller, service, region, date, headers and body.

import { createHash, createHmac } from 'node:crypto'
import { KMSClient, ListAliasesCommand } from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { SignatureV4 } from '@smithy/signature-v4'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Aws, startAws } from '../support/aws/emulator.ts'
import { ACCOUNT, REGION, sampleCloud } from '../support/aws/sample-cloud.ts'
import type { Credentials } from '../support/aws/sessions.ts'

const NOW_MS = Date.UTC(2026, 10, 25, 12)
let aws: Aws
let mint: Credentials

beforeAll(async () => {
  aws = await startAws({ cloud: sampleCloud, nowMs: () => nowMs })
  mint = aws.credentialsFor('mint')
})
afterAll(() => aws.stop())

/** The emulator's clock, moved by the test of expiry. */
let nowMs = NOW_MS

type Kind = 'json' | 'query' | 'rest-json'
const REQUESTS = {
  json: {
    service: 'kms',
    path: '/',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'TrentService.DescribeKey' },
    body: '{"KeyId":"alias/none"}',
  },
  query: {
    service: 'sts',
    path: '/',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'Action=GetCallerIdentity&Version=2011-06-15',
  },
  'rest-json': {
    service: 'lambda',
    path: '/2015-03-31/functions/mintmark-prod-x/invocations',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  },
} as const

class Sha256 {
  readonly #hash
  constructor(secret?: unknown) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Buffer)
  }
  update(data: Uint8Array): void {
    this.#hash.update(data)
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }
  reset(): void {}
}

type Change = {
  readonly credentials?: Partial<Credentials>
  readonly region?: string
  readonly service?: string
  readonly signedAtMs?: number
  readonly afterSigning?: (headers: Record<string, string>, body: string) => string | undefined
}

/** Signs as the SDK does, but for one change. */
const send = async (kind: Kind, change: Change = {}): Promise<{ status: number; code: string }> => {
  const { service, path, headers, body } = REQUESTS[kind]
  const { host } = new URL(aws.endpoint)
  const { expiration: _, ...keys } = { ...mint, ...change.credentials }
  const signer = new SignatureV4({
    credentials: keys,
    region: change.region ?? REGION,
    service: change.service ?? service,
    sha256: Sha256,
  })
  const signed = await signer.sign(
    { method: 'POST', protocol: 'http:', hostname: host, path, headers: { ...headers, host }, body },
    { signingDate: new Date(change.signedAtMs ?? nowMs) },
  )
  const sent: Record<string, string> = { ...signed.headers }
  const sentBody = change.afterSigning?.(sent, body) ?? body
  delete sent['host']
  const response = await fetch(`${aws.endpoint}${path}`, { method: 'POST', headers: sent, body: sentBody })
  const text = await response.text()
  const code =
    response.headers.get('x-amzn-errortype') ??
    /<Code>(.*?)<\/Code>/.exec(text)?.[1] ??
    /"__type":"(.*?)"/.exec(text)?.[1]
  return { status: response.status, code: code ?? '' }
}

const BAD_SIGNATURE = {
  json: 'InvalidSignatureException',
  query: 'SignatureDoesNotMatch',
  'rest-json': 'InvalidSignatureException',
}
const UNKNOWN = {
  json: 'UnrecognizedClientException',
  query: 'InvalidClientTokenId',
  'rest-json': 'UnrecognizedClientException',
}
const UNSIGNED = {
  json: 'MissingAuthenticationTokenException',
  query: 'MissingAuthenticationToken',
  'rest-json': 'MissingAuthenticationTokenException',
}
const INCOMPLETE = {
  json: 'IncompleteSignatureException',
  query: 'IncompleteSignature',
  'rest-json': 'IncompleteSignatureException',
}

/** Another body that still names the same operation. */
const changed = (body: string): string => (body.startsWith('{') ? `${body} ` : `${body}&Added=1`)

const FORGERIES: readonly (readonly [what: string, change: Change, code: Record<Kind, string>])[] = [
  ['another secret', { credentials: { secretAccessKey: 'guessed' } }, BAD_SIGNATURE],
  ['another region', { region: 'us-east-1' }, BAD_SIGNATURE],
  ['another service', { service: 'dynamodb' }, BAD_SIGNATURE],
  ['a date six minutes old', { signedAtMs: NOW_MS - 6 * 60_000 }, BAD_SIGNATURE],
  ['a date six minutes ahead', { signedAtMs: NOW_MS + 6 * 60_000 }, BAD_SIGNATURE],
  ['a body changed after signing', { afterSigning: (_, body) => changed(body) }, BAD_SIGNATURE],
  [
    'a body changed together with its hash header',
    {
      afterSigning: (headers, body) => {
        headers['x-amz-content-sha256'] = createHash('sha256').update(changed(body)).digest('hex')
        return changed(body)
      },
    },
    BAD_SIGNATURE,
  ],
  [
    'a signed header changed',
    {
      afterSigning: (headers) => {
        headers['content-type'] += '; charset=x'
        return undefined
      },
    },
    BAD_SIGNATURE,
  ],
  [
    'an x-amz header added',
    {
      afterSigning: (headers) => {
        headers['x-amz-tenant-id'] = 'globex'
        return undefined
      },
    },
    BAD_SIGNATURE,
  ],
  [
    'a scope of another day',
    {
      afterSigning: (headers) => {
        headers['authorization'] = headers['authorization']!.replace('/20261125/', '/20261124/')
        return undefined
      },
    },
    BAD_SIGNATURE,
  ],
  ['an access key nobody issued', { credentials: { accessKeyId: 'ASIANOBODY' } }, UNKNOWN],
  ['another session token', { credentials: { sessionToken: 'other' } }, UNKNOWN],
  [
    'no session token',
    {
      afterSigning: (headers) => {
        delete headers['x-amz-security-token']
        return undefined
      },
    },
    UNKNOWN,
  ],
  [
    'no signature',
    {
      afterSigning: (headers) => {
        delete headers['authorization']
        return undefined
      },
    },
    UNSIGNED,
  ],
  [
    'a bearer token instead',
    {
      afterSigning: (headers) => {
        headers['authorization'] = 'Bearer abc'
        return undefined
      },
    },
    INCOMPLETE,
  ],
]

describe.each(['json', 'query', 'rest-json'] as const)('%s protocol', (kind) => {
  test.each(FORGERIES)('refuses %s with the code AWS has for it', async (_, change, code) => {
    const { status, code: got } = await send(kind, change)
    expect({ code: got, status }).toEqual({ code: code[kind], status: kind === 'json' ? 400 : 403 })
  })

  test('lets an unforged request through to the service: the table above fails for its change alone', async () => {
    const passed = { json: 'NotFoundException', query: '', 'rest-json': 'AccessDeniedException' }
    expect((await send(kind)).code).toBe(passed[kind])
  })

  test('refuses credentials that have expired', async () => {
    const expired = { json: 'ExpiredTokenException', query: 'ExpiredToken', 'rest-json': 'ExpiredTokenException' }
    nowMs = mint.expiration.getTime()
    try {
      expect((await send(kind)).code).toBe(expired[kind])
    } finally {
      nowMs = NOW_MS
    }
  })
})

test('a request that is signed for its service but is of no service is refused, not served by chance', async () => {
  const response = await fetch(`${aws.endpoint}/`, { method: 'PATCH' })
  expect(response.status).toBe(400)
})

test('the SDK itself is taken, and its clients learn who they are', async () => {
  nowMs = Date.now()
  const credentials = aws.credentialsFor('mint')
  const sts = new STSClient(aws.client(credentials))
  const { Arn, Account, UserId } = await sts.send(new GetCallerIdentityCommand({}))
  expect({ Arn, Account }).toEqual({
    Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/mintmark-mint/mintmark-prod-mint`,
    Account: ACCOUNT,
  })
  expect(UserId).toMatch(/^AROA[0-9A-F]{17}:mintmark-prod-mint$/)
  nowMs = NOW_MS
})

test('an operation that is not emulated is an error of that name, so that a test cannot rest on it', async () => {
  nowMs = Date.now()
  const kms = new KMSClient(aws.client(aws.rootCredentials))
  await expect(kms.send(new ListAliasesCommand({}))).rejects.toMatchObject({ name: 'UnknownOperationException' })
  nowMs = NOW_MS
})
