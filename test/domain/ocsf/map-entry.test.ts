// What each entry of the audit log becomes in OCSF, against its compiled classes and as it is chained.
// Longer than 300 lines: one table of entries and what must hold for each.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AuditEntry } from '../../../lib/domain/audit-entry.ts'
import { canonicalJson, oneLine } from '../../../lib/domain/canonical-json.ts'
import type { JsonValue } from '../../../lib/domain/claims.ts'
import type { Denial } from '../../../lib/domain/grant-record.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { eventOfCheckpoint } from '../../../lib/domain/ocsf/checkpoint.ts'
import type { OcsfEvent } from '../../../lib/domain/ocsf/event.ts'
import { eventsOf } from '../../../lib/domain/ocsf/map-entry.ts'
import {
  type ChainLink,
  chained as chainedText,
  fingerprintAt,
  follows,
  linkOf,
  unsignedEvent,
} from '../../../lib/domain/ocsf/record-integrity.ts'
import { REFUSALS, type RefusalKind } from '../../../lib/domain/refusal.ts'
import { cloudEventOf } from '../../../lib/wire/cloud-event.ts'
import { sampleDenial, sampleRecord } from '../../contract/sample-rows.ts'
import { SAMPLE_ENTRIES, SAMPLE_PLACE, SAMPLE_RECORD } from '../../support/audit-entries.ts'
import { hasOcsfSchema, loadOcsfSchema } from '../../support/ocsf-schema.ts'

const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex')

const linkIn = (event: OcsfEvent, canonical: string): ChainLink | null => {
  const cut = fingerprintAt(canonical)
  const value = cut === null ? '' : sha256Hex(canonical.slice(0, cut.from) + canonical.slice(cut.to))
  return cut === null ? null : linkOf({ uid: event.metadata.uid, typeUid: event.type_uid }, canonical, { cut, value })
}
const chained = (event: OcsfEvent, sequence = 0, before: ChainLink | null = null) =>
  chainedText(
    unsignedEvent(event, {
      sequence,
      chain: 'sts.example.com/t/acme/log',
      authority: SAMPLE_PLACE.issuerUrl,
      before,
    }),
    { uid: event.metadata.uid, typeUid: event.type_uid },
    sha256Hex,
  )
/** As it is read back. */
const whole = (...args: Parameters<typeof chained>): OcsfEvent => JSON.parse(chained(...args).canonical) as OcsfEvent
const mapped = (entry: AuditEntry) => eventsOf(entry, SAMPLE_PLACE, () => SAMPLE_RECORD)
const CHECKPOINT = eventOfCheckpoint(
  { origin: 'sts.example.com/t/acme/log', size: 7, rootBase64: 'AAAA', note: 'sts.example.com/t/acme/log\n7\nAAAA\n' },
  { tenant: 'acme', atSeconds: 1_790_000_000 },
  SAMPLE_PLACE,
)

