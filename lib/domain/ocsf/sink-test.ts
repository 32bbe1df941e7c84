// The marked event of `mintmark sinks test` (6003): what a sink gets when somebody asks whether it gets anything. No leaf of the
// log, so it has no sequence. Pure.
import { type EventPlace, newEvent, type OcsfEvent, serviceOf } from './event.ts'

/** `id`: of the errand. */
export const eventOfSinkTest = (
  { id, sink }: { readonly id: string; readonly sink: string },
  { tenant, atSeconds }: { readonly tenant: string; readonly atSeconds: number },
  place: EventPlace,
): OcsfEvent =>
  newEvent({
    classUid: 6003,
    activityId: 2,
    severityId: 1,
    outcome: 'success',
    code: 'sink_test',
    message: 'a test of this sink: nothing has happened',
    uid: `test.${id}`,
    tenant,
    atSeconds,
    correlation: id,
    detail: {
      api: { operation: 'sinks test', service: serviceOf(place), request: { uid: id } },
      actor: { app_name: 'mintmark', app_uid: place.issuerUrl },
      src_endpoint: { svc_name: 'mintmark' },
    },
    unmapped: { is_test: true, sink },
  })
