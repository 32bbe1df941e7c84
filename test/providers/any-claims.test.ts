// Properties over all presets: whatever a platform signs, check and normalize answer with values, and what they answer has
// the types of wid/1.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { issuerOf } from '../../lib/domain/assertion-checks.ts'
import type { JsonObject, JsonValue } from '../../lib/domain/claims.ts'
import { normalize } from '../../lib/domain/normalize.ts'
import { PROVIDERS, UNTRUSTED_TRIGGERS, WID_LEAVES, type WidLeaf } from '../../lib/domain/wid.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { mutated, SAMPLE_NAMES, sample } from '../support/assertion-samples.ts'

const anyJson = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>
const oddText = fc.constantFrom(
  '',
  '/',
  '@',
  'constructor',
  '__proto__',
  'refs/pull/1/merge',
  'a@b@c',
  '\uD800',
  'true',
)

describe.each(PROVIDERS)('%s', (name) => {
  const preset = PROVIDER_CATALOG[name]
  const samples = SAMPLE_NAMES.map(sample).filter(({ provider }) => provider === name)

  test('never throws, and gives every leaf its type, when any claims are replaced by anything', () => {
    const changes = fc
      .constantFrom(...samples)
      .chain(({ claims }) =>
        fc
          .dictionary(fc.constantFrom(...Object.keys(claims)), fc.oneof(anyJson, oddText), { maxKeys: 3 })
          .map((changed) => mutated(claims, (copy) => Object.assign(copy, changed))),
      )
    fc.assert(
      fc.property(changes, (claims: JsonObject) => {
        const iss = String(issuerOf(samples[0]!.claims))
        preset.check?.(claims, iss)
        const wid = normalize(preset, iss, claims, null)
        if (!wid.ok) {
          expect(wid.refusal.kind).toBe('claim_invalid')
          return
        }
        for (const [leaf, value] of Object.entries(wid.value)) {
          if (value === null) continue
          const type = WID_LEAVES[leaf as WidLeaf]
          expect(typeof value, leaf).toBe(type.type)
          if ('values' in type) expect(type.values, leaf).toContain(value)
          expect(value, leaf).not.toBe('')
        }
        // INVARIANT: no leaf says the run is foreign while untrusted_source says it is not.
        const isForeign =
          UNTRUSTED_TRIGGERS.has(String(wid.value['trigger.class'])) || wid.value['runner.class'] === 'interactive'
        expect(isForeign && wid.value.untrusted_source === false).toBe(false)
        expect(Object.keys(wid.value)).toHaveLength(Object.keys(WID_LEAVES).length)
      }),
      { numRuns: 150, seed: 20_261_124 },
    )
  })
})
