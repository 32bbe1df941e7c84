// Claims to wid/1 (issuers.md §0.7, §5.2, §5.4), with a small preset of every kind of source: types, enums, tables, trust.
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../lib/domain/claims.ts'
import { type ClaimMapping, isMappable, normalize } from '../../lib/domain/normalize.ts'
import type { Provider } from '../../lib/domain/provider.ts'
import { WID_LEAVES } from '../../lib/domain/wid.ts'

const ISS = 'https://ci.example'

const preset: Provider = {
  name: 'generic',
  title: 'a preset with one source of every kind',
  issuer: { owns: () => false, accepts: () => true, shared: () => false, form: 'any' },
  algorithms: ['RS256'],
  maxAgeSeconds: 300,
  replay: 'once',
  audience: 'run',
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': { issuer: true, mutability: 'immutable' },
    'project.id': {
      anyOf: [
        { claim: ['id'], mutability: 'immutable' },
        { claim: ['slug'], mutability: 'reusable' },
      ],
      mutability: 'reusable',
    },
    'ref.full': { claim: ['git', 'ref'], mutability: 'mutable' },
    'ref.type': { claim: ['ref_type'], mutability: 'mutable' },
    'ref.protected': { claim: ['protected'], as: 'boolean-string', mutability: 'mutable' },
    'environment.protected': { claim: ['env_protected'], as: 'boolean', mutability: 'mutable' },
    'trigger.raw': { claim: ['event'], mutability: 'mutable' },
    'run.id': { claim: ['build'], as: 'number', mutability: 'per_run' },
    'runner.class': {
      claim: ['runner'],
      values: { 'acme-hosted': 'hosted', shell: 'interactive' },
      mutability: 'mutable',
    },
    'instance.kind': { fixed: 'pod', mutability: 'immutable' },
    'instance.id': {
      reads: [{ claim: ['a'] }, { claim: ['b'] }],
      derive: ([a = null, b = null]) => (a === null || b === null ? null : `${a}+${b}`),
      mutability: 'per_run',
    },
    visibility: { claim: ['visibility'], mutability: 'mutable' },
  },
  triggers: { push: 'push', pr: 'pull_request', target: 'privileged_fork', shell: 'interactive' },
  untrusted: (leaves) => leaves['ref.full'] === 'refs/evil',
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: false,
  advice: [],
}

const run = (claims: JsonObject, mapping: ClaimMapping | null = null, provider: Provider = preset) =>
  normalize(provider, ISS, claims, mapping)

const leavesOf = (claims: JsonObject, mapping: ClaimMapping | null = null, provider: Provider = preset) => {
  const result = run(claims, mapping, provider)
  if (!result.ok) throw new Error(JSON.stringify(result.refusal))
  return result.value
}

test('every leaf is present, null where the platform did not say', () => {
  const wid = leavesOf({})
  expect(Object.keys(wid).sort()).toEqual(Object.keys(WID_LEAVES).sort())
  expect(wid).toMatchObject({
    provider: 'generic',
    issuer: ISS,
    'org.id': ISS,
    'instance.kind': 'pod',
    assurance: 'bearer',
    'project.id': null,
    'ref.protected': null,
    'run.id': null,
  })
})

test.each([undefined, null, ''])('missing, null and the empty string are one thing: %j', (value) => {
  const claims: JsonObject =
    value === undefined ? {} : { id: value, runner: value, visibility: value, protected: value }
  expect(leavesOf(claims)).toMatchObject({
    'project.id': null,
    'runner.class': null,
    visibility: null,
    'ref.protected': null,
  })
})

describe('a value is never converted (a wrong implementation calls String or Boolean on it)', () => {
  test.each([
    [{ id: 7 }, 'id', 'a string'],
    [{ id: true }, 'id', 'a string'],
    [{ id: ['x'] }, 'id', 'a string'],
    [{ id: { x: 'x' } }, 'id', 'a string'],
    [{ git: { ref: 7 } }, 'git.ref', 'a string'],
    [{ protected: true }, 'protected', '"true" or "false"'],
    [{ protected: 'TRUE' }, 'protected', '"true" or "false"'],
    [{ protected: '1' }, 'protected', '"true" or "false"'],
    [{ env_protected: 'true' }, 'env_protected', 'a boolean'],
    [{ env_protected: 1 }, 'env_protected', 'a boolean'],
    [{ build: '12' }, 'build', 'a safe non-negative integer'],
    [{ build: 1.5 }, 'build', 'a safe non-negative integer'],
    [{ build: -1 }, 'build', 'a safe non-negative integer'],
    [{ build: 2 ** 53 }, 'build', 'a safe non-negative integer'],
    [{ runner: true }, 'runner', 'a string'],
    [{ a: 'x', b: 7 }, 'b', 'a string'],
  ] as readonly (readonly [JsonObject, string, string])[])('%j', (claims, claim, expected) => {
    expect(run(claims)).toEqual({ ok: false, refusal: { kind: 'claim_invalid', detail: { claim, expected } } })
  })
})

test('a strong id of the wrong type is no way to fall through to the weak one', () => {
  expect(run({ id: 7, slug: 'victim' }).ok).toBe(false)
  expect(run({ id: 'strong', slug: 7 }).ok).toBe(false)
  expect(leavesOf({ id: 'strong', slug: 'weak' })['project.id']).toBe('strong')
  expect(leavesOf({ id: null, slug: 'weak' })['project.id']).toBe('weak')
})

test('a path through something that is no object is a missing claim', () => {
  for (const git of ['refs/heads/main', 7, ['ref'], null]) expect(leavesOf({ git })['ref.full']).toBeNull()
})

