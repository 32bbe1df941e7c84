// The texts that are appended, and what is read from them without a parser: both against the generic way.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readGrantEntry } from '../../../lib/adapters/sqlite/stored-rows.ts'
import type { AuditEntry } from '../../../lib/domain/audit-entry.ts'
import { canonicalJson } from '../../../lib/domain/canonical-json.ts'
import type { JsonValue } from '../../../lib/domain/claims.ts'
import type { GrantRecord } from '../../../lib/domain/grant-record.ts'
import type { OcsfEvent } from '../../../lib/domain/ocsf/event.ts'
import type { EventDraft } from '../../../lib/domain/ocsf/event-draft.ts'
import { headOfEvent } from '../../../lib/domain/ocsf/event-head.ts'
import { draftsOf, eventsOf, NotAnEvent } from '../../../lib/domain/ocsf/map-entry.ts'
import { type ChainPlace, chained, unsignedEvent } from '../../../lib/domain/ocsf/record-integrity.ts'
import { cloudEventOf, cloudEventText } from '../../../lib/wire/cloud-event.ts'
import { sampleRecord } from '../../contract/sample-rows.ts'
import { SAMPLE_ENTRIES, SAMPLE_PLACE, SAMPLE_RECORD } from '../../support/audit-entries.ts'

const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex')
const mapped = (entry: AuditEntry) => eventsOf(entry, SAMPLE_PLACE, () => SAMPLE_RECORD)

const chainEvent = (event: OcsfEvent, at: ChainPlace) =>
  chained(unsignedEvent(event, at), { uid: event.metadata.uid, typeUid: event.type_uid }, sha256Hex)
const chainDraft = (draft: EventDraft, at: ChainPlace) => chained(draft.unsigned(at), draft, sha256Hex)

/** Both ways to the text in the log: from the object, and as it is appended. */
const bothTexts = (entry: AuditEntry) => {
  const before = { uid: 'before', typeUid: 300204, fingerprint: '0'.repeat(64) }
  const at = { sequence: 7, chain: 'sts.example.com/t/acme/log', authority: SAMPLE_PLACE.issuerUrl, before }
  const objects = mapped(entry).map((event) => chainEvent(event, at))
  const drafts = draftsOf(entry, SAMPLE_PLACE, () => SAMPLE_RECORD)
  return { objects, drafts: drafts.map((draft) => chainDraft(draft, at)), named: drafts }
}

