// What all events of the audit stream share (OCSF 1.9): envelope, severities, and the rule for text from outside. An event is
// built member by member from records, so nothing gets out that is not named here: never a token, key or assertion. Pure.
import type { JsonObject, JsonValue } from '../claims.ts'
import type { Bounds, ShapeObject, Slot } from '../json-template.ts'
import { LIMITS } from '../limits.ts'
import { utf8Length } from '../utf8.ts'

export type OcsfEvent = JsonObject & {
  readonly class_uid: number
  readonly type_uid: number
  readonly time: number
  readonly message: string
  readonly metadata: JsonObject & { readonly uid: string; readonly tenant_uid: string }
}

/** Where the event happened. `issuerUrl`: of its tenant. */
export type EventPlace = { readonly issuerUrl: string }

export const OCSF_VERSION = '1.9.0'
export const PRODUCT = { name: 'Mintmark', vendor_name: 'Mintmark', version: '0.1.0' }

const CATEGORIES = { 2: 'Findings', 3: 'Identity & Access Management', 6: 'Application Activity' } as const
const CLASSES = {
  2004: 'Detection Finding',
  3002: 'Authentication',
  3003: 'Authorize Session',
  3004: 'Entity Management',
  6003: 'API Activity',
} as const
const SEVERITIES = { 1: 'Informational', 2: 'Low', 3: 'Medium', 4: 'High' } as const

/** `code`: the reason code, stable for ever. `detail`: members of the class. `unmapped`: what OCSF has no member for. */
type Parts<Text, Time, Members> = {
  readonly classUid: keyof typeof CLASSES
  readonly activityId: number
  readonly severityId: keyof typeof SEVERITIES
  readonly outcome: 'success' | 'failure' | 'new'
  readonly code: string
  readonly message: string
  readonly uid: Text
  readonly tenant: Text
  readonly time: Time
  /** The trace, or what else binds events of one activity together. */
  readonly correlation: Text
  readonly detail: Members
  readonly unmapped: Members
}

export type EventParts = Omit<Parts<string, number, JsonObject>, 'time'> & { readonly atSeconds: number }

/** The same with places left open. */
export type EventShape<T> = Parts<Slot<T>, Slot<T>, ShapeObject<T>>

const OUTCOMES = {
  success: { status_id: 1, status: 'Success' },
  failure: { status_id: 2, status: 'Failure' },
  new: { status_id: 1, status: 'New' },
} as const

export const envelopeOf = <Text, Time, Members extends object>(parts: Parts<Text, Time, Members>) => {
  const { classUid, activityId, severityId } = parts
  const categoryUid = Math.floor(classUid / 1000) as keyof typeof CATEGORIES
  return {
    ...parts.detail,
    activity_id: activityId,
    category_uid: categoryUid,
    category_name: CATEGORIES[categoryUid],
    class_uid: classUid,
    class_name: CLASSES[classUid],
    type_uid: typeUidOf(parts),
    severity_id: severityId,
    severity: SEVERITIES[severityId],
    ...OUTCOMES[parts.outcome],
    status_code: parts.code,
    message: parts.message,
    time: parts.time,
    metadata: {
      version: OCSF_VERSION,
      product: PRODUCT,
      uid: parts.uid,
      tenant_uid: parts.tenant,
      correlation_uid: parts.correlation,
      log_name: 'mintmark.audit',
    },
    unmapped: { mintmark: { v: 1, ...parts.unmapped } },
  }
}

export const typeUidOf = ({ classUid, activityId }: Pick<EventParts, 'classUid' | 'activityId'>): number =>
  classUid * 100 + activityId

export const newEvent = (parts: EventParts): OcsfEvent =>
  boundedEvent(envelopeOf({ ...parts, time: parts.atSeconds * 1000 }))

/** Members that are null are left out: OCSF knows no null. */
export const boundedEvent = (event: JsonObject): OcsfEvent => {
  const whole = bounded(event, LONG) as OcsfEvent
  if (utf8Length(JSON.stringify(whole)) <= LIMITS.eventBytesMax) return whole
  // More than a CloudEvent may be sure to be forwarded with: texts and lists are cut, and the event says so.
  const short = bounded(event, SHORT) as OcsfEvent
  return { ...short, metadata: { ...short.metadata, is_truncated: true } }
}

/** What boundedEvent leaves as it is; said of the text, which is quicker, and never of one that it would not. */
export const LONG: Bounds = { charsMax: LIMITS.eventTextCharsMax, itemsMax: LIMITS.listItemsMax }
const SHORT: Bounds = { charsMax: LIMITS.eventTextCharsShort, itemsMax: LIMITS.eventItemsShort }
const UTF8_BYTES_MAX = 3

export const needsBounding = (text: string): boolean =>
  text.length * UTF8_BYTES_MAX > LIMITS.eventBytesMax || holdsTokenStart(text)

/** By its last letter, which is rare: the search for the whole stops at every e there is, and costs more than to write the event. */
const holdsTokenStart = (text: string): boolean => {
  for (let at = text.indexOf('J'); at >= 0; at = text.indexOf('J', at + 1))
    if (text.startsWith(TOKEN_START, at - 2)) return true
  return false
}

/** A compact JWS, wherever somebody put one: as an audience, a subject, a header. */
const TOKEN_START = 'eyJ'
const TOKEN = /eyJ[\w-]{6,}\.[\w-]*\.?[\w-]*/g

const boundedText = (text: string, charsMax: number): string =>
  text.length <= charsMax && !text.includes(TOKEN_START) && text.isWellFormed()
    ? text
    : text.replace(TOKEN, '[token]').slice(0, charsMax).toWellFormed()

const bounded = (value: JsonValue, bounds: Bounds): JsonValue => {
  if (typeof value === 'string') return boundedText(value, bounds.charsMax)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.slice(0, bounds.itemsMax).map((one) => bounded(one, bounds))
  const kept: Record<string, JsonValue> = {}
  for (const [name, member] of Object.entries(value).slice(0, bounds.itemsMax))
    if (member !== null) kept[name.toWellFormed()] = bounded(member, bounds)
  return kept
}

/** The same event under another id: what a SIEM is told again of one record. */
export const uidOf = (id: string, facet: string): string => `${id}.${facet}`

const IPV4 = /^(?:\d{1,3}\.){3}\d{1,3}$/
const IPV6 = /^[0-9a-f:.]*:[0-9a-f:.]*$/i

/** An endpoint needs an address or a name; sources are addresses, but for roll-ups over many. */
export const endpointOf = (source: string): JsonObject =>
  IPV4.test(source) || IPV6.test(source) ? { ip: source } : { name: source === '' ? 'unknown' : source }

export const serviceOf = ({ issuerUrl }: EventPlace): JsonObject => ({ name: 'mintmark', uid: issuerUrl })

/** Somebody the operating system or a queue vouches for; whoever came with a token of ours, by its identity and its id. */
export const operatorOf = (by: string): JsonObject => {
  const [, uid = by, jti] = /^(spiffe:\/\/\S+) (\S+)$/.exec(by) ?? []
  const user = { uid, name: uid, type_id: 2, type: 'Admin' }
  return jti === undefined ? { user } : { user, session: { uid: jti } }
}
