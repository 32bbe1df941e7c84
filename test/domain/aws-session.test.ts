// The token to AWS and the names of a session (tenancy-and-aws.md §2, AWS documentation of the claims).
import { describe, expect, test } from 'vitest'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import {
  assumedRoleArn,
  credentialProcessDocument,
  externalIdOf,
  federationAudience,
  federationHeader,
  federationPayload,
  isFederationIssuer,
  refusedBySts,
  sessionNameOf,
  sessionTags,
  sourceIdentityOf,
} from '../../lib/domain/aws-session.ts'

const ID = '0199c2a4-7b1e-7c3d-8f42-5a6b7c8d9e0f'
const ROLE = 'arn:aws:iam::444455556666:role/mintmark/t/acme/deployer'
const FACTS = {
  issuerUrl: 'https://sts.example.com/t/acme',
  tenant: 'acme',
  subject: 'spiffe://acme.example/ci/7654321/production',
  run: '987654321',
  role: ROLE,
  decisionId: ID,
  issuedAtSeconds: 1_800_000_000,
  lifetimeSeconds: 60,
}

test('the claims are exactly these: one audience of tenant and account, one role, a minute, who it is for', () => {
  expect(JSON.parse(federationPayload(FACTS))).toEqual({
    iss: 'https://sts.example.com/t/acme',
    sub: 'spiffe://acme.example/ci/7654321/production',
    aud: 'https://sts.example.com/t/acme/aws/444455556666',
    iat: 1_800_000_000,
    exp: 1_800_000_060,
    jti: ID,
    'https://aws.amazon.com/roles': ROLE,
    'https://aws.amazon.com/source_identity': 'acme.0199c2a47b1e7c3d8f425a6b7c8d9e0f',
    'https://aws.amazon.com/tags': {
      principal_tags: {
        'mintmark-tenant': ['acme'],
        'mintmark-run': ['987654321'],
        'mintmark-sub': ['spiffe://acme.example/ci/7654321/production'],
      },
      transitive_tag_keys: ['mintmark-tenant'],
    },
  })
  expect(federationPayload(FACTS)).toBe(federationPayload({ ...FACTS })) // the same facts, the same bytes
})

test('the header is not that of an access token: no resource server of ours takes it for one', () => {
  expect(JSON.parse(federationHeader('k'))).toEqual({ typ: 'JWT', alg: 'ES256', kid: 'k' })
})

test('a tag value AWS would not take is left out and never changed: a policy that wants it then denies', () => {
  const facts = { tenant: 'acme', subject: 'spiffe://acme.example/ci', run: 'ok' }
  for (const run of ['a#b', 'a"b', 'a\nb', '', 'x'.repeat(257)])
    expect(Object.keys(sessionTags({ ...facts, run }))).toEqual(['mintmark-tenant', 'mintmark-sub'])
  expect(sessionTags({ ...facts, run: null })).not.toHaveProperty('mintmark-run')
  expect(sessionTags({ ...facts, subject: `spiffe://${'x'.repeat(256)}` })).not.toHaveProperty('mintmark-sub')
  expect(sessionTags({ ...facts, run: 'run 7_.:/=+-@é' })['mintmark-run']).toBe('run 7_.:/=+-@é')
})

test('names fit for the longest tenant: AWS takes 64 characters of its own alphabet', () => {
  const longest = 'a'.repeat(31)
  for (const name of [
    sourceIdentityOf(longest, ID),
    sessionNameOf(ID),
    externalIdOf({ ...FACTS, tenant: longest }, nodeDigest.sha256),
  ])
    expect(name).toMatch(/^[\w+=,.@-]{2,64}$/)
  expect(sourceIdentityOf(longest, ID)).toHaveLength(64)
})

test('an external id is of one tenant, one account and one broker', () => {
  const of = (change: Partial<typeof FACTS>) => externalIdOf({ ...FACTS, ...change }, nodeDigest.sha256)
  const all = [
    of({}),
    of({ tenant: 'globex', issuerUrl: 'https://sts.example.com/t/globex' }),
    of({ issuerUrl: 'https://other.example/t/acme' }),
    of({ role: 'arn:aws:iam::777788889999:role/mintmark/t/acme/deployer' }),
  ]
  expect(new Set(all).size).toBe(4)
  expect(of({ role: `${ROLE}-2` })).toBe(all[0])
})

describe('which issuers AWS can verify', () => {
  test.each([
    ['https://sts.example.com/t/acme', true],
    ['https://sts.example.com', true],
    ['https://sts.example.com:8443/t/acme', false],
    ['http://sts.example.com/t/acme', false],
    ['http://127.0.0.1:8080', false],
    ['https://user@sts.example.com/', false],
  ])('%s: %s', (url, expected) => expect(isFederationIssuer(url)).toBe(expected))
})

test('what STS says is lasting only where it is in the list: a throttle and the unknown are never a refusal', () => {
  expect(
    ['AccessDenied', 'AccessDeniedException', 'IDPRejectedClaimException', 'InvalidIdentityToken'].map(refusedBySts),
  ).toEqual(['AccessDenied', 'AccessDenied', 'IDPRejectedClaim', 'InvalidIdentityToken'])
  for (const code of [
    'Throttling',
    'ThrottlingException',
    'IDPCommunicationErrorException',
    'ExpiredTokenException',
    'InternalFailure',
    '',
    'New',
  ])
    expect(refusedBySts(code)).toBeNull()
})

test('the session is that of the role: its name without the path, its account, its partition', () => {
  expect(assumedRoleArn(ROLE, 'mintmark-1')).toBe('arn:aws:sts::444455556666:assumed-role/deployer/mintmark-1')
  expect(assumedRoleArn('arn:aws-cn:iam::1:role/x', 's')).toBe('arn:aws-cn:sts::1:assumed-role/x/s')
  expect(federationAudience(FACTS.issuerUrl, '1')).toBe('https://sts.example.com/t/acme/aws/1')
})

test('the document is what a credential_process prints', () => {
  const session = {
    accessKeyId: 'ASIA',
    secretAccessKey: 's',
    sessionToken: 't',
    expiresAtSeconds: 1_800_000_900,
    expiration: '2027-01-15T08:15:00Z',
  }
  expect(JSON.parse(credentialProcessDocument(session, ROLE))).toEqual({
    Version: 1,
    AccessKeyId: 'ASIA',
    SecretAccessKey: 's',
    SessionToken: 't',
    Expiration: '2027-01-15T08:15:00Z',
    AccountId: '444455556666',
  })
})
