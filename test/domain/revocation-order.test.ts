// What becomes a predicate and what is refused, one row each; and what a cut spares.
import { expect, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import { hits, REVOCATION_KINDS, type RevocationKind, type Selector } from '../../lib/domain/revocation.ts'
import {
  type OrderRefusal,
  orderProblem,
  parseSelector,
  type RevocationOrder,
  revocationOf,
} from '../../lib/domain/revocation-order.ts'
import { NOW_SECONDS, sampleOrder } from '../contract/sample-rows.ts'

const ONE = { tenant: 'acme', trustDomain: 'acme.example', issuers: ['github'] }
const TWO = { ...ONE, issuers: ['github', 'cluster-1'] }
const JTI = '0192f0c4-7d2e-7abc-8def-0123456789ab'
const HASH = 'GyBZ1MUsRD4hJSYv6nOfYd8rtUhCwgkR_FgkqXqg4jI'

test.each<[RevocationKind, string, typeof ONE, Selector]>([
  ['credential', JTI, ONE, { kind: 'credential', issuer: '', value: JTI }],
  ['assertion', HASH, ONE, { kind: 'assertion', issuer: '', value: HASH }],
  ['subject', 'spiffe://acme.example/ci/1', ONE, { kind: 'subject', issuer: '', value: 'spiffe://acme.example/ci/1' }],
  ['run', '123', ONE, { kind: 'run', issuer: 'github', value: '123' }],
  ['run', 'github/123', TWO, { kind: 'run', issuer: 'github', value: '123' }],
  ['project', 'cluster-1/group/app', TWO, { kind: 'project', issuer: 'cluster-1', value: 'group/app' }],
  ['actor', 'github/42', ONE, { kind: 'actor', issuer: 'github', value: '42' }],
  ['issuer', 'github', TWO, { kind: 'issuer', issuer: '', value: 'github' }],
  ['issuer_key', 'github/kid 1', ONE, { kind: 'issuer_key', issuer: 'github', value: 'kid 1' }],
  ['own_key', HASH, ONE, { kind: 'own_key', issuer: '', value: HASH }],
  ['grant', 'deploy-prod', ONE, { kind: 'grant', issuer: '', value: 'deploy-prod' }],
  ['session', 'acme.0192f0c4', ONE, { kind: 'session', issuer: '', value: 'acme.0192f0c4' }],
  ['tenant', 'acme', ONE, { kind: 'tenant', issuer: '', value: 'acme' }],
])('%s %j becomes a selector', (kind, text, context, selector) => {
  expect(parseSelector(kind, text, context)).toEqual({ ok: true, value: selector })
  expect(orderProblem(sampleOrder({ selectors: [selector] }))).toBeNull()
})

test('every kind has a row above: a new one cannot be forgotten here', () => {
  expect(Object.keys(REVOCATION_KINDS)).toHaveLength(12)
})

test.each<[string, RevocationKind, string, typeof ONE, OrderRefusal]>([
  ['a bare id where two issuers could have given it', 'run', '123', TWO, 'issuer_missing'],
  ['an empty id behind its issuer', 'run', 'github/', ONE, 'value_invalid'],
  ['an issuer name that none can have', 'run', 'Git Hub/1', ONE, 'value_invalid'],
  ['an empty value', 'session', '', ONE, 'value_invalid'],
  ['a jti that we never made', 'credential', 'jti-1', ONE, 'value_invalid'],
  ['a jti in capitals, which equals none', 'credential', JTI.toUpperCase(), ONE, 'value_invalid'],
  ['an assertion by its jti instead of its replay key', 'assertion', 'b0d5f2c4', ONE, 'value_invalid'],
  ['a subject that is no SPIFFE ID', 'subject', 'repo:acme/app', ONE, 'value_invalid'],
  ['a subject of another tenant', 'subject', 'spiffe://globex.example/ci', ONE, 'subject_foreign'],
  ['another tenant by name', 'tenant', 'globex', ONE, 'value_invalid'],
  ['a line break, which would forge a line of a log', 'project', 'github/1\n2', ONE, 'value_invalid'],
  ['more bytes than a claim may have', 'project', `github/${'é'.repeat(1025)}`, ONE, 'value_invalid'],
])('refused: %s', (_, kind, text, context, refusal) => {
  expect(parseSelector(kind, text, context)).toEqual({ ok: false, refusal })
})

const run: Selector = { kind: 'run', issuer: 'github', value: '1' }
test.each<[string, Partial<RevocationOrder>, OrderRefusal]>([
  ['no selector', { selectors: [] }, 'selectors_invalid'],
  ['more than follow from one request', { selectors: Array(5).fill(run) }, 'selectors_invalid'],
  ['a cut of a run, which never comes back', { selectors: [run], form: 'cut' }, 'cut_not_allowed'],
  ['a scoped kind without its issuer', { selectors: [{ ...run, issuer: '' }] }, 'value_invalid'],
  [
    'an issuer where the kind has none',
    { selectors: [{ kind: 'grant', issuer: 'github', value: 'a' }] },
    'value_invalid',
  ],
  ['the block of another tenant', { selectors: [{ kind: 'tenant', issuer: '', value: 'globex' }] }, 'value_invalid'],
  ['no reason', { reason: '' }, 'reason_invalid'],
  ['a reason of two lines', { reason: 'a\u2028b' }, 'reason_invalid'],
  ['a reason without end', { reason: 'x'.repeat(513) }, 'reason_invalid'],
])('an order off the queue is refused: %s', (_, over, refusal) => {
  expect(orderProblem(sampleOrder(over))).toBe(refusal)
})

test('a cut spares nothing that a mint which read before it may still sign, by a clock 30 s ahead', () => {
  const order = sampleOrder({ form: 'cut', selectors: [{ kind: 'project', issuer: 'github', value: '1' }] })
  const written = { id: JTI, by: 'uid:1000', atSeconds: NOW_SECONDS }
  const cut = revocationOf(order, order.selectors[0]!, written)
  const lastSigned = NOW_SECONDS + LIMITS.mintDeadlineMs / 1000 + 30
  expect(hits(cut, lastSigned - 1)).toBe(true)
  expect(hits(cut, lastSigned)).toBe(false)
})

test('the bound of a cut follows the time of writing, never that of the order', () => {
  const order = sampleOrder({ form: 'cut', orderedAtSeconds: NOW_SECONDS - 86_400 })
  const selector: Selector = { kind: 'project', issuer: 'github', value: '1' }
  const cut = revocationOf(order, selector, { id: JTI, by: 'uid:1000', atSeconds: NOW_SECONDS })
  expect(cut.notBeforeSeconds).toBeGreaterThan(NOW_SECONDS)
  expect(
    revocationOf({ ...order, form: 'block' }, selector, { id: JTI, by: 'x', atSeconds: 1 }).notBeforeSeconds,
  ).toBeNull()
})
