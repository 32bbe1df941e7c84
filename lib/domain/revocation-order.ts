// A revocation order (design §2, §10): what somebody asks to be revoked, with the proof that they may, and how it becomes
// revocations. It is checked where it is accepted and again where it is carried out, because a queue lies between. Pure.
import { LIMITS } from './limits.ts'
import { ENTRY_NAME, TENANT_NAME, UUID, whole } from './names.ts'
import { deadBefore, REVOCATION_KINDS, type Revocation, type RevocationKind, type Selector } from './revocation.ts'
import type { DeniedRole } from './session-denial.ts'
import { parseSpiffeId, trustDomainOf } from './spiffe-id.ts'
import { utf8Length } from './utf8.ts'

/**
 * What shows that an order may be given. `uid`: an operator at the broker's machine, by their user id. `sender`: the queue
 * itself names who sent the message (SQS SenderId), as no sender can. `token`: of the caller, as it came, and its DPoP proof where it is bound to a key. `set`: a security event
 * token, as it was received. `github`: the body of a webhook with its signature. `finding`: an event of AWS, which counts only
 * from whom the queue names as the function events. `leak`: a token of ours that was found in public; whoever has it may have it
 * revoked. `replay`: our own record that the evidence of a credential was presented again. A further kind is a member here, a schema in lib/wire and a verifier behind the port OrderProofs.
 */
export type OrderProof =
  | { readonly kind: 'uid'; readonly uid: number }
  | { readonly kind: 'sender' }
  | { readonly kind: 'token'; readonly token: string; readonly dpop?: string }
  | { readonly kind: 'set'; readonly set: string }
  | { readonly kind: 'github'; readonly body: string; readonly signature: string }
  | { readonly kind: 'finding'; readonly event: string }
  | { readonly kind: 'leak'; readonly token: string }
  | { readonly kind: 'replay'; readonly decision: string }

/** A block lifted from afar (design §9 unblock): `lifts` is the id of the revocation. Carried out once, like any other order. */
export type LiftOrder = {
  readonly v: 1
  readonly id: string
  readonly tenant: string
  readonly lifts: string
  readonly reason: string
  readonly proof: Extract<OrderProof, { kind: 'token' }>
  readonly orderedAtSeconds: number
}

export type RevocationOrder = {
  readonly v: 1
  /** A UUID: the order is carried out once, however often it is delivered. */
  readonly id: string
  readonly tenant: string
  /** First what was asked for, then what follows from it: with a credential also the assertion it came from. */
  readonly selectors: readonly Selector[]
  readonly form: 'block' | 'cut'
  readonly reason: string
  readonly proof: OrderProof
  readonly orderedAtSeconds: number
}

/** An order as it is kept: of a token only what was signed. Without its signature it says who ordered or what leaked, and opens nothing. */
export const recordedOrder = <T extends { readonly proof: OrderProof }>(order: T): T => {
  const { proof } = order
  if (proof.kind !== 'token' && proof.kind !== 'leak') return order
  const dpop = proof.kind === 'token' && proof.dpop !== undefined ? { dpop: unsigned(proof.dpop) } : {}
  return { ...order, proof: { ...proof, token: unsigned(proof.token), ...dpop } }
}

const unsigned = (jws: string): string => jws.slice(0, jws.lastIndexOf('.'))

/** An order as it was carried out: who stood behind it, and the ids of the revocations now in force for its selectors. */
export type AppliedOrder = {
  readonly v: 1
  readonly order: RevocationOrder
  readonly by: string
  readonly revocations: readonly string[]
  /** Cloud roles whose live sessions it ended, or could not. Absent: none is concerned, or this broker has no rights in a cloud. */
  readonly roles?: readonly DeniedRole[]
  readonly atSeconds: number
}

/** Every way an order is refused. The text is for the operator: constant, without what was asked. */
export const ORDER_REFUSALS = {
  tenant_unknown: 'there is no such tenant',
  value_invalid: 'no credential can have this value: it is empty, too long, has control characters or another form',
  issuer_missing: 'this kind is named with its issuer, <issuer>/<id>, because the tenant has more than one',
  issuer_unknown: 'no version of the tenant has an issuer of this name',
  grant_unknown: 'no version of the tenant has a grant of this name',
  subject_foreign: 'the SPIFFE ID is not one of the trust domain of the tenant',
  cut_not_allowed: 'this kind is always a block',
  reason_invalid: 'a reason is needed: one line of at most 512 characters',
  selectors_invalid: 'an order names at least one selector and at most four',
  proof_not_accepted: 'the proof does not show that the order may be given',
  id_reused: 'another order was given under the same id',
} as const

export type OrderRefusal = keyof typeof ORDER_REFUSALS
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: OrderRefusal }

const no = (refusal: OrderRefusal) => ({ ok: false as const, refusal })

