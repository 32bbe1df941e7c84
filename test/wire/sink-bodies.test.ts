// docs/sinks.md in bytes: what each kind of sink gets of a granted credential, a denial in a roll-up and a revocation. A sample is never
// edited: somebody's parser was written against it. Every event is valid OCSF in what it is wrapped in.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { canonicalJson } from '../../lib/domain/canonical-json.ts'
import type { OcsfEvent } from '../../lib/domain/ocsf/event.ts'
import { cloudEventOf, cloudEventText } from '../../lib/wire/cloud-event.ts'
import { bulkLines, hecEvent, otlpLogs } from '../../lib/wire/sink-bodies.ts'
import { SAMPLE_PLACE } from '../support/audit-entries.ts'
import { hasOcsfSchema, loadOcsfSchema } from '../support/ocsf-schema.ts'
import { sampleEvents } from '../support/sink-receiver.ts'

const FOLDER = fileURLToPath(new URL('../../events/sinks/', import.meta.url))
/** As they come out of the log. */
const all = sampleEvents()
const parsed = (canonical: string) => JSON.parse(canonical) as OcsfEvent
const CHOSEN = ['granted', 'replay', 'revoked'].map((code) => all.find((one) => parsed(one)['status_code'] === code)!)

const BODIES: Readonly<Record<string, (events: readonly string[]) => string>> = {
  'splunk-hec-v1.txt': (events) => events.map((event) => `${hecEvent(event, SAMPLE_PLACE, 'audit')}\n`).join(''),
  'otlp-logs-v1.txt': (events) => otlpLogs(events, SAMPLE_PLACE),
  'elasticsearch-v1.txt': (events) => events.map(bulkLines).join(''),
  'webhook-v1.txt': (events) => `[${events.map((event) => cloudEventText(event, SAMPLE_PLACE)).join(',')}]`,
}

// `MINTMARK_NEW_SAMPLES=1` writes those that are missing; it never touches one that is there.
if (process.env['MINTMARK_NEW_SAMPLES'] === '1') {
  mkdirSync(FOLDER, { recursive: true })
  for (const [name, body] of Object.entries(BODIES))
    if (!existsSync(FOLDER + name)) writeFileSync(FOLDER + name, body(CHOSEN))
}

test.each(Object.keys(BODIES))('%s is what is sent today', (name) => {
  expect(BODIES[name]!(CHOSEN)).toBe(readFileSync(FOLDER + name, 'utf8'))
})

test.skipIf(!hasOcsfSchema())('the OCSF event comes out of every envelope whole and valid', () => {
  const problemsOf = loadOcsfSchema()
  for (const canonical of all) {
    const event = parsed(canonical)
    const hec = (JSON.parse(hecEvent(canonical, SAMPLE_PLACE, null)) as { event: OcsfEvent }).event
    const otlp = JSON.parse(otlpLogs([canonical], SAMPLE_PLACE)) as {
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: string } }] }] }]
    }
    const [, document] = bulkLines(canonical).split('\n')
    const { '@timestamp': at, ...indexed } = JSON.parse(document!) as OcsfEvent
    const unwrapped = [
      hec,
      JSON.parse(otlp.resourceLogs[0].scopeLogs[0].logRecords[0].body.stringValue) as OcsfEvent,
      indexed,
      (JSON.parse(cloudEventText(canonical, SAMPLE_PLACE)) as { data: OcsfEvent }).data,
    ]
    expect(Date.parse(String(at))).toBe(event.time)
    for (const one of unwrapped) expect(one).toEqual(event)
    expect(JSON.parse(cloudEventText(canonical, SAMPLE_PLACE))).toEqual(cloudEventOf(event, SAMPLE_PLACE))
    expect(problemsOf(event)).toEqual([])
  }
})

test('a hostile text stays one line, in every body that is made of lines', () => {
  const hostile = canonicalJson({ ...parsed(CHOSEN[0]!), message: 'a\nb\u2028c\u0085d"}\n{"create":{}}' })
  expect(hecEvent(hostile, SAMPLE_PLACE, null)).not.toMatch(/[\n\u2028\u0085]/)
  expect(bulkLines(hostile).split('\n')).toHaveLength(3)
})
