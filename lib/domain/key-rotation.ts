// When our own signing keys move (design §2, attacks §1): which moves are due, from the rows of one tenant and the time.
// Promises: exactly one key signs per use and algorithm; it was published for the whole publication delay before it first
// signed, but for a first key and the successor of a tainted one; what it signed can be verified as long as it lives. Pure.
import { LIMITS } from './limits.ts'
import { type KeyUse, type OwnAlgorithm, PUBLISHED_STATES, type SigningKey } from './signing-key.ts'
import type { TenantConfig } from './tenant-config.ts'

export type RotationPolicy = {
  readonly publicationDelaySeconds: number
  readonly rotationSeconds: number
  /** How long a key that stopped signing stays published: longest lifetime + longest cache + slack. */
  readonly retireSeconds: number
}

export const ROTATION_POLICY: RotationPolicy = {
  publicationDelaySeconds: LIMITS.keyPublicationDelaySeconds,
  rotationSeconds: LIMITS.keyRotationSeconds,
  retireSeconds: LIMITS.keyRetireSeconds,
}

/** One slot holds the keys of one use and algorithm; each slot rotates by itself. */
export type KeySlot = { readonly use: KeyUse; readonly alg: OwnAlgorithm }

export type KeyMove =
  /** Make a key pair; it enters as prepared, not yet published. */
  | { readonly kind: 'generate'; readonly slot: KeySlot }
  /** Let the owner of the use unwrap it: from then on it is published. */
  | { readonly kind: 'prove'; readonly key: SigningKey }
  /** prepared -> active */
  | { readonly kind: 'activate'; readonly key: SigningKey }
  /** active -> retiring */
  | { readonly kind: 'retire'; readonly key: SigningKey }
  /** retiring -> retired */
  | { readonly kind: 'withdraw'; readonly key: SigningKey }

export type RotationQuestion = {
  /** All rows of one tenant. */
  readonly rows: readonly SigningKey[]
  /** Slots that must be able to sign. */
  readonly needed: readonly KeySlot[]
  /** Slots whose successor is prepared now, whatever the age of the active key. */
  readonly forced?: readonly KeySlot[]
  readonly nowSeconds: number
  readonly policy: RotationPolicy
}

/** What the tenant's tokens are signed with. ES256 always, so that a tenant has a key set before it has a grant. */
export const neededSlots = (config: TenantConfig): KeySlot[] => {
  const entries = config.grants.flatMap(({ issue }) => issue)
  const hasRs256 = entries.some((entry) => entry.type === 'access_token' && entry.alg === 'RS256')
  return (hasRs256 ? (['ES256', 'RS256'] as const) : (['ES256'] as const)).map((alg) => ({ use: 'token', alg }))
}

/** What the revocation feed is signed with (design §2, one use each). */
export const FEED_SLOT: KeySlot = { use: 'signal', alg: 'ES256' }

/** What SETs are signed with: RS256, which every receiver of the field verifies (CAEP Interoperability Profile §2.6). */
export const SET_SLOT: KeySlot = { use: 'signal', alg: 'RS256' }

/** What a tenant's revocations are told with. */
export const signalSlots = ({ receivers }: Pick<TenantConfig, 'receivers'>): KeySlot[] =>
  receivers.length === 0 ? [FEED_SLOT] : [FEED_SLOT, SET_SLOT]

/** What checkpoints of the audit log are signed with: Ed25519, as every tool of the field reads it. */
export const LOG_SLOT: KeySlot = { use: 'log', alg: 'Ed25519' }

/** The slots of keys that sign now or will: what an operator means who names no algorithm. ES256 for tokens always. */
export const slotsInUse = (rows: readonly SigningKey[]): KeySlot[] => {
  const inUse = rows.filter(({ state }) => state === 'active' || state === 'prepared')
  return distinct([{ use: 'token', alg: 'ES256' }, ...inUse.map(({ use, alg }) => ({ use, alg }))])
}

/** Keys of one use whose public half is served: in a published state, with an activation row (design §2). */
export const publishedKeys = (rows: readonly SigningKey[], use: KeyUse): SigningKey[] =>
  rows.filter((key) => key.use === use && PUBLISHED_STATES.has(key.state) && key.provenAtSeconds !== null)

/**
 * The one key that signs. Of two active ones (between the two writes of a rotation, or after a crash there) it is the one
 * activated last. INVARIANT: never a key that is not served.
 */
export const activeKeyOf = (rows: readonly SigningKey[], { use, alg }: KeySlot): SigningKey | null =>
  best(
    rows.filter((k) => k.use === use && k.alg === alg && k.state === 'active' && k.provenAtSeconds !== null),
    (a, b) => (b.activatedAtSeconds ?? 0) - (a.activatedAtSeconds ?? 0),
  )