describe('what is appended is the canonical text of the event', () => {
  test.each(Object.keys(SAMPLE_ENTRIES))(
    'a template of %s that writes another text would break every proof',
    (name) => {
      const { objects, drafts, named } = bothTexts(SAMPLE_ENTRIES[name]!)
      expect(drafts).toEqual(objects)
      for (const [at, { canonical }] of drafts.entries()) {
        expect(canonicalJson(JSON.parse(canonical) as JsonValue)).toBe(canonical)
        const event = JSON.parse(canonical) as OcsfEvent
        expect([named[at]!.uid, named[at]!.time]).toEqual([event.metadata.uid, event.time])
      }
    },
  )

  test.each(Object.keys(SAMPLE_ENTRIES))('what is read from the text of %s is what the parser would say', (name) => {
    for (const { canonical } of bothTexts(SAMPLE_ENTRIES[name]!).drafts) {
      const event = JSON.parse(canonical) as OcsfEvent
      const { class_uid, type_uid, time, metadata } = event
      const head = headOfEvent(canonical)
      expect(head).toMatchObject({ class_uid, type_uid, time })
      for (const [member, value] of Object.entries(head.metadata)) expect(metadata[member]).toEqual(value)
      expect(JSON.parse(cloudEventText(canonical, SAMPLE_PLACE))).toEqual(cloudEventOf(event, SAMPLE_PLACE))
    }
  })

  test('a text that only looks like metadata, in a claim or as a name, does not pass for it', () => {
    const fake = ',"metadata":{"correlation_uid":"fake","sequence":9,"tenant_uid":"globex","uid":"fake","version":"'
    const { drafts } = bothTexts({
      kind: 'grant',
      record: sampleRecord({
        traceId: fake,
        grant: fake,
        verdicts: { [fake]: fake, metadata: fake },
        evidence: { ...SAMPLE_RECORD.evidence, sub: fake },
      }),
    })
    for (const { canonical } of drafts) {
      const { metadata } = JSON.parse(canonical) as OcsfEvent
      expect(headOfEvent(canonical).metadata).toMatchObject({
        uid: metadata.uid,
        tenant_uid: 'acme',
        sequence: 7,
        correlation_uid: fake,
      })
    }
  })

  test('the first event of a log, which names none before it', () => {
    const at = { sequence: 0, chain: 'log', authority: SAMPLE_PLACE.issuerUrl, before: null }
    const [draft] = draftsOf(SAMPLE_ENTRIES['grant']!, SAMPLE_PLACE, () => SAMPLE_RECORD)
    const [event] = mapped(SAMPLE_ENTRIES['grant']!)
    expect(chainDraft(draft!, at)).toEqual(chainEvent(event!, at))
  })

  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.constantFrom('', '"', '\\', 'eyJhbGciOi.e30.x', '\ud800', '\u2028', 'x'.repeat(3_000), '漢'.repeat(2_048)),
  )
  // Names are leaves of wid and grants of a document: none has anything to escape. JSON.parse, which reads the stored record, takes
  // one escaped name for another now and then (nodejs/node#63785).
  const name = fc.stringMatching(/^[ !#-[\]-~]{0,12}$/).filter((one) => one !== '__proto__')
  const leaf = fc.oneof(text, fc.boolean(), fc.array(text, { maxLength: 3 }))
  const record = fc
    .record({
      grant: text,
      configVersion: fc.integer(),
      wid: fc.dictionary(name, leaf, { maxKeys: 8 }),
      verdicts: fc.dictionary(name, text, { maxKeys: 300, size: 'max' }),
      evidence: fc.record(
        { sub: text, jti: fc.option(text), kid: text, iat: fc.double({ noNaN: true, noDefaultInfinity: true }) },
        { requiredKeys: [] },
      ),
      credential: fc.record(
        { sub: text, aud: text, scope: text, jkt: fc.option(text), ancestors: fc.array(text, { maxLength: 3 }) },
        { requiredKeys: [] },
      ),
      source: fc.option(text, { nil: undefined }),
    })
    .map((over) =>
      sampleRecord({
        ...(over as object),
        evidence: { ...SAMPLE_RECORD.evidence, ...over.evidence },
        credential: { ...SAMPLE_RECORD.credential, ...over.credential },
      }),
    )

  test('whatever a record holds, the template writes what the object would have', () => {
    fc.assert(
      fc.property(record, (one) => {
        const { objects, drafts } = bothTexts({ kind: 'grant', record: one })
        expect(drafts).toEqual(objects)
        // As it is read back, where its text says whether there is anything to escape.
        const stored = readGrantEntry({ tenant: one.tenant, body: JSON.stringify(one) })
        expect(bothTexts(stored).drafts).toEqual(objects)
      }),
      { numRuns: 300 },
    )
  })

  test('what was written of records before has no part in the text of the next, also where most of them is the same', () => {
    const changed = fc.array(fc.tuple(record, fc.subarray(Object.keys(SAMPLE_RECORD))), { maxLength: 6 })
    fc.assert(
      fc.property(changed, (many) => {
        let one: GrantRecord = SAMPLE_RECORD
        for (const [other, members] of many) {
          one = { ...one, ...Object.fromEntries(members.map((name) => [name, other[name as keyof GrantRecord]])) }
          const { objects, drafts } = bothTexts({ kind: 'grant', record: one })
          expect(drafts).toEqual(objects)
        }
      }),
      { numRuns: 100 },
    )
  })

  test('a record of another format is no event, also where that shows only while it is written', () => {
    const { evidence: _, ...rest } = SAMPLE_RECORD
    const append = () => bothTexts({ kind: 'grant', record: rest as never })
    expect(append).toThrow(NotAnEvent)
    const { credential: __, ...other } = SAMPLE_RECORD
    expect(() => draftsOf({ kind: 'grant', record: other as never }, SAMPLE_PLACE, () => null)).toThrow(NotAnEvent)
  })
})
