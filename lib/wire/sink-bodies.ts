// What each kind of sink gets of an OCSF event (docs/sinks.md). Nothing but the event decides it, by its canonical text:
// delivered twice, it is the same. Pure.
import { oneLine } from '../domain/canonical-json.ts'
import type { JsonObject } from '../domain/claims.ts'
import { type EventPlace, type OcsfEvent, PRODUCT } from '../domain/ocsf/event.ts'
import { DATA_SCHEMAS } from './cloud-event.ts'

const eventOf = (canonical: string): OcsfEvent => JSON.parse(canonical) as OcsfEvent

/** `{…,"<name>":<canonical>}`: the event's text is not written anew. */
const around = (members: JsonObject, name: string, canonical: string): string =>
  oneLine(`${JSON.stringify(members).slice(0, -1)},${JSON.stringify(name)}:${canonical}}`)

/** Splunk HEC `/services/collector/event`. The fields are indexed: `| dedup mintmark_uid` needs no look into the event. */
export const hecEvent = (canonical: string, { issuerUrl }: EventPlace, index: string | null): string => {
  const { time, metadata } = eventOf(canonical)
  const members = {
    time: time / 1000,
    host: new URL(issuerUrl).host,
    source: issuerUrl,
    sourcetype: 'ocsf:json',
    ...(index === null ? {} : { index }),
    fields: { mintmark_uid: metadata.uid, mintmark_tenant: metadata.tenant_uid },
  }
  return around(members, 'event', canonical)
}

/** OCSF severity to OTLP severity number and text. */
const SEVERITIES: Readonly<Record<number, readonly [number, string]>> = {
  1: [9, 'INFO'],
  2: [10, 'INFO2'],
  3: [13, 'WARN'],
  4: [17, 'ERROR'],
}

const text = (key: string, value: string): JsonObject => ({ key, value: { stringValue: value } })
const integer = (key: string, value: number): JsonObject => ({ key, value: { intValue: String(value) } })

/** OTLP/HTTP JSON, ExportLogsServiceRequest: of one tenant, one resource. */
export const otlpLogs = (events: readonly string[], { issuerUrl }: EventPlace): string =>
  JSON.stringify({
    resourceLogs: [
      {
        resource: { attributes: [text('service.name', 'mintmark'), text('service.instance.id', issuerUrl)] },
        scopeLogs: [{ scope: { name: 'mintmark.audit', version: PRODUCT.version }, logRecords: events.map(logRecord) }],
      },
    ],
  })

const logRecord = (canonical: string): JsonObject => {
  const event = eventOf(canonical)
  const { uid, tenant_uid: tenant, correlation_uid: trace, sequence } = event.metadata
  const [severityNumber, severityText] = SEVERITIES[Number(event['severity_id'])] ?? [0, '']
  const nanoseconds = `${event.time}000000`
  return {
    timeUnixNano: nanoseconds,
    observedTimeUnixNano: nanoseconds,
    severityNumber,
    severityText,
    eventName: `mintmark.audit.${DATA_SCHEMAS[event.class_uid]}`,
    body: { stringValue: canonical },
    attributes: [
      text('log.record.uid', uid),
      text('mintmark.tenant', tenant),
      ...(typeof sequence === 'number' ? [integer('mintmark.sequence', sequence)] : []),
      integer('ocsf.class_uid', event.class_uid),
      integer('ocsf.type_uid', event.type_uid),
      text('ocsf.status_code', String(event['status_code'])),
    ],
    ...(typeof trace === 'string' && /^[0-9a-f]{32}$/.test(trace) ? { traceId: trace } : {}),
  }
}

/** Two lines of `POST /<index>/_bulk`: `create` under the event's id, so that the second of it is a conflict. */
export const bulkLines = (canonical: string): string => {
  const { time, metadata } = eventOf(canonical)
  const at = JSON.stringify({ '@timestamp': new Date(time).toISOString() })
  return `${JSON.stringify({ create: { _id: metadata.uid } })}\n${oneLine(`${at.slice(0, -1)},${canonical.slice(1)}`)}\n`
}