/** What of a tenant's configuration decides what a value means. */
export type OrderContext = {
  readonly tenant: string
  readonly trustDomain: string
  /** Issuers of the current version. */
  readonly issuers: readonly string[]
}

/**
 * A selector from the text an operator gave: `<issuer>/<id>` for the scoped kinds, the bare id where the tenant has one
 * issuer. Whether names exist is the caller's to know. Refuses: value_invalid, issuer_missing, subject_foreign.
 */
export const parseSelector = (kind: RevocationKind, text: string, context: OrderContext): Checked<Selector> => {
  const named = REVOCATION_KINDS[kind].scoped ? splitScoped(text, context.issuers) : { issuer: '', value: text }
  if (named === null) return no('issuer_missing')
  const selector: Selector = { kind, ...named }
  if (!isPossible(selector)) return no('value_invalid')
  if (kind === 'tenant' && selector.value !== context.tenant) return no('value_invalid')
  if (kind === 'subject' && !isOfTrustDomain(selector.value, context.trustDomain)) return no('subject_foreign')
  return { ok: true, value: selector }
}

/** What has a slash is named with its issuer: guessing that it is all id would take a slip in the issuer's name for an id. */
const splitScoped = (text: string, issuers: readonly string[]): { issuer: string; value: string } | null => {
  const slash = text.indexOf('/')
  if (slash !== -1) return { issuer: text.slice(0, slash), value: text.slice(slash + 1) }
  const [only, ...more] = issuers
  return only !== undefined && more.length === 0 ? { issuer: only, value: text } : null
}

const SHA256 = /^[A-Za-z0-9_-]{43}$/
const ONE_LINE = /^[^\p{Cc}\u2028\u2029]+$/u
/** Of issuers and grants. */
const NAME = whole(ENTRY_NAME)

/** Forms of the values we make ourselves or that have one; any other value is a platform's own text. */
const FORMS: Readonly<Partial<Record<RevocationKind, RegExp>>> = {
  credential: whole(UUID),
  assertion: SHA256,
  issuer: NAME,
  own_key: SHA256,
  grant: NAME,
  tenant: whole(TENANT_NAME),
}

/** Whether any credential could have this selector. */
const isPossible = ({ kind, issuer, value }: Selector): boolean => {
  if (REVOCATION_KINDS[kind].scoped ? !NAME.test(issuer) : issuer !== '') return false
  if (!ONE_LINE.test(value) || utf8Length(value) > LIMITS.selectorValueBytesMax) return false
  if (kind === 'subject') return parseSpiffeId(value).ok
  return FORMS[kind]?.test(value) ?? true
}

const isOfTrustDomain = (value: string, trustDomain: string): boolean => {
  const id = parseSpiffeId(value)
  return id.ok && trustDomainOf(id.value) === trustDomain
}

export const isReason = (text: string): boolean => ONE_LINE.test(text) && text.length <= LIMITS.reasonCharsMax

/** Whether two are one order, given twice perhaps: only the time of giving may differ. Both went through one schema. */
export const isSameOrder = (a: RevocationOrder, b: RevocationOrder): boolean =>
  JSON.stringify({ ...a, orderedAtSeconds: 0 }) === JSON.stringify({ ...b, orderedAtSeconds: 0 })

/**
 * Whether an order goes ahead of those of its tenant that wait: an operator's, one of a replay, where somebody has the evidence
 * of a live credential, or one that names many at once. A hundred thousand
 * sessions that an identity provider reports in one go are none of these.
 */
export const isUrgent = ({ proof, selectors }: Pick<RevocationOrder, 'proof' | 'selectors'>): boolean =>
  ['uid', 'sender', 'replay'].includes(proof.kind) || selectors.some(({ kind }) => REVOCATION_KINDS[kind].wide)

/** Null: it becomes revocations. Needs nothing but the order, so it holds on either side of the queue. */
export const orderProblem = ({ tenant, selectors, form, reason }: RevocationOrder): OrderRefusal | null => {
  if (selectors.length === 0 || selectors.length > LIMITS.orderSelectorsMax) return 'selectors_invalid'
  if (!isReason(reason)) return 'reason_invalid'
  for (const selector of selectors) {
    const { kind, value } = selector
    if (!isPossible(selector) || (kind === 'tenant' && value !== tenant)) return 'value_invalid'
    if (form === 'cut' && REVOCATION_KINDS[kind].always === 'block') return 'cut_not_allowed'
  }
  return null
}

/** One revocation of a checked order. `atSeconds`: the time the row is written, never the order's own. */
export const revocationOf = (
  { tenant, form, reason }: RevocationOrder,
  selector: Selector,
  written: { readonly id: string; readonly by: string; readonly atSeconds: number },
): Revocation => ({
  ...selector,
  ...written,
  tenant,
  form,
  reason,
  notBeforeSeconds: form === 'block' ? null : deadBefore(written.atSeconds),
})
