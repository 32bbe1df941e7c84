// The keys a document holds inline, judged as they are when evidence comes (issuers.md §0.2; attacks rows 9, 11, 17, 18): what is
// weak or broken is refused at load, and what no evidence can be verified with is pointed out. Pure.
import type { JsonObject, JsonValue } from '../domain/claims.ts'
import { type DropReason, fitsAlgorithm } from '../domain/jwk-policy.ts'
import { type InlineKeySource, usableKeysOf } from '../domain/key-source.ts'
import { LIMITS } from '../domain/limits.ts'
import type { SignatureAlgorithm } from '../domain/provider.ts'

/** `index`: of the key in the set. */
export type KeyRemark = { readonly index: number; readonly says: string }

/** What is wrong with a key itself, whatever it is for. */
const BROKEN: { readonly [reason in DropReason]?: string } = {
  encoding: 'its members are not unpadded base64url of the right length',
  modulus_size: `an RSA key has ${LIMITS.rsaModulusBitsMin} to ${LIMITS.rsaModulusBitsMax} bits`,
  modulus_even: 'its modulus is even',
  exponent: 'the exponent of an RSA key is odd, 3 or more, and has 4 bytes at most',
  roca: 'it can be factored (ROCA, CVE-2017-15361)',
  not_on_curve: 'its point is not on its curve',
}

const UNUSED: { readonly [reason in DropReason]?: string } = {
  kid_missing: 'it has no kid, and evidence names its key by kid',
  kid_duplicate: 'another key has this kid, so neither is used',
  use: 'its use is not sig',
  key_ops: 'its key_ops lack verify',
  alg: 'its alg does not fit it',
  crv_unsupported: 'its curve is none of P-256, P-384, P-521',
}

/** Keys to be refused at load (row 17). */
export const brokenKeys = (source: InlineKeySource): readonly KeyRemark[] =>
  keysOf(source).flatMap((key, index) => {
    const says = BROKEN[reasonOf(source, [key]) ?? 'use']
    return says === undefined ? [] : [{ index, says: `this key is not accepted: ${says}` }]
  })

/** Keys that verify nothing here: a mistake, or no harm. The X.509 half of a SPIFFE bundle is neither. */
export const unusedKeys = (
  source: InlineKeySource,
  algorithms: readonly SignatureAlgorithm[],
): readonly KeyRemark[] => {
  const all = keysOf(source)
  return all.flatMap((key, index) => {
    if (source.spiffe === true && key['use'] === 'x509-svid') return []
    const twins = all.filter(({ kid }) => kid === key['kid'])
    const says = UNUSED[reasonOf(source, twins) ?? 'modulus_size'] ?? unfit(source, key, algorithms)
    return says === null ? [] : [{ index, says: `this key verifies nothing: ${says}` }]
  })
}

const keysOf = ({ keys }: InlineKeySource): readonly JsonObject[] =>
  Array.isArray(keys) ? (keys as readonly JsonObject[]) : []

/** Why the first of these keys is dropped; null: it is not. */
const reasonOf = (source: InlineKeySource, keys: readonly JsonValue[]): DropReason | null =>
  usableKeysOf(source, { keys }).dropped[0]?.reason ?? null

const unfit = (source: InlineKeySource, key: JsonObject, algorithms: readonly SignatureAlgorithm[]): string | null => {
  const [usable] = usableKeysOf(source, { keys: [key] }).keys
  if (usable === undefined) return null
  const fits = algorithms.some((alg) => fitsAlgorithm(usable.jwk, alg) && (usable.alg ?? alg) === alg)
  return fits ? null : `it fits none of the algorithms accepted from this issuer (${algorithms.join(', ')})`
}
