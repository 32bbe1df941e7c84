// How keys and bodies look in rows. A body is JSON with a version, checked when it is read: what was altered or written by
// a later format is an error, never a guess.
import { hash } from 'node:crypto'
import type { GrantEntry } from '../../domain/audit-entry.ts'
import type { Denial, GrantRecord, NotIssued } from '../../domain/grant-record.ts'
import { UUID, whole } from '../../domain/names.ts'

/** The first 16 bytes of SHA-256(tenant ‖ 0 ‖ hash): a row of one tenant can neither meet nor hide one of another. */
export const tenantKey = (tenant: string, guard: string): Uint8Array =>
  // Through text: asking for a buffer costs three times the hash.
  Buffer.from(hash('sha256', `${tenant}\0${guard}`, 'hex').slice(0, 32), 'hex')

const ID = whole(UUID)

/** 16 bytes of a UUID, or null where the text is none. */
export const decisionBytes = (decisionId: string): Uint8Array | null =>
  ID.test(decisionId) ? Buffer.from(hexOfUuid(decisionId), 'hex') : null

const hexOfUuid = (uuid: string): string =>
  uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24)

/** The UUID of 32 hexadecimal digits. */
export const uuidOf = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`

/** The same for an id of our own making: anything else is a bug. */
export const ownDecisionBytes = (decisionId: string): Uint8Array => {
  const bytes = decisionBytes(decisionId)
  if (bytes === null) throw new TypeError('a decision id is a UUID in lower case')
  return bytes
}

/** Epoch milliseconds in a UUIDv7 (RFC 9562 §5.7), or null for another version. */
export const timeOfDecision = (bytes: Uint8Array): number | null =>
  bytes[6]! >> 4 === 7 ? Buffer.from(bytes.buffer, bytes.byteOffset, 6).readUIntBE(0, 6) : null

const parseBody = (
  body: unknown,
): { readonly decisionId?: unknown; readonly tenant?: unknown; readonly v?: unknown } => {
  const parsed: unknown = JSON.parse(String(body))
  if (typeof parsed !== 'object' || parsed === null) throw new Error('a stored row is not an object')
  return parsed
}

const requireVersion1 = (body: { readonly v?: unknown }): void => {
  if (body.v !== 1) throw new Error('a stored row has a version this program does not know')
}

const requireTenant = (body: { readonly tenant?: unknown }, tenant: unknown): void => {
  if (body.tenant !== tenant) throw new Error('a stored row names another tenant than its column')
}

export type BodyRow = { readonly tenant: string; readonly body: string }

export const readGrantRecord = (row: BodyRow): GrantRecord => {
  const body = parseBody(row.body)
  requireVersion1(body)
  requireTenant(body, row.tenant)
  return body as GrantRecord
}

/** JSON escapes with a backslash whatever it escapes: a text without one has nothing in it that needs it. */
export const readGrantEntry = (row: BodyRow): GrantEntry => ({
  kind: 'grant',
  record: readGrantRecord(row),
  isPlain: !row.body.includes('\\'),
})

export const readDenial = (row: BodyRow): Denial => {
  const body = parseBody(row.body)
  requireVersion1(body)
  requireTenant(body, row.tenant)
  return body as Denial
}

export const readNotIssued = (row: BodyRow): NotIssued => {
  const body = parseBody(row.body)
  requireTenant(body, row.tenant)
  return body as NotIssued
}
