import fc from 'fast-check'
import { expect, test } from 'vitest'
import { identityCollisions } from '../../lib/domain/identity-collision.ts'
import { identityPath, parseIdentityTemplate } from '../../lib/domain/identity-template.ts'
import type { GrantRule, IssuerConfig, Matcher } from '../../lib/domain/tenant-config.ts'
import { WID_LEAVES, type Wid } from '../../lib/domain/wid.ts'

const issuer = (name: string): IssuerConfig => ({
  name,
  provider: 'generic',
  issuer: `https://${name}`,
  audience: '',
  algorithms: [],
  typ: [],
  headerMembers: [],
  maxAgeSeconds: 1,
  lifetimeSecondsMax: null,
  iatOptional: false,
  replay: 'once',
  orgIds: null,
  keys: { kind: 'discovery', issuer: '', jwksHosts: [] },
  mapping: [],
})
const segmentsOf = (template: string) => {
  const parsed = parseIdentityTemplate(template)
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.segments
}
const grant = (
  name: string,
  from: string,
  projects: readonly string[],
  template: string,
  environment: Matcher | null,
): GrantRule => ({
  name,
  from,
  conditions: [
    { leaf: 'project.id', matcher: { kind: 'any_of', values: projects } },
    ...(environment === null ? [] : [{ leaf: 'environment.name' as const, matcher: environment }]),
  ],
  identity: segmentsOf(template),
  issue: [],
  claims: [],
  mode: 'enforce',
  untrustedSource: 'deny',
})
const collide = (...grants: GrantRule[]) => identityCollisions(grants, [issuer('x'), issuer('y')], () => 'project.id')
const wid = (leaves: Partial<Wid>): Wid => ({
  ...(Object.fromEntries(Object.keys(WID_LEAVES).map((leaf) => [leaf, null])) as unknown as Wid),
  ...leaves,
})

test('one template under different fixed project ids does not collide; under one project id of two issuers it does', () => {
  const template = '/ci/{project.id}'
  expect(collide(grant('a', 'x', ['1'], template, null), grant('b', 'x', ['2'], template, null))).toEqual([])
  expect(collide(grant('a', 'x', ['1'], template, null), grant('b', 'x', ['1'], template, null))).toEqual([])
  expect(collide(grant('a', 'x', ['1'], template, null), grant('b', 'y', ['1'], template, null))).toEqual([
    { grant: 'b', other: 'a', path: '/ci/1' },
  ])
})

test('whatever two workloads are called, one SPIFFE ID for both is found at load', () => {
  const text = fc.constantFrom('1', '2', '12', 'a', 'a1')
  const template = fc.constantFrom(
    '/ci/{project.id}',
    '/ci/{project.id}{environment.name}',
    '/ci/{environment.name}',
    '/ci/a{environment.name}',
    '/ci/12',
    '/{environment.name}/{project.id}',
    '/a/{environment.name}',
  )
  const environment = fc.option(
    fc.oneof(
      text.map((value): Matcher => ({ kind: 'equals', value })),
      fc.array(text, { minLength: 1, maxLength: 3 }).map((values): Matcher => ({ kind: 'any_of', values })),
    ),
  )
  const rule = (name: string) =>
    fc
      .tuple(fc.constantFrom('x', 'y'), fc.uniqueArray(text, { minLength: 1, maxLength: 2 }), template, environment)
      .map((parts) => grant(name, ...parts))
  const meets = (matcher: Matcher | undefined, value: string) =>
    matcher === undefined ||
    (matcher.kind === 'equals' ? matcher.value === value : matcher.kind === 'any_of' && matcher.values.includes(value))
  const admits = (g: GrantRule, project: string, env: string) =>
    meets(g.conditions[0]?.matcher, project) && meets(g.conditions[1]?.matcher, env)
  fc.assert(
    fc.property(rule('a'), rule('b'), text, text, text, text, (a, b, p, q, e, f) => {
      const one = identityPath(a.identity, wid({ 'project.id': p, 'environment.name': e }))
      const two = identityPath(b.identity, wid({ 'project.id': q, 'environment.name': f }))
      const isCollision =
        admits(a, p, e) && admits(b, q, f) && one !== null && one === two && (a.from !== b.from || p !== q)
      return !isCollision || collide(a, b).length > 0
    }),
    { numRuns: 5_000 },
  )
})

test('many fixed values are decided: combinations beyond the bound count as open', () => {
  const many = Array.from({ length: 256 }, (_, index) => `v${index}`)
  const all = Array.from({ length: 3 }, (_, index) =>
    grant(
      `g${index}`,
      'x',
      many.map((value) => `${value}-${index}`),
      '/ci/{project.id}/{environment.name}',
      { kind: 'any_of', values: many },
    ),
  )
  expect(collide(...all)).toEqual([])
})
