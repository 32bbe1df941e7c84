// How grant records look as DynamoDB items: small, and readable for as long as rows live.
import { randomBytes } from 'node:crypto'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { describe, expect, test } from 'vitest'
import {
  grantItem,
  outcomeItem,
  proofItem,
  readGrantItem,
  readOutcomeItem,
} from '../../../lib/adapters/aws/dynamo-grant-rows.ts'
import { normalize } from '../../../lib/domain/normalize.ts'
import type { WidLeaf, WidValue } from '../../../lib/domain/wid.ts'
import { presentLeaves } from '../../../lib/domain/wid.ts'
import { PROVIDER_CATALOG } from '../../../lib/providers/catalog.ts'
import { NOW_SECONDS, sampleNotIssued, samplePut, sampleRecord } from '../../contract/sample-rows.ts'
import { SAMPLE_NAMES, safeTemplates, sample } from '../../support/assertion-samples.ts'

type Row = Record<string, AttributeValue>

/** As DynamoDB counts: names and values in UTF-8 bytes, a number about half a byte a digit, never less than here. */
const bytesOf = (item: Row): number =>
  Object.entries(item).reduce(
    (sum, [name, { S, N, B }]) => sum + name.length + Buffer.byteLength(S ?? N ?? '') + (B?.length ?? 0),
    0,
  )

const hash = () => randomBytes(32).toString('base64url')

/** A record as mint makes it of a sample, with nothing left out and every hash as random as in life. */
const recordOf = (name: string) => {
  const { provider, claims, header } = sample(name)
  const iss = String(claims['iss'])
  const wid = normalize(PROVIDER_CATALOG[provider], iss, claims, safeTemplates[provider].mapping ?? null)
  const leaves: Partial<Record<WidLeaf, WidValue>> = wid.ok ? presentLeaves(wid.value) : {}
  const { evidence, credential } = sampleRecord()
  return sampleRecord({
    traceId: randomBytes(16).toString('hex'),
    wid: leaves,
    evidence: {
      ...evidence,
      issuer: iss,
      sub: String(claims['sub']),
      jti: hash(),
      kid: String(header['kid'] ?? hash()),
      claimsHash: hash(),
      replayKey: hash(),
    },
    credential: { ...credential, kid: hash(), claimsHash: hash(), jkt: hash() },
    idempotency: { keyHash: hash(), requestHash: hash() },
  })
}

describe('a record is one write unit', () => {
  test.each(SAMPLE_NAMES)('%s: at most 1 KB with its key, a DPoP thumbprint and an Idempotency-Key', (name) => {
    const put = samplePut(hash(), {}, recordOf(name))
    const item = grantItem(put, 'x'.repeat(12))
    expect(bytesOf(item)).toBeLessThanOrEqual(1_024)
    expect(readGrantItem(item)).toEqual(put.record)
  })
})

describe('what was stored', () => {
  test('a row of format 1 opens for ever: this one was written when the format was made', () => {
    const row: Row = {
      pk: { S: 'T#acme#G#guard' },
      sk: { S: 'G' },
      v: { N: '1' },
      b: { B: Buffer.from(STORED, 'base64') },
    }
    const { source: _, ...written } = sampleRecord({ decisionId: '0197c0de-0000-7000-8000-000000000001' })
    expect(readGrantItem(row)).toEqual(written)
  })

  test.each([
    ['of a later format', (row: Row) => ({ ...row, v: { N: '2' } })],
    ['without a body', ({ b: _, ...row }: Row) => row],
    ['whose body was cut', (row: Row) => ({ ...row, b: { B: row['b']!.B!.subarray(0, 40) } })],
    ['that lies under another tenant', (row: Row) => ({ ...row, pk: { S: 'T#globex#G#guard' } })],
    [
      "that lies under a tenant whose name begins like this one's",
      (row: Row) => ({ ...row, pk: { S: 'T#acmecorp#G#guard' } }),
    ],
  ])('a row %s is an error, never a record', (_, alter) => {
    expect(() => readGrantItem(alter(grantItem(samplePut('guard'), 'mark')))).toThrow()
  })

  test('a body that inflates without end is refused', () => {
    const put = samplePut('guard', {}, { traceId: 'a'.repeat(1_000_000) })
    expect(() => readGrantItem(grantItem(put, 'mark'))).toThrow()
  })

  test('no row says how long evidence is good, only when its storage may be freed: a marker a day after exp at least', () => {
    const put = samplePut('guard')
    const ttl = Number(grantItem(put, 'mark')['ttl']!.N)
    expect(ttl).toBeGreaterThan(put.keepUntilSeconds)
    expect(put.keepUntilSeconds).toBeGreaterThanOrEqual(put.record.evidence.exp + 24 * 3600)
    // An outcome that went before its record would turn it into an issued credential.
    const notIssued = outcomeItem(sampleNotIssued(put))
    expect(Number(notIssued['ttl']!.N)).toBeGreaterThan(ttl + 7 * 24 * 3600)
    expect(readOutcomeItem(notIssued)).toEqual(sampleNotIssued(put).outcome)
    const proof = proofItem('acme', { hash: 'proof', keepUntilSeconds: NOW_SECONDS + 150 })
    expect(proof['ttl']).toEqual({ N: String(NOW_SECONDS + 150) })
  })
})

const STORED =
  'vZVdT4MwFIZ/UaXlo7ReDrPpJvtgouDNArTAVrfANnHs1xsQhRF00wt7cdKcpk1O3vd92o08RPUAMg4ghBDoRSFFgfVCTSp6wZpf' +
  'QsYiSG060urBJiWhF+pYQxThgKkKY0RVCfdlhAICFUSDf6JoMZbkJcl338WnJfjBWycvHCxZLTKh5dK+xC7nlItGF34VQmTsIx1g' +
  'T4FAC6kPfIQpID73iQzlUJeVtjFeNYPnhhuY9/M8n03sUB9NI2vbG0NxyGIksgWxzcyZms6uRfNB3ntGpr2zbtR4OHczvJmELiPb' +
  'vR0bb5GwFv1IpE4aqau7M+A/4bSONVWR0Tk4/0zY7qiWzvlLXC+0civShfJXlaxSsJSqyaQT8U9DX9G3ebPBgY/T6xIH1b5FhToH' +
  'TcPgotFFCbFkALUd0Z/56cgdi3RwdMSts1GPq9x4PAwn64G7p8lDrFmGkz5F41z8giolJ94B'
