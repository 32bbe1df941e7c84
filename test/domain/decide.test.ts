import { describe, expect, test } from 'vitest'
import { evaluateGrants, matches, type Target, verdictsOf } from '../../lib/domain/decide.ts'
import { explainGrants } from '../../lib/domain/explain.ts'
import type { Condition, GrantRule, Matcher } from '../../lib/domain/tenant-config.ts'
import type { WidValue } from '../../lib/domain/wid.ts'
import { config, decide, entry, equals, glob, grant, identity, job, session, wid } from '../support/grant-samples.ts'

describe('matchers', () => {
  test.each<[string, Matcher, WidValue, boolean]>([
    ['exact', equals('main'), 'main', true],
    ['exact is case-sensitive', equals('main'), 'Main', false],
    ['true is not "true" (A27)', equals(true), 'true', false],
    ['"true" is not true (A27)', equals('true'), true, false],
    ['any of', { kind: 'any_of', values: ['a', 'b'] }, 'b', true],
    ['none of', { kind: 'any_of', values: ['a', 'b'] }, 'ab', false],
    ['a pattern', glob('refs/tags/v*'), 'refs/tags/v1', true],
    ['a pattern on a boolean', glob('t*'), true, false],
    ['not', { kind: 'not', matcher: { kind: 'equals', value: 'prod' } }, 'staging', true],
    ['not, of the value itself', { kind: 'not', matcher: { kind: 'equals', value: 'prod' } }, 'prod', false],
    [
      'a missing value is not "not prod" (A28)',
      { kind: 'not', matcher: { kind: 'equals', value: 'prod' } },
      null,
      false,
    ],
    ['a missing value', equals('x'), null, false],
  ])('%s', (_name, matcher, value, expected) => {
    expect(matches(matcher, value)).toBe(expected)
  })

  test('no matcher at all matches null', () => {
    for (const matcher of [
      equals(''),
      equals(false),
      glob('**'),
      { kind: 'any_of', values: ['null', ''] },
      { kind: 'not', matcher: glob('x') },
    ] as Matcher[]) {
      expect(matches(matcher, null)).toBe(false)
      expect(matches(matcher, undefined)).toBe(false)
    }
  })
})

describe('evaluateGrants', () => {
  test('every condition of every candidate is judged, also after the first that fails, and grants of other issuers are not', () => {
    const conditions: Condition[] = [
      { leaf: 'project.id', matcher: equals('2') },
      { leaf: 'ref.full', matcher: equals('refs/heads/main') },
      { leaf: 'environment.name', matcher: equals('staging') },
    ]
    const evaluations = evaluateGrants(
      config(grant('a', { conditions }), grant('b', { from: 'gitlab' }), grant('c')),
      'github',
      job,
    )
    expect(evaluations.map(({ grant: { name }, results, holds }) => ({ name, results, holds }))).toEqual([
      { name: 'a', results: [false, true, false], holds: false },
      { name: 'c', results: [true], holds: true },
    ])
    expect(verdictsOf(evaluations)).toEqual({ a: '01011', c: '111' })
  })

  test('an untrusted source matches nothing unless the grant allows it', () => {
    const untrusted = wid({ 'project.id': '1', untrusted_source: true })
    expect(decide([grant('a')], {}, untrusted)).toBe('no_grant_matches')
    expect(decide([grant('a', { untrustedSource: 'allow' })], {}, untrusted)).toMatchObject({ grant: 'a' })
    expect(decide([grant('a')], {}, wid({ 'project.id': '1', untrusted_source: null }))).toBe('no_grant_matches')
  })

  test.each([null, '', 'a/b', '..', '.', 'a b', 'a%2Fb', 'ä', 'a:b', 'a\n', true])(
    'an identity segment %j denies instead of being encoded (A29)',
    (value) => {
      const rule = grant('a', { identity: identity('/ci/{environment.name}') })
      const who = wid({ 'project.id': '1', 'environment.name': value })
      expect(decide([rule], {}, who)).toBe('identity_invalid')
      expect(verdictsOf(evaluateGrants(config(rule), 'github', who))).toEqual({ a: '110' })
    },
  )

  test('the identity is the template with the values in it', () => {
    const [evaluation] = evaluateGrants(
      config(grant('a', { identity: identity('/ci/{project.id}-x/{environment.name}') })),
      'github',
      job,
    )
    expect(evaluation?.identity).toBe('/ci/1-x/production')
  })
})

