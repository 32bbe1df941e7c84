// events: POST /t/{tenant}/events, and findings of AWS from a queue. Authenticates what is reported and puts an order on the
// queue of revoke; may not act on it itself.
import { createAlarm } from '../../lib/edge/alarm.ts'
import { endpoint } from '../../lib/edge/endpoint.ts'
import { type EventsEndpointOptions, eventsEndpoint } from '../../lib/edge/events-endpoint.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { ofKnownTenant } from '../../lib/edge/known-tenant.ts'
import { queueConsumer } from '../../lib/edge/queue.ts'
import {
  type ReceivePorts,
  receiveGithubAlert,
  receiveLeaks,
  receiveSet,
} from '../../lib/flows/events/receive-event.ts'
import { type TakeFindingsPorts, takeFindings } from '../../lib/flows/events/take-findings.ts'
import type { Quarantine } from '../../lib/ports/queue.ts'
import { readAwsEvent } from '../../lib/wire/aws-events.ts'

type Wiring = {
  readonly ports: ReceivePorts
  readonly http: Pick<EventsEndpointOptions, 'admit'>
  readonly log: Parameters<typeof endpoint>[2] & EventsEndpointOptions['log']
}

export const createHandler = ({ ports, http, log }: Wiring): HttpHandler =>
  endpoint(
    'events',
    ofKnownTenant(
      ports.tenants,
      eventsEndpoint({
        ...http,
        log,
        receiveSet: (pushed) => receiveSet(ports, pushed),
        receiveGithubAlert: (pushed) => receiveGithubAlert(ports, pushed),
        receiveLeaks: (pushed) => receiveLeaks(ports, pushed),
      }),
    ),
    log,
  )

type FindingsWiring = {
  readonly ports: TakeFindingsPorts
  readonly quarantine: Quarantine
  readonly log: Parameters<typeof createAlarm>[1]
}

/** Events of EventBridge, through SQS. */
export const createFindings = ({ ports, quarantine, log }: FindingsWiring) =>
  queueConsumer({
    name: 'events',
    read: readAwsEvent,
    // Whose it is, the event says; a rule of EventBridge knows no tenants.
    tenantOf: () => '',
    handle: async (event) => {
      await takeFindings(ports, event)
      return 'done'
    },
    quarantine: quarantine.put,
    alarm: createAlarm('events', log),
    log,
  })