describe.skipIf(!hasOcsfSchema())('against the compiled OCSF classes of ../shared/vectors/ocsf-schema', () => {
  const problemsOf = hasOcsfSchema() ? loadOcsfSchema() : () => []

  test.each(Object.keys(SAMPLE_ENTRIES))(
    'a member OCSF does not have, or lacks, in %s would be refused by a SIEM',
    (name) => {
      for (const event of mapped(SAMPLE_ENTRIES[name]!)) {
        const before = { uid: 'before', typeUid: 300204, fingerprint: '00' }
        expect(problemsOf(whole(event, 1, before))).toEqual([])
        expect(problemsOf(whole(event))).toEqual([])
      }
    },
  )

  test('a checkpoint is a valid event of OCSF too', () => expect(problemsOf(CHECKPOINT)).toEqual([]))

  test('no reason to refuse is without a valid event', () => {
    for (const kind of Object.keys(REFUSALS) as RefusalKind[])
      for (const event of mapped({ kind: 'denial', denial: sampleDenial({}, kind) }))
        expect(problemsOf(whole(event)), kind).toEqual([])
  })

  test('a source that is a network or nothing at all is a name, not a malformed address', () => {
    for (const source of ['', '*', '2001:db8::/64', '192.0.2.1', '2001:db8::1', '::ffff:192.0.2.1'])
      for (const event of mapped({ kind: 'denial', denial: sampleDenial({ source }) }))
        expect(problemsOf(event), source).toEqual([])
  })

  // The validator itself: one that accepts everything would prove nothing.
  const [granted] = mapped(SAMPLE_ENTRIES['grant']!) as [OcsfEvent]
  test.each<[string, Record<string, JsonValue>]>([
    ['an unknown member', { nonsense: 1 }],
    ['an enum value that does not exist', { severity_id: 7 }],
    ['a wrong type', { message: 5 }],
    ['a type_uid of another activity', { type_uid: 300201 }],
    ['a category of another class', { category_uid: 6 }],
    ['an attribute of a profile that is not named', { attestation_list: [] }],
    ['an unknown member of an object', { user: { uid: 'x', nonsense: 1 } }],
    ['an object without any of its constraint', { user: { type_id: 4 } }],
    ['an address that is none', { src_endpoint: { ip: '192.0.2.0/24 or so' } }],
    ['a scalar for an array', { observables: 'x' }],
  ])('the validator refuses %s', (_, over) => {
    expect(problemsOf(granted)).toEqual([])
    expect(problemsOf({ ...granted, ...over })).not.toEqual([])
  })

  test('the validator refuses a class without what it requires', () => {
    for (const name of ['user', 'metadata', 'time', 'service']) {
      const { [name]: _, dst_endpoint: __, ...rest } = granted as Record<string, JsonValue>
      expect(problemsOf(rest), name).not.toEqual([])
    }
  })
})

