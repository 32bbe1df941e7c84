// How grant records and their outcomes look in DynamoDB: the same JSON as in every store, deflated with a dictionary of what
// all records have in common, so that a record of any platform is one write unit (1 KB). The stream's consumers read them
// here too. What was altered or written by a later format is an error, never a guess.
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { GrantRecord, NotIssued } from '../../domain/grant-record.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { GrantPut, NotIssuedPut } from '../../ports/grant-store.ts'
import type { Item } from './dynamo-request.ts'
import { decisionKey, grantKey, outcomeKey, proofKey, type RowKey } from './table-keys.ts'

/** Format 1. INVARIANT: never edited, or rows that are stored no longer open; another dictionary is another format. */
const DICTIONARY_1 = Buffer.from(
  '"project.path":"job_project.id":"runner.id":"environment.protected":true,"ref.type":"tag","ref.full":"refs/tags/v",' +
    '"run.url":"https://","trigger.raw":"schedule","trigger.class":"manual","visibility":"internal","provider":"gcp"' +
    '"aws""azure""circleci""buildkite""kubernetes""gitlab","ref:refs/heads/main:environment:production"' +
    '{"v":1,"decisionId":"0","tenant":"","configVersion":1,"grant":"deploy-","atSeconds":17,"traceId":"",' +
    '"evidence":{"issuerName":"github","issuer":"https://token.actions.githubusercontent.com","sub":"repo:","jti":"",' +
    '"iat":17,"exp":17,"alg":"RS256","kid":"","claimsHash":"","replayKey":""},"wid":{"provider":"github",' +
    '"issuer":"https://token.actions.githubusercontent.com","org.id":"","org.name":"","project.id":"","project.path":"",' +
    '"ref.full":"refs/heads/main","ref.type":"branch","ref.name":"main","ref.protected":true,' +
    '"environment.name":"production","environment.id":"","workflow.uri":"/.github/workflows/release.yml",' +
    '"workflow.ref":"refs/heads/main","workflow.digest":"","config.uri":"/.github/workflows/deploy.yml",' +
    '"config.ref":"refs/heads/main","config.digest":"","commit":"","trigger.raw":"push","trigger.class":"push",' +
    '"untrusted_source":false,"run.id":"","run.attempt":"1","run.job":"","actor.id":"","actor.name":"",' +
    '"runner.class":"hosted","visibility":"private","assurance":"bearer"},"verdicts":{"deploy-":"1111"},' +
    '"credential":{"type":"access_token","jti":"","sub":"spiffe://","aud":"https://","scope":"read write","iat":17,' +
    '"exp":17,"alg":"ES256","kid":"","claimsHash":"","jkt":null,"ancestors":[]},' +
    '"idempotency":{"keyHash":"","requestHash":""}}"idempotency":null}',
)

/** Far above a record (2 KiB); what inflates to more was not written by mint. */
const BODY_BYTES_MAX = 64 * 1024
const FORMAT = '1'

const deflate = (value: object): Uint8Array =>
  deflateRawSync(JSON.stringify(value), { dictionary: DICTIONARY_1, windowBits: 12, memLevel: 6 })

const inflate = (item: Item): { readonly tenant?: unknown; readonly v?: unknown } => {
  if (item['v']?.N !== FORMAT) throw new Error('a stored row has a format this program does not know')
  const body = item['b']?.B
  if (body === undefined) throw new Error('a stored row has no body')
  const text = inflateRawSync(body, { dictionary: DICTIONARY_1, maxOutputLength: BODY_BYTES_MAX }).toString()
  const parsed: unknown = JSON.parse(text)
  if (typeof parsed !== 'object' || parsed === null) throw new Error('a stored row is not an object')
  return parsed
}

/** Storage is freed by DynamoDB some days after this; no decision looks at it. */
const RECORD_KEEP_SECONDS = LIMITS.recordKeepSeconds - LIMITS.replayMarkerKeepSeconds

const row = (key: RowKey, attributes: Record<string, AttributeValue>, ttlSeconds: number): Item => ({
  pk: { S: key.pk },
  sk: { S: key.sk },
  ...attributes,
  ttl: { N: String(ttlSeconds) },
})

/** `mark`: random, of this one put. `d` is for people: the rest of the row is not to be read with the naked eye. */
export const grantItem = ({ record, guard, keepUntilSeconds }: GrantPut, mark: string): Item =>
  row(
    grantKey(record.tenant, guard),
    { v: { N: FORMAT }, d: { S: record.decisionId }, w: { S: mark }, b: { B: deflate(record) } },
    keepUntilSeconds + RECORD_KEEP_SECONDS,
  )

/** Where a record lies, by its decision id. */
export const placeItem = ({ record, guard, keepUntilSeconds }: Omit<GrantPut, 'proofGuard'>): Item =>
  row(decisionKey(record.tenant, record.decisionId), { guard: { S: guard } }, keepUntilSeconds + RECORD_KEEP_SECONDS)

export const proofItem = (tenant: string, proof: NonNullable<GrantPut['proofGuard']>): Item =>
  row(proofKey(tenant, proof.hash), {}, proof.keepUntilSeconds)

// TTL deletes in no order: an outcome that went first would let its record read as an issued credential.
const OUTCOME_OUTLIVES_SECONDS = 30 * 24 * 3600

export const outcomeItem = ({ outcome, guard, keepUntilSeconds }: NotIssuedPut): Item =>
  row(
    outcomeKey(outcome.tenant, guard),
    { v: { N: FORMAT }, d: { S: outcome.decisionId }, b: { B: deflate(outcome) } },
    keepUntilSeconds + RECORD_KEEP_SECONDS + OUTCOME_OUTLIVES_SECONDS,
  )

const requireTenant = (body: { readonly tenant?: unknown }, item: Item): void => {
  if (typeof body.tenant !== 'string' || !item['pk']?.S?.startsWith(grantKey(body.tenant, '').pk))
    throw new Error('a stored row names another tenant than its key')
}

export const readGrantItem = (item: Item): GrantRecord => {
  const body = inflate(item)
  if (body.v !== 1) throw new Error('a stored row has a version this program does not know')
  requireTenant(body, item)
  return body as GrantRecord
}

export const readOutcomeItem = (item: Item): NotIssued => {
  const body = inflate(item)
  requireTenant(body, item)
  return body as NotIssued
}
