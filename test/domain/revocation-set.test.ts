// SETs of revocations: which kinds name what, and that a jti is of one change at one receiver.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import { REVOCATION_KINDS, type RevocationKind } from '../../lib/domain/revocation.ts'
import { jtiOf, type RevocationChange, seqOfJti, setClaims, setErrorCode } from '../../lib/domain/revocation-set.ts'
import { readSecurityEvent } from '../../lib/domain/security-event.ts'

const ISSUER = 'https://sts.example.com/t/acme'
const EDGE = 'https://edge.acme.example/'
const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url')
const change = (over: Partial<RevocationChange> = {}): RevocationChange => ({
  seq: 7,
  revocation: '0198c0de-0000-7000-8000-000000000001',
  kind: 'run',
  issuer: 'github',
  value: 'the name of it',
  form: 'block',
  notBeforeSeconds: null,
  isLifted: false,
  atSeconds: 1_790_000_000,
  ...over,
})
const claims = (over: Partial<RevocationChange> = {}) =>
  setClaims(change(over), { tenant: 'acme', issuerUrl: ISSUER, audience: EDGE, jti: 'j', handle: 'AAAABBBBCCCCDDDD' })

/** Of these the identifier is the value itself; of all others the handle, which is no name. */
const NAMED: readonly RevocationKind[] = ['credential', 'subject', 'session', 'tenant']

test.each(Object.keys(REVOCATION_KINDS) as RevocationKind[])(
  '%s: one subject, and no name that CAEP has no place for',
  (kind) => {
    const set = claims({ kind, value: kind === 'tenant' ? 'acme' : 'the name of it' })
    const text = JSON.stringify(set)
    expect(text.includes('the name of it')).toBe(NAMED.includes(kind) && kind !== 'tenant')
    if (!NAMED.includes(kind)) expect(set.sub_id).toEqual({ format: 'opaque', id: 'AAAABBBBCCCCDDDD' })
    expect(text).not.toContain('github')
  },
)

test('our own reader of SETs takes each of them for what it is', () => {
  const policy = { issuer: ISSUER, audience: EDGE, nowSeconds: 1_790_000_001, maxAgeSeconds: LIMITS.eventAgeSecondsMax }
  expect(readSecurityEvent(claims() as never, policy)).toMatchObject({
    ok: true,
    value: { what: { kind: 'mappable', name: 'session-revoked', isBad: true } },
  })
  // Nobody who knows CAEP alone takes a lift for a revocation.
  expect(readSecurityEvent(claims({ isLifted: true }) as never, policy)).toMatchObject({
    ok: true,
    value: { what: { kind: 'unknown' } },
  })
})

test('a jti is of one change at one receiver, and tells its number', () => {
  const jti = (over: Partial<RevocationChange> = {}, audience = EDGE) => jtiOf(change(over), audience, sha256)
  const others = [
    jti({ seq: 8 }),
    jti({ isLifted: true }),
    jti({ notBeforeSeconds: 5 }),
    jti({ notBeforeSeconds: 6 }),
    // The same number again, after a store was restored.
    jti({ revocation: '0198c0de-0000-7000-8000-000000000002' }),
    jti({}, 'https://other.acme.example/'),
  ]
  expect(new Set([jti(), ...others]).size).toBe(7)
  expect([seqOfJti(jti()), jti()]).toEqual([7, jti({ atSeconds: 1 })])
  for (const none of [
    '',
    '7',
    '7.',
    '07.GyBZ1MUsRD4hJSYv6nOfYd',
    '-1.GyBZ1MUsRD4hJSYv6nOfYd',
    `${jti()}x`,
    `${'9'.repeat(20)}.GyBZ1MUsRD4hJSYv6nOfYd`,
  ])
    expect(seqOfJti(none), none).toBeNull()
})

test('of the errors of strangers only registered codes are kept', () => {
  expect(setErrorCode('invalid_audience')).toBe('invalid_audience')
  for (const text of ['canary', '', null, 5, {}, ['invalid_key'], '__proto__', 'constructor'])
    expect(setErrorCode(text)).toBe('error_not_registered')
})
