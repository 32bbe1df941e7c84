// What a denial must show before it ends a credential: whoever can have one kept could otherwise end any credential by naming it.
import { expect, test } from 'vitest'
import { type Denial, shortDenial } from '../../lib/domain/grant-record.ts'
import { orderOfReplay } from '../../lib/domain/replay-order.ts'
import { NOW_SECONDS, sampleDenial, sampleRecord } from '../contract/sample-rows.ts'
import { config, entry, grant } from '../support/grant-samples.ts'

const first = sampleRecord()
const { aud, scope } = first.credential
const revoking = config(grant(first.grant, { issue: [entry(aud, scope.split(' '), { onReplay: 'revoke' })] }))
const { sub, jti, iat, exp, kid, replayKey } = first.evidence
const replay = (over: Partial<Denial> = {}): Denial =>
  sampleDenial(
    {
      verified: true,
      firstDecisionId: first.decisionId,
      evidence: { sub, jti, iat, exp, kid, replayKey },
      ...over,
    },
    'replayed',
  )
const ordered = (denial: Denial) => orderOfReplay(denial, first, revoking, NOW_SECONDS)?.selectors

test('a replay ends the credential and the evidence it came of, also where it was too big to keep whole', () => {
  const selectors = [
    { kind: 'credential', issuer: '', value: first.credential.jti },
    { kind: 'assertion', issuer: '', value: replayKey },
  ]
  expect(ordered(replay())).toEqual(selectors)
  expect(ordered(shortDenial(replay()))).toEqual(selectors)
})

test.each<[string, Partial<Denial>]>([
  ['shows no evidence', { evidence: null }],
  ['shows other evidence', { evidence: { sub, jti, iat, exp, kid, replayKey: 'another' } }],
  ['names another decision', { firstDecisionId: 'another' }],
  ['was not verified', { verified: false }],
  ['is of another tenant', { tenant: 'globex' }],
  ['is of no replay', { refusal: { kind: 'expired' } }],
])('a denial ends nothing that %s', (_, over) => expect(ordered(replay(over))).toBeUndefined())
