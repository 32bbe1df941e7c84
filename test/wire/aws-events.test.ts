// Events of AWS as they were recorded (events/aws), read for whom they name and how bad they are.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { decisionOfSession } from '../../lib/domain/aws-finding.ts'
import { sessionNameOf, sourceIdentityOf } from '../../lib/domain/aws-session.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { readAwsEvent } from '../../lib/wire/aws-events.ts'

const recorded = (name: string) => readFileSync(new URL(`../../events/aws/${name}.json`, import.meta.url), 'utf8')
const SESSION = '01936d3e-7c1a-7b2f-9c4d-5e6f708192a3'
const read = (text: string) => {
  const event = readAwsEvent(text)
  if (!event.ok) throw new Error(event.reason)
  return event.message.findings
}
/** A recorded event, changed in one place. */
const changed = (name: string, from: string | RegExp, to: string): string => {
  const text = recorded(name)
  const other = text.replace(from, () => to)
  expect(other).not.toBe(text)
  return other
}

test.each([
  ['guardduty-anomalous-behavior', { feed: 'guardduty', severity: 'high', call: null }],
  ['guardduty-attack-sequence', { feed: 'guardduty', severity: 'critical', call: null }],
  ['securityhub-imported', { feed: 'securityhub', severity: 'high', call: null }],
  ['securityhub-v2', { feed: 'securityhub_v2', severity: 'high', call: null }],
  ['cloudtrail-stop-logging', { feed: 'cloudtrail', severity: null, call: 'cloudtrail:StopLogging' }],
])('%s names the session, its account and how bad it is', (name, expected) => {
  expect(read(recorded(name))).toMatchObject([
    { ...expected, account: '444455556666', isOver: false, sessions: [SESSION] },
  ])
})

test('a call by a role the session went on to assume is still known by its source identity', () => {
  expect(recorded('cloudtrail-stop-logging')).not.toContain('mintmark-')
  expect(read(recorded('cloudtrail-stop-logging'))[0]?.sessions).toEqual([SESSION])
})

test('a finding that is updated is another one, the same finding again is not', () => {
  const [first, again] = [1, 2].map(() => read(recorded('guardduty-anomalous-behavior'))[0]?.id)
  const later = read(
    changed('guardduty-anomalous-behavior', /"updatedAt": "[^"]+"/, '"updatedAt": "2026-11-22T16:00:00Z"'),
  )[0]?.id
  expect([first === again, first === later]).toEqual([true, false])
})

describe('what is over is said to be', () => {
  test.each([
    ['archived in GuardDuty', 'guardduty-anomalous-behavior', '"archived": false', '"archived": true'],
    ['a sample of GuardDuty', 'guardduty-anomalous-behavior', '"value": "{}"', '"sample": true'],
    ['archived in Security Hub', 'securityhub-imported', '"RecordState": "ACTIVE"', '"RecordState": "ARCHIVED"'],
    ['suppressed in Security Hub', 'securityhub-imported', '"Status": "NEW"', '"Status": "SUPPRESSED"'],
    ['resolved in the second feed', 'securityhub-v2', '"status_id": 1', '"status_id": 4'],
  ])('%s', (_, name, from, to) => {
    expect(read(changed(name, from, to))[0]?.isOver).toBe(true)
  })
})

test('names that only look like ours name nothing', () => {
  for (const name of [
    'deployer',
    'mintmark-',
    `mintmark-${SESSION}x`,
    `notmintmark-${SESSION}`,
    `${SESSION}`,
    `acme.${SESSION}`,
    'acme.0123',
  ])
    expect(decisionOfSession(name)).toBeNull()
  expect(decisionOfSession(`AROAEXAMPLE:${sessionNameOf(SESSION)}`)).toBe(SESSION)
  expect(decisionOfSession(sourceIdentityOf('acme', SESSION))).toBe(SESSION)
})

test.each([
  ['too_large', 'x'.repeat(LIMITS.findingBytesMax + 1)],
  ['not_json', 'finding'],
  ['not_a_finding', '{}'],
  ['not_a_finding', '{"source":"aws.guardduty","detail-type":"GuardDuty Finding","detail":{}}'],
  ['not_a_finding', changedSource()],
])('poison: %s', (reason, body) => {
  expect(readAwsEvent(body)).toEqual({ ok: false, reason })
})

/** Anybody may put an event of their own on a bus; none of those is called aws.guardduty. */
function changedSource(): string {
  return recorded('guardduty-anomalous-behavior').replace('"aws.guardduty"', '"acme.guardduty"')
}