describe('what is told of a record', () => {
  const codes = (entry: AuditEntry) =>
    mapped(entry).map((event) => [event.type_uid, event['status_id'], event['status_code']])

  test('an allow is one Authentication, and its scopes one Authorize Session', () => {
    expect(codes(SAMPLE_ENTRIES['grant']!)).toEqual([
      [300204, 1, 'granted'],
      [300301, 1, 'scope_granted'],
    ])
    expect(codes(SAMPLE_ENTRIES['grant-aws-credentials']!)).toEqual([[300204, 1, 'granted']])
  })

  test('an allow and what takes it back say where the request came from, as a denial does; an older record does not know', () => {
    const from = (...entries: readonly AuditEntry[]) =>
      entries.flatMap((entry) => mapped(entry)).map((event) => event['src_endpoint'])
    const { source: _, ...older } = SAMPLE_RECORD
    expect(from(SAMPLE_ENTRIES['grant']!, SAMPLE_ENTRIES['not-issued']!)).toEqual(Array(3).fill({ ip: '203.0.113.10' }))
    expect(from({ kind: 'grant', record: { ...older, source: '2001:db8:0:1::/64' } })).toEqual(
      Array(2).fill({ name: '2001:db8:0:1::/64' }),
    )
    expect(from({ kind: 'grant', record: older })).toEqual([undefined, undefined])
  })

  test('an outcome tells of the same credential as the allow it takes back, under an id of its own', () => {
    const [granted] = mapped(SAMPLE_ENTRIES['grant']!) as [OcsfEvent]
    const [undone] = mapped(SAMPLE_ENTRIES['not-issued']!) as [OcsfEvent]
    expect([undone.type_uid, undone['status_id'], undone['status_code']]).toEqual([300204, 2, 'not_issued'])
    expect(undone['session']).toEqual(granted['session'])
    expect(undone['user']).toEqual(granted['user'])
    expect(undone.metadata.uid).not.toBe(granted.metadata.uid)
  })

  test('a replay is a denial and a finding that names the first credential', () => {
    expect(codes(SAMPLE_ENTRIES['denial-replay']!)).toEqual([
      [600301, 2, 'replayed'],
      [200401, 1, 'replay'],
    ])
    const [, finding] = mapped(SAMPLE_ENTRIES['denial-replay']!) as [OcsfEvent, OcsfEvent]
    expect(JSON.stringify(finding['finding_info'])).toContain(SAMPLE_RECORD.decisionId)
  })

  test('a roll-up carries the exact count', () => {
    expect(mapped(SAMPLE_ENTRIES['roll-up']!)[0]!['count']).toBe(1234)
  })

  test('who came with a token is the identity in it, and the credential beside it; whoever else is named as they are', () => {
    const actorOf = (by: string) => {
      const { change } = SAMPLE_ENTRIES['look-up'] as Extract<AuditEntry, { kind: 'change' }>
      return mapped({ kind: 'change', change: { ...change, by } } as AuditEntry)[0]!['actor']
    }
    const admin = { type_id: 2, type: 'Admin' }
    const uid = 'spiffe://acme.example/ops/ann'
    expect(actorOf(`${uid} a-jti`)).toEqual({ user: { uid, name: uid, ...admin }, session: { uid: 'a-jti' } })
    for (const by of ['uid:1000', 'Ann Other', uid])
      expect(actorOf(by)).toEqual({ user: { uid: by, name: by, ...admin } })
  })

  test('a log that was begun when the encoding had another caption is read on', () => {
    const [first, second] = mapped(SAMPLE_ENTRIES['grant']!) as [OcsfEvent, OcsfEvent]
    const before = chained(first).link
    const { canonical } = chained(second, 1, before)
    const older = canonical.replaceAll('"encoding":"Hex"', '"encoding":"Hexadecimal"')
    expect(older).not.toBe(canonical)
    // What is named of the event before is within what is hashed.
    const value = sha256Hex(older.replace(/,"fingerprint":\{[^}]*\}/, ''))
    const written = older.replace(/"value":"[0-9a-f]{64}"/, `"value":"${value}"`)
    expect(linkIn(second, written)?.fingerprint).toBe(value)
    expect(follows(written, fingerprintAt(written)!, before)).toBe(true)
    expect(linkIn(second, written.replace('"Hexadecimal"', '"Base64"'))).toBeNull()
  })

  test('ids are stable and never shared: two events under one id would be one event to a SIEM', () => {
    for (const entry of Object.values(SAMPLE_ENTRIES)) {
      const uids = mapped(entry).map(({ metadata }) => metadata.uid)
      expect(mapped(entry).map(({ metadata }) => metadata.uid)).toEqual(uids)
      expect(new Set(uids).size).toBe(uids.length)
    }
  })

  test('evidence that was not verified speaks for nobody', () => {
    const { evidence } = (SAMPLE_ENTRIES['denial-replay'] as { denial: Denial }).denial
    const [denied] = mapped({ kind: 'denial', denial: sampleDenial({ evidence, verified: false }) }) as [OcsfEvent]
    expect(JSON.stringify(denied['actor'])).not.toContain(evidence!.sub)
  })

  test('the CloudEvent is found again by its source and id', () => {
    const [granted] = mapped(SAMPLE_ENTRIES['grant']!) as [OcsfEvent]
    const envelope = cloudEventOf(whole(granted, 41), SAMPLE_PLACE)
    expect(envelope).toMatchObject({
      specversion: '1.0',
      id: SAMPLE_RECORD.decisionId,
      source: SAMPLE_PLACE.issuerUrl,
      time: '2026-09-21T14:13:20.000Z',
      partitionkey: 'acme',
      sequence: '0000000000000041',
    })
    for (const name of Object.keys(envelope)) expect(name).toMatch(/^[a-z0-9]{1,20}$/)
  })
})

