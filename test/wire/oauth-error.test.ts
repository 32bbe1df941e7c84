import { expect, test } from 'vitest'
import { REFUSALS, type RefusalKind } from '../../lib/domain/refusal.ts'
import { errorBody, oauthErrorOf } from '../../lib/wire/oauth-error.ts'

const KINDS = Object.keys(REFUSALS) as RefusalKind[]

test.each(KINDS)('%s: the public answer does not depend on the detail, nor name the kind', (kind) => {
  const bare = oauthErrorOf({ kind }, 'token-exchange')
  const detailed = oauthErrorOf({ kind, detail: { secret: 'canary-secret', kid: 'canary-kid' } }, 'token-exchange')
  expect(detailed).toEqual(bare)
  const body = JSON.stringify(errorBody(detailed, 'id-1'))
  expect(body).not.toContain('canary')
  expect(bare.error === kind || !body.includes(kind)).toBe(true)
})

test('all refusals of evidence look the same: which check failed is not told', () => {
  const answers = KINDS.filter((kind) => REFUSALS[kind].answer === 'evidence').map((kind) =>
    JSON.stringify(oauthErrorOf({ kind }, 'token-exchange')),
  )
  expect(new Set(answers).size).toBe(1)
  expect(answers.length).toBeGreaterThan(30)
})

test('bad evidence is invalid_request for token exchange and invalid_grant for jwt-bearer', () => {
  expect(oauthErrorOf({ kind: 'expired' }, 'token-exchange')).toMatchObject({ status: 400, error: 'invalid_request' })
  expect(oauthErrorOf({ kind: 'expired' }, 'jwt-bearer')).toMatchObject({ status: 400, error: 'invalid_grant' })
})

test('an outage is never the caller’s fault', () => {
  for (const kind of KINDS)
    if (REFUSALS[kind].answer === 'unavailable')
      expect(oauthErrorOf({ kind }, 'jwt-bearer')).toMatchObject({ status: 503, error: 'temporarily_unavailable' })
})

test('limits answer 429 with the time to wait', () => {
  expect(oauthErrorOf({ kind: 'rate_limited_tenant' }, 'token-exchange', 7)).toMatchObject({
    status: 429,
    retryAfterSeconds: 7,
  })
})

test('the body has the four members of the contract', () => {
  expect(Object.keys(errorBody(oauthErrorOf({ kind: 'no_grant_matches' }, 'token-exchange'), 'id-1')).sort()).toEqual([
    'decision_id',
    'error',
    'error_description',
    'error_uri',
  ])
})