describe('chooseGrant', () => {
  test('the only audience of the only matching grant is meant when none is named', () => {
    expect(decide([grant('a')])).toEqual({ grant: 'a', audience: 'https://a', scope: ['read'] })
  })

  test.each<[string, GrantRule[], Partial<Target>, unknown]>([
    [
      'no grant matches',
      [grant('a', { conditions: [{ leaf: 'project.id', matcher: equals('2') }] })],
      {},
      'no_grant_matches',
    ],
    ['there are no grants', [], {}, 'no_grant_matches'],
    [
      'two audiences and none named',
      [grant('a', { issue: [entry(['https://a', 'https://b'])] })],
      {},
      'target_ambiguous',
    ],
    [
      'two audiences and one named',
      [grant('a', { issue: [entry(['https://a', 'https://b'])] })],
      { audience: 'https://b' },
      { grant: 'a', audience: 'https://b', scope: ['read'] },
    ],
    [
      'two grants match and no target is named, though they issue for different audiences',
      [grant('a'), grant('b', { issue: [entry('https://b')] })],
      {},
      'target_ambiguous',
    ],
    [
      'two grants match and only one serves the audience',
      [grant('a'), grant('b', { issue: [entry('https://b')] })],
      { audience: 'https://b' },
      { grant: 'b', audience: 'https://b', scope: ['read'] },
    ],
    ['two grants could serve', [grant('a'), grant('b')], { audience: 'https://a' }, 'target_ambiguous'],
    [
      'two grants could serve, in the other order',
      [grant('b'), grant('a')],
      { audience: 'https://a' },
      'target_ambiguous',
    ],
    [
      'two grants could serve and one is named',
      [grant('a'), grant('b')],
      { audience: 'https://a', grant: 'b' },
      { grant: 'b', audience: 'https://a', scope: ['read'] },
    ],
    [
      'a grant named alone',
      [grant('a'), grant('b')],
      { grant: 'b' },
      { grant: 'b', audience: 'https://a', scope: ['read'] },
    ],
    [
      'only one of two has the scope',
      [grant('a'), grant('b', { issue: [entry('https://a', ['write'])] })],
      { audience: 'https://a', scope: ['write'] },
      { grant: 'b', audience: 'https://a', scope: ['write'] },
    ],
    ['a grant that does not exist', [grant('a')], { grant: 'z' }, 'grant_not_found'],
    [
      'a grant that does not match',
      [grant('a'), grant('b', { conditions: [{ leaf: 'project.id', matcher: equals('2') }] })],
      { grant: 'b' },
      'grant_not_found',
    ],
    ['an audience nobody issues for', [grant('a')], { audience: 'https://z' }, 'target_unknown'],
    [
      'the named grant does not serve the audience',
      [grant('a'), grant('b', { issue: [entry('https://b')] })],
      { grant: 'a', audience: 'https://b' },
      'target_unknown',
    ],
    ['an audience that only begins like one', [grant('a')], { audience: 'https://a/' }, 'target_unknown'],
    ['cloud credentials are no access token', [grant('a', { issue: [session('https://aws')] })], {}, 'target_unknown'],
    ['an access token is no cloud credential', [grant('a')], { type: 'aws-credentials' }, 'target_unknown'],
    [
      'a session is issued where it is asked for by its kind, and has no scope',
      [grant('a', { issue: [entry('https://a'), session('https://aws')] })],
      { type: 'aws-credentials' },
      { grant: 'a', audience: 'https://aws', scope: [] },
    ],
    [
      'a session with a scope',
      [grant('a', { issue: [session('https://aws')] })],
      { type: 'aws-credentials', scope: ['read'] },
      'scope_exceeds_grant',
    ],
    [
      'two roles, and the request names none',
      [grant('a', { issue: [session('https://aws/1'), session('https://aws/2')] })],
      { type: 'aws-credentials' },
      'target_ambiguous',
    ],
    [
      'less scope',
      [grant('a', { issue: [entry('https://a', ['r', 'w'])] })],
      { scope: ['w'] },
      { grant: 'a', audience: 'https://a', scope: ['w'] },
    ],
    ['more scope', [grant('a')], { scope: ['read', 'admin'] }, 'scope_exceeds_grant'],
  ])('%s', (_name, grants, target, expected) => {
    expect(decide(grants, target)).toEqual(expected)
  })

  test('a report grant is invisible: it serves nobody, is not found by name and makes nothing ambiguous', () => {
    const report = grant('r', { mode: 'report' })
    expect(decide([report])).toBe('no_grant_matches')
    expect(decide([report], { grant: 'r' })).toBe('no_grant_matches')
    expect(decide([grant('a'), report], { grant: 'r' })).toBe('grant_not_found')
    expect(decide([grant('a'), report])).toMatchObject({ grant: 'a' })
    expect(verdictsOf(evaluateGrants(config(report), 'github', job))).toEqual({ r: '111' })
  })
})

test('explanation names every condition with what was expected and what was there, and the nearest grant', () => {
  const far = grant('far', {
    conditions: [
      { leaf: 'project.id', matcher: equals('9') },
      { leaf: 'ref.protected', matcher: equals(true) },
    ],
  })
  const near = grant('near', {
    conditions: [
      { leaf: 'project.id', matcher: equals('1') },
      { leaf: 'ref.full', matcher: { kind: 'not', matcher: glob('refs/heads/**') } },
    ],
  })
  const { rows, nearest } = explainGrants(evaluateGrants(config(far, near), 'github', job), job)
  expect(nearest).toEqual({ grant: 'near', held: 3, of: 4 })
  expect(
    rows.map(({ grant: name, condition, expected, actual, holds }) => [name, condition, expected, actual, holds]),
  ).toEqual([
    ['far', 'project.id', 'is "9"', '"1"', false],
    ['far', 'ref.protected', 'is true', '(missing)', false],
    ['far', 'untrusted_source', 'is false', 'false', true],
    ['far', 'identity', '/ci/{project.id}', '/ci/1', true],
    ['near', 'project.id', 'is "1"', '"1"', true],
    ['near', 'ref.full', 'is there and not: matches "refs/heads/**"', '"refs/heads/main"', false],
    ['near', 'untrusted_source', 'is false', 'false', true],
    ['near', 'identity', '/ci/{project.id}', '/ci/1', true],
  ])
})
