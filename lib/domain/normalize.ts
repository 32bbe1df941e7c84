// Claims of any platform become wid/1 (issuers.md §0.7, §5.2-5.4). Type-strict and total: every leaf is present, null where
// the platform did not say, and a claim of the wrong JSON type refuses the evidence rather than being converted. Pure.
import { claimAt, type JsonObject } from './claims.ts'
import type { ClaimRead, LeafSource, Provider } from './provider.ts'
import { refuse } from './refusal.ts'
import { ok, type Result } from './result.ts'
import { newWid, UNTRUSTED_TRIGGERS, WID_LEAF_NAMES, WID_LEAVES, type Wid, type WidLeaf, type WidValue } from './wid.ts'

/** The `claims:` of a tenant document: leaf to path of member names. Counts only on leaves the preset leaves empty. */
export type ClaimMapping = readonly { readonly leaf: WidLeaf; readonly claim: readonly string[] }[]

/** Set here and nowhere else: no preset, document or claim may speak for them. */
const RESERVED: ReadonlySet<WidLeaf> = new Set(['provider', 'issuer', 'untrusted_source', 'assurance'])

/** Whether a document's `claims:` may fill this leaf: it is neither reserved nor filled by the preset. */
export const isMappable = (provider: Provider, leaf: WidLeaf): boolean =>
  !RESERVED.has(leaf) &&
  provider.leaves[leaf] === undefined &&
  // Where the platform has a trigger table the class follows from it; a mapping could make an untrusted run trusted.
  !(provider.triggers !== null && leaf === 'trigger.class')

/**
 * Turns verified claims into a wid. `iss` is the registered issuer, `mapping` the document's own claim paths or null.
 * Refuses: claim_invalid with {claim, expected} when a claim a leaf needs has the wrong JSON type. issuers.md §5.2-5.4
 */
export const normalize = (
  provider: Provider,
  iss: string,
  claims: JsonObject,
  mapping: ClaimMapping | null,
): Result<Wid> => {
  const leaves = newWid()
  for (const { leaf, read } of filledBy(provider)) {
    const value = read(iss, claims)
    if (!value.ok) return value
    // Most presets fill more leaves than one token has claims for, and the leaf says nothing already.
    if (value.value !== null) leaves[leaf] = withinEnum(leaf, value.value)
  }
  const isClassMapped = mapping?.some(({ leaf }) => leaf === 'trigger.class' && isMappable(provider, leaf)) ?? false
  for (const { leaf, claim } of mapping ?? []) {
    if (!isMappable(provider, leaf)) continue
    const value = readClaim({ claim, as: WID_LEAVES[leaf].type }, claims)
    if (!value.ok) return value
    leaves[leaf] = withinEnum(leaf, value.value)
  }
  leaves.provider = provider.name
  leaves.issuer = iss
  leaves.assurance = 'bearer'
  if (provider.triggers !== null) leaves['trigger.class'] = triggerClass(provider.triggers, leaves['trigger.raw'])
  // A class the document maps is a trigger claim too: absent it is unknown, as where a preset has one.
  else if (isClassMapped) leaves['trigger.class'] ??= 'unknown'
  leaves.untrusted_source =
    UNTRUSTED_TRIGGERS.has(String(leaves['trigger.class'])) ||
    leaves['runner.class'] === 'interactive' ||
    (provider.untrusted?.(leaves, claims) ?? false)
  return ok(leaves)
}

type ReadLeaf = (iss: string, claims: JsonObject) => Result<WidValue>
type Filled = readonly { readonly leaf: WidLeaf; readonly read: ReadLeaf }[]

/** A preset is data that never changes: what it fills, and how, is found out once and not at every exchange. */
const filled = new WeakMap<Provider, Filled>()

const filledBy = (provider: Provider): Filled => {
  const known = filled.get(provider)
  if (known !== undefined) return known
  const made: Filled = WID_LEAF_NAMES.flatMap((leaf) => {
    const source = provider.leaves[leaf]
    return source === undefined || RESERVED.has(leaf) ? [] : [{ leaf, read: readerOf(source) }]
  })
  filled.set(provider, made)
  return made
}

const NULL: Result<WidValue> = ok(null)

const readerOf = (source: LeafSource): ReadLeaf => {
  if ('claim' in source) {
    const { values } = source
    if (values === undefined) return (_, claims) => readClaim(source, claims)
    return (_, claims) => {
      const value = readClaim(source, claims)
      if (!value.ok || value.value === null) return value
      const name = String(value.value)
      // Own members only: a claim that says "constructor" must not find an inherited one.
      return ok(Object.hasOwn(values, name) ? (values[name] ?? UNLISTED) : UNLISTED)
    }
  }
  if ('fixed' in source) return () => ok(source.fixed)
  if ('issuer' in source) return (iss) => ok(iss)
  const reads = 'anyOf' in source ? source.anyOf : source.reads
  const derive = 'anyOf' in source ? firstPresent : source.derive
  return (_, claims) => {
    // Every one is type-checked, also those not used: a wrong type is never a way to fall through to a weaker claim.
    const values: WidValue[] = []
    for (const read of reads) {
      const value = readClaim(read, claims)
      if (!value.ok) return value
      values.push(value.value)
    }
    return ok(derive(values))
  }
}

const firstPresent = (values: readonly WidValue[]): WidValue => values.find((value) => value !== null) ?? null

/** In no enum, so that withinEnum gives the leaf's fallback. */
const UNLISTED = ''

const EXPECTED = {
  string: 'a string',
  boolean: 'a boolean',
  'boolean-string': '"true" or "false"',
  number: 'a safe non-negative integer',
} as const

/** Missing, null and "" are one thing: GitHub sends "" for base_ref outside a pull request. */
const readClaim = (read: ClaimRead, claims: JsonObject): Result<WidValue> => {
  const value = claimAt(claims, read.claim)
  if (value === null || value === '') return NULL
  const as = read.as ?? 'string'
  if (as === 'string' && typeof value === 'string') return ok(value)
  if (as === 'boolean' && typeof value === 'boolean') return ok(value)
  if (as === 'boolean-string' && (value === 'true' || value === 'false')) return ok(value === 'true')
  // Beyond 2^53 two ids share one double: such a number names nothing.
  if (as === 'number' && typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
    return ok(String(value))
  return refuse('claim_invalid', { claim: read.claim.join('.'), expected: EXPECTED[as] })
}

const ENUM_OF: ReadonlyMap<WidLeaf, readonly string[]> = new Map(
  WID_LEAF_NAMES.flatMap((leaf) => {
    const type = WID_LEAVES[leaf]
    return 'values' in type ? [[leaf, type.values]] : []
  }),
)

/** An enumerated leaf keeps only its listed values; the two that decide trust say 'unknown' instead, never null. */
const withinEnum = (leaf: WidLeaf, value: WidValue): WidValue => {
  const values = value === null ? undefined : ENUM_OF.get(leaf)
  if (values === undefined || values.includes(String(value))) return value
  return leaf === 'trigger.class' || leaf === 'runner.class' ? 'unknown' : null
}

const triggerClass = (table: NonNullable<Provider['triggers']>, raw: WidValue | undefined): WidValue =>
  typeof raw === 'string' && Object.hasOwn(table, raw) ? (table[raw] ?? 'unknown') : 'unknown'
