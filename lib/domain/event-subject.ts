// Whom an event is about (RFC 9493, SSF 1.0 §3), and what of ours that is: the subject of a SET becomes the value of a
// selector by a rule of the tenant document. Pure.
import { isJsonObject, type JsonObject, type JsonValue } from './claims.ts'
import { refuse } from './refusal.ts'
import { ok, type Result } from './result.ts'
import type { RevocationKind } from './revocation.ts'
import type { SecurityEventName } from './security-event.ts'

/** Simple formats a rule can name: the member that is the value, and the one that says whose name space it is of. */
export const SUBJECT_FORMATS = {
  opaque: { value: 'id', of: null },
  iss_sub: { value: 'sub', of: 'iss' },
  jwt_id: { value: 'jti', of: 'iss' },
  uri: { value: 'uri', of: null },
  account: { value: 'uri', of: null },
  email: { value: 'email', of: null },
  phone_number: { value: 'phone_number', of: null },
  did: { value: 'url', of: null },
} as const satisfies Record<string, { value: string; of: string | null }>

export type SubjectFormat = keyof typeof SUBJECT_FORMATS

/** Members of a complex subject (SSF 1.0 §3.3). */
export const COMPLEX_MEMBERS = ['user', 'device', 'session', 'application', 'tenant', 'org_unit', 'group'] as const
export type ComplexMember = (typeof COMPLEX_MEMBERS)[number]

/** What one kind of event about one kind of subject revokes. */
export type EventRule = {
  readonly event: SecurityEventName
  /** The member of a complex subject that is looked at; null: the subject is a simple one. */
  readonly member: ComplexMember | null
  readonly subject: SubjectFormat
  readonly kind: RevocationKind
  /** Name of the issuer a scoped kind is named with; '' for the others. */
  readonly issuer: string
  /** `iss` that a subject with one must name: that of the issuer above, or of the tenant. */
  readonly iss: string
  readonly form: 'block' | 'cut'
}

export type Selection = { readonly rule: EventRule; readonly value: string }

/**
 * The first rule that fits the subject, with the value it finds there; null: no rule does. Refuses: event_invalid, for a subject
 * that lacks what its format must have.
 */
export const selectByRules = (rules: readonly EventRule[], subject: JsonObject): Result<Selection | null> => {
  for (const rule of rules) {
    const about = rule.member === null ? subject : memberOf(subject, rule.member)
    if (about === null) continue
    for (const identifier of identifiersIn(about)) {
      if (identifier['format'] !== rule.subject) continue
      const { value: member, of } = SUBJECT_FORMATS[rule.subject]
      const value = identifier[member]
      if (typeof value !== 'string' || value === '') return refuse('event_invalid', { claim: 'sub_id', member })
      // `sub` 42 of another issuer is somebody else.
      if (of !== null && identifier[of] !== rule.iss) continue
      return ok({ rule, value })
    }
  }
  return ok(null)
}

const memberOf = (subject: JsonObject, member: ComplexMember): JsonObject | null => {
  const about = subject['format'] === 'complex' ? subject[member] : undefined
  return isJsonObject(about) ? about : null
}

/** Aliases are several names of one subject (RFC 9493 §3.2.8); anything else is its own only one. */
const identifiersIn = (subject: JsonObject): readonly JsonObject[] => {
  if (subject['format'] !== 'aliases') return [subject]
  const { identifiers } = subject
  return Array.isArray(identifiers) ? (identifiers as readonly JsonValue[]).filter(isJsonObject) : []
}