/** The key that signs next: of several the one published longest when none signs, else the youngest. */
export const successorOf = (rows: readonly SigningKey[], slot: KeySlot): SigningKey | null => {
  const prepared = rows.filter((key) => key.use === slot.use && key.alg === slot.alg && key.state === 'prepared')
  if (activeKeyOf(rows, slot) !== null) return best(prepared, (a, b) => b.createdAtSeconds - a.createdAtSeconds)
  return best(prepared, (a, b) => publishedSince(a) - publishedSince(b))
}

/** A successor made for the active key; false for one left over from a race of two rotators, which waits its turn. */
export const isMadeFor = (successor: SigningKey, active: SigningKey): boolean =>
  successor.createdAtSeconds >= (active.activatedAtSeconds ?? 0)

/**
 * What is due now, in the order in which it may be done. Every prefix of it leaves a safe state, and so does every repeat:
 * a crash or a second rotator in between costs nothing. Ask again after each move.
 */
export const dueMoves = (question: RotationQuestion): KeyMove[] => {
  const { rows, needed, nowSeconds, policy } = question
  const slots = [
    ...needed,
    ...rows.filter((key) => !needed.some((slot) => isIn(key, slot))).map(({ use, alg }) => ({ use, alg })),
  ]
  const moves = distinct(slots).flatMap((slot) =>
    needed.some((other) => isSame(other, slot)) ? movesOfNeeded(question, slot) : movesOfUnneeded(question, slot),
  )
  const withdrawn = rows.filter(
    (key) => key.state === 'retiring' && nowSeconds - (key.endedAtSeconds ?? nowSeconds) >= policy.retireSeconds,
  )
  return [...moves, ...withdrawn.map((key): KeyMove => ({ kind: 'withdraw', key }))]
}

const movesOfNeeded = (question: RotationQuestion, slot: KeySlot): KeyMove[] => {
  const { rows, nowSeconds, policy } = question
  const active = activeKeyOf(rows, slot)
  const successor = successorOf(rows, slot)
  if (active === null) {
    // A first key, or nothing is left after a taint: waiting would only be an outage.
    if (successor === null) return [{ kind: 'generate', slot }]
    return successor.provenAtSeconds === null
      ? [{ kind: 'prove', key: successor }]
      : [{ kind: 'activate', key: successor }]
  }
  const surplus = rows.filter((key) => isIn(key, slot) && key.state === 'active' && key !== active)
  const retired = surplus.map((key): KeyMove => ({ kind: 'retire', key }))
  const ageSeconds = nowSeconds - (active.activatedAtSeconds ?? nowSeconds)
  // A log's key is pinned by those who watch it: it moves on order, never by age.
  const rotationSeconds = slot.use === 'log' ? Number.POSITIVE_INFINITY : policy.rotationSeconds
  const isForced = question.forced?.some((other) => isSame(other, slot)) ?? false
  if (successor === null || (isForced && !isMadeFor(successor, active))) {
    const isDue = isForced || ageSeconds >= rotationSeconds - policy.publicationDelaySeconds
    return isDue ? [...retired, { kind: 'generate', slot }] : retired
  }
  if (successor.provenAtSeconds === null) return [...retired, { kind: 'prove', key: successor }]
  const isPublished = nowSeconds - successor.provenAtSeconds >= policy.publicationDelaySeconds
  const isItsTurn = isMadeFor(successor, active) || ageSeconds >= rotationSeconds
  if (!isPublished || !isItsTurn) return retired
  // The new one first: between the two there are two active keys, both published, and never none.
  return [...retired, { kind: 'activate', key: successor }, { kind: 'retire', key: active }]
}

/** An algorithm no entry asks for any more: its key serves out its time and gets no successor. */
const movesOfUnneeded = ({ rows, nowSeconds, policy }: RotationQuestion, slot: KeySlot): KeyMove[] =>
  rows
    .filter((key) => isIn(key, slot) && key.state === 'active')
    .filter((key) => nowSeconds - (key.activatedAtSeconds ?? nowSeconds) >= policy.rotationSeconds)
    .map((key) => ({ kind: 'retire', key }))

const isSame = (a: KeySlot, b: KeySlot): boolean => a.use === b.use && a.alg === b.alg
const isIn = (key: SigningKey, slot: KeySlot): boolean => isSame(key, slot)
const distinct = (slots: readonly KeySlot[]): KeySlot[] =>
  slots.filter((slot, index) => slots.findIndex((other) => isSame(other, slot)) === index)
const publishedSince = (key: SigningKey): number => key.provenAtSeconds ?? Number.MAX_SAFE_INTEGER

/** The first by `order`, ties by kid, so that every rotator chooses alike. */
const best = (keys: readonly SigningKey[], order: (a: SigningKey, b: SigningKey) => number): SigningKey | null =>
  [...keys].sort((a, b) => order(a, b) || (a.kid < b.kid ? -1 : 1))[0] ?? null
