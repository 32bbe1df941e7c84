// The envelope events travel in: CloudEvents 1.0, structured JSON. (source, id) is unique for ever, so whoever gets an event
// twice knows it. Pure.
import type { JsonObject } from '../domain/claims.ts'
import { type EventPlace, OCSF_VERSION, type OcsfEvent } from '../domain/ocsf/event.ts'
import { type EventHead, headOfEvent } from '../domain/ocsf/event-head.ts'

/** OCSF class to its name in URLs and types. */
export const DATA_SCHEMAS: Readonly<Record<number, string>> = {
  2004: 'detection_finding',
  3002: 'authentication',
  3003: 'authorize_session',
  3004: 'entity_management',
  6003: 'api_activity',
}

export const cloudEventOf = (event: OcsfEvent, place: EventPlace): JsonObject => ({
  ...envelopeOf(event, place),
  data: event,
})

/** The same as text, around the canonical text of an event, which stays as it is. */
export const cloudEventText = (canonical: string, place: EventPlace): string => {
  const envelope = JSON.stringify(envelopeOf(headOfEvent(canonical), place))
  return `${envelope.slice(0, -1)},"data":${canonical}}`
}

const envelopeOf = ({ class_uid, time, metadata }: EventHead, { issuerUrl }: EventPlace): JsonObject => {
  const { uid, tenant_uid: tenant, correlation_uid: correlation, sequence } = metadata
  return {
    specversion: '1.0',
    id: uid,
    source: issuerUrl,
    type: `dev.mintmark.audit.${DATA_SCHEMAS[class_uid]}.v1`,
    time: new Date(time).toISOString(),
    datacontenttype: 'application/json',
    dataschema: `https://schema.ocsf.io/${OCSF_VERSION}/classes/${DATA_SCHEMAS[class_uid]}`,
    partitionkey: tenant,
    ...(correlation === undefined ? {} : { correlationid: correlation }),
    // CloudEvents compares sequences as text: all of one length.
    ...(typeof sequence === 'number' ? { sequence: String(sequence).padStart(16, '0') } : {}),
  }
}
