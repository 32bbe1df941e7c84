// What a new version of a tenant document takes back (design §9): a rule that is gone, or allows less than it did. What it issued is
// then cut. In doubt it was narrowed: that costs a job its token, the contrary would leave alive what was taken back. Pure.
import type { JsonValue } from './claims.ts'
import { LIMITS } from './limits.ts'
import type { Selector } from './revocation.ts'

type Document = { readonly [name: string]: JsonValue | undefined }

/**
 * Selectors of what is to be cut, between two documents as they were reviewed. A grant that only reported issued nothing; where the
 * trust domain is another one, no identity is what it was, and all of it is cut.
 */
export const narrowedBetween = (tenant: string, before: JsonValue, after: JsonValue): readonly Selector[] => {
  const [old, now] = [membersOf(before), membersOf(after)]
  if (!isSame(old['trust_domain'], now['trust_domain'])) return [{ kind: 'tenant', issuer: '', value: tenant }]
  return [
    ...namesWhere(old['issuers'], now['issuers'], isIssuerNarrowed).map(selector('issuer')),
    ...namesWhere(old['grants'], now['grants'], isGrantNarrowed).map(selector('grant')),
  ]
}

/** Names of issuers that only the document before has. Blocks are laid under such names: who renames an issuer loses them. */
export const issuersGone = (before: JsonValue, after: JsonValue): readonly string[] => {
  const now = membersOf(membersOf(after)['issuers'])
  return Object.keys(membersOf(membersOf(before)['issuers'])).filter((name) => !Object.hasOwn(now, name))
}

const selector =
  (kind: 'issuer' | 'grant') =>
  (value: string): Selector => ({ kind, issuer: '', value })

/** One that is gone is one that allows nothing. */
const namesWhere = (
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  isNarrowed: (old: Document, now: Document) => boolean,
): readonly string[] => {
  const now = membersOf(after)
  return Object.entries(membersOf(before))
    .filter(([name, old]) => isNarrowed(membersOf(old), membersOf(now[name])))
    .map(([name]) => name)
}

/** Of an issuer: whom it believes, and in what. Ages and replay modes say when evidence is redeemed, not what for. */
const isIssuerNarrowed = (old: Document, now: Document): boolean =>
  ['provider', 'issuer', 'audience', 'fixed_audience'].some((member) => !isSame(old[member], now[member])) ||
  !isWithin(old['org_id'], now['org_id']) ||
  !isWithin(old['algorithms'], now['algorithms']) ||
  !areKeysKept(keysOf(old), keysOf(now)) ||
  Object.entries(membersOf(old['claims'])).some(([leaf, claim]) => !isSame(claim, membersOf(now['claims'])[leaf]))

const areKeysKept = (old: JsonValue | undefined, now: JsonValue | undefined): boolean => {
  const [was, is] = [membersOf(membersOf(old)['inline'])['keys'], membersOf(membersOf(now)['inline'])['keys']]
  return Array.isArray(was) && Array.isArray(is) ? isWithin(was, is) : isSame(old, now)
}

/** Presets that know where the keys of their issuer are: of all others, keys that are not named come from discovery. */
export const WITH_KEYS_ELSEWHERE: ReadonlySet<JsonValue | undefined> = new Set(['azure', 'bitbucket', 'gcp', 'vercel'])

const keysOf = ({ jwks, provider }: Document): JsonValue | undefined =>
  jwks === undefined && !WITH_KEYS_ELSEWHERE.has(provider) ? { discovery: true } : jwks

const isGrantNarrowed = (old: Document, now: Document): boolean => {
  if (old['mode'] === 'report') return false
  const match = membersOf(old['match'])
  return (
    now['mode'] === 'report' ||
    ['from', 'identity'].some((member) => !isSame(old[member], now[member])) ||
    (old['untrusted_source'] === 'allow' && now['untrusted_source'] !== 'allow') ||
    Object.entries(membersOf(now['match'])).some(
      ([leaf, condition]) => match[leaf] === undefined || !isWider(match[leaf], condition),
    ) ||
    listOf(old['issue']).some((entry) => !isIssuedStill(membersOf(entry), listOf(now['issue']).map(membersOf)))
  )
}

/** Every value that held before holds still. Patterns are compared as texts. */
const isWider = (old: JsonValue, now: JsonValue | undefined): boolean =>
  isSame(old, now) || (isPlain(old) && isPlain(now) && isWithin(old, now))

const isPlain = (condition: JsonValue | undefined): boolean => typeof condition !== 'object' || Array.isArray(condition)

/** Audience by audience, for a credential has one: each is in an entry that gives for it all that the old one gave. */
const isIssuedStill = (old: Document, entries: readonly Document[]): boolean => {
  const enough = entries.filter(
    (now) =>
      old['type'] === now['type'] &&
      isSame(old['role'], now['role']) &&
      isWithin(old['scope'], now['scope']) &&
      isIntrospectKept(old['introspects'], now['introspects']) &&
      secondsOf(old) <= secondsOf(now),
  )
  return listOf(old['audience']).every((audience) => enough.some((now) => isWithin(audience, now['audience'])))
}

/** Left out, it is all of the tenant. */
const isIntrospectKept = (old: JsonValue | undefined, now: JsonValue | undefined): boolean =>
  now === undefined || (old !== undefined && isWithin(old, now))

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 }
const DEFAULT_SECONDS: Readonly<Record<string, number>> = {
  access_token: LIMITS.ttlSecondsDefault,
  'aws-credentials': LIMITS.cloudSessionSecondsMin,
}

const secondsOf = ({ type, ttl }: Document): number => {
  const [, count, unit] = /^(\d+)([smh])$/.exec(String(ttl)) ?? []
  return unit === undefined ? (DEFAULT_SECONDS[String(type)] ?? 0) : Number(count) * (UNIT_SECONDS[unit] ?? 0)
}

/** All of the first, one value or a list of them, is in the second. Left out is a value like any other: a default that is kept. */
const isWithin = (old: JsonValue | undefined, now: JsonValue | undefined): boolean => {
  const kept = new Set(listOf(now).map(textOf))
  return listOf(old).every((value) => kept.has(textOf(value)))
}

const listOf = (value: JsonValue | undefined): readonly JsonValue[] =>
  Array.isArray(value) ? value : [value === undefined ? null : value]

const membersOf = (value: JsonValue | undefined): Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Document) : {}

/** Members in one order, so that a document that was only sorted is the same. */
const textOf = (value: JsonValue | undefined): string =>
  JSON.stringify(value ?? null, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  )

const isSame = (a: JsonValue | undefined, b: JsonValue | undefined): boolean => textOf(a) === textOf(b)
