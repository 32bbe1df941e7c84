// A checkpoint of the tenant's log as an event (6003): every sink holds proof of what the log was at the time. It is no leaf of
// the log itself, so it has no sequence. Pure.
import { type EventPlace, newEvent, type OcsfEvent, serviceOf } from './event.ts'

export const eventOfCheckpoint = (
  checkpoint: { readonly origin: string; readonly size: number; readonly rootBase64: string; readonly note: string },
  { tenant, atSeconds }: { readonly tenant: string; readonly atSeconds: number },
  place: EventPlace,
): OcsfEvent => {
  const uid = `${checkpoint.origin}@${checkpoint.size}`
  return newEvent({
    classUid: 6003,
    activityId: 1,
    severityId: 1,
    outcome: 'success',
    code: 'checkpoint',
    message: 'the log was checkpointed',
    uid,
    tenant,
    atSeconds,
    correlation: uid,
    detail: {
      api: { operation: 'checkpoint', service: serviceOf(place), request: { uid } },
      actor: { app_name: 'mintmark', app_uid: place.issuerUrl },
      src_endpoint: { svc_name: 'mintmark' },
    },
    unmapped: {
      origin: checkpoint.origin,
      size: checkpoint.size,
      root: checkpoint.rootBase64,
      note: checkpoint.note,
    },
  })
}
