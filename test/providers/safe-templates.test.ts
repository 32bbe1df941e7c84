// The safe template of every preset (issuers.md §3) against the attacks of §4, judged by a reader of its own: exact values
// and lists only, so that a mistake of the decision engine cannot hide one of a preset.
import { describe, expect, test } from 'vitest'
import { issuerOf } from '../../lib/domain/assertion-checks.ts'
import { claimAt, type JsonObject } from '../../lib/domain/claims.ts'
import { normalize } from '../../lib/domain/normalize.ts'
import type { LeafSource } from '../../lib/domain/provider.ts'
import { PROVIDERS, type ProviderName, type WidLeaf } from '../../lib/domain/wid.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { type Claims, mutated, safeTemplates, sample } from '../support/assertion-samples.ts'

type Outcome = 'accepted' | 'refused' | 'no_match'

const judge = (name: ProviderName, claims: JsonObject): Outcome => {
  const preset = PROVIDER_CATALOG[name]
  const template = safeTemplates[name]
  const iss = String(issuerOf(sample(template.sample).claims))
  if (preset.check?.(claims, iss).ok === false) return 'refused'
  const wid = normalize(preset, iss, claims, template.mapping ?? null)
  if (!wid.ok || (template.org_id !== null && wid.value[preset.tenancyLeaf] !== template.org_id)) return 'refused'
  if (wid.value.untrusted_source !== false) return 'no_match'
  const holds = Object.entries(template.match).every(([leaf, wanted]) => {
    const actual = wid.value[leaf as WidLeaf]
    return actual !== null && (Array.isArray(wanted) ? wanted.includes(actual) : wanted === actual)
  })
  return holds ? 'accepted' : 'no_match'
}

/** The claims a leaf is made of. */
const pathsOf = (source: LeafSource | undefined): readonly (readonly string[])[] => {
  if (source === undefined || 'fixed' in source || 'issuer' in source) return []
  if ('claim' in source) return [source.claim]
  return ('anyOf' in source ? source.anyOf : source.reads).map((read) => read.claim)
}

const put = (claims: Claims, path: readonly string[], value: unknown): void => {
  let at = claims
  for (const name of path.slice(0, -1)) at = at[name] as Claims
  const last = path.at(-1)!
  if (value === undefined) delete at[last]
  else at[last] = value
}

const boundPaths = (name: ProviderName): string[][] => {
  const { match, mapping, sample: good } = safeTemplates[name]
  const { claims } = sample(good)
  const paths = Object.keys(match).flatMap((leaf) => [
    ...pathsOf(PROVIDER_CATALOG[name].leaves[leaf as WidLeaf]),
    ...(mapping ?? []).filter((entry) => entry.leaf === leaf).map((entry) => entry.claim),
  ])
  // "" is a claim that is missing, and so not what a template binds.
  const present = paths.filter((path) => ![null, ''].includes(claimAt(claims, path) as string | null))
  return [...new Map(present.map((path) => [path.join(' '), [...path]])).values()]
}

/** Claims read only where the one bound here is missing: changing them alone changes nothing. */
const SECOND_CHOICE: Readonly<Partial<Record<ProviderName, readonly string[]>>> = {
  buildkite: ['organization_slug', 'pipeline_slug'],
}

describe.each(PROVIDERS)('the safe template of %s', (name) => {
  const template = safeTemplates[name]
  const good = sample(template.sample).claims

  test('accepts the run it was written for', () => {
    expect(judge(name, good)).toBe('accepted')
  })

  test('binds the workload, and a ref or an environment where the platform has one', () => {
    const preset = PROVIDER_CATALOG[name]
    expect(Object.keys(template.match)).toContain(preset.workloadLeaf)
    if (preset.bindsRefOrEnvironment)
      expect(Object.keys(template.match).some((leaf) => /^(?:ref|environment)\./.test(leaf))).toBe(true)
  })

  test.each([...template.attacks])('stops: $name', ({ mutate, expect: wanted }) => {
    expect(judge(name, mutated(good, mutate))).toBe(wanted)
  })

  const rows = boundPaths(name).map((path) => [path.join(' '), path] as const)
  const deciding = rows.filter(([title]) => !SECOND_CHOICE[name]?.includes(title))

  test.each(deciding)('fails closed when the bound claim %s is deleted, null or ""', (_, path) => {
    for (const gone of [undefined, null, ''])
      expect(
        judge(
          name,
          mutated(good, (claims) => put(claims, path, gone)),
        ),
      ).not.toBe('accepted')
  })

  test.each(rows)('refuses the bound claim %s with a value of another JSON type', (_, path) => {
    const others = [['x'], { x: 'x' }, 1.5, typeof claimAt(good, path) === 'boolean' ? 'true' : true]
    for (const other of others)
      expect(
        judge(
          name,
          mutated(good, (claims) => put(claims, path, other)),
        ),
      ).toBe('refused')
  })

  test.each(deciding)('does not take a look-alike of the bound claim %s', (_, path) => {
    const actual = claimAt(good, path)
    if (typeof actual !== 'string') return
    const fullWidth = actual.replace(/[A-Za-z0-9]/, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0))
    for (const alike of [`${actual}\u200B`, ` ${actual}`, `${actual}\0`, fullWidth])
      expect(
        judge(
          name,
          mutated(good, (claims) => put(claims, path, alike)),
        ),
      ).not.toBe('accepted')
  })
})
