// Which sessions of which roles a revocation ends: as narrow as the cloud can tell them, and never wider in time than it must.
import { expect, test } from 'vitest'
import { REVOCATION_KINDS, type Revocation, type RevocationKind } from '../../lib/domain/revocation.ts'
import { type IssuedRole, sessionDenialOf } from '../../lib/domain/session-denial.ts'
import { NOW_SECONDS, sampleRecord, sampleRevocation } from '../contract/sample-rows.ts'

const A = 'arn:aws:iam::111122223333:role/mintmark/t/acme/a'
const B = 'arn:aws:iam::111122223333:role/mintmark/t/acme/b'
const issued: readonly IssuedRole[] = [
  { role: A, grant: 'deploy', issuerName: 'github' },
  { role: B, grant: 'audit', issuerName: 'gitlab' },
  { role: A, grant: 'again', issuerName: 'github' },
]
const revocation = (kind: RevocationKind, value: string, issuer = ''): Revocation =>
  sampleRevocation({ kind, issuer, value, atSeconds: NOW_SECONDS })
/** The two seconds a mint may take, and 30 by which its clock may be ahead. */
const BOUND = NOW_SECONDS + 32
const older = { kind: 'issued', issuedBeforeSeconds: BOUND }
const JTI = '01990d2e-7c1a-7000-8000-000000000001'
const SOURCE = 'acme.01990d2e7c1a70008000000000000001'
const redemption = (session?: { role: string; sourceIdentity: string }) => {
  const record = sampleRecord()
  return { ...record, credential: { ...record.credential, ...(session === undefined ? {} : { session }) } }
}

test.each<[string, Revocation, readonly string[], object]>([
  ['a session, by its source', revocation('session', SOURCE), [A, B], { kind: 'source', sourceIdentity: SOURCE }],
  [
    'a credential of which no record is known',
    revocation('credential', JTI),
    [A, B],
    { kind: 'source', sourceIdentity: SOURCE },
  ],
  ['evidence that may have been redeemed often', revocation('assertion', 'x'), [A, B], older],
  [
    'an identity, by the tag of its sessions',
    revocation('subject', 'spiffe://acme.example/ci/1'),
    [A, B],
    { kind: 'tag', tag: 'mintmark-sub', value: 'spiffe://acme.example/ci/1', issuedBeforeSeconds: BOUND },
  ],
  [
    'a run, on the roles its issuer opens',
    revocation('run', '31337', 'github'),
    [A],
    { kind: 'tag', tag: 'mintmark-run', value: '31337', issuedBeforeSeconds: BOUND },
  ],
  ['a run that no tag can hold', revocation('run', '31337*', 'github'), [A], older],
  ['a project', revocation('project', '7', 'gitlab'), [B], older],
  ['an issuer', revocation('issuer', 'github'), [A], older],
  ['a grant', revocation('grant', 'audit'), [B], older],
  ['a grant without a role', revocation('grant', 'token-only'), [], older],
  ['a key of ours', revocation('own_key', 'k'), [A, B], older],
  ['the tenant', revocation('tenant', 'acme'), [A, B], older],
])('%s', (_, given, roles, mark) => {
  expect(sessionDenialOf(given, issued, null)).toEqual({ roles, mark })
})

test('a cut ends what was issued before its own bound', () => {
  const cut = { ...revocation('tenant', 'acme'), form: 'cut' as const, notBeforeSeconds: NOW_SECONDS + 99 }
  expect(sessionDenialOf(cut, issued, null).mark).toEqual({ kind: 'issued', issuedBeforeSeconds: NOW_SECONDS + 99 })
})

test.each(['credential', 'assertion'] as const)(
  'a known redemption narrows %s to the one role and session it gave, or none',
  (kind) => {
    const given = revocation(kind, kind === 'credential' ? JTI : 'x')
    expect(sessionDenialOf(given, issued, redemption({ role: B, sourceIdentity: SOURCE }))).toEqual({
      roles: [B],
      mark: { kind: 'source', sourceIdentity: SOURCE },
    })
    expect(sessionDenialOf(given, issued, redemption()).roles).toEqual([])
  },
)

test('a source that would be a variable or a pattern in a policy names no session', () => {
  for (const value of [`\${aws:SourceIdentity}`, 'acme.*', ''])
    expect(sessionDenialOf(revocation('session', value), issued, null).roles).toEqual([])
})

test('only the session of one decision is ended without a time: whatever can be opened again, after an unblock, can be used again', () => {
  for (const kind of Object.keys(REVOCATION_KINDS) as RevocationKind[]) {
    const { mark } = sessionDenialOf(revocation(kind, SOURCE, 'github'), issued, null)
    if (!['credential', 'session'].includes(kind)) expect(mark, kind).toHaveProperty('issuedBeforeSeconds', BOUND)
  }
})