test('numbers become decimal strings where the preset says so', () => {
  expect(leavesOf({ build: 0 })['run.id']).toBe('0')
  expect(leavesOf({ build: 9_007_199_254_740_991 })['run.id']).toBe('9007199254740991')
})

test('"true" is true and "false" is false, not present', () => {
  expect(leavesOf({ protected: 'true' })['ref.protected']).toBe(true)
  expect(leavesOf({ protected: 'false' })['ref.protected']).toBe(false)
  expect(leavesOf({ env_protected: false })['environment.protected']).toBe(false)
})

test('an enumerated leaf keeps its listed values only', () => {
  expect(leavesOf({ ref_type: 'branch', visibility: 'internal' })).toMatchObject({
    'ref.type': 'branch',
    visibility: 'internal',
  })
  expect(leavesOf({ ref_type: 'Branch', visibility: 'secret' })).toMatchObject({ 'ref.type': null, visibility: null })
})

test.each(['gpu-hosted', 'hosted', 'constructor', '__proto__', 'toString'])(
  'runner %j, which the table does not list, is unknown and never hosted',
  (runner) => {
    expect(leavesOf({ runner, event: 'push' })).toMatchObject({ 'runner.class': 'unknown', untrusted_source: false })
  },
)

describe('trigger classes and trust', () => {
  test.each([
    ['push', 'push', false],
    ['pr', 'pull_request', true],
    ['target', 'privileged_fork', true],
    ['shell', 'interactive', true],
    ['Push', 'unknown', true],
    ['merge', 'unknown', true],
    ['constructor', 'unknown', true],
    ['__proto__', 'unknown', true],
    ['', 'unknown', true],
  ] as const)('event %j is %s, untrusted %s', (event, triggerClass, isUntrusted) => {
    expect(leavesOf({ event })).toMatchObject({ 'trigger.class': triggerClass, untrusted_source: isUntrusted })
  })

  test('no trigger claim where the platform has one: unknown, untrusted', () => {
    expect(leavesOf({})).toMatchObject({ 'trigger.raw': null, 'trigger.class': 'unknown', untrusted_source: true })
  })

  test('a platform without trigger claims: no class, trusted', () => {
    const { 'trigger.raw': _, ...leaves } = preset.leaves
    expect(leavesOf({}, null, { ...preset, leaves, triggers: null })).toMatchObject({
      'trigger.class': null,
      untrusted_source: false,
    })
  })

  test('a shell on the runner is untrusted whatever the event was', () => {
    expect(leavesOf({ event: 'push', runner: 'shell' })).toMatchObject({
      'runner.class': 'interactive',
      untrusted_source: true,
    })
  })

  test("the preset's own rule counts beside the class", () => {
    expect(leavesOf({ event: 'push', git: { ref: 'refs/evil' } }).untrusted_source).toBe(true)
  })
})

describe("the document's own claims", () => {
  const mapping: ClaimMapping = [
    { leaf: 'environment.name', claim: ['custom', 'env'] },
    { leaf: 'environment.protected', claim: ['lie'] },
    { leaf: 'project.id', claim: ['lie'] },
    { leaf: 'trigger.class', claim: ['lie'] },
    { leaf: 'untrusted_source', claim: ['lie'] },
    { leaf: 'assurance', claim: ['lie'] },
    { leaf: 'provider', claim: ['lie'] },
    { leaf: 'issuer', claim: ['lie'] },
  ]

  test('fill leaves the preset leaves empty, by path', () => {
    expect(leavesOf({ event: 'push', custom: { env: 'prod' } }, mapping)['environment.name']).toBe('prod')
  })

  test('never replace what the preset fills, and never speak for trust', () => {
    expect(leavesOf({ event: 'pr', id: 'real', lie: 'push' }, mapping)).toMatchObject({
      provider: 'generic',
      issuer: ISS,
      'project.id': 'real',
      'environment.protected': null,
      'trigger.class': 'pull_request',
      untrusted_source: true,
      assurance: 'bearer',
    })
    expect(mapping.filter(({ leaf }) => isMappable(preset, leaf)).map(({ leaf }) => leaf)).toEqual(['environment.name'])
  })

  test('a mapped claim has the type of its leaf, and one of another type is no value', () => {
    const own: ClaimMapping = [
      { leaf: 'ref.protected', claim: ['p'] },
      { leaf: 'ref.name', claim: ['n'] },
    ]
    const bare: Provider = { ...preset, leaves: {}, triggers: null }
    expect(leavesOf({ p: true, n: 'main' }, own, bare)).toMatchObject({ 'ref.protected': true, 'ref.name': 'main' })
    expect(run({ p: 'true' }, own, bare)).toMatchObject({ refusal: { detail: { claim: 'p', expected: 'a boolean' } } })
    expect(run({ n: 7 }, own, bare)).toMatchObject({ refusal: { detail: { claim: 'n', expected: 'a string' } } })
  })

  test.each([
    ['push', 'push', false],
    ['pull_request', 'pull_request', true],
    ['deploy', 'unknown', true],
    [null, 'unknown', true],
  ] as const)('a mapped trigger class %j is %s, untrusted %s', (kind, triggerClass, isUntrusted) => {
    const bare: Provider = { ...preset, leaves: {}, triggers: null }
    expect(leavesOf({ kind }, [{ leaf: 'trigger.class', claim: ['kind'] }], bare)).toMatchObject({
      'trigger.class': triggerClass,
      untrusted_source: isUntrusted,
    })
  })

  test('a claim named like an inherited member is a missing claim', () => {
    const bare: Provider = { ...preset, leaves: {}, triggers: null }
    const claims: JsonObject = Object.assign(Object.create(null), {})
    expect(leavesOf(claims, [{ leaf: 'project.id', claim: ['constructor', 'name'] }], bare)['project.id']).toBeNull()
  })
})
