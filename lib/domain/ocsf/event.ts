// What all events of the audit stream share (OCSF 1.9): envelope, severities, and the rule for text from outside. An event is
// built member by member from records, so nothing gets out that is not named here: never a token, key or assertion. Pure.
import type { JsonObject, JsonValue } from '../claims.ts'
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

/** `code`: the reason code, stable for ever. `detail`: members of the class. */
export type EventParts = {
  readonly classUid: keyof typeof CLASSES
  readonly activityId: number
  readonly severityId: keyof typeof SEVERITIES
  readonly outcome: 'success' | 'failure' | 'new'
  readonly code: string
  readonly message: string
  readonly uid: string
  readonly tenant: string
  readonly atSeconds: number
  /** The trace, or what else binds events of one activity together. */
  readonly correlation: string
  readonly detail: JsonObject
  /** What OCSF has no member for. */
  readonly unmapped: JsonObject
}

const OUTCOMES = {
  success: { status_id: 1, status: 'Success' },
  failure: { status_id: 2, status: 'Failure' },
  new: { status_id: 1, status: 'New' },
} as const

/** Members that are null are left out: OCSF knows no null. */
export const newEvent = (parts: EventParts): OcsfEvent => {
  const { classUid, activityId, severityId } = parts
  const categoryUid = Math.floor(classUid / 1000) as keyof typeof CATEGORIES
  const event = {
    ...parts.detail,
    activity_id: activityId,
    category_uid: categoryUid,
    category_name: CATEGORIES[categoryUid],
    class_uid: classUid,
    class_name: CLASSES[classUid],
    type_uid: classUid * 100 + activityId,
    severity_id: severityId,
    severity: SEVERITIES[severityId],
    ...OUTCOMES[parts.outcome],
    status_code: parts.code,
    message: parts.message,
    time: parts.atSeconds * 1000,
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
  const whole = bounded(event, LONG) as OcsfEvent
  if (utf8Length(JSON.stringify(whole)) <= LIMITS.eventBytesMax) return whole
  // More than a CloudEvent may be sure to be forwarded with: texts and lists are cut, and the event says so.
  const short = bounded(event, SHORT) as OcsfEvent
  return { ...short, metadata: { ...short.metadata, is_truncated: true } }
}

type Bounds = { readonly charsMax: number; readonly itemsMax: number }
const LONG: Bounds = { charsMax: LIMITS.eventTextCharsMax, itemsMax: LIMITS.listItemsMax }
const SHORT: Bounds = { charsMax: LIMITS.eventTextCharsShort, itemsMax: LIMITS.eventItemsShort }

/** A compact JWS, wherever somebody put one: as an audience, a subject, a header. */
const TOKEN = /eyJ[\w-]{6,}\.[\w-]*\.?[\w-]*/g

const boundedText = (text: string, charsMax: number): string =>
  text.length <= charsMax && !text.includes('eyJ') && text.isWellFormed()
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

/** Somebody the operating system or a queue vouches for. */
export const operatorOf = (by: string): JsonObject => ({ user: { uid: by, name: by, type_id: 2, type: 'Admin' } })