describe('text from outside', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.constantFrom(
      '\r\n{"class_uid":3002}',
      '\u001b[2J',
      '\u2028',
      '\u2029',
      '\u0085',
      '\u202egnp',
      '\ud800',
      '\0',
      '"',
      '\\',
      '__proto__',
    ),
    fc.string({ minLength: 3_000, maxLength: 4_000 }),
  )
  const hostileEntry = fc.tuple(hostile, hostile, hostile, hostile).map(([a, b, c, d]): AuditEntry[] => [
    {
      kind: 'denial',
      denial: sampleDenial(
        {
          source: a,
          verified: true,
          issuerName: b,
          wid: { 'project.path': a, 'workflow.uri': b, 'actor.name': c, 'ref.full': d },
          evidence: { sub: c, jti: d, iat: 1, exp: 2, kid: a, replayKey: 'x' },
          target: { type: 'access_token', audience: b, scope: c, grant: d },
          refusal: { kind: 'replayed', detail: { [d]: a, aud: b } },
        },
        'replayed',
      ),
    },
    {
      kind: 'grant',
      record: sampleRecord({
        evidence: { ...SAMPLE_RECORD.evidence, sub: a, jti: b, kid: c },
        wid: { 'project.path': a, 'actor.name': d },
        verdicts: { [c]: d },
      }),
    },
  ])

  test('any claim gives one well-formed line that parses back equal', () => {
    fc.assert(
      fc.property(hostileEntry, (entries) => {
        for (const event of entries.flatMap(mapped)) {
          const { canonical } = chained(event)
          const line = oneLine(canonical)
          expect(line).not.toMatch(/[\p{Cc}\u2028-\u202e]/u)
          const back = JSON.parse(line) as OcsfEvent
          expect(back).toEqual(JSON.parse(canonical))
          expect(back).toMatchObject({ unmapped: event['unmapped'], message: event.message })
          // The fingerprint can be computed again from the line.
          expect(canonicalJson(back)).toBe(canonical)
          expect(linkIn(back, canonical)).not.toBeNull()
          expect(Buffer.byteLength(canonical)).toBeLessThanOrEqual(64 * 1024)
        }
      }),
    )
  })

  test('a token in a place that is recorded is not recorded', () => {
    const token = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.${Buffer.from('{"sub":"x"}').toString('base64url')}.c2lnbmF0dXJl`
    const events = mapped({
      kind: 'denial',
      denial: sampleDenial({
        source: token,
        target: { type: token, audience: `x ${token} y`, scope: token, grant: token },
        refusal: { kind: 'target_unknown', detail: { audience: token } },
      }),
    })
    expect(JSON.stringify(events)).toContain('x [token] y')
    for (const part of token.split('.')) expect(JSON.stringify(events)).not.toContain(part)
  })

  test('an event that grew past what is forwarded is cut and says so, and keeps what names it', () => {
    const wid = Object.fromEntries(
      ['project.path', 'workflow.uri', 'actor.name', 'ref.full', 'run.url', 'org.name', 'runner.id', 'config.uri'].map(
        (leaf) => [leaf, '漢'.repeat(2048)],
      ),
    )
    const verdicts = Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`grant-${at}`, '1'.repeat(200)]))
    const record = { ...SAMPLE_RECORD, wid, verdicts }
    const [granted] = mapped({ kind: 'grant', record }) as [OcsfEvent]
    expect(Buffer.byteLength(canonicalJson(granted))).toBeLessThanOrEqual(LIMITS.eventBytesMax)
    expect(granted.metadata['is_truncated']).toBe(true)
    expect(granted['session']).toMatchObject({ uid: record.credential.jti })
  })
})

describe('the chain of events (record_integrity)', () => {
  const events = Object.values(SAMPLE_ENTRIES).flatMap(mapped)
  const chain = (): OcsfEvent[] => {
    const out: OcsfEvent[] = []
    let before: ChainLink | null = null
    for (const [sequence, event] of events.entries()) {
      const next = chained(event, sequence, before)
      out.push(JSON.parse(next.canonical) as OcsfEvent)
      before = next.link
    }
    return out
  }

  const linked = (event: OcsfEvent) => linkIn(event, canonicalJson(event))
  const isBehind = (event: OcsfEvent, before: ChainLink | null): boolean => {
    const canonical = canonicalJson(event)
    return follows(canonical, fingerprintAt(canonical)!, before)
  }

  test('each event names the one before it, by a fingerprint that can be computed again', () => {
    let before: ChainLink | null = null
    for (const [index, event] of chain().entries()) {
      expect(event.metadata['sequence']).toBe(index)
      expect(isBehind(event, before)).toBe(true)
      before = linked(event)
      expect(before).not.toBeNull()
    }
  })

  test('an event that was changed in any member no longer has its fingerprint', () => {
    const [first] = chain() as [OcsfEvent]
    for (const name of Object.keys(first))
      if (name !== 'attestation_list') expect(linked({ ...first, [name]: 'other' } as OcsfEvent), name).toBeNull()
  })

  test('an event that was dropped is missed by the next one', () => {
    const [first, , third] = chain() as [OcsfEvent, OcsfEvent, OcsfEvent]
    expect(isBehind(third, linked(first))).toBe(false)
    expect(isBehind(third, null)).toBe(false)
  })
})
