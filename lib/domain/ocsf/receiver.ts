// What became of a revocation at a receiver: one API Activity event (6003) when it first fails to take a SET, and one when it has
// it. Retries are none. Pure.
import type { ControlChange } from '../control-change.ts'
import { type EventPlace, newEvent, type OcsfEvent, serviceOf } from './event.ts'

const UPDATE = 3

export const eventOfReceiver = (change: Extract<ControlChange, { what: 'receiver' }>, place: EventPlace): OcsfEvent => {
  const { receiver, seq, jti, problem, status, tenant, id, atSeconds } = change
  const response = { code: status, error: problem }
  return newEvent({
    classUid: 6003,
    activityId: UPDATE,
    severityId: problem === null ? 1 : 3,
    outcome: problem === null ? 'success' : 'failure',
    code: problem === null ? 'revocation_received' : 'revocation_not_received',
    message: problem === null ? 'a receiver has a revocation' : 'a receiver has not taken a revocation yet',
    uid: id,
    tenant,
    atSeconds,
    correlation: jti,
    detail: {
      actor: { app_name: 'mintmark' },
      api: {
        operation: 'session-revoked',
        service: serviceOf(place),
        request: { uid: jti },
        response: status === null && problem === null ? null : response,
      },
      src_endpoint: { name: 'mintmark' },
      dst_endpoint: { svc_name: receiver },
    },
    unmapped: { receiver, seq, jti, problem, status },
  })
}
